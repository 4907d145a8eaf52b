"""What Stripe's published description leaves out, described here by hand: requests and answers, as JSON Schema.

Source  the parameters and resources of the official client (`stripe.params`, `stripe.v2`) and Stripe's API reference.
"""

from apps.stripe_sandbox.documents import Document

TEXT: Document = {"type": "string", "maxLength": 5000}
WHOLE: Document = {"type": "integer"}
TEXTS: Document = {"type": "array", "items": TEXT}
MOMENT: Document = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"}
FREE_MAP: Document = {"type": "object", "additionalProperties": {"type": "string"}}
PAGING: Document = {"ending_before": TEXT, "expand": TEXTS, "limit": WHOLE, "starting_after": TEXT}
BETWEEN: Document = {
    "anyOf": [{"type": "object", "properties": dict.fromkeys(("gt", "gte", "lt", "lte"), WHOLE)}, WHOLE]
}


def _takes(*required: str, **named: Document) -> Document:
    return {"type": "object", "properties": named, "required": list(required)}


CREDITED = _takes(
    "type",
    amount=WHOLE,
    description=TEXT,
    invoice_line_item=TEXT,
    metadata=FREE_MAP,
    quantity=WHOLE,
    type={"enum": ["custom_line_item", "invoice_line_item"]},
    unit_amount=WHOLE,
)
# Method and pattern → what the call may be told.
REQUESTS: dict[tuple[str, str], Document] = {
    ("GET", "/v1/balance_transactions/{}"): _takes(expand=TEXTS),
    ("GET", "/v1/charges"): _takes(created=BETWEEN, customer=TEXT, payment_intent=TEXT, transfer_group=TEXT, **PAGING),
    ("GET", "/v1/credit_notes/preview"): _takes(
        "invoice",
        amount=WHOLE,
        credit_amount=WHOLE,
        email_type={"enum": ["credit_note", "none"]},
        expand=TEXTS,
        invoice=TEXT,
        lines={"type": "array", "items": CREDITED},
        memo=TEXT,
        metadata=FREE_MAP,
        out_of_band_amount=WHOLE,
        reason={"enum": ["duplicate", "fraudulent", "order_change", "product_unsatisfactory"]},
        refund_amount=WHOLE,
        refunds={"type": "array", "items": _takes("refund", amount_refunded=WHOLE, refund=TEXT)},
    ),
    ("GET", "/v1/credit_notes/{}/lines"): _takes(**PAGING),
    ("POST", "/v1/credit_notes/{}/void"): _takes(expand=TEXTS),
    ("POST", "/v1/billing/meters/{}/deactivate"): _takes(expand=TEXTS),
    ("POST", "/v1/billing/meters/{}/reactivate"): _takes(expand=TEXTS),
    ("POST", "/v1/disputes/{}/close"): _takes(expand=TEXTS),
    ("GET", "/v1/invoice_payments/{}"): _takes(expand=TEXTS),
    ("POST", "/v1/invoices/{}/mark_uncollectible"): _takes(expand=TEXTS),
    ("POST", "/v1/payment_intents/{}/cancel"): _takes(
        cancellation_reason={"enum": ["abandoned", "duplicate", "fraudulent", "requested_by_customer"]}, expand=TEXTS
    ),
    ("POST", "/v1/subscription_schedules/{}/cancel"): _takes(
        expand=TEXTS, invoice_now={"type": "boolean"}, prorate={"type": "boolean"}
    ),
    # The published one has no `payment_behavior`, and an anchor that is a word where this version has an object.
    ("POST", "/v1/subscriptions/{}/resume"): _takes(
        billing_cycle_anchor=_takes("type", type={"enum": ["now", "unchanged"]}),
        expand=TEXTS,
        payment_behavior={"enum": ["resume_on_payment_attempt", "resume_on_payment_success"]},
        proration_behavior={"enum": ["always_invoice", "create_prorations", "none"]},
        proration_date=WHOLE,
    ),
    ("POST", "/v2/billing/meter_events"): _takes(
        "event_name",
        "payload",
        event_name={"type": "string", "maxLength": 100},
        identifier={"type": "string", "maxLength": 100},
        payload=FREE_MAP,
        timestamp=MOMENT,
    ),
    ("POST", "/v2/billing/meter_event_adjustments"): _takes(
        "cancel",
        "event_name",
        "type",
        cancel=_takes("identifier", identifier={"type": "string", "maxLength": 100}),
        event_name={"type": "string", "maxLength": 100},
        type={"enum": ["cancel"]},
    ),
    ("POST", "/v2/core/event_destinations"): _takes(
        "enabled_events",
        "event_payload",
        "name",
        "type",
        description=TEXT,
        enabled_events=TEXTS,
        event_payload={"enum": ["snapshot", "thin"]},
        include={"type": "array", "items": {"enum": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"]}},
        metadata=FREE_MAP,
        name=TEXT,
        snapshot_api_version=TEXT,
        type={"enum": ["webhook_endpoint"]},
        webhook_endpoint=_takes("url", url=TEXT),
    ),
    ("GET", "/v2/core/event_destinations"): _takes(),
    ("GET", "/v2/core/event_destinations/{}"): _takes(),
    ("DELETE", "/v2/core/event_destinations/{}"): _takes(),
    ("GET", "/v2/core/events"): _takes(
        created={
            "type": "object",
            "properties": dict.fromkeys(("gt", "gte", "lt", "lte"), MOMENT),
        },
        limit=WHOLE,
        object_id=TEXT,
        page=TEXT,
        types=TEXTS,
    ),
    ("GET", "/v2/core/events/{}"): _takes(),
}


def _answers(kind: str, *maybe: str, **named: Document) -> Document:
    """Describe an object all of whose fields are there, but those in `maybe`."""
    fields = {"object": {"enum": [kind]}, "livemode": {"enum": [False]}, **named}
    return {"type": "object", "properties": fields, "required": [name for name in fields if name not in maybe]}


# `object` → the schema of an answer of /v2.
ANSWERS: dict[str, Document] = {
    "v2.billing.meter_event": _answers(
        "v2.billing.meter_event",
        created=MOMENT,
        event_name=TEXT,
        identifier=TEXT,
        payload=FREE_MAP,
        timestamp=MOMENT,
    ),
    "v2.billing.meter_event_adjustment": _answers(
        "v2.billing.meter_event_adjustment",
        cancel={"type": "object", "properties": {"identifier": TEXT}, "required": ["identifier"]},
        created=MOMENT,
        event_name=TEXT,
        id=TEXT,
        status={"enum": ["complete", "pending"]},
        type={"enum": ["cancel"]},
    ),
    "v2.core.event_destination": _answers(
        "v2.core.event_destination",
        # Only the id is left of one that was removed.
        *("created", "description", "enabled_events", "event_payload", "events_from", "livemode", "metadata", "name"),
        *("snapshot_api_version", "status", "status_details", "type", "updated", "webhook_endpoint"),
        created=MOMENT,
        description=TEXT,
        enabled_events=TEXTS,
        event_payload={"enum": ["snapshot", "thin"]},
        events_from=TEXTS,
        id=TEXT,
        metadata=FREE_MAP,
        name=TEXT,
        snapshot_api_version={"type": ["string", "null"]},
        status={"enum": ["disabled", "enabled"]},
        status_details={"type": "null"},
        type={"enum": ["webhook_endpoint"]},
        updated=MOMENT,
        webhook_endpoint={
            "type": ["object", "null"],
            "properties": {key: {"type": ["string", "null"]} for key in ("signing_secret", "url")},
        },
    ),
    "v2.core.event": _answers(
        "v2.core.event",
        "changes",
        "context",
        "data",
        "reason",
        "related_object",
        "snapshot_event",
        changes={"type": ["object", "null"]},
        context={"type": ["string", "null"]},
        created=MOMENT,
        data={"type": ["object", "null"]},
        id=TEXT,
        reason={"type": ["object", "null"]},
        related_object={
            "type": ["object", "null"],
            "properties": {"id": TEXT, "type": TEXT, "url": TEXT},
            "required": ["id", "type", "url"],
        },
        snapshot_event=TEXT,
        type={"type": "string", "pattern": r"^v[12]\."},
    ),
}
