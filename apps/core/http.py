"""Defaults of the HTTP clients that call model servers."""

import httpx

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0


def timeouts(*, read_s: float = READ_TIMEOUT_S) -> httpx.Timeout:
    """Connect quickly or not at all; `read_s` is the longest silence between two pieces of an answer."""
    return httpx.Timeout(connect=CONNECT_TIMEOUT_S, read=read_s, write=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S)
