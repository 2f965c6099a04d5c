"""Fuzzing: whatever is sent to a documented path, the server keeps its word and never fails."""

from __future__ import annotations

import tempfile
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.settings import Settings
from mobigo.store.base import migrate
from tests.worlds.examples import FACTOR
from tests.worlds.valley import valley

DATA = tempfile.TemporaryDirectory()
app = make_app(FixedSnapshot(valley()), Settings(_env_file=None, data_dir=Path(DATA.name)))
migrate(app.state.engine)
schema = schemathesis.openapi.from_asgi("/openapi.json", app).include(path_regex="^/api/")


# Random text is refused at once; half of the questions get places that exist, so that the rest is tried too.
REAL = {
    "fromPlace": ["bfc_gare", "47.3020,5.0005", "bfc_hopital"],
    "toPlace": ["bfc_lac", "bfc_col", "47.5005,5.2010,0"],
    "stopId": ["bfc_gare", "bfc_lac-1"],
    "center": ["47.3,5.0"],
    "place": ["47.3,5.0"],
    "via": ["bfc_halte"],
    "tripId": ["20261124_07:05_bfc_D1-07"],
    "text": ["valmont", "Saint-Eloi"],
    "time": ["2026-11-24T06:00:00Z"],
    "startTime": ["2026-11-24T06:00:00Z"],
    "endTime": ["2026-11-24T06:05:00Z"],
    "min": ["47,4"],
    "max": ["48,6"],
    "pageCursor": ["LATER|1795500660", "EARLIER|1795500660", ""],
}


@schema.hook
def map_query(context, query):
    if not query or len(repr(query)) % 2:
        return query
    return {
        name: REAL[name][len(repr(value)) % len(REAL[name])] if name in REAL else value for name, value in query.items()
    }


@schema.parametrize()
@settings(
    max_examples=30 * FACTOR,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_documented_can_make_the_server_fail(case):
    response = case.call()
    case.validate_response(response, checks=[not_a_server_error])
    assert response.status_code < 500
