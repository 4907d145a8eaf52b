"""What a person agreed to: rows are added, never changed, and the latest of a kind is in force."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from apps.accounts import regions
from apps.accounts.models import Consent, User
from apps.core import guards, rows

# The version of each text that is shown now. A changed text gets a new version, and its readers are asked again.
VERSIONS: Mapping[Consent.Kind, str] = MappingProxyType(
    {
        Consent.Kind.TERMS: "2026-11",
        Consent.Kind.PRIVACY: "2026-11",
        Consent.Kind.TRAINING: "2026-11",
    }
)

LATEST = """
    SELECT {columns} FROM accounts_consent WHERE user_id = %s AND kind = %s ORDER BY answered_at DESC, id DESC LIMIT 1
"""


def record(user: User, kind: Consent.Kind, *, given: bool, version: str, now: datetime) -> Consent:
    """Keep one answer to one text.

    version  of the text the person saw when answering
    Effect   a step: adds a row; an earlier answer stays as it was.
    """
    guards.inside_transaction()
    return Consent.objects.create(
        user=user, kind=kind, is_given=given, version=version, country=user.country, answered_at=now
    )


def latest(user: User, kind: Consent.Kind) -> Consent | None:
    """Find the answer in force, or None when the person was never asked."""
    return rows.first(Consent, LATEST, [user.pk, kind.value])


def outdated(user: User) -> list[Consent.Kind]:
    """Texts of which this person accepted an earlier version, and not the one in force."""
    accepted = set(user.consents.filter(is_given=True).values_list("kind", "version"))
    known = {kind for kind, _version in accepted}
    needed = (Consent.Kind.TERMS, Consent.Kind.PRIVACY)
    return [kind for kind in needed if kind.value in known and (kind.value, VERSIONS[kind]) not in accepted]


def may_train(user: User) -> bool:
    """Say whether models may learn from what this person writes from now on.

    Without a yes: no. In Europe a yes must be specific, so it counts for the text in force and not for an older one;
    elsewhere it lasts until it is withdrawn.
    """
    answer = latest(user, Consent.Kind.TRAINING)
    if answer is None or not answer.is_given:
        return False
    if regions.is_european(user.country) or regions.is_european(answer.country):
        return answer.version == VERSIONS[Consent.Kind.TRAINING]
    return True
