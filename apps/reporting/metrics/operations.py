"""How quickly answers begin, and how many fail."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, ClassVar

from django.db.models import Aggregate, DurationField, F, QuerySet
from django.db.models.expressions import CombinedExpression
from django.utils.translation import gettext_lazy as _

from apps.inference.models import Run
from apps.reporting import population
from apps.reporting.days import Period
from apps.reporting.metrics.base import Fact, Slice, StoredMetric, Unit
from apps.reporting.metrics.counted import CountedFamily, CountedMetric
from apps.reporting.metrics.rows import Cell, Column, KeysetRows, Kind, Part, Rows

ONE_MS = timedelta(milliseconds=1)
WHEN, ACCOUNT = Column("created_at", _("When"), Kind.TIME), Column("account", _("Account"))
MODEL, BACKEND = Column("model", _("Model")), Column("backend", _("Back end"))
ENDED = ("succeeded", "stopped", "failed")


def runs() -> QuerySet[Run]:
    """Answers of counted accounts that are over."""
    return Run.objects.filter(population.counted("account__"), state__in=ENDED)


class Percentile(Aggregate):
    """The value below which so many of a hundred lie, as one of them: Postgres' percentile_disc."""

    template = "percentile_disc(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


class WaitMetric(StoredMetric):
    """A percentile of a wait of the day's answers; never added up."""

    unit = Unit.MILLISECONDS
    is_balance = True
    more_is = "bad"
    share: ClassVar[float]
    begin: ClassVar[str]
    end: ClassVar[str]

    def compute(self, day: date) -> Iterable[Fact]:
        found = self._found(Period(day, day)).aggregate(wait=Percentile(self._wait(), share=self.share))["wait"]
        if found is not None:
            yield Fact(self.slug, max(found // ONE_MS, 0))

    def rows(self, part: Slice) -> Rows:
        last = Period(part.period.last, part.period.last)
        columns = (WHEN, ACCOUNT, MODEL, BACKEND, Column("wait", self.title, Kind.MILLISECONDS))
        return KeysetRows(columns, Part(self._found(last), "created_at", self._cells))

    def _wait(self) -> CombinedExpression:
        return F(self.end) - F(self.begin)

    def _found(self, period: Period) -> QuerySet[Run]:
        known = {f"{self.begin}__isnull": False, f"{self.end}__isnull": False}
        return runs().filter(created_at__gte=period.start, created_at__lt=period.end, **known)

    def _cells(self, run: Run) -> tuple[Cell, ...]:
        wait = getattr(run, self.end) - getattr(run, self.begin)
        return (run.created_at, str(run.account_id), run.model, run.backend, wait // ONE_MS)


class FirstTokenMedian(WaitMetric):
    """Half of all first words came within this time."""

    slug = "first_token_p50"
    title = _("First token, median")
    share, begin, end = 0.5, "created_at", "first_token_at"
    formula = _("Half of the answers of the last day began within this time after they were asked for.")


class FirstTokenSlow(WaitMetric):
    """Nineteen of twenty first words came within this time."""

    slug = "first_token_p95"
    title = _("First token, 95 %")
    share, begin, end = 0.95, "created_at", "first_token_at"
    formula = _("Of twenty answers of the last day, nineteen began within this time after they were asked for.")


class QueueWaitSlow(WaitMetric):
    """Nineteen of twenty were taken up within this time."""

    slug = "queue_wait_p95"
    title = _("Wait for a worker, 95 %")
    share, begin, end = 0.95, "created_at", "started_at"
    formula = _("Of twenty answers of the last day, nineteen were taken up by a worker within this time.")


class AnswersOver(CountedMetric):
    """Answers that are over."""

    slug = "answers_over"
    title = _("Answers begun")
    unit = Unit.COUNT
    moment = "created_at"
    dimensions = {"model": "model", "backend": "backend", "channel": "channel"}
    columns = {WHEN: "created_at", ACCOUNT: "account_id", MODEL: "model", BACKEND: "backend",
               Column("state", _("State")): "state"}  # fmt: skip
    formula = _("Answers that were asked for on the day and are over, however they ended.")

    def source(self) -> QuerySet[Any]:
        return runs()


class FailedAnswers(AnswersOver):
    """Answers that failed."""

    slug = "failed_answers"
    title = _("Failed answers")
    more_is = "bad"
    dimensions = {"model": "model", "backend": "backend", "channel": "channel", "reason": "error_code"}
    columns = {WHEN: "created_at", ACCOUNT: "account_id", MODEL: "model", BACKEND: "backend",
               Column("reason", _("Reason")): "error_code"}  # fmt: skip
    formula = _("Answers that failed, refused ones included, by the code of the reason.")

    def source(self) -> QuerySet[Any]:
        return runs().filter(state="failed")


class TakenUpAgain(AnswersOver):
    """Answers that needed another worker."""

    slug = "taken_up_again"
    title = _("Taken up again")
    more_is = "bad"
    formula = _("Answers whose worker was lost, and which another worker took up.")

    def source(self) -> QuerySet[Any]:
        return runs().filter(attempts__gt=1)


class Operations(CountedFamily):
    """Filled from runs; what of them is pruned later stays in facts until their days are computed again."""

    name = "operations"
    metrics = (
        AnswersOver(), FailedAnswers(), TakenUpAgain(), FirstTokenMedian(), FirstTokenSlow(), QueueWaitSlow(),
    )  # fmt: skip
    counted = (AnswersOver(),)
    recorded = {"answers_over": "ended_at"}
    patience = timedelta(minutes=5)
