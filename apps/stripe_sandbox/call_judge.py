"""Whether Stripe would take a call: its parameters beside the request schema of its path, to the last nested key."""

import re
from dataclasses import dataclass
from pathlib import Path

import jsonschema_rs

from apps.stripe_sandbox import specification, undescribed
from apps.stripe_sandbox.documents import Document, Json
from apps.stripe_sandbox.errors import StripeError, invalid

FORM = "application/x-www-form-urlencoded"
EMPTY: Document = {"type": "object", "properties": {}}


@dataclass(frozen=True)
class Objection:
    """One thing that Stripe would refuse, as it would say it."""

    message: str
    param: str
    code: str | None = None

    def __str__(self) -> str:
        return self.message

    def as_error(self) -> StripeError:
        return invalid(self.message, self.param, self.code)


class CallJudge:
    """Judges calls by Stripe's description, and by ours where it is silent; compiles what it needs when it needs it."""

    def __init__(self, folder: Path) -> None:
        paths = specification.load(folder)["paths"]
        self.schemas = {
            (method.upper(), re.sub(r"{[^}]+}", "{}", path)): _request_schema(operation)
            for path, operations in paths.items()
            for method, operation in operations.items()
        } | undescribed.REQUESTS
        self.validators: dict[tuple[str, str], Json] = {}

    def __call__(self, method: str, pattern: str, raw: Document) -> list[Objection]:
        """Give what Stripe would object to.

        pattern  with `{}` for each id in the path; one that nobody describes has no objections.
        raw      nested mappings of strings, as a form gives them, or JSON.
        """
        schema = self.schemas.get((method, pattern))
        if schema is None:
            return []
        found: list[Objection] = []
        values = _typed(schema, raw, "", found)
        found += [objection for error in self._errors(method, pattern, schema, values) if (objection := _say(error))]
        return found

    def _errors(self, method: str, pattern: str, schema: Document, values: Json) -> Json:
        key = (method, pattern)
        if key not in self.validators:
            self.validators[key] = jsonschema_rs.Draft7Validator(specification.as_json_schema(schema))
        return self.validators[key].iter_errors(values)


def _request_schema(operation: Document) -> Document:
    """Take form and query together: v1 reads the query of GET and DELETE, the form of POST."""
    form = operation.get("requestBody", {}).get("content", {}).get(FORM, {}).get("schema", EMPTY)
    query = [each for each in operation.get("parameters", []) if each["in"] == "query"]
    return {
        "type": "object",
        "properties": {**form.get("properties", {}), **{each["name"]: each["schema"] for each in query}},
        "required": [*form.get("required", []), *(each["name"] for each in query if each.get("required"))],
    }


def _say(error: Json) -> Objection | None:
    """Say an error of the validator in Stripe's words."""
    path = [str(part) for part in error.instance_path]
    name = _full(path)
    kind = str(error.kind.as_dict().get("property", "")) if error.kind.name == "required" else ""
    if kind:
        missing = _full([*path, kind])
        return Objection(f"Missing required param: {missing}.", missing, "parameter_missing")
    return Objection(f"Invalid {name}: {error.message}"[:400], name)


def _full(parts: list[str]) -> str:
    return parts[0] + "".join(f"[{part}]" for part in parts[1:]) if parts else ""


def _typed(schema: Document, raw: Json, name: str, found: list[Objection]) -> Json:
    """Turn the strings of a form into the types of a schema, and note the keys that it does not name."""
    if "anyOf" in schema:
        schema = _fitting(schema["anyOf"], raw)
    if isinstance(raw, dict) and schema.get("type") == "array" and all(key.isdigit() for key in raw):
        return [_typed(schema["items"], raw[key], f"{name}[{key}]", found) for key in sorted(raw, key=int)]
    if isinstance(raw, list):
        return [_typed(schema.get("items", {}), each, f"{name}[{place}]", found) for place, each in enumerate(raw)]
    if not isinstance(raw, dict):
        return _scalar(schema.get("type"), raw)
    named = schema.get("properties")
    if named is None:
        return raw  # a free map, such as metadata
    full = {key: f"{name}[{key}]" if name else str(key) for key in raw}
    found += [
        Objection(f"Received unknown parameter: {full[key]}", full[key], "parameter_unknown")
        for key in raw
        if key not in named
    ]
    return {key: _typed(named[key], value, full[key], found) for key, value in raw.items() if key in named}


def _scalar(kind: str | None, raw: Json) -> Json:
    if not isinstance(raw, str):
        return raw
    if kind == "integer" and re.fullmatch(r"-?\d+", raw):
        return int(raw)
    if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", raw):
        return float(raw)
    if kind == "boolean" and raw in ("true", "false"):
        return raw == "true"
    return raw


def _fitting(options: list[Document], raw: Json) -> Document:
    """Choose the alternative that looks most like what came."""
    return min(options, key=lambda option: _distance(option, raw))


def _distance(option: Document, raw: Json) -> int:
    """Say how far a value is from an alternative: 0 fits, 9 is of another shape."""
    kind = option.get("type")
    if isinstance(raw, dict):
        if kind == "array":
            return 0 if all(key.isdigit() for key in raw) else 9
        named = option.get("properties")
        return 9 if kind != "object" else min(8, 0 if named is None else len(raw.keys() - named.keys()))
    if isinstance(raw, list):
        return 0 if kind == "array" else 9
    if kind in ("array", "object"):
        return 9
    if "enum" in option:
        return 0 if raw in option["enum"] else 5
    return 1 if kind == "string" or not isinstance(_scalar(kind, raw), str) else 4
