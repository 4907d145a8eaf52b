"""A back end that tells the same story to everybody, at a steady pace, and goes on where an earlier answer broke off.

`python -m tests.support.teller --port 9001 --words 100 --per-second 20`. The story is `story(words)`.
"""

import argparse
import asyncio

import orjson
from aiohttp import web

from tests.support.provider import frame


def story(words: int) -> str:
    return " ".join(f"word{number}" for number in range(words)) + "."


def rest_of(whole: str, messages: list[dict]) -> str:
    """What is still to be told: all of it, or what follows the words that were put into the model's mouth."""
    last = messages[-1]
    begun = last["content"] if last["role"] == "assistant" else ""
    assert whole.startswith(begun), f"never said: {begun[-40:]}"
    return whole[len(begun) :]


async def complete(request: web.Request) -> web.StreamResponse:
    asked = orjson.loads(await request.read())
    rest = rest_of(story(request.app["words"]), asked["messages"])
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    pieces = [f" {word}" for word in rest.split(" ")]
    pieces[0] = pieces[0][1:]
    for piece in pieces:
        await response.write(frame(asked["model"], {"content": piece}))
        await asyncio.sleep(1 / request.app["per_second"])
    usage = (20, len(pieces))
    await response.write(
        frame(asked["model"], finish="stop") + frame(asked["model"], usage=usage) + b"data: [DONE]\n\n"
    )
    return response


async def list_models(_request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "SmolLM2-135M-Instruct", "object": "model"}]})


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--words", type=int, required=True)
    options.add_argument("--per-second", type=float, required=True)
    chosen = options.parse_args()
    app = web.Application()
    app["words"], app["per_second"] = chosen.words, chosen.per_second
    app.add_routes([web.post("/v1/chat/completions", complete), web.get("/v1/models", list_models)])
    web.run_app(app, host="127.0.0.1", port=chosen.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
