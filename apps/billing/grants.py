"""Plans that staff give: each act decides about access anew, and leaves an audit entry."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.billing import entitlements, plan_versions, plans
from apps.billing.errors import NotGrantable
from apps.billing.models import BillingAccount, PlanGrant


@dataclass(frozen=True)
class Span:
    """From when until when; `ends_at` None: for good."""

    starts_at: datetime
    ends_at: datetime | None = None


def grantable() -> list[str]:
    """The plans that can be given: not the one everybody has, and none that no account is ever on."""
    catalogue = plans.catalogue()
    if not catalogue.sells:
        return []  # everybody has the default plan, whatever is granted
    return [key for key in catalogue.plans if key not in (catalogue.default_plan, *catalogue.never_held)]


def give(account: BillingAccount, plan: str, span: Span, *, reason: str, by: User | None, now: datetime) -> PlanGrant:
    """Give a plan for a time, or for good.

    by      who gives it; None: somebody at the command line.
    Effect  an act: the grant, the access that follows from it, and an audit entry, or none of them.
    Raises  NotGrantable: nobody can be given this plan, or the time makes no sense, or no reason is said.
    """
    _check(plan, span, reason, now=now)
    with transaction.atomic(durable=True):
        held = BillingAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        catalogue = plans.catalogue()
        version = plan_versions.ensure(catalogue, catalogue.plans[plan], now=now)[0]
        grant = PlanGrant.objects.create(
            account=held,
            plan=version.plan,
            reason=reason,
            granted_by=by,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
        )
        entitlements.refresh(held, now=now)
        audit.record(by, "plan.grant", subject=held.owner, reason=reason, details=_facts(grant), now=now)
    return grant


def revoke(grant: PlanGrant, *, reason: str, by: User | None, now: datetime) -> bool:
    """Take a plan back; say whether there was anything to take.

    Effect  an act: as `give`. Repeat: a grant that is over or was taken back stays as it is.
    Raises  NotGrantable: no reason is said.
    """
    _check_reason(reason)
    with transaction.atomic(durable=True):
        held = BillingAccount.objects.select_for_update(no_key=True).get(pk=grant.account_id)
        if not PlanGrant.objects.open(at=now).filter(pk=grant.pk).update(revoked_at=now):
            return False
        entitlements.refresh(held, now=now)
        audit.record(by, "plan.revoke", subject=held.owner, reason=reason, details=_facts(grant), now=now)
    return True


def _check(plan: str, span: Span, reason: str, *, now: datetime) -> None:
    known = grantable()
    if plan not in known:
        words = {"plan": plan, "plans": ", ".join(known) or _("nothing: everybody has the same plan")}
        raise NotGrantable(_("Nobody can be given “%(plan)s”; it takes %(plans)s.") % words, field="plan")
    if span.ends_at is not None and span.ends_at <= max(span.starts_at, now):
        raise NotGrantable(_("A grant ends after it begins, and not in the past."), field="ends_at")
    _check_reason(reason)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise NotGrantable(_("Please say why; the reason is kept in the audit log."), field="reason")


def _facts(grant: PlanGrant) -> dict[str, object]:
    return {
        "grant": str(grant.pk),
        "plan": grant.plan_id,
        "starts_at": grant.starts_at.isoformat(),
        "ends_at": grant.ends_at.isoformat() if grant.ends_at else None,
    }
