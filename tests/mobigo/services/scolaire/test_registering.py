"""A child is asked for, decided, contested, moved, on both databases; two guardians see each their own."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from mobigo.security import Keys
from mobigo.services.scolaire import deciding, handling, linking, registering
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.registering import Acting, FormWrong
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from mobigo.store.scolaire.applications import Wanted
from mobigo.store.scolaire.sectors import load_sector
from scolaire.registration.model import State
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from tests.worlds.schooling import AUTUMN, JULY, OFFICE, SCHOOL, SECTOR, guardian, school_year, typed
from tests.worlds.sectors import sector_files

KEYS = Keys.of("k" * 32)
CAMILLE, BASILE, STRANGER = guardian("camille"), guardian("basile"), guardian("stranger")
MEASURED = {"route_m_1": "6200"}


@pytest.fixture
def year(engine):
    school_year(engine, KEYS)
    return engine


def ask(engine, acting=CAMILLE, now=JULY, **instead):
    """A request, handed in."""
    found = registering.start(engine, KEYS, acting, SCHOOL, now)
    registering.save(engine, KEYS, acting, found, typed(**instead), now)
    registering.submit(engine, KEYS, acting, found, now)
    return found


def read(engine, application_id, acting=OFFICE):
    return registering.read_request(engine, KEYS, acting, application_id).application


def test_a_request_goes_from_draft_to_decision_and_its_child_goes_by_coach(year):
    asked = ask(year)
    one = read(year, asked)
    assert (one.state, one.is_late, one.name) == (State.SUBMITTED, False, "Zoé Durand-Petit")
    with pytest.raises(NotFound):
        registering.read_request(year, KEYS, STRANGER, asked)
    # Nobody has measured the road, and the family may not.
    done = deciding.decide(year, KEYS, OFFICE, asked, JULY)
    assert (done.state, done.homes[0].verdict) == (State.INCOMPLETE, "incomplete")
    assert set(registering.read_request(year, KEYS, CAMILLE, asked).fields).isdisjoint(MEASURED)
    registering.save(year, KEYS, CAMILLE, asked, typed(**MEASURED), JULY)
    assert "route_m_1" not in read(year, asked).typed
    registering.save(year, KEYS, OFFICE, asked, typed(**MEASURED), JULY)
    done = deciding.decide(year, KEYS, OFFICE, asked, JULY)
    assert (done.state, done.homes[0].verdict, done.homes[0].reason) == (State.DECIDED, "entitled", "entitled")
    with reading(year) as session:
        sector = load_sector(session, KEYS, SECTOR)
    child = sector.pupils[-1]
    assert (child.pupil_id, child.homes[0].stop_id, child.homes[0].road_m) == (done.pupil, "s1", 6200)
    assert (len(sector.pupils) - 1, 0) in sector.plannable


def test_the_office_reads_the_sentence_of_the_book_and_what_is_missing(year):
    file = deciding.read_file(year, KEYS, OFFICE, ask(year), JULY)
    (judged,) = file.judged
    assert (judged.decision.missing, judged.sentence) == (("road_m",), None)
    near = deciding.read_file(year, KEYS, OFFICE, ask(year, prenom="Léo", route_m_1="x"), JULY)
    assert near.judged[0].book_title
    (measured,) = deciding.read_file(year, KEYS, OFFICE, ask(year, OFFICE, prenom="Ana", route_m_1="400"), JULY).judged
    assert "0,4" in measured.sentence


def test_one_child_has_one_request_a_year_however_its_name_is_written(year):
    first = ask(year)
    with pytest.raises(Conflict, match="application_twin"):
        ask(year, BASILE, nom_eleve="DURAND PETIT", prenom="zoe")
    ask(year, BASILE, nom_eleve="DURAND PETIT", prenom="zoe", naissance="09/03/2015")
    registering.withdraw(year, KEYS, CAMILLE, first, "déménagement", JULY)
    ask(year, BASILE, nom_eleve="DURAND PETIT", prenom="zoe")


def test_two_guardians_have_two_homes_and_neither_reads_the_others_address(year):
    days = {"jeudi": "2", "vendredi": "2", "responsable_2": "Basile Petit"}
    asked = ask(year, adresse_2="chez Basile", commune_2="25702", **days)
    one = read(year, asked)
    assert [home.days for home in one.homes] == [0b00111, 0b11000]
    assert (one.homes[1].commune, "adresse_2" in one.typed) == ("", False)  # not the first guardian's to write
    with pytest.raises(NotFound):
        registering.read_request(year, KEYS, BASILE, asked)
    with pytest.raises(Forbidden):
        linking.make_link(year, KEYS, CAMILLE, asked, 1, JULY)
    code = linking.make_link(year, KEYS, OFFICE, asked, 1, JULY)
    linking.use_link(year, KEYS, BASILE, f" {code.lower()} ", JULY)
    with pytest.raises(BadInput, match="wrong_link_code"):
        linking.use_link(year, KEYS, STRANGER, code, JULY)
    registering.save(year, KEYS, BASILE, asked, {"adresse_2": "chez Basile", "commune_2": "25702", "prenom": "X"}, JULY)
    one = read(year, asked)
    assert (one.fields["prenom"], one.homes[1].commune, one.homes[1].guardian) == ("Zoé", "25702", "basile")
    assert one.homes[0].fields["adresse_1"] == "3 chemin du Puits"
    assert registering.read_request(year, KEYS, CAMILLE, asked).numbers == (0,)
    assert registering.read_request(year, KEYS, BASILE, asked).numbers == (1,)
    assert "adresse_2" not in registering.read_request(year, KEYS, CAMILLE, asked).fields


def test_a_code_on_a_letter_that_lay_too_long_leads_nowhere(year):
    asked = ask(year, OFFICE)
    code = linking.make_link(year, KEYS, OFFICE, asked, 0, JULY)
    with pytest.raises(BadInput, match="wrong_link_code"):
        linking.use_link(year, KEYS, CAMILLE, code, AUTUMN)
    second = linking.make_link(year, KEYS, OFFICE, asked, 0, AUTUMN)
    linking.use_link(year, KEYS, CAMILLE, second, AUTUMN)
    assert [one.id for one in registering.list_own(year, KEYS, "camille")] == [asked]


def test_each_field_that_is_wrong_is_named(year):
    asked = registering.start(year, KEYS, CAMILLE, SCHOOL, JULY)
    wrong = registering.save(
        year,
        KEYS,
        CAMILLE,
        asked,
        typed(prenom=" ", naissance="31/02/2014", commune_1="Nulle-Part", arret_1="s9"),
        JULY,
    )
    assert [(one.field, one.code) for one in wrong] == [
        ("prenom", "name_missing"),
        ("naissance", "bad_birth"),
        ("commune_1", "commune_unknown"),
        ("arret_1", "stop_unknown"),
    ]
    with pytest.raises(FormWrong) as refused:
        registering.submit(year, KEYS, CAMILLE, asked, JULY)
    assert refused.value.problems == wrong
    assert read(year, asked).typed["commune_1"] == "Nulle-Part"  # a draft keeps what was typed


def test_late_requests_are_taken_and_said_to_be_late_and_none_before_it_opens(year):
    assert read(year, ask(year, now=AUTUMN)).is_late
    early = JULY.replace(month=5)
    with pytest.raises(Conflict, match="campaign_closed"):
        registering.start(year, KEYS, CAMILLE, SCHOOL, early)
    assert registering.start(year, KEYS, OFFICE, SCHOOL, early)


def test_a_paper_is_asked_for_by_what_was_written_and_noted_when_it_comes(year):
    asked = ask(year, derogation="option")
    file = deciding.read_file(year, KEYS, OFFICE, asked, JULY)
    assert file.papers == {"derogation": None}
    assert deciding.decide_ready(year, KEYS, OFFICE, 2026, JULY) == (0, 0)  # it waits for its paper
    handling.take_paper(year, KEYS, OFFICE, asked, "derogation", JULY)
    assert deciding.decide_ready(year, KEYS, OFFICE, 2026, JULY) == (0, 1)  # and now for the road
    with pytest.raises(NotFound):
        handling.take_paper(year, KEYS, OFFICE, asked, "derogation", JULY)


def test_an_appeal_is_answered_and_the_office_may_decide_otherwise_for_a_named_reason(year):
    asked = ask(year, OFFICE, route_m_1="400")
    assert deciding.decide(year, KEYS, OFFICE, asked, JULY).homes[0].verdict == "pays"
    handling.appeal(year, KEYS, OFFICE, asked, "La route est dangereuse.", JULY)
    assert deciding.list_files(year, KEYS, OFFICE, Wanted(2026, appeal=True), 10, 0, JULY).n == 1
    with pytest.raises(BadInput, match="unknown_override_reason"):
        deciding.override(year, KEYS, OFFICE, asked, 0, "entitled", "envie", "bon", JULY)
    done = deciding.override(year, KEYS, OFFICE, asked, 0, "entitled", "safety", "Sans trottoir.", JULY)
    assert (done.homes[0].verdict, done.homes[0].is_overridden) == ("entitled", True)
    handling.answer_appeal(year, KEYS, OFFICE, asked, "Vous avez raison.", JULY)
    file = deciding.read_file(year, KEYS, OFFICE, asked, JULY)
    assert file.standing[0][0].verdict == "pays"  # the book's word stays beside the office's
    assert [step.words for step in file.steps if step.words] == [
        "La route est dangereuse.",
        "Sans trottoir.",
        "Vous avez raison.",
    ]
    with reading(year) as session:
        lines = [line.line for line in list_lines(session, AuditFilter(action="school"), limit=99)]
    told = next(line for line in lines if line.action == "school.application_overridden")
    assert told.facts["verdict"] == "entitled:safety"
    assert "trottoir" not in str(lines)


def test_a_home_where_no_book_holds_is_named_and_decided_by_the_office(year):
    asked = ask(year, commune_1="67482")
    done = deciding.decide(year, KEYS, OFFICE, asked, JULY)
    assert (done.state, done.homes[0].verdict, done.homes[0].reason) == (State.INCOMPLETE, None, "no_book")
    assert (
        deciding.override(year, KEYS, OFFICE, asked, 0, "pays", "no_other_way", "Hors région.", JULY).state
        is State.DECIDED
    )


def test_a_move_during_the_year_is_decided_anew(year):
    asked = ask(year, OFFICE, **MEASURED)
    deciding.decide(year, KEYS, OFFICE, asked, JULY)
    registering.save(year, KEYS, OFFICE, asked, typed(commune_1="25578", route_m_1="300"), AUTUMN)
    assert read(year, asked).state is State.SUBMITTED
    assert deciding.decide(year, KEYS, OFFICE, asked, AUTUMN).homes[0].verdict == "pays"
    with year.connect() as connection:
        assert connection.execute(text("SELECT max(number) FROM school_decision")).scalar() == 2


def test_nobody_writes_over_what_another_wrote_meanwhile(year):
    asked = ask(year)
    seen = registering.look_of(read(year, asked), CAMILLE)
    registering.save(year, KEYS, OFFICE, asked, {**typed(), "classe": "5e B"}, AUTUMN)
    late = typed(classe="4e C")
    with pytest.raises(registering.ChangedSince) as refused:
        registering.save(year, KEYS, CAMILLE, asked, late, AUTUMN, seen=seen)
    assert (refused.value.by, refused.value.at, refused.value.kept) == (OFFICE.actor, AUTUMN, {"classe": "5e B"})
    assert read(year, asked).fields["classe"] == "5e B"
    registering.save(year, KEYS, CAMILLE, asked, late, AUTUMN, seen=registering.look_of(read(year, asked), CAMILLE))
    assert read(year, asked).fields["classe"] == "4e C"


def test_what_two_guardians_write_of_their_own_homes_is_no_conflict(year):
    asked = ask(year, jeudi="2", vendredi="2", responsable_2="Basile Petit")
    linking.use_link(year, KEYS, BASILE, linking.make_link(year, KEYS, OFFICE, asked, 1, JULY), JULY)
    seen = registering.look_of(read(year, asked), CAMILLE)
    registering.save(year, KEYS, BASILE, asked, {"adresse_2": "chez Basile", "commune_2": "25702"}, JULY)
    registering.save(year, KEYS, CAMILLE, asked, {"adresse_1": "1 rue Neuve", "commune_1": "25701"}, JULY, seen=seen)
    one = read(year, asked)
    assert (one.typed["adresse_1"], one.typed["adresse_2"]) == ("1 rue Neuve", "chez Basile")


def test_after_a_move_no_verdict_of_the_old_home_holds(year):
    days = {"jeudi": "2", "vendredi": "2", "responsable_2": "Basile Petit", "commune_2": "25701", **MEASURED}
    asked = ask(year, OFFICE, adresse_2="chez Basile", route_m_2="6200", **days)
    done = deciding.decide(year, KEYS, OFFICE, asked, JULY)
    assert [home.verdict for home in done.homes] == ["entitled", "entitled"]
    moved = typed(**(days | {"adresse_2": "en ville", "commune_2": "25578", "route_m_2": "300"}))
    registering.save(year, KEYS, OFFICE, asked, moved, AUTUMN)
    assert [home.verdict for home in read(year, asked).homes] == ["entitled", None]
    # One home is decided by the office: the other one by the book, and not by what held before the move.
    done = deciding.override(year, KEYS, OFFICE, asked, 0, "entitled", "safety", "Sans trottoir.", AUTUMN)
    assert [home.verdict for home in done.homes] == ["entitled", "pays"]
    assert done.state is State.DECIDED
    registering.save(year, KEYS, OFFICE, asked, {**moved, "commune_1": "25578", "route_m_1": "300"}, AUTUMN)
    one = read(year, asked)
    assert (one.homes[0].verdict, one.homes[0].is_overridden, one.homes[1].verdict) == (None, True, "pays")
    assert deciding.decide_ready(year, KEYS, OFFICE, 2026, AUTUMN) == (0, 0)  # somebody looks at it again


def test_next_years_request_begins_with_what_does_not_change(year):
    import_sector(year, KEYS, sector_files(), 2027, "haut-doubs", "person:clerk", JULY)
    before = ask(year)
    again = registering.start(year, KEYS, CAMILLE, "2027-haut-doubs/c1", JULY.replace(year=2027), like=before)
    fields = read(year, again).typed
    assert (fields["prenom"], fields["adresse_1"]) == ("Zoé", "3 chemin du Puits")
    assert "classe" not in fields
    with pytest.raises(NotFound):
        registering.start(year, KEYS, STRANGER, "2027-haut-doubs/c1", JULY.replace(year=2027), like=before)


def test_who_was_registered_stays_when_the_sectors_files_come_again_and_goes_when_withdrawn(year):
    asked = ask(year, OFFICE, **MEASURED)
    pupil = deciding.decide(year, KEYS, OFFICE, asked, JULY).pupil
    school_year(year, KEYS, AUTUMN)

    def pupils():
        with reading(year) as session:
            return [one.pupil_id for one in load_sector(session, KEYS, SECTOR).pupils]

    assert (len(pupils()), pupil in pupils()) == (3, True)
    registering.withdraw(year, KEYS, OFFICE, asked, "départ", AUTUMN)
    assert pupil not in pupils()


def test_a_local_organiser_reads_and_writes_the_own_commune_and_school_only(year):
    here = Acting("person:mairie", "mairie", places=(("25701",), ()))
    there, school = replace(here, places=(("25702",), ())), replace(here, places=((), ("c1",)))
    asked = ask(year)
    for acting, n in ((here, 1), (there, 0), (school, 1)):
        listed = deciding.list_files(year, KEYS, acting, Wanted(2026), 10, 0, JULY)
        assert (listed.n, len(listed.rows)) == (n, n)
    with pytest.raises(NotFound):
        deciding.read_file(year, KEYS, there, asked, JULY)
    with pytest.raises(NotFound):
        registering.save(year, KEYS, there, asked, typed(), JULY)
    with pytest.raises(NotFound):
        deciding.decide(year, KEYS, here, asked, JULY)  # the office decides
    with pytest.raises(NotFound):
        deciding.override(year, KEYS, here, asked, 0, "entitled", "safety", "x", JULY)
    registering.save(year, KEYS, here, asked, typed(classe="5e"), JULY)
    assert read(year, asked).fields["classe"] == "5e"
    ask(year, here, prenom="Noé")
    with pytest.raises(Forbidden, match="school_outside_scope"):
        ask(year, there, prenom="Eva")


def test_nothing_that_a_family_wrote_stands_readable_in_the_tables(year):
    ask(year)
    with year.connect() as connection:
        tables = [f"school_application{end}" for end in ("", "_home", "_step")]
        rows = [tuple(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]
    told = str([[value for value in row if not isinstance(value, (bytes, memoryview))] for row in rows])
    for word in ("Zoé", "Durand", "Puits", "2014", "Camille"):
        assert word not in told
