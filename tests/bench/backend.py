"""A simulated back end: OpenAI's streaming protocol at a steady pace, each token carrying the instant it was sent.

Run as `python -m tests.bench.backend --port 9001 --tokens 200 --per-second 40`. A token's text is the
microsecond of the machine's monotonic clock at which it left: a reader on the same machine knows how long it took.
"""

import argparse
import asyncio
import time

import orjson
import uvloop
from aiohttp import web

MODELS = orjson.dumps({"object": "list", "data": [{"id": "SmolLM2-135M-Instruct", "object": "model"}]})


def chunk(content: str | None, *, finish: str | None = None, usage: dict | None = None) -> bytes:
    delta = {"content": content} if content else {}
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "bench",
        "choices": choices,
    }
    return b"data: " + orjson.dumps({**body, "usage": usage} if usage else body) + b"\n\n"


def stamp() -> str:
    return f"{time.monotonic_ns() // 1000} "


async def complete(request: web.Request) -> web.StreamResponse:
    pace, tokens = 1 / request.app["per_second"], request.app["tokens"]
    await request.read()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    due = time.monotonic()
    for _ in range(tokens):
        await response.write(chunk(stamp()))
        due += pace
        await asyncio.sleep(max(0, due - time.monotonic()))
    usage = {"prompt_tokens": 20, "completion_tokens": tokens, "total_tokens": tokens + 20}
    await response.write(chunk(None, finish="stop") + chunk(None, usage=usage) + b"data: [DONE]\n\n")
    return response


async def models(_request: web.Request) -> web.Response:
    return web.Response(body=MODELS, content_type="application/json")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--tokens", type=int, default=200)
    options.add_argument("--per-second", type=float, default=40)
    chosen = options.parse_args()
    app = web.Application()
    app["tokens"], app["per_second"] = chosen.tokens, chosen.per_second
    app.add_routes([web.post("/v1/chat/completions", complete), web.get("/v1/models", models)])
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=chosen.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
