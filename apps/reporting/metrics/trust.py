"""What people agreed to, what they asked of their data, and how often staff looked."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import AuditEntry, Consent
from apps.chat.content_reports import VERDICTS
from apps.chat.models import ContentReport
from apps.privacy.models import DataRequest
from apps.reporting import population
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
        return Consent.objects.filter(population.counted_people("user__"), is_given=self.is_given)


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


class DataExports(TrustMetric):
    """Archives that people had made of their data."""

    slug = "data_exports"
    title = _("Archives of one’s data")
    moment = "done_at"
    columns = {WHEN: "done_at", Column("asked_at", _("Asked"), Kind.TIME): "asked_at"}
    formula = _("Archives that people asked for of their own data, by the day on which they were ready.")
    kind = DataRequest.Kind.EXPORT

    def source(self) -> QuerySet[Any]:
        return DataRequest.objects.filter(kind=self.kind, state=DataRequest.State.DONE)


class Erasures(DataExports):
    """People who are gone."""

    slug = "erasures"
    title = _("Erasures")
    formula = _("Accounts that were erased because their people asked for it, by the day on which that was done.")
    kind = DataRequest.Kind.ERASURE


class ErasuresAsked(Erasures):
    """People who want to be gone."""

    slug = "erasures_asked"
    title = _("Erasures asked for")
    moment = "asked_at"
    columns = {WHEN: "asked_at", Column("state", _("State")): "state"}
    formula = _("How often people asked for their account to be erased; within a week they may change their mind.")

    def source(self) -> QuerySet[Any]:
        return DataRequest.objects.erasures()


class ContentReports(TrustMetric):
    """Answers that their readers reported."""

    slug = "content_reports"
    title = _("Reported answers")
    moment = "reported_at"
    dimensions = {"reason": "reason"}
    columns = {WHEN: "reported_at", Column("reason", _("Reason")): "reason", Column("state", _("State")): "state"}
    formula = _(
        "Answers that their readers reported to staff, by the reason they give; one reported twice counts once."
    )

    def source(self) -> QuerySet[Any]:
        return ContentReport.objects.filter(population.counted_people("reporter__"))


class ContentReportsJudged(StaffActs):
    """What staff decided: lines of the audit log, since a report that is made anew is open again."""

    slug = "content_reports_judged"
    title = _("Reports judged")
    formula = _("Reported answers about which staff decided, by what they decided, on the day of it.")

    def source(self) -> QuerySet[Any]:
        return AuditEntry.objects.filter(action__in=VERDICTS.values())


class Trust(CountedFamily):
    """Filled from consents, the audit log, what people asked of their data, and answers that were reported."""

    name = "trust"
    metrics = counted = (
        ConsentsGiven(), ConsentsWithdrawn(), DataExports(), ErasuresAsked(), Erasures(), ContentReports(),
        ContentReportsJudged(), StaffActs(), StaffLooks(),
    )  # fmt: skip
    recorded = {"content_reports": "changed_at"}
