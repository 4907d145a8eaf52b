"""Daily facts: small, derived, disposable. Reporting writes nothing else."""

from django.db import models


class MetricDay(models.Model):
    """One row is one metric on one day for one combination of dimensions that occurs; unused dimensions are empty.

    value  integer; its unit comes from the metric's class. Balances are end-of-day values, flows are sums.
    """

    day = models.DateField()
    metric = models.CharField(max_length=48)
    plan = models.CharField(max_length=32, blank=True)
    interval = models.CharField(max_length=8, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    model = models.CharField(max_length=64, blank=True)
    backend = models.CharField(max_length=64, blank=True)
    channel = models.CharField(max_length=8, blank=True)
    provenance = models.CharField(max_length=10, blank=True)
    value = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "metric", "plan", "interval", "currency", "model", "backend", "channel", "provenance"],
                name="metric_day_once",
            )
        ]
        indexes = [models.Index(fields=["metric", "day"], name="metric_by_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.metric} {self.value}"


class FillState(models.Model):
    """One row is how far one family's facts of one day are: what must be computed again, and when it last was."""

    family = models.CharField(max_length=24)
    day = models.DateField()
    dirty_since = models.DateTimeField(null=True)
    filled_at = models.DateTimeField(null=True)
    source_rows = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["family", "day"], name="fill_state_once")]

    def __str__(self) -> str:
        return f"{self.family} {self.day}"
