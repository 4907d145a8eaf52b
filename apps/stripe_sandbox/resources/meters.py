"""Meters and the usage that is reported to them, over v1 and v2."""

from decimal import Decimal

from apps.stripe_sandbox import clock, clocks, events, faults, ids, lists, meters, store, thin_events
from apps.stripe_sandbox.documents import Document, Json
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import (
    PAGING,
    fields,
    moment_text,
    one_of,
    short_text,
    string_map,
    text,
    timestamp,
)

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
STEPS = {"day": DAY_S, "hour": HOUR_S}
ACTIVE, INACTIVE = "active", "inactive"
CREATE = fields(
    {
        "customer_mapping": fields(
            {"event_payload_key": short_text(100), "type": one_of("by_id")}, ("event_payload_key", "type")
        ),
        "default_aggregation": fields({"formula": one_of("count", "last", "sum")}, ("formula",)),
        "display_name": short_text(250),
        "event_name": short_text(100),
        "value_settings": fields({"event_payload_key": short_text(100)}, ("event_payload_key",)),
    },
    ("default_aggregation", "display_name", "event_name"),
)
SUMMARIES = fields(
    {
        **PAGING,
        "customer": text,
        "end_time": timestamp,
        "start_time": timestamp,
        "value_grouping_window": one_of("day", "hour"),
    },
    ("customer", "end_time", "start_time"),
)
EVENT = {"event_name": short_text(100), "identifier": short_text(100), "payload": string_map}
CANCEL = fields(
    {
        "cancel": fields({"identifier": short_text(100)}, ("identifier",)),
        "event_name": short_text(100),
        "type": one_of("cancel"),
    },
    ("cancel", "event_name", "type"),
)


def create(params: Document) -> Document:
    """Make a meter for events of one name."""
    if meters.find_active(params["event_name"]):
        message = f"A meter with event_name '{params['event_name']}' already exists."
        raise invalid(message, "event_name", "resource_already_exists")
    now = clock.now()
    meter: Document = {
        "id": ids.new("mtr"),
        "object": "billing.meter",
        "created": now,
        "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        "event_time_window": None,
        "livemode": False,
        "status": ACTIVE,
        "status_transitions": {"deactivated_at": None},
        "updated": now,
        "value_settings": {"event_payload_key": "value"},
        **params,
    }
    return events.create("billing.meter.created", meter)


def retrieve(key: str, params: Document) -> Document:
    """Give one meter."""
    return store.get("billing.meter", key)


def update(key: str, params: Document) -> Document:
    """Rename a meter; nothing else of it ever changes."""
    before = store.get("billing.meter", key)
    if before["status"] == INACTIVE:
        raise invalid("You cannot update an inactive meter.", code="archived_meter")
    return events.update("billing.meter.updated", before, {**before, **params, "updated": clock.now()})


def deactivate(key: str, params: Document) -> Document:
    """Turn a meter off: it takes no more events."""
    return _switch(store.get("billing.meter", key), INACTIVE, "billing.meter.deactivated")


def reactivate(key: str, params: Document) -> Document:
    """Turn a meter on again."""
    before = store.get("billing.meter", key)
    if before["status"] == INACTIVE and meters.find_active(before["event_name"]):
        message = f"A meter with event_name '{before['event_name']}' already exists."
        raise invalid(message, "event_name", "resource_already_exists")
    return _switch(before, ACTIVE, "billing.meter.reactivated")


def _switch(before: Document, status: str, kind: str) -> Document:
    if before["status"] == status:
        raise invalid(f"The meter is already {status}.")
    now = clock.now()
    stamp = now if status == INACTIVE else None
    after = {**before, "status": status, "status_transitions": {"deactivated_at": stamp}, "updated": now}
    return events.update(kind, before, after)


def list_all(params: Document) -> Document:
    """List meters."""
    rows = store.select("billing.meter", body__status=params.get("status"))
    return lists.page(rows, params, "/v1/billing/meters", kind="billing.meter")


def list_summaries(key: str, params: Document) -> Document:
    """Add up what one customer used, as a whole or by hours or days, newest first."""
    meter = store.get("billing.meter", key)
    owner = store.get("customer", params["customer"], param="customer", status=400)
    customer, start, end = owner["id"], params["start_time"], params["end_time"]
    step = STEPS.get(params.get("value_grouping_window", ""), 0)
    _require_span(start, end, step or MINUTE_S)
    lag_s = faults.meter_lag_s(meter["event_name"], customer)
    seen = min(end, clocks.time_of_customer(owner) - lag_s) if lag_s else end
    found = [(start, end, meters.aggregate(meter, customer, start, seen))]
    if step:
        found = meters.windows(meter, customer, (start, seen), step)
    data = [_summary(meter, customer, *each) for each in found]
    return lists.page_of_documents(data, params, f"/v1/billing/meters/{key}/event_summaries")


def _require_span(start: int, end: int, step: int) -> None:
    if start >= end:
        raise invalid("`start_time` must be before `end_time`.", "start_time")
    for name, moment in (("start_time", start), ("end_time", end)):
        if moment % step:
            unit = {MINUTE_S: "minute", HOUR_S: "hour", DAY_S: "day"}[step]
            raise invalid(f"`{name}` must align with {unit} boundaries.", name)


def _summary(meter: Document, customer: str, start: int, end: int, value: Decimal) -> Document:
    whole = value == value.to_integral_value()
    return {
        "id": f"mtrusg_{meter['id'].removeprefix('mtr_')}{customer.removeprefix('cus_')}{start}",
        "object": "billing.meter_event_summary",
        "aggregated_value": int(value) if whole else float(value),
        "end_time": end,
        "livemode": False,
        "meter": meter["id"],
        "start_time": start,
    }


def report(params: Document) -> Document:
    """Take one report of usage."""
    identifier = params.get("identifier") or meters.new_identifier()
    return meters.record(
        meters.Report(params["event_name"], params["payload"], identifier, params.get("timestamp")),
    )


def report_v2(params: Document) -> Document:
    """Take one report of usage, told as JSON and answered so."""
    taken = report(params)
    moments = {name: thin_events.written(taken[name]) for name in ("created", "timestamp")}
    return {**taken, **moments, "object": "v2.billing.meter_event"}


def cancel(params: Document) -> Document:
    """Take a report of the last 24 hours back."""
    return meters.cancel(params["event_name"], params["cancel"]["identifier"])


def cancel_v2(params: Document) -> Document:
    """Take a report of the last 24 hours back, told as JSON and answered so."""
    more: Json = {"id": ids.new("mtrevtadj"), "created": thin_events.written(clock.now())}
    return {**cancel(params), **more, "object": "v2.billing.meter_event_adjustment"}


OPERATIONS = [
    Operation("POST", "/v1/billing/meters", create, CREATE),
    Operation("GET", "/v1/billing/meters", list_all, fields({**PAGING, "status": one_of(ACTIVE, INACTIVE)})),
    Operation("GET", "/v1/billing/meters/{}", retrieve, NOTHING),
    Operation("POST", "/v1/billing/meters/{}", update, fields({"display_name": short_text(250)})),
    Operation("POST", "/v1/billing/meters/{}/deactivate", deactivate, NOTHING),
    Operation("POST", "/v1/billing/meters/{}/reactivate", reactivate, NOTHING),
    Operation("GET", "/v1/billing/meters/{}/event_summaries", list_summaries, SUMMARIES),
    Operation(
        "POST",
        "/v1/billing/meter_events",
        report,
        fields({**EVENT, "timestamp": timestamp}, ("event_name", "payload")),
    ),
    Operation("POST", "/v1/billing/meter_event_adjustments", cancel, CANCEL),
    Operation(
        "POST",
        "/v2/billing/meter_events",
        report_v2,
        fields({**EVENT, "timestamp": moment_text}, ("event_name", "payload")),
    ),
    Operation("POST", "/v2/billing/meter_event_adjustments", cancel_v2, CANCEL),
]
