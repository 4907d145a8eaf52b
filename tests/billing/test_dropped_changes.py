"""A change that waits for its payment is given up: nothing was charged, and everything else is possible again."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.billing import cancellation, catching_up, change_requests, entitlements, plan_changes
from apps.billing.errors import ChangeUnderWay, NothingToChange, PlanMoved
from apps.billing.models import InvoiceMirror, PlanChange, SubscriptionMirror
from tests import cast
from tests.billing.test_change_pages import text_of
from tests.support import shop

pytestmark = pytest.mark.django_db
DROP, PLAN = "/settings/plan/drop/", "/settings/plan/"
VOID = "/void"


@pytest.fixture
def waiting(published, account):
    """An upgrade to Premium+ whose card was declined."""
    shop.buy(account)
    shop.use_card(published, account, "pm_card_chargeCustomerFail")
    offered = plan_changes.offer(account, "premium_plus", "month", now=shop.now())
    change = plan_changes.agree(account, offered.pk, clock=shop.now)
    shop.look(account)
    return change


@pytest.fixture
def tab(ana):
    tab = Client()
    tab.force_login(ana)
    return tab


def drop(account):
    dropped = plan_changes.drop(account, clock=shop.now)
    shop.look(account)
    dropped.refresh_from_db()
    return dropped


def unanswered_drop(waiting, *, minutes=0):
    """As if we had died between the person's word and the call to Stripe."""
    return PlanChange.objects.create(
        account=waiting.account,
        subscription=waiting.subscription,
        kind="drop",
        state="agreed",
        to_price=waiting.to_price,
        created_at=shop.now(),
        agreed_at=shop.now() - timedelta(minutes=minutes),
    )


def pay(sandbox, account, change):
    card = sandbox.call(
        "POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": account.stripe_customer_id}
    ).json()["id"]
    answer = sandbox.call("POST", f"/v1/invoices/{change.invoice_id}/pay", {"payment_method": card})
    assert answer.status_code == 200, answer.text


def state_of(change):
    change.refresh_from_db()
    return change.state


def held():
    found = SubscriptionMirror.objects.get()
    return found.plan_id, found.has_pending_update


def mine(objects):
    customer = SubscriptionMirror.objects.get().account.stripe_customer_id
    return [one for one in objects if one["customer"] == customer]


def charged(sandbox):
    return [one["amount"] for one in mine(sandbox.objects("charge")) if one["status"] == "succeeded"]


def voided(sandbox):
    return len([one for one in mine(sandbox.objects("invoice")) if one["status"] == "void"])


# --- the rule ---
def test_dropping_voids_the_invoice_and_keeps_the_plan(published, account, waiting):
    dropped = drop(account)
    assert (dropped.kind, dropped.state, dropped.to_price) == ("drop", "done", waiting.to_price)
    assert (state_of(waiting), held()) == ("lapsed", ("premium", False))
    assert InvoiceMirror.objects.get(pk=waiting.invoice_id).status == "void"
    assert charged(published) == [800]


def test_once_it_is_dropped_another_change_is_possible_at_once(published, account, waiting):
    drop(account)
    shop.use_card(published, account, "pm_card_visa")
    offered = plan_changes.offer(account, "premium", "year", now=shop.now())
    assert plan_changes.agree(account, offered.pk, clock=shop.now).state == "done"


def test_once_it_is_dropped_the_plan_can_be_canceled(published, account, waiting):
    drop(account)
    cancellation.cancel(account, "", "", clock=shop.now)
    shop.look(account)
    assert (SubscriptionMirror.objects.get().cancel_at_period_end, charged(published)) == (True, [800])


def test_dropping_twice_voids_once(published, account, waiting):
    plan_changes.drop(account, clock=shop.now)
    second = drop(account)  # before any look: the page still showed the change
    assert (second.state, voided(published), charged(published)) == ("done", 1, [800])
    with pytest.raises(PlanMoved):
        plan_changes.drop(account, clock=shop.now)
    assert PlanChange.objects.filter(kind="drop").count() == 2


def test_while_a_drop_is_unanswered_no_second_one_begins(published, account, waiting):
    unanswered_drop(waiting)
    with pytest.raises(ChangeUnderWay):
        plan_changes.drop(account, clock=shop.now)
    assert (voided(published), state_of(waiting)) == (0, "unpaid")


def test_what_was_paid_first_stays_and_is_done(published, account, waiting):
    pay(published, account, waiting)
    dropped = drop(account)
    assert (dropped.state, state_of(waiting), held()) == ("lapsed", "done", ("premium_plus", False))
    assert voided(published) == 0


def test_what_is_paid_between_our_look_and_our_call_stays_too(published, account, waiting):
    paying = {"payment_method": "pm_card_visa"}
    published.fault("dashboard", match=VOID, action="pay_invoice", id=waiting.invoice_id, params=paying)
    dropped = drop(account)
    assert (dropped.state, state_of(waiting), held()) == ("lapsed", "done", ("premium_plus", False))
    assert voided(published) == 0


def test_a_lost_answer_is_asked_for_again_by_the_same_key(published, account, waiting):
    published.fault("timeout_after", count=1, match=VOID, seconds=0.05)
    assert (drop(account).state, voided(published), state_of(waiting)) == ("done", 1, "lapsed")


def test_where_every_answer_is_lost_a_look_finds_what_happened(published, account, waiting):
    published.fault("timeout_after", count=3, match=VOID, seconds=0.05)
    dropped = plan_changes.drop(account, clock=shop.now)
    assert dropped.state == "agreed"
    shop.look(account)
    assert (state_of(dropped), state_of(waiting), voided(published)) == ("done", "lapsed", 1)


def test_who_dies_before_asking_leaves_it_to_the_sweeper(published, account, waiting):
    dropped = unanswered_drop(waiting, minutes=3)
    assert catching_up.catch_up(clock=shop.now)["changes"] == 1
    shop.look(account)
    assert (state_of(dropped), state_of(waiting), voided(published)) == ("done", "lapsed", 1)


def test_a_sweep_that_finds_it_paid_drops_nothing(published, account, waiting):
    dropped = unanswered_drop(waiting, minutes=3)
    pay(published, account, waiting)
    shop.look(account)
    assert state_of(dropped) == "agreed"
    change_requests.send_forgotten(clock=shop.now)
    assert (state_of(dropped), held(), voided(published)) == ("lapsed", ("premium_plus", False), 0)


def test_where_nothing_waits_nothing_is_dropped(published, account):
    shop.buy(account)
    with pytest.raises(PlanMoved):
        plan_changes.drop(account, clock=shop.now)
    stranger = entitlements.account_for(cast.mallory(), now=shop.now())
    with pytest.raises(NothingToChange):
        plan_changes.drop(stranger, clock=shop.now)
    assert (PlanChange.objects.count(), voided(published)) == (0, 0)


# --- the pages ---
def test_the_page_of_the_change_and_the_plan_page_offer_to_drop_it(tab, waiting):
    for path in (f"/settings/plan/change/{waiting.pk}/", PLAN):
        answer = tab.get(path)
        assert f'action="{DROP}"' in answer.content.decode()
        assert "Drop this change" in text_of(answer)
    assert "Pay or drop it; then you can change your plan." in text_of(tab.get("/settings/plan/change/"))


def test_a_change_that_was_asked_for_elsewhere_can_be_dropped_too(published, tab, waiting):
    PlanChange.objects.all().delete()
    assert f'action="{DROP}"' in tab.get(PLAN).content.decode()
    tab.post(DROP)
    assert (held(), voided(published)) == (("premium", False), 1)


def test_dropping_leads_to_the_plan_which_says_that_nothing_was_charged(published, tab, waiting):
    answer = tab.post(DROP, follow=True)
    assert answer.redirect_chain == [(PLAN, 302)]
    page = text_of(answer)
    assert "The change to Premium+ is dropped. Nothing was charged, and you keep the plan you have." in page
    assert "Drop this change" not in page
    assert "Change plan" in page
    assert charged(published) == [800]


def test_a_second_click_says_that_the_plan_has_moved(published, tab, waiting):
    tab.post(DROP)
    assert "Your plan has changed meanwhile. Nothing was charged." in text_of(tab.post(DROP, follow=True))
    assert voided(published) == 1


def test_who_paid_first_reads_that_it_is_on(published, account, tab, waiting):
    pay(published, account, waiting)
    page = text_of(tab.post(DROP, follow=True))
    assert "Premium+ was paid at the same moment, so the change was not dropped. Premium+ is on." in page
    assert "is dropped." not in page


def test_a_fault_of_stripes_says_that_the_change_still_waits(published, tab, waiting):
    published.fault("http_500", count=1, match=VOID)
    page = text_of(tab.post(DROP, follow=True))
    assert "The change to Premium+ could not be dropped and still waits. Nothing was charged." in page
    assert (held(), state_of(waiting), voided(published)) == (("premium", True), "unpaid", 0)
    assert "is dropped." in text_of(tab.post(DROP, follow=True))


def test_the_page_of_a_drop_leads_back_to_the_plan(tab, waiting):
    tab.post(DROP)
    dropped = PlanChange.objects.get(kind="drop")
    assert tab.get(f"/settings/plan/change/{dropped.pk}/")["Location"] == PLAN


def test_dropping_speaks_french(tab, waiting):
    tab.cookies["django_language"] = "fr"
    assert "Abandonner ce changement" in text_of(tab.get(PLAN))
    assert "Le passage à Premium+ est abandonné." in text_of(tab.post(DROP, follow=True))


def test_mallory_drops_nothing_of_anas(published, account, waiting):
    stranger = Client()
    stranger.force_login(cast.mallory())
    assert stranger.get(f"/settings/plan/change/{waiting.pk}/").status_code == 404
    assert "You have no paid plan that could change." in text_of(stranger.post(DROP, follow=True))
    shop.look(account)
    assert (state_of(waiting), held(), voided(published)) == ("unpaid", ("premium", True), 0)


def test_the_signed_out_and_forms_from_elsewhere_drop_nothing(published, ana, tab, waiting):
    answer = Client().post(DROP)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")
    foreign = Client(enforce_csrf_checks=True)
    foreign.force_login(ana)
    assert foreign.post(DROP).status_code == 403
    assert tab.get(DROP).status_code == 405
    assert (state_of(waiting), voided(published)) == ("unpaid", 0)


def test_while_a_drop_is_unanswered_the_plan_page_offers_no_second_one(tab, account, waiting):
    unanswered_drop(waiting)
    page = text_of(tab.get(PLAN))
    assert "A change of your plan is being confirmed." in page
    assert "Drop this change" not in page
