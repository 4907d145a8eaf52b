import fcntl
import io
import socket

import pytest
from django.core.exceptions import ImproperlyConfigured
from rich.console import Console

from apps.localdev import addresses
from apps.localdev.display import Display
from apps.localdev.session import Session

RUNNING = {
    "is_ready": True,
    "addresses": {"site": "http://127.0.0.1:8000/"},
    "staff": {"email": "staff@causerie.local", "password": "pw"},
    "logs": "/somewhere/logs",
    "processes": {},
}


@pytest.fixture
def session(tmp_path):
    display = Display(Console(file=io.StringIO(), width=120))
    return Session(folder=tmp_path / "local", root=tmp_path, given={}, display=display)


@pytest.fixture
def running(session):
    """As if another `up` held the folder."""
    session.folder.mkdir()
    addresses.write(session.folder / "up.json", RUNNING)
    with (session.folder / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def said(session):
    return session.display.console.file.getvalue()


def test_a_second_start_says_what_is_running_and_where(session, running):
    assert session.run(8000, is_reset=False) == 0
    assert "Causerie is running already." in said(session)
    assert "http://127.0.0.1:8000/" in said(session)
    assert addresses.read(session.folder / "up.json") == RUNNING


def test_reset_is_refused_while_it_runs(session, running):
    (session.folder / "postgres").mkdir()
    with pytest.raises(ImproperlyConfigured, match=r"it is running\. End it first"):
        session.run(8000, is_reset=True)
    assert (session.folder / "postgres").is_dir()


def test_a_start_that_is_not_ready_yet_is_said_to_be_starting(session, running):
    addresses.write(session.folder / "up.json", {**RUNNING, "is_ready": False})
    assert session.run(8000, is_reset=False) == 0
    assert "Causerie is starting already." in said(session)


def test_a_taken_port_starts_nothing_and_keeps_everything(session):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(ImproperlyConfigured, match=f"port {port} is taken"):
            session.run(port, is_reset=False)
    assert [path.name for path in session.folder.iterdir()] == ["up.lock"]


def test_a_missing_model_file_starts_nothing(session):
    broken = Session(
        folder=session.folder, root=session.root, given={"MODEL_FILE": "/gone.gguf"}, display=session.display
    )
    with pytest.raises(ImproperlyConfigured, match=r"MODEL_FILE names /gone\.gguf, which is not there"):
        broken.run(addresses.port_like(None), is_reset=False)
    assert [path.name for path in session.folder.iterdir()] == ["up.lock"]


def test_reset_forgets_everything_but_the_tests_folder(session):
    for name in ("postgres", "logs", "test"):
        (session.folder / name).mkdir(parents=True)
    addresses.write(session.folder / "env.json", {"SECRET_KEY": "x"})
    session._clean(is_reset=True)
    assert sorted(path.name for path in session.folder.iterdir()) == ["test"]
