"""Who is counted: every account but those of staff, those marked internal, and those of the other Stripe mode."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, CharField, Q, Value, When

from apps.accounts.models import User
from apps.billing.models import BillingAccount

NEW_FOR = timedelta(days=30)
LIVE_KEYS = ("sk_live_", "rk_live_")


def is_livemode() -> bool:
    """Whether our key is a live one. With a sandbox key, sandbox customers are the ones we count."""
    return str(settings.STRIPE_SECRET_KEY).startswith(LIVE_KEYS)


def counted(path: str = "") -> Q:
    """The condition for rows that reports count; `path` leads from the row to its account: "account__"."""
    return ~left_out(path)


def left_out(path: str = "") -> Q:
    """The condition for test data. An account without a Stripe customer has no mode that could differ."""
    staff = Q(**{f"{path}owner__is_staff": True}) | Q(**{f"{path}owner__is_internal": True})
    return staff | _of_other_mode(path)


def counted_people(path: str = "") -> Q:
    """The condition for rows of people who count; `path` leads from the row to its person: "user__"."""
    ours = Q(**{f"{path}is_staff": True}) | Q(**{f"{path}is_internal": True})
    return ~ours & ~_of_other_mode(f"{path}billing_account__")


def count_left_out() -> int:
    """How many accounts no figure counts. Two parts, each found by an index."""
    people = User.objects.filter(Q(is_staff=True) | Q(is_internal=True))
    of_other_mode = BillingAccount.objects.filter(livemode=not is_livemode(), stripe_customer_id__isnull=False)
    ours = BillingAccount.objects.filter(owner__in=people)
    return ours.values("pk").union(of_other_mode.values("pk")).count()


def age_at(at: datetime, path: str = "") -> Case:
    """Whether an account was “new” (made within the 30 days before a moment) or “old”."""
    is_new = When(**{f"{path}created_at__gte": at - NEW_FOR}, then=Value("new"))
    return Case(is_new, default=Value("old"), output_field=CharField())


def _of_other_mode(path: str) -> Q:
    known = Q(**{f"{path}stripe_customer_id__isnull": False})
    return known & Q(**{f"{path}livemode": not is_livemode()})
