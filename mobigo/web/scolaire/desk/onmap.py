"""On map: the circuits, stops and schools of a study as GeoJSON, for the map that a script may draw over the picture.

It says what the picture and the table of circuits say, from our own rows: no tile and nothing of anybody else.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from fastapi import APIRouter, Request, Response

from mobigo.opendata.http import render_body
from mobigo.services.scolaire import studying
from mobigo.services.scolaire.looking import Seen, look
from mobigo.web.layout import Pages
from mobigo.web.scolaire.desk.pictures import N_LOOKS, name_of, position_of
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from mobigo.web.wording import say_count
from socle.geo import LatLon

GEOJSON = "application/geo+json"


def onmap_href(study_id: str) -> str:
    """Where the map of a study is read from."""
    return f"{study_href(study_id)}/carte.json"


def features_of(seen: Seen) -> dict[str, Any]:
    """The runs as lines, each with its circuit and its look, the stops and the schools as points."""
    plan = seen.plan
    features = [
        _feature(
            "LineString",
            [_degrees(position_of(plan, halt)) for halt in run.halts],
            {"kind": "run", "circuit": one.circuit_id, "run": run.run_id, "look": place % N_LOOKS},
        )
        for place, one in enumerate(seen.circuits)
        for run in one.runs
    ]
    waiting: Counter[int] = Counter()
    schools = {}
    for run in plan.runs:
        for halt in run.halts:
            if halt.stop is None:
                schools[halt.school or 0] = halt
            else:
                waiting[halt.stop] = max(waiting[halt.stop], len(halt.up) + len(halt.down))
    features += [
        _feature(
            "Point",
            _degrees(plan.stops[stop].position),
            {"kind": "stop", "name": plan.stops[stop].name, "told": say_count("scolaire.desk.aboard", most)},
        )
        for stop, most in sorted(waiting.items())
    ]
    features += [
        _feature(
            "Point", _degrees(position_of(plan, halt)), {"kind": "school", "name": name_of(plan, halt), "told": ""}
        )
        for _school, halt in sorted(schools.items())
    ]
    return {"type": "FeatureCollection", "features": features}


def _degrees(at: LatLon) -> list[float]:
    return [round(at.lon, 5), round(at.lat, 5)]


def _feature(kind: str, at: Any, told: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": at}, "properties": told}


def make_router(_pages: Pages) -> APIRouter:
    """`/scolaire/etude/…/carte.json`."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{YEAR}/etude/{{study_id}}/carte.json")
    def onmap(request: Request, _principal: Planner, study_id: str) -> Response:
        state = request.app.state
        _study, plan = studying.get_head(state.engine, state.keys, study_id)
        body = json.dumps(features_of(look(plan, state.data_dir)), ensure_ascii=False, separators=(",", ":")).encode()
        _status, headers, content = render_body(body, request.headers)
        return Response(content, headers=headers | {"Cache-Control": "no-store"}, media_type=GEOJSON)

    return router
