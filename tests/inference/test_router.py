"""apps/inference/router.py: which server, how often, after which wait."""

from collections import Counter
from dataclasses import replace

from apps.inference import router
from apps.inference.calls import CallError, Server

ONE, TWO, THREE = (Server(key, "openai", "http://127.0.0.1:9", "", "m") for key in ("one", "two", "three"))
BUSY = CallError("overloaded")
MANY = 3000


def firsts(*servers, affinities=None):
    names = affinities or [f"conversation-{number}" for number in range(MANY)]
    return Counter(router.in_order(servers, name)[0].key for name in names)


def test_prompts_with_the_same_beginning_go_to_one_server():
    assert len(firsts(ONE, TWO, THREE, affinities=["conversation-7"] * 20)) == 1


def test_servers_share_prompts_by_their_weights():
    shares = firsts(replace(ONE, weight=3), TWO)
    assert 0.7 * MANY < shares["one"] < 0.8 * MANY
    assert shares["one"] + shares["two"] == MANY


def test_prompts_without_affinity_are_shared_too():
    assert min(firsts(ONE, TWO, affinities=[""] * MANY).values()) > 0.4 * MANY


def test_a_server_that_goes_moves_its_own_prompts_alone():
    names = [f"conversation-{number}" for number in range(200)]
    before = {name: router.in_order((ONE, TWO, THREE), name)[0].key for name in names}
    after = {name: router.in_order((ONE, THREE), name)[0].key for name in names}
    assert {before[name] for name in names if before[name] != after[name]} == {"two"}


def test_a_server_without_weight_is_asked_last():
    assert firsts(replace(ONE, weight=0), TWO) == {"two": MANY}


def test_who_failed_this_prompt_is_asked_after_the_others():
    order = router.after_failures((ONE, TWO, THREE), Counter(one=1))
    assert [server.key for server in order] == ["two", "three", "one"]


def test_in_the_long_run_one_call_of_five_is_tried_again():
    budget = router.RetryBudget()
    assert sum(budget.spend() for _ in range(100)) == router.RESERVE
    for _ in range(50):
        budget.earn()
    assert sum(budget.spend() for _ in range(100)) in (9, 10)


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
