"""What a plan gives and costs, as values: stated by the catalogue, kept by a snapshot for those who bought it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from apps.billing.meters import Meter

INTERVALS = ("month", "year")
MODES = ("freemium", "paid_only", "internal")
FEATURES = ("priority", "longer_answers", "most_messages")
ATTACHABLE = ("image", "pdf", "text")
COLLECTIONS = ("always", "if_required")
QUEUES = ("runs.free", "runs.premium", "runs.batch")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
MINOR = 100  # minor units in one of each currency on sale
WINDOW = re.compile(r"([1-9][0-9]{0,3})([mhd])")


def window_of(text: str) -> timedelta | None:
    """Read “3h”, “7d” or “90m”; None when it is none of these."""
    found = WINDOW.fullmatch(text)
    return UNITS[found[2]] * int(found[1]) if found else None


@dataclass(frozen=True)
class Limit:
    """How much of one meter a plan gives.

    models   () means every model.   amount  in the meter's unit; None = no limit, 0 = not included.
    window   opens at first use; None only for the number of answers at once.
    """

    meter: Meter
    models: tuple[str, ...]
    amount: int | None
    window: timedelta | None
    window_text: str
    when_spent: str  # "refuse" or "fallback"
    fallback_model: str | None = None

    @property
    def key(self) -> str:
        """What names a bucket of this limit: meter, models and window."""
        return f"{self.meter}:{'+'.join(self.models) or '*'}:{self.window_text}"

    def covers(self, meter: Meter, model: str) -> bool:
        """Whether using this meter with this model counts here."""
        return self.meter == meter and (not self.models or model in self.models)

    def as_json(self) -> dict[str, object]:
        """As values that a JSON column takes."""
        return {
            "meter": str(self.meter),
            "models": list(self.models),
            "amount": self.amount,
            "window": self.window_text,
            "when_spent": self.when_spent,
            "fallback_model": self.fallback_model,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Limit":  # Any: JSON that `as_json` wrote
        """Read back what `as_json` wrote."""
        return cls(
            meter=Meter(raw["meter"]),
            models=tuple(raw["models"]),
            amount=raw["amount"],
            window=window_of(raw["window"]),
            window_text=raw["window"],
            when_spent=raw["when_spent"],
            fallback_model=raw["fallback_model"],
        )


@dataclass(frozen=True)
class Attachments:
    """What may be attached to one message: at most `count` files, each of at most `megabytes`. 0 files: none."""

    count: int = 0
    megabytes: int = 0
    types: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """As values that a JSON column takes."""
        return {"count": self.count, "megabytes": self.megabytes, "types": list(self.types)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Attachments":  # Any: JSON that `as_json` wrote
        """Read back what `as_json` wrote."""
        return cls(count=raw["count"], megabytes=raw["megabytes"], types=tuple(raw["types"]))


NO_ATTACHMENTS = Attachments()


@dataclass(frozen=True)
class PlanTerms:
    """One plan. `prices`: (interval, currency) → minor units; empty for a plan that is not sold."""

    key: str
    name: str
    rank: int  # higher is more
    models: tuple[str, ...]
    queue: str
    concurrency: int
    context_tokens: int
    output_tokens: int
    api_requests_per_minute: int
    api_tokens_per_minute: int
    features: tuple[str, ...]
    limits: tuple[Limit, ...]
    prices: Mapping[tuple[str, str], int] = field(default_factory=dict)
    trial_days: int = 0
    attachments: Attachments = NO_ATTACHMENTS

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        """As values that a JSON column takes."""
        prices: dict[str, dict[str, int]] = {}
        for (interval, currency), amount in self.prices.items():
            prices.setdefault(interval, {})[currency] = amount
        plain = {name: _plain(getattr(self, name)) for name in PLAIN_FIELDS}
        return plain | {
            "limits": [limit.as_json() for limit in self.limits],
            "prices": prices,
            "attachments": self.attachments.as_json(),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "PlanTerms":  # Any: JSON that `as_json` wrote
        """Read back what `as_json` wrote, also before plans spoke of attachments."""
        plain: dict[str, Any] = {name: tuple(v) if isinstance(v := raw[name], list) else v for name in PLAIN_FIELDS}
        prices = {(i, c): amount for i, by_currency in raw["prices"].items() for c, amount in by_currency.items()}
        return cls(
            **plain,
            limits=tuple(Limit.from_json(limit) for limit in raw["limits"]),
            prices=prices,
            attachments=Attachments.from_json(raw["attachments"]) if "attachments" in raw else NO_ATTACHMENTS,
        )

    def digest(self) -> str:
        """A name for exactly these terms: equal terms, equal digest."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def without_access(self) -> "PlanTerms":
        """The same plan without models: what people have before they pay. Credit they bought still works."""
        return replace(self, models=(), limits=(), features=())


PLAIN_FIELDS = (
    "key", "name", "rank", "models", "queue", "concurrency", "context_tokens", "output_tokens",
    "api_requests_per_minute", "api_tokens_per_minute", "features", "trial_days",
)  # fmt: skip


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class CreditOffer:
    """What of credit can be bought in one currency: amounts to choose from, and how little or much at a time."""

    amounts_minor: tuple[int, ...]
    least_minor: int
    most_minor: int

    def allows(self, amount_minor: int) -> bool:
        """Whether so much is sold at a time: within the bounds, and whole units of the currency."""
        return self.least_minor <= amount_minor <= self.most_minor and amount_minor % MINOR == 0


@dataclass(frozen=True)
class DeveloperTerms:
    """What the API sells apart from subscriptions: calls are paid from credit, or at the end of the month.

    plan                  its models, and how fast and how many at once; without prices and without limits of its own.
    starter_credit_micro  currency → micro-units, given once.
    credit                currency → what is sold; empty: credit is not sold.
    most_usage_micro      currency → the highest monthly cap of usage charges a person may set; empty: not offered.
    """

    plan: PlanTerms
    starter_credit_micro: Mapping[str, int]
    credit: Mapping[str, CreditOffer] = field(default_factory=dict)
    most_usage_micro: Mapping[str, int] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """What may be called and paid from credit."""
        return self.plan.models


@dataclass(frozen=True)
class CheckoutTerms:
    """How people buy. `payment_method_collection`: Stripe's word for whether a trial asks for a card."""

    allow_promotion_codes: bool = True
    payment_method_collection: str = "always"


@dataclass(frozen=True)
class Catalogue:
    """The whole offer. `models` and `backends` are raw tables, checked here and read by `inference`."""

    mode: str
    default_plan: str
    guest_plan: str  # for people without an account
    currencies: tuple[str, ...]  # the first is the reporting currency
    grace_days: int
    moves_subscribers: bool  # whether new terms of a plan reach those who have it already
    moves_prices: bool  # whether those who pay an old price pay the new one from their next renewal on
    policy: Mapping[str, str]  # subscription status → "plan", "grace" or "default"
    plans: Mapping[str, PlanTerms]
    developer: DeveloperTerms
    checkout: CheckoutTerms
    models: Mapping[str, Mapping[str, Any]]  # Any: TOML
    backends: Mapping[str, Mapping[str, Any]]  # Any: TOML

    @property
    def sells(self) -> bool:
        """Whether anything can be bought."""
        return self.mode != "internal"

    @property
    def never_held(self) -> tuple[str, str]:
        """Plans that no account is ever on, whatever a subscription or a grant says."""
        return self.guest_plan, self.developer.plan.key

    def guest_terms(self) -> PlanTerms:
        """What people have who did not sign up: the guest plan, or nothing of it where everything is paid."""
        guest = self.plans[self.guest_plan]
        return guest if self.mode == "freemium" else guest.without_access()

    def default_terms(self) -> PlanTerms:
        """What an account has without paying: the default plan, or nothing of it in paid-only mode."""
        default = self.plans[self.default_plan]
        return default.without_access() if self.mode == "paid_only" else default
