"""A passenger without a camera reads out a code that was sent; a driver without a telephone has a plate in the car."""

import json
import re
from datetime import timedelta

import pytest

from covoiturage.boarding import How, State, Step
from covoiturage.carpool import Side
from mobigo.outbound.letters import TextMessagesInFiles
from mobigo.services.covoiturage import boarding_codes, plates
from mobigo.services.covoiturage.boarding_codes import CODE_JOB, ask_code, send_code, use_code
from mobigo.services.covoiturage.outings import CLOSE_JOB, Course, Seen, close_outing, get_outing_of, open_outing
from mobigo.store.base import reading, transaction
from mobigo.store.jobs import JobState, list_jobs
from mobigo.store.people.accounts import Identity, add_person
from socle.errors import BadInput, Conflict, NotFound, TooOften
from tests.worlds.outings import PLACE_OF, SEVEN, STOPS, minutes

LINE = Course(STOPS, "L6")
NUMBER = "+33639980001"
HALF_PAST = SEVEN + minutes(30)


@pytest.fixture
def outing(engine):
    return open_outing(engine, "d1", LINE, "baume", Seen(SEVEN, "phone-d1"), "k1", "person:d1").outing


@pytest.fixture
def passenger(engine, keys):
    with transaction(engine) as session:
        return add_person(session, keys, Identity("Camille Durand", phone=NUMBER), SEVEN).pseudonym


def jobs(engine, kind):
    with reading(engine) as session:
        return [job for job in list_jobs(session, [JobState.WAITING], 99) if job.kind == kind]


def read_message(engine, keys, code_id, folder, now=SEVEN):
    """What the passenger's telephone shows, and the figures in it."""
    assert send_code(engine, keys, code_id, TextMessagesInFiles(folder), code_id, now)
    (sent,) = [json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")]
    for path in folder.glob("*.json"):
        path.unlink()
    assert sent["to"] == NUMBER
    return sent["body"], re.search(r"\b\d{6}\b", sent["body"]).group()


def typed(engine, keys, outing, code_id, figures, stop, now=SEVEN):
    seen = Seen(now, "phone-d1", PLACE_OF[stop])
    return use_code(engine, keys, outing.id, "d1", code_id, figures, stop, seen)


def test_a_passenger_boards_and_alights_by_codes_that_the_driver_types(engine, keys, outing, passenger, tmp_path):
    for side, stop, at in ((Side.BOARD, "baume", SEVEN), (Side.ALIGHT, "avoudrey", SEVEN + minutes(30))):
        code_id = ask_code(engine, keys, outing.id, "d1", NUMBER, side, at)
        assert jobs(engine, CODE_JOB)[0].payload == {"code_id": code_id} or side is Side.ALIGHT
        body, figures = read_message(engine, keys, code_id, tmp_path, at)
        assert ("monter" if side is Side.BOARD else "descendre") in body
        done = typed(engine, keys, outing, code_id, f"{figures[:3]} {figures[3:]}", stop, at)
        assert (done.event.by, done.event.how) == (passenger, How.SMS)
        assert typed(engine, keys, outing, code_id, figures, stop, at).replayed
    done = close_outing(engine, outing.id, "d1", "", {}, Seen(SEVEN + minutes(31), "phone-d1"), "person:d1")
    assert done.declared.proofs == {f"{outing.id}01": "B"}
    assert [event.by for event in done.outing.events if event.step is Step.SEEN] == ["d1", "d1"]


def test_a_code_is_guessed_five_times_at_most(engine, keys, outing, passenger, tmp_path):
    code_id = ask_code(engine, keys, outing.id, "d1", NUMBER, Side.BOARD, SEVEN)
    _, figures = read_message(engine, keys, code_id, tmp_path)
    wrong = f"{(int(figures) + 1) % 1_000_000:06}"
    for _ in range(boarding_codes.MOST_TRIES):
        with pytest.raises(BadInput, match="wrong_boarding_code"):
            typed(engine, keys, outing, code_id, wrong, "baume")
    with pytest.raises(BadInput, match="wrong_boarding_code"):
        typed(engine, keys, outing, code_id, figures, "baume")


def test_a_code_ends_after_ten_minutes_and_is_of_one_outing(engine, keys, outing, passenger, tmp_path):
    code_id = ask_code(engine, keys, outing.id, "d1", NUMBER, Side.BOARD, SEVEN)
    _, figures = read_message(engine, keys, code_id, tmp_path)
    with pytest.raises(BadInput, match="wrong_boarding_code"):
        typed(engine, keys, outing, code_id, figures, "baume", SEVEN + minutes(11))
    other = open_outing(engine, "d2", LINE, "baume", Seen(SEVEN), "k2", "person:d2").outing
    with pytest.raises(BadInput, match="wrong_boarding_code"):
        use_code(engine, keys, other.id, "d2", code_id, figures, "baume", Seen(SEVEN))
    assert not send_code(engine, keys, code_id, TextMessagesInFiles(tmp_path), "k", SEVEN + minutes(11))
    assert not send_code(engine, keys, "unknown", TextMessagesInFiles(tmp_path), "k", SEVEN)


def test_a_right_code_is_not_lost_by_a_wrong_stop(engine, keys, outing, passenger, tmp_path):
    code_id = ask_code(engine, keys, outing.id, "d1", NUMBER, Side.BOARD, SEVEN)
    _, figures = read_message(engine, keys, code_id, tmp_path)
    with pytest.raises(BadInput, match="boarding_unknown_stop"):
        use_code(engine, keys, outing.id, "d1", code_id, figures, "ailleurs", Seen(SEVEN))
    assert not typed(engine, keys, outing, code_id, figures, "baume").replayed


def test_whether_a_number_has_an_account_is_told_to_nobody_and_nothing_is_sent_there(engine, keys, outing, tmp_path):
    code_id = ask_code(engine, keys, outing.id, "d1", NUMBER, Side.BOARD, SEVEN)
    assert not send_code(engine, keys, code_id, TextMessagesInFiles(tmp_path), "k", SEVEN)
    assert not list(tmp_path.glob("*.json"))
    with pytest.raises(BadInput, match="wrong_boarding_code"):
        typed(engine, keys, outing, code_id, "000000", "baume")


def test_few_codes_go_to_one_number(engine, keys, outing, passenger):
    for _ in range(boarding_codes.CODES_PER_NUMBER):
        ask_code(engine, keys, outing.id, "d1", NUMBER, Side.BOARD, SEVEN)
    with pytest.raises(TooOften, match="too_many_codes"):
        ask_code(engine, keys, outing.id, "d1", NUMBER, Side.BOARD, SEVEN)
    ask_code(engine, keys, outing.id, "d1", NUMBER, Side.BOARD, SEVEN + minutes(16))


def test_only_the_driver_of_an_open_outing_asks_for_codes(engine, keys, outing):
    with pytest.raises(NotFound, match="unknown_carpool"):
        ask_code(engine, keys, outing.id, "p1", NUMBER, Side.BOARD, SEVEN)
    close_outing(engine, outing.id, "d1", "", {}, Seen(SEVEN), "person:d1")
    with pytest.raises(Conflict, match="boarding_not_open"):
        ask_code(engine, keys, outing.id, "d1", NUMBER, Side.BOARD, SEVEN)


# --- plates ----------------------------------------------------------------------------------


def course_of(line_id):
    assert line_id == "L6"
    return LINE


def boards(engine, plate, who="p1", stop="baume", now=SEVEN):
    return plates.board_by_plate(engine, who, plate.code, course_of, stop, Seen(now, f"phone-{who}"))


def alights(engine, plate, who="p1", stop="avoudrey", now=HALF_PAST):
    return plates.alight_by_plate(engine, who, plate.code, stop, Seen(now, f"phone-{who}"))


@pytest.fixture
def plate(engine):
    return plates.make_plate(engine, "d1", "L6", "person:d1", SEVEN)


def test_passengers_alone_make_an_outing_of_a_car_with_a_plate_and_it_closes_by_itself(engine, plate):
    first, second = boards(engine, plate), boards(engine, plate, "p2", "pont", SEVEN + minutes(7))
    assert first.outing.id == second.outing.id
    assert boards(engine, plate, now=SEVEN + minutes(1)).replayed
    alights(engine, plate, "p2", "vercel", SEVEN + minutes(20))
    assert [job.payload.get("n_events") for job in jobs(engine, CLOSE_JOB)] == [None]  # somebody is still aboard
    done = alights(engine, plate)
    assert alights(engine, plate, now=SEVEN + minutes(31)).replayed
    job = next(job for job in jobs(engine, CLOSE_JOB) if "n_events" in job.payload)
    assert job.due == SEVEN + minutes(60)
    plates.close_when_empty(engine, done.outing.id, 3, job.due)  # a job of before something more happened
    assert get_outing_of(engine, done.outing.id, "d1").state is State.OPEN
    plates.close_when_empty(engine, done.outing.id, job.payload["n_events"], job.due)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT passenger, proof_class FROM ride ORDER BY id").all()
    assert [tuple(row) for row in rows] == [("p1", "B"), ("p2", "B")]


def test_the_driver_is_no_passenger_of_the_own_plate_and_nobody_alights_from_a_car_that_stands(engine, plate):
    with pytest.raises(Conflict, match="boarding_is_driver"):
        boards(engine, plate, "d1")
    assert plates.look_at_plate(engine, plate.code)[1] is None  # and no outing stays behind
    with pytest.raises(Conflict, match="no_outing"):
        alights(engine, plate)


def test_a_plate_that_was_withdrawn_holds_no_more(engine, plate):
    with pytest.raises(NotFound, match="unknown_plate"):
        plates.withdraw_plate(engine, "d2", plate.id, "person:d2", SEVEN)
    plates.withdraw_plate(engine, "d1", plate.id, "person:d1", SEVEN)
    for act in (
        lambda: boards(engine, plate),
        lambda: alights(engine, plate),
        lambda: plates.withdraw_plate(engine, "d1", plate.id, "person:d1", SEVEN + timedelta(days=1)),
    ):
        with pytest.raises(NotFound, match="unknown_plate"):
            act()
    assert plates.list_plates_of(engine, "d1") == []


def test_somebody_has_few_plates(engine):
    for _ in range(plates.MOST_PLATES):
        plates.make_plate(engine, "d1", "L6", "person:d1", SEVEN)
    with pytest.raises(Conflict, match="too_many_plates"):
        plates.make_plate(engine, "d1", "L6", "person:d1", SEVEN)
