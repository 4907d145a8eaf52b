"""What people agreed to, what they asked of their data, and how often staff looked."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import AuditEntry, Consent
from apps.reporting.metrics.base import Unit
from apps.reporting.metrics.counted import CountedFamily, CountedMetric
from apps.reporting.metrics.rows import Column, Kind

WHEN = Column("at", _("When"), Kind.TIME)


class TrustMetric(CountedMetric):
    """A count of acts, never of people's names."""

    unit = Unit.COUNT
    more_is = ""


class ConsentsGiven(TrustMetric):
    """Yes."""

    slug = "consents_given"
    title = _("Consents given")
    moment = "answered_at"
    dimensions = {"reason": "kind"}
    columns = {WHEN: "answered_at", Column("kind", _("Kind")): "kind", Column("version", _("Version")): "version"}
    formula = _("Answers of yes to a document, by its kind; a new version is asked for anew.")
    is_given = True

    def source(self) -> QuerySet[Any]:
        return Consent.objects.filter(is_given=self.is_given, user__is_staff=False, user__is_internal=False)


class ConsentsWithdrawn(ConsentsGiven):
    """No, or no more."""

    slug = "consents_withdrawn"
    title = _("Consents refused or withdrawn")
    formula = _("Answers of no to a document, or a yes that was taken back, by its kind.")
    is_given = False


class StaffActs(TrustMetric):
    """What staff did."""

    slug = "staff_acts"
    title = _("Acts of staff")
    moment = "happened_at"
    dimensions = {"reason": "action"}
    columns = {WHEN: "happened_at", Column("action", _("Act")): "action"}
    formula = _("Lines of the audit log, by what was done: looks at customers, changes, files taken away.")

    def source(self) -> QuerySet[Any]:
        return AuditEntry.objects.exclude(actor=None)


class StaffLooks(StaffActs):
    """Looks at a customer's pages."""

    slug = "staff_looks"
    title = _("Looks at customers' pages")
    formula = _("How often staff looked at the site as a customer sees it; each look says why and is shown to them.")

    def source(self) -> QuerySet[Any]:
        return AuditEntry.objects.filter(action="customer.look")


class Trust(CountedFamily):
    """Filled from consents and the audit log."""

    name = "trust"
    metrics = counted = (ConsentsGiven(), ConsentsWithdrawn(), StaffActs(), StaffLooks())
