"""A scripted server that speaks OpenAI's protocol: it answers what a test told it to, and remembers what it was asked.

In a test:      provider.answer("Hel", "lo", usage=(12, 2)); provider.refuse(429, retry_after_s=1); provider.hang()
Step by step:   gate = provider.gate(); provider.answer("one", gate, "two"); gate.wait_reached(); …; gate.open()
By itself:      python -m tests.support.provider --port 9001 --tokens-per-second 40 --tokens 200
An answer that was not scripted is GREETING, word by word, with its usage.
"""

import argparse
import asyncio
import socket
import threading
from collections import deque
from dataclasses import dataclass, field

import orjson
from aiohttp import web

GREETING = ("Hello! ", "This ", "is ", "a ", "scripted ", "answer.")
GREETING_TEXT = "".join(GREETING)
PATIENCE_S = 10.0


class Gate:
    """A place in an answer where the server waits until the test opens it."""

    def __init__(self) -> None:
        self.reached, self._opened = threading.Event(), threading.Event()

    def wait_reached(self) -> None:
        assert self.reached.wait(PATIENCE_S), "the provider never came to this gate"

    def open(self) -> None:
        self._opened.set()

    async def pass_through(self) -> None:
        self.reached.set()
        while not self._opened.is_set():  # noqa: ASYNC110 the test opens it from another thread
            await asyncio.sleep(0.002)


class Drop:
    """The connection breaks here."""


@dataclass(frozen=True)
class Pause:
    """Seconds of silence; prefer a gate."""

    seconds: float


@dataclass(frozen=True)
class Reasoning:
    """A piece of the model's thinking."""

    text: str


Usage = tuple[int, int] | dict | list | str
Step = str | bytes | Gate | Drop | Pause | Reasoning  # text, raw bytes as they are, …


@dataclass(frozen=True)
class Answer:
    """What the server does for one request.

    usage   (input, output) tokens; anything else is sent as it is; None when it reports none.
    """

    steps: tuple[Step, ...] = GREETING
    usage: Usage | None = (10, len(GREETING))
    finish: str | None = "stop"
    is_done: bool = True
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    path: str
    body: dict
    headers: dict[str, str]


@dataclass
class Provider:
    """The server in a thread of its own; `url` is what a setting such as MODEL_BASE_URL takes."""

    port: int = 0
    default: Answer = field(default_factory=Answer)
    requests: list[Seen] = field(default_factory=list)
    broken_off: list[Seen] = field(default_factory=list)  # requests whose client went away before the end
    most_at_once: int = 0  # answers it was writing in the same moment
    _writing: int = 0
    _script: deque[Answer] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="provider", daemon=True)
        self._ready = threading.Event()

    # --- the script ---
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(
        self, *steps: Step, usage: Usage | None = (10, 5), finish: str | None = "stop", is_done: bool = True
    ) -> None:
        self._script.append(Answer(steps=steps, usage=usage, finish=finish, is_done=is_done))

    def refuse(self, status: int, message: str = "refused by script", *, retry_after_s: int | None = None) -> None:
        headers = (("Retry-After", str(retry_after_s)),) if retry_after_s is not None else ()
        self._script.append(Answer(status=status, headers=headers, error=message))

    def hang(self) -> Gate:
        """Accept the request and say nothing until the gate is opened; then answer the greeting."""
        gate = Gate()
        self._script.append(Answer(steps=(gate, *GREETING)))
        return gate

    def gate(self) -> Gate:
        return Gate()

    def reset(self) -> None:
        self._script.clear()
        self.requests.clear()
        self.broken_off.clear()
        self.most_at_once = 0

    # --- the server ---
    def start(self) -> "Provider":
        self._thread.start()
        assert self._ready.wait(PATIENCE_S), "the provider did not start"
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self.open())
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def open(self) -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.post("/v1/chat/completions", self._complete), web.get("/v1/models", self._list_models)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        await web.SockSite(runner, listener).start()
        return runner

    async def _list_models(self, _request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "SmolLM2-135M-Instruct", "object": "model"}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(request.path, orjson.loads(await request.read()), dict(request.headers))
        self.requests.append(seen)
        script = self._script.popleft() if self._script else self.default
        if script.status != 200:
            body = {"error": {"message": script.error, "type": "scripted", "code": None}}
            return web.json_response(body, status=script.status, headers=dict(script.headers))
        self._writing += 1
        self.most_at_once = max(self.most_at_once, self._writing)
        try:
            return await self._stream(request, script, seen.body.get("model", ""))
        except (ConnectionResetError, asyncio.CancelledError):
            self.broken_off.append(seen)
            raise
        finally:
            self._writing -= 1

    async def _stream(self, request: web.Request, script: Answer, model: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        if script.steps and isinstance(script.steps[0], Gate):  # a server that hangs sends no headers either
            await script.steps[0].pass_through()
        await response.prepare(request)
        for step in script.steps:
            if isinstance(step, Drop):
                assert request.transport is not None
                request.transport.abort()
                return response
            await self._perform(response, step, model)
        if script.finish:
            await response.write(frame(model, finish=script.finish))
        if script.usage:
            await response.write(frame(model, usage=script.usage))
        if script.is_done:
            await response.write(b"data: [DONE]\n\n")
        return response

    async def _perform(self, response: web.StreamResponse, step: Step, model: str) -> None:
        match step:
            case str():
                await response.write(frame(model, {"content": step}))
            case bytes():
                await response.write(step)
            case Reasoning():
                await response.write(frame(model, {"reasoning_content": step.text}))
            case Gate():
                await step.pass_through()
            case Pause():
                await asyncio.sleep(step.seconds)


def frame(
    model: str,
    delta: dict | None = None,
    *,
    finish: str | None = None,
    usage: Usage | None = None,
) -> bytes:
    """One chunk as OpenAI frames it; the usage comes in a chunk without choices, unless it comes with a delta."""
    head = {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 0, "model": model}
    told = {} if usage is None else {"usage": counted(usage) if isinstance(usage, tuple) else usage}
    is_last = told and delta is None and finish is None
    choices = [] if is_last else [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    return b"data: " + orjson.dumps({**head, "choices": choices, **told}) + b"\n\n"


def counted(usage: tuple[int, int]) -> dict[str, int]:
    return {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}


def paced(tokens: int, per_second: float) -> Answer:
    """An answer of equal words at a steady pace."""
    steps = tuple(step for number in range(tokens) for step in (Pause(1 / per_second), f"word{number} "))
    return Answer(steps=steps, usage=(10, tokens))


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--tokens", type=int, default=200)
    options.add_argument("--tokens-per-second", type=float, default=40)
    chosen = options.parse_args()

    async def serve() -> None:
        await Provider(port=chosen.port, default=paced(chosen.tokens, chosen.tokens_per_second)).open()
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
