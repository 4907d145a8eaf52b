"""Stripe's published description, brought to our API version and made into validators."""

import json
from functools import cache
from pathlib import Path

import jsonschema_rs

from apps.stripe_sandbox import undescribed
from apps.stripe_sandbox.documents import Document, Json

SPEC, PATCH = "spec3.pruned.json", "endive.patch.json"
LISTS, PAGE_OF_V2 = "list", "next_page_url"


def is_at_hand(folder: Path) -> bool:
    """Say whether the description can be read."""
    return (folder / SPEC).is_file() and (folder / PATCH).is_file()


@cache
def load(folder: Path) -> Document:
    """Read the description and bring it to our version by its patch (RFC 6902).

    Raises  ValueError: the patch is for another base.
    """
    spec: Document = json.loads((folder / SPEC).read_text(encoding="utf-8"))
    for step in json.loads((folder / PATCH).read_text(encoding="utf-8")):
        _apply(spec, step)
    return spec


def _apply(spec: Document, step: Document) -> None:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
    place: Json = spec
    for part in parts[:-1]:
        place = place[int(part)] if isinstance(place, list) else place[part]
    last: Json = parts[-1]
    if isinstance(place, list):
        last = len(place) if last == "-" else int(last)
    if step["op"] == "test" and place[last] != step["value"]:
        raise ValueError(f"The patch does not fit: {step['path']} is {place[last]!r}.")
    if step["op"] == "remove":
        del place[last]
    elif step["op"] == "add" and isinstance(place, list):
        place.insert(last, step["value"])
    elif step["op"] in ("add", "replace"):
        place[last] = step["value"]


def as_json_schema(node: Json) -> Json:
    """Turn OpenAPI 3.0 into JSON Schema: `nullable` becomes an alternative, private keywords go."""
    if not isinstance(node, dict):
        return node
    plain = {key: value for key, value in node.items() if not key.startswith("x-") and key != "nullable"}
    for key in ("items", "additionalProperties", "not"):
        if key in plain:
            plain[key] = as_json_schema(plain[key])
    for key in ("anyOf", "allOf", "oneOf"):
        if key in plain:
            plain[key] = [as_json_schema(each) for each in plain[key]]
    if "properties" in plain:
        plain["properties"] = {name: as_json_schema(each) for name, each in plain["properties"].items()}
    if "enum" in plain and node.get("x-stripeBypassValidation") is None:
        plain["enum"] = [*plain["enum"], None] if node.get("nullable") else plain["enum"]
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") else plain


class Judge:
    """Checks documents against the schemas of their `object`, and refuses keys that a schema does not name."""

    def __init__(self, folder: Path) -> None:
        self.schemas: Document = {**load(folder)["components"]["schemas"], **undescribed.ANSWERS}
        self.converted = {name: as_json_schema(schema) for name, schema in self.schemas.items()}
        self.validators: Document = {}

    def __call__(self, document: Document) -> list[str]:
        """Give what is wrong with a document, in words; a list is judged item by item."""
        kind = document.get("object", "")
        if kind == LISTS or PAGE_OF_V2 in document:
            return [problem for each in document["data"] for problem in self(each)]
        name = f"deleted_{kind.replace('.', '_')}" if document.get("deleted") else kind
        if name not in self.schemas:
            return [] if document.get("deleted") else [f"there is no schema for {kind!r}"]
        problems = [
            f"{kind}: {'.'.join(map(str, e.instance_path))}: {e.message}"[:400] for e in self._errors(name, document)
        ]
        problems += [f"{kind}: unknown key {path}" for path in self._unknown(self.schemas[name], document, "")]
        inner = document["data"]["object"] if kind == "event" else None
        return problems + (self(inner) if inner else [])

    def _errors(self, name: str, document: Document) -> Json:
        if name not in self.validators:
            schema = {"components": {"schemas": self.converted}, "$ref": f"#/components/schemas/{name}"}
            self.validators[name] = jsonschema_rs.Draft7Validator(schema)
        return self.validators[name].iter_errors(document)

    def _unknown(self, schema: Document, value: Json, path: str) -> list[str]:
        """Walk a document beside its schema and give the keys that the schema does not name."""
        if isinstance(value, list):
            inner = self._resolve(schema, value).get("items", {})
            return [found for each in value for found in self._unknown(inner, each, path)]
        if not isinstance(value, dict):
            return []
        resolved = self._resolve(schema, value)
        named = resolved.get("properties")
        if named is None:
            return []
        found = [f"{path}{key}" for key in value if key not in named]
        for key in value.keys() & named.keys():
            found += self._unknown(named[key], value[key], f"{path}{key}.")
        return found

    def _resolve(self, schema: Document, value: Json) -> Document:
        if "$ref" in schema:
            return self._resolve(self.schemas[schema["$ref"].rpartition("/")[2]], value)
        options = [self._resolve(each, value) for each in schema.get("anyOf", [])]
        if not options:
            return schema
        kind = value.get("object") if isinstance(value, dict) else None
        fitting = [each for each in options if kind in each.get("properties", {}).get("object", {}).get("enum", [])]
        structured = [each for each in options if "properties" in each or "items" in each]
        return (fitting or structured or options)[0]
