"""Asking and telling partners: another Mobigo that asks for a key, one that talks nonsense, one that is away."""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from covoiturage.drives import straight_ways
from covoiturage.standard.imports import OfferKind
from covoiturage.standard.questions import Ends, JourneyQuestion, TripQuestion
from covoiturage.standard.shapes import WEEKDAYS
from mobigo.jobs.handlers import Means, make_handlers
from mobigo.jobs.worker import Worker
from mobigo.security import Keys
from mobigo.services.covoiturage import partners, partnership, standard
from mobigo.services.covoiturage.standard import Caller
from mobigo.services.covoiturage.telling import begin
from mobigo.services.jobs import overview
from mobigo.store.base import migrate, open_engine, reading, transaction
from mobigo.store.covoiturage.bookings import is_user
from mobigo.store.jobs import JobState
from socle.errors import BadInput, Conflict, NotFound
from tests.worlds.operators import make
from tests.worlds.partners import (
    AT,
    FAR,
    OTHERS,
    SQUARE,
    THEIRS,
    booking,
    driver_journey,
    event,
    message,
    regular_trip,
    user,
)
from tests.worlds.site import serving
from tests.worlds.valley import valley

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = Keys.of("x" * 32)
QUESTION = JourneyQuestion(Ends(SQUARE, FAR, 1.0, 1.0), AT, 900, None)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


class Canned:
    """A server that answers everything alike, and keeps what it was sent."""

    def __init__(self, status, body=b""):
        seen = self.seen = []
        self.status, self.body = status, body
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length", 0))
                seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            do_POST = do_PATCH = do_GET  # noqa: N815  as the library calls them

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=lambda: self.server.serve_forever(0.01), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def canned():
    made = []

    def make_one(status=200, body=b"[]"):
        made.append(Canned(status, body))
        return made[-1]

    yield make_one
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    """Another Mobigo, and the key that it gave us; its application and address."""
    folder = tmp_path_factory.mktemp("partner")
    app = make(valley(), f"sqlite:///{folder / 'm.sqlite3'}", folder)
    _, shown = partnership.make_key(app.state.engine, app.state.keys, "mobigo.exemple.test", "system:test", NOON)
    offers = {
        "driverJourneys": [driver_journey(id="found"), driver_journey(AT + 901)],
        "driverRegularTrips": [regular_trip(("MON", "07:30:00", [AT]))],
        "users": [user("named")],
    }
    partnership.import_data(app.state.engine, json.dumps(offers).encode(), "system:test", NOON)
    with serving(app) as address:
        yield app, f"{address}/standard-covoiturage/v1", shown
    app.state.engine.dispose()


@pytest.fixture
def ours(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'ours.sqlite3'}")
    migrate(engine)
    yield engine
    engine.dispose()


def register(engine, operator, server, shown=""):
    partnership.add_partner(engine, KEYS, operator, server, shown, "system:test", NOON)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def work(ours, clock):
    """Do what is due, and tell what became of the jobs."""
    worker = Worker(ours, make_handlers(Means(ours, KEYS, None, clock, "https://mobigo.exemple.test")), (), clock, "w")

    def run():
        worker.run_due()
        return [(job.state, job.payload["what"]) for job in reversed(overview(ours, list(JobState)).jobs)]

    return run


# --- asking ---------------------------------------------------------------------------------


def test_partners_are_asked_together_and_those_that_fail_are_named(ours, partner, canned):
    _, address, shown = partner
    register(ours, "a.exemple.test", address, shown)
    register(ours, "b.exemple.test", address, "wrong key")
    register(ours, "c.exemple.test", canned(500).address)
    register(ours, "d.exemple.test", canned(200, b"<html>").address)
    register(ours, "e.exemple.test", canned(200, b'{"journeys": []}').address)
    register(ours, "f.exemple.test", "http://127.0.0.1:9")
    odd = [driver_journey(id="other"), driver_journey(type="PARTY"), None, []]
    register(ours, "g.exemple.test", canned(200, json.dumps(odd).encode()).address)
    answers = partners.ask_partners(ours, KEYS, OfferKind.DRIVER_JOURNEY, QUESTION)
    assert [offer["id"] for offer in answers.offers] == ["found", "other"]
    assert answers.n_odd == 3
    assert answers.silent == {
        "b.exemple.test": "partner_silent",
        "c.exemple.test": "partner_silent",
        "d.exemple.test": "standard_not_json",
        "e.exemple.test": "partner_refused",
        "f.exemple.test": "server_silent",
    }


def test_a_question_arrives_as_it_was_asked(ours, partner, canned):
    _, address, shown = partner
    register(ours, "a.exemple.test", address, shown)
    ends = Ends(SQUARE, FAR, 1.0, 1.0)
    fits = TripQuestion(ends, 27_000, frozenset({"MON", "SUN"}), 60, AT, AT, 5)
    misses = TripQuestion(ends, 27_000, frozenset({"SUN"}), 60, None, None, None)
    for question, n_found in ((fits, 1), (misses, 0)):
        answers = partners.ask_partners(ours, KEYS, OfferKind.DRIVER_REGULAR_TRIP, question)
        assert (len(answers.offers), answers.silent) == (n_found, {})
    assert partners.ask_partners(ours, KEYS, OfferKind.PASSENGER_JOURNEY, QUESTION).offers == []


def test_a_question_that_fails_is_asked_once_more(ours, canned):
    server = canned(503)
    register(ours, "a.exemple.test", server.address)
    partners.ask_partners(ours, KEYS, OfferKind.DRIVER_JOURNEY, QUESTION)
    assert len(server.seen) == 2


def test_the_key_that_we_show_is_kept_sealed(ours, canned):
    server = canned()
    register(ours, THEIRS, server.address, "their secret")
    with ours.connect() as connection:
        kept = connection.exec_driver_sql("SELECT sealed_key FROM partner").scalar()
    assert b"secret" not in kept
    partners.ask_partners(ours, KEYS, OfferKind.DRIVER_JOURNEY, QUESTION)
    assert server.seen[0][2]["X-API-Key"] == "their secret"


# --- telling --------------------------------------------------------------------------------


def test_what_one_side_tells_is_told_to_the_other_and_not_back(ours, canned, work):
    of_driver, of_passenger = canned(200), canned(200)
    register(ours, THEIRS, of_driver.address)
    register(ours, OTHERS, of_passenger.address, "key")
    body = booking(webUrl="https://maas.exemple.test/b")
    standard.book(ours, straight_ways, Caller(OTHERS), "", body, NOON)
    standard.change_status(ours, KEYS, Caller(THEIRS), body["id"], "CONFIRMED", "", NOON)
    standard.take_event(ours, Caller(OTHERS), event("VALIDATED", "passenger", id=body["id"]), NOON)
    assert [state for state, _ in work()] == [JobState.DONE] * 3
    told = [json.loads(sent[3])["data"] for sent in of_driver.seen]
    assert [(data["status"], data["passenger"]["id"]) for data in told] == [
        ("WAITING_CONFIRMATION", "p1"),
        ("VALIDATED", "p1"),
    ]
    (to_passenger,) = of_passenger.seen
    assert to_passenger[:2] == ("POST", "/booking_events")
    assert (to_passenger[2]["X-API-Key"], bool(to_passenger[2]["Idempotency-Key"])) == ("key", True)
    data = json.loads(to_passenger[3])["data"]
    assert (data["status"], data["driver"], data["price"]) == ("CONFIRMED", body["driver"], body["price"])


def test_a_partner_that_is_away_is_told_later_and_one_that_refuses_is_given_up(ours, canned, work, clock, monkeypatch):
    monkeypatch.setattr("mobigo.services.covoiturage.telling.post", _once)
    server = canned(503)
    register(ours, THEIRS, server.address)
    standard.book(ours, straight_ways, Caller(OTHERS), "", booking(), NOON)
    assert work() == [(JobState.WAITING, "event")]
    server.status = 200
    clock.now += timedelta(hours=1)
    assert work() == [(JobState.DONE, "event")]
    assert server.seen[0][2]["Idempotency-Key"] == server.seen[-1][2]["Idempotency-Key"]
    server.status = 400
    standard.book(ours, straight_ways, Caller(OTHERS), "", booking(), clock.now)
    assert work()[-1] == (JobState.DEAD, "event")


def _once(*values, **more):
    """Sent with no pause between tries."""
    from mobigo.outbound.http import post

    return post(*values, **more, pause=lambda _seconds: None)


def test_an_event_that_was_overtaken_is_done(ours, canned, work):
    server = canned(400)
    register(ours, THEIRS, server.address)
    body = booking()
    standard.book(ours, straight_ways, Caller(OTHERS), "", body, NOON)
    standard.change_status(ours, KEYS, Caller(OTHERS), body["id"], "CANCELLED", "", NOON)
    assert sorted(work()) == [(JobState.DEAD, "event"), (JobState.DONE, "event")]


def test_a_partner_that_was_removed_is_told_nothing(ours, canned, work):
    server = canned()
    register(ours, THEIRS, server.address)
    standard.book(ours, straight_ways, Caller(OTHERS), "", booking(), NOON)
    partnership.remove_partner(ours, THEIRS, "system:test", NOON)
    assert work() == [(JobState.DONE, "event")]
    assert server.seen == []


def test_who_is_no_partner_or_has_no_address_is_refused(ours, canned):
    with transaction(ours) as session, pytest.raises(NotFound):
        begin(session, THEIRS, booking(), NOON)
    register(ours, THEIRS, canned().address)
    with pytest.raises(Conflict):
        register(ours, THEIRS.upper(), "http://127.0.0.1:9")
    for operator, server in (("no domain", "http://127.0.0.1"), ("a.exemple.test", "ftp://x"), ("a.exemple.test", "x")):
        with pytest.raises(BadInput):
            register(ours, operator, server)


# --- data handed over -----------------------------------------------------------------------


def test_what_is_not_as_the_contract_has_it_is_set_apart_and_the_rest_kept(ours):
    data = {
        "driverJourneys": [driver_journey(), driver_journey(operator="no domain"), driver_journey(duration=None)],
        "driverRegularTrips": [
            {
                "Schedules" if name == "schedules" else name: value
                for name, value in regular_trip(("MON", "07:30:00", [])).items()
            }
        ],
        "passengerJourneys": None,
        "bookings": [booking(status="VALIDATED", car=None), booking(id="7")],
        "users": [user("named"), {}],
        "messages": [message(user("named"))],
        "webhooks": [],
    }
    imported = partnership.import_data(ours, json.dumps(data).encode(), "system:test", NOON)
    assert imported.counts == {"offers": 2, "bookings": 1, "users": 1, "messages": 1}
    assert [(one.code, one.file, one.facts.get("field")) for one in imported.findings] == [
        ("standard_unknown", "webhooks", None),
        ("standard_set_apart", "driverJourneys[1]", "operator"),
        ("standard_set_apart", "driverJourneys[2]", "duration"),
        ("standard_set_apart", "bookings[1]", "id"),
        ("standard_set_apart", "users[1]", "id"),
    ]
    with reading(ours) as session:
        assert is_user(session, _key_of("named"))
        assert not is_user(session, _key_of("nobody"))


def _key_of(user_id):
    from covoiturage.standard.bookings import Person

    return Person(THEIRS, user_id).key


def test_the_same_file_again_changes_nothing(ours):
    data = json.dumps(
        {"driverJourneys": [driver_journey(), driver_journey(id="x") | {"id": "x"}], "bookings": [booking()]}
    )
    for _ in range(2):
        partnership.import_data(ours, data.encode(), "system:test", NOON)
    with ours.connect() as connection:
        for table, n_rows in (("partner_offer", 2), ("partner_booking", 1)):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == n_rows


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'{"users": {}}', b'{"users": [NaN]}', b"[" * 100_000])
def test_a_file_that_is_none_is_refused_whole(ours, content):
    with pytest.raises(BadInput):
        partnership.import_data(ours, content, "system:test", NOON)


def test_many_offers_are_kept_in_pieces(ours):
    offers = [driver_journey(AT + number) for number in range(1_201)]
    data = json.dumps({"driverJourneys": offers}).encode()
    assert partnership.import_data(ours, data, "system:test", NOON).counts["offers"] == 1_201
    assert partnership.import_data(ours, data, "system:test", NOON).counts["offers"] == 1_201
    boards = standard.OfferBoards(ours)
    found = boards.find_journeys(OfferKind.DRIVER_JOURNEY, JourneyQuestion(QUESTION.ends, AT, 1e9, None))
    assert [json.loads(body)["passengerPickupDate"] for _, body in found] == [AT + number for number in range(1_201)]


def test_all_days_of_the_week_are_asked_in_order():
    question = TripQuestion(Ends(SQUARE, FAR, 1, 1), 86_399.9, frozenset(WEEKDAYS), 0, None, None, None)
    told = dict(partners.render_question(question))
    assert (told["departureWeekdays"], told["departureTimeOfDay"]) == ("MON,TUE,WED,THU,FRI,SAT,SUN", "00:00:00")
