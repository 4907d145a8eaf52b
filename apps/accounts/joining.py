"""Who may join now: addresses that are thrown away, and bursts of sign-ups, are refused with a reason and a time."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from disposable_email_domains import blocklist
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.errors import Invalid, Unavailable

log = structlog.get_logger(__name__)

HOUR = timedelta(hours=1)
WHOLE_SITE = "site"
NEIGHBOURS = {4: 24, 6: 48}  # how much of an address a household, an office or one renter of machines has


@dataclass(frozen=True)
class Count:
    """Sign-ups of this hour from one place, against how many are taken."""

    place: str
    most: int


def require_lasting_address(email: str) -> None:
    """Refuse an address that is made to be thrown away; what the operator allows or adds goes first.

    Raises  Invalid.
    """
    domain = email.rpartition("@")[2].lower()
    parents = {domain[place:] for place in _starts(domain)}
    if not settings.SIGNUP_REFUSE_DISPOSABLE or parents & set(settings.SIGNUP_ALLOWED_DOMAINS):
        return
    if parents & (blocklist | set(settings.SIGNUP_REFUSED_DOMAINS)):
        log.info("signup.disposable", domain=domain)
        sentence = _("This address is made to be thrown away. Please use one that you keep.")
        raise Invalid(sentence, field="email", code="disposable_address")


def count_in(address: str, *, now: datetime) -> None:
    """Count one more sign-up of this hour, from its neighbourhood and on the whole site.

    Raises  Unavailable: too many; `wait_s` says for how long. Who has an account can still sign in.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    nearby = [Count(place, settings.SIGNUPS_PER_HOUR_NEARBY) for place in neighbourhoods(address)]
    for count in (*nearby, Count(WHOLE_SITE, settings.SIGNUPS_PER_HOUR)):
        key = f"signups:{count.place}:{hour:%Y%m%d%H}"
        cache.add(key, 0, timeout=int(HOUR.total_seconds()))
        if cache.incr(key) > count.most:
            log.warning("signup.burst", whole_site=count.place == WHOLE_SITE)
            raise _too_many(int((hour + HOUR - now).total_seconds()) + 1)


def _too_many(wait_s: int) -> Unavailable:
    minutes = -(-wait_s // 60)
    sentence = ngettext(
        "Many accounts were made from your network just now. Please come back in a minute.",
        "Many accounts were made from your network just now. Please come back in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
    return Unavailable(sentence, code="too_many_signups", wait_s=wait_s)


def neighbourhoods(address: str) -> list[str]:
    """The network around an address; none around one that is not of the Internet, since it says nothing of who asks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return []
    network = ipaddress.ip_network(f"{found}/{NEIGHBOURS[found.version]}", strict=False)
    return [str(network)] if found.is_global else []


def _starts(domain: str) -> list[int]:
    """Where a domain and each of its parents begin."""
    return [0, *(place + 1 for place, letter in enumerate(domain) if letter == ".")]
