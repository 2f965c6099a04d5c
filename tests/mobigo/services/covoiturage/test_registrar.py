"""The national registry is told each ride once and what becomes of it, and nothing is kept of who rode."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from covoiturage.correction import Correction, RideChange
from covoiturage.registry import identity_key
from mobigo.jobs.handlers import REGISTRY_SCHEDULE, Means, make_handlers, schedules_of
from mobigo.jobs.worker import Worker
from mobigo.services.covoiturage.correcting import correct
from mobigo.services.covoiturage.declaring import cancel, declare
from mobigo.services.covoiturage.registrar import Registry, get_standing, list_refusals, read_registry, send_again
from mobigo.services.jobs import overview, retry
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.registry_messages import Kind, State
from mobigo.store.jobs import JobState
from mobigo.store.people.accounts import Identity, add_person
from socle.errors import BadInput, Conflict, NotFound
from tests.worlds.carpools import MORNING, carpool
from tests.worlds.registry import ACCESS, SECRET, NationalRegistry, rpc_error

SIRET = "12345678901234"
DECLARED = MORNING + timedelta(hours=2)
RIDE, JOURNEY = "c1r0", "c1r0"


class Clock:
    def __init__(self):
        self.now = DECLARED

    def __call__(self):
        return self.now


@pytest.fixture
def registry():
    one = NationalRegistry()
    yield one
    one.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def worker(engine, keys, clock, registry):
    means = Means(engine, keys, None, clock, registry=Registry(registry.address, f"{ACCESS}:{SECRET}", SIRET))
    return Worker(engine, make_handlers(means), [REGISTRY_SCHEDULE], clock, "w")


@pytest.fixture
def work(worker, clock):
    """Let some time pass and do what is due; a quarter of an hour passes so that the registry's look comes."""

    def run(**passed):
        worker.run_due()
        clock.now += timedelta(**passed) if passed else timedelta(minutes=15)
        worker.run_due()
        clock.now += timedelta(seconds=1)
        worker.run_due()

    return run


@pytest.fixture
def people(engine, keys):
    with transaction(engine) as session:
        return [
            add_person(session, keys, Identity(f"Jeanne {name}", phone=f"+3363998010{n}"), MORNING).pseudonym
            for n, name in enumerate(("D'Hérûg", "Roux"))
        ]


@pytest.fixture
def declared(engine, people):
    declare(engine, given(people), "k", "key:app1", DECLARED)


def given(people):
    told = carpool(driver=people[0], passengers=(people[1],))
    told["rides"][0]["ride_id"] = RIDE
    for scan, (lat, lon) in zip(told["rides"][0]["evidence"], ((47.2, 6.3), (47.35, 6.36)), strict=True):
        scan |= {"lat": lat, "lon": lon}
    return told


def shorter(metres):
    return Correction(rides={RIDE: RideChange(distance_m=metres)})


def stands(engine):
    return dict(get_standing(engine).counts)


def jobs_that_failed(engine):
    return [
        (job.state, job.tries[-1].why) for job in overview(engine, [JobState.WAITING, JobState.DEAD]).jobs if job.tries
    ]


def test_a_ride_is_told_once_with_its_estimate_and_its_status_asked_after_48_hours(
    engine, registry, work, declared, people
):
    work()
    work()
    told = registry.journeys[JOURNEY]
    assert told["incentives"] == [{"index": 0, "amount": 430, "siret": SIRET}]  # 3.30 for 33 km, and 1.00
    assert told["driver"]["identity"]["identity_key"] == identity_key("+33639980100", "D'Hérûg")
    assert [asked[:2] for asked in registry.asked] == [("POST", "/journeys")]
    assert registry.n_tokens == 1
    work(hours=47)
    assert len(registry.asked) == 2
    assert registry.asked[1][:2] == ("GET", f"/journeys/{JOURNEY}")
    work(days=2)
    assert len(registry.asked) == 2  # that was its last word
    assert stands(engine) == {(Kind.JOURNEY, State.TAKEN): 1, (Kind.STATUS, State.TAKEN): 1}
    assert get_standing(engine).statuses == {"ok": 1}
    with reading(engine) as session:
        lines = list_lines(session, AuditFilter(action="covoiturage.registry_exported"), limit=10)
    assert {one.line.subject for one in lines} == {f"person:{name}" for name in people}


def test_a_journey_that_is_pending_is_asked_about_again_the_next_day(engine, registry, work, declared):
    work()
    registry.statuses[JOURNEY] = {"status": "pending"}
    work(hours=47)
    registry.statuses[JOURNEY] = {"status": "fraud_error", "fraud_error_labels": [{"label": "interoperator_overlap"}]}
    work(hours=25)
    assert [asked[0] for asked in registry.asked] == ["POST", "GET", "GET"]
    assert get_standing(engine).statuses == {"fraud_error": 1}


def test_what_identifies_people_is_in_no_row_and_no_log(engine, registry, work, declared, caplog):
    caplog.set_level("DEBUG")
    registry.bent.append((503, {}, {}))
    work()
    work()
    identities = [registry.asked[0][2][side]["identity"] for side in ("driver", "passenger")]
    secrets = [one[name] for one in identities for name in ("identity_key", "phone_trunc")]
    assert len(secrets) == 4
    with engine.connect() as connection:
        rows = "".join(
            str(connection.execute(text(f"SELECT * FROM {table}")).all())
            for table in ("registry_message", "job", "job_try", "audit_line")
        )
    assert RIDE in rows
    for secret in secrets:
        assert secret not in rows
        assert secret not in caplog.text


def test_a_correction_is_told_within_the_day_and_not_later(engine, registry, work, declared, clock):
    work()
    correct(engine, "C1", shorter(30_000), "compteur relevé", "system:test", clock.now)
    work()
    work()
    assert [asked[:2] for asked in registry.asked] == [("POST", "/journeys"), ("PATCH", f"/journeys/{JOURNEY}")]
    assert registry.journeys[JOURNEY]["distance"] == 30_000
    work(hours=24)
    correct(engine, "C1", shorter(29_000), "compteur relevé", "system:test", clock.now)
    work()
    assert registry.journeys[JOURNEY]["distance"] == 30_000


def test_a_cancelled_carpool_is_cancelled_there_at_any_time(engine, registry, work, declared, clock):
    work()
    work(days=20)
    cancel(engine, "C1", "system:test", "faux trajet", clock.now)
    work()
    work()
    cancelled = [asked for asked in registry.asked if asked[1].endswith("/cancel")]
    assert cancelled == [
        (
            "POST",
            f"/journeys/{JOURNEY}/cancel",
            {"code": "carpool_cancelled", "message": "Covoiturage annulé par l’opérateur."},
        )
    ]
    assert get_standing(engine).statuses == {"canceled": 1}


def test_an_answer_that_is_lost_makes_no_second_journey(engine, registry, work, declared):
    registry.loses_answers = True
    work()
    work()
    work()
    assert [asked[0] for asked in registry.asked] == ["POST", "POST", "PATCH"]  # 409 stands for told
    assert len(registry.journeys) == 1
    assert stands(engine) == {(Kind.JOURNEY, State.TAKEN): 1, (Kind.CORRECTION, State.TAKEN): 1}


def test_a_carpool_cancelled_after_a_lost_answer_is_cancelled_there_too(
    engine, registry, work, declared, worker, clock
):
    registry.loses_answers = True
    worker.run_due()
    clock.now += timedelta(minutes=15)
    worker.run_due()
    cancel(engine, "C1", "system:test", "faux trajet", clock.now)
    work()
    assert registry.statuses == {JOURNEY: {"status": "canceled"}}


def test_what_was_cancelled_before_it_was_told_is_not_told(engine, registry, work, declared, clock):
    cancel(engine, "C1", "system:test", "faux trajet", clock.now)
    work()
    assert registry.asked == []
    assert stands(engine) == {}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            (
                422,
                {},
                rpc_error(-32422, "Unprocessable Request", {"terms_violation_labels": ["too_close_trips", "expired"]}),
            ),
            "too_close_trips, expired",
        ),
        ((400, {}, rpc_error(-32602, "Invalid params", "data/driver/identity must …")), ""),
    ],
)
def test_a_refusal_is_kept_with_its_reason_and_not_sent_again(engine, registry, work, declared, answer, why):
    registry.bent.append(answer)
    work()
    work()
    work(days=3)
    assert len(registry.asked) == 1
    (refused,) = get_standing(engine).refused
    assert (refused.state, refused.http_status, refused.why) == (State.REFUSED, answer[0], why)


TOO_SHORT = (422, {}, rpc_error(-32422, "Unprocessable Request", {"terms_violation_labels": ["distance_too_short"]}))


def test_a_refused_ride_that_is_corrected_is_told_again(engine, registry, work, declared, clock):
    registry.bent.append(TOO_SHORT)
    work()
    work()
    correct(engine, "C1", shorter(30_000), "compteur relevé", "system:test", clock.now)
    work()
    work()
    assert [asked[0] for asked in registry.asked] == ["POST", "POST"]
    assert registry.journeys[JOURNEY]["distance"] == 30_000
    assert list_refusals(engine, clock.now) == []
    correct(engine, "C1", shorter(29_000), "compteur relevé", "system:test", clock.now)
    work()
    work()
    assert (registry.asked[-1][0], registry.journeys[JOURNEY]["distance"]) == ("PATCH", 29_000)
    work()
    assert len(registry.asked) == 3  # what it knows is noted beside the message that was taken
    work(hours=48)
    assert get_standing(engine).statuses == {"ok": 1}


def test_a_clerk_reads_why_and_sends_a_refused_ride_again_while_there_is_time(engine, registry, work, declared, clock):
    registry.bent += [TOO_SHORT, TOO_SHORT]
    work()
    (refusal,) = list_refusals(engine, clock.now)
    assert (refusal.may_send, refusal.message.why, refusal.message.http_status) == (True, "distance_too_short", 422)
    send_again(engine, RIDE, "person:clerk", clock.now)
    with pytest.raises(Conflict, match="registry_not_refused"):
        send_again(engine, RIDE, "person:clerk", clock.now)
    work()
    send_again(engine, RIDE, "person:clerk", clock.now)
    work()
    assert [asked[0] for asked in registry.asked] == ["POST"] * 3
    assert (JOURNEY in registry.journeys, list_refusals(engine, clock.now)) == (True, [])
    with pytest.raises(Conflict, match="registry_not_refused"):
        send_again(engine, RIDE, "person:clerk", clock.now)
    with pytest.raises(NotFound, match="unknown_ride"):
        send_again(engine, "nothing", "person:clerk", clock.now)


def test_what_the_registry_takes_no_more_is_not_sent_again(engine, registry, work, declared, clock):
    registry.bent.append(TOO_SHORT)
    work()
    work(hours=24)
    assert [one.may_send for one in list_refusals(engine, clock.now)] == [False]
    with pytest.raises(Conflict, match="registry_too_late"):
        send_again(engine, RIDE, "person:clerk", clock.now)


def test_two_clerks_at_once_send_it_once(engine, registry, work, declared, clock):
    registry.bent.append(TOO_SHORT)
    work()
    refused = []

    def press():
        try:
            send_again(engine, RIDE, "person:clerk", clock.now)
        except Conflict as error:
            refused.append(error.code)

    clerks = [threading.Thread(target=press) for _ in range(4)]
    for one in clerks:
        one.start()
    for one in clerks:
        one.join()
    assert refused == ["registry_not_refused"] * 3
    work()
    assert [asked[0] for asked in registry.asked] == ["POST", "POST"]


@pytest.mark.parametrize("status", [401, 403])
def test_keys_that_are_refused_bury_the_job_until_somebody_wakes_it(
    engine, registry, work, declared, status, clock, worker
):
    registry.bent.append((status, {}, rpc_error(-32501, "Unauthorized Error", "Unauthorized application")))
    work()
    work()
    ((state, why),) = jobs_that_failed(engine)
    assert state is JobState.DEAD
    assert f"refuse nos clés ({status})" in why
    assert len(registry.asked) == 1
    (job,) = overview(engine, [JobState.DEAD]).jobs
    retry(engine, job.job_id, "system:test", clock.now)
    worker.run_due()
    assert JOURNEY in registry.journeys


def test_who_asks_to_be_left_alone_is_left_alone(engine, registry, work, declared, worker, clock):
    registry.bent.append((429, {"Retry-After": "1800"}, {}))
    work()
    clock.now += timedelta(seconds=1790)
    worker.run_due()
    assert len(registry.asked) == 1
    clock.now += timedelta(seconds=15)
    worker.run_due()
    assert len(registry.asked) == 2
    assert JOURNEY in registry.journeys


def test_a_registry_that_is_away_for_a_night_is_told_in_the_morning(engine, keys, declared, clock, registry):
    away = Means(engine, keys, None, clock, registry=Registry("http://127.0.0.1:9", "token", SIRET))
    there = Means(engine, keys, None, clock, registry=Registry(registry.address, f"{ACCESS}:{SECRET}", SIRET))
    for means, hours in ((away, 12), (there, 7)):
        worker = Worker(engine, make_handlers(means), [REGISTRY_SCHEDULE], clock, "w")
        for _ in range(hours * 4):
            worker.run_due()
            clock.now += timedelta(minutes=15)
    assert [asked[0] for asked in registry.asked] == ["POST"]
    assert overview(engine, [JobState.DEAD]).jobs == ()


def test_a_ride_without_places_is_named_and_not_told(engine, registry, work, people):
    told = given(people)
    for scan in told["rides"][0]["evidence"]:
        del scan["lat"], scan["lon"]
    declare(engine, told, "k", "key:app1", DECLARED)
    work()
    (dropped,) = get_standing(engine).refused
    assert (dropped.state, dropped.why, registry.asked) == (State.DROPPED, "ends_unknown", [])


def test_rides_of_operators_are_theirs_to_tell(engine, registry, work, people):
    declare(engine, given(people), "k", "key:app1", DECLARED, scope="api:somebody:")
    work()
    assert registry.asked == []


def test_nothing_is_put_down_unless_the_registry_is_set(engine, keys, declared, clock):
    means = Means(engine, keys, None, clock)
    assert REGISTRY_SCHEDULE not in schedules_of(means)
    assert read_registry("", "", "") is None
    worker = Worker(engine, make_handlers(means), (), clock, "w")
    worker.run_due()
    assert stands(engine) == {}


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (("https://registre.exemple.test", "", SIRET), "registry_half_set"),
        (("registre", "token", SIRET), "bad_server"),
        (("https://registre.exemple.test", "token", "12"), "bad_siret"),
    ],
)
def test_settings_that_cannot_be_are_refused(told, code):
    with pytest.raises(BadInput, match=code):
        read_registry(*told)
