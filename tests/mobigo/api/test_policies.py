"""The rules of the carpool lines through HTTP: read by everybody, decided with, simulated, never changed."""

from __future__ import annotations

import httpx
import pytest

from covoiturage.policy.shipped import shipped_policies
from mobigo.security import Role
from mobigo.services.covoiturage import publishing
from mobigo.services.people import api_keys
from tests.worlds.accounts import NOON
from tests.worlds.drafts import draft_document
from tests.worlds.valley import valley
from tests.worlds.visiting import place

ROOT = "/api/covoiturage"
AT = "2026-03-02T07:00:00Z"
RIDE = {"ride_id": "r", "passenger": "p", "operator_class": "B", "board_at": AT, "alight_at": AT, "distance_m": 33_000}
CAR = {"carpool_id": "c", "driver": "d", "start_at": AT, "end_at": AT, "official_m": 33_000, "rides": [RIDE]}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with place(valley(), tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def client(site):
    with httpx.Client(base_url=site.address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def headers(site):
    """Whoever does the money, and anybody with an account."""
    found = {}
    for role in (Role.FINANCE_CLERK, Role.TRAVELLER):
        principal = site.people.principal(role, f"Nom {role}", f"{role}@exemple.test")
        wish = api_keys.KeyWish("clé", sorted(principal.permissions), 600, 1)
        _, secret = api_keys.make_key(site.people.engine, site.people.keys, principal, wish, NOON)
        found[role] = {"Authorization": f"Bearer {secret}"}
    return found


def test_anybody_reads_the_rules_and_which_are_in_force(client):
    told = client.get(f"{ROOT}/policies").json()["policies"]
    assert [(one["id"], one["valid_from"], one["in_force"]) for one in told] == [
        ("bfc-lignes", "2023-01-01", True),
        ("bfc-lignes-2020", "2019-11-28", False),
    ]


def test_a_document_is_told_whole_so_that_its_hash_can_be_made_again(client):
    answer = client.get(f"{ROOT}/policies/bfc-lignes", params={"on": "2026-03-02"})
    told = answer.json()
    assert told["version"] == shipped_policies()["bfc-lignes"].version
    assert told["document"]["legal_cap"]["cents_per_km"] == 52.9
    assert (
        publishing.read_draft(answer.text[answer.text.index('{"amount_rules"') : -1]).policy.version == told["version"]
    )
    assert client.get(f"{ROOT}/policies/none").status_code == 404
    bad = client.get(f"{ROOT}/policies/bfc-lignes", params={"on": "yesterday"})
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_day")


def test_a_batch_is_decided_as_at_the_command_line(client, headers):
    batch = {
        "budget_cents": 500,
        "defaults": CAR,
        "journeys": [{}, {"carpool_id": "c2"}, {"distance_m": 3, "rides": 3}],
    }
    address = f"{ROOT}/policies/bfc-lignes/decide"
    told = client.post(address, json=batch, headers=headers[Role.TRAVELLER]).json()
    assert [(line["index"], line["amount_cents"], line["net_cents"]) for line in told["lines"]] == [
        (0, 430, 280),
        (1, 70, -80),
    ]
    assert told["lines"][0]["explanation"][1]["text"] == "33,0 km × 0,10\N{NO-BREAK SPACE}€"
    assert [(one["index"], one["code"]) for one in told["refused"]] == [(2, "bad_fact")]
    assert {
        row["counter"]: row["value"] for row in told["counters_after"] if row["scope"] in {"campaign", "driver"} and
        row["counter"] != "payable_trips"
    } == {"amount_cents": 500, "trips": 2}  # fmt: skip
    assert client.post(address, json=batch).status_code == 401
    assert client.post(address, json={"journeys": 3}, headers=headers[Role.TRAVELLER]).status_code == 400


def test_a_draft_is_simulated_against_the_rule_of_today(client, headers):
    cars = [
        {**CAR, "carpool_id": f"c{i}", "driver": f"d{i}", "rides": [{**RIDE, "passenger": f"p{i}"}]} for i in range(6)
    ]
    wish = {"document": {}, "against": "bfc-lignes", "journeys": cars}
    body = client.build_request("POST", "/", json=wish).content.replace(b"{}", draft_document().encode(), 1)
    answer = client.post(
        f"{ROOT}/simulations", content=body, headers={**headers[Role.FINANCE_CLERK], "Content-Type": "application/json"}
    )
    told = answer.json()
    assert (told["total"]["subsidy_cents"], told["against"]["total"]["subsidy_cents"]) == (6 * 396, 6 * 430)
    assert told["groups"]["*"][1] == {"kind": "lose", "drivers": 6, "cents": 6 * -34}
    assert "document" not in told["against"]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"journeys": []}, "one_of_two"),
        ({"policy": "bfc-lignes"}, "one_of_two"),
        ({"policy": "bfc-lignes", "journeys": [], "month": "2026-03"}, "one_of_two"),
        ({"policy": "bfc-lignes", "journeys": [{"rides": 3}]}, "bad_fact"),
        ({"policy": "bfc-lignes", "journeys": [], "budget_cents": -1}, "bad_batch"),
        ({"policy": "bfc-lignes", "month": "2026-03"}, "no_carpools"),
        ({"policy": "bfc-lignes", "month": "spring"}, "bad_month"),
        ({"policy": "none", "journeys": []}, "no_such_policy"),
        ({"document": {"level": "car"}, "journeys": []}, "policy_field"),
        ({"document": "no object", "journeys": []}, "policy_unreadable"),
        ({"surprise": 1}, "bad_field"),
    ],
)
def test_a_wish_that_cannot_be_simulated_is_refused_in_a_sentence(client, headers, wish, code):
    answer = client.post(f"{ROOT}/simulations", json=wish, headers=headers[Role.FINANCE_CLERK])
    assert (answer.status_code in {400, 404}, answer.json()["code"]) == (True, code)


def test_simulations_are_for_those_who_see_the_months_in_figures(client, headers):
    wish = {"policy": "bfc-lignes", "journeys": []}
    assert client.post(f"{ROOT}/simulations", json=wish, headers=headers[Role.TRAVELLER]).status_code == 403
