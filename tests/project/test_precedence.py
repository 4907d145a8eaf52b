"""project/precedence.py: premium first, nobody starved; as arithmetic, and by who takes from a real Valkey."""

from collections import Counter

import pytest
from celery import current_app
from kombu import Consumer, Queue

from project.precedence import Turns

PREMIUM, FREE, BATCH = "runs.premium", "runs.free", "runs.batch"
RUNS = [PREMIUM, FREE, BATCH]


def serve(turns, waiting, answers):
    """Take so many answers as kombu does: from the first queue, in the order asked, that has something."""
    served = []
    for _ in range(answers):
        order = turns.consume(len(waiting))
        queue = next(queue for queue in order if waiting[queue])
        waiting[queue] -= 1
        served.append(turns.rotate(queue))
    return served


def test_of_ten_answers_six_are_premium_three_free_and_one_batch():
    served = serve(Turns(RUNS), dict.fromkeys(RUNS, 1000), 100)
    for begin in range(91):
        assert Counter(served[begin : begin + 10]) == {PREMIUM: 6, FREE: 3, BATCH: 1}


def test_premium_is_asked_first_and_waits_for_two_others_at_most():
    served = serve(Turns(RUNS), dict.fromkeys(RUNS, 1000), 100)
    assert served[0] == PREMIUM
    gaps = "".join("p" if queue == PREMIUM else "-" for queue in served)
    assert "---" not in gaps


@pytest.mark.parametrize(
    ("waiting", "shares"),
    [
        ({PREMIUM: 100, FREE: 100, BATCH: 0}, {PREMIUM: 60, FREE: 30}),
        ({PREMIUM: 0, FREE: 100, BATCH: 100}, {FREE: 68, BATCH: 22}),
        ({PREMIUM: 100, FREE: 0, BATCH: 100}, {PREMIUM: 77, BATCH: 13}),
        ({PREMIUM: 0, FREE: 100, BATCH: 0}, {FREE: 90}),
        ({PREMIUM: 0, FREE: 0, BATCH: 100}, {BATCH: 90}),
    ],
)
def test_the_turns_of_an_empty_queue_go_to_the_others_in_proportion(waiting, shares):
    assert Counter(serve(Turns(RUNS), waiting, 90)) == shares


def test_who_had_nothing_saves_up_no_turns():
    turns = Turns(RUNS)
    serve(turns, {PREMIUM: 0, FREE: 500, BATCH: 0}, 500)
    assert Counter(serve(turns, dict.fromkeys(RUNS, 1000), 10)) == {PREMIUM: 6, FREE: 3, BATCH: 1}


def test_asking_takes_no_turn():
    turns = Turns(RUNS)
    assert [turns.consume(3) for _ in range(5)] == [[PREMIUM, FREE, BATCH]] * 5


def test_queues_without_a_weight_take_turns():
    turns = Turns(["default", "billing", "reports"])
    served = serve(turns, dict.fromkeys(["default", "billing", "reports"], 10), 9)
    assert Counter(served[:3]) == Counter(served[3:6]) == Counter(["default", "billing", "reports"])


def test_a_queue_that_is_not_served_any_more_is_forgotten():
    turns = Turns(RUNS)
    turns.update([FREE])
    assert turns.rotate(PREMIUM) == PREMIUM
    assert turns.consume(1) == [FREE]
    turns.update([])
    assert turns.consume(0) == []
    assert turns.rotate(FREE) == FREE


# --- a consumer of the product's own broker settings, one message at a time ---


def put(connection, queue, count):
    with connection.Producer() as producer:
        for number in range(count):
            producer.publish(number, routing_key=queue, exchange="", serializer="json")


def take(connection, count):
    """What a worker with one place is given, in order; each is acknowledged when done, as our tasks are."""
    taken = []

    def work(_body, message):
        taken.append(message.delivery_info["routing_key"])
        message.ack()

    queues = [Queue(name, routing_key=name) for name in RUNS]
    with Consumer(connection, queues=queues, callbacks=[work], prefetch_count=1, accept=["json"]):
        while len(taken) < count:
            connection.drain_events(timeout=5)
    return taken


@pytest.fixture
def broker():
    """A connection as a worker makes it, to empty queues."""
    with current_app.connection_for_read() as connection:
        for name in RUNS:
            connection.default_channel.client.delete(name)
        yield connection
        for name in RUNS:
            connection.default_channel.client.delete(name)


def test_thirty_premium_that_come_after_thirty_free_overtake_them_and_free_keeps_its_share(broker):
    put(broker, FREE, 30)
    put(broker, PREMIUM, 30)
    taken = take(broker, 60)
    assert [Counter(taken[begin : begin + 9]) for begin in range(0, 45, 9)] == [Counter({PREMIUM: 6, FREE: 3})] * 5
    assert taken[45:] == [FREE] * 15


def test_with_nothing_but_free_waiting_free_gets_everything(broker):
    put(broker, FREE, 30)
    assert take(broker, 30) == [FREE] * 30


def test_batch_moves_under_full_load(broker):
    for name in RUNS:
        put(broker, name, 20)
    assert Counter(take(broker, 30)) == {PREMIUM: 18, FREE: 9, BATCH: 3}
