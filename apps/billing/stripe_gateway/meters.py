"""What Stripe counts of us, and the subscriptions that are billed by it."""

from collections.abc import Iterator
from datetime import datetime

from apps.billing import stripe_facts as facts
from apps.billing.stripe_gateway.calls import Calls, Params

CUSTOMER_KEY, VALUE_KEY = "stripe_customer_id", "value"


class MeterCalls(Calls):
    """What Stripe counts of us, and the subscriptions that are billed by it."""

    def find_meter(self, event_name: str) -> facts.Meter | None:
        """The active meter of these events."""
        listed = map(facts.read_meter, self._pages(self._client.v1.billing.meters.list, {"status": "active"}))
        return next((meter for meter in listed if meter.event_name == event_name), None)

    def create_meter(self, event_name: str, name: str, *, key: str) -> facts.Meter:
        """Make a meter that adds up what its events say."""
        params = {
            "display_name": name,
            "event_name": event_name,
            "default_aggregation": {"formula": "sum"},
            "customer_mapping": {"type": "by_id", "event_payload_key": CUSTOMER_KEY},
            "value_settings": {"event_payload_key": VALUE_KEY},
        }
        return facts.read_meter(self._ask(self._client.v1.billing.meters.create, params, key=key))

    def send_meter_event(
        self, event_name: str, customer: str, value: int, *, identifier: str, at: datetime, key: str
    ) -> None:
        """Tell what was used. Within 24 hours Stripe takes the same identifier only once.

        Raises  PaymentRefused: it has this identifier already, or it does not want the event.
        """
        params = {
            "event_name": event_name,
            "payload": {CUSTOMER_KEY: customer, VALUE_KEY: str(value)},
            "identifier": identifier,
            "timestamp": int(at.timestamp()),
        }
        self._ask(self._client.v1.billing.meter_events.create, params, key=key)

    def sum_of_meter(self, meter: str, customer: str, *, start: datetime, end: datetime) -> int:
        """What Stripe has counted for a customer between two moments, both on a whole minute."""
        params = {"customer": customer, "start_time": int(start.timestamp()), "end_time": int(end.timestamp())}
        rows = self._pages(self._client.v1.billing.meters.event_summaries.list, params, meter)
        return sum(round(row["aggregated_value"]) for row in rows)

    def create_usage_subscription(self, params: Params, *, key: str) -> str:
        """Begin a subscription that is billed by a meter; its id."""
        return str(self._ask(self._client.v1.subscriptions.create, params, key=key)["id"])

    def list_usage_subscriptions(self, customer: str, price: str) -> Iterator[facts.Subscription]:
        """Read the subscriptions of a customer to a price, ended ones too."""
        params = {"customer": customer, "price": price, "status": "all"}
        return map(facts.read_subscription, self._pages(self._client.v1.subscriptions.list, params))
