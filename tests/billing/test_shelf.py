"""What is on sale at Stripe, mirrored when somebody changes it there."""

import pytest

from apps.billing import catching_up, entitlements, inbox, shelf, tasks
from apps.billing.models import DriftItem, Price, StripeEvent
from tests.support import shop
from tests.support.webhooks import body, sign

pytestmark = pytest.mark.django_db
SOLD = "premium_month_usd"


def told(kind="price.updated"):
    """Stripe says that something on the shelf changed."""
    raw = body(key=f"evt_{kind}", kind=kind, data={"object": {"id": "price_1", "object": "price"}})
    inbox.store(raw, sign(raw, at=shop.now()), now=shop.now())


@pytest.fixture
def archived(published):
    """A price that we sell, archived in the Dashboard; other tests have it as it was."""
    price = Price.objects.get(lookup_key=SOLD)
    set_active(published, price, to="false")
    yield price
    set_active(published, price, to="true")


def set_active(published, price, *, to):
    assert published.call("POST", f"/v1/prices/{price.pk}", {"active": to}).status_code == 200


def test_a_price_that_was_archived_in_the_dashboard_is_noticed(published, archived):
    told()
    assert StripeEvent.objects.get().state == "stored"
    tasks.read_shelf.apply()
    archived.refresh_from_db()
    assert (archived.is_active, StripeEvent.objects.get().state) == (False, "handled")
    item = DriftItem.objects.get()
    assert (item.kind, item.subject, item.ours, item.stripe) == ("price", SOLD, "on sale", "archived")
    set_active(published, archived, to="true")
    shelf.read(now=shop.now())
    assert DriftItem.objects.get().fixed_at is not None


def test_a_lost_nudge_is_found(published, archived):
    told("product.updated")
    assert catching_up.catch_up(clock=shop.now)["shelf"] > 0
    assert Price.objects.get(pk=archived.pk).is_active is False
    assert catching_up.catch_up(clock=shop.now)["shelf"] == 0


def test_subscribers_keep_a_plan_whose_price_was_archived(published, account, request):
    shop.buy(account)
    request.getfixturevalue("archived")
    shelf.read(now=shop.now())
    shop.look(account)
    assert entitlements.plan_for(account, now=shop.now()).key == "premium"


def test_stripe_being_away_leaves_the_event_waiting(published):
    told()
    published.fault("http_500", count=10, match="/v1/prices")
    assert tasks.read_shelf.apply().successful()
    assert StripeEvent.objects.get().state == "stored"
