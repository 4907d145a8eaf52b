"""Subscriptions over the API."""

from django.db.models import Q

from apps.stripe_sandbox import (
    clocks,
    discounts,
    endings,
    events,
    items,
    lists,
    payment_methods,
    plan_changes,
    renewals,
    schedules,
    store,
    subscribing,
    taxes,
    trials,
)
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    RANGE,
    boolean,
    clearable,
    either,
    fields,
    free_map,
    list_of,
    merge_metadata,
    natural,
    one_of,
    text,
    timestamp,
)
from apps.stripe_sandbox.plan_changes import Terms
from apps.stripe_sandbox.subscribing import Order

DAY_S = 86400
ENDED = ("canceled", "incomplete_expired")
STATUSES = ("active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid")
TRIAL_END = either(one_of("now"), timestamp, when=lambda raw: raw == "now")
TRIAL_SETTINGS = fields(
    {"end_behavior": fields({"missing_payment_method": one_of("cancel", "create_invoice", "pause")})}, ("end_behavior",)
)
CANCEL_AT = clearable(
    either(one_of("min_period_end", "max_period_end"), timestamp, when=lambda raw: str(raw).endswith("period_end"))
)
DETAILS = fields(
    {
        "comment": clearable(text),
        "feedback": clearable(
            one_of(
                "customer_service",
                "low_quality",
                "missing_features",
                "other",
                "switched_service",
                "too_complex",
                "too_expensive",
                "unused",
            )
        ),
    }
)
# What a pending update may hold, or what says how it is made.
PENDABLE = {"billing_cycle_anchor", "items", "metadata", "off_session", "payment_behavior"} | {
    "proration_behavior",
    "proration_date",
    "trial_end",
}
DISCOUNTS = clearable(list_of(fields({"coupon": text, "discount": text, "promotion_code": text})))
COMMON = {
    "automatic_tax": fields({"enabled": boolean}, ("enabled",)),
    "cancel_at_period_end": boolean,
    "collection_method": one_of("charge_automatically"),
    "default_payment_method": text,
    "description": clearable(text),
    "discounts": DISCOUNTS,
    "metadata": free_map,
    "off_session": boolean,
    "payment_behavior": one_of(
        "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"
    ),
    "payment_settings": fields({"save_default_payment_method": one_of("off", "on_subscription")}),
    "proration_behavior": one_of("always_invoice", "create_prorations", "none"),
    "trial_end": TRIAL_END,
    "trial_settings": TRIAL_SETTINGS,
}
CREATE = fields(
    {
        **COMMON,
        "billing_cycle_anchor": timestamp,
        "billing_mode": fields({"type": one_of("classic", "flexible")}, ("type",)),
        "customer": text,
        "items": list_of(fields({"price": text, "quantity": natural, "metadata": free_map}, ("price",))),
        "trial_period_days": natural,
    },
    ("customer", "items"),
)
UPDATE = fields(
    {
        **COMMON,
        "billing_cycle_anchor": fields({"type": one_of("now", "unchanged")}, ("type",)),
        "cancel_at": CANCEL_AT,
        "cancellation_details": DETAILS,
        "items": list_of(
            fields({"deleted": boolean, "id": text, "metadata": free_map, "price": text, "quantity": natural})
        ),
        "pause_collection": clearable(
            fields(
                {"behavior": one_of("keep_as_draft", "mark_uncollectible", "void"), "resumes_at": timestamp},
                ("behavior",),
            )
        ),
        "proration_date": timestamp,
    }
)


def create(params: Document) -> Document:
    """Begin a subscription."""
    if params.get("payment_behavior") == "pending_if_incomplete":
        message = "`pending_if_incomplete` is only for updates and cannot be used when creating a subscription."
        raise invalid(message, "payment_behavior")
    customer = store.get("customer", params["customer"], param="customer")
    now = clocks.time_of_customer(customer)
    details: Document = {"metadata": merge_metadata(None, params.get("metadata")), **_settings(params, customer)}
    wanted = items.read_wanted(params["items"], customer)
    order = Order(
        wanted,
        trial_end=_trial_end(params, now),
        anchor=params.get("billing_cycle_anchor"),
        payment_behavior=params.get("payment_behavior", "allow_incomplete"),
        is_off_session=params.get("off_session", False),
        details=details,
        discounts=discounts.describe(params.get("discounts") or [], items.basket(wanted, customer), now=now),
    )
    subscription = subscribing.open_subscription(customer, order, now=now)
    if params.get("cancel_at_period_end"):
        ending = endings.schedule_end(subscription, at_period_end=True, now=now)
        subscription = events.update("customer.subscription.updated", subscription, ending)
    return subscription


def _trial_end(params: Document, now: int) -> int | None:
    end = params.get("trial_end")
    if "trial_period_days" in params:
        return now + int(params["trial_period_days"]) * DAY_S if params["trial_period_days"] else None
    if end is None or end == "now":
        return None
    if end <= now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
    return int(end)


def _settings(params: Document, customer: Document) -> Document:
    """Read the fields that a subscription takes over as they are."""
    taken: Document = {name: params[name] for name in ("description",) if name in params}
    if "default_payment_method" in params:
        key = params["default_payment_method"]
        method = store.get("payment_method", key, param="default_payment_method", status=400)
        taken["default_payment_method"] = payment_methods.require_attached(method, customer, "default_payment_method")[
            "id"
        ]
    if "trial_settings" in params:
        end = {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}
        taken["trial_settings"] = {"end_behavior": {**end, **params["trial_settings"]["end_behavior"]}}
    if "payment_settings" in params:
        plain = {"payment_method_options": None, "payment_method_types": None}
        taken["payment_settings"] = {**plain, **params["payment_settings"]}
    if "automatic_tax" in params:
        taken["automatic_tax"] = _tax(params["automatic_tax"]["enabled"], customer)
    if "pause_collection" in params:
        pause = params["pause_collection"]
        taken["pause_collection"] = {"resumes_at": None, **pause} if pause else None
    return taken


def _tax(is_enabled: bool, customer: Document) -> Document:  # noqa: FBT001  one word of the call
    if is_enabled and not taxes.has_location(customer):
        raise taxes.unknown_location()
    return {"disabled_reason": None, "enabled": is_enabled, "liability": {"type": "self"} if is_enabled else None}


def retrieve(key: str, params: Document) -> Document:
    """Give one subscription."""
    return store.get("subscription", key)


def update(key: str, params: Document) -> Document:
    """Change a subscription: its settings, its end, its items."""
    before = store.get("subscription", key)
    customer = store.read("customer", before["customer"])
    now = clocks.time_of_customer(customer)
    if before["status"] in ENDED and set(params) - {"metadata", "cancellation_details"}:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    _require_unscheduled(before, params)
    _require_pendable(params)
    after = {**before, **_settings(params, customer)}
    after["metadata"] = merge_metadata(before["metadata"], params.get("metadata"))
    after = _end(after, params, now)
    if "discounts" in params:
        after = _discounts(before, after, params["discounts"] or [], now)
    trial_end = params.get("trial_end")
    if trial_end == "now" and before["status"] == "trialing":
        after = trials.move(after, now, is_prorated=False, now=now)
        return renewals.end_trial(events.update("customer.subscription.updated", before, after), now=now)
    if isinstance(trial_end, int):
        is_prorated = params.get("proration_behavior") != "none"
        after = trials.move(after, trial_end, is_prorated=is_prorated, now=now)
    anchor = params.get("billing_cycle_anchor", {}).get("type")
    if "items" not in params and anchor != "now":
        events.update("customer.subscription.updated", before, after)
        trials.warn_if_near(after, now=now)
        return store.read("subscription", key)
    terms = Terms(
        moment=_moment(params, before, now),
        proration_behavior=params.get("proration_behavior", "create_prorations"),
        payment_behavior=params.get("payment_behavior", "allow_incomplete"),
        resets_anchor=anchor == "now",
        is_off_session=params.get("off_session", False),
    )
    wanted = items.read_wanted(params.get("items", []), customer)
    return plan_changes.change_items(before, after, wanted, terms, now=now)


def _require_pendable(params: Document) -> None:
    """Refuse to make pending what cannot wait for a payment."""
    others = sorted(set(params) - PENDABLE)
    if params.get("payment_behavior") == "pending_if_incomplete" and others:
        raise invalid(
            "When `payment_behavior` is `pending_if_incomplete`, only parameters that can wait for the payment are "
            f"supported; `{others[0]}` cannot.",
            others[0],
        )


def _require_unscheduled(subscription: Document, params: Document) -> None:
    if {"cancel_at", "cancel_at_period_end"} & set(params):
        schedules.require_none(subscription, "cancelation behavior")
    if {"billing_cycle_anchor", "items", "trial_end"} & set(params):
        schedules.require_none(subscription, "items")


def _discounts(before: Document, after: Document, raw: list[Document], now: int) -> Document:
    """Redeem what is new, and let go of what is not named any more."""
    wanted = [items.Wanted(item["price"], item.get("quantity")) for item in before["items"]["data"]]
    basket = items.basket(wanted, store.read("customer", before["customer"]))
    renewed = discounts.renewed(before, raw, basket, now=now)
    return {**after, "discounts": renewed["discounts"], "_discounts": renewed["_discounts"]}


def _moment(params: Document, subscription: Document, now: int) -> int:
    moment = int(params.get("proration_date", now))
    start, end = items.period_of(subscription)
    if not start <= moment <= end:
        raise invalid("`proration_date` must be within the current billing period.", "proration_date")
    return moment


def _end(subscription: Document, params: Document, now: int) -> Document:
    if "cancel_at_period_end" in params and params["cancel_at_period_end"] != subscription["cancel_at_period_end"]:
        wanted = params["cancel_at_period_end"]
        subscription = endings.schedule_end(subscription, at_period_end=wanted, now=now)
    if "cancel_at" in params:
        at = params["cancel_at"]
        if at is None:
            subscription = endings.schedule_end(subscription, at_period_end=False, now=now)
        else:
            when = items.period_of(subscription)[1] if isinstance(at, str) else at
            subscription = {**subscription, "cancel_at": when, "canceled_at": now}
    if "cancellation_details" in params:
        details = {**subscription["cancellation_details"], **params["cancellation_details"]}
        subscription = {**subscription, "cancellation_details": details}
    return subscription


def cancel(key: str, params: Document) -> Document:
    """End a subscription at once."""
    subscription = store.get("subscription", key)
    if subscription["status"] in ENDED:
        raise invalid(f"No such subscription: '{key}'", "id", "resource_missing", status=404)
    now = clocks.time_of_customer(store.read("customer", subscription["customer"]))
    details = {**subscription["cancellation_details"], **params.get("cancellation_details", {})}
    return endings.cancel(
        {**subscription, "cancellation_details": details},
        "cancellation_requested",
        invoice_now=params.get("invoice_now", False),
        prorate=params.get("prorate", False),
        now=now,
    )


def list_all(params: Document) -> Document:
    """List subscriptions; without a status, those that have not ended."""
    status, conditions = params.get("status"), []
    if status is None:
        conditions.append(~Q(body__status="canceled"))
    elif status == "ended":
        conditions.append(Q(body__status__in=ENDED))
    elif status != "all":
        conditions.append(Q(body__status=status))
    rows = store.select("subscription", *conditions, customer=params.get("customer"), clock=params.get("test_clock"))
    if "price" in params:
        found = [row.seq for row in rows if any(i["price"]["id"] == params["price"] for i in row.body["items"]["data"])]
        rows = rows.filter(seq__in=found)
    return lists.page(rows, params, "/v1/subscriptions", kind="subscription")


def list_items(params: Document) -> Document:
    """List the items of a subscription."""
    subscription = store.get("subscription", params["subscription"], param="subscription", status=400)
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    return lists.page_of_documents(subscription["items"]["data"], params, url)


OPERATIONS = [
    Operation("POST", "/v1/subscriptions", create, CREATE),
    Operation(
        "GET",
        "/v1/subscriptions",
        list_all,
        fields(
            {
                **PAGING,
                "created": RANGE,
                "customer": text,
                "price": text,
                "status": one_of(*STATUSES, "all", "ended"),
                "test_clock": text,
            }
        ),
    ),
    Operation("GET", "/v1/subscriptions/{}", retrieve, NOTHING),
    Operation("POST", "/v1/subscriptions/{}", update, UPDATE),
    Operation(
        "DELETE",
        "/v1/subscriptions/{}",
        cancel,
        fields({"cancellation_details": DETAILS, "invoice_now": boolean, "prorate": boolean}),
    ),
    Operation("GET", "/v1/subscription_items", list_items, fields({**PAGING, "subscription": text}, ("subscription",))),
]
