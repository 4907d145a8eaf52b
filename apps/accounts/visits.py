"""How many people come to the public pages, and from where: counted here, without a cookie, a script or a person.

A visitor of a day is told apart by a keyed hash of their network and browser. Its salt is made anew each day; it and
the hashes are in Valkey alone and gone after two days. What stays is a number a day, page and source.
"""

import re
import secrets
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import F
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from apps.accounts import joining
from apps.accounts.models import VisitDay

log = structlog.get_logger(__name__)
HOME, PRICING = VisitDay.Page.HOME, VisitDay.Page.PRICING
KEPT = timedelta(days=2)
MOST_SOURCES = 200  # of a day: anybody can name a new one
DIRECT, OTHER = "direct", "other"
SOURCE = re.compile(r"[a-z0-9.-]{1,60}")
MACHINES = re.compile(r"bot|crawl|spider|slurp|preview|monitor|headless|curl|wget|python|httpx|java/|go-http", re.I)


def count(request: HttpRequest, page: str, *, now: datetime) -> None:
    """Count who asks for a page, once a day; nobody who does not want it, no machine, and nobody who has an account.

    Effect  an act: one row's number goes up. A page is never late or broken for it: where Valkey or Postgres is away,
            a visit is lost, with a line in the log.
    """
    agent = request.headers.get("User-Agent", "")
    if request.method != "GET" or request.user.is_authenticated or not _may_count(request, agent):
        return
    day = _day_of(now)
    try:
        if _is_new(request, agent, f"{day}:{page}"):
            add(page, _source(request), 1, now=now)
    except (RedisError, DatabaseError) as error:
        log.warning("visits.lost", reason=type(error).__name__)


def add(page: str, source: str, visits: int, *, now: datetime) -> None:
    """Make the number of a page and a source of this day larger; where a day has too many sources, that of “other”.

    Effect  a step.
    """
    day = _day_of(now)
    known = VisitDay.objects.filter(day=day)
    if not known.filter(source=source).exists() and known.count() >= MOST_SOURCES:
        source = OTHER
    row, _is_first = VisitDay.objects.get_or_create(
        day=day, page=page, source=source, defaults={"visits": 0, "changed_at": now}
    )
    VisitDay.objects.filter(pk=row.pk).update(visits=F("visits") + visits, changed_at=now)


def _day_of(now: datetime) -> date:
    return now.astimezone(ZoneInfo(settings.REPORTING_TIMEZONE)).date()


def _may_count(request: HttpRequest, agent: str) -> bool:
    asks_not_to = "1" in (request.headers.get("DNT"), request.headers.get("Sec-GPC"))
    is_early = "prefetch" in f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return bool(agent) and not asks_not_to and not is_early and not MACHINES.search(agent)


def _is_new(request: HttpRequest, agent: str, of: str) -> bool:
    kept_s = int(KEPT.total_seconds())
    salt = cache.get_or_set(f"visits:salt:{of[:10]}", lambda: secrets.token_hex(16), timeout=kept_s)
    network = joining.neighbourhoods(get_adapter().get_client_ip(request))
    visitor = salted_hmac(f"who came: {salt}", f"{network}{agent}", algorithm="sha256").hexdigest()
    return bool(cache.add(f"visits:seen:{of}:{visitor}", 1, timeout=kept_s))


def _source(request: HttpRequest) -> str:
    """Where a visitor came from: what the link says of itself, else the other site's host."""
    named = request.GET.get("utm_source", "").strip().lower()
    try:
        host = urlsplit(request.headers.get("Referer", "")).hostname or ""
    except ValueError:
        host = ""
    if not named and host in ("", request.get_host().partition(":")[0]):
        return DIRECT
    found = named or host.removeprefix("www.")
    return found if SOURCE.fullmatch(found) else OTHER
