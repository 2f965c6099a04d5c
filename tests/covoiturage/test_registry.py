"""Payloads of the national registry: the vector of its documentation, and its contract as judge."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from covoiturage.registry import (
    STATUSES,
    TERMS,
    Identity,
    RegistryRide,
    identity_key,
    phone_trunc,
    read_correction,
    read_journey,
    render_cancellation,
    render_correction,
    render_journey,
    spelled_name,
)
from socle.errors import BadInput
from socle.geo import LatLon
from tests.worlds import contracts

PARIS_SUMMER = timezone(timedelta(hours=2))
RIDE = RegistryRide(
    ride_id="0190F5A2-7C1B-7E6E-8A11-5D2B7B3B9E01",
    carpool_id="C-7",
    proof_class="C",
    started_at=datetime(2026, 7, 1, 0, 30, 15, 999_999, PARIS_SUMMER),
    start=LatLon(47.3461, 6.3617),
    ended_at=datetime(2026, 7, 1, 1, 0, tzinfo=PARIS_SUMMER),
    end=LatLon(47.1389, 6.4389),
    distance_m=33_000,
    seats=2,
    driver=Identity("d1", "+33701020304", "D'Hérûg-de-l'Hérault"),
    driver_revenue_cents=430,
    passenger=Identity("p1", "+590690101010", "Œstergård", over_18=True),
    contribution_cents=300,
    incentive_cents=430,
    siret="20005372600028",
)


def test_the_identity_key_is_that_of_the_documentation():
    key = "f44ff5364363e53da750d8b7b44fa3176ea36228c5f951a9c1e606c915093d30"
    assert identity_key("+33701020304", "D'Hérûg-de-l'Hérault") == key


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("D'Hérûg-de-l'Hérault", "D HERUG DE L HERAULT"),
        ("D’Hérûg‑de‑l’Hérault", "D HERUG DE L HERAULT"),
        (" tô ", "TO"),
        ("Le  Goff", "LE GOFF"),
        ("Œstergård-Løß", "OESTERGARD LOSS"),
        ("Şahin", "SAHIN"),
        ("Nguyễn", "NGUYEN"),
        ("e\u0301tienne", "ETIENNE"),
    ],
)
def test_a_name_is_spelled_in_capitals_and_blanks(name, spelled):
    assert spelled_name(name) == spelled


@pytest.mark.parametrize("name", ["", " ", "'-", "李", "42"])
def test_a_name_without_any_letter_is_refused(name):
    with pytest.raises(BadInput):
        spelled_name(name)


def test_the_last_two_digits_of_a_number_are_cut():
    assert phone_trunc("+33601020304") == "+336010203"
    assert phone_trunc("+590690101010") == "+5906901010"


BAD_NUMBERS = ["0601020304", "+33 6 01 02 03 04", "+0601020304", "+3360102", "+336010203040506", "", "+٣٣601020304"]


@pytest.mark.parametrize("phone", BAD_NUMBERS)
def test_what_is_no_number_is_refused(phone):
    with pytest.raises(BadInput):
        phone_trunc(phone)


def test_a_ride_becomes_one_payload_and_no_other_property():
    payload = render_journey(RIDE)
    assert payload == {
        "operator_journey_id": "0190f5a27c1b7e6e8a115d2b7b3b9e01",
        "operator_trip_id": "C-7",
        "operator_class": "C",
        "incentives": [{"index": 0, "amount": 430, "siret": "20005372600028"}],
        "start": {"datetime": "2026-06-30T22:30:15Z", "lat": 47.3461, "lon": 6.3617},
        "end": {"datetime": "2026-06-30T23:00:00Z", "lat": 47.1389, "lon": 6.4389},
        "distance": 33_000,
        "driver": {
            "identity": {
                "operator_user_id": "d1",
                "identity_key": identity_key("+33701020304", "D HERUG DE L HERAULT"),
                "phone_trunc": "+337010203",
            },
            "revenue": 430,
        },
        "passenger": {
            "identity": {
                "operator_user_id": "p1",
                "identity_key": identity_key("+590690101010", "OESTERGARD"),
                "phone_trunc": "+5906901010",
                "over_18": True,
            },
            "contribution": 300,
            "seats": 2,
        },
    }


def test_a_ride_without_incentive_has_an_empty_list():
    assert render_journey(replace(RIDE, incentive_cents=0))["incentives"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"ride_id": "R_1"},
        {"ride_id": ""},
        {"proof_class": "D"},
        {"distance_m": -1},
        {"distance_m": 1_000_001},
        {"seats": 0},
        {"seats": 9},
        {"driver_revenue_cents": -1},
        {"contribution_cents": -1},
        {"siret": "2000537260002"},
        {"start": LatLon(91, 0)},
        {"end": LatLon(0, 181)},
    ],
)
def test_what_the_registry_would_refuse_is_never_rendered(wrong):
    with pytest.raises(BadInput):
        render_journey(replace(RIDE, **wrong))


def test_a_correction_and_a_cancellation_hold_what_may_be_said_again():
    correction = render_correction(RIDE)
    assert set(correction) == {"operator_trip_id", "operator_class", "incentives", "start", "end", "distance"}
    assert read_correction(correction) == correction
    assert render_cancellation("FRAUD", "Trace identique") == {"code": "FRAUD", "message": "Trace identique"}
    assert render_cancellation("FRAUD") == {"code": "FRAUD"}
    for code, message in [("", ""), ("x" * 33, ""), ("deux mots", ""), ("FRAUD", "x" * 513)]:
        with pytest.raises(BadInput):
            render_cancellation(code, message)


def test_a_payload_of_others_is_read_and_no_unknown_property_is_taken():
    payload = render_journey(RIDE)
    payload["passenger"]["payments"] = [{"index": 0, "siret": "11000101300017", "type": "titre", "amount": 100}]
    payload["driver"]["identity"]["driving_license"] = "051227308989"
    assert read_journey(payload) == payload
    for place in (
        payload,
        payload["start"],
        payload["driver"],
        payload["passenger"]["identity"],
        payload["incentives"][0],
    ):
        place["more"] = 1
        with pytest.raises(BadInput) as refused:
            read_journey(payload)
        assert "more" in str(refused.value.facts["field"])
        del place["more"]


@pytest.mark.parametrize(
    "instant", ["2026-07-01", "2026-07-01T00:30:15", "2026-02-30T00:30:15Z", "2026-07-01T25:00Z", 7]
)
def test_an_instant_that_is_none_is_refused(instant):
    payload = render_journey(RIDE)
    payload["start"]["datetime"] = instant
    with pytest.raises(BadInput):
        read_journey(payload)


# --- the contract as judge ------------------------------------------------------------------


@pytest.fixture
def contract(shared):
    return shared(contracts.REGISTRY)


def body_of(contract, path, method):
    operation = contracts.contract(contract)["paths"][path][method]
    return operation["requestBody"]["content"]["application/json"]["schema"]


@pytest.mark.shared
@pytest.mark.parametrize("over_18", [True, False, None])
def test_the_contract_takes_what_is_rendered(contract, over_18):
    ride = replace(RIDE, passenger=replace(RIDE.passenger, over_18=over_18))
    one = "/journeys/{operator_journey_id}"
    for path, method, payload in (
        ("/journeys", "post", render_journey(ride)),
        (one, "patch", render_correction(ride)),
        (f"{one}/cancel", "post", render_cancellation("FRAUD", "é" * 512)),
    ):
        assert contracts.find_faults(contract, body_of(contract, path, method), payload) == []


@pytest.mark.shared
def test_statuses_and_labels_are_those_of_the_contract(contract):
    schemas = contracts.contract(contract)["components"]["schemas"]
    assert set(STATUSES) == set(schemas["status"]["enum"])
    assert set(TERMS) == set(schemas["terms_violation_label"]["enum"])


@pytest.mark.shared
@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("", "distance", "33"), ("", "distance", 1.5), ("", "distance", 10**6 + 1), ("", "operator_class", None),
        ("", "operator_journey_id", "A"), ("", "more", 1), ("start", "lat", "47"), ("driver", "revenue", -1),
        ("passenger", "seats", 9), ("passenger", "contribution", None), ("passenger", "more", 1),
    ],
)  # fmt: skip
def test_what_is_refused_the_contract_refuses_too(contract, place, name, value):
    payload = render_journey(RIDE)
    (payload[place] if place else payload)[name] = value
    with pytest.raises(BadInput):
        read_journey(payload)
    assert contracts.find_faults(contract, body_of(contract, "/journeys", "post"), payload)
