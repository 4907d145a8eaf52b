"""Requests and tokens a minute, per account: two token buckets in Valkey, taken together or not at all.

They protect the fleet, no bill depends on them: when Valkey is away, calls pass and the log says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.billing.plans import PlanTerms
from apps.core.errors import LimitReached, Refusal
from apps.usage import errors as usage_errors

log = structlog.get_logger(__name__)

REQUESTS, TOKENS = "requests", "tokens"
MINUTE_MS = 60_000
TIMEOUT_S = 1.0

# KEYS: a hash.  ARGV: now in ms; then capacity and wanted, of requests and of tokens.
# What is left grows back evenly to the capacity in a minute; parts are kept in thousandths, so nothing is lost.
# Answers: 1 or 0, what is left of each, and the ms until what was wanted would fit.
TAKE = """
local now = tonumber(ARGV[1])
local seen = redis.call('HMGET', KEYS[1], 'at', '1', '2')
local at = math.max(tonumber(seen[1]) or now, now)
local passed = now - math.min(tonumber(seen[1]) or now, now)
local left, waits, fits = {}, {}, 1
for i = 1, 2 do
  local capacity, wanted = tonumber(ARGV[2 * i]) * 1000, tonumber(ARGV[2 * i + 1]) * 1000
  left[i] = math.min(capacity, (tonumber(seen[i + 1]) or capacity) + passed * capacity / 60000)
  waits[i] = 0
  if left[i] < wanted then
    fits = 0
    waits[i] = math.ceil((wanted - left[i]) * 60000 / capacity)
  end
end
for i = 1, 2 do
  if fits == 1 then left[i] = left[i] - tonumber(ARGV[2 * i + 1]) * 1000 end
end
redis.call('HSET', KEYS[1], 'at', at, '1', left[1], '2', left[2])
redis.call('PEXPIRE', KEYS[1], 120000)
return {fits, math.floor(left[1] / 1000), math.floor(left[2] / 1000), waits[1], waits[2]}
"""


@dataclass(frozen=True)
class Allowance:
    """What is left of the minute after a call: numbers per minute, and when each is whole again."""

    requests: int
    requests_left: int
    tokens: int
    tokens_left: int

    def headers(self) -> dict[str, str]:
        """As OpenAI's clients read them."""
        return {
            "x-ratelimit-limit-requests": str(self.requests),
            "x-ratelimit-remaining-requests": str(self.requests_left),
            "x-ratelimit-reset-requests": _until_whole(self.requests, self.requests_left),
            "x-ratelimit-limit-tokens": str(self.tokens),
            "x-ratelimit-remaining-tokens": str(self.tokens_left),
            "x-ratelimit-reset-tokens": _until_whole(self.tokens, self.tokens_left),
        }


class TooFast(LimitReached):
    """The minute's requests or tokens are used up; the answer's headers say what is left."""

    def __init__(self, refusal: Refusal, allowance: Allowance) -> None:
        sentence = (
            _("Too many requests a minute: the limit is %(limit)s. Please try again shortly.")
            if refusal.meter == REQUESTS
            else _("Too many tokens a minute: the limit is %(limit)s. Please try again shortly.")
        )
        super().__init__(sentence % {"limit": refusal.limit}, refusal)
        self.headers = allowance.headers()


def admit(account_id: UUID, plan: PlanTerms, tokens: int, *, now: datetime) -> Allowance | None:
    """Count one request and the tokens it may take, or refuse it.

    Effect  one script, so that two processes cannot take the same room. None: Valkey is away, the call passes unseen.
    Raises  TooFast: no room in this minute; nothing was taken.  PaymentNeeded: the plan has no API.
    """
    capacities = (plan.api_requests_per_minute, plan.api_tokens_per_minute)
    if not all(capacities):
        raise usage_errors.payment_needed(Refusal(usage_errors.NOT_INCLUDED))
    tokens = min(tokens, capacities[1])  # one large request may use a whole minute, but is not impossible
    milliseconds = int(now.timestamp() * 1000)
    arguments = (milliseconds, capacities[0], 1, capacities[1], tokens)
    try:
        answer = _valkey(settings.VALKEY_URL).eval(TAKE, 1, f"throttle:api:{account_id}", *map(str, arguments))
    except redis.RedisError as error:
        log.warning("throttles.open", reason=type(error).__name__)
        return None
    fits, requests_left, tokens_left, requests_wait_ms, tokens_wait_ms = (int(number) for number in answer)
    allowance = Allowance(capacities[0], requests_left, capacities[1], tokens_left)
    if not fits:
        is_requests = requests_wait_ms >= tokens_wait_ms
        wait = timedelta(milliseconds=max(requests_wait_ms, tokens_wait_ms))
        limit, left = (capacities[0], requests_left) if is_requests else (capacities[1], tokens_left)
        meter = REQUESTS if is_requests else TOKENS
        raise TooFast(Refusal("rate_limit_exceeded", limit, limit - left, now + wait, None, meter), allowance)
    return allowance


def _until_whole(capacity: int, left: int) -> str:
    """OpenAI's way to write a duration: “1s”, “250ms”, “1m0s”."""
    missing_ms = -(-(capacity - left) * MINUTE_MS // max(1, capacity))
    if missing_ms < 1000:  # noqa: PLR2004 a second
        return f"{missing_ms}ms"
    minutes, seconds = divmod(-(-missing_ms // 1000), 60)
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


@cache
def _valkey(url: str) -> redis.Redis:
    pool = redis.BlockingConnectionPool.from_url(
        url, max_connections=8, timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )
    return redis.Redis.from_pool(pool)
