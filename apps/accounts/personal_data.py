"""What accounts keeps about a person: the profile, the addresses, the answers, and what staff did."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import AuditEntry, Consent, Device, EmailChange, Letter, StaffNote, User


class PersonalData:
    """Hands it out, and forgets it."""

    slug = "accounts"
    title = _("Your account")

    def export(self, user: User) -> Iterable[tuple[str, object]]:
        """Yield file names with JSON-ready content."""
        yield "profile.json", _profile(user)
        yield "consents.json", list(_consents(user))
        yield "staff.json", list(_staff_acts(user))
        notes = StaffNote.objects.filter(subject=user).order_by("written_at")
        yield "notes_of_staff.json", list(notes.values("text", "written_at"))
        yield "mails.json", list(_mails(user))
        yield "sign_ins.json", _sign_ins(user)

    def erase(self, user: User, *, now: datetime) -> int:
        """Make the row nobody's: books that point at it stay whole, and nothing in it names a person.

        Effect   an act. What staff did stays, without free text, since it is evidence.
        Returns  how many rows were removed or made anonymous.
        Repeat   the second time finds nothing but the row itself.
        """
        with transaction.atomic(durable=True):
            removed = Consent.objects.filter(user=user).delete()[0]
            removed += AuditEntry.objects.filter(subject=user).exclude(reason="").update(reason="")
            removed += int(StaffNote.objects.filter(subject=user).delete()[0])
            for rows in (Device, EmailChange, UserSession, Authenticator, SocialAccount):
                removed += int(rows.objects.filter(user=user).delete()[0])
            removed += int(Letter.objects.filter(to__in=_addresses(user)).delete()[0])
            removed += int(EmailAddress.objects.filter(user=user).delete()[0])
            _anonymise(user)
        return removed + 1


def _profile(user: User) -> dict[str, object]:
    addresses = EmailAddress.objects.filter(user=user).order_by("email")
    return {
        "id": str(user.pk),
        "email": user.email,
        "addresses": [{"email": address.email, "is_verified": address.verified} for address in addresses],
        "name": user.name,
        "language": user.language,
        "theme": user.theme,
        "time_zone": user.time_zone,
        "wants_limit_mail": user.wants_limit_mail,
        "wants_spending_mail": user.wants_spending_mail,
        "country": user.country,
        "joined_at": user.date_joined,
        "last_signed_in_at": user.last_login,
    }


def _consents(user: User) -> Iterator[dict[str, object]]:
    for consent in user.consents.order_by("answered_at", "id"):
        yield {
            "kind": consent.kind,
            "version": consent.version,
            "is_given": consent.is_given,
            "country": consent.country,
            "answered_at": consent.answered_at,
        }


def _staff_acts(user: User) -> Iterator[dict[str, object]]:
    for entry in AuditEntry.objects.filter(subject=user).order_by("happened_at", "id"):
        yield {"action": entry.action, "reason": entry.reason, "happened_at": entry.happened_at}


def _mails(user: User) -> Iterator[dict[str, object]]:
    """That they were sent; what they said is not kept."""
    for letter in Letter.objects.filter(to__in=_addresses(user)).order_by("wanted_at"):
        yield {"kind": letter.kind, "to": letter.to, "wanted_at": letter.wanted_at, "sent_at": letter.sent_at}


def _sign_ins(user: User) -> dict[str, object]:
    """Sessions, browsers and second factors, without their secrets."""
    sessions = UserSession.objects.filter(user=user)
    elsewhere = SocialAccount.objects.filter(user=user)
    return {
        "accounts_elsewhere": list(elsewhere.values("provider", "uid", "extra_data", "date_joined", "last_login")),
        "sessions": list(sessions.values("created_at", "last_seen_at", "ip", "user_agent")),
        "devices": list(Device.objects.filter(user=user).values("first_seen_at", "last_seen_at")),
        "factors": list(Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")),
    }


def _addresses(user: User) -> set[str]:
    return {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}


def _anonymise(user: User) -> None:
    user.email = f"left-{user.pk}@invalid"
    user.name = user.language = user.country = ""
    user.time_zone = "UTC"
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.set_unusable_password()
    fields = ["email", "name", "language", "country", "time_zone", "is_active", "is_staff", "is_superuser"]
    user.save(update_fields=[*fields, "last_login", "password"])
