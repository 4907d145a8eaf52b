"""Asks many questions at once, the way a browser does, and keeps what arrived when."""

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp
import orjson

LONGEST_ANSWER_S = 120


@dataclass
class Answer:
    """One answer as its reader saw it. Instants in microseconds of the monotonic clock."""

    asked_us: int
    first_token_us: int | None = None
    sent_us: list[int] = field(default_factory=list)  # when each token left the back end
    lags_us: list[int] = field(default_factory=list)  # how long each was under way
    ended_us: int | None = None
    end: str = "never"

    @property
    def first_token_added_ms(self) -> float:
        """From the question to the first token; the back end answers at once, so all of it is ours."""
        return (self.first_token_us - self.asked_us) / 1000 if self.first_token_us else float("inf")


def now_us() -> int:
    return time.monotonic_ns() // 1000


def note_tokens(answer: Answer, text: str) -> None:
    arrived = now_us()
    answer.first_token_us = answer.first_token_us or arrived
    for token in text.split():
        answer.sent_us.append(int(token))
        answer.lags_us.append(arrived - int(token))


async def read_events(answer: Answer, content: aiohttp.StreamReader) -> None:
    event = ""
    async for line in content:
        if line.startswith(b"event:"):
            event = line[6:].strip().decode()
        elif line.startswith(b"data:") and event == "run.delta":
            note_tokens(answer, orjson.loads(line[5:])["text"])
        elif line.startswith(b"data:") and event == "run.snapshot":
            answer.end = "snapshot"
            note_tokens(answer, orjson.loads(line[5:])["text"])
        elif line.startswith(b"data:") and event in ("run.finished", "run.failed", "run.stopped"):
            answer.end, answer.ended_us = event, now_us()
            return


async def ask(session: aiohttp.ClientSession, base: str, cookie: str) -> Answer:
    """Send one message as one person and follow its answer to the end."""
    headers = {"Cookie": f"sessionid={cookie}; csrftoken={'a' * 32}", "X-CSRFToken": "a" * 32, "Referer": base}
    answer = Answer(asked_us=now_us())
    body = {"conversation_id": None, "parent_id": None, "text": "Count for me.", "model": None}
    async with session.post(f"{base}/api/v1/messages", json=body, headers=headers) as response:
        sent = await response.json()
        if response.status != 201:
            answer.end = f"http {response.status}"
            return answer
    async with session.get(base + sent["reply"]["run"]["events_url"], headers=headers) as response:
        await read_events(answer, response.content)
    return answer


async def ask_directly(session: aiohttp.ClientSession, backend: str) -> Answer:
    """The same answer read straight from the back end: what the product is compared with."""
    answer = Answer(asked_us=now_us())
    async with session.post(f"{backend}/chat/completions", json={"stream": True}) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                choices = orjson.loads(line[6:])["choices"]
                note_tokens(answer, (choices[0]["delta"].get("content") or "") if choices else "")
    answer.end, answer.ended_us = "run.finished", now_us()
    return answer


async def ask_all(base: str, cookies: list[str], *, spread_s: float) -> list[Answer]:
    """One question per cookie, spread evenly over `spread_s`, all answers at once after that."""
    async with _session() as session:

        async def later(place: int, cookie: str) -> Answer:
            await asyncio.sleep(spread_s * place / len(cookies))
            return await ask(session, base, cookie)

        return list(await asyncio.gather(*(later(place, cookie) for place, cookie in enumerate(cookies))))


async def ask_all_directly(backend: str, count: int) -> list[Answer]:
    async with _session() as session:
        return list(await asyncio.gather(*(ask_directly(session, backend) for _ in range(count))))


def _session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=LONGEST_ANSWER_S)
    return aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
