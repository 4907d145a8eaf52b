"""apps/inference/router.py: which server, how often, after which wait."""

import pytest

from apps.inference import router
from apps.inference.calls import CallError, Server

ONE, TWO = (Server(key, "openai", "http://127.0.0.1:9", "", "m") for key in ("one", "two"))
BUSY = CallError("overloaded")


@pytest.mark.parametrize(
    ("servers", "order"),
    [((), ""), ((ONE,), "one one one"), ((ONE, TWO), "one two one"), ((ONE, TWO, ONE, TWO), "one two one")],
)
def test_three_tries_over_what_there_is(servers, order):
    assert " ".join(server.key for server in router.tries(servers)) == order


def test_another_server_is_tried_at_once():
    assert router.wait_s(CallError("overloaded", retry_after_s=60), failed=ONE, following=TWO, number=0) == 0


def test_the_same_server_is_given_a_growing_jittered_rest():
    for number, least in ((0, 0.1), (1, 0.2), (2, 0.4)):
        waits = [router.wait_s(BUSY, failed=ONE, following=ONE, number=number) for _ in range(50)]
        assert least <= min(waits) < max(waits) <= 2 * least


def test_a_short_retry_after_is_honoured_and_a_long_one_is_not_waited_for():
    short, long = CallError("overloaded", retry_after_s=1), CallError("overloaded", retry_after_s=3)
    assert router.wait_s(short, failed=ONE, following=ONE, number=0) == 1
    assert router.wait_s(long, failed=ONE, following=ONE, number=0) is None
