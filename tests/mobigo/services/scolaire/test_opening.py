"""School circuits published as open data: whole, with a dictionary, again only when something is new."""

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from mobigo.security import Keys
from mobigo.services.opendata import list_circuit_publications, open_circuit_file
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.opening import publish_circuits
from mobigo.services.scolaire.studying import add_study, publish
from mobigo.store import publications
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from mobigo.texts import all_texts
from scolaire.planfiles import render_plan
from socle.errors import NotFound
from tests.worlds.one_run import morning_plan
from tests.worlds.sectors import PUPILS, lines_of, sector_files

KEYS = Keys.of("k" * 32)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLANNER = "person:planner"
SECTOR = "2026-haut-doubs"
CHILDREN = [f"p{n}" for n in range(1, 8)]  # one at the Mairie, six at the church
TABLES = ("school-circuits", "school-halts", "school-pupils")


@pytest.fixture
def sector(engine):
    pupils = lines_of(PUPILS, *(f"{child},47.161,6.301,c1,college,half_board,1101100,0,s1" for child in CHILDREN))
    import_sector(engine, KEYS, sector_files(pupils=pupils), 2026, "haut-doubs", PLANNER, NOON)


def have_hold(engine, children, first=date(2026, 9, 1)):
    study = add_study(engine, KEYS, SECTOR, "Rentrée", render_plan(morning_plan(*children)), PLANNER, "", NOON)
    publish(engine, KEYS, study.study_id, 1, first, PLANNER, "", NOON)


def opened(engine, data, now=NOON):
    return publish_circuits(engine, KEYS, data, "system:test", now)


def read(data, name, release="latest"):
    with open_circuit_file(data, name.partition(".")[0], release, name).file as file:
        return file.read()


def rows(data, table, release="latest"):
    return list(csv.DictReader(io.StringIO(read(data, f"{table}.csv", release).decode())))


def test_before_a_plan_holds_nothing_is_published(engine, sector, tmp_path):
    assert opened(engine, tmp_path) is None
    have_hold(engine, CHILDREN, date(2027, 1, 4))
    assert opened(engine, tmp_path) is None
    assert list_circuit_publications(tmp_path) == []


def test_circuits_are_published_with_hashes_licence_and_dictionary(engine, sector, tmp_path):
    have_hold(engine, CHILDREN)
    done = opened(engine, tmp_path)
    assert (done.release, done.is_new) == ("2026-11-21", True)
    (told,) = list_circuit_publications(tmp_path)
    assert told == done.manifest
    names = [f"{table}.{ending}" for table in TABLES for ending in ("csv", "parquet", "schema.json")]
    assert [file["name"] for file in told["files"]] == names
    for file in told["files"]:
        assert hashlib.sha256(read(tmp_path, file["name"])).hexdigest() == file["sha256"]
    assert (told["licence"], told["demo"], told["thresholds"]) == ("etalab-2.0", False, {"pupils": 5})
    (one,) = told["sectors"]
    assert one == {
        "school_year": "2026-2027",
        "sector": "haut-doubs",
        "valid_from": "2026-09-01",
        "n_circuits": 1,
        "n_hidden_halts": 1,
        "n_hidden_runs": 0,
    }
    assert [table["name"] for table in told["tables"]] == list(TABLES)
    assert all(field["description"] in all_texts().values() for table in told["tables"] for field in table["fields"])
    assert {row["place_name"] for row in rows(tmp_path, "school-halts")} == {"Église", "Collège de démonstration"}
    with reading(engine) as session:
        (line,) = list_lines(session, AuditFilter(action="school.circuits_opened"), limit=2)
    assert line.line.facts == {"release": "2026-11-21", "n": 1}


@pytest.mark.parametrize("table", TABLES)
def test_parquet_csv_and_schema_tell_the_same(engine, sector, tmp_path, table):
    have_hold(engine, CHILDREN)
    opened(engine, tmp_path)
    frame = pl.read_parquet(io.BytesIO(read(tmp_path, f"{table}.parquet")))
    given = rows(tmp_path, table)
    assert given
    assert [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in frame.to_dicts()
    ] == given
    schema = json.loads(read(tmp_path, f"{table}.schema.json"))
    assert [field["name"] for field in schema["fields"]] == frame.columns
    required = [field["name"] for field in schema["fields"] if field["constraints"]["required"]]
    assert all(row[name] for name in required for row in given)


def test_no_child_no_pseudonym_and_no_home_is_in_any_file(engine, sector, tmp_path):
    have_hold(engine, CHILDREN)
    told = json.dumps(opened(engine, tmp_path).manifest).encode()
    everything = told + b"".join(read(tmp_path, f"{table}.csv") for table in TABLES)
    with engine.connect() as connection:
        pseudonyms = [row[0] for row in connection.exec_driver_sql("SELECT pupil FROM school_pupil")]
    assert len(pseudonyms) == len(CHILDREN)
    assert not any(word.encode() in everything for word in (*pseudonyms, *CHILDREN, "Mairie", "47.161"))


def test_what_is_not_new_is_not_published_again_and_what_is_new_is_on_the_same_day(engine, sector, tmp_path):
    have_hold(engine, CHILDREN)
    first = opened(engine, tmp_path)
    assert not opened(engine, tmp_path, NOON + timedelta(days=1)).is_new
    have_hold(engine, CHILDREN[:-1], date(2026, 10, 1))
    again = opened(engine, tmp_path)
    assert (again.release, again.is_new) == ("2026-11-21.2", True)
    assert [one["release"] for one in list_circuit_publications(tmp_path)] == ["2026-11-21.2", "2026-11-21"]
    assert rows(tmp_path, "school-circuits")[0]["valid_from"] == "2026-10-01"
    assert rows(tmp_path, "school-circuits", first.release)[0]["valid_from"] == "2026-09-01"
    # One child has left: the numbers stay those of the first count of the year.
    assert rows(tmp_path, "school-pupils") == rows(tmp_path, "school-pupils", first.release)


def test_publications_of_a_day_are_in_order_beyond_nine():
    known = ["2026-11-21", *(f"2026-11-21.{n}" for n in range(2, 11)), "2026-09-01.11"]
    assert publications.next_name("2026-11-21", known) == "2026-11-21.11"
    assert publications.next_name("2026-11-22", known) == "2026-11-22"


def test_a_publication_that_is_cut_short_leaves_the_last_one(engine, sector, tmp_path):
    have_hold(engine, CHILDREN)
    opened(engine, tmp_path)
    have_hold(engine, CHILDREN[:-1], date(2026, 10, 1))
    (tmp_path / "opendata" / "scolaire" / ".building-left").mkdir()
    (tmp_path / "opendata" / "scolaire" / "2026-11-20").mkdir()  # without a manifest: never finished
    assert opened(engine, tmp_path).release == "2026-11-21.2"
    assert not (tmp_path / "opendata" / "scolaire" / ".building-left").exists()
    with pytest.raises(NotFound, match="unknown_publication"):
        read(tmp_path, "school-halts.csv", "2026-11-20")


@pytest.mark.parametrize(
    ("dataset", "release", "name"),
    [
        ("school-halts", "2026-11-22", "school-halts.csv"),
        ("school-halts", "..", "school-halts.csv"),
        ("school-halts", "latest", "manifest.json"),
        ("school-pupils", "latest", "school-halts.csv"),
        ("school-halts", "latest", "../2026-11-21/school-halts.csv"),
    ],
)
def test_what_is_not_published_is_not_found(engine, sector, tmp_path, dataset, release, name):
    have_hold(engine, CHILDREN)
    opened(engine, tmp_path)
    with pytest.raises(NotFound, match="unknown_publication"):
        open_circuit_file(tmp_path, dataset, release, name)
