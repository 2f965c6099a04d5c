"""What one guardian does with a child of two: the other's days, seat, address and words stay the other's."""

from datetime import date

import pytest

from mobigo.security import Keys
from mobigo.services.scolaire import deciding, families, handling, linking, registering
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.registering import Acting
from mobigo.services.scolaire.studying import add_plan, publish
from mobigo.store.base import reading
from mobigo.store.scolaire.messages import children_of
from mobigo.store.scolaire.sectors import load_sector
from scolaire.periods import Asked, plan_week
from scolaire.plans import Direction
from scolaire.pupils import FULL_DAYS
from scolaire.registration.model import Deed, State
from scolaire.ways import places_of, straight_matrix
from socle.errors import Conflict, NotFound
from tests.worlds.schooling import JULY, OFFICE, SCHOOL, SCHOOLS, SECTOR, guardian, school_year, typed
from tests.worlds.sectors import STOPS, lines_of, sector_files

KEYS = Keys.of("k" * 32)
CAMILLE, BASILE = guardian("camille"), guardian("basile")
SHARED = {"jeudi": "2", "vendredi": "2", "responsable_2": "Basile Petit", "adresse_2": "2 rue Haute"}
MEASURED = {"commune_2": "25702", "route_m_1": "6200", "route_m_2": "7100", "arret_2": "s1"}


@pytest.fixture
def shared(engine):
    """A request that the office typed for a child of two homes and decided, each with its guardian."""
    school_year(engine, KEYS)
    asked = registering.start(engine, KEYS, CAMILLE, SCHOOL, JULY)
    registering.save(engine, KEYS, OFFICE, asked, typed(**SHARED, **MEASURED), JULY)
    registering.submit(engine, KEYS, OFFICE, asked, JULY)
    assert deciding.decide(engine, KEYS, OFFICE, asked, JULY).state is State.DECIDED
    code = linking.make_link(engine, KEYS, OFFICE, asked, 1, JULY)
    linking.use_link(engine, KEYS, BASILE, code, JULY)
    return asked


def read(engine, asked):
    return registering.read_request(engine, KEYS, OFFICE, asked).application


def test_neither_takes_the_days_of_the_other(engine, shared):
    everything = dict.fromkeys(("jeudi", "vendredi"), "1")
    registering.save(engine, KEYS, CAMILLE, shared, typed(**everything, telephone_1="0381000000"), JULY)
    one = read(engine, shared)
    assert [(home.guardian, home.days) for home in one.homes] == [("camille", 0b00111), ("basile", 0b11000)]
    registering.save(engine, KEYS, OFFICE, shared, typed(**everything), JULY)
    assert [home.days for home in read(engine, shared).homes] == [0b11111]


def test_neither_takes_the_child_out_of_its_coach_alone(engine, shared):
    for acting in (CAMILLE, BASILE):
        with pytest.raises(Conflict, match="shared_application"):
            registering.withdraw(engine, KEYS, acting, shared, "déménagement", JULY)
    registering.withdraw(engine, KEYS, OFFICE, shared, "les deux l’ont demandé", JULY)
    assert read(engine, shared).state is State.WITHDRAWN


def test_who_is_linked_after_the_decision_is_told_of_the_child(engine, shared):
    name = read(engine, shared).pupil
    with reading(engine) as session:
        assert children_of(session, "camille") == [(SECTOR, name, 0)]
        assert children_of(session, "basile") == [(SECTOR, name, 1)]


def test_a_guardian_who_works_for_an_organiser_reads_no_more_by_that(engine, shared):
    elsewhere = Acting("person:camille", "camille", places=(("25999",), ()))
    for ask in (registering.read_request, deciding.read_file):
        with pytest.raises(NotFound):
            ask(engine, KEYS, elsewhere, shared, *((JULY,) if ask is deciding.read_file else ()))


def test_neither_reads_what_the_other_wrote_in_an_appeal_nor_its_answer(engine, shared):
    handling.appeal(engine, KEYS, BASILE, shared, "J’habite loin de l’arrêt.", JULY)
    handling.answer_appeal(engine, KEYS, OFFICE, shared, "Un arrêt est à l’étude.", JULY)
    code = read(engine, shared).code
    words = {
        acting.pseudonym: [
            step.words
            for step in families.read_child(engine, KEYS, acting, code, JULY).steps
            if step.deed in {Deed.APPEALED, Deed.APPEAL_ANSWERED}
        ]
        for acting in (CAMILLE, BASILE)
    }
    assert words == {"camille": [], "basile": ["J’habite loin de l’arrêt.", "Un arrêt est à l’étude."]}
    handling.appeal(engine, KEYS, OFFICE, shared, "Lettre de l’un des deux.", JULY)
    for acting in (CAMILLE, BASILE):
        steps = families.read_child(engine, KEYS, acting, code, JULY).steps
        assert [step.words for step in steps if step.deed is Deed.APPEALED and step.home is None] == [""]


def test_what_the_office_ruled_by_hand_or_is_contested_is_not_decided_in_bulk(engine, shared):
    deciding.override(engine, KEYS, OFFICE, shared, 0, "refused", "safety", "Sans trottoir.", JULY)
    registering.save(engine, KEYS, CAMILLE, shared, {"telephone_1": "0381000000"}, JULY)
    assert read(engine, shared).state is State.SUBMITTED
    assert deciding.decide_ready(engine, KEYS, OFFICE, 2026, JULY) == (0, 0)
    one = read(engine, shared)
    assert (one.homes[0].verdict, one.homes[0].is_overridden) == ("refused", True)


def test_each_reads_the_times_of_the_own_days_at_the_own_stop_in_the_published_plan(engine):
    stops = lines_of(STOPS, "s1,Mairie,47.161,6.301,validated", "s2,Église,47.171,6.361,validated")
    schools = lines_of(SCHOOLS, "c1,Collège,47.149,6.345,08:00,17:00,5,15,college,25578")
    import_sector(engine, KEYS, sector_files(schools=schools, stops=stops), 2026, "haut-doubs", "person:clerk", JULY)
    asked = registering.start(engine, KEYS, CAMILLE, SCHOOL, JULY)
    registering.save(engine, KEYS, OFFICE, asked, typed(**SHARED, **MEASURED | {"arret_2": "s2"}), JULY)
    registering.submit(engine, KEYS, OFFICE, asked, JULY)
    deciding.decide(engine, KEYS, OFFICE, asked, JULY)
    linking.use_link(engine, KEYS, BASILE, linking.make_link(engine, KEYS, OFFICE, asked, 1, JULY), JULY)
    with reading(engine) as session:
        sector = load_sector(session, KEYS, SECTOR)
    plan = plan_week(sector, straight_matrix(places_of(sector)), Asked(steps=80), "")
    study = add_plan(engine, KEYS, SECTOR, "Rentrée", plan, "person:clerk", "", JULY)
    publish(engine, KEYS, study.study_id, 1, date(2026, 9, 1), "person:clerk", "", JULY)
    code = read(engine, asked).code
    for acting, stop, days in ((CAMILLE, "Mairie", 0b00111), (BASILE, "Église", 0b11000)):
        times = families.read_child(engine, KEYS, acting, code, JULY).times
        assert {one.stop for one in times} == {stop}
        for direction in (Direction.TO_SCHOOL, Direction.FROM_SCHOOL):
            ridden = [one.days for one in times if one.direction is direction]
            assert sum(ridden) == days & FULL_DAYS  # there are no lessons on Wednesdays
        assert all(one.stop_s < one.school_s <= 28_800 for one in times if one.direction is Direction.TO_SCHOOL)
