from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.billing.models import BillingAccount
from apps.core import clock
from apps.usage import credits
from apps.usage.models import CreditGrant
from tests import cast

pytestmark = pytest.mark.django_db


def grant(*arguments):
    out = StringIO()
    call_command("grant_credit", *arguments, stdout=out)
    return out.getvalue()


def test_gives_credit_with_a_reason_that_is_kept():
    ana = cast.ana()
    said = grant("Ana@example.org", "5.25", "--reason", "sorry")
    assert said == "Given. ana@example.org has 5.25 USD of API credit.\n"
    assert credits.balance_micro(BillingAccount.objects.get(owner=ana)) == 5_250_000
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.reason) == ("credit.grant", ana, "sorry")
    assert entry.details["amount_micro"] == 5_250_000


def test_the_same_reference_gives_nothing_twice():
    cast.ana()
    for _time in range(2):
        said = grant("ana@example.org", "1", "--reason", "sorry", "--reference", "ticket-7")
    assert said == "Nothing was given: ticket-7 was used before. ana@example.org has 1.00 USD of API credit.\n"
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("amount", ["0", "-1", "much", "NaN", "0.0000001"])
def test_an_amount_must_be_one(amount):
    cast.ana()
    with pytest.raises(CommandError, match="is not an amount"):
        grant("ana@example.org", "--reason", "sorry", "--", amount)
    assert not CreditGrant.objects.exists()


def test_credit_may_end():
    cast.ana()
    last_day = (clock.now() + timedelta(days=30)).date().isoformat()
    grant("ana@example.org", "1", "--reason", "try it", "--until", last_day)
    row = CreditGrant.objects.get()
    assert row.expires_at.isoformat() == f"{last_day}T23:59:59.999999+00:00"
    assert (row.remaining_micro, row.priority) == (1_000_000, 20)


@pytest.mark.parametrize(("day", "said"), [("soon", "soon is not a day"), ("2020-01-31", "2020-01-31 is over")])
def test_an_end_must_be_a_day_to_come(day, said):
    cast.ana()
    with pytest.raises(CommandError, match=said):
        grant("ana@example.org", "1", "--reason", "try it", "--until", day)
    assert not CreditGrant.objects.exists()


def test_somebody_must_be_there():
    with pytest.raises(CommandError, match="Nobody has the address"):
        grant("nobody@example.org", "1", "--reason", "sorry")
    assert not CreditGrant.objects.exists()
