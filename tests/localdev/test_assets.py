import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.localdev import assets


@pytest.fixture
def root(tmp_path):
    for name, content in {
        "frontend/package.json": "{}",
        "frontend/src/site/main.ts": "start();",
        "templates/home.html": '<p class="p-4">',
        "frontend/node_modules/x/index.js": "0",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def mark_built(root):
    (root / "frontend" / "dist").mkdir()
    (root / "frontend" / "dist" / assets.BUILT_FROM).write_text(assets.fingerprint(root))


def test_nothing_built_is_stale(root):
    assert not assets.is_fresh(root)


def test_what_was_built_from_these_sources_is_fresh(root):
    mark_built(root)
    assert assets.is_fresh(root)


@pytest.mark.parametrize("changed", ["frontend/src/site/main.ts", "frontend/package.json", "templates/home.html"])
def test_a_changed_source_makes_it_stale(root, changed):
    mark_built(root)
    (root / changed).write_text("something else")
    assert not assets.is_fresh(root)


def test_a_new_or_renamed_source_makes_it_stale(root):
    mark_built(root)
    (root / "templates" / "home.html").rename(root / "templates" / "house.html")
    assert not assets.is_fresh(root)


def test_installed_packages_and_the_build_itself_are_no_sources(root):
    mark_built(root)
    (root / "frontend" / "node_modules" / "x" / "index.js").write_text("1")
    (root / "frontend" / "dist" / "manifest.json").write_text("{}")
    (root / "frontend" / "schema.yml").write_text("openapi: 3.0.3")
    assert assets.is_fresh(root)


def test_two_starts_at_once_build_once(root, monkeypatch):
    built = []

    def build_slowly(root, *words):
        (root / "frontend" / "dist").mkdir(exist_ok=True)
        built.append(words)
        time.sleep(0.1)  # the second arrives while the first is at it

    monkeypatch.setattr(assets, "run_npm", build_slowly)
    with ThreadPoolExecutor(2) as starts:
        list(starts.map(assets.build, [root, root]))
    assert built == [("run", "build")]
    assert assets.is_fresh(root)


def test_without_a_front_end_nothing_is_due(tmp_path):
    assert assets.is_fresh(tmp_path)
