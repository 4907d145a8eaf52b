"""The country of an address, from tables that lie on this machine: a hint for its owner's eyes, and for no rule."""

import ipaddress
from functools import cache

from geoip2fast import GeoIP2Fast

TABLES = "geoip2fast-ipv6.dat.gz"  # both kinds of addresses
CODE_LENGTH = 2


def country_of(address: str) -> str:
    """ISO 3166-1 code of where an address is given out; empty: unknown, or an address of no country."""
    try:
        if not ipaddress.ip_address(address).is_global:
            return ""
    except ValueError:
        return ""
    code = str(_tables().lookup(address).country_code)
    return code if len(code) == CODE_LENGTH and code.isalpha() else ""


@cache
def _tables() -> GeoIP2Fast:
    return GeoIP2Fast(geoip2fast_data_file=TABLES)
