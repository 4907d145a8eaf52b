"""apps/inference/slots.py: a server writes as many answers at once as it may, whoever asks."""

import asyncio
import socket
import time
from dataclasses import replace
from uuid import UUID

import pytest

from apps.inference import relay
from apps.inference.calls import Server
from apps.inference.slots import Slots

RUNS = [UUID(int=number) for number in range(5)]


def server(key, most=2):
    return Server(key, "openai", "http://127.0.0.1:9", "", "m", max_concurrency=most)


def between_two_workers(scenario):
    async def play():
        one, other = Slots(), Slots()
        try:
            return await scenario(one, other)
        finally:
            await one.close()
            await other.close()

    return asyncio.run(play())


def test_two_workers_share_the_places_of_a_server():
    full = server("shared")

    async def scenario(one, other):
        had = [await one.take(full, RUNS[0]), await other.take(full, RUNS[1]), await one.take(full, RUNS[2])]
        await other.give_back(full, RUNS[1])
        return [*had, await one.take(full, RUNS[2])]

    assert between_two_workers(scenario) == [True, True, False, True]


def test_many_at_once_never_get_more_places_than_there_are():
    full = server("crowded", most=7)

    async def scenario(one, other):
        wanted = ((slots, UUID(int=number)) for number, slots in enumerate([one, other] * 20))
        return await asyncio.gather(*(slots.take(full, run) for slots, run in wanted))

    assert sum(between_two_workers(scenario)) == 7


def test_who_has_a_place_is_not_refused_it():
    full = server("mine", most=1)

    async def scenario(one, other):
        return [await one.take(full, RUNS[0]), await other.take(full, RUNS[0])]

    assert between_two_workers(scenario) == [True, True]


def test_a_server_without_a_limit_always_has_room():
    endless = replace(server("endless"), max_concurrency=0)

    async def scenario(one, _other):
        return [await one.take(endless, run) for run in RUNS]

    assert all(between_two_workers(scenario))


def test_a_place_that_nobody_prolongs_is_free_again(monkeypatch):
    monkeypatch.setattr("apps.inference.slots.HELD_MS", 60)
    full = server("forgotten", most=1)

    async def scenario(one, other):
        had = [await one.take(full, RUNS[0])]
        for _ in range(4):
            await asyncio.sleep(0.03)
            await one.keep()
        had.append(await other.take(full, RUNS[1]))
        await asyncio.sleep(0.1)
        return [*had, await other.take(full, RUNS[1])]

    assert between_two_workers(scenario) == [True, False, True]


@pytest.mark.usefixtures("no_valkey")
def test_without_valkey_each_worker_keeps_to_the_limit_by_itself():
    full = server("alone", most=2)

    async def scenario(one, other):
        return [await one.take(full, run) for run in RUNS[:3]] + [await other.take(full, RUNS[3])]

    assert between_two_workers(scenario) == [True, True, False, True]


def test_a_valkey_that_hangs_holds_no_answer_up(settings, monkeypatch):
    monkeypatch.setattr(relay, "TIMEOUT_S", 0.1)
    full = server("hanging", most=1)

    async def scenario(one, _other):
        had = await one.take(full, RUNS[0])
        await one.keep()
        await one.give_back(full, RUNS[0])
        return had

    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.VALKEY_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began = time.monotonic()
        assert between_two_workers(scenario)
    assert time.monotonic() - began < 5


@pytest.fixture
def no_valkey(settings):
    settings.VALKEY_URL = "redis://127.0.0.1:9/0"
