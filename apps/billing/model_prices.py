"""What a model cost and was sold for at one time: rows that are never changed, so a ledger row can be explained."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.billing.models import ModelPrice
from apps.core import guards, rows

FACTS = ("currency", "cost", "price")
NEWEST = "SELECT {columns} FROM billing_modelprice WHERE model = %s AND digest = %s ORDER BY version DESC LIMIT 1"
OPTIONAL_FACTS = ("backend_cost",)  # where a model has none, its digest is what it was before there were such


def is_newest(model: str, stated: Mapping[str, Any]) -> bool:  # Any: a table of the catalogue
    """Whether the newest rates that are written of a model are those that the catalogue states."""
    latest = _latest(model)
    return latest is not None and latest.digest == _digest(stated)


def publish(model: str, stated: Mapping[str, Any], *, now: datetime) -> ModelPrice:
    """Write the stated rates as the newest version, unless they are.

    Effect  a step.   Repeat  the same row.
    """
    guards.inside_transaction()
    digest = _digest(stated)
    while (latest := _latest(model)) is None or latest.digest != digest:
        _append(model, stated, after=latest, now=now)
    return latest


def ensure(model: str, stated: Mapping[str, Any], *, now: datetime) -> ModelPrice:
    """Find the newest version with exactly these rates; one indexed read. Written where nobody published them yet.

    Effect  a step. Processes that run with an older catalogue keep pointing at the rates they use.
    """
    guards.inside_transaction()
    digest = _digest(stated)
    while (found := _newest(model, digest)) is None:
        latest = _latest(model)  # before looking again: whoever writes after that look takes the number we try
        if _newest(model, digest) is None:
            _append(model, stated, after=latest, now=now)
    return found


def _newest(model: str, digest: str) -> ModelPrice | None:
    return rows.first(ModelPrice, NEWEST, [model, digest])


def _latest(model: str) -> ModelPrice | None:
    return ModelPrice.objects.filter(model=model).order_by("-version").first()


def _append(model: str, stated: Mapping[str, Any], *, after: ModelPrice | None, now: datetime) -> None:
    """Try to be the version after this one: of two who do, one is, and the other must look again."""
    row = ModelPrice(
        model=model,
        version=after.version + 1 if after else 1,
        rates=_facts(stated),
        digest=_digest(stated),
        effective_from=now,
    )
    ModelPrice.objects.bulk_create([row], ignore_conflicts=True)


def _facts(stated: Mapping[str, Any]) -> dict[str, Any]:
    optional = {name: stated[name] for name in OPTIONAL_FACTS if name in stated}
    return {name: stated.get(name) for name in FACTS} | optional


def _digest(stated: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(_facts(stated), sort_keys=True).encode()).hexdigest()
