"""apps/inference/credentials.py: keys that staff enter lie encrypted, and are used instead of the environment's."""

import pytest

from apps.accounts.models import AuditEntry
from apps.core.errors import Invalid
from apps.inference import credentials, language_models
from apps.inference.models import BackendKey
from tests import build, cast

pytestmark = pytest.mark.django_db(transaction=True)
NOW = build.NOW
KEY = "sk-very-secret-1234"


@pytest.fixture(autouse=True)
def remember_nothing():
    credentials.forget()
    yield
    credentials.forget()


def test_a_key_lies_encrypted_and_is_read_again():
    credentials.enter("openai", KEY, by=cast.ana(), now=NOW)
    row = BackendKey.objects.get()
    assert KEY not in row.sealed
    assert (row.ending, credentials.key_of("openai"), credentials.key_of("local")) == ("1234", KEY, "")


def test_it_is_used_instead_of_the_environments_and_sets_a_back_end_up(settings):
    settings.OPENAI_API_KEY = ""
    assert "openai" not in {server.key for server in language_models.all_servers()}
    credentials.enter("openai", KEY, by=cast.ana(), now=NOW)
    servers = {server.key: server for server in language_models.all_servers()}
    assert servers["openai"].api_key == KEY
    assert KEY not in repr(servers["openai"])


def test_it_is_written_down_who_entered_and_removed_it_and_never_the_key():
    ana = cast.ana()
    credentials.enter("openai", KEY, by=ana, now=NOW)
    credentials.remove("openai", by=ana, now=NOW)
    acts = list(AuditEntry.objects.order_by("pk").values_list("action", "details"))
    entered = {"backend": "openai", "ending": "1234"}
    assert acts == [("backend.key_entered", entered), ("backend.key_removed", {"backend": "openai"})]
    assert credentials.key_of("openai") == ""


@pytest.mark.parametrize("key", ["", "short", "with a space in it", "clé-secrète-1234", "x" * 501])
def test_what_cannot_be_a_key_is_refused(key):
    with pytest.raises(Invalid):
        credentials.enter("openai", key, by=cast.ana(), now=NOW)
    assert not BackendKey.objects.exists()


def test_a_key_sealed_under_a_lost_secret_is_no_key(settings):
    credentials.enter("openai", KEY, by=cast.ana(), now=NOW)
    settings.SECRET_KEY_FALLBACKS, old = [], settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    credentials.forget()
    assert credentials.key_of("openai") == ""
    settings.SECRET_KEY_FALLBACKS = [old]
    credentials.forget()
    assert credentials.key_of("openai") == KEY
