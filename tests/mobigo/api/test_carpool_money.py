"""The money of carpools through HTTP: statements and disputes for everybody, the rest for staff; each done once."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.paying import approve_batch
from mobigo.services.people import api_keys
from tests.worlds.accounts import NOON
from tests.worlds.carpools import carpool
from tests.worlds.valley import valley
from tests.worlds.visiting import place

ROOT = "/api/covoiturage"
BEGIN = NOON - timedelta(days=4)


@pytest.fixture
def site(tmp_path):
    with place(valley(), tmp_path) as site:
        yield site


@pytest.fixture
def client(site):
    with httpx.Client(base_url=site.address, timeout=60) as client:
        yield client


@pytest.fixture
def headers(site):
    """Who drives, who moderates, who does the money; and three carpools of the driver, one of them held."""
    found = {}
    for role in (Role.DRIVER, Role.INSPECTOR, Role.FINANCE_CLERK):
        principal = site.people.principal(role, f"Nom {role}", f"{role}@exemple.test")
        wish = api_keys.KeyWish("clé", sorted(principal.permissions), 600, 1)
        _, secret = api_keys.make_key(site.people.engine, site.people.keys, principal, wish, NOON)
        found[role] = {"Authorization": f"Bearer {secret}"}
        if role is Role.DRIVER:
            driver = principal.pseudonym
    cars = [carpool(f"C{n}", driver=driver, passengers=("p1",), at=BEGIN + timedelta(hours=3 * n)) for n in range(3)]
    held = carpool("held", driver="alone", passengers=("alone",), at=BEGIN)
    for one in (*cars, held):
        declare(site.people.engine, one, one["carpool_id"], "key:app1", BEGIN + timedelta(hours=10))
    return found


def test_a_month_goes_from_settlement_to_the_bank_and_each_step_is_done_once(site, client, headers):
    clerk, driver = headers[Role.FINANCE_CLERK], headers[Role.DRIVER]
    first = client.post(f"{ROOT}/settlements", json={"month": "2026-11"}, headers=clerk).json()
    again = client.post(f"{ROOT}/settlements", json={"month": "2026-11"}, headers=clerk).json()
    assert (first["decided"], first["held"], first["subsidy_cents"], again["decided"]) == (3, 1, 1_290, 0)
    prepared = client.post(f"{ROOT}/payouts", json={"month": "2026-11"}, headers=clerk).json()
    assert (prepared["total_cents"], prepared["drivers"], prepared["approved"]) == (1_290, 1, False)
    approve_batch(site.people.engine, "2026-11", "person:approver", NOON)
    again = client.post(f"{ROOT}/payouts", json={"month": "2026-11"}, headers=clerk).json()
    assert again == prepared | {"approved": True}
    line = {"end_to_end_id": f"{prepared['batch']}-000001", "state": "paid"}
    path = f"{ROOT}/payouts/{prepared['batch']}/confirmations"
    assert client.post(path, json={"lines": [line]}, headers=clerk).json() == {"paid": 1, "rejected": 0, "known": 0}
    assert client.post(path, json={"lines": [line]}, headers=clerk).json() == {"paid": 0, "rejected": 0, "known": 1}
    other = client.post(f"{ROOT}/payouts/covoiturage-2026-01/confirmations", json={"lines": [line]}, headers=clerk)
    assert (other.status_code, other.json()["code"]) == (400, "payment_of_another_batch")
    told = client.get(f"{ROOT}/me/statements", params={"month": "2026-11"}, headers=driver).json()
    assert (told["total_cents"], len(told["lines"]), told["payment"]["state"]) == (1_290, 3, "paid")
    assert "33,0 km × 0,10" in " ".join(told["lines"][0]["explanation"])


def test_a_dispute_is_opened_once_under_its_key_and_shows_in_no_other_s_account(client, headers):
    driver, path = headers[Role.DRIVER], f"{ROOT}/carpools/C1/dispute"
    body = {"reason": "distance", "words": "détour"}
    first = client.post(path, json=body, headers=driver | {"Idempotency-Key": "k"})
    assert (first.status_code, first.json()["answer"]) == (200, None)
    assert client.post(path, json=body, headers=driver | {"Idempotency-Key": "k"}).json() == first.json()
    assert client.post(path, json=body, headers=driver | {"Idempotency-Key": "l"}).status_code == 409
    assert client.post(path, json=body, headers=driver).json()["code"] == "bad_key"
    stranger = headers[Role.INSPECTOR] | {"Idempotency-Key": "k"}
    assert client.post(path, json=body, headers=stranger).status_code == 404


def test_what_is_held_is_read_and_decided_once_by_who_may(client, headers):
    client.post(f"{ROOT}/settlements", json={"month": "2026-11"}, headers=headers[Role.FINANCE_CLERK])
    moderator = headers[Role.INSPECTOR]
    told = client.get(f"{ROOT}/holds", headers=moderator).json()
    assert (told["n"], told["holds"][0]["carpool_id"]) == (1, "held")
    assert "same_identity" in told["holds"][0]["labels"]
    wish = {"verdict": "refused", "why": "seul à bord"}
    for _ in range(2):
        assert client.post(f"{ROOT}/holds/held", json=wish, headers=moderator).status_code == 200
    other = client.post(f"{ROOT}/holds/held", json=wish | {"verdict": "released"}, headers=moderator)
    assert other.status_code == 409
    assert client.get(f"{ROOT}/holds", headers=moderator).json()["n"] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", f"{ROOT}/{name}") for name in ("holds", "budgets")),
        *(("POST", f"{ROOT}/{name}") for name in ("holds/C1", "settlements", "payouts", "payouts/b/confirmations")),
    ],
)
def test_what_is_for_staff_is_for_staff(client, headers, method, path):
    json = {} if method == "POST" else None
    assert client.request(method, path, json=json, headers=headers[Role.DRIVER]).status_code == 403
    assert client.request(method, path, json=json).status_code == 401


@pytest.mark.parametrize("month", ["", "2026-13", "mars", "2026-11-01"])
def test_a_month_that_is_none_is_refused(client, headers, month):
    answer = client.get(f"{ROOT}/me/statements", params={"month": month}, headers=headers[Role.DRIVER])
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_month")
    clerk = headers[Role.FINANCE_CLERK]
    assert client.post(f"{ROOT}/payouts", json={"month": month}, headers=clerk).status_code == 400
    assert client.get(f"{ROOT}/budgets", headers=clerk).json()["budgets"][0]["granted_cents"] == 0
