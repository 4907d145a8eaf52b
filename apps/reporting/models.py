"""Facts by day, month and movement: small, derived, disposable; and what staff write on the reports themselves."""

from django.conf import settings
from django.db import models

from apps.billing.models import BillingAccount
from apps.core import ids


class MetricDay(models.Model):
    """One row is one metric on one day for one combination of dimensions that occurs; unused dimensions are empty.

    value  integer; its unit comes from the metric's class. Balances are end-of-day values, flows are sums.
    """

    day = models.DateField()
    metric = models.CharField(max_length=48)
    plan = models.CharField(max_length=32, blank=True)
    interval = models.CharField(max_length=8, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    country = models.CharField(max_length=2, blank=True)
    age = models.CharField(max_length=3, blank=True)  # of the account on that day: new (up to 30 days) or old
    model = models.CharField(max_length=64, blank=True)
    backend = models.CharField(max_length=64, blank=True)
    channel = models.CharField(max_length=8, blank=True)
    provenance = models.CharField(max_length=10, blank=True)
    reason = models.CharField(max_length=40, blank=True)  # a cause, a code, a step: what the metric's class says
    value = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "day",
                    "metric",
                    "plan",
                    "interval",
                    "currency",
                    "country",
                    "age",
                    "model",
                    "backend",
                    "channel",
                    "provenance",
                    "reason",
                ],
                name="metric_day_once",
            )
        ]
        indexes = [models.Index(fields=["metric", "day"], name="metric_by_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.metric} {self.value}"


class MetricTotal(models.Model):
    """One row is one metric on one day in one currency, for one member of one dimension: a sum of `MetricDay` rows.

    Written with them; pages that are narrowed or split by one dimension at the most read these few.
    """

    day = models.DateField()
    metric = models.CharField(max_length=48)
    dimension = models.CharField(max_length=12, blank=True)  # empty: over all of them
    member = models.CharField(max_length=64, blank=True)  # of the dimension: a plan, a country; may itself be empty
    currency = models.CharField(max_length=3, blank=True)
    value = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "dimension", "day", "currency", "member"], name="metric_total_once"
            )
        ]

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


class MrrMovement(models.Model):
    """One row is one change of one customer's MRR, netted over an hour. Derived from `SubscriptionState`."""

    class Type(models.TextChoices):
        NEW = "new"
        REACTIVATION = "reactivation"
        EXPANSION = "expansion"
        CONTRACTION = "contraction"
        CHURN = "churn"

    at = models.DateTimeField()
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="movements")
    type = models.CharField(max_length=12, choices=Type.choices)
    cause = models.CharField(max_length=24)  # of the last change that it nets
    from_plan = models.CharField(max_length=32, blank=True)
    to_plan = models.CharField(max_length=32, blank=True)
    interval = models.CharField(max_length=8, blank=True)
    currency = models.CharField(max_length=3)
    delta_micro = models.BigIntegerField()  # micro-units of `currency` a month
    after_micro = models.BigIntegerField()  # the customer's MRR in that currency from then on
    subscription_id = models.CharField(max_length=64)  # at Stripe, of the last change
    paid_at_start = models.BooleanField(default=False)  # whether the customer had any MRR when the month began
    is_first_loss = models.BooleanField(default=False)  # the customer's first churn of the month

    class Meta:
        indexes = [
            models.Index(fields=["at", "id"], name="movement_by_time"),
            models.Index(fields=["account", "at"], name="movement_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.type} {self.delta_micro}"


class CohortMonth(models.Model):
    """One row is what became, `k` months later, of the accounts that signed up in a month."""

    signup_month = models.DateField()  # its first day
    k = models.PositiveSmallIntegerField()  # 0: at the end of the month of signing up
    currency = models.CharField(max_length=3, blank=True)  # of `mrr_micro`
    accounts = models.PositiveIntegerField()  # that signed up
    ever_paid = models.PositiveIntegerField()
    paying = models.PositiveIntegerField()
    paid_soon = models.PositiveIntegerField(default=0)  # of `accounts`: whose first MRR came within 30 days
    mrr_micro = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["signup_month", "k", "currency"], name="cohort_month_once")]

    def __str__(self) -> str:
        return f"{self.signup_month:%Y-%m} +{self.k}"


class AccountMonth(models.Model):
    """One row is what one account brought and cost in one calendar month, in one currency. Money in micro-units."""

    month = models.DateField()  # its first day
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="months")
    currency = models.CharField(max_length=3)
    plan = models.CharField(max_length=32)  # the one it pays most for at the month's end, or the default
    answers = models.PositiveIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0)
    active_days = models.PositiveSmallIntegerField(default=0)
    revenue_micro = models.BigIntegerField(default=0)  # earned, of subscriptions and of the API
    model_cost_micro = models.BigIntegerField(default=0)
    fees_micro = models.BigIntegerField(default=0)
    infrastructure_micro = models.BigIntegerField(default=0)
    margin_micro = models.BigIntegerField(default=0)  # revenue less the costs

    class Meta:
        constraints = [models.UniqueConstraint(fields=["month", "account", "currency"], name="account_month_once")]
        indexes = [models.Index(fields=["month", "currency", "margin_micro"], name="account_month_by_margin")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.account_id} {self.margin_micro}"


class LossMaker(models.Model):
    """One row is one of the ten accounts that cost most beyond what they brought in the thirty days up to a day.

    In one currency. Money in micro-units.
    """

    day = models.DateField()
    currency = models.CharField(max_length=3)
    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="+")
    plan = models.CharField(max_length=32)  # the one it pays most for at the day's end, or the default
    answers = models.PositiveIntegerField()
    revenue_micro = models.BigIntegerField()
    model_cost_micro = models.BigIntegerField()
    margin_micro = models.BigIntegerField()  # below nothing; fees and infrastructure are taken off as well

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "currency", "account"], name="loss_maker_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.account_id} {self.margin_micro}"


class MarginBand(models.Model):
    """One row is how many accounts lie in one part of the scale of margins, over the thirty days up to a day."""

    day = models.DateField()
    currency = models.CharField(max_length=3)
    band = models.PositiveSmallIntegerField()  # of `metrics.thirty_days.BANDS`
    accounts = models.PositiveIntegerField()
    margin_micro = models.BigIntegerField()  # of all of them together

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "currency", "band"], name="margin_band_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.band} {self.accounts}"


class ExchangeRate(models.Model):
    """One row is what one unit of a currency was worth in the reporting currency at the end of a day, as staff say."""

    day = models.DateField()
    currency = models.CharField(max_length=3)
    rate_micro = models.BigIntegerField()  # millionths of the reporting currency

    class Meta:
        constraints = [models.UniqueConstraint(fields=["currency", "day"], name="rate_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.currency} {self.rate_micro}"


class AccuracyCheck(models.Model):
    """One row is the last result of one comparison, in one currency: what we say, and what it was held against."""

    name = models.CharField(max_length=24)
    currency = models.CharField(max_length=3, blank=True)  # empty: a number, and no money
    ours = models.BigIntegerField()  # micro-units
    theirs = models.BigIntegerField()
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "currency"], name="accuracy_check_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.ours - self.theirs}"

    @property
    def agrees(self) -> bool:
        return self.ours == self.theirs


class Annotation(models.Model):
    """One row is a note of staff on a day of the reports: a price change, a launch."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    day = models.DateField(db_index=True)
    text = models.CharField(max_length=120)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    written_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day} {self.text}"


class SavedView(models.Model):
    """One row is a page of the reports with its filters, under a name that one of the staff gave it."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    page = models.CharField(max_length=24)
    query = models.CharField(max_length=300, blank=True)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name


class WeeklyReader(models.Model):
    """One row is one of the staff who gets the report of each week by mail."""

    reader = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="weekly_report"
    )
    since = models.DateTimeField()
    last_week = models.DateField()  # the Monday of the last week that was sent; moved by the one that sends

    def __str__(self) -> str:
        return f"{self.reader_id} {self.last_week}"
