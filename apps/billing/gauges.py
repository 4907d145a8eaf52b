"""What operations see of the traffic with Stripe, for Prometheus; docs/billing.md says which of it is an alarm."""

import collections
import hashlib
from datetime import datetime, timedelta

from django.db import DatabaseError
from prometheus_client import Counter, Gauge

from apps.billing.models import BillingAccount, DriftItem, StripeEvent, StripeOutbox

deliveries = Counter("causerie_webhook_deliveries", "Deliveries to the webhook: new, repeated, refused", ["outcome"])
secrets = Counter("causerie_webhook_secret", "Deliveries by the secret that signed them, as its digest", ["secret"])
wrong_mode = Counter("causerie_webhook_wrong_mode", "Events of real money here, or of test money there: ignored")
other_version = Counter("causerie_webhook_other_version", "Events in another API version than the one we are made for")

waiting_events = Gauge("causerie_stripe_events_waiting", "Events that no sync has handled")
oldest_event = Gauge("causerie_stripe_events_oldest_seconds", "Age of the oldest of them")
wanted = Gauge("causerie_sync_wanted", "Accounts that somebody should look at Stripe for")
outbox = Gauge("causerie_outbox", "Rows of the outbox that are not done", ["kind", "state"])
drift = Gauge("causerie_drift_open", "Open differences between Stripe and us", ["kind", "severity"])
SHOWN = 12  # characters of a digest


def count_secret(secret: str) -> None:
    """Count one delivery for the secret that signed it; `fingerprint` says which that is."""
    secrets.labels(fingerprint(secret)).inc()


def fingerprint(secret: str) -> str:
    """A name for a secret that does not tell it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:SHOWN]


def measure(*, now: datetime) -> None:
    """Read from the tables what no counter of one process knows. A database that is down leaves the last values."""
    try:
        stored = StripeEvent.objects.filter(state=StripeEvent.State.STORED)
        oldest = stored.order_by("received_at").values_list("received_at", flat=True).first()
        waiting_events.set(stored.count())
        oldest_event.set((now - oldest) / timedelta(seconds=1) if oldest else 0)
        wanted.set(BillingAccount.objects.all().in_need_of_sync().count())
        rows = StripeOutbox.objects.exclude(state=StripeOutbox.State.DONE).values_list("kind", "state")
        items = DriftItem.objects.filter(fixed_at=None).values_list("kind", "severity")
        counted = {outbox: collections.Counter(rows), drift: collections.Counter(items)}
    except DatabaseError:
        return
    outbox.clear()
    drift.clear()
    for gauge, numbers in counted.items():
        for labels, number in numbers.items():
            gauge.labels(*labels).set(number)
