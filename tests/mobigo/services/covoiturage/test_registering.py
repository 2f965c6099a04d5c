"""What the national registry is told of decided rides: shares that sum to the amount, identities made for it alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from covoiturage.registry import identity_key
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.registering import Untold, list_payloads
from mobigo.services.covoiturage.settling import settle
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading, transaction
from mobigo.store.people.accounts import Identity, add_person
from socle.errors import BadInput
from tests.worlds.carpools import MORNING, carpool

SIRET, CLERK, LATER = "12345678901234", "system:cli.clerk", MORNING + timedelta(days=3)


@pytest.fixture
def rides(engine, keys):
    """A carpool whose first passenger gave their places, and whose second gave none."""
    with transaction(engine) as session:
        people = [
            add_person(session, keys, Identity(f"Jeanne {name}", phone=f"+3363998010{n}"), MORNING).pseudonym
            for n, name in enumerate(("D'Hérûg", "Roux", "Petit"))
        ]
    driver, *passengers = people
    given = carpool(driver=driver, passengers=tuple(passengers))
    for scan, (lat, lon) in zip(given["rides"][0]["evidence"], ((47.2, 6.3), (47.35, 6.36)), strict=True):
        scan |= {"lat": lat, "lon": lon}
    declare(engine, given, "k", "key:app1", MORNING + timedelta(hours=2))
    settle(engine, "2026-03", LATER)
    return given["rides"], driver


def test_a_ride_is_told_with_its_share_and_one_without_places_is_named(engine, keys, rides):
    (first, second), driver = rides
    found = list(list_payloads(engine, keys, SIRET, None, None, CLERK, LATER))
    (told,), (untold,) = ([one for one in found if isinstance(one, Untold) is is_one] for is_one in (False, True))
    assert told["operator_trip_id"] == "C1"
    assert told["incentives"] == [{"index": 0, "amount": 265, "siret": SIRET}]  # 3.30 shared, and 1.00
    assert told["start"] == {"datetime": "2026-03-02T07:00:00Z", "lat": 47.2, "lon": 6.3}
    assert told["driver"]["identity"]["identity_key"] == identity_key("+33639980100", "D'Hérûg")
    assert told["driver"]["identity"]["operator_user_id"] == driver
    assert (untold.ride_id, untold.why.code) == (second["ride_id"], "ends_unknown")
    assert first["ride_id"] != untold.ride_id
    with reading(engine) as session:
        lines = list_lines(session, AuditFilter(action="covoiturage.registry_exported"), limit=10)
    assert {one.line.subject for one in lines} == {
        f"person:{name}" for name in (driver, *(r["passenger"] for r in rides[0]))
    }


def test_only_the_days_that_are_asked_for_are_told(engine, keys, rides):
    day = MORNING.date()
    assert len(list(list_payloads(engine, keys, SIRET, day, day, CLERK, LATER))) == 2
    after = day + timedelta(days=1)
    assert list(list_payloads(engine, keys, SIRET, after, None, CLERK, LATER)) == []


@pytest.mark.parametrize("siret", ["", "123", "1234567890123a"])
def test_nothing_is_told_without_who_pays(engine, keys, siret):
    with pytest.raises(BadInput, match="bad_siret"):
        list(list_payloads(engine, keys, siret, None, None, CLERK, LATER))
