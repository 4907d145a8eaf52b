"""What the catalogue's file says of models and of the back ends that serve them, checked with file, line and key."""

from collections.abc import Mapping

from apps.billing.toml_source import Table

BACKEND_KEYS = ("base_url", "api_key")
PROVIDERS = ("openai", "openai_responses", "anthropic")  # the protocols that `inference` speaks
LIMIT_PARAMETERS = ("max_tokens", "max_completion_tokens")
# How a back end counts tokens; `inference` reads each.
CONVENTIONS = ("openai", "openai_responses", "xai", "deepseek", "anthropic")
# How a back end goes on with an answer that was begun: by a last message of the assistant (llama.cpp, Anthropic's older
# models), or with the parameters of vLLM and SGLang.
CONTINUES = ("no", "final_message", "continue_final_message")
PROBE = "/models"  # what all these protocols have, and what costs nothing
NO_PROBE = "no"
TOKENIZERS = ("o200k_base", "cl100k_base")  # by which `inference` estimates what no back end reported
RATES = ("input", "output")
OPTIONAL_RATES = ("cached_input", "cache_write", "image_input")  # where one is not stated, `input` holds


def check_backends(backends: Mapping[str, Table]) -> None:
    """Check every back end.

    Raises  CatalogueError: the first thing that makes no sense.
    """
    for table in backends.values():
        for key in BACKEND_KEYS:
            table.text(key)
        table.choice("provider", PROVIDERS)
        table.texts("requires", default=())
        table.choice("limit_parameter", LIMIT_PARAMETERS, default=LIMIT_PARAMETERS[0])
        table.choice("usage", CONVENTIONS, default=CONVENTIONS[0])
        table.choice("continues", CONTINUES, default=CONTINUES[0])
        table.whole("weight", default=1)
        if table.has("max_concurrency"):
            table.whole("max_concurrency", least=1)
        probe = table.text("probe", default=PROBE)
        if probe != NO_PROBE and not probe.startswith("/"):
            table.refuse('is no path; it takes one that begins with "/", or "no"', "probe")
        table.refuse_rest()


def check_models(models: Mapping[str, Table], backends: tuple[str, ...], currencies: tuple[str, ...]) -> None:
    """Check every model: whoever is sold one pays in a currency of the catalogue, so it has a price in each.

    Raises  CatalogueError: the first thing that makes no sense.
    """
    for table in models.values():
        table.text("name")
        table.whole("context_tokens", least=1)
        table.choice("currency", currencies)
        table.choice("tokenizer", TOKENIZERS, default=TOKENIZERS[0])
        _check_servers(table, backends)
        _check_rates(table.table("cost"))
        _check_backend_costs(table)
        prices = table.table("price")
        for currency in currencies:
            _check_rates(prices.table(currency))
        prices.refuse_rest()
        table.refuse_rest()


def _check_servers(table: Table, backends: tuple[str, ...]) -> None:
    served_by = table.table("backends")
    for key in served_by.values:
        if key not in backends:
            served_by.refuse(f"is not a back end; known are {', '.join(backends) or 'none'}", key)
        served_by.text(key)
    if not served_by.values:
        table.refuse("is empty; a model needs a back end that serves it", "backends")


def _check_backend_costs(table: Table) -> None:
    if not table.has("backend_cost"):
        return
    costs, served_by = table.table("backend_cost"), table.table("backends").values
    for key in costs.values:
        if key not in served_by:
            costs.refuse("does not serve this model", key)
        _check_rates(costs.table(key))


def _check_rates(rates: Table) -> None:
    for side in RATES:
        rates.whole(side)
    for side in OPTIONAL_RATES:
        rates.whole(side, default=0)
    rates.refuse_rest()
