"""Meters: events that report usage are taken once, summed up by customer and time, and can be taken back for a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from apps.stripe_sandbox import clock, clocks, ids, meter_problems, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.errors import invalid
from apps.stripe_sandbox.models import MeterEvent

DAY_S = 86400
OLDEST_S, NEWEST_S = 35 * DAY_S, 5 * 60
MOST_DECIMALS = 12


@dataclass(frozen=True)
class Report:
    """What a caller reports; the moment is in seconds since 1970, or None for this moment."""

    event_name: str
    payload: Document
    identifier: str
    at: int | None


def find_active(event_name: str) -> Document | None:
    """Find the meter that takes events of this name."""
    rows = store.select("billing.meter", body__event_name=event_name, body__status="active")
    return next(iter(store.documents(rows[:1])), None)


def record(report: Report) -> Document:
    """Take one report of usage; give it in the shape of v1.

    An unknown customer, or a name that no meter has, is taken all the same: a thin event tells of it, as Stripe finds
    out only later.
    Raises  StripeError 400: no number, a time too far away, an archived meter, or an identifier of the last 24 hours.
    """
    meter = find_active(report.event_name)
    if meter is None:
        return _record_for_nobody(report)
    key = meter["customer_mapping"]["event_payload_key"]
    if key not in report.payload:
        message = f"The payload must have a `{key}` that names the customer."
        raise invalid(message, f"payload[{key}]", "meter_event_no_customer_defined")
    value, customer = _value(meter, report), store.find("customer", report.payload[key])
    now = clocks.time_of_customer(customer)
    at = _require_near(now if report.at is None else report.at, now)
    _require_new(report.identifier, now)
    if customer is None or customer.get("_deleted"):
        message = f"No such customer: '{report.payload[key]}'"
        meter_problems.report(meter, "meter_event_customer_not_found", message, report.identifier)
    else:
        MeterEvent.objects.create(
            identifier=report.identifier,
            meter=meter["id"],
            customer=customer["id"],
            at=at,
            value=str(value),
            received_at=now,
        )
    return _shape(report, at, now)


def _record_for_nobody(report: Report) -> Document:
    if store.select("billing.meter", body__event_name=report.event_name).exists():
        raise invalid(f"The meter for `{report.event_name}` is inactive.", "event_name", "archived_meter")
    meter_problems.report(None, "no_meter", f"No meter takes events named `{report.event_name}`.", report.identifier)
    now = clock.now()
    return _shape(report, now if report.at is None else report.at, now)


def _value(meter: Document, report: Report) -> Decimal:
    if meter["default_aggregation"]["formula"] == "count":
        return Decimal(1)
    key = meter["value_settings"]["event_payload_key"]
    if key not in report.payload:
        raise invalid(f"The payload must have a `{key}`.", f"payload[{key}]", "meter_event_value_not_found")
    try:
        value = Decimal(report.payload[key])
    except InvalidOperation:
        value = Decimal("NaN")
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > MOST_DECIMALS:
        message = f"Invalid value: {report.payload[key]}. It must be a number with at most {MOST_DECIMALS} decimals."
        raise invalid(message, f"payload[{key}]", "meter_event_invalid_value")
    return value


def _require_near(at: int, now: int) -> int:
    if at < now - OLDEST_S:
        message = "The timestamp must be within the past 35 calendar days."
        raise invalid(message, "timestamp", "timestamp_too_far_in_past")
    if at > now + NEWEST_S:
        message = "The timestamp must be no more than 5 minutes in the future."
        raise invalid(message, "timestamp", "timestamp_in_future")
    return at


def _require_new(identifier: str, now: int) -> None:
    if MeterEvent.objects.filter(identifier=identifier, received_at__gt=now - DAY_S).exists():
        message = f"An event already exists with identifier {identifier}."
        raise invalid(message, "identifier", "duplicate_meter_event")


def cancel(event_name: str, identifier: str) -> Document:
    """Take an event back, within 24 hours after it was received.

    Raises  StripeError 400: there is no such event, or it is too late.
    """
    meter = find_active(event_name)
    found = meter and MeterEvent.objects.filter(meter=meter["id"], identifier=identifier).order_by("-id").first()
    if not found:
        message = f"No meter event found with identifier {identifier}."
        raise invalid(message, "cancel[identifier]", "resource_missing")
    now = clocks.time_of_customer(store.find("customer", found.customer))
    if now - found.received_at > DAY_S:
        message = "A meter event can only be canceled within 24 hours after it was received."
        raise invalid(message, "cancel[identifier]", "meter_event_too_old")
    MeterEvent.objects.filter(id=found.id).update(is_canceled=True)
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": event_name,
        "livemode": False,
        "status": "complete",
        "type": "cancel",
    }


def aggregate(meter: Document, customer: str, start: int, end: int) -> Decimal:
    """Add up what a customer used from `start` up to, not including, `end`."""
    rows = MeterEvent.objects.filter(meter=meter["id"], customer=customer, at__gte=start, at__lt=end, is_canceled=False)
    return _total(meter, rows.order_by("at", "id").values_list("value", flat=True))


def windows(meter: Document, customer: str, span: tuple[int, int], step_s: int) -> list[tuple[int, int, Decimal]]:
    """Add up by windows of `step_s` seconds, newest first; windows without any event are left out."""
    rows = MeterEvent.objects.filter(
        meter=meter["id"], customer=customer, at__gte=span[0], at__lt=span[1], is_canceled=False
    )
    found: dict[int, list[str]] = {}
    for at, value in rows.order_by("at", "id").values_list("at", "value"):
        found.setdefault(at - at % step_s, []).append(value)
    return [(start, start + step_s, _total(meter, found[start])) for start in sorted(found, reverse=True)]


def _total(meter: Document, values: Iterable[str]) -> Decimal:
    numbers = [Decimal(value) for value in values]
    if meter["default_aggregation"]["formula"] == "last":
        return numbers[-1] if numbers else Decimal(0)
    return sum(numbers, Decimal(0))


def _shape(report: Report, at: int, now: int) -> Document:
    return {
        "object": "billing.meter_event",
        "created": now,
        "event_name": report.event_name,
        "identifier": report.identifier,
        "livemode": False,
        "payload": report.payload,
        "timestamp": at,
    }


def new_identifier() -> str:
    """Make the identifier of an event that came without one."""
    return ids.word(32)
