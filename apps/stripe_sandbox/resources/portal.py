"""The customer portal over the API: how it is set up, and a way in for one customer."""

from apps.stripe_sandbox import addresses, clock, clocks, ids, lists, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    boolean,
    clearable,
    fields,
    free_map,
    list_of,
    merge_metadata,
    natural,
    one_of,
    text,
)

REASONS = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
PRORATION = one_of("always_invoice", "create_prorations", "none")
CONDITION = fields({"type": one_of("decreasing_item_amount", "shortening_interval")}, ("type",))
PRODUCT = fields({"prices": list_of(text), "product": text}, ("prices", "product"))
ENABLED = fields({"enabled": boolean}, ("enabled",))
FEATURES = fields(
    {
        "customer_update": fields(
            {
                "allowed_updates": clearable(
                    list_of(one_of("address", "email", "name", "phone", "shipping", "tax_id"))
                ),
                "enabled": boolean,
            },
            ("enabled",),
        ),
        "invoice_history": ENABLED,
        "payment_method_update": ENABLED,
        "subscription_cancel": fields(
            {
                "cancellation_reason": fields({"enabled": boolean, "options": list_of(one_of(*REASONS))}, ("enabled",)),
                "enabled": boolean,
                "mode": one_of("at_period_end", "immediately"),
                "proration_behavior": PRORATION,
            },
            ("enabled",),
        ),
        "subscription_update": fields(
            {
                "default_allowed_updates": clearable(list_of(one_of("price", "promotion_code", "quantity"))),
                "enabled": boolean,
                "products": clearable(list_of(PRODUCT)),
                "proration_behavior": PRORATION,
                "schedule_at_period_end": fields({"conditions": list_of(CONDITION)}),
            },
            ("enabled",),
        ),
    }
)
CONFIGURATION = {
    "business_profile": fields({"headline": clearable(text), "privacy_policy_url": text, "terms_of_service_url": text}),
    "default_return_url": clearable(text),
    "features": FEATURES,
    "metadata": free_map,
    "name": clearable(text),
}
FLOW = fields(
    {
        "after_completion": fields(
            {
                "hosted_confirmation": fields({"custom_message": text}),
                "redirect": fields({"return_url": text}, ("return_url",)),
                "type": one_of("hosted_confirmation", "portal_homepage", "redirect"),
            },
            ("type",),
        ),
        "subscription_cancel": fields({"subscription": text}, ("subscription",)),
        "subscription_update": fields({"subscription": text}, ("subscription",)),
        "subscription_update_confirm": fields(
            {
                "items": list_of(fields({"id": text, "price": text, "quantity": natural}, ("id",))),
                "subscription": text,
            },
            ("items", "subscription"),
        ),
        "type": one_of(
            "payment_method_update", "subscription_cancel", "subscription_update", "subscription_update_confirm"
        ),
    },
    ("type",),
)


def create_configuration(params: Document) -> Document:
    """Keep a way the portal may look; the first one is the default."""
    now = clock.now()
    return store.insert(
        {
            "id": ids.new("bpc"),
            "object": "billing_portal.configuration",
            "active": True,
            "application": None,
            "business_profile": _profile(params.get("business_profile", {})),
            "created": now,
            "default_return_url": params.get("default_return_url"),
            "features": _features(params["features"]),
            "is_default": not store.select("billing_portal.configuration").exists(),
            "livemode": False,
            "login_page": {"enabled": False, "url": None},
            "metadata": merge_metadata(None, params.get("metadata")),
            "name": params.get("name"),
            "updated": now,
        }
    )


def _profile(given: Document) -> Document:
    return {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None, **given}


def _features(given: Document) -> Document:
    cancel, update = given.get("subscription_cancel", {}), given.get("subscription_update", {})
    reason = {"enabled": False, "options": [], **cancel.get("cancellation_reason", {})}
    products = [
        {**each, "adjustable_quantity": {"enabled": False, "maximum": None, "minimum": 1}}
        for each in update.get("products") or []
    ]
    return {
        "customer_update": {"allowed_updates": [], "enabled": False, **given.get("customer_update", {})},
        "invoice_history": given.get("invoice_history", {"enabled": False}),
        "payment_method_update": {
            "payment_method_configuration": None,
            **given.get("payment_method_update", {"enabled": False}),
        },
        "subscription_cancel": {
            "enabled": cancel.get("enabled", False),
            "mode": cancel.get("mode", "at_period_end"),
            "proration_behavior": cancel.get("proration_behavior", "none"),
            "cancellation_reason": reason,
        },
        "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": update.get("default_allowed_updates") or [],
            "enabled": update.get("enabled", False),
            "products": products,
            "proration_behavior": update.get("proration_behavior", "none"),
            "schedule_at_period_end": update.get("schedule_at_period_end", {"conditions": []}),
            "trial_update_behavior": "end_trial",
        },
    }


def retrieve_configuration(key: str, params: Document) -> Document:
    """Give one configuration."""
    return store.get("billing_portal.configuration", key, param="configuration")


def update_configuration(key: str, params: Document) -> Document:
    """Change a configuration; features that are not named stay."""
    before = store.get("billing_portal.configuration", key, param="configuration")
    after = {**before, "active": params.get("active", before["active"]), "updated": clock.now()}
    after |= {name: params[name] for name in ("default_return_url", "name") if name in params}
    after["metadata"] = merge_metadata(before["metadata"], params.get("metadata"))
    if "business_profile" in params:
        after["business_profile"] = {**before["business_profile"], **params["business_profile"]}
    if "features" in params:
        fresh = _features(params["features"])
        after["features"] = {**before["features"], **{name: fresh[name] for name in params["features"]}}
    return store.save(after)


def list_configurations(params: Document) -> Document:
    """List configurations."""
    rows = store.select(
        "billing_portal.configuration",
        body__active=params.get("active"),
        body__is_default=params.get("is_default"),
    )
    return lists.page(rows, params, "/v1/billing_portal/configurations", kind="billing_portal.configuration")


def create_session(params: Document) -> Document:
    """Let one customer in for a while; the address is as good as a password."""
    customer = store.get("customer", params["customer"], param="customer", status=400)
    configuration = _configuration(params.get("configuration"))
    flow = params.get("flow_data")
    if flow:
        _check_flow(flow, customer)
    session: Document = {
        "id": ids.new("bps"),
        "object": "billing_portal.session",
        "after_expiration": None,
        "configuration": configuration["id"],
        "created": clocks.time_of_customer(customer),
        "customer": customer["id"],
        "flow": _flow(flow) if flow else None,
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url", configuration["default_return_url"]),
        "_seen_at": clock.now(),
    }
    session["url"] = addresses.page(f"/p/session/{ids.word(40)}_{session['id']}")
    session["_word"] = session["url"].rpartition("/")[2]
    return store.insert(session)


def _configuration(key: str | None) -> Document:
    if key:
        return store.get("billing_portal.configuration", key, param="configuration", status=400)
    defaults = store.documents(store.select("billing_portal.configuration", body__is_default=True))
    if not defaults:
        raise invalid(
            "You can't create a portal session in test mode until you save your customer portal settings in test mode: "
            "create a billing_portal configuration first."
        )
    return defaults[0]


def _check_flow(flow: Document, customer: Document) -> None:
    named = flow.get(flow["type"], {}).get("subscription")
    if flow["type"] != "payment_method_update" and not named:
        name = f"flow_data[{flow['type']}]"
        raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    if named:
        param = f"flow_data[{flow['type']}][subscription]"
        subscription = store.get("subscription", named, param=param, status=400)
        if subscription["customer"] != customer["id"]:
            raise invalid(f"No such subscription: '{named}'", param, "resource_missing")


def _flow(flow: Document) -> Document:
    after = flow.get("after_completion", {"type": "portal_homepage"})
    confirm = flow.get("subscription_update_confirm")
    cancel = flow.get("subscription_cancel")
    return {
        "after_completion": {
            "hosted_confirmation": after.get("hosted_confirmation"),
            "redirect": after.get("redirect"),
            "type": after["type"],
        },
        "customer_update": None,
        "subscription_cancel": {"retention": None, **cancel} if cancel else None,
        "subscription_pause": None,
        "subscription_update": flow.get("subscription_update"),
        "subscription_update_confirm": {"discounts": None, **confirm} if confirm else None,
        "type": flow["type"],
    }


OPERATIONS = [
    Operation("POST", "/v1/billing_portal/configurations", create_configuration, fields(CONFIGURATION, ("features",))),
    Operation(
        "GET",
        "/v1/billing_portal/configurations",
        list_configurations,
        fields({**PAGING, "active": boolean, "is_default": boolean}),
    ),
    Operation("GET", "/v1/billing_portal/configurations/{}", retrieve_configuration, NOTHING),
    Operation(
        "POST",
        "/v1/billing_portal/configurations/{}",
        update_configuration,
        fields({**CONFIGURATION, "active": boolean}),
    ),
    Operation(
        "POST",
        "/v1/billing_portal/sessions",
        create_session,
        fields(
            {
                "configuration": text,
                "customer": text,
                "flow_data": FLOW,
                "locale": one_of("auto", "en", "fr"),
                "return_url": text,
            },
            ("customer",),
        ),
    ),
]
