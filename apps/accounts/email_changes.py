"""A change of address that both mailboxes confirm: who holds a session alone cannot take the account away."""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.accounts import codes, letters, sessions
from apps.accounts.models import EmailChange, User
from apps.core.errors import Conflict, Invalid

GOOD_FOR = timedelta(minutes=15)
MOST_TRIES = 5
PURPOSE = "change of an address"
FOLDER = "accounts/mail"


def ask(user: User, new_email: str, *, now: datetime) -> EmailChange:
    """Begin to change an address: a code goes to the mailbox in use, and another to the new one.

    Whether the new address has an account shows in its own mailbox alone: no code goes there, but word of it.
    Effect  an act: the change, in place of an earlier one that waits, and two letters.
    Raises  Invalid: the address is the one in use.
    """
    new_email = new_email.strip().lower()
    if new_email == user.email.lower():
        raise Invalid(_("That is your address already."), field="email")
    old_code, new_code = codes.make(), codes.make()
    with transaction.atomic(durable=True):
        values = {
            "old_email": user.email,
            "new_email": new_email,
            "old_code_hash": codes.digest(user, old_code, purpose=PURPOSE),
            "new_code_hash": codes.digest(user, new_code, purpose=PURPOSE),
            "tries": 0,
            "asked_at": now,
        }
        change, _is_new = EmailChange.objects.update_or_create(user=user, defaults=values)
        is_taken = User.objects.filter(email=new_email).exists() or _is_confirmed_elsewhere(new_email)
        _write(user, "email_change_old", user.email, {"code": old_code, "new_email": new_email}, now=now)
        kind = "email_change_taken" if is_taken else "email_change_new"
        _write(user, kind, new_email, {"code": new_code, "old_email": user.email}, now=now)
    return change


def find(user: User, *, now: datetime) -> EmailChange | None:
    """The change that waits for its codes."""
    return EmailChange.objects.filter(user=user, asked_at__gt=now - GOOD_FOR, tries__lt=MOST_TRIES).first()


def confirm(user: User, old_code: str, new_code: str, *, this_session: str | None, now: datetime) -> None:
    """Change the address, if the codes of both mailboxes are right.

    this_session  key of the session that stays; all others end.
    Effect  an act that counts the try, then an act: the address, and word of it to the old mailbox.
    Raises  Conflict: nothing waits, or too many tries, or the address got an account meanwhile;  Invalid: a wrong code.
    """
    waiting = EmailChange.objects.filter(user=user, asked_at__gt=now - GOOD_FOR, tries__lt=MOST_TRIES)
    with transaction.atomic(durable=True):
        is_mine_to_try = waiting.update(tries=F("tries") + 1)
    change = EmailChange.objects.filter(user=user).first()
    if not is_mine_to_try or change is None:
        raise Conflict(_("These codes are no longer good. Please begin again."), code="expired")
    _check(user, change, old_code, new_code)
    try:
        with transaction.atomic(durable=True):
            _move(change, now=now)
    except IntegrityError:
        raise Conflict(_("This address cannot be used. Nothing was changed."), code="address_taken") from None
    user.refresh_from_db(fields=["email"])
    sessions.end_sessions(user, but=this_session)


def drop(user: User) -> None:
    """Give a change up; its codes are good for nothing. An act."""
    with transaction.atomic(durable=True):
        EmailChange.objects.filter(user=user).delete()


def drop_old(*, now: datetime) -> int:
    """Forget changes that nobody confirmed; say how many."""
    return int(EmailChange.objects.filter(asked_at__lt=now - GOOD_FOR).delete()[0])


def _check(user: User, change: EmailChange, old_code: str, new_code: str) -> None:
    """Both are compared, always: how long it takes tells nothing."""
    told = ((old_code, change.old_code_hash, "old_code"), (new_code, change.new_code_hash, "new_code"))
    wrong = [field for code, kept, field in told if not codes.is_right(user, code, kept, purpose=PURPOSE)]
    if wrong:
        sentence = _("This code is not right. Look into the mail that came last.")
        raise Invalid(sentence, field=wrong[0], code="wrong_code")


def _move(change: EmailChange, *, now: datetime) -> None:
    """The condition holds the address that was confirmed: of two changes at once the second finds it gone. A step."""
    user = change.user
    if not EmailChange.objects.filter(user=user, asked_at=change.asked_at, new_email=change.new_email).delete()[0]:
        raise Conflict(_("These codes are no longer good. Please begin again."), code="expired")
    if not User.objects.filter(pk=user.pk, email=change.old_email).update(email=change.new_email):
        raise Conflict(_("These codes are no longer good. Please begin again."), code="expired")
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=change.new_email, verified=True, primary=True)
    _write(user, "email_changed", change.old_email, {"new_email": change.new_email}, now=now)


def _is_confirmed_elsewhere(email: str) -> bool:
    return bool(EmailAddress.objects.filter(email=email, verified=True).exists())


def _write(user: User, kind: str, to: str, facts: dict[str, str], *, now: datetime) -> None:
    letters.write(f"{FOLDER}/{kind}", to, facts, language=user.language, now=now)
