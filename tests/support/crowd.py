"""Many people who ask at once and follow their answers as the chat page does, coming back when a connection breaks."""

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp
import orjson

TERMINAL = ("run.finished", "run.stopped", "run.failed")
BACK_AFTER_S = 0.3
LONGEST_S = 60


@dataclass
class Reading:
    """One answer as its reader has it. `ids` are those of the events that came; a repeat would stand there twice."""

    run_id: str = ""
    text: str = ""
    end: str = ""
    ids: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    first_text_s: float = 0.0
    connections: int = 0
    began: float = field(default_factory=time.monotonic)

    def take(self, kind: str, event_id: str | None, data: dict) -> None:
        self.kinds.append(kind)
        if event_id:
            self.ids.append(event_id)
        if kind == "run.delta":
            self.text += data["text"]
            self.first_text_s = self.first_text_s or time.monotonic() - self.began
        elif kind == "run.snapshot":
            self.text = data["text"]
        elif kind == "run.restarted":
            self.text = ""
        elif kind in TERMINAL:
            self.end = kind


@dataclass
class Crowd:
    """People of one product by their session keys."""

    base: str
    cookies: list[str]
    readings: list[Reading] = field(default_factory=list)
    asked: int = 0

    async def ask_and_follow(self, *, slow: int = 0) -> list[Reading]:
        """Everybody asks one question; give what each read. The first `slow` of them read three events a second."""
        self.readings = [Reading() for _ in self.cookies]
        timeout = aiohttp.ClientTimeout(total=None, sock_read=20)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
            async with asyncio.timeout(LONGEST_S):
                await asyncio.gather(
                    *(
                        self._one(session, cookie, reading, pause_s=0.3 if place < slow else 0)
                        for place, (cookie, reading) in enumerate(zip(self.cookies, self.readings, strict=True))
                    )
                )
        return self.readings

    @property
    def share_told(self) -> float:
        """How many words came in all, for each reader."""
        return sum(len(reading.text.split()) for reading in self.readings) / len(self.readings)

    async def _one(self, session: aiohttp.ClientSession, cookie: str, reading: Reading, *, pause_s: float) -> None:
        headers = {"Cookie": f"sessionid={cookie}; csrftoken={'a' * 32}", "X-CSRFToken": "a" * 32, "Referer": self.base}
        body = {"conversation_id": None, "parent_id": None, "text": "Tell me the story.", "model": None}
        reading.began = time.monotonic()
        async with session.post(f"{self.base}/api/v1/messages", json=body, headers=headers) as response:
            sent = await response.json()
            assert response.status == 201, sent
        self.asked += 1
        run = sent["reply"]["run"]
        reading.run_id = run["id"]
        while not reading.end:
            try:
                await self._read(session, run["events_url"], headers, reading, pause_s)
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                await asyncio.sleep(BACK_AFTER_S)

    async def _read(
        self, session: aiohttp.ClientSession, url: str, headers: dict, reading: Reading, pause_s: float
    ) -> None:
        resumed = {**headers, "Last-Event-ID": reading.ids[-1]} if reading.ids else headers
        reading.connections += 1
        async with session.get(self.base + url, headers=resumed) as response:
            response.raise_for_status()
            event: dict[str, str] = {}
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif "event" in event:
                    reading.take(event["event"], event.get("id"), orjson.loads(event["data"]))
                    event = {}
                    if reading.end:
                        return
                    await asyncio.sleep(pause_s)
