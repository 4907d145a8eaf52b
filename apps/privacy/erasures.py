"""Leaving: cancel at Stripe first and wait for its end, then erase each store, and keep a receipt that names nobody."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.billing import outbox
from apps.billing.models import BillingAccount, StripeOutbox, SubscriptionMirror
from apps.core import jobs
from apps.core.errors import Invalid, Missing
from apps.developer import keys
from apps.developer.models import ApiKey
from apps.inference import runs
from apps.inference.models import Run
from apps.privacy.models import DataRequest
from apps.privacy.registry import STORES

LOOK_AGAIN = timedelta(seconds=45)
OVER = ("canceled", "incomplete_expired")  # Stripe's words for a subscription that cannot come back
STRIPE = "stripe-subscriptions"  # the receipt's line for what was ended there
State = DataRequest.State


def ask_erasure(user: User, password: str, *, now: datetime) -> DataRequest:
    """Begin to delete a person's account; from here on nobody can sign in to it.

    Effect  an act: the request, the account closed, live subscriptions to be cancelled. Then keys are revoked and
            running answers asked to stop.
    Raises  Invalid: the password is not right. Nothing is changed.
    Repeat  the request that is open.
    """
    if not user.check_password(password):
        raise Invalid(_("That is not your password. Nothing was deleted."), field="password")
    with transaction.atomic(durable=True):
        asked = DataRequest(user=user, kind=DataRequest.Kind.ERASURE, asked_at=now, next_at=now)
        DataRequest.objects.bulk_create([asked], ignore_conflicts=True)
        request: DataRequest = DataRequest.objects.erasures().open().get(user=user)
        # Reports leave out staff; they must go on to do so when the row has lost its rights.
        User.objects.filter(pk=user.pk).update(is_active=False, is_internal=user.is_internal or user.is_staff)
        _want_news(user)
        _want_end_of_subscriptions(user, now=now)
        jobs.enqueue("privacy.continue_erasure", str(request.pk))
    _close_doors(user, now=now)
    return request


def continue_erasure(request_id: UUID, *, now: datetime) -> bool:
    """Go on with an erasure as far as it can go; say whether it is done.

    Effect  while a subscription lives or an answer runs, both are asked again to end and nothing is erased. Then each
            store is erased, one after the other, and the receipt grows with it.
    Repeat  what is erased finds nothing more; a request that is done stays as it is.
    Crash   the sweeper takes it up again.
    """
    due = DataRequest.objects.erasures().due(at=now).filter(pk=request_id)
    if not due.update(attempts=F("attempts") + 1, next_at=now + LOOK_AGAIN):
        return False
    request = DataRequest.objects.select_related("user").get(pk=request_id)
    user = request.user
    if user is None:
        return _finish(request, now=now)
    with transaction.atomic(durable=True):
        _want_end_of_subscriptions(user, now=now)
    _close_doors(user, now=now)
    if is_waiting(user):
        DataRequest.objects.filter(pk=request_id).update(state=State.CANCELLING)
        return False
    request.receipt[STRIPE] = _ended_for(user)
    _erase_stores(request, user, now=now)
    return _finish(request, now=now)


def is_waiting(user: User) -> bool:
    """Whether something of this person has not ended yet: a subscription, news from Stripe, or a running answer."""
    accounts = BillingAccount.objects.filter(owner=user)
    unheard: bool = accounts.in_need_of_sync().exclude(stripe_customer_id=None).exists()
    return unheard or live_subscriptions().filter(account__owner=user).exists() or _running(user).exists()


def live_subscriptions() -> QuerySet[SubscriptionMirror]:
    """Subscriptions that may still bill: their end was not seen at Stripe."""
    return SubscriptionMirror.objects.filter(ended_at=None, gone_at=None).exclude(status__in=OVER)


def end_late_subscriptions(*, now: datetime) -> int:
    """Cancel what came to life for an account that was erased, from a checkout finished late; say how many."""
    with transaction.atomic(durable=True):
        late = list(live_subscriptions().filter(account__erased_at__isnull=False).select_related("account"))
        for subscription in late:
            outbox.cancel_subscription(subscription, now=now)
    return len(late)


def get_receipt(request_id: UUID) -> DataRequest:
    """What was erased, and when: for whoever has the address, since nobody can sign in any more. It names nobody.

    Raises  Missing.
    """
    request: DataRequest | None = DataRequest.objects.erasures().filter(pk=request_id).first()
    if request is None:
        raise Missing(_("There is no such receipt."))
    return request


def _want_news(user: User) -> None:
    """A checkout may have been paid a moment ago: what Stripe knows is read before anything is erased."""
    account = BillingAccount.objects.filter(owner=user).exclude(stripe_customer_id=None)
    if account.want_sync():
        jobs.enqueue("billing.sync_customer", str(account.get().pk))


def _want_end_of_subscriptions(user: User, *, now: datetime) -> None:
    for subscription in live_subscriptions().filter(account__owner=user).select_related("account"):
        outbox.cancel_subscription(subscription, now=now)


def _close_doors(user: User, *, now: datetime) -> None:
    for key in ApiKey.objects.live(at=now).filter(account__owner=user).select_related("account"):
        keys.revoke_key(key.account, key.pk, now=now)
    for run in _running(user):
        runs.request_stop(run, now=now)


def _running(user: User) -> QuerySet[Run]:
    found: QuerySet[Run] = Run.objects.filter(account__owner=user, state__in=(Run.State.QUEUED, Run.State.RUNNING))
    return found


def _ended_for(user: User) -> int:
    """How many subscriptions we asked Stripe to end; all of them have by now."""
    return StripeOutbox.objects.filter(account__owner=user, kind=outbox.CANCEL).count()


def _erase_stores(request: DataRequest, user: User, *, now: datetime) -> None:
    for store in STORES:
        removed = store.erase(user, now=now)
        request.receipt[store.slug] = request.receipt.get(store.slug, 0) + removed
        request.save(update_fields=["receipt"])


def _finish(request: DataRequest, *, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        BillingAccount.objects.filter(owner=request.user, erased_at=None).update(erased_at=now)
        finished = DataRequest.objects.open().filter(pk=request.pk).update(state=State.DONE, done_at=now)
        if finished:
            audit.record(None, "account.erased", subject=request.user, details=request.receipt, now=now)
    return bool(finished)
