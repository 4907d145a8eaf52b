"""People, what they agreed to, and what staff did for them."""

from datetime import datetime
from typing import ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core import ids


class UserManager(BaseUserManager["User"]):
    """Makes people from an address and a password."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True, "role": "admin"})


class User(AbstractBaseUser, PermissionsMixin):
    """One row is one person who can sign in."""

    class Role(models.TextChoices):
        SUPPORT = "support", _("Support")
        FINANCE = "finance", _("Finance")
        ADMIN = "admin", _("Administrator")

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)  # empty: follow the browser
    theme = models.CharField(
        _("theme"),
        max_length=8,
        default="system",
        choices=[("system", _("Like the device")), ("light", _("Light")), ("dark", _("Dark"))],
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    country = models.CharField(
        _("country"), max_length=2, blank=True
    )  # ISO 3166-1; empty: unknown, treated as European
    wants_limit_mail = models.BooleanField(_("when the messages of a plan are used up, once a day"), default=False)
    wants_spending_mail = models.BooleanField(_("when 80 % and all of a spending cap are used"), default=True)
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, blank=True)  # of staff; see `roles`
    is_staff = models.BooleanField(default=False)  # moved with the role
    is_active = models.BooleanField(default=True)  # cleared by staff, or while the account is being deleted
    blocked_at = models.DateTimeField(null=True, editable=False)  # by staff; then `is_active` is off, too
    is_guest = models.BooleanField(default=False, editable=False)  # tries before signing up; see `guests`
    is_internal = models.BooleanField(default=False)  # set by staff: left out of every report
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]
        indexes = [models.Index(fields=["id"], condition=Q(is_staff=True) | Q(is_internal=True), name="user_uncounted")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.partition("@")[0]


class Consent(models.Model):
    """One row is one answer a person gave to one document, at one version; the latest row of a kind is in force."""

    class Kind(models.TextChoices):
        TERMS = "terms", _("Terms of service")
        PRIVACY = "privacy", _("Privacy notice")
        TRAINING = "training", _("Use of my conversations to improve models")

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    version = models.CharField(max_length=16)  # of the text the person saw, for example "2026-11"
    is_given = models.BooleanField()
    country = models.CharField(max_length=2, blank=True)  # where the person was when answering
    answered_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "kind", "-answered_at"], name="consent_latest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}: {self.is_given}"


class AuditEntry(models.Model):
    """One row is one thing that staff, or the system in staff's name, did; never changed, never deleted."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="audit_acts")
    subject = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="audit_entries")
    action = models.CharField(max_length=64)  # "export.csv", "account.refund": noun.verb
    reason = models.CharField(max_length=500, blank=True)
    details = models.JSONField(default=dict)
    happened_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["-happened_at"], name="audit_recent")]

    def __str__(self) -> str:
        return self.action


class StaffNote(models.Model):
    """One row is one note about a person by one of the staff; never changed. The person gets it with their data."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    subject = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notes_about")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.CharField(max_length=2000)
    written_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject", "-written_at"], name="note_of_person")]

    def __str__(self) -> str:
        return str(self.id)


class LetterQuerySet(models.QuerySet["Letter"]):
    """Letters, as sentences."""

    def waiting(self) -> Self:
        return self.filter(sent_at=None, given_up_at=None)

    def due(self, *, at: datetime) -> Self:
        return self.waiting().filter(next_at__lte=at)


class Letter(models.Model):
    """One row is one mail about an account, on its way or gone. To an address, since not every address has a person.

    `subject` and `text` may hold a code or a link that lets in: both are emptied when the mail left, or was given up.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    kind = models.CharField(max_length=64)
    to = models.EmailField()
    language = models.CharField(max_length=8)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    wanted_at = models.DateTimeField()
    next_at = models.DateTimeField()  # when a worker may take it; moved away by the one that does
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    useless_at = models.DateTimeField()  # when nobody waits for it any more
    given_up_at = models.DateTimeField(null=True)

    objects: ClassVar = LetterQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(sent_at=None, given_up_at=None), name="letter_due"),
            models.Index(fields=["to"], name="letter_to"),
        ]

    def __str__(self) -> str:
        return self.kind


class EmailChange(models.Model):
    """One row is one change of address that waits for the codes of both mailboxes; a person has one at most."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="email_change")
    old_email = models.EmailField()
    new_email = models.EmailField()
    old_code_hash = models.CharField(max_length=64)
    new_code_hash = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"change of {self.user_id}"


class Device(models.Model):
    """One row is one browser that a person signed in with; it keeps the key, we keep its hash."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    key_hash = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key_hash"], name="device_once_a_person")]

    def __str__(self) -> str:
        return str(self.id)


class VisitDay(models.Model):
    """One row is how many people came to a public page on a day from one source; nobody is in it. See `visits`."""

    class Page(models.TextChoices):
        HOME = "home"
        PRICING = "pricing"

    day = models.DateField()  # in the zone of the reports
    page = models.CharField(max_length=12, choices=Page.choices)
    source = models.CharField(max_length=60)  # a host, what a link says of itself, direct or other
    visits = models.PositiveIntegerField()  # moved by `visits.count`
    changed_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "page", "source"], name="visits_of_day_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.page} {self.source} {self.visits}"
