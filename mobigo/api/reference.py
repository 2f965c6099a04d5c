"""Reference: the OpenAPI document, made from the very structs that read parameters and write answers."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from mobigo.api.access import PUBLIC
from mobigo.api.deps import CACHE_SHORT
from mobigo.api.problems import MEDIA_TYPE, Problem
from mobigo.opendata.http import render_body
from mobigo.texts import all_texts, text

REF = "#/components/schemas/{name}"
REFUSAL: dict[str, Any] = {
    "description": text("api.answers.refused"),
    "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}},
}
_described: dict[str, Any] = {"Problem": Problem}
# What an endpoint about people answers beside.
_PRIVATE_REFUSALS = {"401": "not_signed_in", "403": "forbidden", "409": "conflict", "429": "too_often"}
_REFUSALS = {"400": "bad_request", "404": "not_found", "422": "too_much", "500": "fault", "503": "unavailable"}


def describe(
    name: str, params: type[Any], answer: Any, body: type[Any] | None = None, *, private: bool = False
) -> dict[str, Any]:
    """What OpenAPI says of an endpoint: its parameters from `params`, its answer, and its errors."""
    _described[f"{name}:answer"] = answer
    (schema,), _ = msgspec.json.schema_components([answer], ref_template=REF)
    told: dict[str, Any] = {
        "summary": text(f"api.endpoints.{name}"),
        "parameters": _parameters(params),
        "responses": {
            "200": {"description": text("api.answers.ok"), "content": {"application/json": {"schema": schema}}},
            **{
                status: {
                    "description": text(f"api.answers.{said}"),
                    "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}},
                }
                for status, said in (_REFUSALS | (_PRIVATE_REFUSALS if private else {})).items()
            },
        },
    }
    if body is not None:
        _described[f"{name}:body"] = body
        (schema,), _ = msgspec.json.schema_components([body], ref_template=REF)
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return told


def _parameters(params: type[Any]) -> list[dict[str, Any]]:
    """The query parameters of a struct, lists written with commas or repeated."""
    _, components = msgspec.json.schema_components([params], schema_hook=_instant_schema, ref_template=REF)
    schema = components.get(params.__name__, {})
    required = set(schema.get("required", ()))
    told = []
    for name, described in schema.get("properties", {}).items():
        parameter = {"name": name, "in": "query", "required": name in required, "schema": described}
        if described.get("type") == "array":
            parameter |= {"style": "form", "explode": False}
        label = all_texts().get(f"api.parameters.{name}")
        if label:
            parameter["description"] = label
        told.append(parameter)
    return told


def _instant_schema(_wanted: type) -> dict[str, Any]:
    return {"type": "string", "format": "date-time"}


def add_reference(app: FastAPI) -> None:
    """Serve `/openapi.json`: the journey API's structs as its schemas, with the French label of each field."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                servers=app.servers,
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(list_schemas())
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation has it

    @app.get("/openapi.json", include_in_schema=False, dependencies=[PUBLIC])
    async def reference(request: Request) -> Response:
        status, headers, body = render_body(msgspec.json.encode(app.openapi()), request.headers, tagged=True)
        return Response(body, status, headers | {"Cache-Control": CACHE_SHORT}, "application/json")


def list_schemas() -> dict[str, Any]:
    """The schemas of all structs that answers and bodies are made of, by name."""
    _, components = msgspec.json.schema_components(list(_described.values()), ref_template=REF)
    for owner, schema in components.items():
        for name, described in schema.get("properties", {}).items():
            label = all_texts().get(f"api.fields.{owner}.{name}") or all_texts().get(f"api.fields.{name}")
            if label:
                described["description"] = label  # OpenAPI 3.1 allows it beside $ref
    return dict(components)
