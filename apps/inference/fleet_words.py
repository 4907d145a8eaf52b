"""The fleet page in words: states, figures and money as staff read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import formats
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from apps.core import money
from apps.inference.operations import BackendState, QueueState

NOTHING = "–"
MINUTE_S = 60
GOOD, WARNING, BAD, IDLE = "good", "warning", "bad", "idle"


@dataclass(frozen=True)
class Card:
    """One back end on the page. `tone` is good, warning, bad or idle; `facts` are label and value."""

    state: BackendState
    word: str
    tone: str
    note: str
    facts: tuple[tuple[str, str], ...]


def periods() -> Mapping[str, str]:
    """What the figures may be of, by the word in the address."""
    return {"1h": _("Last hour"), "24h": _("Last day"), "7d": _("Last week")}


def describe(backend: BackendState, *, now: datetime) -> Card:
    """Say how a back end stands."""
    row, answered = backend.row, backend.answered
    word, tone, note = {
        "up": (_("Up"), GOOD, ""),
        "drained": (_("Drained"), IDLE, _("Gets no more answers to write; those it is writing go on.")),
        "resting": (_("Resting"), BAD, row.last_error),
        "trial": (_("On trial"), WARNING, _("Its rest is over; the next answer tries it.")),
        "unset": (_("Not set up"), IDLE, _("Its address or its key is missing.")),
    }[backend.state]
    if backend.state == "up" and row.last_ok_at is None and row.last_probe_at is None:
        note = _("Nobody asked it yet.")
    limit = backend.server.max_concurrency if backend.server else 0
    speed = answered.tokens_a_second
    facts = (
        (_("Writing now"), f"{backend.open_now} / {limit}" if limit else str(backend.open_now)),
        (_("Answers"), _count(answered.answers)),
        (_("Failed"), _count(answered.failed)),
        (_("First token, half within"), _ms(answered.first_token_ms)),
        (_("First token, 95 % within"), _ms(answered.first_token_p95_ms)),
        (_("Tokens a second"), NOTHING if speed is None else formats.number_format(round(speed, 1), 1)),
        (
            _("Model cost"),
            ", ".join(money.in_words(micro, currency) for currency, micro in sorted(backend.cost.items())) or NOTHING,
        ),
        (_("Calls that failed"), _trouble(backend.trouble)),
        (_("Last up"), _ago(row.last_ok_at, now=now)),
        (_("Asked whether it is up"), _probed(backend, now=now)),
        (_("Share"), str(backend.server.weight) if backend.server else NOTHING),
        (_("Models"), ", ".join(backend.models) or NOTHING),
    )
    return Card(backend, word, tone, note, facts)


def describe_queue(queue: QueueState, *, now: datetime) -> tuple[tuple[str, str], ...]:
    """Say how a queue stands."""
    names = {"runs.premium": _("Premium"), "runs.free": _("Free"), "runs.batch": _("Batches")}
    first = _("nobody waits") if queue.first_since is None else _since(queue.first_since, now=now)
    return (
        (_("Queue"), names[queue.name]),
        (_("Waiting for a worker"), _count(queue.waiting)),
        (_("First has waited"), first),
        (_("Held until an own answer ends"), _count(queue.held)),
    )


def _count(number: int) -> str:
    return formats.number_format(number, force_grouping=True)


def _ms(milliseconds: int | None) -> str:
    return NOTHING if milliseconds is None else f"{_count(milliseconds)} ms"


def _trouble(trouble: Mapping[str, int]) -> str:
    return ", ".join(f"{reason}: {_count(calls)}" for reason, calls in sorted(trouble.items())) or _("none")


def _ago(moment: datetime | None, *, now: datetime) -> str:
    return NOTHING if moment is None else _("%(time)s ago") % {"time": _since(moment, now=now)}


def _since(moment: datetime, *, now: datetime) -> str:
    """How long ago, and in seconds where it is less than a minute."""
    seconds = max(0, round((now - moment).total_seconds()))
    return timesince(moment, now) if seconds >= MINUTE_S else _("%(seconds)d s") % {"seconds": seconds}


def _probed(backend: BackendState, *, now: datetime) -> str:
    row = backend.row
    if row.last_probe_at is None:
        return NOTHING
    answer = _("no answer") if row.probe_ms is None else _ms(row.probe_ms)
    return f"{answer}, {_ago(row.last_probe_at, now=now)}"
