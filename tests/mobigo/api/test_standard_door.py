"""Who may call the interface for carpool operators, how often, and how a no is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import anyio
import pytest

from mobigo.services.covoiturage import partnership
from tests.worlds.operators import (
    JOURNEY,
    NO_SUCH,
    NOON,
    SEARCHES,
    Operator,
    give_key,
    make,
)
from tests.worlds.partners import (
    OTHERS,
    THEIRS,
    booking,
    event,
)

# --- keys -----------------------------------------------------------------------------------

CALLS = [("GET", f"/{path}") for path in SEARCHES] + [
    ("POST", "/bookings"), ("GET", f"/bookings/{NO_SUCH}"), ("PATCH", f"/bookings/{NO_SUCH}"),
    ("POST", "/booking_events"), ("POST", "/messages"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_a_key_that_is_known_nothing_is_answered(closed, method, path):
    key, operator = give_key(closed, THEIRS)
    shown = operator.headers["X-API-Key"]
    wrong = [
        "",
        "x",
        "partner_",
        f"partner_{key.key_id}",
        shown[:-1],
        shown + "x",
        f"mobigo_{shown}",
        "\u00e9",
        "x" * 9000,
    ]
    for each in wrong:
        answer = Operator(closed, each.encode() if each else "").send(method, path, 401)
        assert answer.headers["www-authenticate"]
    assert operator.send(method, path, 404 if method == "GET" and "bookings" in path else 400)
    partnership.end_key(closed.state.engine, key.key_id, "system:test", NOON)
    operator.send(method, path, 401)


def test_a_booking_is_told_to_those_who_have_a_part_in_it_and_missing_to_others(closed):
    _, of_driver = give_key(closed, THEIRS.upper())
    _, of_passenger = give_key(closed, OTHERS)
    _, creator = give_key(closed, "maas.exemple.test")
    _, stranger = give_key(closed, "autre.exemple.test")
    body = booking()
    creator.book(body)
    for operator in (of_driver, of_passenger, creator):
        assert operator.told(body["id"]) == body
    assert stranger.send("GET", f"/bookings/{body['id']}", 404).json() == {"error": "missing_booking"}
    assert stranger.change(body["id"], "CANCELLED", 404).json() == {"error": "missing_booking"}
    stranger.tell(event("CANCELLED", id=body["id"]), 400)
    stranger.book(body, 400)
    of_driver.change(body["id"], "CONFIRMED")
    of_passenger.tell(event("VALIDATED", "passenger", id=body["id"]))
    assert creator.told(body["id"])["status"] == "VALIDATED"


def test_the_same_event_id_of_two_operators_is_two_events(closed):
    _, one = give_key(closed, THEIRS)
    _, other = give_key(closed, OTHERS)
    first, second = event(), event()
    one.tell(first)
    other.tell(second | {"id": first["id"]})


def test_who_calls_too_often_is_told_when_to_come_back(world, tmp_path):
    app = make(world, f"sqlite:///{tmp_path / 'm.sqlite3'}", tmp_path, standard_covoiturage_calls_per_minute=3)
    _, operator = give_key(app, THEIRS)
    _, other = give_key(app, OTHERS)
    app.state.clock = lambda: NOON + timedelta(seconds=18)
    for _ in range(3):
        assert operator.search("driver_journeys", **JOURNEY) == []
    answer = operator.send("GET", "/driver_journeys", 429, params=JOURNEY)
    assert answer.headers["retry-after"] == "42"
    assert other.search("driver_journeys", **JOURNEY) == []
    for _ in range(3):
        Operator(app).send("GET", "/driver_journeys", 401)
    Operator(app).send("GET", "/status", 429)
    app.state.clock = lambda: NOON + timedelta(seconds=60)
    assert operator.search("driver_journeys", **JOURNEY) == []
    app.state.engine.dispose()


# --- the rest -------------------------------------------------------------------------------


def test_the_status_is_told_to_everybody(closed):
    assert Operator(closed).send("GET", "/status", 200).content == b""


def test_a_database_that_does_not_answer_is_a_500_without_a_trace(world, tmp_path):
    app = make(world, f"sqlite:///{tmp_path / 'm.sqlite3'}", tmp_path, standard_covoiturage_open=True)
    with app.state.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE partner_offer_version")
    answer = Operator(app).send("GET", "/driver_journeys", 500, params=JOURNEY)
    assert "partner_offer_version" not in answer.text
    assert "Traceback" not in answer.text
    migrate_again = Operator(app).send("GET", "/status", 200)
    assert migrate_again.content == b""
    app.state.engine.dispose()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/bookings", 405), ("PUT", "/status", 405)]
)
def test_what_the_contract_does_not_have_is_refused_in_its_words(anybody, method, path, status):
    anybody.send(method, path, status)


def test_two_at_once_begin_one_booking(anybody):
    body = booking()
    address = "/bookings"

    def begin(_):
        return anyio.run(lambda: anybody._send("POST", address, json=body)).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(begin, range(8))) == [201] + [400] * 7
