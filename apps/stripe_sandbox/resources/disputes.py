"""Disputes over the API."""

from apps.stripe_sandbox import clocks, disputes, lists, store
from apps.stripe_sandbox.documents import Document
from apps.stripe_sandbox.operations import NOTHING, Operation
from apps.stripe_sandbox.parameters import PAGING, RANGE, boolean, clearable, fields, free_map, text

EVIDENCE = fields({name: clearable(text) for name in disputes.EVIDENCE})
UPDATE = fields({"evidence": EVIDENCE, "metadata": free_map, "submit": boolean})


def retrieve(key: str, params: Document) -> Document:
    """Give one dispute."""
    return store.get("dispute", key, param="dispute")


def update(key: str, params: Document) -> Document:
    """Lay evidence before the bank, or with `submit=false` keep it for later."""
    dispute = store.get("dispute", key, param="dispute")
    evidence, submits = params.get("evidence", {}), params.get("submit", "evidence" in params)
    now = clocks.time_on(dispute["_clock"])
    return disputes.answer(dispute, evidence, params.get("metadata"), submits=submits, now=now)


def close(key: str, params: Document) -> Document:
    """Accept a dispute as lost."""
    dispute = store.get("dispute", key, param="dispute")
    return disputes.close(dispute, now=clocks.time_on(dispute["_clock"]))


def list_all(params: Document) -> Document:
    """List disputes."""
    names = {"body__charge": params.get("charge"), "body__payment_intent": params.get("payment_intent")}
    return lists.page(store.select("dispute", **names), params, "/v1/disputes", kind="dispute")


OPERATIONS = [
    Operation(
        "GET", "/v1/disputes", list_all, fields({**PAGING, "charge": text, "created": RANGE, "payment_intent": text})
    ),
    Operation("GET", "/v1/disputes/{}", retrieve, NOTHING),
    Operation("POST", "/v1/disputes/{}", update, UPDATE),
    Operation("POST", "/v1/disputes/{}/close", close, NOTHING),
]
