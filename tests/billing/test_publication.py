"""The catalogue brought here and to Stripe."""

import pytest
from django.core.management import CommandError, call_command

from apps.billing import entitlements, grants, sync
from apps.billing.grants import Span
from apps.billing.models import BillingAccount, ModelPrice, Plan, PlanVersion, Price
from tests.build import NOW
from tests.support import shop

pytestmark = pytest.mark.django_db
PRICES = [
    "premium_month_eur",
    "premium_month_usd",
    "premium_plus_month_eur",
    "premium_plus_month_usd",
    "premium_plus_year_eur",
    "premium_plus_year_usd",
    "premium_year_eur",
    "premium_year_usd",
]
FOR_DEVELOPERS = ["api_credit_eur", "api_credit_usd", "api_usage_eur", "api_usage_usd"]


def run(act, *words):
    said = shop.Quiet()
    call_command("catalogue", act, *words, stdout=said)
    return said.getvalue().splitlines()


def with_catalogue(settings, tmp_path, *changes, name="other.toml"):
    text = settings.CATALOGUE_PATH.read_text()
    for there, instead in changes:
        assert there in text
        text = text.replace(there, instead, 1)
    path = tmp_path / name
    path.write_text(text)
    settings.CATALOGUE_PATH = path


def active(sandbox):
    return {price["lookup_key"]: price for price in sandbox.objects("price") if price["active"]}


def test_diff_shows_and_changes_nothing(sandbox):
    said = run("diff")
    plans = [f"here: new plan {key}" for key in ("guest", "free", "premium", "premium_plus", "developer")]
    models = [f"here: prices of {key}" for key in ("chat-small", "chat-large")]
    assert said[:8] == [*plans, *models, "Stripe: new product Premium"]
    assert "Stripe: new price premium_month_usd: 800 usd a month" in said
    assert said[-1] == "27 changes; `manage.py catalogue apply` makes them."
    assert sandbox.objects("product") == []
    assert not Plan.objects.exists()
    assert not ModelPrice.objects.exists()


def test_apply_makes_products_and_prices(sandbox):
    assert run("apply")[-1] == "Done: 27 changes."
    assert sorted(str(product["metadata"]) for product in sandbox.objects("product")) == [
        "{'plan_key': 'premium'}",
        "{'plan_key': 'premium_plus'}",
        "{'sells': 'api_credit'}",
        "{'sells': 'api_usage'}",
    ]
    prices = active(sandbox)
    assert sorted(prices) == [*FOR_DEVELOPERS, *PRICES]
    year = prices["premium_year_eur"]
    assert (year["unit_amount"], year["currency"], year["recurring"]["interval"]) == (8400, "eur", "year")
    assert year["tax_behavior"] == "exclusive"
    assert (
        sorted(Price.objects.filter(is_active=True, plan__isnull=False).values_list("lookup_key", flat=True)) == PRICES
    )
    assert list(Plan.objects.filter(is_default=True).values_list("key", flat=True)) == ["free"]
    portal = sandbox.objects("billing_portal.configuration")[0]["features"]
    assert portal["subscription_cancel"]["mode"] == "at_period_end"
    assert len(portal["subscription_update"]["products"]) == 2


def test_a_second_apply_has_nothing_to_do(sandbox):
    run("apply")
    events = len(sandbox.objects("event"))
    assert run("apply") == ["Nothing to do: all is as the catalogue says."]
    assert run("diff") == ["Nothing to do: all is as the catalogue says."]
    assert len(sandbox.objects("event")) == events
    assert PlanVersion.objects.count() == 5
    assert ModelPrice.objects.count() == 2


def test_a_new_amount_is_a_new_price_and_the_old_one_stays_for_its_subscribers(sandbox, settings, tmp_path):
    run("apply")
    old = active(sandbox)["premium_month_usd"]["id"]
    with_catalogue(settings, tmp_path, ("usd = 800", "usd = 900"))
    said = run("apply")
    assert "Stripe: new price premium_month_usd: 900 usd a month" in said
    assert "Stripe: archive price premium_month_usd: 800 usd" in said
    new = active(sandbox)["premium_month_usd"]
    assert (new["unit_amount"], new["id"] != old) == (900, True)
    row = Price.objects.get(pk=old)
    assert (row.is_active, row.plan_id, row.unit_amount_minor) == (False, "premium", 800)
    assert Price.objects.get(lookup_key="premium_month_usd", is_active=True).pk == new["id"]
    assert run("diff") == ["Nothing to do: all is as the catalogue says."]


def test_a_plan_that_leaves_the_catalogue_is_archived_and_comes_back(sandbox, settings, tmp_path):
    run("apply")
    shipped = settings.CATALOGUE_PATH
    text = shipped.read_text()
    begin, end = text.index("[plans.premium_plus]"), text.index("[plans.developer]")
    with_catalogue(settings, tmp_path, (text[begin:end], ""))
    said = run("apply")
    assert said[0] == "here: plan premium_plus leaves the catalogue; who has it keeps it"
    assert "Stripe: archive product Premium+" in said
    assert run("diff") == ["Nothing to do: all is as the catalogue says."]
    assert set(active(sandbox)) == {key for key in (*FOR_DEVELOPERS, *PRICES) if "plus" not in key}
    assert len(sandbox.objects("product")) == 4
    assert Plan.objects.get(pk="premium_plus").left_at is not None
    settings.CATALOGUE_PATH = shipped
    said = run("apply")
    assert said[0] == "here: plan premium_plus is back in the catalogue"
    assert "Stripe: product Premium+ on sale" in said
    assert Plan.objects.get(pk="premium_plus").left_at is None
    assert sorted(active(sandbox)) == [*FOR_DEVELOPERS, *PRICES]
    assert run("diff") == ["Nothing to do: all is as the catalogue says."]


def test_new_limits_are_a_new_version_and_wanted_for_subscribers(sandbox, settings, tmp_path, account):
    run("apply")
    shop.buy(account)
    with_catalogue(settings, tmp_path, ("amount = 300", "amount = 400"))
    assert run("diff")[:1] == ["here: terms of premium: messages (chat-small, 3h) 300 → 400"]
    run("apply")
    assert PlanVersion.objects.filter(plan="premium").count() == 2
    assert BillingAccount.objects.all().in_need_of_sync().count() == 1


def test_new_rates_of_a_model_are_a_new_version(sandbox, settings, tmp_path):
    run("apply")
    with_catalogue(settings, tmp_path, ("price.eur = { input = 50_000", "price.eur = { input = 55_000"))
    assert run("diff")[:1] == ["here: prices of chat-small"]
    run("apply")
    rows = ModelPrice.objects.filter(model="chat-small").order_by("version")
    assert [(row.version, row.rates["price"]["eur"]["input"]) for row in rows] == [(1, 50_000), (2, 55_000)]
    assert run("diff") == ["Nothing to do: all is as the catalogue says."]


def test_new_limits_reach_who_was_given_the_plan(sandbox, settings, tmp_path, account):
    run("apply")
    now = shop.now()
    grants.give(account, "premium", Span(now), reason="an outage", by=None, now=now)
    with_catalogue(settings, tmp_path, ("amount = 300", "amount = 400"))
    run("apply")
    assert BillingAccount.objects.all().in_need_of_sync().get() == account
    assert sync.sync_customer(account.pk, clock=shop.now)
    assert entitlements.plan_for(account, now=shop.now()).limits[0].amount == 400


def test_a_new_default_plan_and_a_new_name_are_said(sandbox, settings, tmp_path):
    run("apply")
    with_catalogue(settings, tmp_path, ('name = "Free"', 'name = "Gratis"'), ("rank = 1\n", "rank = 2\n"))
    assert run("diff")[0] == "here: terms of free: name Free → Gratis; rank 1 → 2"
    run("apply")
    assert (Plan.objects.get(pk="free").name, Plan.objects.get(pk="free").rank) == ("Gratis", 2)
    assert run("diff") == ["Nothing to do: all is as the catalogue says."]
    Plan.objects.filter(pk="premium").update(is_default=True)
    assert run("apply")[0] == "here: premium is no longer the default plan"


def test_terms_that_say_the_same_in_an_older_form_are_written_anew(sandbox):
    run("apply")
    newest = PlanVersion.objects.get(plan="free")
    terms = {key: value for key, value in newest.terms.items() if key != "attachments"}
    guest = PlanVersion.objects.get(plan="guest")
    old = {key: value for key, value in guest.terms.items() if key != "attachments"}
    PlanVersion.objects.create(plan_id="guest", version=2, terms=old, digest="old", effective_from=NOW)
    PlanVersion.objects.create(plan_id="free", version=2, terms=terms, digest="old", effective_from=NOW)
    assert run("diff")[:2] == [
        "here: terms of guest: the same, written in a new form",
        "here: terms of free: attachments none → 1 of 5 MB (image, text)",
    ]


def test_a_database_that_was_lost_learns_what_stripe_has(sandbox):
    run("apply")
    Price.objects.all().delete()
    assert run("apply")[0] == "here: products and prices as Stripe has them"
    assert Price.objects.count() == 12


def test_internal_mode_needs_no_stripe(settings, tmp_path, db):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with_catalogue(settings, tmp_path, ('mode = "freemium"', 'mode = "internal"'))
    assert run("apply")[-1] == "Done: 7 changes."
    assert not Price.objects.exists()


def test_a_live_key_is_asked_about_again(settings, tmp_path, monkeypatch):
    with_catalogue(settings, tmp_path, ('mode = "freemium"', 'mode = "internal"'), name="live.toml")
    settings.STRIPE_SECRET_KEY = "sk_live_0"
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    with pytest.raises(CommandError, match=r"Nothing was changed\."):
        run("apply")
    assert not Plan.objects.exists()
    monkeypatch.setattr("builtins.input", lambda _question: "yes")
    assert run("apply")[-1] == "Done: 7 changes."


def test_stripe_being_away_is_said_in_one_sentence(settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="The payment service does not answer right now"):
        run("diff")


def test_usage_is_counted_by_a_meter_in_ten_thousandths_of_a_minor_unit(sandbox):
    run("apply")
    [meter] = sandbox.objects("billing.meter")
    assert (meter["event_name"], meter["default_aggregation"]["formula"]) == ("causerie_api_usage", "sum")
    price = active(sandbox)["api_usage_usd"]
    assert (price["unit_amount"], float(price["unit_amount_decimal"])) == (None, 0.0001)
    assert price["recurring"] | {"usage_type": "metered", "meter": meter["id"]} == price["recurring"]
    assert (active(sandbox)["api_credit_usd"]["unit_amount"], active(sandbox)["api_credit_usd"]["recurring"]) == (
        100,
        None,
    )


def test_what_is_no_longer_offered_to_developers_is_archived(sandbox, settings, tmp_path):
    run("apply")
    text = settings.CATALOGUE_PATH.read_text()
    with_catalogue(settings, tmp_path, (text[text.index("[developer.credit]") :], ""))
    assert "Stripe: archive price api_usage_usd" in run("apply")
    assert sorted(active(sandbox)) == PRICES
    assert run("diff") == ["Nothing to do: all is as the catalogue says."]
