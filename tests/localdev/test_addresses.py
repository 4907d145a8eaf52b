import os
import socket
import stat

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.localdev import addresses


@pytest.fixture
def taken_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def free_port():
    return addresses.port_like(None)


def test_a_taken_port_is_named_in_one_line_and_nothing_is_written(tmp_path, taken_port):
    with pytest.raises(ImproperlyConfigured) as caught:
        addresses.choose(tmp_path, taken_port, given={})
    assert str(caught.value) == (
        f"port {taken_port} is taken by another program. Choose one with: manage.py up --port {taken_port + 1}"
    )
    assert list(tmp_path.iterdir()) == []


def test_everything_chosen_is_on_the_loopback(tmp_path):
    chosen = addresses.choose(tmp_path, free_port(), given={}).chosen
    for name in ("SITE_URL", "VALKEY_URL", "MODEL_BASE_URL", "STRIPE_API_BASE"):
        assert "//127.0.0.1:" in chosen[name]
    assert chosen["DATABASE_URL"] == f"postgresql://postgres@{str(tmp_path / 'postgres').replace('/', '%2F')}/causerie"


def test_secrets_and_ports_are_remembered(tmp_path):
    port = free_port()
    first = addresses.choose(tmp_path, port, given={})
    addresses.write(tmp_path / "env.json", first.chosen)
    assert addresses.choose(tmp_path, port, given={}).chosen == first.chosen


def test_a_remembered_port_that_was_taken_meanwhile_is_given_up(tmp_path, taken_port):
    addresses.write(tmp_path / "env.json", {"VALKEY_URL": f"redis://127.0.0.1:{taken_port}/0"})
    assert addresses.choose(tmp_path, free_port(), given={}).port_of("VALKEY_URL") != taken_port


def test_what_the_environment_gives_is_used_and_never_written(tmp_path):
    given = {"STRIPE_SECRET_KEY": "sk_test_mine", "MODEL_BASE_URL": "http://127.0.0.1:11434/v1"}
    found = addresses.choose(tmp_path, free_port(), given=given)
    assert not {"STRIPE_SECRET_KEY", "STRIPE_API_BASE", "MODEL_BASE_URL", "MODEL_API_KEY"} & set(found.chosen)
    assert found.environment(given)["STRIPE_SECRET_KEY"] == "sk_test_mine"
    assert found.to_show(given)["model"] == "http://127.0.0.1:11434/v1"
    assert "stripe_sandbox" not in found.to_show(given)


def test_only_its_owner_reads_what_is_written(tmp_path):
    addresses.write(tmp_path / "env.json", {"SECRET_KEY": "x"})
    assert stat.S_IMODE(os.stat(tmp_path / "env.json").st_mode) == 0o600


def test_a_broken_file_counts_as_empty(tmp_path):
    (tmp_path / "env.json").write_text("{half")
    assert addresses.read(tmp_path / "env.json") == {}


def test_a_folder_too_deep_for_a_socket_says_what_to_do(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with pytest.raises(ImproperlyConfigured, match="Set CAUSERIE_LOCAL_DIR to a shorter folder, or DATABASE_URL"):
        addresses.choose(deep, free_port(), given={})
