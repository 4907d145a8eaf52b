"""What a person can do in Stripe's Dashboard, behind the product's back: by hand in the console, or as a fault."""

from collections.abc import Callable
from dataclasses import dataclass

from apps.stripe_sandbox import clocks, disputes, faults, routes, store
from apps.stripe_sandbox.documents import Document, Json, public
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.resources import webhook_endpoints


@dataclass(frozen=True)
class Action:
    """One thing to do to an object of a kind."""

    kind: str
    run: Callable[[str, Document], Document]


def _call(method: str, pattern: str, **fixed: Json) -> Callable[[str, Document], Document]:
    """Make the call of the API that does the same."""

    def run(key: str, params: Document) -> Document:
        operation, keys = routes.find_operation(method, pattern.format(key))
        return operation.run(*keys, params=operation.reads({**fixed, **_as_form(params)}, ""))

    return run


def _as_form(value: Json) -> Json:
    """Write JSON as a form would carry it: strings, and lists by their positions."""
    if isinstance(value, dict):
        return {str(name): _as_form(each) for name, each in value.items()}
    if isinstance(value, list):
        return {str(place): _as_form(each) for place, each in enumerate(value)}
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _edit_subscription(key: str, params: Document) -> Document:
    """Change a subscription; `price` and `quantity` are meant for its first item."""
    first = store.get("subscription", key)["items"]["data"][0]["id"]
    item = {name: params[name] for name in ("price", "quantity") if params.get(name)}
    rest = {name: value for name, value in params.items() if name not in ("price", "quantity")}
    items = {"items": {"0": {"id": first, **item}}} if item else {}
    return _call("POST", "/v1/subscriptions/{}")(key, {**items, **rest})


def _refund(key: str, params: Document) -> Document:
    return _call("POST", "/v1/refunds")("", {"charge": key, **params})


def _dispute(key: str, params: Document) -> Document:
    charge = store.get("charge", key)
    customer = store.find("customer", charge["customer"])
    return disputes.open_dispute(charge, params.get("reason", "fraudulent"), now=clocks.time_of_customer(customer))


def _decide(outcome: str) -> Callable[[str, Document], Document]:
    def run(key: str, params: Document) -> Document:
        dispute = store.get("dispute", key)
        return disputes.decide(dispute, outcome, now=clocks.time_on(dispute["_clock"]))

    return run


def _roll(key: str, params: Document) -> Document:
    return {"id": key, "secret": webhook_endpoints.roll(store.get("webhook_endpoint", key))}


ACTIONS: dict[str, Action] = {
    "archive_price": Action("price", _call("POST", "/v1/prices/{}", active="false")),
    "restore_price": Action("price", _call("POST", "/v1/prices/{}", active="true")),
    "cancel_subscription": Action("subscription", _call("DELETE", "/v1/subscriptions/{}")),
    "cancel_subscription_at_period_end": Action(
        "subscription", _call("POST", "/v1/subscriptions/{}", cancel_at_period_end="true")
    ),
    "delete_customer": Action("customer", _call("DELETE", "/v1/customers/{}")),
    "dispute_charge": Action("charge", _dispute),
    "edit_subscription": Action("subscription", _edit_subscription),
    "lose_dispute": Action("dispute", _decide("lost")),
    "pay_invoice": Action("invoice", _call("POST", "/v1/invoices/{}/pay")),
    "refund_charge": Action("charge", _refund),
    "roll_secret": Action("webhook_endpoint", _roll),
    "void_invoice": Action("invoice", _call("POST", "/v1/invoices/{}/void")),
    "win_dispute": Action("dispute", _decide("won")),
}


def perform(name: str, key: str | None, params: Document) -> Document:
    """Do one action; without a key, to the newest object of its kind.

    Raises  StripeError: no such action or object, or Stripe would refuse.
    """
    if name not in ACTIONS:
        raise invalid(f"There is no action {name!r}. There are {', '.join(sorted(ACTIONS))}.", "action")
    action = ACTIONS[name]
    if not key:
        newest = store.documents(store.select(action.kind)[:1])
        if not newest:
            raise invalid(f"There is no {action.kind} yet.", "id")
        key = str(newest[0]["id"])
    return public(action.run(key, params))


def meet_fault(when: str, *subjects: str | None) -> None:
    """Do what a fault asks for before or after a call that matches."""
    fault = faults.take("dashboard", *subjects, when=when)
    if fault:
        perform(fault.params["action"], fault.params.get("id"), fault.params.get("params", {}))
