"""Entitlements: features that products carry, and which of them a customer has by running subscriptions."""

import hashlib

from apps.stripe_sandbox import clock, ids, lists, store
from apps.stripe_sandbox.documents import Document, public
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import Operation
from apps.stripe_sandbox.parameters import PAGING, boolean, fields, free_map, merge_metadata, text

KIND = "entitlements.feature"
GRANTING = ("active", "past_due", "trialing")  # when Stripe takes them from who is past due is not published
LONGEST_KEY = 80


def create(params: Document) -> Document:
    """Make a feature under a key that stays taken."""
    key = params["lookup_key"]
    if len(key) > LONGEST_KEY:
        raise invalid(f"Invalid string: must be at most {LONGEST_KEY} characters", "lookup_key")
    if store.select(KIND, body__lookup_key=key).exists():
        raise invalid(f"A feature already uses the lookup key `{key}`.", "lookup_key", "resource_already_exists")
    return store.insert(
        {
            "id": ids.new("feat"),
            "object": KIND,
            "active": True,
            "livemode": False,
            "lookup_key": key,
            "metadata": merge_metadata(None, params.get("metadata")),
            "name": params["name"],
            "_made_at": clock.now(),
        }
    )


def list_features(params: Document) -> Document:
    """List features; archived ones only when asked for."""
    is_active = not params.get("archived", False)
    rows = store.select(KIND, body__active=is_active, body__lookup_key=params.get("lookup_key"))
    return lists.page(rows, params, "/v1/entitlements/features", kind=KIND)


def attach(key: str, params: Document) -> Document:
    """Let a product carry a feature."""
    product = store.get("product", key, param="product")
    feature = store.get(KIND, params["entitlement_feature"], param="entitlement_feature", status=400)
    if store.select("product_feature", body___product=key, body__entitlement_feature__id=feature["id"]).exists():
        message = "This feature is already attached to the product."
        raise invalid(message, "entitlement_feature", "resource_already_exists")
    return store.insert(
        {
            "id": ids.new("prodft"),
            "object": "product_feature",
            "entitlement_feature": public(feature),
            "livemode": False,
            "_product": product["id"],
        }
    )


def list_of_product(key: str, params: Document) -> Document:
    """List what a product carries."""
    store.get("product", key, param="product")
    rows = store.select("product_feature", body___product=key)
    return lists.page(rows, params, f"/v1/products/{key}/features", kind="product_feature")


def list_active(params: Document) -> Document:
    """List what a customer has."""
    customer = store.get("customer", params["customer"], param="customer", status=400)["id"]
    subscriptions = store.select("subscription", customer=customer, body__status__in=GRANTING)
    products = {item["price"]["product"] for each in store.documents(subscriptions) for item in each["items"]["data"]}
    carried = store.documents(store.select("product_feature", body___product__in=sorted(products)))
    features = {each["entitlement_feature"]["id"]: each["entitlement_feature"] for each in carried}
    data = [_entitlement(customer, feature) for feature in features.values()]
    return lists.page_of_documents(data, params, "/v1/entitlements/active_entitlements")


def _entitlement(customer: str, feature: Document) -> Document:
    digest = hashlib.sha256(f"{customer} {feature['id']}".encode()).hexdigest()[:24]
    return {
        "id": f"ent_test_{digest}",
        "object": "entitlements.active_entitlement",
        "feature": feature["id"],
        "livemode": False,
        "lookup_key": feature["lookup_key"],
    }


OPERATIONS = [
    Operation(
        "POST",
        "/v1/entitlements/features",
        create,
        fields({"lookup_key": text, "metadata": free_map, "name": text}, ("lookup_key", "name")),
    ),
    Operation(
        "GET",
        "/v1/entitlements/features",
        list_features,
        fields({**PAGING, "archived": boolean, "lookup_key": text}),
    ),
    Operation(
        "POST",
        "/v1/products/{}/features",
        attach,
        fields({"entitlement_feature": text}, ("entitlement_feature",)),
    ),
    Operation("GET", "/v1/products/{}/features", list_of_product, fields(PAGING)),
    Operation(
        "GET",
        "/v1/entitlements/active_entitlements",
        list_active,
        fields({**PAGING, "customer": text}, ("customer",)),
    ),
]
