"""Stripe's published description (OpenAPI 3.0) as JSON Schema, to judge answers by."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

Json = dict[str, Any]


@cache
def schemas(data: Path) -> Json:
    """All objects of the description, ``nullable`` said as JSON Schema says it."""
    spec = json.loads((data / "stripe" / "spec3.json").read_text())
    changed: Json = _translated(spec["components"])
    return changed


def faults(data: Path, row: Json) -> list[str]:
    """Where an object is not as it is described."""
    judge = _judge(data, row["object"])
    return [f"{error.instance_path}: {error.message[:200]}" for error in judge.iter_errors(row)]


@cache
def _judge(data: Path, kind: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{kind}", "components": schemas(data)}
    return jsonschema_rs.Draft202012Validator(schema)


def _translated(value: Any) -> Any:
    if isinstance(value, list):
        return [_translated(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {name: _translated(item) for name, item in value.items()}
    if value.get("x-stripeBypassValidation") is True:
        changed.pop("enum", None)  # newer values are to be expected
    if value.get("nullable") is True:
        return {"anyOf": [changed, {"type": "null"}]}
    return changed
