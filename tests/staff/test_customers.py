"""Finding a customer and seeing how they stand: for roles that may, and never with what was written to a model."""

from datetime import date
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import notes
from apps.accounts.models import AuditEntry, StaffNote
from apps.accounts.personal_data import PersonalData
from apps.chat import replies
from apps.chat.replies import Draft
from apps.core.errors import Invalid
from apps.developer import keys
from apps.reporting.models import AccountMonth
from apps.staff import customers
from tests import build, cast
from tests.build import NOW

pytestmark = pytest.mark.django_db
SEARCH = "/admin/customers/"
SECRET = "My darkest secret"


def helper(role, email="helper@example.org"):
    return build.person(email=email, is_staff=True, role=role)


@pytest.fixture
def ana():
    return cast.ana()


@pytest.fixture
def support(client):
    person = helper("support")
    client.force_login(person)
    return person


@pytest.mark.parametrize("words", ["ana@example.org", "ANA@example.org", "example.org", "Ana", "na@ex"])
def test_finds_by_address_and_name(ana, words):
    assert customers.search(words) == [ana]


@pytest.mark.parametrize("words", ["", "an", "  a ", "nobody", "\x00ana", "%", "___"])
def test_finds_nobody_for_too_little_or_nonsense(ana, words):
    assert customers.search(words) == []


def test_finds_by_what_stripe_and_we_call_them(ana):
    account = build.account(owner=ana, stripe_customer_id="cus_ana")
    subscription = build.stripe_subscription(account=account)
    key, _secret = keys.make_key(account, "laptop", now=NOW)
    for words in (str(ana.pk), str(account.pk), "cus_ana", subscription.pk, key.hint):
        assert customers.search(words) == [ana], words


def test_who_is_meant_exactly_comes_first(ana):
    build.person(email="ana@example.org.example.net")
    assert customers.search("ana@example.org")[0] == ana


def test_a_search_is_for_somebody_and_not_for_everybody():
    for number in range(25):
        build.person(email=f"someone{number}@example.org")
    assert len(customers.search("someone")) == customers.MOST_FOUND


def test_an_exact_address_leads_straight_to_its_page(client, support, ana):
    assert client.get(SEARCH, {"q": "ana@example.org"}).url == f"{SEARCH}{ana.pk}/"
    assert "ana@example.org" in client.get(SEARCH, {"q": "example"}).content.decode()
    assert "Nobody was found" in client.get(SEARCH, {"q": "nobody"}).content.decode()


def test_the_page_shows_how_they_stand_and_nothing_they_wrote(client, support, ana, provider):
    replies.send(ana, Draft(SECRET), now=NOW)
    keys.make_key(ana.billing_account, "laptop", now=NOW)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(f"{SEARCH}{ana.pk}/").content.decode()
    assert "Free" in page
    assert "laptop" in page
    assert SECRET not in page
    assert [query["sql"] for query in captured if "chat_" in query["sql"] or "inference_" in query["sql"]] == []


def test_money_is_for_those_who_look_after_it(client, support, ana):
    build.account(owner=ana, stripe_customer_id="cus_ana")
    assert "cus_ana" not in client.get(f"{SEARCH}{ana.pk}/").content.decode()
    client.force_login(helper("finance", "money@example.org"))
    assert "cus_ana" in client.get(f"{SEARCH}{ana.pk}/").content.decode()


def test_what_they_brought_and_cost_month_by_month_is_for_the_same_people(client, support, ana):
    account = build.account(owner=ana)
    for month, margin in ((3, -2_500_000), (4, 1_250_000)):
        AccountMonth.objects.create(
            month=date(2026, month, 1), account=account, currency="usd", plan="free", margin_micro=margin
        )
    assert "brought and cost" not in client.get(f"{SEARCH}{ana.pk}/").content.decode()
    client.force_login(helper("finance", "money@example.org"))
    page = client.get(f"{SEARCH}{ana.pk}/").content.decode()
    assert page.index("USD 1.25") < page.index("−USD 2.50")  # the latest month first


def test_looking_makes_no_account(client, support, ana):
    client.get(f"{SEARCH}{ana.pk}/")
    assert not hasattr(type(ana).objects.get(pk=ana.pk), "billing_account")


def test_a_customer_who_is_not_there_is_not_found(client, support):
    assert client.get(f"{SEARCH}{uuid4()}/").status_code == 404


def test_a_note_stays_and_goes_with_the_person(client, support, ana):
    assert client.post(f"{SEARCH}{ana.pk}/note/", {"text": "Called on Monday."}).url == f"{SEARCH}{ana.pk}/"
    assert "Called on Monday." in client.get(f"{SEARCH}{ana.pk}/").content.decode()
    files = dict(PersonalData().export(ana))
    assert files["notes_of_staff.json"][0]["text"] == "Called on Monday."
    PersonalData().erase(ana, now=NOW)
    assert not StaffNote.objects.exists()


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, "a\x00b"])
def test_a_note_without_words_is_none(ana, text):
    with pytest.raises(Invalid):
        notes.add(ana, text, by=cast.dana(), now=NOW)
    assert not StaffNote.objects.exists()


@pytest.mark.parametrize("path", ["", "note/", "block/", "role/", "look/"])
def test_mallory_and_nobody_get_nothing(client, ana, path):
    address = f"{SEARCH}{ana.pk}/{path}"
    for method in (client.get, client.post):
        assert method(address).status_code in (302, 405)
    client.force_login(cast.mallory())
    answers = [method(address).status_code for method in (client.get, client.post)]
    assert set(answers) <= {403, 405}
    assert 403 in answers
    assert not AuditEntry.objects.exists()


def test_an_account_s_id_leads_straight_to_its_customer(client):
    ana = build.account(owner=cast.ana())
    client.force_login(cast.dana())
    response = client.get(f"/admin/customers/?q={ana.pk}")
    assert (response.status_code, response["Location"]) == (302, f"/admin/customers/{ana.owner_id}/")
