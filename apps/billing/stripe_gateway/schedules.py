"""Schedules: what a subscription will be from its next period on."""

from apps.billing.stripe_gateway.calls import Calls, Params

KEPT_OF_A_PHASE = ("price", "quantity")


class ScheduleCalls(Calls):
    """Schedules: what a subscription will be from its next period on."""

    def open_schedule(self, subscription: str, *, key: str) -> str:
        """Let a schedule decide about a subscription; its id. Nothing changes by that."""
        params = {"from_subscription": subscription}
        return str(self._ask(self._client.v1.subscription_schedules.create, params, key=key)["id"])

    def plan_price(self, schedule: str, item: Params, interval: str, metadata: Params, *, key: str) -> None:
        """Let the running phase end as it would, and then bill another item; after that the schedule lets go.

        item  its price and quantity; `interval`: one period of it, after which the schedule ends.
        """
        calls = self._client.v1.subscription_schedules
        found = self._ask(calls.retrieve, {}, schedule)
        running = next(one for one in found["phases"] if one["start_date"] == found["current_phase"]["start_date"])
        discounts = [{"discount": one["discount"]} for one in running.get("discounts") or [] if one.get("discount")]
        kept = {"discounts": discounts} if discounts else {}  # a phase that names none would lose them
        now = {
            "items": [{name: one[name] for name in KEPT_OF_A_PHASE} for one in running["items"]],
            "start_date": running["start_date"],
            "end_date": running["end_date"],
            **kept,
        }
        then = {
            "items": [item],
            "duration": {"interval": interval, "interval_count": 1},
            "metadata": metadata,
            "proration_behavior": "none",
            **kept,
        }
        params = {"phases": [now, then], "end_behavior": "release", "proration_behavior": "none"}
        self._ask(calls.update, params, schedule, key=key)

    def release_schedule(self, schedule: str, *, key: str) -> None:
        """Let a subscription go on without its schedule."""
        self._ask(self._client.v1.subscription_schedules.release, {}, schedule, key=key)
