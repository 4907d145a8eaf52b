"""Leaving: cancel at Stripe first and wait for its end, then erase each store, and keep a receipt that names nobody."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit, guests
from apps.accounts.models import User
from apps.billing import outbox
from apps.billing.models import BillingAccount, StripeOutbox
from apps.core import jobs
from apps.core.errors import Missing
from apps.privacy import departures, doors
from apps.privacy.models import DataRequest
from apps.privacy.registry import STORES

LOOK_AGAIN = timedelta(seconds=45)
BATCH = 100
STRIPE = "stripe-subscriptions"  # the receipt's line for what was ended there
State = DataRequest.State


def ask_erasure(user: User, *, now: datetime) -> DataRequest:
    """Begin to delete a person's account without waiting a week; from here on nobody can sign in to it.

    Effect  an act: the request, the account closed, live subscriptions to be cancelled. Then keys are revoked and
            running answers asked to stop.
    Repeat  the request that is open; one that would wait for its week waits no more.
    """
    with transaction.atomic(durable=True):
        asked = DataRequest(user=user, kind=DataRequest.Kind.ERASURE, asked_at=now, next_at=now)
        DataRequest.objects.bulk_create([asked], ignore_conflicts=True)
        mine = DataRequest.objects.erasures().open().filter(user=user)
        mine.filter(state=State.SCHEDULED).update(state=State.WAITING, next_at=now)
        request: DataRequest = mine.get()
        doors.lock(user)
        _begin(request, user, now=now)
    _close_doors(user, now=now)
    return request


def continue_erasure(request_id: UUID, *, now: datetime) -> bool:
    """Go on with an erasure as far as it can go; say whether it is done.

    Effect  while a subscription lives or an answer runs, both are asked again to end and nothing is erased. Then each
            store is erased, one after the other, and the receipt grows with it.
    Repeat  what is erased finds nothing more; a request that is done stays as it is.
    Crash   the sweeper takes it up again.
    """
    _end_window(request_id, now=now)
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
    return unheard or doors.subscriptions_of(user).exists() or doors.running(user).exists()


def end_late_subscriptions(*, now: datetime) -> int:
    """Cancel what came to life for an account that was erased, from a checkout finished late; say how many."""
    with transaction.atomic(durable=True):
        late = list(doors.live_subscriptions().filter(account__erased_at__isnull=False).select_related("account"))
        for subscription in late:
            outbox.cancel_subscription(subscription, now=now)
    return len(late)


def ask_for_guests(*, now: datetime) -> int:
    """Begin to erase guests who never signed up, once their time is over; say how many."""
    old = list(guests.forgotten(now=now)[:BATCH])
    for guest in old:
        ask_erasure(guest, now=now)
    return len(old)


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


def _end_window(request_id: UUID, *, now: datetime) -> None:
    """Where the week of a departure is over, begin in earnest; nobody can call it off from here on. An act."""
    with transaction.atomic(durable=True):
        over = DataRequest.objects.erasures().due(at=now).filter(pk=request_id, state=State.SCHEDULED)
        if over.update(state=State.WAITING):
            request = DataRequest.objects.select_related("user").get(pk=request_id)
            if request.user is not None:
                _begin(request, request.user, now=now)


def _begin(request: DataRequest, user: User, *, now: datetime) -> None:
    """What is needed of the person to the end, and what must end first. A step."""
    notify = "" if user.is_guest else user.email  # nobody can write to a guest
    DataRequest.objects.filter(pk=request.pk).update(notify=notify, language=user.language)
    _want_news(user)
    _want_end_of_subscriptions(user, now=now)
    jobs.enqueue("privacy.continue_erasure", str(request.pk))


def _want_end_of_subscriptions(user: User, *, now: datetime) -> None:
    for subscription in doors.subscriptions_of(user):
        outbox.cancel_subscription(subscription, now=now)


def _close_doors(user: User, *, now: datetime) -> None:
    doors.revoke_keys(user, now=now)
    doors.stop_answers(user, now=now)


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
        finished = (
            DataRequest.objects.open()
            .filter(pk=request.pk)
            .update(state=State.DONE, done_at=now, notify="", language="")
        )
        if finished:
            departures.write_receipt(request, now=now)
            audit.record(None, "account.erased", subject=request.user, details=request.receipt, now=now)
    return bool(finished)
