"""Programs of carpool operators that call our interface for them; the contract judges what they are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import anyio
import httpx
from sqlmodel import SQLModel

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.services.covoiturage import partnership
from mobigo.settings import Settings
from mobigo.store.base import migrate, transaction
from mobigo.store.covoiturage.offers import note_change
from tests.conftest import SHARED
from tests.worlds import contracts
from tests.worlds.partners import AT, FAR, SQUARE

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONTRACT = SHARED / contracts.STANDARD
SEARCHES = ("driver_journeys", "passenger_journeys", "driver_regular_trips", "passenger_regular_trips")
PLACES = {"departureLat": SQUARE.lat, "departureLng": SQUARE.lon, "arrivalLat": FAR.lat, "arrivalLng": FAR.lon}
JOURNEY = PLACES | {"departureDate": AT}
TRIP = PLACES | {"departureTimeOfDay": "07:30:00"}
NO_SUCH = "7a1c0a1e-0000-4000-8000-000000000000"


class Operator:
    """A program of an operator that calls us."""

    def __init__(self, app, key=""):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("192.0.2.7", 4711))
        headers = {"X-API-Key": key} if key else {}
        self.app, self.headers, self.transport = app, headers, transport

    async def _send(self, method, path, **sent):
        address = "http://mobigo.test/standard-covoiturage/v1"
        async with httpx.AsyncClient(transport=self.transport, base_url=address, headers=self.headers) as client:
            return await client.request(method, path, **sent)

    def send(self, method, path, status, **sent):
        answer = anyio.run(lambda: self._send(method, path, **sent))
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert list(answer.json()) == ["error"]
            assert isinstance(answer.json()["error"], str)
        return answer

    def search(self, path, **asked):
        answer = self.send("GET", f"/{path}", 200, params=asked)
        assert answer.headers["content-type"] == "application/json"
        return judged(path, answer.json())

    def refused(self, path, **asked):
        return self.send("GET", f"/{path}", 400, params=asked).json()["error"]

    def book(self, body, status=201):
        return self.send("POST", "/bookings", status, json=body)

    def told(self, booking_id):
        return judged("booking", self.send("GET", f"/bookings/{booking_id}", 200).json())

    def change(self, booking_id, wanted, status=200, **more):
        return self.send("PATCH", f"/bookings/{booking_id}", status, params={"status": wanted, **more})

    def tell(self, body, status=200):
        return self.send("POST", "/booking_events", status, json=body)

    def write(self, body, status=201):
        return self.send("POST", "/messages", status, json=body)


def judged(what, value):
    """The value, after the contract judged it (where it is at hand)."""
    if CONTRACT.exists():
        schema = contracts.named("Booking")
        if what in SEARCHES:
            answers = contracts.contract(CONTRACT)["paths"][f"/{what}"]["get"]["responses"]
            schema = answers[200]["content"]["application/json"]["schema"]
        assert contracts.find_faults(CONTRACT, schema, value) == []
    assert b"null" not in json.dumps(value).encode()
    return value


def make(world, database_address, tmp_path, **settings):
    given = {"data_dir": tmp_path / "var", "database_url": database_address, "secret_key": "x" * 32} | settings
    app = make_app(FixedSnapshot(world), Settings(_env_file=None, **given))
    migrate(app.state.engine)
    app.state.clock = lambda: NOON
    return app


def give_key(app, operator):
    key, shown = partnership.make_key(app.state.engine, app.state.keys, operator, "system:test", NOON)
    return key, Operator(app, shown)


def bring(app, **data):
    imported = partnership.import_data(app.state.engine, json.dumps(data).encode(), "system:test", NOON)
    assert imported.findings == ()


def emptied(app):
    app.state.clock = lambda: NOON
    with transaction(app.state.engine) as session:
        note_change(session)
        for table in reversed(SQLModel.metadata.sorted_tables):
            if table.name.startswith("partner_") and table.name != "partner_offer_version":
                session.connection().execute(table.delete())
    return app
