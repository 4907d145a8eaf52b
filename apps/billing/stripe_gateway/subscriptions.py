"""Subscriptions: read, moved to another price, ended."""

from collections.abc import Iterator
from datetime import datetime

from apps.billing import stripe_facts as facts
from apps.billing.errors import PaymentRefused
from apps.billing.stripe_gateway.calls import Calls, Params

ENDED = ("canceled", "incomplete_expired")
EXPANDED = ("default_payment_method", "schedule")


class SubscriptionCalls(Calls):
    """Subscriptions: read, moved to another price, ended."""

    def list_subscriptions(self, customer: str | None = None) -> Iterator[facts.Subscription]:
        """Read all subscriptions, of one customer or of all, ended ones too, the newest first."""
        narrowed = {"customer": customer} if customer else {}
        params = {"status": "all", "expand": ["data.default_payment_method", "data.schedule"], **narrowed}
        for raw in self._pages(self._client.v1.subscriptions.list, params):
            yield facts.read_subscription(self._with_discounts(raw))

    def cancel_subscription(self, subscription: str, *, bills_usage: bool = False, key: str) -> None:
        """End a subscription at once; with a last invoice only where usage is still to be billed."""
        params = {"invoice_now": bills_usage, "prorate": False}
        self._ask(self._client.v1.subscriptions.cancel, params, subscription, key=key)

    def end_subscription(self, subscription: str, *, key: str) -> None:
        """Let a subscription end with what is paid. A schedule is dropped: what it planned would come back."""
        found = self._ask(self._client.v1.subscriptions.retrieve, {}, subscription)
        if found["status"] in ENDED or found["cancel_at_period_end"] or found.get("cancel_at"):
            return
        if found.get("schedule"):
            schedule = str(found["schedule"])
            self._ask(self._client.v1.subscription_schedules.release, {}, schedule, key=f"{key}:release")
        self._ask(self._client.v1.subscriptions.update, {"cancel_at_period_end": True}, subscription, key=key)

    def resume_subscription(self, subscription: str, *, key: str) -> bool:
        """Let a subscription that would end with what is paid go on; one that ended, or goes on, is left alone."""
        found = self._ask(self._client.v1.subscriptions.retrieve, {}, subscription)
        if found["status"] not in ENDED and found["cancel_at_period_end"]:
            self._ask(self._client.v1.subscriptions.update, {"cancel_at_period_end": False}, subscription, key=key)
        return True

    def move_price(self, subscription: str, item: str, prices: tuple[str, str], *, key: str) -> bool:
        """Let an item pay another price from its next renewal on; False where something else happens to it meanwhile.

        prices  the one it pays now, and the one it shall pay. Nothing is charged or given back now.
        """
        found = facts.read_subscription(self._ask(self._client.v1.subscriptions.retrieve, {}, subscription))
        pays = next((one.price.id for one in found.items if one.id == item), None)
        if pays == prices[1]:
            return True  # we did it before, and did not hear the answer
        if pays != prices[0] or not found.is_steady:
            return False
        params = {"items": [{"id": item, "price": prices[1]}], "proration_behavior": "none"}
        self._ask(self._client.v1.subscriptions.update, params, subscription, key=key)
        return True

    def is_as_mirrored(self, subscription: str, item: str, price: str) -> bool:
        """Whether an item has this price, and its subscription neither ends nor waits for a payment."""
        found = facts.read_subscription(self._ask(self._client.v1.subscriptions.retrieve, {}, subscription))
        ends = found.cancel_at_period_end or found.cancel_at is not None or found.ended_at is not None
        has_price = any((one.id, one.price.id) == (item, price) for one in found.items)
        return has_price and not ends and not found.has_pending_update

    def update_subscription(self, subscription: str, params: Params, *, key: str) -> None:
        """Change what is no price: that it ends, or goes on."""
        self._ask(self._client.v1.subscriptions.update, params, subscription, key=key)

    def change_price(
        self, subscription: str, item: Params, metadata: Params, prorated_at: datetime | None, *, key: str
    ) -> facts.Subscription:
        """Let an item cost something else at once, where it is paid at once; else the change waits for its payment.

        item         its id, and the price it shall have.
        prorated_at  from when on time is credited and charged; None: it is not, in a trial.
        """
        params = {"items": [item], "payment_behavior": "pending_if_incomplete", "metadata": metadata}
        params |= _proration(prorated_at)
        return facts.read_subscription(self._ask(self._client.v1.subscriptions.update, params, subscription, key=key))

    def drop_pending(self, subscription: str, price: str, *, key: str) -> bool:
        """Void the invoice of a change that waits for its payment: that drops it. False where it was paid first."""
        found = facts.read_subscription(self._ask(self._client.v1.subscriptions.retrieve, {}, subscription))
        if found.awaits(price):
            try:
                self._ask(self._client.v1.invoices.void_invoice, {}, found.latest_invoice, key=key)
            except PaymentRefused:  # paid or dropped since we looked
                found = facts.read_subscription(self._ask(self._client.v1.subscriptions.retrieve, {}, subscription))
                if found.awaits(price):
                    raise
        return all(item.price.id != price for item in found.items)

    def preview_change(
        self, subscription: str, item: str, price: str, *, prorated_at: datetime | None
    ) -> facts.Preview:
        """What another price would cost: at once, or with None, from the next period on. A question, as the next."""
        details = {"items": [{"id": item, "price": price}], **_proration(prorated_at)}
        params = {"subscription": subscription, "subscription_details": details}
        return facts.read_preview(self._ask(self._client.v1.invoices.create_preview, params))

    def preview_renewal(self, subscription: str, schedule: str) -> facts.Preview:
        """What the next invoice will say, by the schedule where one decides. A question, though it is a POST."""
        params = {"schedule": schedule} if schedule else {"subscription": subscription}
        return facts.read_preview(self._ask(self._client.v1.invoices.create_preview, params))

    def _with_discounts(self, raw: Params) -> Params:
        if not any(isinstance(discount, str) for discount in raw.get("discounts") or []):
            return raw
        params = {"expand": [*EXPANDED, "discounts.source.coupon"]}
        return self._ask(self._client.v1.subscriptions.retrieve, params, str(raw["id"]))


def _proration(at: datetime | None) -> Params:
    if at is None:
        return {"proration_behavior": "none"}
    return {"proration_behavior": "always_invoice", "proration_date": int(at.timestamp())}
