from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from apps.core.errors import PaymentNeeded
from apps.developer import throttles
from apps.developer.throttles import Allowance, TooFast
from tests import build

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)
PLAN = build.plan(api_requests_per_minute=3, api_tokens_per_minute=600)


def test_counts_requests_and_tokens_down():
    assert throttles.admit(ONE, PLAN, 100, now=NOW) == Allowance(3, 2, 600, 500)
    assert throttles.admit(ONE, PLAN, 100, now=NOW) == Allowance(3, 1, 600, 400)
    assert throttles.admit(OTHER, PLAN, 0, now=NOW) == Allowance(3, 2, 600, 600)


def test_the_fourth_request_of_the_minute_waits_for_its_turn():
    for _number in range(3):
        throttles.admit(ONE, PLAN, 0, now=NOW)
    with pytest.raises(TooFast) as refused:
        throttles.admit(ONE, PLAN, 0, now=NOW)
    assert str(refused.value.sentence) == "Too many requests a minute: the limit is 3. Please try again shortly."
    assert refused.value.code == "rate_limit_exceeded"
    assert refused.value.refusal.resets_at == NOW + timedelta(seconds=20)
    assert refused.value.headers == Allowance(3, 0, 600, 600).headers()
    assert throttles.admit(ONE, PLAN, 0, now=NOW + timedelta(seconds=20)) == Allowance(3, 0, 600, 600)


def test_what_has_no_room_in_tokens_takes_no_request_either():
    throttles.admit(ONE, PLAN, 500, now=NOW)
    with pytest.raises(TooFast, match="Too many tokens a minute: the limit is 600") as refused:
        throttles.admit(ONE, PLAN, 200, now=NOW)
    assert refused.value.refusal.resets_at == NOW + timedelta(seconds=10)
    assert throttles.admit(ONE, PLAN, 100, now=NOW) == Allowance(3, 1, 600, 0)


def test_a_minute_later_all_is_there_again_and_no_more():
    throttles.admit(ONE, PLAN, 600, now=NOW)
    assert throttles.admit(ONE, PLAN, 0, now=NOW + timedelta(minutes=9)) == Allowance(3, 2, 600, 600)


def test_a_request_larger_than_a_minute_takes_the_whole_minute():
    assert throttles.admit(ONE, PLAN, 9_999, now=NOW) == Allowance(3, 2, 600, 0)


def test_a_clock_that_is_behind_gives_nothing_twice():
    throttles.admit(ONE, PLAN, 600, now=NOW)
    throttles.admit(ONE, PLAN, 0, now=NOW - timedelta(seconds=30))
    assert throttles.admit(ONE, PLAN, 0, now=NOW) == Allowance(3, 0, 600, 0)


def test_a_plan_without_the_api_is_told_so():
    with pytest.raises(PaymentNeeded) as refused:
        throttles.admit(ONE, build.plan(api_requests_per_minute=0), 1, now=NOW)
    assert refused.value.code == "not_included"


def test_without_valkey_calls_pass_unseen(settings):
    settings.VALKEY_URL = "redis://127.0.0.1:9/0"
    assert throttles.admit(ONE, PLAN, 1, now=NOW) is None


def test_headers_are_as_openais_clients_read_them():
    assert Allowance(3, 2, 600, 599).headers() == {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "2",
        "x-ratelimit-reset-requests": "20s",
        "x-ratelimit-limit-tokens": "600",
        "x-ratelimit-remaining-tokens": "599",
        "x-ratelimit-reset-tokens": "100ms",
    }
    assert Allowance(3, 0, 600, 600).headers()["x-ratelimit-reset-requests"] == "1m0s"
    assert Allowance(3, 3, 600, 600).headers()["x-ratelimit-reset-requests"] == "0ms"
