"""What each role of staff may see and do: one table, and whoever is not in it may nothing."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.core.errors import Conflict, Invalid

Role = User.Role
ALL = ("*",)
# Role → room → verbs of its permissions ("view" of "usage.view_usagebucket"). Administrators may everything.
MAY: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        Role.SUPPORT: {
            "staff": ("find", "note", "block", "impersonate"),
            "usage": ("view",),
            "developer": ("view",),
            "privacy": ("view",),
            "chat": ("judge",),
            "inference": ("watch",),
        },
        Role.FINANCE: {
            "staff": ("find", "note", "money"),
            "billing": ALL,
            "usage": ALL,
            "reporting": ALL,
            "inference": ("watch",),
        },
    }
)


class RoleBackend(ModelBackend):
    """Adds what a role may to what Django knows of a person."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:  # noqa: ANN401  # Django's own
        room, _dot, codename = perm.partition(".")
        verbs = _verbs(user_obj, room)
        return codename.partition("_")[0] in verbs or verbs == ALL or super().has_perm(user_obj, perm, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:  # noqa: ANN401  # Django's own
        return bool(_verbs(user_obj, app_label)) or super().has_module_perms(user_obj, app_label)


def give(person: User, role: str, *, reason: str, by: User, now: datetime) -> None:
    """Give a person a role, another one, or none.

    role    one of Role, or empty: no longer staff
    Effect  an act, written down with its reason.
    Raises  Invalid: no such role, or no reason;  Conflict: oneself, or the last administrator.
    """
    if role not in ("", *Role.values):
        raise Invalid(_("There is no such role."), field="role")
    if not reason.strip():
        raise Invalid(_("Say why: it is written down."), field="reason")
    if person.pk == by.pk:
        raise Conflict(_("Nobody changes their own role. Ask another administrator."))
    with transaction.atomic(durable=True):
        admins = User.objects.select_for_update(no_key=True).filter(is_superuser=True, is_active=True)
        if role != Role.ADMIN and {one.pk for one in admins} == {person.pk}:
            raise Conflict(_("This is the last administrator. Name another one first."))
        is_admin = role == Role.ADMIN
        User.objects.filter(pk=person.pk).update(role=role, is_staff=bool(role), is_superuser=is_admin)
        details = {"role": role}
        audit.record(by, "account.role", subject=person, reason=reason.strip()[:500], details=details, now=now)


def _verbs(user: Any, room: str) -> tuple[str, ...]:  # noqa: ANN401  # Django's own
    if not (user.is_active and getattr(user, "is_staff", False)):
        return ()
    return MAY.get(user.role, {}).get(room, ())
