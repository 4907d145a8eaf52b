"""What counting costs: `uv run pytest tests/bench/test_usage.py -s`. Figures and what they mean: docs/performance.md.

One account has a million answers within thirty days, the worst there is. Its usage page is asked for through Django's
client (middleware, session, template), and answers are reserved and settled on one connection, each in transactions of
its own, beside a bare UPDATE of one row that is committed the same way. Postgres writes as safely as in production.
"""

import time
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from apps.billing import entitlements
from apps.billing.meters import Meter
from apps.core import clock, ids
from apps.usage import caps, credits, ledger
from apps.usage.limits import Demand
from apps.usage.models import CreditAccount, UsageLedger, UsageSlice
from tests import build, cast
from tests.bench.figures import percentile
from tests.usage.test_ledger import used

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default"), pytest.mark.django_db(transaction=True)]
ROWS, PAGES, ANSWERS = 1_000_000, 200, 1_000
PLAN = build.plan(limits=[build.limit(amount=None), build.limit(amount=None, window="7d")])
LEDGER = """
INSERT INTO usage_usageledger (id, account_id, run_id, kind, channel, plan_key, model, backend, messages, input_tokens,
       output_tokens, cached_input_tokens, cache_write_tokens, image_input_tokens, reasoning_tokens, price_micro,
       cost_micro, credit_micro, charged_micro, earned_micro, currency, cost_currency, provenance,
       occurred_at, recorded_at, idempotency_key)
SELECT gen_random_uuid(), %(account)s, gen_random_uuid(), 'settle', CASE n %% 2 WHEN 0 THEN 'chat' ELSE 'api' END,
       'free', CASE n %% 3 WHEN 0 THEN 'chat-large' ELSE 'chat-small' END, 'local', 1, 100, 50, 0, 0, 0, 0,
       7, 5, 0, 0, 0,
       'usd', 'usd', 'reported', moment, moment, 'bench:' || n
  FROM (SELECT n, %(now)s::timestamptz - n * interval '30 days' / %(rows)s AS moment
          FROM generate_series(1, %(rows)s) AS n) AS answers
"""
SLICES = """
INSERT INTO usage_usageslice (id, account_id, starts_at, channel, model, key_id, currency,
                              answers, estimated, messages, input_tokens, output_tokens, price_micro)
SELECT gen_random_uuid(), account_id, date_bin('15 minutes', occurred_at, '2000-01-01T00:00:00Z'), channel, model,
       key_id, currency, COUNT(*), 0, SUM(messages), SUM(input_tokens), SUM(output_tokens), SUM(price_micro)
  FROM usage_usageledger GROUP BY 2, 3, 4, 5, 6, 7
"""


@pytest.fixture
def account():
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            server.execute(f"ALTER SYSTEM SET {name} = on")
        server.execute("SELECT pg_reload_conf()")
    found = entitlements.account_for(cast.ana(), now=clock.now())
    with connection.cursor() as cursor:
        cursor.execute(LEDGER, {"account": found.pk, "now": clock.now(), "rows": ROWS})
        cursor.execute(SLICES)
        cursor.execute("VACUUM ANALYZE usage_usageledger, usage_usageslice")
    assert UsageLedger.objects.count() == ROWS
    return found


def timed_ms(work, times):
    taken = []
    for number in range(times):
        began = time.perf_counter()
        work(number)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def row(label, taken, base=None):
    ratio = f"{percentile(taken, 0.5) / percentile(base, 0.5):.1f} ×" if base else ""
    return f"| {label} | {percentile(taken, 0.5):.2f} ms | {percentile(taken, 0.95):.2f} ms | {ratio} |"


def test_what_counting_costs(account, capsys):
    client = Client()
    client.force_login(account.owner)
    page = timed_ms(lambda _n: client.get("/settings/usage/"), PAGES)
    balances = timed_ms(lambda _n: client.get("/api/v1/balances"), PAGES)
    build.credit(account=account, amount_micro=10**12)

    def bare(_number):
        with transaction.atomic():
            CreditAccount.objects.filter(account=account).update(reserved_micro=0)

    def chat(number):
        run_id = UUID(int=number + 1)
        with transaction.atomic():
            demand = Demand(PLAN, "chat-small", {Meter.MESSAGES: 1, Meter.TOKENS: 900})
            ledger.reserve(account, run_id, demand, timeout_s=60, now=clock.now())
        with transaction.atomic():
            ledger.settle(run_id, used(occurred_at=clock.now()), now=clock.now())

    def api(_number):
        run_id, key = ids.uuid7(), UUID(int=7)
        with transaction.atomic():
            met = caps.caps_of(account, key, credits.currency_of(account))
            ledger.reserve(
                account, run_id, Demand(PLAN, "chat-small", {Meter.SPENDING: 90}, met), timeout_s=60, now=clock.now()
            )
            ledger.reserve_payment(account, run_id, 90, currency="usd", timeout_s=60, now=clock.now())
        with transaction.atomic():
            facts = used(channel="api", price_micro=7, key_id=key, occurred_at=clock.now())
            ledger.settle(run_id, facts, now=clock.now())

    update = timed_ms(bare, ANSWERS)
    rows = [
        row("usage page, 1 million answers", page),
        row("balances as JSON", balances),
        row("a bare UPDATE, committed", update),
        row("reserve + settle, chat: slots and two windows", timed_ms(chat, ANSWERS), update),
        row("reserve + settle, API: slots, two caps, credit", timed_ms(api, ANSWERS), update),
    ]
    with capsys.disabled():
        head = "| | p50 | p95 | of a bare UPDATE |\n|---|---|---|---|"
        print(f"\n{head}\n" + "\n".join(rows) + f"\n\nSlices: {UsageSlice.objects.count()}")  # noqa: T201
