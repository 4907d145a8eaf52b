"""What programs ask, by key."""

import pytest

from apps.core.errors import Invalid
from apps.developer.models import ApiKey
from apps.reporting.days import Period
from apps.reporting.metrics import developer
from apps.reporting.metrics.base import Slice
from apps.reporting.metrics.families import METRICS
from apps.reporting.scope import Scope
from apps.reporting.sheets.developer import DEVELOPER
from apps.reporting.splits import read
from tests import build, cast
from tests.reporting import history
from tests.reporting.history import DAY_1, FIRST, NOW

pytestmark = pytest.mark.django_db


def key(account, name):
    return ApiKey.objects.create(account=account, name=name, hint=f"sk-{name}…1234", secret_hash=name, created_at=FIRST)


def ask(account, of, times=1, **fields):
    for _ in range(times):
        build.answer(account=account, at=FIRST, channel="api", key_id=of.pk, price_micro=500_000, **fields)


@pytest.fixture
def keys():
    """Ana's two keys, one asked thrice and one once; an answer in the chat, and one of staff, count nowhere."""
    ana, dana = history.account(owner=cast.ana()), history.account(owner=cast.dana())
    robot, toy = key(ana, "robot"), key(ana, "toy")
    ask(ana, robot, 3)
    ask(ana, toy, model="chat-large")
    ask(dana, key(dana, "ours"), 9)
    build.answer(account=ana, at=FIRST)
    return robot, toy


def by_key(slug):
    found = {}
    for fact in METRICS[slug].compute(DAY_1):
        found[fact.reason] = found.get(fact.reason, 0) + fact.value
    return found


def test_answers_tokens_and_price_are_told_by_key(keys):
    robot, toy = (str(each.pk) for each in keys)
    assert by_key("api_answers") == {robot: 3, toy: 1}
    assert by_key("api_tokens") == {robot: 450, toy: 150}
    assert by_key("api_price") == {robot: 1_500_000, toy: 500_000}
    assert [fact.value for fact in METRICS["active_keys"].compute(DAY_1)] == [2]


def test_only_the_busiest_keys_have_a_name_and_nothing_is_lost(keys, monkeypatch):
    monkeypatch.setattr(developer, "NAMED_KEYS", 1)
    assert by_key("api_answers") == {str(keys[0].pk): 3, "": 1}


def test_the_page_calls_a_key_by_its_name(keys):
    history.filled("developer", now=NOW)
    table = read(DEVELOPER.splits[0], Scope(Period(DAY_1, DAY_1), NOW, "usd"))
    assert [line.cells[:2] for line in table.lines] == [("robot (sk-robot…1234)", 3), ("toy (sk-toy…1234)", 1)]
    assert f"reason={keys[0].pk}" in table.lines[0].opens["api_answers"]
    assert str(table.columns[0].title) == "Key"


def test_the_rows_of_a_key_are_its_own(keys):
    part = Slice(Period(DAY_1, DAY_1), {"reason": str(keys[1].pk)})
    assert METRICS["api_answers"].rows(part).count() == 1
    with pytest.raises(Invalid, match="no such key"):
        METRICS["api_answers"].rows(Slice(Period(DAY_1, DAY_1), {"reason": "x'; --"}))
