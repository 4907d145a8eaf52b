"""What is on offer: the catalogue, read once. Plans are found by key, prices by their lookup key."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.billing import catalogue_file
from apps.billing.terms import Catalogue, DeveloperTerms, Limit, PlanTerms

__all__ = ["Catalogue", "DeveloperTerms", "Limit", "PlanTerms", "catalogue", "is_served", "load", "lookup_key"]


def catalogue() -> Catalogue:
    """The catalogue of the settings; each file is read once per process.

    Raises  CatalogueError: the file makes no sense; the text names file, line and key.
    """
    return _read_once(Path(settings.CATALOGUE_PATH))


def load(path: Path) -> Catalogue:
    """Read a catalogue anew, whatever was read before.

    Raises  CatalogueError.
    """
    return catalogue_file.parse(path)


def lookup_key(plan: str, interval: str, currency: str) -> str:
    """The name by which a Price is found at Stripe."""
    return f"{plan}_{interval}_{currency}"


def is_served(model: str) -> bool:
    """Whether some back end that is set up here answers for a model: nobody is sold what nobody serves."""
    known = catalogue()
    names = known.models[model]["backends"]
    return any(_is_set_up(known.backends[name]) for name in names)


def _is_set_up(backend: Mapping[str, Any]) -> bool:  # Any: TOML that was checked when it was loaded
    named = [backend["base_url"].removeprefix("setting:")] if backend["base_url"].startswith("setting:") else []
    return all(getattr(settings, name, "") for name in (*named, *backend.get("requires", ())))


_read_once = cache(load)
