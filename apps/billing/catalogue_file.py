"""What the catalogue's file says becomes plans, models and prices, or is refused. Nothing else reads that file."""

from collections.abc import Mapping
from pathlib import Path

from apps.billing import catalogue_models, plan_tables
from apps.billing.terms import (
    COLLECTIONS,
    MINOR,
    MODES,
    Catalogue,
    CheckoutTerms,
    CreditOffer,
    DeveloperTerms,
    PlanTerms,
)
from apps.billing.toml_source import Source, Table
from apps.core import money

STATUSES = ("trialing", "active", "past_due", "unpaid", "paused", "canceled", "incomplete", "incomplete_expired")
NEVER_PAID = ("incomplete", "incomplete_expired")
ACCESS = ("plan", "grace", "default")
PAUSED_COLLECTION = "paused_collection"
BOUGHT_TWICE = "bought_twice"
CURRENCY_LETTERS = 3
UNSOLD = {
    "default_plan": "people who pay nothing need a plan without",
    "guest_plan": "guests pay nothing and need a plan without",
    "plan": "pay as you go is paid from credit and needs a plan without",
}


def parse(path: Path) -> Catalogue:
    """Read and check the whole file.

    Raises  CatalogueError: the first thing that makes no sense, with file, line and key.
    """
    top = Source(path).table()
    mode = top.choice("mode", MODES)
    currencies = _currencies(top)
    backends = dict(top.table("backends").each())
    models = dict(top.table("models").each())
    catalogue_models.check_backends(backends)
    catalogue_models.check_models(models, tuple(backends), currencies)
    plans = plan_tables.read(top.table("plans"), tuple(models), currencies, sells=mode != "internal")
    catalogue = Catalogue(
        mode=mode,
        default_plan=_unsold(top, "default_plan", plans),
        guest_plan=_unsold(top, "guest_plan", plans),
        currencies=currencies,
        grace_days=top.whole("grace_days"),
        moves_subscribers=top.choice("existing_subscribers", ("move", "stay"), default="move") == "move",
        moves_prices=top.choice("existing_prices", ("keep", "move"), default="keep") == "move",
        policy=_policy(top.table("policy")),
        plans=plans,
        developer=_developer(top.table("developer"), plans, currencies),
        checkout=_checkout(top),
        models={key: table.values for key, table in models.items()},
        backends={key: table.values for key, table in backends.items()},
    )
    top.refuse_rest()
    _check_roles(top, catalogue)
    return catalogue


def _currencies(top: Table) -> tuple[str, ...]:
    currencies = top.texts("currencies")
    for currency in currencies:
        if len(currency) != CURRENCY_LETTERS or not currency.isalpha() or currency != currency.lower():
            top.refuse(f"names “{currency}”; a currency is three small letters, such as “usd”", "currencies")
    if not currencies:
        top.refuse("is empty; it takes at least one currency", "currencies")
    return currencies


def _unsold(table: Table, key: str, plans: Mapping[str, PlanTerms]) -> str:
    plan = table.choice(key, tuple(plans))
    if plans[plan].prices:
        table.refuse(f"is “{plan}”, which has prices; {UNSOLD[key]}", key)
    return plan


def _check_roles(top: Table, catalogue: Catalogue) -> None:
    """One plan cannot be for two kinds of people."""
    if catalogue.guest_plan == catalogue.default_plan:
        top.refuse(f"is “{catalogue.guest_plan}”, as default_plan is; guests need a plan of their own", "guest_plan")
    if catalogue.developer.plan.key in (catalogue.default_plan, catalogue.guest_plan):
        reason = f"is “{catalogue.developer.plan.key}”, which people chat with; pay as you go needs a plan of its own"
        top.table("developer").refuse(reason, "plan")


def _policy(table: Table) -> Mapping[str, str]:
    words = {status: table.choice(status, ACCESS) for status in STATUSES}
    for status in NEVER_PAID:
        if words[status] != "default":
            table.refuse(f"is “{words[status]}”; nobody has paid yet, so it takes only default", status)
    words[PAUSED_COLLECTION] = table.choice(PAUSED_COLLECTION, ("period_end", "keep"), default="period_end")
    words[BOUGHT_TWICE] = table.choice(BOUGHT_TWICE, ("refund", "tell"), default="refund")
    table.refuse_rest()
    return words


def _checkout(top: Table) -> CheckoutTerms:
    if not top.has("checkout"):
        return CheckoutTerms()
    table = top.table("checkout")
    terms = CheckoutTerms(
        allow_promotion_codes=table.flag("allow_promotion_codes", default=True),
        payment_method_collection=table.choice("payment_method_collection", COLLECTIONS, default="always"),
    )
    table.refuse_rest()
    return terms


def _developer(table: Table, plans: Mapping[str, PlanTerms], currencies: tuple[str, ...]) -> DeveloperTerms:
    plan = plans[_unsold(table, "plan", plans)]
    if plan.limits:
        table.refuse(f"is “{plan.key}”, which has limits; every call is paid from credit, so it takes none", "plan")
    terms = DeveloperTerms(
        plan=plan,
        starter_credit_micro=_by_currency(table.table("starter_credit"), currencies),
        credit=_credit(table, currencies),
        most_usage_micro=_most_usage(table, currencies),
    )
    table.refuse_rest()
    return terms


def _credit(table: Table, currencies: tuple[str, ...]) -> Mapping[str, CreditOffer]:
    """What of credit is sold, in whole units of each currency; without the table nothing is."""
    if not table.has("credit"):
        return {}
    stated = table.table("credit")
    _refuse_strangers(stated, currencies)
    offers = {}
    for currency in currencies:
        offer = stated.table(currency)
        least, most = offer.whole("least", least=1), offer.whole("most", least=1)
        amounts = offer.wholes("amounts", least=1)
        offer.refuse_rest()
        if any(not least <= amount <= most for amount in amounts):
            offer.refuse(f"go beyond what is sold at a time, {least} to {most}", "amounts")
        offers[currency] = CreditOffer(tuple(amount * MINOR for amount in amounts), least * MINOR, most * MINOR)
    return offers


def _most_usage(table: Table, currencies: tuple[str, ...]) -> Mapping[str, int]:
    """The highest cap of usage charges a person may set, in micro-units; without the table nobody pays afterwards."""
    if not table.has("usage_charges"):
        return {}
    stated = table.table("usage_charges")
    most = _by_currency(stated, currencies, least=1)
    for currency in currencies:
        if currency not in most:
            stated.refuse("is missing", currency)
    return {currency: amount * money.MICRO for currency, amount in most.items()}


def _by_currency(stated: Table, currencies: tuple[str, ...], *, least: int = 0) -> dict[str, int]:
    _refuse_strangers(stated, currencies)
    return {currency: stated.whole(currency, least=least) for currency in stated.values}


def _refuse_strangers(stated: Table, currencies: tuple[str, ...]) -> None:
    for currency in stated.values:
        if currency not in currencies:
            stated.refuse(f"is not a currency of the catalogue; known are {', '.join(currencies)}", currency)
