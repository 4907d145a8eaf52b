"""The models of the catalogue: what they are called, cost and may do, and which servers answer for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.billing import plans
from apps.billing.catalogue_models import (
    CONTINUES,
    CONVENTIONS,
    LIMIT_PARAMETERS,
    NO_PROBE,
    OPTIONAL_RATES,
    PROBE,
    TOKENIZERS,
)
from apps.billing.plans import PlanTerms
from apps.inference import credentials
from apps.inference.calls import Server
from apps.inference.errors import BackendMissing, ModelMissing, ModelUnpriced

NAMED = "setting:"  # what follows is the name of a setting, in an address or a key of the catalogue


@dataclass(frozen=True)
class Rates:
    """Micro-units of a currency for a million tokens of each kind."""

    input: int
    output: int
    cached_input: int
    cache_write: int
    image_input: int

    @classmethod
    def of(cls, raw: Mapping[str, int] | None) -> "Rates | None":
        """What the catalogue states, None when it makes no sense; a kind of input that it leaves out is plain input."""
        if not raw or min(raw.get("input", -1), raw.get("output", -1), *raw.values()) < 0:
            return None
        others = {kind: raw.get(kind, raw["input"]) for kind in OPTIONAL_RATES}
        return cls(raw["input"], raw["output"], **others)


@dataclass(frozen=True)
class LanguageModel:
    """One model. `backends`: key of a back end → the model's name there, in the catalogue's order.

    cost           what we pay, in `currency`.   prices   what the API charges, by the currency of who pays.
    tokenizer      estimates what no back end reported.
    backend_costs  what we pay to a back end that costs otherwise.
    """

    key: str
    name: str
    context_tokens: int
    currency: str
    cost: Rates | None
    prices: Mapping[str, Rates]
    backends: Mapping[str, str]
    tokenizer: str = TOKENIZERS[0]
    backend_costs: Mapping[str, Rates] = field(default_factory=dict)

    def require_rates(self, currency: str) -> tuple[Rates, Rates]:
        """Cost, and the price in a currency: both.

        Raises  ModelUnpriced: one is not stated; such a model is never called.
        """
        price = self.prices.get(currency)
        if self.cost is None or price is None:
            raise ModelUnpriced
        return self.cost, price

    def cost_at(self, backend: str) -> Rates:
        """What we pay for an answer of one back end.

        Raises  ModelUnpriced: nobody says.
        """
        cost = self.backend_costs.get(backend, self.cost)
        if cost is None:
            raise ModelUnpriced
        return cost


def get_model(key: str) -> LanguageModel:
    """Find a model by its key.

    Raises  ModelMissing: not in the catalogue, or no back end that serves it is set up here.
    """
    raw = plans.catalogue().models.get(key)
    if raw is None:
        raise ModelMissing
    model = _model(key, raw)
    if not servers_of(model):
        raise ModelMissing
    return model


def offered(plan: PlanTerms | None = None) -> tuple[LanguageModel, ...]:
    """The models that something here serves, in the catalogue's order; with a plan, those it includes."""
    models = (_model(key, raw) for key, raw in plans.catalogue().models.items())
    return tuple(m for m in models if servers_of(m) and (plan is None or m.key in plan.models))


def servers_of(model: LanguageModel) -> tuple[Server, ...]:
    """The back ends that serve a model and whose settings are there."""
    raws = plans.catalogue().backends
    found = (_server(key, raws[key], name) for key, name in model.backends.items() if key in raws)
    return tuple(server for server in found if server is not None)


def all_servers() -> tuple[Server, ...]:
    """Every back end of the catalogue that is set up here, whatever it serves; `model_name` is empty."""
    found = (_server(key, raw, "") for key, raw in plans.catalogue().backends.items())
    return tuple(server for server in found if server is not None)


def require_backend(key: str) -> None:
    """Check that the catalogue has a back end, set up or not.

    Raises  BackendMissing.
    """
    if key not in plans.catalogue().backends:
        raise BackendMissing


def _model(key: str, raw: Mapping[str, Any]) -> LanguageModel:  # Any: TOML; the catalogue's loader has checked it
    costs = [(backend, Rates.of(stated)) for backend, stated in raw.get("backend_cost", {}).items()]
    priced = [(currency, Rates.of(stated)) for currency, stated in raw.get("price", {}).items()]
    return LanguageModel(
        key=key,
        name=raw["name"],
        context_tokens=raw["context_tokens"],
        currency=raw["currency"],
        cost=Rates.of(raw.get("cost")),
        prices={currency: rates for currency, rates in priced if rates is not None},
        backends=raw["backends"],
        tokenizer=raw.get("tokenizer", TOKENIZERS[0]),
        backend_costs={key: rates for key, rates in costs if rates is not None},
    )


def _server(key: str, raw: Mapping[str, Any], model_name: str) -> Server | None:
    """A back end with its settings filled in; None when a required one is empty. A key that staff entered wins."""
    base_url, entered = _filled(raw["base_url"]), credentials.key_of(key)
    by_name = raw.get("api_key", "").removeprefix(NAMED)  # of the setting that holds the key, when staff entered none
    required = [name for name in raw.get("requires", ()) if not (entered and name == by_name)]
    if not base_url or not all(_setting(name) for name in required):
        return None
    limit_parameter = raw.get("limit_parameter", LIMIT_PARAMETERS[0])
    if limit_parameter not in LIMIT_PARAMETERS:
        raise ImproperlyConfigured(f"backends.{key}: limit_parameter takes one of {', '.join(LIMIT_PARAMETERS)}.")
    return Server(
        key=key,
        provider=raw["provider"],
        base_url=base_url.rstrip("/"),
        api_key=entered or _filled(raw.get("api_key", "")),
        model_name=model_name,
        limit_parameter=limit_parameter,
        usage=raw.get("usage", CONVENTIONS[0]),
        continues=raw.get("continues", CONTINUES[0]).removeprefix(CONTINUES[0]),
        weight=raw.get("weight", 1),
        max_concurrency=raw.get("max_concurrency", 0),
        probe=raw.get("probe", PROBE).removeprefix(NO_PROBE),
    )


def _filled(value: str) -> str:
    return _setting(value.removeprefix(NAMED)) if value.startswith(NAMED) else value


def _setting(name: str) -> str:
    try:
        return str(getattr(settings, name))
    except AttributeError:
        raise ImproperlyConfigured(f"The catalogue names the setting {name}, which does not exist.") from None
