import pytest
import stripe as stripe_library


@pytest.fixture
def names(stripe):
    for number in range(5):
        stripe.products.create({"name": f"p{number}"})
    return ["p4", "p3", "p2", "p1", "p0"]


def test_gives_the_newest_first_and_ten_by_default(stripe):
    for number in range(11):
        stripe.products.create({"name": f"p{number}"})
    listed = stripe.products.list()
    assert [each.name for each in listed.data] == [f"p{number}" for number in range(10, 0, -1)]
    assert (listed.has_more, listed.url) == (True, "/v1/products")


def test_the_client_pages_through_everything(stripe, names):
    assert [each.name for each in stripe.products.list({"limit": 2}).auto_paging_iter()] == names


def test_goes_back_before_a_cursor(stripe, names):
    oldest = stripe.products.list().data[-1]
    page = stripe.products.list({"ending_before": oldest.id, "limit": 2})
    assert ([each.name for each in page.data], page.has_more) == (["p2", "p1"], True)


def test_filters_by_creation(stripe, names):
    created = stripe.products.list().data[0].created
    assert len(stripe.products.list({"created": {"gte": created - 60}}).data) == 5
    assert stripe.products.list({"created": {"gt": created}}).data == []


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_refuses_a_limit_outside_1_to_100(stripe, limit):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.products.list({"limit": limit})
    assert (refusal.value.http_status, refusal.value.param) == (400, "limit")


@pytest.mark.parametrize("cursor", ["starting_after", "ending_before"])
def test_refuses_a_cursor_that_is_no_such_object(stripe, cursor):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.products.list({cursor: "prod_x"})
    assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (400, "resource_missing", cursor)


def test_finds_prices_by_lookup_key_activity_and_currency(stripe):
    product = stripe.products.create({"name": "Premium"})
    made = {}
    for key, currency in (("premium_month_usd", "usd"), ("premium_month_eur", "eur")):
        made[key] = stripe.prices.create(
            {"product": product.id, "unit_amount": 800, "currency": currency, "lookup_key": key}
        ).id
    stripe.prices.update(made["premium_month_eur"], {"active": False})
    by_key = stripe.prices.list({"lookup_keys": ["premium_month_usd", "unknown"]})
    assert [price.id for price in by_key.data] == [made["premium_month_usd"]]
    assert [price.id for price in stripe.prices.list({"active": False}).data] == [made["premium_month_eur"]]
    assert [price.id for price in stripe.prices.list({"currency": "eur"}).data] == [made["premium_month_eur"]]


def test_filters_customers_by_email(stripe):
    stripe.customers.create({"email": "a@example.com"})
    wanted = stripe.customers.create({"email": "b@example.com"})
    assert [each.id for each in stripe.customers.list({"email": "b@example.com"}).data] == [wanted.id]
