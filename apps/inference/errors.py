"""What a person is told when an answer does not come, by the run's error code."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.core.errors import CauserieError, Missing, NotAllowed, TooLarge, Unavailable
from apps.usage import errors as usage_errors

LIMIT_CODES = frozenset(
    {
        usage_errors.LIMIT_REACHED,
        usage_errors.TOO_MANY_AT_ONCE,
        usage_errors.NOT_INCLUDED,
        usage_errors.CREDIT_SPENT,
        usage_errors.SPENDING_CAP,
        usage_errors.KEY_CAP,
    }
)
MODEL_UNAVAILABLE = "model_unavailable"
BUSY = "overloaded"
CUT_OFF = "answer_cut_off"
REFUSED = "request_refused"
TIMED_OUT = "timed_out"
WORKER_LOST = "worker_lost"
INTERNAL = "internal_error"
TOO_LONG = "context_too_long"
RETRY_HELPS = frozenset(
    {MODEL_UNAVAILABLE, BUSY, CUT_OFF, TIMED_OUT, WORKER_LOST, INTERNAL, usage_errors.TOO_MANY_AT_ONCE}
)


class ModelMissing(Missing):
    """The catalogue has no such model, or nothing that is set up serves it."""

    code = "model_not_found"

    def __init__(self) -> None:
        super().__init__(_("There is no such model here. Choose another one."))


class BackendMissing(Missing):
    """The catalogue has no such back end."""

    def __init__(self) -> None:
        super().__init__(_("There is no such back end."))


class ModelUnpriced(Unavailable):
    """The catalogue does not say what the model costs: it is never called."""

    def __init__(self) -> None:
        super().__init__(_("This model has no price yet, so it cannot be used."), code="model_unpriced", wait_s=3600)


class ModelNotOffered(NotAllowed):
    """The model exists, but not through this door."""

    code = "model_not_offered"

    def __init__(self) -> None:
        super().__init__(_("This model is not offered here. Choose another one."))


class RequestTooLong(TooLarge):
    """The question alone is longer than what the plan and the model can read."""

    def __init__(self) -> None:
        super().__init__(_("This is longer than the model can read at once. Shorten it, please."), code=TOO_LONG)


class LeaseLost(Exception):
    """Another worker has the run by now: what this one made must not be stored."""


def refusal_of(code: str, refusal: Mapping[str, Any] | None) -> Mapping[str, Any]:  # Any: JSON
    """The facts of the limit that ended a run; nothing, when it ended for another reason."""
    return refusal or {} if code in LIMIT_CODES else {}


def explain(code: str, refusal: Mapping[str, object] | None) -> str:
    """The sentence for a run that failed, in the language that is active."""
    if code in LIMIT_CODES:
        return usage_errors.explain(code, refusal)
    sentences = {
        MODEL_UNAVAILABLE: _("The model does not answer right now. Please try again in a moment."),
        BUSY: _("Too many people are asking at once, so this would wait too long. Please try again in a few minutes."),
        CUT_OFF: _("The answer broke off. What came is kept; you can try again."),
        REFUSED: _("The model could not accept this request. Try it in other words, or shorter."),
        TIMED_OUT: _("The answer took too long and was ended. What came is kept."),
        WORKER_LOST: _("The answer was interrupted on our side. What came is kept; please try again."),
        TOO_LONG: _("This is longer than the model can read at once. Shorten it, please."),
        "model_not_found": _("There is no such model here. Choose another one."),
        "model_not_offered": _("This model is not offered here. Choose another one."),
        "model_unpriced": _("This model has no price yet, so it cannot be used."),
    }
    return sentences.get(code) or _("Something went wrong on our side. Please try again.")


def code_of(error: CauserieError) -> str:
    """What a run stores of a refusal."""
    return error.code[:40]
