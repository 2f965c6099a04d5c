"""School lines as GeoJSON and as CSV; counts of pupils are in them only when the lines hold some."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from scolaire.lines import LineRun, SchoolLines
from socle.times import render_gtfs_time

_COLUMNS = (
    *("run_id", "circuit_id", "period_id", "direction", "days", "sequence", "place_id", "place_name", "is_school"),
    *("lat", "lon", "arrival_time", "departure_time", "pickup", "drop_off"),
)
_COUNTS = ("pupils_up", "pupils_down")


def render_geojson(lines: SchoolLines, *, inside: bool = False) -> bytes:
    """Places as points, runs as lines."""
    features = [
        _feature(
            "Point",
            [place.at.lon, place.at.lat],
            {"place_id": place.place_id, "name": place.name, "kind": "school" if place.is_school else "stop"},
        )
        for place in lines.places
    ]
    for run in lines.runs:
        course = [[lines.places[one.place].at.lon, lines.places[one.place].at.lat] for one in run.passings]
        told: dict[str, Any] = {
            "run_id": run.run_id,
            "circuit_id": run.circuit_id,
            "direction": str(run.period.direction),
            "days": _days(run),
            "departure_time": render_gtfs_time(run.passings[0].leaves_s),
            "arrival_time": render_gtfs_time(run.passings[-1].arrives_s),
        }
        if inside:
            told["pupils"] = sum(one.n_up for one in run.passings)
        features.append(_feature("LineString", course, told))
    told = {"type": "FeatureCollection", "features": features}
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def _feature(kind: str, coordinates: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def render_csv(lines: SchoolLines, *, inside: bool = False) -> bytes:
    """A row for each passing of a run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*_COLUMNS, *(_COUNTS if inside else ())))
    for run in lines.runs:
        for number, one in enumerate(run.passings):
            place = lines.places[one.place]
            writer.writerow(
                (
                    *(run.run_id, run.circuit_id, run.period.period_id, run.period.direction, _days(run), number),
                    *(place.place_id, place.name, int(place.is_school), *place.at),
                    *(render_gtfs_time(one.arrives_s), render_gtfs_time(one.leaves_s)),
                    *(int(one.takes_up), int(one.sets_down)),
                    *((one.n_up, one.n_down) if inside else ()),
                )
            )
    return out.getvalue().encode()


def _days(run: LineRun) -> str:
    """Bits as `docs/school-files.md` writes them, Monday first."""
    return "".join(str(run.period.days >> at & 1) for at in range(7))
