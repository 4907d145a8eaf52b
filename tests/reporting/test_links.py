import pytest

from apps.reporting import links


@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("sub_1Ab", "https://dashboard.stripe.com/test/subscriptions/sub_1Ab"),
        ("in_1", "https://dashboard.stripe.com/test/invoices/in_1"),
        ("pi_1", "https://dashboard.stripe.com/test/payments/pi_1"),
        ("re_1/../x", ""),
        ("premium", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_an_id_leads_to_its_object_at_stripe(settings, key, address):
    settings.STRIPE_API_BASE = settings.STRIPE_API
    assert links.address_of("document", key) == address


def test_with_a_live_key_it_is_the_live_object(settings):
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = settings.STRIPE_API, "sk_live_1"
    assert links.address_of("document", "du_1") == "https://dashboard.stripe.com/disputes/du_1"


def test_the_local_stripe_shows_its_own(settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:12111/anything"
    assert links.address_of("document", "sub_1") == "http://127.0.0.1:12111/_sandbox/objects/sub_1"


def test_an_account_leads_to_its_customer():
    assert links.address_of("account", "0190-1") == "/admin/customers/?q=0190-1"
