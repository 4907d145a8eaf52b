import pytest

from apps.reporting.models import ExchangeRate
from tests import build, cast

pytestmark = pytest.mark.django_db
ADD = "/admin/reporting/exchangerate/add/"


def enter(client, **sent):
    return client.post(ADD, {"day": "2026-01-31", "currency": "EUR", "rate": "1.1", **sent})


def test_staff_enter_what_a_currency_is_worth(client):
    client.force_login(cast.dana())
    assert enter(client).status_code == 302
    row = ExchangeRate.objects.get()
    assert (str(row.day), row.currency, row.rate_micro) == ("2026-01-31", "eur", 1_100_000)
    assert "1.100000" in client.get("/admin/reporting/exchangerate/").content.decode()


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"currency": "usd"}, "other currencies of the catalogue: eur"),
        ({"currency": "gbp"}, "other currencies of the catalogue: eur"),
        ({"rate": "0"}, "above nothing"),
        ({"rate": "-1"}, "greater than or equal to 0"),
        ({"rate": "much"}, "Enter a number"),
        ({"day": "soon"}, "valid date"),
    ],
)
def test_nonsense_is_refused_in_words(client, sent, says):
    client.force_login(cast.dana())
    assert says in enter(client, **sent).content.decode()
    assert not ExchangeRate.objects.exists()


def test_a_day_has_one_rate(client):
    client.force_login(cast.dana())
    enter(client)
    assert "already exists" in enter(client, rate="2").content.decode()
    assert ExchangeRate.objects.get().rate_micro == 1_100_000


@pytest.mark.parametrize(("role", "status"), [("finance", 302), ("support", 403)])
def test_it_is_for_those_who_may_reports(client, role, status):
    client.force_login(build.person(email="one@example.org", is_staff=True, role=role))
    assert enter(client).status_code == status
