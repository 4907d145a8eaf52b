"""What is on offer, as values."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from apps.billing import plans
from apps.billing.meters import Meter
from apps.billing.terms import Attachments, PlanTerms, window_of
from tests import build
from tests.house.source import ROOT

OLD_TERMS = """{
  "key": "premium", "name": "Premium", "rank": 10, "models": ["chat-small", "chat-large"], "queue": "runs.premium",
  "concurrency": 3, "context_tokens": 2048, "output_tokens": 768, "api_requests_per_minute": 120,
  "api_tokens_per_minute": 200000, "features": ["priority", "longer_answers"], "trial_days": 0,
  "limits": [{"meter": "messages", "models": ["chat-large"], "amount": 100, "window": "3h", "when_spent": "refuse",
              "fallback_model": null}],
  "prices": {"month": {"usd": 800}}
}"""


def test_the_shipped_plans_cost_what_was_decided(settings):
    catalogue = plans.load(settings.CATALOGUE_PATH)
    sold = {key: dict(terms.prices) for key, terms in catalogue.plans.items()}
    months, years = ("month", "usd"), ("year", "usd")
    assert sold["free"] == {}
    assert (sold["premium"][months], sold["premium"][years]) == (800, 8400)
    assert (sold["premium_plus"][months], sold["premium_plus"][years]) == (4000, 39600)
    assert {pair for prices in sold.values() for pair in prices} == {
        (interval, currency) for interval in ("month", "year") for currency in ("usd", "eur")
    }


def test_terms_survive_being_written_down(settings):
    for terms in plans.load(settings.CATALOGUE_PATH).plans.values():
        assert PlanTerms.from_json(terms.as_json()) == terms
        assert PlanTerms.from_json(terms.as_json()).digest() == terms.digest()


def test_terms_written_before_attachments_are_still_read():
    terms = PlanTerms.from_json(json.loads(OLD_TERMS))
    assert (terms.name, terms.prices, terms.attachments) == ("Premium", {("month", "usd"): 800}, Attachments(0, 0, ()))
    assert terms.limits[0] == build.limit(models=("chat-large",), amount=100)


def test_other_terms_have_another_digest():
    assert build.plan(concurrency=1).digest() != build.plan(concurrency=2).digest()


@pytest.mark.parametrize(
    ("text", "length"),
    [("3h", timedelta(hours=3)), ("7d", timedelta(days=7)), ("90m", timedelta(minutes=90)), ("0h", None), ("3", None)],
)
def test_windows(text, length):
    assert window_of(text) == length


def test_a_limit_is_named_after_what_it_counts():
    assert build.limit(models=("a", "b")).key == "messages:a+b:3h"
    assert build.limit(models=()).key == "messages:*:3h"


def test_a_limit_covers_its_models_and_its_meter():
    limit = build.limit(models=("a",))
    assert limit.covers(Meter.MESSAGES, "a")
    assert not limit.covers(Meter.MESSAGES, "b")
    assert not limit.covers(Meter.TOKENS, "a")
    assert build.limit(models=()).covers(Meter.MESSAGES, "b")


def test_paid_only_gives_nothing_before_paying(settings, tmp_path):
    text = settings.CATALOGUE_PATH.read_text()
    path = tmp_path / "catalogue.toml"
    path.write_text(text.replace('mode = "freemium"', 'mode = "paid_only"', 1))
    default = plans.load(path).default_terms()
    assert (default.key, default.models, default.limits) == ("free", (), ())
    assert plans.load(settings.CATALOGUE_PATH).default_terms().models == ("chat-small",)


def test_the_developer_plan_has_no_prices_and_no_limits_and_generous_rates(settings):
    developer = plans.load(settings.CATALOGUE_PATH).developer
    assert (developer.plan.prices, developer.plan.limits) == ({}, ())
    assert developer.models == developer.plan.models == ("chat-small", "chat-large")
    rates = developer.plan.concurrency, developer.plan.api_requests_per_minute, developer.plan.api_tokens_per_minute
    assert rates == (20, 600, 1_000_000)


def test_the_shipped_plans_cap_the_week_and_go_on_with_the_smaller_model(settings):
    sold = plans.load(settings.CATALOGUE_PATH).plans
    found = {
        key: [(one.key, one.amount, one.fallback_model) for one in sold[key].limits] for key in ("free", "premium")
    }
    assert found["free"] == [("messages:chat-small:3h", 20, None), ("messages:chat-small:7d", 80, None)]
    assert found["premium"] == [
        ("messages:chat-small:3h", 300, None),
        ("messages:chat-small:7d", 1500, None),
        ("messages:chat-large:3h", 100, "chat-small"),
        ("messages:chat-large:7d", 500, "chat-small"),
    ]


def test_guests_have_the_smallest_plan(settings):
    catalogue = plans.load(settings.CATALOGUE_PATH)
    guest, free = catalogue.plans[catalogue.guest_plan], catalogue.plans[catalogue.default_plan]
    assert guest.prices == {}
    assert guest.rank < free.rank
    assert [limit.amount for limit in guest.limits] == [5, 15]
    assert (guest.context_tokens, guest.output_tokens) < (free.context_tokens, free.output_tokens)


def test_internal_sells_nothing(settings, tmp_path):
    text = settings.CATALOGUE_PATH.read_text()
    path = tmp_path / "catalogue.toml"
    path.write_text(text.replace('mode = "freemium"', 'mode = "internal"', 1))
    catalogue = plans.load(path)
    assert not catalogue.sells
    assert all(terms.prices == {} for terms in catalogue.plans.values())


def test_a_model_without_a_back_end_that_is_set_up_is_not_served(settings):
    settings.MODEL_BASE_URL, settings.OPENAI_API_KEY = "http://127.0.0.1:9/v1", ""
    assert plans.is_served("chat-small")
    assert not plans.is_served("chat-large")
    settings.OPENAI_API_KEY = "sk-0"
    assert plans.is_served("chat-large")


def test_a_broken_catalogue_stops_the_start_in_one_sentence(tmp_path, settings):
    path = tmp_path / "catalogue.toml"
    path.write_text(settings.CATALOGUE_PATH.read_text().replace("amount = 20\n", "amount = -20\n", 1))
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": "", "CAUSERIE_CATALOGUE": str(path), "DJANGO_SETTINGS_MODULE": "project.settings.test"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Causerie cannot start: catalogue.toml, line ")
    assert "plans.free.limit[1].amount: is -20" in done.stderr
    assert "Traceback" not in done.stderr
