"""Usage that is charged at the month's end, of people of the tests."""

from apps.billing import meter_outbox, overage
from apps.billing.models import MeterOutbox, Overage
from apps.core import ids
from tests.support import credit, shop


def turn_on(account, cap_micro=50_000_000):
    """From the person's click to a subscription that is mirrored."""
    overage.turn_on(account, cap_micro, "usd", now=shop.now())
    credit.send_outbox()
    shop.look(account)


def subscription(sandbox, account):
    """The subscription of usage at Stripe."""
    key = Overage.objects.get(account=account).stripe_subscription_id
    return sandbox.call("GET", f"/v1/subscriptions/{key}").json()


def counted(sandbox, account):
    """What Stripe has counted for an account so far, in micro-units."""
    [meter] = sandbox.objects("billing.meter")
    now = int(shop.now().timestamp()) // 60 * 60 + 120
    query = f"customer={account.stripe_customer_id}&start_time={now - 2 * 86400 - 240}&end_time={now}"
    answer = sandbox.call("GET", f"/v1/billing/meters/{meter['id']}/event_summaries?{query}").json()
    return round(sum(row["aggregated_value"] for row in answer["data"]))


def report(*, at=None):
    """What the job does once a minute."""
    return meter_outbox.send_due(clock=lambda: at or shop.now())


def states():
    """Value and state of everything that Stripe must be told."""
    return sorted(MeterOutbox.objects.values_list("value", "state"))


def tell(sandbox, account, value, at):
    """An event that Stripe has, and of which we did not hear."""
    fields = {
        "event_name": "causerie_api_usage", "timestamp": str(int(at.timestamp())), "identifier": str(ids.uuid7()),
        "payload[stripe_customer_id]": account.stripe_customer_id, "payload[value]": str(value),
    }  # fmt: skip
    assert sandbox.call("POST", "/v1/billing/meter_events", fields).status_code == 200
