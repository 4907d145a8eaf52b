"""The terms of a plan as the catalogue stated them at one time: rows that are never changed, only followed."""

from datetime import datetime

from apps.billing.models import Plan, PlanVersion
from apps.billing.terms import Catalogue, PlanTerms
from apps.core import guards


def find_latest(plan: str) -> PlanVersion | None:
    """The newest terms of a plan; None before the first."""
    return PlanVersion.objects.filter(plan_id=plan).order_by("-version").first()


def ensure(catalogue: Catalogue, terms: PlanTerms, *, now: datetime) -> tuple[PlanVersion, bool]:
    """Write down a plan and its terms where they differ from the newest that are written; say whether they did.

    Effect  a step.
    """
    guards.inside_transaction()
    is_default = terms.key == catalogue.default_plan
    facts = {"name": terms.name, "rank": terms.rank, "is_default": is_default, "left_at": None}
    plan, is_new = Plan.objects.get_or_create(key=terms.key, defaults=facts)
    if not is_new and any(getattr(plan, name) != value for name, value in facts.items()):
        Plan.objects.filter(pk=plan.pk).update(**facts)
    latest, digest = find_latest(terms.key), terms.digest()
    if latest is None or latest.digest != digest:
        Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)  # of two who see new terms, one writes them
        latest = find_latest(terms.key)
    if latest is not None and latest.digest == digest:
        return latest, False
    version = PlanVersion.objects.create(
        plan=plan,
        version=latest.version + 1 if latest else 1,
        terms=terms.as_json(),
        digest=digest,
        effective_from=now,
    )
    return version, True
