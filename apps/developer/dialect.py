"""OpenAI's requests, read strictly: what we cannot do is refused by name, nothing is guessed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Invalid, TooLarge

BODY_LIMIT_BYTES = 1024 * 1024
MOST_STOPS = 4
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}

# OpenAI defines these, we do not do them yet: each may be sent with a value that asks for nothing.
UNSUPPORTED: dict[str, tuple[object, ...]] = {
    "audio": (),
    "frequency_penalty": (0,),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "metadata": ({},),
    "modalities": (["text"],),
    "parallel_tool_calls": (True, False),
    "prediction": (),
    "presence_penalty": (0,),
    "prompt_cache_key": (),
    "prompt_cache_retention": (),
    "reasoning_effort": (),
    "response_format": ({"type": "text"},),
    "safety_identifier": (),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
    "web_search_options": (),
}
SUPPORTED = frozenset(
    {
        "model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens",
        "max_completion_tokens", "stop", "n", "seed", "user",
    }
)  # fmt: skip


@dataclass(frozen=True)
class ChatRequest:
    """A request for a chat completion that makes sense; None means: the model's own default."""

    model: str
    messages: tuple[dict[str, str], ...]
    is_stream: bool = False
    has_usage_chunk: bool = False
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For `Run.request`."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ChatRequest":
        return cls(**{**stored, "messages": tuple(stored["messages"]), "stop": tuple(stored["stop"])})


def read_request(body: bytes) -> ChatRequest:
    """Turn a body into a request.

    Raises  TooLarge: beyond 1 MiB;  Invalid: `field` is the parameter, as OpenAI's `param`.
    """
    if len(body) > BODY_LIMIT_BYTES:
        raise TooLarge(_("The request is larger than 1 MiB."))
    given = _object(body)
    _refuse_unsupported(given)
    if _number(given, "n", least=1, most=128, whole=True) not in (None, 1):
        raise _invalid("n", _("Only one choice is made: n must be 1."), code="unsupported_value")
    is_stream = _flag(given, "stream")
    return ChatRequest(
        model=_text(given, "model"),
        messages=_messages(given.get("messages")),
        is_stream=is_stream,
        has_usage_chunk=_has_usage_chunk(given.get("stream_options"), is_stream=is_stream),
        temperature=_number(given, "temperature", least=0, most=2),
        top_p=_number(given, "top_p", least=0, most=1),
        max_tokens=_max_tokens(given),
        stop=_stops(given.get("stop")),
        seed=_whole(_number(given, "seed", least=-(2**63), most=2**63 - 1, whole=True)),
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(_("The body is not valid JSON."), code="invalid_json") from error
    if not isinstance(given, dict):
        raise Invalid(_("The body must be a JSON object."), code="invalid_json")
    return {name: value for name, value in given.items() if value is not None}


def _refuse_unsupported(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name in UNSUPPORTED:
            if not any(value == harmless and type(value) is type(harmless) for harmless in UNSUPPORTED[name]):
                sentence = _("The parameter “%(name)s” is not supported here yet.") % {"name": name}
                raise _invalid(name, sentence, code="unsupported_parameter")
        elif name not in SUPPORTED:
            sentence = _("The parameter “%(name)s” is not known.") % {"name": name[:80]}
            raise _invalid(name[:80], sentence, code="unknown_parameter")
    if "user" in given:
        _text(given, "user")


def _messages(given: object) -> tuple[dict[str, str], ...]:
    if not isinstance(given, list) or not given:
        raise _invalid("messages", _("messages must be a list with at least one message."))
    return tuple(_message(message, f"messages[{index}]") for index, message in enumerate(given))


def _message(given: object, where: str) -> dict[str, str]:
    if not isinstance(given, dict):
        raise _invalid(where, _("Each message must be an object with role and content."))
    role = given.get("role")
    if not isinstance(role, str) or role not in ROLES:
        sentence = _("role must be one of: %(roles)s.") % {"roles": ", ".join(ROLES)}
        raise _invalid(f"{where}.role", sentence, code="invalid_value")
    for name, value in given.items():
        if name not in ("role", "content", "name") and value not in (None, [], ""):
            sentence = _("“%(name)s” in a message is not supported here yet.") % {"name": name[:80]}
            raise _invalid(f"{where}.{name[:80]}", sentence, code="unsupported_parameter")
    return {"role": ROLES[role], "content": _content(given.get("content"), f"{where}.content")}


def _content(given: object, where: str) -> str:
    if isinstance(given, str):
        return _storable(given, where)
    if not isinstance(given, list) or not given:
        raise _invalid(where, _("content must be text, or a list of text parts."))
    texts = []
    for index, part in enumerate(given):
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            sentence = _("Only text parts are supported here yet: {“type”: “text”, “text”: …}.")
            raise _invalid(f"{where}[{index}]", sentence, code="unsupported_value")
        texts.append(_storable(part["text"], f"{where}[{index}]"))
    return "\n".join(texts)


def _has_usage_chunk(given: object, *, is_stream: bool) -> bool:
    if given is None:
        return False
    if not is_stream:
        raise _invalid("stream_options", _("stream_options is only allowed when stream is true."))
    if not isinstance(given, dict):
        raise _invalid("stream_options", _("stream_options must be an object."))
    for name, value in given.items():
        if name != "include_usage" and not (name == "include_obfuscation" and not value):
            sentence = _("“%(name)s” is not supported here yet.") % {"name": name[:80]}
            raise _invalid(f"stream_options.{name[:80]}", sentence, code="unsupported_parameter")
    wanted = given.get("include_usage")
    if wanted not in (None, True, False):
        raise _invalid("stream_options.include_usage", _("include_usage must be true or false."))
    return bool(wanted)


def _max_tokens(given: Mapping[str, Any]) -> int | None:
    new = _whole(_number(given, "max_completion_tokens", least=1, most=2**31, whole=True))
    old = _whole(_number(given, "max_tokens", least=1, most=2**31, whole=True))
    if new is not None and old is not None and new != old:
        raise _invalid("max_tokens", _("Give max_completion_tokens or max_tokens, not both."))
    return new if new is not None else old


def _stops(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    stops = [given] if isinstance(given, str) else given
    if not isinstance(stops, list) or len(stops) > MOST_STOPS or not all(isinstance(s, str) and s for s in stops):
        raise _invalid("stop", _("stop must be a text, or a list of at most 4 texts."))
    return tuple(_storable(stop, "stop") for stop in stops)


def _storable(text: str, where: str) -> str:
    if "\x00" in text:  # no database column takes it
        raise _invalid(where, _("A text cannot contain the character NUL."))
    return text


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise _invalid(name, _("%(name)s must be a text.") % {"name": name})
    return value


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise _invalid(name, _("%(name)s must be true or false.") % {"name": name})
    return value


def _number(given: Mapping[str, Any], name: str, *, least: int, most: int, whole: bool = False) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        kind = _("a whole number") if whole else _("a number")
        sentence = _("%(name)s must be %(kind)s from %(least)s to %(most)s.")
        raise _invalid(name, sentence % {"name": name, "kind": kind, "least": least, "most": most})
    return value


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _invalid(field: str, sentence: object, *, code: str = "invalid_value") -> Invalid:
    return Invalid(str(sentence), field=field, code=code)
