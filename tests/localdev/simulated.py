"""A small simulated company, its local Stripe, and what it left behind."""

from datetime import UTC, datetime
from io import StringIO

from django.db import models
from django.db.models import Sum
from rich.console import Console

from apps.accounts.models import Consent, User
from apps.billing.models import (
    BillingAccount,
    CheckoutAttempt,
    EntitlementSnapshot,
    InvoiceMirror,
    StripeOutbox,
    SubscriptionMirror,
    SubscriptionState,
)
from apps.chat.models import Conversation, Message
from apps.developer.models import ApiKey
from apps.inference.models import Run
from apps.localdev.simulation.checkpoint import Checkpoint
from apps.localdev.simulation.course import Course
from apps.localdev.simulation.parameters import Parameters
from apps.usage.models import CreditGrant, UsageBucket, UsageLedger, UsageReservation

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
# With this seed somebody meets a limit and buys, somebody meets one and leaves, and a renewal fails.
SMALL = Parameters(accounts=12, months=3, seed=1121, answers=40, until=NOW)
TABLES: tuple[type[models.Model], ...] = (
    User, Consent, BillingAccount, ApiKey, CreditGrant, Conversation, Message, Run, UsageBucket, UsageReservation,
    UsageLedger, CheckoutAttempt, SubscriptionMirror, SubscriptionState, InvoiceMirror, EntitlementSnapshot,
    StripeOutbox,
)  # fmt: skip
MONEY = ("messages", "input_tokens", "output_tokens", "price_micro", "cost_micro", "credit_micro")


def course(folder, parameters=SMALL, *, workers=1):
    return Course(parameters, workers, Checkpoint(folder), Console(file=StringIO(), width=120))


def said(one):
    return one.console.file.getvalue()


def left_behind():
    """What must be the same each time: rows by table, money, and everybody's moments; ids may differ."""
    return {
        "rows": {table.__name__: table.objects.count() for table in TABLES},
        "ledger": UsageLedger.objects.aggregate(**{f"{name}_sum": Sum(name) for name in MONEY}),
        "runs": list(
            Run.objects.order_by("created_at", "model").values_list("created_at", "ended_at", "state", "text")
        ),
        "invoices": list(
            InvoiceMirror.objects.order_by("created", "total_minor").values_list("created", "total_minor", "status")
        ),
        "states": list(
            SubscriptionState.objects.order_by("observed_at", "mrr_micro").values_list(
                "observed_at", "effective_at", "status", "mrr_micro", "currency", "cause"
            )
        ),
    }
