"""The same thing done by two at once: one of them does it, and the other is told so in a sentence."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import text

from mobigo.security import Keys
from mobigo.services.scolaire import contracting, deciding, messaging, noting, organising, registering, studying
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.messaging import Draft
from mobigo.services.scolaire.noting import Teller
from mobigo.store.base import transaction
from mobigo.store.people.accounts import Identity, add_person
from mobigo.store.scolaire.studies import add_version
from scolaire.planfiles import render_plan
from scolaire.telling import Matter, Scope
from socle.errors import MobigoError
from tests.worlds.one_run import morning_plan
from tests.worlds.school_office import CARRIER, CIRCUIT, OF_LOT_A, RUN, SECTOR, under_contract
from tests.worlds.schooling import JULY, OFFICE, SCHOOL, guardian, school_year, typed
from tests.worlds.sectors import sector_files

KEYS = Keys.of("k" * 32)
CLERK = "person:clerk"
MONDAY = date(2026, 11, 16)
NOON = JULY.replace(month=11, day=21)


@pytest.fixture
def office(engine):
    under_contract(engine, KEYS, CLERK, NOON)
    return engine


def at_once(act, n=2):
    """What came of `act(0)`, `act(1)`… begun at the same moment: the answer, or the code of the refusal."""
    ready = Barrier(n)

    def run(number):
        ready.wait()
        try:
            return act(number)
        except MobigoError as error:
            return error.code

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(run, range(n)))


def count(engine, table):
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()


def test_a_form_that_is_sent_twice_is_one_message(office):
    draft = Draft(SECTOR, Matter.SNOW, Scope(date(2026, 11, 23)), "verglas")
    first, second = at_once(lambda _: messaging.send(office, KEYS, draft, "form", CLERK, NOON))
    assert first == second
    assert (count(office, "school_message"), count(office, "school_message_letter")) == (1, 2)


def test_a_run_is_told_once_as_not_having_run(office):
    told = (MONDAY, CIRCUIT, RUN, "snow", "col fermé")
    answers = at_once(lambda n: noting.tell_not_run(office, KEYS, *told, Teller(f"person:{n}"), NOON))
    assert sorted(one == "told_already" for one in answers) == [False, True]
    assert count(office, "school_service_event") == 1


def test_versions_that_two_add_have_numbers_of_their_own(office):
    study = studying.list_year(office, 2026, MONDAY)[0].studies[0]
    plan = render_plan(morning_plan("p1", "p2"))

    def add(_):
        with transaction(office) as session:
            return add_version(session, KEYS, study.study_id, 1, plan, NOON).number

    assert sorted(at_once(add, 3)) == [2, 3, 4]


def test_studies_and_publications_of_a_sector_have_numbers_of_their_own(office):
    plan = render_plan(morning_plan("p1", "p2"))
    made = at_once(lambda n: studying.add_study(office, KEYS, SECTOR, f"Étude {n}", plan, CLERK, "", NOON))
    assert len({one.study_id for one in made}) == 2
    done = at_once(lambda n: studying.publish(office, KEYS, made[n].study_id, 1, date(2026, 12, 1), CLERK, "", NOON))
    assert sorted(one.number for one in done) == [2, 3]


def test_a_contract_and_its_indices_are_kept_once(office):
    dearer = OF_LOT_A.replace(b"2025-09-01", b"2026-11-01").replace(b"150.00", b"160.00", 1)
    kept = at_once(lambda _: contracting.import_contract(office, dearer, CLERK, NOON))
    assert sorted(is_new for _contract, is_new in kept) == [False, True]
    rows = b"index,month,value\ngazole,2026-07,170\n"
    values = at_once(lambda _: contracting.import_indices(office, rows, CLERK, NOON))
    assert sorted(n for n, _findings in values) == [0, 1]
    ends = [OF_LOT_A.replace(b'id = "lot-7', b'id = "lot-%d' % n).replace(b'["A"]', b'["B"]') for n in (8, 9)]
    ends = [one.replace(b'lot = "A"', b'lot = "B"') for one in ends]
    taken = at_once(lambda n: contracting.import_contract(office, ends[n], CLERK, NOON))
    assert sorted(one == "lot_taken" for one in taken) == [False, True]


def test_rights_are_given_once(office):
    with transaction(office) as session:
        reference = add_person(session, KEYS, Identity("Dora Car", "dora@exemple.test"), NOON).reference
    given = at_once(lambda _: contracting.give_carrier(office, reference, CARRIER, CLERK, NOON))
    assert sorted(given) == [False, True]
    give = lambda _: organising.set_scope(office, OFFICE, reference, "commune", "25701", NOON, given=True)  # noqa: E731
    assert at_once(give) == [None, None]
    assert at_once(lambda _: messaging.set_language(office, "anna", "de", NOON)) == [None, None]


def test_the_files_of_a_sector_may_come_twice(engine):
    come = lambda _: import_sector(engine, KEYS, sector_files(), 2026, "essai", CLERK, NOON)  # noqa: E731
    assert [one.sector_id for one in at_once(come)] == ["2026-essai"] * 2


def test_a_file_is_decided_by_one_of_two_clerks_and_by_the_run_over_all(engine):
    school_year(engine, KEYS)
    camille = guardian("camille")
    asked = registering.start(engine, KEYS, camille, SCHOOL, JULY)
    registering.save(engine, KEYS, camille, asked, typed(), JULY)
    registering.submit(engine, KEYS, camille, asked, JULY)
    registering.save(engine, KEYS, OFFICE, asked, typed(route_m_1="6200"), JULY)
    clerks = (OFFICE, replace(OFFICE, actor="person:other"))
    answers = at_once(
        lambda n: (
            deciding.decide(engine, KEYS, clerks[n], asked, JULY)
            if n < 2
            else deciding.decide_ready(engine, KEYS, OFFICE, 2026, JULY)
        ),
        3,
    )
    assert count(engine, "school_decision") == 1
    told = [one for one in answers if isinstance(one, str)]
    assert set(told) <= {"application_state"}
