"""A week to change one's mind: closed at once, erased seven days later, and kept if its owner says so."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts import audit, letters
from apps.accounts.models import User
from apps.billing import outbox
from apps.billing.models import StripeOutbox
from apps.core import guards
from apps.core.errors import Conflict, Invalid, Missing
from apps.privacy import doors
from apps.privacy.models import DataRequest, DataRequestQuerySet

WINDOW = timedelta(days=7)
REMINDED_BEFORE = timedelta(days=1)
AFTER_WHAT_IS_UNDER_WAY = timedelta(minutes=1)  # a call to Stripe that was begun has ended by then
SALT = "departure of an account"
State = DataRequest.State


def schedule(user: User, typed_email: str, *, now: datetime) -> DataRequest:
    """Close a person's account; in seven days it is erased, unless they come back.

    Effect  an act: the request, the account closed (nobody signs in, no API key works), subscriptions to end with what
            is paid, a letter. Then running answers are asked to stop.
    Raises  Invalid: another address was typed. Nothing is changed.
    Repeat  the request that is open.
    """
    if typed_email.strip().lower() != user.email.lower():
        raise Invalid(_("That is not the address of this account. Nothing was deleted."), field="email")
    with transaction.atomic(durable=True):
        asked = DataRequest(
            user=user, kind=DataRequest.Kind.ERASURE, state=State.SCHEDULED, asked_at=now, next_at=now + WINDOW
        )
        is_new = not DataRequest.objects.erasures().open().filter(user=user).exists()
        DataRequest.objects.bulk_create([asked], ignore_conflicts=True)
        request: DataRequest = DataRequest.objects.erasures().open().get(user=user)
        doors.lock(user)
        if is_new:
            _want_ends(request, user, now=now)
            _write(request, user, "account_leaving", now=now)
    doors.stop_answers(user, now=now)
    return request


def find_departure(user_id: UUID, *, now: datetime) -> DataRequest | None:
    """The erasure of an account that can still be called off."""
    request: DataRequest | None = _recallable(now).filter(user_id=user_id).select_related("user").first()
    return request


def keep(request_id: UUID, *, now: datetime) -> User:
    """Call an erasure off: everything is as before, but for sessions and subscriptions that ended meanwhile.

    Effect  an act; of this and the erasure exactly one wins, by one conditional UPDATE.
    Raises  Conflict: it is too late, or was called off before.
    """
    with transaction.atomic(durable=True):
        if not _recallable(now).filter(pk=request_id).update(state=State.KEPT, done_at=now):
            raise Conflict(_("This account cannot be called back any more."), code="too_late")
        request = DataRequest.objects.select_related("user").get(pk=request_id)
        user = request.user
        assert user is not None  # noqa: S101 only an erasure takes it away
        doors.unlock(user)
        _want_resumption(request, now=now)
        audit.record(None, "account.kept", subject=user, now=now)
    return user


def remind(*, now: datetime) -> int:
    """Write once more, a day before, to who is about to be erased; say to how many."""
    due = DataRequest.objects.filter(state=State.SCHEDULED, reminded_at=None, next_at__lte=now + REMINDED_BEFORE)
    return sum(_remind(request, now=now) for request in due.select_related("user"))


def link_of(request: DataRequest) -> str:
    """The address that calls an erasure off, for the person's own mailbox."""
    return settings.SITE_URL + reverse("privacy:keep", args=[signing.dumps(str(request.pk), salt=SALT)])


def read_link(token: str, *, now: datetime) -> DataRequest:
    """The erasure that a link calls off.

    Raises  Missing: not a link of ours, or too late.
    """
    try:
        request_id = UUID(signing.loads(token, salt=SALT))
    except (signing.BadSignature, ValueError):
        raise Missing(_("There is nothing at this address.")) from None
    request: DataRequest | None = _recallable(now).filter(pk=request_id).select_related("user").first()
    if request is None:
        raise Missing(_("This account cannot be called back any more."))
    return request


def write_receipt(request: DataRequest, *, now: datetime) -> None:
    """Tell whose account is gone; the address is forgotten when the letter left. A step."""
    guards.inside_transaction()
    if not request.notify:
        return
    address = settings.SITE_URL + reverse("privacy:receipt", args=[request.pk])
    letters.write(
        "privacy/mail/account_erased",
        request.notify,
        {"receipt_url": address},
        language=request.language,
        useful_for=WINDOW,
        now=now,
    )


def _recallable(now: datetime) -> DataRequestQuerySet:
    found: DataRequestQuerySet = DataRequest.objects.erasures().filter(state=State.SCHEDULED, next_at__gt=now)
    return found


def _want_ends(request: DataRequest, user: User, *, now: datetime) -> None:
    """A plan ends with what is paid, and so no charge comes in the week; one that ends already is left alone."""
    for subscription in doors.subscriptions_of(user).filter(cancel_at_period_end=False, cancel_at=None):
        payload = {"subscription": subscription.pk}
        outbox.add(outbox.END, f"leave:{request.pk}:{subscription.pk}", payload, subscription.account, now=now)


def _want_resumption(request: DataRequest, *, now: datetime) -> None:
    for row in StripeOutbox.objects.filter(key__startswith=f"leave:{request.pk}:").select_related("account"):
        outbox.withdraw(row)
        later = now + AFTER_WHAT_IS_UNDER_WAY
        outbox.add(outbox.RESUME, f"stay:{row.key}", row.payload, row.account, not_before=later, now=now)


def _remind(request: DataRequest, *, now: datetime) -> bool:
    with transaction.atomic(durable=True):
        ours = DataRequest.objects.filter(pk=request.pk, state=State.SCHEDULED, reminded_at=None).update(
            reminded_at=now
        )
        if ours and request.user is not None:
            _write(request, request.user, "account_leaving_soon", now=now)
        return bool(ours)


def _write(request: DataRequest, user: User, kind: str, *, now: datetime) -> None:
    facts = {"due": request.next_at, "keep_url": link_of(request)}
    letters.write(f"privacy/mail/{kind}", user.email, facts, language=user.language, useful_for=WINDOW, now=now)
