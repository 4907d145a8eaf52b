"""Event destinations over v2: webhook endpoints that may take the thin form."""

from apps.stripe_sandbox import clock, ids, outgoing, store, thin_events
from apps.stripe_sandbox.documents import API_VERSION, Document, Json
from apps.stripe_sandbox.errors import invalid, missing_object
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import fields, json_list, one_of, string_map, text

SECRET, URL = "webhook_endpoint.signing_secret", "webhook_endpoint.url"
CREATE = fields(
    {
        "description": text,
        "enabled_events": json_list(text),
        "event_payload": one_of("snapshot", "thin"),
        "include": json_list(one_of(SECRET, URL)),
        "metadata": string_map,
        "name": text,
        "snapshot_api_version": text,
        "type": one_of("webhook_endpoint"),
        "webhook_endpoint": fields({"url": text}, ("url",)),
    },
    ("enabled_events", "event_payload", "name", "type", "webhook_endpoint"),
)


def create(params: Document) -> Document:
    """Register an address; its secret is shown now, to those who ask for it, and never again."""
    url, is_thin, now = params["webhook_endpoint"]["url"], params["event_payload"] == "thin", clock.now()
    if not outgoing.is_loopback(url):
        message = f"Invalid URL: the sandbox delivers to this machine only (127.0.0.1 or localhost), not to {url}"
        raise invalid(message, "webhook_endpoint[url]", "url_invalid")
    if is_thin and "snapshot_api_version" in params:
        raise invalid("`snapshot_api_version` is for snapshot events only.", "snapshot_api_version")
    endpoint = store.insert(
        {
            "id": ids.new("ed_test"),
            "object": "webhook_endpoint",
            "api_version": None if is_thin else params.get("snapshot_api_version", API_VERSION),
            "created": now,
            "description": params.get("description", ""),
            "enabled_events": params["enabled_events"],
            "livemode": False,
            "metadata": params.get("metadata", {}),
            "status": "enabled",
            "url": url,
            "_destination": params["name"],
            "_is_thin": is_thin,
            "_secret": f"whsec_{ids.word(32)}",
        }
    )
    return _shown(endpoint, include=params.get("include", []))


def _shown(endpoint: Document, *, include: list[str]) -> Document:
    created = thin_events.written(endpoint["created"])
    secret, url = endpoint["_secret"], endpoint["url"]
    details: Json = {
        "signing_secret": secret if SECRET in include else None,
        "url": url if URL in include else None,
    }
    return {
        "id": endpoint["id"],
        "object": "v2.core.event_destination",
        "created": created,
        "description": endpoint["description"],
        "enabled_events": endpoint["enabled_events"],
        "event_payload": "thin" if endpoint["_is_thin"] else "snapshot",
        "events_from": ["@self"],
        "livemode": False,
        "metadata": endpoint["metadata"],
        "name": endpoint["_destination"],
        "snapshot_api_version": endpoint["api_version"],
        "status": endpoint["status"],
        "status_details": None,
        "type": "webhook_endpoint",
        "updated": created,
        "webhook_endpoint": details if include else None,
    }


def retrieve(key: str, params: Document) -> Document:
    """Give one destination."""
    return _shown(_get(key), include=[])


def delete(key: str, params: Document) -> Document:
    """Remove a destination."""
    store.remove(_get(key))
    return {"id": key, "object": "v2.core.event_destination"}


def list_all(params: Document) -> Document:
    """List destinations."""
    rows = store.documents(store.select("webhook_endpoint", body__has_key="_destination"))
    return {"data": [_shown(each, include=[]) for each in rows], "next_page_url": None, "previous_page_url": None}


def _get(key: str) -> Document:
    endpoint = store.find("webhook_endpoint", key)
    if endpoint is None or "_destination" not in endpoint or endpoint.get("_deleted"):
        raise missing_object("event destination", key, "id")
    return endpoint


OPERATIONS = [
    Operation("POST", "/v2/core/event_destinations", create, CREATE),
    Operation("GET", "/v2/core/event_destinations", list_all, NOTHING),
    Operation("GET", "/v2/core/event_destinations/{}", retrieve, NOTHING),
    Operation("DELETE", "/v2/core/event_destinations/{}", delete, NOTHING),
]
