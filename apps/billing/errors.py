"""This app's leaves of the error tree, and the one that stops the start."""

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from apps.billing.terms import MINOR, CreditOffer
from apps.core.errors import Conflict, Invalid, Missing, Unavailable


class CatalogueError(ImproperlyConfigured):
    """The catalogue cannot be used; the text names file, line and key, and says what would be right."""


class NotOnSale(Invalid):
    """Nobody sells this: an unknown plan, interval or currency."""

    code = "not_on_sale"

    def __init__(self, *, field: str) -> None:
        super().__init__(_("This plan is not on sale. Please choose one from the pricing page."), field=field)


class CreditNotOnSale(Invalid):
    """No credit is sold in this currency, or not this much, or not so little at a time."""

    code = "credit_not_on_sale"

    def __init__(self, offer: CreditOffer | None, currency: str, *, field: str) -> None:
        if offer is None:
            super().__init__(_("API credit is not on sale in your currency."), field=field)
            return
        bounds = {
            "least": offer.least_minor // MINOR,
            "most": offer.most_minor // MINOR,
            "currency": currency.upper(),
        }
        super().__init__(_("Choose a whole amount from %(least)s to %(most)s %(currency)s.") % bounds, field=field)


class RechargeRefused(Invalid):
    """Auto-recharge cannot be set up so; `field` says which amount of it."""

    code = "recharge_refused"

    def __init__(self, *, field: str) -> None:
        sentences = {
            "threshold": _("Recharge below an amount from 0 to the most that can be bought at a time."),
            "most": _("The most in a month cannot be less than one recharge."),
        }
        super().__init__(sentences[field], field=field)


class UsageChargesRefused(Invalid):
    """Usage cannot be charged at the month's end so."""

    code = "usage_charges_refused"

    def __init__(self, most_micro: int, currency: str) -> None:
        bounds = {"most": most_micro // 1_000_000, "currency": currency.upper()}
        sentence = _("A cap is an amount above 0, up to %(most)s %(currency)s.") % bounds
        if not most_micro:
            sentence = str(_("Usage charges are not offered in your currency."))
        super().__init__(sentence, field="usage_cap")


class NoSavedCard(Conflict):
    """Nobody left a card that may be charged again."""

    code = "no_saved_card"

    def __init__(self) -> None:
        super().__init__(_("There is no saved card yet. Buy credit once with “Save my card”, then turn this on."))


class NotGrantable(Invalid):
    """Staff cannot give this; the sentence says which part of it is wrong."""

    code = "not_grantable"


class NotHoldable(Invalid):
    """Staff cannot stop or free an account so; the sentence says which part is wrong."""

    code = "not_holdable"


class NotRefundable(Invalid):
    """Staff cannot give this back; the sentence says why."""

    code = "not_refundable"


class NothingToPay(Conflict):
    """No bill of the account is open."""

    code = "nothing_to_pay"

    def __init__(self) -> None:
        super().__init__(_("Nothing is open: everything is paid."))


class OnHold(Conflict):
    """The account can buy nothing while a payment is disputed, or staff stopped it."""

    code = "on_hold"

    def __init__(self) -> None:
        super().__init__(_("Your account is on hold, so nothing can be bought right now. Your plan page says why."))


class PaidAlready(Conflict):
    """This was paid a moment ago, in another tab."""

    code = "paid_already"

    def __init__(self) -> None:
        super().__init__(_("This was paid already, in another tab. The credit appears here in a moment."))


class AlreadySubscribed(Conflict):
    """The account pays for a plan already; the plan page changes it."""

    code = "already_subscribed"

    def __init__(self) -> None:
        super().__init__(_("You already have a paid plan. You can change it under Settings, Plan."))


class CheckoutBusy(Conflict):
    """Two tabs open and close each other's payment page."""

    code = "checkout_busy"

    def __init__(self) -> None:
        super().__init__(_("Another tab is opening a payment page right now. Nothing was charged. Please try again."))


class AlreadyOnPlan(Conflict):
    """The plan and interval that somebody chose are what they have."""

    code = "already_on_plan"

    def __init__(self) -> None:
        super().__init__(_("This is the plan you have. Nothing was charged, and nothing has changed."))


class NothingToChange(Conflict):
    """There is no subscription that could change; one begins on the pricing page."""

    code = "nothing_to_change"

    def __init__(self) -> None:
        super().__init__(_("You have no paid plan that could change. You can choose one on the pricing page."))


class ChangeBlocked(Conflict):
    """Something else must happen to the subscription first; the sentence says what."""


class ChangeUnderWay(Conflict):
    """Another change was agreed to, and what Stripe made of it is not known yet."""

    code = "change_under_way"

    def __init__(self) -> None:
        super().__init__(_("Another change of your plan is under way. Please wait a moment, then look at your plan."))


class PlanMoved(Conflict):
    """What somebody saw is no longer so."""

    code = "plan_moved"

    def __init__(self) -> None:
        super().__init__(_("Your plan has changed meanwhile. Nothing was charged. Please look at it again."))


class CodeRefused(Invalid):
    """A promotion code that does not work, for this person or at all."""

    code = "bad_promotion_code"

    def __init__(self) -> None:
        super().__init__(_("This code is not valid, or not for this purchase. Nothing was charged."), field="code")


class CurrencyFixed(Invalid):
    """A customer at Stripe keeps the currency of the first payment."""

    code = "currency_fixed"

    def __init__(self, currency: str) -> None:
        sentence = _("You have paid in %(currency)s before, so your plan is paid in %(currency)s too.")
        super().__init__(sentence % {"currency": currency.upper()}, field="currency")


class NothingToManage(Conflict):
    """The account never bought anything, so there is nothing at Stripe to show."""

    code = "nothing_to_manage"

    def __init__(self) -> None:
        super().__init__(_("There is nothing to manage yet: you have not bought a plan."))


class PaymentRefused(Conflict):
    """Stripe refused a request for good; the sentence is Stripe's own. `param` says which part of it."""

    def __init__(self, sentence: str, *, code: str, param: str = "") -> None:
        super().__init__(sentence or _("The payment service refused this."), code=code)
        self.param = param


class MissingAtStripe(Missing):
    """Stripe does not have this any more. `param` says what."""

    code = "missing_at_stripe"

    def __init__(self, param: str = "") -> None:
        super().__init__(_("The payment service does not know this any more."))
        self.param = param


class PaymentsAway(Unavailable):
    """Stripe does not answer, asks us to slow down, or does not take our key; what was asked may be asked again.

    spends_key  Stripe did answer, with a fault of its own: under the same idempotency key it repeats that answer.
    """

    code = "payments_unavailable"

    def __init__(self, cause: str = "", *, spends_key: bool = False) -> None:
        super().__init__(_("The payment service does not answer right now. Nothing was charged. Please try again."))
        self.cause = cause
        self.spends_key = spends_key


class NotMergeable(Conflict):
    """These two accounts cannot become one; the sentence says why."""

    code = "not_mergeable"


class ReasonMissing(Invalid):
    """Staff must say why; the reason is kept."""

    code = "reason_missing"

    def __init__(self) -> None:
        super().__init__(_("Please say why; the reason is kept in the audit log."), field="reason")


class ReconciliationBusy(Conflict):
    """Another worker compares everything with Stripe just now."""

    code = "reconciliation_busy"

    def __init__(self) -> None:
        super().__init__(_("Another comparison with Stripe is under way. Please try again in a few minutes."))


class NotOnSaleYet(Unavailable):
    """The catalogue offers it, but nobody published it to Stripe."""

    code = "not_published"

    def __init__(self) -> None:
        super().__init__(_("This plan cannot be bought yet. Please try again later."))


class ForgedEvent(Invalid):
    """Not from Stripe, too old, too new, or not an event at all. Nobody is told which."""

    code = "bad_event"

    def __init__(self) -> None:
        super().__init__("This is not a valid event.")
