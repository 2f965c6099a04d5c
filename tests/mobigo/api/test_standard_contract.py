"""The contract itself asks: whatever it generates, right or wrong, no answer is one that it does not have."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.services.covoiturage import partnership
from mobigo.settings import Settings
from mobigo.store.base import migrate
from tests.conftest import SHARED
from tests.worlds.contracts import STANDARD
from tests.worlds.examples import FACTOR
from tests.worlds.partners import AT, FAR, SQUARE, booking, driver_journey, passenger_journey, regular_trip, user
from tests.worlds.valley import valley

CONTRACT = SHARED / STANDARD
KNOWN = booking()
REAL = {
    "departureLat": SQUARE.lat,
    "departureLng": SQUARE.lon,
    "arrivalLat": FAR.lat,
    "arrivalLng": FAR.lon,
    "departureDate": AT,
    "departureTimeOfDay": "07:30:00",
}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

if not CONTRACT.exists():
    pytest.skip("données partagées absentes", allow_module_level=True)

pytestmark = pytest.mark.shared
DATA = tempfile.TemporaryDirectory()
app = make_app(
    FixedSnapshot(valley()), Settings(_env_file=None, data_dir=Path(DATA.name), standard_covoiturage_open=True)
)
migrate(app.state.engine)
partnership.import_data(
    app.state.engine,
    json.dumps(
        {
            "driverJourneys": [driver_journey()],
            "passengerJourneys": [passenger_journey()],
            "driverRegularTrips": [regular_trip(("MON", "07:30:00", [AT]))],
            "passengerRegularTrips": [regular_trip(("MON", "07:30:00", []), side="passenger")],
            "bookings": [KNOWN],
            "users": [user("named")],
        }
    ).encode(),
    "system:test",
    datetime.now(UTC),
)


def document():
    """The contract; a later reading of JSON Schema takes names of statuses as text alone."""
    told = yaml.safe_load(CONTRACT.read_text("utf-8"))
    for path in told["paths"].values():
        for operation in path.values():
            operation["responses"] = {str(status): answer for status, answer in operation["responses"].items()}
    return told


class Below:
    """The application as it is seen from the address that the contract is served at."""

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            path = f"/standard-covoiturage/v1{scope['path']}"
            scope = {**scope, "path": path, "raw_path": b"/standard-covoiturage/v1" + scope.get("raw_path", b"")}
        await app(scope, receive, send)


schema = schemathesis.openapi.from_dict(document())
schema.app = Below()


# Random places are near nothing: half of the questions get places, times and bookings that exist.
@schema.hook
def map_query(context, query):
    if not query or len(repr(query)) % 2:
        return query
    return {name: REAL.get(name, value) for name, value in query.items()}


@schema.hook
def map_path_parameters(context, path_parameters):
    if not path_parameters or len(repr(path_parameters)) % 2:
        return path_parameters
    return {"bookingId": KNOWN["id"]}


@schema.parametrize()
@settings(
    max_examples=10 * FACTOR,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_is_outside_the_contract(case):
    response = case.call()
    case.validate_response(response, checks=CHECKS)
