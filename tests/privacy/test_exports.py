import io
import json
import zipfile
from datetime import timedelta

import pytest

from apps.accounts import consent
from apps.chat.models import Conversation, Message
from apps.core import ids
from apps.core.errors import Missing
from apps.developer import keys
from apps.privacy import exports
from apps.privacy.models import DataRequest
from apps.privacy.registry import STORES
from tests import build, cast
from tests.build import NOW

pytestmark = pytest.mark.django_db
State = DataRequest.State


def talk(*, owner, text):
    conversation = Conversation.objects.create(owner=owner, title=text[:20], created_at=NOW, updated_at=NOW)
    Message.objects.create(conversation=conversation, role="user", text=text, created_at=NOW)


def life(person, *, text):
    """Something in every store."""
    account = build.account(owner=person)
    talk(owner=person, text=text)
    build.answer(account=account)
    keys.make_key(account, f"key of {person.name}", now=NOW)
    build.act(consent.record, person, "terms", given=True, version="2026-11", now=NOW)


def opened(archive):
    packed = zipfile.ZipFile(io.BytesIO(archive))
    return {name: packed.read(name).decode() for name in packed.namelist()}


def made(person, *, now=NOW):
    request = exports.ask_export(person, now=now)
    assert exports.make_archive(request.pk, now=now) is True
    return request


def test_holds_every_store_and_a_page_that_explains_it():
    ana = cast.ana()
    life(ana, text="Bonjour")
    files = opened(exports.build_archive(ana, now=NOW))
    assert {name.partition("/")[0] for name in files} == {store.slug for store in STORES} | {"README.txt"}
    assert "ana@example.org, as of 2026-03-02 09:00 UTC" in files["README.txt"]
    for name, text in files.items():
        if name.endswith(".json"):
            json.loads(text)
    assert json.loads(files["accounts/profile.json"])["email"] == "ana@example.org"
    assert "Bonjour" in "".join(files.values())


def test_holds_nothing_of_anybody_else():
    ana, mallory = cast.ana(), cast.mallory()
    life(ana, text="Bonjour")
    life(mallory, text="I was here")
    everything = "".join(opened(exports.build_archive(ana, now=NOW)).values())
    for trace in ("I was here", "mallory", "Mallory", str(mallory.pk), str(mallory.billing_account.pk)):
        assert trace not in everything


def test_someone_who_did_nothing_gets_an_archive_too():
    files = opened(exports.build_archive(cast.ana(), now=NOW))
    assert "README.txt" in files


def test_is_made_once_however_often_it_is_asked_for():
    ana = cast.ana()
    first = exports.ask_export(ana, now=NOW)
    assert exports.ask_export(ana, now=NOW).pk == first.pk
    assert exports.make_archive(first.pk, now=NOW) is True
    assert exports.make_archive(first.pk, now=NOW + timedelta(hours=1)) is False
    assert DataRequest.objects.count() == 1
    assert exports.ask_export(ana, now=NOW).pk != first.pk


def test_is_fetched_by_its_owner_alone_and_for_seven_days():
    ana, mallory = cast.ana(), cast.mallory()
    request = made(ana)
    assert opened(exports.find_archive(ana, request.pk, now=NOW + timedelta(days=6, hours=23)))
    with pytest.raises(Missing):
        exports.find_archive(mallory, request.pk, now=NOW)
    with pytest.raises(Missing):
        exports.find_archive(ana, request.pk, now=NOW + timedelta(days=7))
    with pytest.raises(Missing):
        exports.find_archive(ana, ids.uuid7(), now=NOW)


def test_an_old_archive_is_forgotten():
    request = made(cast.ana())
    assert exports.drop_old_archives(now=NOW + timedelta(days=6)) == 0
    assert exports.drop_old_archives(now=NOW + timedelta(days=7)) == 1
    request.refresh_from_db()
    assert request.archive is None


def test_a_worker_that_dies_leaves_it_to_the_next_one_and_the_fifth_is_the_last():
    request = exports.ask_export(cast.ana(), now=NOW)
    DataRequest.objects.update(next_at=NOW + exports.LEASE, attempts=1)
    assert exports.make_archive(request.pk, now=NOW) is False
    assert list(DataRequest.objects.due(at=NOW)) == []
    later = NOW + exports.LEASE
    assert list(DataRequest.objects.due(at=later)) == [request]
    DataRequest.objects.update(attempts=exports.MOST_ATTEMPTS)
    assert exports.make_archive(request.pk, now=later) is False
    request.refresh_from_db()
    assert (request.state, request.archive) == (State.FAILED, None)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("ledger", "ledger.json"),
        ("profile.json", "profile.json"),
        ("../../etc/passwd", "etc-passwd.json"),
        ("…", "data.json"),
    ],
)
def test_names_of_files_are_harmless(name, safe):
    assert exports.file_name(name) == safe
