"""apps/core/rows.py: instances from a query that is text are those that Django would have made."""

import pytest

from apps.billing.models import ModelPrice
from apps.chat.models import Conversation
from apps.core import rows
from apps.inference.models import Run
from tests import build, cast

pytestmark = pytest.mark.django_db
RUNS = "SELECT {columns}, 'more' FROM inference_run WHERE account_id = %s ORDER BY id"


def test_columns_are_read_as_django_reads_them():
    account = build.account()
    run = build.run(account=account, request={"messages": [1, {"a": None}]})
    (read,) = rows.read(Run, RUNS, [account.pk])
    plain = {field.attname: getattr(read, field.attname) for field in Run._meta.concrete_fields}
    assert plain == {name: getattr(Run.objects.get(pk=run.pk), name) for name in plain}
    assert (read.request, read.created_at.tzinfo is not None) == ({"messages": [1, {"a": None}]}, True)


def test_an_instance_can_be_changed_and_saved(django_assert_num_queries):
    run = build.run(account=build.account())
    read = rows.first(Run, RUNS, [run.account_id])
    read.text = "changed"
    with django_assert_num_queries(1):
        read.save(update_fields=["text"])
    assert Run.objects.get(pk=run.pk).text == "changed"


def test_what_a_row_has_beyond_its_columns_is_given_too():
    run = build.run(account=build.account())
    ((*columns, more),) = rows.ask(Run, RUNS, [run.account_id])
    assert (rows.of(Run, columns), more) == (run, "more")


def test_a_table_goes_by_the_name_that_the_text_gives_it():
    ana = cast.ana()
    kept = Conversation.objects.create(owner=ana, title="Kept", created_at=build.NOW, updated_at=build.NOW)
    text = "SELECT {columns} FROM chat_conversation AS talk JOIN accounts_user AS u ON u.id = owner_id WHERE u.id = %s"
    assert rows.first(Conversation, text, [ana.pk], named="talk") == kept
    assert rows.first(Conversation, text, [cast.mallory().pk], named="talk") is None


def test_no_row_is_none_and_a_percent_sign_stays():
    assert (
        rows.first(
            ModelPrice,
            "SELECT {columns} FROM billing_modelprice WHERE model LIKE '%%x' AND id = %s",
            ["0195f000-0000-7000-8000-000000000000"],
        )
        is None
    )
