"""Where events are sent: addresses on this machine only. The secret is shown once, when it is made."""

from apps.stripe_sandbox import clock, ids, lists, outgoing, store
from apps.stripe_sandbox.documents import API_VERSION, Document
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
    text,
)

COMMON = {
    "description": clearable(text),
    "enabled_events": list_of(text),
    "metadata": free_map,
    "url": text,
}


def create(params: Document) -> Document:
    """Register an address and show its secret."""
    secret = f"whsec_{ids.word(32)}"
    endpoint = register(params, secret)
    return {**endpoint, "secret": secret}


def register(params: Document, secret: str) -> Document:
    """Keep an endpoint with a given secret."""
    _require_loopback(params["url"])
    return store.insert(
        {
            "id": ids.new("we"),
            "object": "webhook_endpoint",
            "api_version": params.get("api_version", API_VERSION),
            "application": None,
            "created": clock.now(),
            "description": params.get("description"),
            "enabled_events": params["enabled_events"],
            "livemode": False,
            "metadata": merge_metadata(None, params.get("metadata")),
            "status": "enabled",
            "url": params["url"],
            "_secret": secret,
        }
    )


def register_once(url: str, secret: str) -> None:
    """Register the endpoint that was named at start, unless it is there already with this secret."""
    for endpoint in store.documents(store.select("webhook_endpoint", body__url=url)):
        if endpoint["_secret"] != secret:
            store.save({**endpoint, "_secret": secret})
        return
    register({"url": url, "enabled_events": ["*"], "description": "named at start"}, secret)


def roll(endpoint: Document) -> str:
    """Give an endpoint a new secret; for 24 hours letters are signed with the old one as well."""
    secret = f"whsec_{ids.word(32)}"
    old = {"_rolled_secret": endpoint["_secret"], "_rolled_at": clock.now()}
    store.save({**endpoint, **old, "_secret": secret})
    return secret


def _require_loopback(url: str) -> None:
    if not outgoing.is_loopback(url):
        raise invalid(
            f"Invalid URL: the sandbox delivers to this machine only (127.0.0.1 or localhost), not to {url}",
            "url",
            "url_invalid",
        )


def retrieve(key: str, params: Document) -> Document:
    """Give one endpoint."""
    return store.get("webhook_endpoint", key, param="webhook_endpoint")


def update(key: str, params: Document) -> Document:
    """Change an endpoint, or turn it off and on."""
    before = store.get("webhook_endpoint", key, param="webhook_endpoint")
    if "url" in params:
        _require_loopback(params["url"])
    if "disabled" in params:
        before["status"] = "disabled" if params.pop("disabled") else "enabled"
    metadata = merge_metadata(before["metadata"], params.get("metadata"))
    return store.save({**before, **params, "metadata": metadata})


def delete(key: str, params: Document) -> Document:
    """Remove an endpoint."""
    store.remove(store.get("webhook_endpoint", key, param="webhook_endpoint"))
    return {"id": key, "object": "webhook_endpoint", "deleted": True}


def list_all(params: Document) -> Document:
    """List endpoints."""
    rows = store.select("webhook_endpoint").exclude(body__has_key="_destination")
    return lists.page(rows, params, "/v1/webhook_endpoints", kind="webhook_endpoint")


OPERATIONS = [
    Operation(
        "POST", "/v1/webhook_endpoints", create, fields({**COMMON, "api_version": text}, ("url", "enabled_events"))
    ),
    Operation("GET", "/v1/webhook_endpoints", list_all, fields(PAGING)),
    Operation("GET", "/v1/webhook_endpoints/{}", retrieve, NOTHING),
    Operation("POST", "/v1/webhook_endpoints/{}", update, fields({**COMMON, "disabled": boolean})),
    Operation("DELETE", "/v1/webhook_endpoints/{}", delete, NOTHING),
]
