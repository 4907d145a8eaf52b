"""Money that came and went: invoices, refunds, disputes, credit notes."""

from collections.abc import Iterator
from datetime import datetime

from apps.billing import stripe_facts as facts
from apps.billing.stripe_gateway.calls import Calls, Params

PAYMENTS = "payments.data.payment.payment_intent"
CHARGES = "payments.data.payment.payment_intent.latest_charge"


class MoneyCalls(Calls):
    """Money that came and went: invoices, refunds, disputes, credit notes."""

    def list_invoices(
        self, customer: str | None, *, since: datetime | None = None, after: str = ""
    ) -> Iterator[facts.Invoice]:
        """Read the invoices of a customer, or of all, made since then, with the last charge of each payment.

        after  go on behind this one.
        """
        narrowed = {"customer": customer} if customer else {}
        params = {"expand": [f"data.{CHARGES}"], **narrowed, **_part(since, after)}
        return map(facts.read_invoice, self._pages(self._client.v1.invoices.list, params))

    def fetch_invoice(self, invoice: str) -> facts.Invoice:
        """Read one invoice with the last charge of each payment."""
        return facts.read_invoice(self._ask(self._client.v1.invoices.retrieve, {"expand": [CHARGES]}, invoice))

    def list_charges(self, start: datetime, end: datetime) -> Iterator[facts.Charge]:
        """Read everybody's charges that were made from `start` on and before `end`."""
        made = {"created": {"gte": int(start.timestamp()), "lt": int(end.timestamp())}}
        for raw in self._pages(self._client.v1.charges.list, made):
            yield facts.read_charge(raw, raw.get("payment_intent") or "")

    def fetch_fee(self, charge: str) -> facts.Fee | None:
        """Read what Stripe keeps of a charge; None: it is not booked yet."""
        return facts.read_fee(self._ask(self._client.v1.charges.retrieve, {"expand": ["balance_transaction"]}, charge))

    def list_refunds(self, payment_intent: str) -> Iterator[facts.Refund]:
        """Read the refunds of one payment."""
        return map(facts.read_refund, self._pages(self._client.v1.refunds.list, {"payment_intent": payment_intent}))

    def list_all_refunds(self, *, since: datetime | None, after: str = "") -> Iterator[facts.Refund]:
        """Read the refunds of everybody, made since then."""
        return map(facts.read_refund, self._pages(self._client.v1.refunds.list, _part(since, after)))

    def list_all_disputes(self, *, since: datetime | None, after: str = "") -> Iterator[facts.Dispute]:
        """Read the disputes of everybody, made since then."""
        return map(facts.read_dispute, self._pages(self._client.v1.disputes.list, _part(since, after)))

    def list_disputes(self, payment_intent: str) -> Iterator[facts.Dispute]:
        """Read the disputes of one payment."""
        return map(facts.read_dispute, self._pages(self._client.v1.disputes.list, {"payment_intent": payment_intent}))

    def list_credit_notes(self, invoice: str) -> Iterator[facts.CreditNote]:
        """Read the credit notes of one invoice."""
        return map(facts.read_credit_note, self._pages(self._client.v1.credit_notes.list, {"invoice": invoice}))

    def create_refund(self, params: Params, *, key: str) -> facts.Refund:
        """Give a payment back, in part or in full. It ends no subscription."""
        return facts.read_refund(self._ask(self._client.v1.refunds.create, params, key=key))

    def create_credit_note(self, params: Params, *, key: str) -> facts.CreditNote:
        """Write down that an invoice is less by what was given back."""
        return facts.read_credit_note(self._ask(self._client.v1.credit_notes.create, params, key=key))

    def why_unpaid(self, invoice: str) -> str:
        """Why an open invoice is not paid, as a code: Stripe's word for the decline, or `requires_action`."""
        raw = self._ask(self._client.v1.invoices.retrieve, {"expand": [PAYMENTS]}, invoice)
        return facts.read_reason(raw)

    def fetch_invoice_file(self, invoice: str) -> str:
        """Where an invoice can be had as a file: a bearer credential; empty while it is a draft."""
        return self._ask(self._client.v1.invoices.retrieve, {}, invoice).get("invoice_pdf") or ""

    def fetch_invoice_url(self, invoice: str) -> str:
        """The page on which Stripe shows an invoice: a bearer credential; empty while it is a draft."""
        return self._ask(self._client.v1.invoices.retrieve, {}, invoice).get("hosted_invoice_url") or ""


def _part(since: datetime | None, after: str) -> Params:
    """Which part of a list is read: what was made since then, behind one that was read before."""
    made = {"created": {"gte": int(since.timestamp())}} if since else {}
    return {**made, **({"starting_after": after} if after else {})}
