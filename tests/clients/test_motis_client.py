"""The npm client of MOTIS, unmodified, calls our server; every answer is valid against its own schemas."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from covoiturage.lines import shipped_lines
from covoiturage.policy.shipped import shipped_policies
from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.services.journeys import with_lines
from mobigo.settings import Settings
from tests.worlds.site import TUESDAY, sample_snapshot, serving
from tests.worlds.valley import valley

HERE = Path(__file__).parent
pytestmark = pytest.mark.clients

# Answers that the client has no schema of its own for, as its types describe them.
ANSWERS = {
    "plan": {
        "requestParameters": {"type": "object", "additionalProperties": {"type": "string"}},
        "debugOutput": {"type": "object", "additionalProperties": {"type": "integer"}},
        "from": "Place", "to": "Place", "direct": "Itinerary[]", "itineraries": "Itinerary[]",
        "previousPageCursor": {"type": "string"}, "nextPageCursor": {"type": "string"},
    },
    "stoptimes": {
        "stopTimes": "StopTime[]", "place": "Place",
        "previousPageCursor": {"type": "string"}, "nextPageCursor": {"type": "string"},
    },
    "stop": {"place": "Place", "routes": "Route[]"},
    "initial": {"lat": "number", "lon": "number", "zoom": "number", "serverConfig": "ServerConfig"},
    "rentals": {
        "providerGroups": "RentalProviderGroup[]", "providers": "RentalProvider[]", "stations": "RentalStation[]",
        "vehicles": "RentalVehicle[]", "zones": "RentalZone[]",
    },
}  # fmt: skip


def schema_of(told: str | dict) -> dict[str, Any]:
    if isinstance(told, dict):
        return told
    if told.endswith("[]"):
        return {"type": "array", "items": schema_of(told[:-2])}
    if told == "number":
        return {"type": "number"}
    if told in ANSWERS:
        parts = ANSWERS[told]
        return {
            "type": "object",
            "required": list(parts),
            "properties": {name: schema_of(part) for name, part in parts.items()},
        }
    return {"$ref": f"#/components/schemas/{told}"}


def station(snapshot, name: str) -> str:
    timetable = snapshot.timetable
    (found,) = (
        stop
        for stop in range(timetable.n_stops)
        if timetable.stop_location_type[stop] == 1 and snapshot.texts[timetable.stop_name[stop]] == name
    )
    return f"bfc_{timetable.stop_id[found]}"


def run_client(snapshot, world: dict[str, Any], data_dir: Path) -> dict[str, Any]:
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    if not (HERE / "node_modules").exists():
        pytest.skip("the client is not installed: `make test-clients` does it")
    with serving(make_app(FixedSnapshot(snapshot), Settings(_env_file=None, data_dir=data_dir))) as address:
        done = subprocess.run(
            ["node", "calls.mjs", address],
            cwd=HERE,
            input=json.dumps(world),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


VALLEY = {
    "from": "bfc_gare", "to": "bfc_lac", "point": "47.3020,5.0005", "text": "valmont",
    "box": {"min": "47.2,5.3", "max": "47.7,4.9"}, "time": "2026-11-24T06:00:00Z", "soon": "2026-11-24T06:20:00Z",
}  # fmt: skip


@pytest.fixture(scope="module", params=["valley", "sample", "lines"])
def told(request, tmp_path_factory):
    if request.param == "valley":
        return run_client(valley(), VALLEY, tmp_path_factory.mktemp("data"))
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    timetable = snapshot.timetable
    if request.param == "lines":
        told = run_client(
            with_lines(snapshot, shipped_lines(), tuple(shipped_policies().values()), "https://exemple.test"),
            {
                "from": station(snapshot, "Avoudrey"),
                "to": station(snapshot, "Le Valdahon"),
                "point": "47.1299,6.4348",
                "text": "Morteau",
                "box": {"min": "46.7,7.0", "max": "47.4,6.0"},
                "time": f"{TUESDAY}T05:00:00Z",
                "soon": f"{TUESDAY}T05:30:00Z",
            },
            tmp_path_factory.mktemp("data"),
        )
        plans = [call["body"] for call in told["calls"] if call["name"] == "plan" and call["status"] == 200]
        assert "RIDE_SHARING" in {leg["mode"] for one in plans for way in one["itineraries"] for leg in way["legs"]}
        return told
    running = [trip for trip in range(timetable.n_trips) if timetable.runs(trip, date.fromisoformat(TUESDAY))]
    trip = max(running, key=lambda trip: len(timetable.trip_stops(trip)))
    stops = timetable.trip_stops(trip)
    at = timetable.stop_at(int(stops[0]))
    world = {
        "from": f"bfc_{timetable.stop_id[int(stops[0])]}", "to": f"bfc_{timetable.stop_id[int(stops[-1])]}",
        "point": f"{at.lat},{at.lon}", "text": "Morteau", "box": {"min": "46.7,7.0", "max": "47.4,6.0"},
        "time": f"{TUESDAY}T05:00:00Z", "soon": f"{TUESDAY}T05:30:00Z",
    }  # fmt: skip
    return run_client(snapshot, world, tmp_path_factory.mktemp("data"))


def test_every_function_is_called_and_answered(told):
    statuses = Counter((call["name"], call["status"]) for call in told["calls"] if call["schema"] != "Error")
    assert {status for _, status in statuses} == {200}
    assert {name for name, _ in statuses} == {
        "geocode", "health", "initial", "levels", "plan", "planPost", "refreshItinerary", "refreshItineraryPost",
        "rentals", "reverseGeocode", "stopInfo", "stops", "stoptimes", "trip", "trips",
    }  # fmt: skip


def test_every_answer_is_valid_against_the_client_s_schemas(told):
    components = {"schemas": told["schemas"]}
    assert len(told["schemas"]) == 83
    faults = []
    for call in told["calls"]:
        validator = Draft202012Validator({"components": components, **schema_of(call["schema"])})
        faults += [
            (call["name"], list(error.absolute_path), error.message) for error in validator.iter_errors(call["body"])
        ]
    assert faults == []


def test_the_answers_hold_something(told):
    found = [call["body"] for call in told["calls"] if call["name"] == "plan" and call["status"] == 200]
    assert found[0]["itineraries"]
    assert found[0]["itineraries"][0]["legs"]
    boards = [call["body"]["stopTimes"] for call in told["calls"] if call["name"] == "stoptimes"]
    assert all(boards)
    assert all(call["body"] for call in told["calls"] if call["name"] in ("stops", "geocode", "reverseGeocode"))


def test_exploded_lists_and_commas_say_the_same(told):
    half = len(told["calls"]) // 2
    for one, other in zip(told["calls"][:half], told["calls"][half:], strict=True):
        assert one["name"] == other["name"]
        if one["name"] in ("geocode", "stops", "stopInfo", "stoptimes", "trip", "refreshItinerary"):
            assert one["body"] == other["body"]
        if one["name"] == "plan" and one["status"] == 200:
            assert one["body"]["itineraries"] == other["body"]["itineraries"]
