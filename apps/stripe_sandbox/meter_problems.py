"""What is wrong with usage that was taken already: thin events tell of it, since Stripe finds out only later."""

from apps.stripe_sandbox import clock, thin_events
from apps.stripe_sandbox.documents import Document

NO_METER = "v1.billing.meter.no_meter_found"
ERRORS = "v1.billing.meter.error_report_triggered"


def report(meter: Document | None, code: str, message: str, identifier: str) -> None:
    """Tell of one event that cannot be billed; without a meter, that there is none."""
    now = thin_events.written(clock.now())
    sample = {"error_message": message, "request": {"identifier": identifier}}
    data = {
        "developer_message_summary": "There is 1 invalid event",
        "reason": {
            "error_count": 1,
            "error_types": [{"code": code, "error_count": 1, "sample_errors": [sample]}],
        },
        "validation_end": now,
        "validation_start": now,
    }
    thin_events.emit(ERRORS if meter else NO_METER, meter, data)
