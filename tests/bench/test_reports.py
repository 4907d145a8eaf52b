"""What the reports cost at size: `uv run pytest tests/bench/test_reports.py -s`. Figures: docs/performance.md.

A million accounts, a hundred thousand subscriptions and two years of facts with every combination of dimensions, as the
summary of a hundred million answers would leave them; 300,000 answers of one day, of which the facts are computed. The
pages are asked for through Django's client (middleware, session, template), warm. Postgres has its usual settings.
"""

import resource
import time
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from apps.billing.models import SubscriptionMirror
from apps.core import clock
from apps.reporting import days, fill
from apps.reporting.metrics.families import FAMILIES
from apps.reporting.metrics.thirty_days import BANDS, MOST
from apps.reporting.models import AccountMonth, LossMaker, MarginBand, MetricDay, MrrMovement
from apps.reporting.sheets.register import SHEETS
from tests import build, cast
from tests.bench import company
from tests.bench.figures import percentile

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default"), pytest.mark.django_db(transaction=True)]
ACCOUNTS, SUBSCRIPTIONS, ANSWERS, MONTHS_OF_ACCOUNTS = 1_000_000, 100_000, 300_000, 2
TIMES = 12
ACCOUNT, OWNER, MIRROR, STATE, ROW = 1, 2, 3, 4, 5
AGE = "%(now)s::timestamptz"


@pytest.fixture
def dana():
    today = days.day_of(clock.now())
    begun = time.perf_counter()
    _people()
    facts = company.fill_facts(today)
    company.fill_cohorts(today)
    _account_months(today)
    company.run("ANALYZE")
    print(f"\n{ACCOUNTS:,} accounts, {facts:,} facts; written in {time.perf_counter() - begun:.0f} s")  # noqa: T201
    return cast.dana()


def _people():
    owner = build.person(email="model@example.org")
    account = build.account(owner=owner, created_at=clock.now() - timedelta(days=700))
    mirror = build.stripe_subscription(account=account, at=clock.now() - timedelta(days=700))
    state, row = mirror.states.get(), build.answer(account=account, at=clock.now() - timedelta(days=1))
    owner_key, account_key = company.uuid_of("n", OWNER), company.uuid_of("n", ACCOUNT)
    emails = dict.fromkeys(("email", "email_canonical", "username"), "'p' || n || '@example.org'")
    company.copy(owner, ACCOUNTS, id=owner_key, **emails)
    made = "now() - (n % 700) * interval '1 day'"
    company.copy(account, ACCOUNTS, id=account_key, owner_id=owner_key, created_at=made)
    mirror_key = "'sub_' || n"
    company.copy(mirror, SUBSCRIPTIONS, stripe_subscription_id=mirror_key, account_id=account_key)
    company.copy(
        state, SUBSCRIPTIONS, id=company.uuid_of("n", STATE), subscription_id=mirror_key, account_id=account_key,
        effective_at=made, observed_at=made, digest="'d' || n",
    )  # fmt: skip
    company.copy(
        row, ANSWERS, id=company.uuid_of("n", ROW), run_id=company.uuid_of("n", ROW), idempotency_key="'bench:' || n",
        account_id=company.uuid_of("n % 200000 + 1", ACCOUNT),
        occurred_at="date_trunc('day', now()) - interval '1 day' + n * interval '0.25 s'",
    )  # fmt: skip
    movement = MrrMovement.objects.create(
        at=clock.now(), account=account, type="new", cause="checkout", currency="usd", delta_micro=8, after_micro=8,
        subscription_id="sub_1", to_plan="premium", interval="month",
    )  # fmt: skip
    company.copy(movement, 500_000, account_id=account_key, at="now() - (n % 730) * interval '1 day'")


def _account_months(today):
    account = SubscriptionMirror.objects.first().account
    MarginBand.objects.bulk_create(
        MarginBand(day=today, currency="usd", band=band, accounts=ACCOUNTS // len(BANDS), margin_micro=1)
        for band in range(len(BANDS))
    )
    LossMaker.objects.bulk_create(
        LossMaker(day=today, currency="usd", account_id=account_id, plan="free", answers=9, revenue_micro=0,
                  model_cost_micro=9, margin_micro=-9)
        for account_id in SubscriptionMirror.objects.values_list("account_id", flat=True)[:MOST]
    )  # fmt: skip
    for _ in range(MONTHS_OF_ACCOUNTS):
        month = today.replace(day=1)
        row = AccountMonth.objects.create(month=month, account=account, currency="usd", plan="free", answers=9)
        company.copy(
            row, ACCOUNTS, account_id=company.uuid_of("n", ACCOUNT), margin_micro="(n % 2000 - 1000) * 10000",
        )  # fmt: skip
        today = month - timedelta(days=1)


def timed_ms(work):
    taken = []
    for _ in range(TIMES + 2):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return taken[2:]


def said(label, taken, note=""):
    print(f"| {label} | {percentile(taken, 0.5):.0f} ms | {percentile(taken, 0.95):.0f} ms | {note} |")  # noqa: T201


def memory_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def test_pages_files_and_filling(dana):
    client = Client()
    client.force_login(dana)
    print("| page | p50 | p95 | queries, the slowest |\n|---|---|---|---|")  # noqa: T201
    for slug in SHEETS:
        for asked in ("", "?days=365"):
            url = f"/admin/reports/{slug}/{asked}"
            with CaptureQueriesContext(
                connection,
            ) as found:
                assert client.get(url).status_code == 200, url
            slowest = max(found.captured_queries, key=lambda query: float(query["time"]))
            note = f"{len(found)}, {float(slowest['time']) * 1000:.0f} ms: {slowest['sql'][:70]}"
            said(f"{slug}{asked}", timed_ms(lambda url=url: client.get(url)), note)
    today = days.day_of(clock.now())
    said("50 rows of MRR", timed_ms(lambda: client.get(f"/admin/reports/mrr/rows/?day={today}")))
    said("50 rows of answers", timed_ms(lambda: client.get(f"/admin/reports/answers/rows/?day={today - days.ONE_DAY}")))
    _file(client)
    _filling(today)


def _file(client):
    user, before = AsyncClient(), memory_mb()
    user.cookies = client.cookies

    async def take():
        began = time.perf_counter()
        response = await user.get("/admin/reports/files/customer_margin.csv")
        first, lines = 0.0, 0
        async for chunk in response.streaming_content:
            first = first or time.perf_counter() - began
            lines += chunk.count(b"\n")
        return first, lines, time.perf_counter() - began

    first, lines, whole = async_to_sync(take)()
    print(f"file of {lines:,} lines: first byte {first:.2f} s, all {whole:.0f} s, {memory_mb() - before} MB more")  # noqa: T201


def _filling(today):
    print("| family | one day | facts | rows a second | memory so far |\n|---|---|---|---|---|")  # noqa: T201
    for family in FAMILIES.values():
        day, began = today - days.ONE_DAY, time.perf_counter()
        facts = fill.fill_day(family, day, now=clock.now())
        taken = time.perf_counter() - began
        speed = family.source_rows(day) / taken
        print(f"| {family.name} | {taken:.2f} s | {facts} | {speed:,.0f} | {memory_mb()} MB |")  # noqa: T201
    began = time.perf_counter()
    for family in FAMILIES.values():
        fill.mark_dirty(family, now=clock.now())
    print(f"finding what is due: {time.perf_counter() - began:.2f} s; {MetricDay.objects.count():,} facts")  # noqa: T201
