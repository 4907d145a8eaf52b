"""Payments for credit: listed, and made with a saved card."""

from collections.abc import Iterator

from apps.billing import stripe_facts as facts
from apps.billing.stripe_gateway.calls import Calls, Params


class PaymentCalls(Calls):
    """Payments for credit: listed, and made with a saved card."""

    def list_payments(self, customer: str) -> Iterator[facts.Payment]:
        """Read all payments of a customer, the newest first."""
        params = {"customer": customer, "expand": ["data.latest_charge"]}
        return map(facts.read_payment, self._pages(self._client.v1.payment_intents.list, params))

    def list_cards(self, customer: str) -> Iterator[facts.CardOnFile]:
        """Read the cards that a customer left, the newest first."""
        params = {"customer": customer, "type": "card"}
        return map(facts.read_card_on_file, self._pages(self._client.v1.payment_methods.list, params))

    def create_payment(self, params: Params, *, key: str) -> facts.Payment:
        """Charge a card.

        Raises  PaymentRefused: by the card, with the bank's code, or by Stripe.
        """
        return facts.read_payment(self._ask(self._client.v1.payment_intents.create, params, key=key))
