"""Contracts that others wrote, as judges of single values."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

STANDARD = "standards/standard-covoiturage/standard-covoiturage_openapi.yaml"
REGISTRY = "standards/rpc-api/rpc_api-v3.3.yaml"


@cache
def contract(path: Path) -> dict[str, Any]:
    """The document of a contract."""
    return yaml.safe_load(path.read_text("utf-8"))


def find_faults(path: Path, schema: dict[str, Any], value: Any) -> list[str]:
    """What a schema of the contract holds against a value."""
    resource = Resource.from_contents(contract(path), default_specification=DRAFT202012)
    registry = Registry().with_resource("contract:", resource)
    told = _absolute(schema)
    judge = Draft202012Validator(told, registry=registry, format_checker=FormatChecker())
    return [f"{fault.json_path}: {fault.message}" for fault in judge.iter_errors(value)]


def named(name: str) -> dict[str, str]:
    """A schema of the contract by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: f"contract:{value}" if name == "$ref" else _absolute(value) for name, value in schema.items()}
    return [_absolute(each) for each in schema] if isinstance(schema, list) else schema
