"""Pieces that the JSON Schemas of the sections are made of."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def object_of(**properties: Schema) -> Schema:
    """An object with exactly these keys."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def array_of(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def or_null(schema: Schema) -> Schema:
    """A value that may be missing."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*values: str) -> Schema:
    """One of these values."""
    return {"enum": list(values)}


TEXT: Schema = {"type": "string"}
KEY: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
TIME: Schema = {
    "type": "string",
    "pattern": r"^-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$",
}
ESTIMATE: Schema = {"$ref": "#/$defs/estimate"}
ESTIMATE_OR_NULL = or_null(ESTIMATE)
SEGMENT = object_of(column=TEXT, value=TEXT)
