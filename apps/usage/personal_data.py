"""What the person's archive holds of usage, and what leaves with the person."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.usage.models import CreditGrant, SpendingCap, UsageAlert, UsageBucket, UsageLedger

LEDGER_FIELDS = (
    "occurred_at", "kind", "channel", "plan_key", "model", "messages", "input_tokens", "cached_input_tokens",
    "cache_write_tokens", "image_input_tokens", "output_tokens", "reasoning_tokens", "price_micro", "credit_micro",
    "charged_micro",    "currency", "provenance",
)  # fmt: skip
GRANT_FIELDS = ("granted_at", "source", "amount_micro", "remaining_micro", "expires_at")
CAP_FIELDS = ("key_id", "amount_micro", "set_at")
ALERT_FIELDS = ("raised_at", "bucket__limit_key", "percent", "used", "limit_value")
WINDOW_FIELDS = ("limit_key", "window_start", "window_end", "limit_value", "settled")


class UsageData:
    """Counts and amounts. They name nobody: once the account is anonymised, the ledger says nothing about a person."""

    slug = "usage"
    title = _("What was used, and API credit")

    def export(self, user: User) -> Iterable[tuple[str, object]]:
        """The ledger, credit and windows of the person's account, without our own cost."""
        mine = {"account__owner": user}
        yield "ledger", list(UsageLedger.objects.filter(**mine).order_by("recorded_at").values(*LEDGER_FIELDS))
        yield "credit", list(CreditGrant.objects.filter(**mine).order_by("granted_at").values(*GRANT_FIELDS))
        yield "caps", list(SpendingCap.objects.filter(**mine).order_by("set_at").values(*CAP_FIELDS))
        yield "warnings", list(UsageAlert.objects.filter(**mine).order_by("raised_at").values(*ALERT_FIELDS))
        yield "windows", list(UsageBucket.objects.filter(**mine).order_by("window_start").values(*WINDOW_FIELDS))

    def erase(self, user: User, *, now: datetime) -> int:
        """Delete caps, and windows nothing is reserved in with their warnings.

        The ledger and its sums by quarter of an hour stay, for the books, and hold no name.
        """
        SpendingCap.objects.filter(account__owner=user).delete()
        idle = UsageBucket.objects.filter(account__owner=user, reserved=0).exclude(reservations__state="open")
        _total, by_model = idle.delete()
        return by_model.get(UsageBucket._meta.label, 0)
