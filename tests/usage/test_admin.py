import pytest

from tests import build, cast
from tests.usage.test_views import answer

pytestmark = pytest.mark.django_db
PAGES = [
    "usageledger", "usagebucket", "usagereservation", "creditaccount", "creditgrant", "spendingcap", "usagealert",
]  # fmt: skip


@pytest.mark.parametrize("table", PAGES)
def test_staff_look_and_change_nothing(client, table):
    ana = cast.ana()
    answer(ana, count=16)
    build.cap(account=ana.billing_account, amount_micro=5)
    client.force_login(cast.dana())
    assert client.get(f"/admin/usage/{table}/").status_code == 200
    assert client.get(f"/admin/usage/{table}/add/").status_code == 403


def test_who_is_not_staff_is_sent_away(client):
    client.force_login(cast.mallory())
    assert client.get("/admin/usage/usageledger/").status_code == 302
