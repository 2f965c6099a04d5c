"""Reference: the page for whoever writes programs on the API, made from its OpenAPI document.

The same document serves machines at `/openapi.json`; the page loads no script and nothing
from elsewhere. Problems (RFC 9457) name their kind as `/api#<code>`: each code has its row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from mobigo.texts import all_texts
from mobigo.web.door import PUBLIC
from mobigo.web.layout import Pages, absolute
from mobigo.web.wording import say

OpenApi = Mapping[str, Any]
_ERRORS = "errors."
_GEOCODE = "/api/v1/geocode?text=Pontarlier"
_PLAN = "/api/v6/plan?fromPlace=46.9059,6.3547&toPlace=47.2473,6.0222"


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter or a field: its name, what it holds, what it means."""

    name: str
    kind: str
    label: str
    required: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and what it answers; `answer` is the id of a structure of this page, or empty."""

    anchor: str
    methods: str
    path: str
    summary: str
    parameters: Sequence[Row]
    answer: str


@dataclass(frozen=True, slots=True)
class Structure:
    """An object of answers or bodies."""

    name: str
    fields: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Example:
    """A request in three languages."""

    title: str
    curl: str
    python: str
    javascript: str


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A code that problems carry, and what it says; facts stand in braces."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """Everything the page shows."""

    examples: Sequence[Example]
    endpoints: Sequence[Endpoint]
    structures: Sequence[Structure]
    problems: Sequence[ProblemKind]


def make_page(document: OpenApi, base: str) -> ReferencePage:
    """The page for the API that `document` describes, served at `base`."""
    return ReferencePage(
        examples=[
            _example(say("reference.example_geocode"), f"{base}{_GEOCODE}"),
            _example(say("reference.example_plan"), f"{base}{_PLAN}"),
        ],
        endpoints=[_endpoint(path, operations) for path, operations in document["paths"].items()],
        structures=[
            Structure(
                name, [_row(field, schema, schema_of) for field, schema in schema_of.get("properties", {}).items()]
            )
            for name, schema_of in sorted(document["components"]["schemas"].items())
            if "properties" in schema_of
        ],
        problems=[
            ProblemKind(key.removeprefix(_ERRORS), sentence)
            for key, sentence in sorted(all_texts().items())
            if key.startswith(_ERRORS)
        ],
    )


def _example(title: str, address: str) -> Example:
    return Example(
        title=title,
        curl=f"curl '{address}'",
        python="import json, urllib.request\n"
        f'with urllib.request.urlopen("{address}") as answer:\n'
        "    print(json.load(answer))",
        javascript=f'const answer = await fetch("{address}");\nconsole.log(await answer.json());',
    )


def _endpoint(path: str, operations: Mapping[str, Any]) -> Endpoint:
    methods = [method for method in operations if method in {"get", "post", "put", "patch", "delete"}]
    told = operations[methods[0]]
    content: Mapping[str, Any] = told.get("responses", {}).get("200", {}).get("content", {})
    return Endpoint(
        anchor=path.strip("/").translate(str.maketrans("/", "-", "{}")),
        methods=", ".join(method.upper() for method in methods),
        path=path,
        summary=told.get("summary", ""),
        parameters=[
            Row(one["name"], _kind(one.get("schema", {})), one.get("description", ""), one.get("required", False))
            for one in sorted(
                told.get("parameters", ()), key=lambda one: (not one.get("required"), one["name"].lower())
            )
        ],
        answer=next((_structure_in(one.get("schema", {})) for one in content.values()), ""),
    )


def _row(name: str, schema: Mapping[str, Any], owner: Mapping[str, Any]) -> Row:
    return Row(name, _kind(schema), schema.get("description", ""), name in owner.get("required", ()))


def _structure_in(schema: Mapping[str, Any]) -> str:
    """The name of the structure that a schema is, or is a list of; empty when it is neither."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return _structure_in(schema["items"]) if isinstance(schema.get("items"), Mapping) else ""


def _kind(schema: Mapping[str, Any]) -> str:
    """What a schema holds, in the words of JSON; the values of a list of words, a default, a unit of time."""
    if "$ref" in schema:
        return _structure_in(schema)
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    kind = str(schema.get("format") or schema.get("type") or say("reference.any"))
    if "enum" in schema:
        kind = " | ".join(str(one) for one in schema["enum"])
    if schema.get("type") == "array":
        items = schema.get("items")  # False where each place of the list has a schema of its own
        kind = say("reference.list", of=_kind(items) if isinstance(items, Mapping) else say("reference.any"))
    default = schema.get("default")
    return kind if default in (None, [], "") else say("reference.default", kind=kind, default=str(default))


def make_router(pages: Pages, document: Callable[[], OpenApi]) -> APIRouter:
    """`/api`."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

    @router.get("/api")
    async def reference_page(request: Request) -> Response:
        page = make_page(document(), absolute(pages.site, request, ""))
        return pages.send(request, "reference.html", page=page, cache="public, max-age=300")

    return router
