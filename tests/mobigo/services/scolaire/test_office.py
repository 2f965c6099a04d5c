"""A school year on both databases: imported, decided, decided again, tried under other rules, forgotten."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import inspect, text

from mobigo.security import Keys
from mobigo.services import retention
from mobigo.services.scolaire.entitling import (
    entitle,
    open_books,
    replay,
    simulate_change,
    tell_decisions,
)
from mobigo.services.scolaire.importing import check_sector, import_sector, read_folder
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading, transaction
from mobigo.store.people.accounts import Identity, add_person
from mobigo.store.scolaire.sectors import list_findings, list_sectors, load_sector
from scolaire.entitlement.model import Verdict
from scolaire.entitlement.shipped import shipped_books, shipped_documents
from scolaire.generator import draw_sector
from scolaire.periods import Asked, plan_week
from scolaire.planfiles import render_plan
from scolaire.pupils import FULL_DAYS, Noon
from scolaire.reading import read_sector
from scolaire.ways import places_of, straight_matrix
from scolaire.writing import render_sector
from socle.errors import BadInput, LimitExceeded, NotFound
from tests.worlds.sectors import lines_of, sector_files

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = Keys.of("k" * 32)
CLERK = "person:clerk"
SCHOOLS = "school_id,name,lat,lon,bell_am,bell_pm,window_min,window_max,level,commune"
HEADER = (
    "pupil_id,home_lat,home_lon,school_id,level,regime,days,wheelchair,home_commune,birth_year,road_m,"
    "sector_school_id,derogation,guardian"
)
SCHOOL = "c1,Collège,47.149,6.345,08:00,17:00,5,15,college,25578"
ROWS = (
    "Zoe-Durand,47.16,6.30,c1,college,externe,lu ma,0,25701,2014,6200,,,",
    "Zoe-Durand,47.20,6.35,c1,college,externe,je ve,0,25702,2014,5800,,,",
    "Ali-Martin,47.15,6.345,c1,college,externe,lu ma,0,25578,2013,900,,,",
    "Lea-Petit,47.16,6.30,c1,college,externe,lu ma,0,25701,2013,,c9,,",
    "Tom-Grand,,,c1,college,externe,lu ma,0,,2013,,,,",
    "Eva-Blanc,47.16,6.30,c1,college,externe,lu ma,0,90010,2013,7000,,,",
)


def files(*rows: str):
    return sector_files(pupils=lines_of(HEADER, *rows), schools=lines_of(SCHOOLS, SCHOOL))


@pytest.fixture
def imported(engine):
    return import_sector(engine, KEYS, files(*ROWS), 2026, "haut-doubs", CLERK, NOON)


def dump(engine, *tables: str, sealed: bool = True) -> str:
    """All that is stored, or without what is sealed, in whose bytes any three letters stand by chance."""
    with engine.connect() as connection:
        return "".join(
            str(tuple(value for value in row if sealed or not isinstance(value, bytes)))
            for table in tables or inspect(engine).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
        )


def stored(engine, code="haut-doubs", year=2026):
    with reading(engine) as session:
        return load_sector(session, KEYS, f"{year}-{code}")


def decide(engine, books=None, now=NOON):
    return entitle(engine, KEYS, 2026, books or open_books(), CLERK, now)


def test_a_sector_comes_back_as_it_was_read_with_pseudonyms_for_ids(engine):
    sector = draw_sector(2, n_pupils=120)
    import_sector(engine, KEYS, render_sector(sector), 2026, "demo", CLERK, NOON)
    again = stored(engine, "demo")
    names = dict(
        zip([pupil.pupil_id for pupil in sector.pupils], [pupil.pupil_id for pupil in again.pupils], strict=True)
    )
    assert len(set(names.values())) == 120
    assert set(names.values()).isdisjoint(names)
    assert again == replace(
        sector, pupils=tuple(replace(pupil, pupil_id=names[pupil.pupil_id]) for pupil in sector.pupils)
    )


def test_a_sector_that_was_stored_plans_and_leaves_as_it_came(engine):
    drawn = draw_sector(3, n_pupils=60)
    told = [
        replace(school, wait_min_s=60 * (4 + n), wait_max_s=60 * (20 + 3 * n), group="rpi" if n < 3 else "")
        for n, school in enumerate(drawn.schools)
    ]
    canteen = drawn.stops[0].stop_id
    told[0] = replace(told[0], noon=Noon(43_200, 48_600, FULL_DAYS, canteen, False, 900, 600, 900, 1_800))
    sector = replace(drawn, schools=tuple(told))
    import_sector(engine, KEYS, render_sector(sector), 2026, "demo", CLERK, NOON)
    again = stored(engine, "demo")
    assert again.schools == sector.schools
    own = dict(zip([pupil.pupil_id for pupil in again.pupils], sector.pupils, strict=True))
    named = replace(again, pupils=tuple(own[pupil.pupil_id] for pupil in again.pupils))
    assert render_sector(named) == render_sector(sector)
    asked, matrix = Asked(steps=150, mixed=False), straight_matrix(places_of(sector))  # a plan that minds the groups
    assert render_plan(plan_week(named, matrix, asked, "")) == render_plan(plan_week(sector, matrix, asked, ""))


def test_who_cannot_be_served_stays_known_and_left_out(engine, imported):
    with reading(engine) as session:
        (kept,) = list_sectors(session, 2026)
        findings = list_findings(session, kept.sector_id)
    assert (kept.code, kept.n_pupils, kept.n_left_out) == ("haut-doubs", 5, 1)
    assert findings == list(imported.findings)
    sector = stored(engine)
    assert [(one.line, one.code) for one in sector.left_out] == [(6, "home_without_position")]
    assert len(sector.plannable) == 5


def test_nothing_in_the_database_names_a_child_or_tells_where_it_lives(engine, imported):
    decide(engine)
    assert not [trace for trace in ("Durand", "Martin") if trace in dump(engine)]
    about_children = "school_pupil", "school_decision"
    assert "home_lat" not in dump(engine, *about_children)
    assert not [trace for trace in ("47.1", "6.3", "0,9") if trace in dump(engine, *about_children, sealed=False)]


def test_an_import_again_replaces_the_sector_and_children_keep_their_pseudonym(engine, imported):
    before = {pupil.birth_year: pupil.pupil_id for pupil in stored(engine).pupils if len(pupil.homes) == 2}
    import_sector(engine, KEYS, files(ROWS[3], *ROWS[:2]), 2026, "haut-doubs", CLERK, NOON)
    again = stored(engine)
    assert len(again.pupils) == 2
    assert {pupil.birth_year: pupil.pupil_id for pupil in again.pupils if len(pupil.homes) == 2} == before
    import_sector(engine, KEYS, files(*ROWS), 2027, "haut-doubs", CLERK, NOON)
    next_year = {pupil.pupil_id for pupil in stored(engine, year=2027).pupils}
    assert next_year.isdisjoint(pupil.pupil_id for pupil in again.pupils), "nobody follows a child to the next year"


def test_a_pseudonym_survives_a_new_key(engine, imported):
    before = [pupil.pupil_id for pupil in stored(engine).pupils]
    both = Keys.of("n" * 32 + " " + "k" * 32)
    import_sector(engine, both, files(*ROWS), 2026, "haut-doubs", CLERK, NOON)
    with reading(engine) as session:
        assert [pupil.pupil_id for pupil in load_sector(session, both, "2026-haut-doubs").pupils] == before


def test_a_guardian_is_known_by_the_reference_of_the_account(engine):
    with transaction(engine) as session:
        person = add_person(session, KEYS, Identity("Camille Durand"), NOON)
    row = ROWS[0] + person.reference
    done = import_sector(engine, KEYS, files(row, ROWS[2] + "NOBODY22"), 2026, "haut-doubs", CLERK, NOON)
    assert [(one.line, one.code) for one in done.findings if "guardian" in one.code] == [(3, "pupil_guardian_unknown")]
    with engine.connect() as connection:
        found = connection.execute(text("SELECT guardian FROM school_pupil ORDER BY place")).scalars().all()
    assert found == [person.pseudonym, None]


def test_files_are_decided_by_the_book_of_the_home(engine, imported):
    done = decide(engine)
    assert (done.n_files, done.n_new, done.n_without_book) == (6, 4, 2)  # no commune, and another département
    told = tell_decisions(engine, KEYS, 2026, CLERK, "appel de la famille", NOON)
    assert [(one.pupil_id, one.home, one.verdict, one.reason) for one in told] == [
        ("Ali-Martin", 0, Verdict.PAYS, "too_near"),
        ("Lea-Petit", 0, Verdict.PAYS, "other_school"),
        ("Zoe-Durand", 0, Verdict.ENTITLED, "entitled"),
        ("Zoe-Durand", 1, Verdict.ENTITLED, "entitled"),
    ]
    assert "0,9 km" in (told[0].sentence or "")


def test_deciding_again_writes_only_what_changed(engine, imported):
    assert decide(engine).n_new == 4
    assert decide(engine, now=NOON + timedelta(days=1)).n_new == 0
    moved = ROWS[2].replace(",900,", ",3900,")
    import_sector(engine, KEYS, files(ROWS[0], ROWS[1], moved, *ROWS[3:]), 2026, "haut-doubs", CLERK, NOON)
    assert decide(engine, now=NOON + timedelta(days=2)).n_new == 1
    told = {one.pupil_id: one.reason for one in tell_decisions(engine, KEYS, 2026, CLERK, "", NOON)}
    assert told["Ali-Martin"] == "entitled"
    import_sector(engine, KEYS, files(*ROWS), 2026, "haut-doubs", CLERK, NOON)
    assert decide(engine, now=NOON + timedelta(days=3)).n_new == 1, "back to what was decided first is a decision too"
    told = {one.pupil_id: one.reason for one in tell_decisions(engine, KEYS, 2026, CLERK, "", NOON)}
    assert told["Ali-Martin"] == "too_near"


def test_every_decision_comes_out_again_from_stored_facts_and_the_stored_book(engine, imported):
    decide(engine)
    assert replay(engine, KEYS, 2026) == (4, 0)
    with transaction(engine) as session:
        session.connection().execute(text("UPDATE school_decision SET verdict = 'refused' WHERE reason = 'too_near'"))
    assert replay(engine, KEYS, 2026) == (4, 1)


def test_another_book_is_tried_on_the_files_and_nothing_is_written(engine, imported):
    decide(engine)
    before = dump(engine)
    document = shipped_documents()["un-kilometre-2026.toml"].replace(b"metres = 1000", b"metres = 6000")
    document = document[: document.index(b"[[cases]]")]
    (book,) = open_books([document])
    ((title, found),) = simulate_change(engine, KEYS, 2026, book.book)
    assert title == "Un kilomètre"
    assert (found.n_files, len(found.gains), len(found.losses), len(found.others)) == (4, 0, 1, 1)
    assert "Durand" not in found.losses[0].key
    assert dump(engine) == before
    elsewhere = shipped_books()["autre-commune@2026-09-01"]
    with pytest.raises(NotFound, match="no_school_decisions"):
        simulate_change(engine, KEYS, 2026, elsewhere)


def test_a_book_that_contradicts_its_cases_is_refused():
    document = shipped_documents()["un-kilometre-2026.toml"].replace(b"metres = 1000", b"metres = 2000")
    with pytest.raises(BadInput, match="rule_book_case"):
        open_books([document])


def test_whoever_imports_decides_or_looks_is_in_the_log_and_no_child_is(engine, imported):
    decide(engine)
    tell_decisions(engine, KEYS, 2026, CLERK, "recours", NOON)
    with reading(engine) as session:
        lines = [numbered.line for numbered in list_lines(session, AuditFilter(action="school"), limit=10)]
    assert sorted((line.action, line.actor, line.why) for line in lines) == [
        ("school.decided", CLERK, ""),
        ("school.imported", CLERK, ""),
        ("school.read", CLERK, "recours"),
    ]
    assert {line.action: dict(line.facts) for line in lines} == {
        "school.imported": {"sector_id": "2026-haut-doubs", "pupils": 5, "findings": len(imported.findings)},
        "school.decided": {"sector_id": "2026-haut-doubs", "files": 4, "decided": 4},
        "school.read": {"school_year": 2026, "files": 4},
    }


def test_children_are_forgotten_a_year_after_the_school_year_and_decisions_a_year_later(engine, imported):
    decide(engine)

    def kept(now):
        retention.apply(engine, after_pause=True, now=now)
        with engine.connect() as connection:
            return tuple(
                connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for table in ("school_pupil", "school_decision")
            )

    assert kept(datetime(2028, 8, 30, tzinfo=UTC)) == (6, 4)
    assert kept(datetime(2028, 9, 1, tzinfo=UTC)) == (0, 4)
    assert kept(datetime(2029, 9, 1, tzinfo=UTC)) == (0, 0)


def test_a_year_without_sector_is_said(engine):
    with pytest.raises(NotFound, match="no_school_year"):
        decide(engine)


def test_a_sector_needs_a_name_and_files(engine, tmp_path):
    with pytest.raises(BadInput, match="bad_source_id"):
        import_sector(engine, KEYS, files(*ROWS), 2026, "Haut Doubs", CLERK, NOON)
    with pytest.raises(BadInput, match="no_sector_files"):
        read_folder(tmp_path)
    with (tmp_path / "pupils.csv").open("wb") as file:
        file.truncate(100_000_001)
    with pytest.raises(LimitExceeded, match="file_too_large"):
        read_folder(tmp_path)


def test_a_check_keeps_nothing():
    assert check_sector(files(*ROWS)).sector == read_sector(files(*ROWS))[0]
