"""A carpool through HTTP: begun, boarded, left, closed, decided and proven; or declared whole by an operator."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.lines import list_lines
from mobigo.services.covoiturage.settling import settle
from mobigo.services.ledger.proving import seal_day
from mobigo.services.people import api_keys
from tests.worlds.accounts import NOON
from tests.worlds.carpools import carpool
from tests.worlds.valley import valley
from tests.worlds.visiting import place

ROOT = "/api/covoiturage/carpools"
LEDGER = "/api/covoiturage/ledger"
SCRIPT = Path(__file__).parents[3] / "docs" / "check_proof.py"
MINUTE = timedelta(minutes=1)


class Caller:
    """Somebody with a key, on a device of their own."""

    def __init__(self, site, client, name, *roles):
        email = f"{name}@exemple.test"
        self.person = site.people.add(f"Nom {name}", email, roles=roles)
        principal = site.people.let_in(self.person).principal
        wish = api_keys.KeyWish("essai", sorted(principal.permissions), 600, 60)
        secret = api_keys.make_key(site.people.engine, site.people.keys, principal, wish, NOON)[1]
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.client, self.device = client, f"phone-{name}"

    def get(self, path, **params):
        return self.client.get(path, params=params, headers=self.headers)

    def post(self, path, key="", **body):
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.client.post(path, json=body, headers=headers)


@pytest.fixture
def site(tmp_path):
    with place(valley(), tmp_path) as site:
        yield site


@pytest.fixture
def client(site):
    with httpx.Client(base_url=site.address, timeout=60) as client:
        yield client


@pytest.fixture
def driver(site, client):
    return Caller(site, client, "dominique", Role.DRIVER)


@pytest.fixture
def passenger(site, client):
    return Caller(site, client, "camille")


@pytest.fixture
def operator(site, client):
    return Caller(site, client, "appli", Role.CARPOOL_OPERATOR)


@pytest.fixture
def line(site):
    """A line with its first and last stop."""
    line = list_lines(site.people.engine, NOON.date())[0]
    return line, line.stops[0].stop_id, line.stops[-1].stop_id


def begun(driver, line, key="k1"):
    answer = driver.post(ROOT, key, line_id=line[0].line_id, stop_id=line[1], device=driver.device)
    assert answer.status_code == 200, answer.text
    return answer.json()["carpool_id"]


def token(driver, carpool_id, side):
    return driver.get(f"{ROOT}/{carpool_id}/code", side=side).json()["token"]


def ridden(site, driver, passenger, line, key="k1"):
    """A carpool from the first to the last stop of the line, closed."""
    carpool_id = begun(driver, line, key)
    up = token(driver, carpool_id, "board")
    on = {"token": up, "stop_id": line[1], "device": passenger.device}
    boarded = passenger.post(f"{ROOT}/{carpool_id}/rides", **on)
    assert boarded.json()["rides"][0]["board_stop"] == line[1], boarded.text
    site.clock.now += 40 * MINUTE
    off = {"token": token(driver, carpool_id, "alight"), "stop_id": line[2], "device": passenger.device}
    assert passenger.post(f"{ROOT}/{carpool_id}/evidence", **off).status_code == 200
    assert passenger.post(f"{ROOT}/{carpool_id}/rides", **on).headers["idempotent-replay"] == "true"
    closed = driver.post(f"{ROOT}/{carpool_id}/close", device=driver.device)
    assert set(closed.json()["proofs"].values()) == {"B"}, closed.text
    return carpool_id


def checked(tmp_path, proof, root):
    """What the script that we give to everybody says, knowing nothing but the JSON and a root it kept."""
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof), "utf-8")
    return subprocess.run([sys.executable, SCRIPT, path, root], check=False, capture_output=True).returncode == 0


def test_a_ride_goes_from_the_code_to_an_amount_that_anybody_can_check(site, client, driver, passenger, line, tmp_path):
    carpool_id = ridden(site, driver, passenger, line)
    waiting = driver.get(f"{ROOT}/{carpool_id}/decision").json()
    assert (waiting["state"], waiting["amount_cents"], waiting["proof"]) == ("closed", None, None)
    assert waiting["state_label"] == "En attente de vérification"
    engine, keys = site.people.engine, site.people.keys
    site.clock.now += timedelta(days=3)
    settle(engine, f"{NOON:%Y-%m}", site.clock.now)
    metres = line[0].length_m
    decided = driver.get(f"{ROOT}/{carpool_id}/decision").json()
    assert decided["amount_cents"] == (metres * 10 + 500) // 1000 + 100
    assert decided["explanation"][-1].startswith("Total versé")
    assert decided["state_label"] == "Validé"
    assert decided["proof"] is None  # the day is not over
    site.clock.now += timedelta(days=1)
    seal_day(engine, keys, (site.clock.now - timedelta(days=1)).date(), site.clock.now)
    proof = driver.get(f"{ROOT}/{carpool_id}/decision").json()["proof"]
    (head,) = client.get(f"{LEDGER}/heads").json()["heads"]
    assert checked(tmp_path, proof, head["root"])
    assert client.get(f"{LEDGER}/proofs/{decided['entry_key']}").json() == proof
    assert client.get(f"{LEDGER}/heads/{head['day']}").json() == head
    fare = passenger.get(f"{ROOT}/{carpool_id}/decision").json()
    assert (fare["amount_cents"], fare["explanation"]) == (-150, [])
    assert checked(tmp_path, fare["proof"], head["root"])
    forged = fare["proof"] | {"entry": fare["proof"]["entry"].replace("150", "151")}
    assert not checked(tmp_path, forged, head["root"])


def test_later_books_are_shown_to_continue_earlier_ones(site, client, driver, passenger, line, tmp_path):
    engine, keys = site.people.engine, site.people.keys
    days = []
    for number in range(2):
        ridden(site, driver, passenger, line, f"k{number}")
        site.clock.now += timedelta(days=3)
        settle(engine, f"{NOON:%Y-%m}", site.clock.now)
        days.append(site.clock.now.date())
        site.clock.now += timedelta(days=1)
        seal_day(engine, keys, days[-1], site.clock.now)
    proof = client.get(f"{LEDGER}/consistency", params={"first": days[0], "second": days[1]}).json()
    roots = [client.get(f"{LEDGER}/heads/{day}").json()["root"] for day in days]
    assert (proof["earlier"]["root"], proof["head"]["root"]) == tuple(roots)
    assert checked(tmp_path, proof, roots[1])
    reversed_ = client.get(f"{LEDGER}/consistency", params={"first": days[1], "second": days[0]})
    assert (reversed_.status_code, reversed_.json()["code"]) == (409, "days_reversed")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("heads/hier", 400, "bad_day"),
        ("heads/2026-11-01", 404, "no_head"),
        ("proofs/carpool:C9:decision:1", 404, "unknown_entry"),
        ("consistency", 400, "bad_day"),
        ("consistency?first=2026-11-01", 404, "no_head"),
    ],
)
def test_what_the_books_do_not_hold_is_said_so(client, path, status, code):
    answer = client.get(f"{LEDGER}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_operator_declares_a_carpool_whole_and_once(site, operator):
    given = carpool(at=NOON - timedelta(hours=2))
    first, again = operator.post(ROOT, "k1", **given), operator.post(ROOT, "k1", **given)
    assert first.json() == again.json() | {"proofs": {"C1-p1": "B"}}
    assert ("idempotent-replay" in first.headers, again.headers["idempotent-replay"]) == (False, "true")
    other = operator.post(ROOT, "k1", **given | {"official_m": 34_000})
    assert (other.status_code, other.json()["code"]) == (409, "key_used_otherwise")
    seen = operator.get(f"{ROOT}/C1").json()
    assert (seen["part"], seen["state"], seen["rides"][0]["passenger"]) == ("operator", "closed", "p1")
    cancelled = operator.post(f"{ROOT}/C1/cancel", why="erreur de saisie").json()
    assert cancelled["state"] == "cancelled"
    assert operator.post(f"{ROOT}/C1/cancel").json()["code"] == "cancelled_already"


def test_keys_of_two_operators_do_not_meet(site, client, operator):
    other = Caller(site, client, "autre", Role.CARPOOL_OPERATOR)
    for number, caller in enumerate((operator, other)):
        given = carpool(f"C{number}", driver=f"d{number}", passengers=(f"p{number}",), at=NOON - timedelta(hours=2))
        assert caller.post(ROOT, "k1", **given).status_code == 200
    assert other.get(f"{ROOT}/C0").json()["code"] == "unknown_carpool"
    assert other.post(f"{ROOT}/C0/cancel").status_code == 404


def test_who_is_no_operator_declares_nothing_for_others(driver):
    answer = driver.post(ROOT, "k1", **carpool(at=NOON - timedelta(hours=2)))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"end_at": "2026-11-21T09:00:00Z"}, 400, "ends_before_start"),
        ({"official_m": -1}, 400, "bad_fact"),
        ({"official_m": 10**9}, 200, None),
        ({"driver": "p1"}, 200, None),  # known, judged as no proof, and never paid
        ({"start_at": "hier"}, 400, "bad_fact"),
        ({"rides": {}}, 400, "bad_field"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_with_the_field(operator, change, status, code):
    answer = operator.post(ROOT, "k1", **carpool(at=NOON - timedelta(hours=2)) | change)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_every_refusal_on_the_way_says_what_is_wrong(site, driver, passenger, operator, line):
    carpool_id = begun(driver, line)
    one = f"{ROOT}/{carpool_id}"
    up = {"token": token(driver, carpool_id, "board"), "stop_id": line[1], "device": passenger.device}

    def refused(answer):
        return answer.status_code, answer.json()["code"]

    assert refused(driver.post(ROOT, "k2", line_id=line[0].line_id, stop_id=line[1])) == (409, "outing_open_already")
    assert refused(driver.post(ROOT, "k3", line_id="aucune", stop_id=line[1])) == (404, "unknown_line")
    assert refused(driver.post(ROOT, "", line_id=line[0].line_id, stop_id=line[1])) == (400, "bad_key")
    assert refused(driver.post(ROOT, "k4")) == (400, "bad_field")
    assert refused(passenger.post(f"{one}/rides", **up | {"stop_id": "ailleurs"})) == (400, "boarding_unknown_stop")
    assert refused(passenger.post(f"{one}/rides", **up | {"token": "x"})) == (400, "scan_unreadable")
    assert refused(passenger.post(f"{one}/rides", stop_id=line[1])) == (400, "one_of_two")
    assert refused(passenger.post(f"{one}/rides", **up | {"lat": 91.0})) == (400, "bad_field")
    assert refused(passenger.post(f"{one}/rides", **up | {"lat": 47.0})) == (400, "place_missing")
    assert refused(passenger.post(f"{ROOT}/another/rides", **up)) == (409, "boarding_other_outing")
    assert refused(driver.post(f"{one}/rides", **up)) == (409, "boarding_is_driver")
    assert refused(passenger.post(f"{one}/evidence", **up)) == (409, "boarding_other_side")
    assert refused(passenger.post(f"{one}/evidence", lat=47.0, lon=6.0)) == (404, "unknown_carpool")
    assert refused(passenger.get(one)) == (404, "unknown_carpool")
    assert refused(operator.post(f"{one}/cancel")) == (404, "unknown_carpool")
    assert refused(driver.get(f"{one}/code", side="dessus")) == (400, "bad_field")
    assert refused(driver.post(f"{one}/codes", phone="06")) == (400, "bad_phone")
    site.clock.now += 2 * MINUTE
    assert refused(passenger.post(f"{one}/rides", **up)) == (409, "scan_expired")
    up["token"] = token(driver, carpool_id, "board")
    assert passenger.post(f"{one}/rides", **up).status_code == 200
    assert refused(driver.post(f"{one}/close")) == (409, "boarding_still_aboard")


def test_positions_are_sent_again_without_harm(site, driver, line):
    carpool_id = begun(driver, line)
    here = {"lat": 47.0, "lon": 6.0, "at": "2026-11-21T12:00:00Z", "device": driver.device}
    first, again = (driver.post(f"{ROOT}/{carpool_id}/evidence", **here) for _ in range(2))
    assert (first.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert driver.post(f"{ROOT}/{carpool_id}/evidence", **here | {"at": "2026-11-21T12:00:00"}).status_code == 400


def test_a_driver_does_not_learn_who_rides_and_a_passenger_sees_the_own_ride_alone(
    site, client, driver, passenger, line
):
    other = Caller(site, client, "claude")
    carpool_id = begun(driver, line)
    up = {"token": token(driver, carpool_id, "board"), "stop_id": line[1]}
    for who in (passenger, other):
        told = who.post(f"{ROOT}/{carpool_id}/rides", **up | {"device": who.device}).json()
        assert (told["part"], len(told["rides"])) == ("passenger", 1)
    told = driver.get(f"{ROOT}/{carpool_id}")
    assert len(told.json()["rides"]) == 2
    assert passenger.person.pseudonym not in told.text


def test_a_passenger_without_a_camera_boards_by_a_code_that_the_driver_types(site, driver, line):
    site.people.add("Jeanne Roux", "", "06 39 98 00 09")
    carpool_id = begun(driver, line)
    asked = driver.post(f"{ROOT}/{carpool_id}/codes", phone="06 39 98 00 09", side="board")
    wrong = driver.post(f"{ROOT}/{carpool_id}/rides", stop_id=line[1], code="12345", **asked.json())
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_boarding_code")
