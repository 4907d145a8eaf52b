"""The tree of errors that rules raise; `core.answers` turns a leaf into what the caller understands.

CauserieError             code · status · a sentence that says what to do next
├─ Invalid          400   which field, and why
├─ Unauthenticated  401   who are you?
├─ PaymentNeeded    402   code · lifted_by: the plan or the credit that is missing
├─ NotAllowed       403   what would allow it
├─ Missing          404   also for what is not yours to see
├─ Conflict         409   what is true now
├─ TooLarge         413   how much is accepted
├─ LimitReached     429   code · limit · used · resets_at · lifted_by
└─ Unavailable      503   retry_after_s
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class CauserieError(Exception):
    """What a person may be told. `code` is stable and for machines, `sentence` says what to do next."""

    status = 500
    code = "internal_error"

    def __init__(self, sentence: str | Promise, *, code: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.headers: dict[str, str] = {}  # what an answer says beside its body, such as what is left of a minute
        if code is not None:
            self.code = code

    def details(self) -> dict[str, object]:
        """Further facts for the machine: only what may be shown."""
        return {}

    def retry_after_s(self, *, now: datetime) -> int | None:
        """Seconds after which asking again makes sense; None when waiting does not help."""
        return None


class Invalid(CauserieError):
    """The request makes no sense as it is: `field` says where."""

    status = 400
    code = "invalid"

    def __init__(self, sentence: str | Promise, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(sentence, code=code)
        self.field = field

    def details(self) -> dict[str, object]:
        return {"field": self.field} if self.field else {}


class Unauthenticated(CauserieError):
    """Nobody we know: no key, a wrong one, or one that ended."""

    status = 401
    code = "unauthenticated"


class NotAllowed(CauserieError):
    """Known, but not permitted; the sentence says what would allow it."""

    status = 403
    code = "not_allowed"


class Missing(CauserieError):
    """Not there, or not yours to see: the two look alike on purpose."""

    status = 404
    code = "not_found"


class Conflict(CauserieError):
    """Something else is true by now; the sentence says what."""

    status = 409
    code = "conflict"


class TooLarge(CauserieError):
    """More than is accepted in one piece."""

    status = 413
    code = "too_large"


class Unavailable(CauserieError):
    """Not now: a part of the house does not answer."""

    status = 503
    code = "unavailable"

    def __init__(self, sentence: str | Promise | None = None, *, code: str | None = None, wait_s: int = 5) -> None:
        super().__init__(sentence or _("Causerie cannot do this right now. Please try again in a moment."), code=code)
        self.wait_s = wait_s

    def retry_after_s(self, *, now: datetime) -> int | None:
        return self.wait_s


@dataclass(frozen=True)
class Refusal:
    """Why a limit said no: the same facts for the page, the API and the log.

    limit, used  in the meter's own unit;  meter  what is counted ("messages");
    resets_at    UTC, None when only a payment lifts it;
    lifted_by    key of the cheapest plan that would lift it, or "credit", or "spending_cap", or None;
    currency     of limit and used where money is counted (micro-units), else None.
    """

    code: str
    limit: int | None = None
    used: int | None = None
    resets_at: datetime | None = None
    lifted_by: str | None = None
    meter: str | None = None
    currency: str | None = None

    def facts(self) -> dict[str, object]:
        """As JSON-ready values; the currency only where there is one."""
        facts: dict[str, object] = {
            "limit": self.limit,
            "used": self.used,
            "resets_at": self.resets_at.isoformat().replace("+00:00", "Z") if self.resets_at else None,
            "lifted_by": self.lifted_by,
            "meter": self.meter,
        }
        return {**facts, "currency": self.currency} if self.currency else facts


class Refused(CauserieError):
    """A limit said no; `refusal` says which and until when."""

    def __init__(self, sentence: str | Promise, refusal: Refusal) -> None:
        super().__init__(sentence, code=refusal.code)
        self.refusal = refusal

    def details(self) -> dict[str, object]:
        return self.refusal.facts()

    def retry_after_s(self, *, now: datetime) -> int | None:
        if self.refusal.resets_at is None:
            return None
        return max(1, int((self.refusal.resets_at - now).total_seconds()) + 1)


class PaymentNeeded(Refused):
    """Only a plan or credit lifts this."""

    status = 402
    code = "payment_needed"


class LimitReached(Refused):
    """Time lifts this, or a plan with more room."""

    status = 429
    code = "limit_reached"
