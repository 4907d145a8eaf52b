"""This app's leaves of the error tree, and the one that stops the start."""

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, Invalid, TooLarge, Unavailable


class CatalogueError(ImproperlyConfigured):
    """The catalogue cannot be used; the text names file, line and key, and says what would be right."""


class NotOnSale(Invalid):
    """Nobody sells this: an unknown plan, interval or currency."""

    code = "not_on_sale"

    def __init__(self, *, field: str) -> None:
        super().__init__(_("This plan is not on sale. Please choose one from the pricing page."), field=field)


class AlreadySubscribed(Conflict):
    """The account pays for a plan already; the portal changes it."""

    code = "already_subscribed"

    def __init__(self) -> None:
        super().__init__(_("You already have a paid plan. You can change it under Settings, Plan."))


class NothingToManage(Conflict):
    """The account never bought anything, so there is nothing at Stripe to show."""

    code = "nothing_to_manage"

    def __init__(self) -> None:
        super().__init__(_("There is nothing to manage yet: you have not bought a plan."))


class PaymentRefused(Conflict):
    """Stripe refused the request for a reason a person may read; `sentence` is Stripe's own."""

    code = "payment_refused"


class PaymentsAway(Unavailable):
    """Stripe does not answer, or asks us to slow down; nothing was changed."""

    code = "payments_unavailable"

    def __init__(self, sentence: str | Promise | None = None) -> None:
        super().__init__(
            sentence or _("The payment service does not answer right now. Nothing was charged. Please try again.")
        )


class ForgedEvent(Invalid):
    """Not from Stripe, too old, too new, or not an event at all. Nobody is told which."""

    code = "bad_event"

    def __init__(self) -> None:
        super().__init__("This is not a valid event.")


class EventTooLarge(TooLarge):
    """More bytes than an event can have."""

    def __init__(self) -> None:
        super().__init__("This is larger than any event.")
