"""What closes, and opens again, when a person leaves: signing in, API keys, answers being written."""

from datetime import datetime

from django.db.models import Q, QuerySet

from apps.accounts import sessions
from apps.accounts.models import User
from apps.billing.models import SubscriptionMirror
from apps.core import guards
from apps.developer import keys
from apps.developer.models import ApiKey
from apps.inference import runs
from apps.inference.models import Run

OVER = ("canceled", "incomplete_expired")  # Stripe's words for a subscription that cannot come back


def lock(user: User) -> None:
    """Let nobody in any more: no way of signing in works, nor any API key. A step.

    Reports leave out staff; they must go on to do so when the row has lost its rights.
    """
    guards.inside_transaction()
    User.objects.filter(pk=user.pk).update(is_active=False, is_internal=Q(is_internal=True) | Q(is_staff=True))
    sessions.end_sessions(user)


def unlock(user: User) -> None:
    """Let the person in again, unless staff blocked them. A step."""
    guards.inside_transaction()
    User.objects.filter(pk=user.pk, blocked_at=None).update(is_active=True)


def revoke_keys(user: User, *, now: datetime) -> None:
    """End the API keys for good; an act for each."""
    for key in ApiKey.objects.live(at=now).filter(account__owner=user).select_related("account"):
        keys.revoke_key(key.account, key.pk, now=now)


def stop_answers(user: User, *, now: datetime) -> None:
    """Ask the answers being written to stop; an act for each."""
    for run in running(user):
        runs.request_stop(run, now=now)


def running(user: User) -> QuerySet[Run]:
    """Answers of this person that have not ended."""
    found: QuerySet[Run] = Run.objects.filter(account__owner=user, state__in=(Run.State.QUEUED, Run.State.RUNNING))
    return found


def live_subscriptions() -> QuerySet[SubscriptionMirror]:
    """Subscriptions that may still bill: their end was not seen at Stripe."""
    return SubscriptionMirror.objects.filter(ended_at=None, gone_at=None).exclude(status__in=OVER)


def subscriptions_of(user: User) -> QuerySet[SubscriptionMirror]:
    """Those of one person."""
    return live_subscriptions().filter(account__owner=user).select_related("account")
