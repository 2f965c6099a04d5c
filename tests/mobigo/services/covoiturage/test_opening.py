"""A month of the lines as open data: published once, equal to the books, and nobody alone in it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from mobigo.demo.facts import read_facts
from mobigo.demo.region import render_places
from mobigo.services.covoiturage.declaring import cancel, declare
from mobigo.services.covoiturage.opening import publish_due, publish_month
from mobigo.services.covoiturage.settling import settle
from mobigo.services.opendata import open_carpool_file
from mobigo.store import publications
from mobigo.store.base import reading
from mobigo.store.ledger.reads import list_balances
from mobigo.texts import all_texts
from socle.errors import Conflict, NotFound
from tests.worlds.carpools import MORNING, carpool

MONTH = "2026-03"
OVER = datetime(2026, 4, 3, 2, tzinfo=UTC)
BAUME, AVOUDREY = (47.3529, 6.3612), (47.1372, 6.4339)  # stops of CV6
NAMES = [
    f"{table}.{ending}"
    for table in ("carpool-od", "carpool-subsidies", "carpool-trips")
    for ending in ("csv", "parquet", "schema.json")
]


@pytest.fixture
def data(tmp_path):
    """A data directory that serves the demonstration's communes."""
    release = tmp_path / "network" / "releases" / "1"
    release.mkdir(parents=True)
    facts = read_facts()
    (release / "places.csv").write_bytes(render_places(facts.communes, facts))
    (release / "manifest.json").write_text(json.dumps({"release": "1", "demo": True}))
    (tmp_path / "network" / "current").symlink_to(release)
    return tmp_path


def ridden(engine, name, driver, passenger, at, way):
    given = carpool(name, driver=driver, passengers=(passenger,), at=at) | {"line_id": "CV6"}
    for told in given["rides"][0]["evidence"]:
        told["lat"], told["lon"] = way[0] if told["side"] == "board" else way[1]
    declare(engine, given, name, "key:app1", at + timedelta(hours=2))


def crowd(engine, n, first=0, way=(BAUME, AVOUDREY), line_day=0):
    for i in range(first, first + n):
        at = MORNING + timedelta(days=line_day, minutes=i % 7)
        ridden(engine, f"C{line_day}-{way[0][0] * 10_000:.0f}-{i}", f"d{i}", f"p{i}", at, way)


def read(data, name, month=MONTH):
    with open_carpool_file(data, name.partition(".")[0], month, name).file as file:
        return file.read()


def rows(data, name, month=MONTH):
    return list(csv.DictReader(io.StringIO(read(data, name, month).decode())))


def spent_cents(engine):
    with reading(engine) as session:
        stands = list_balances(session)
    return sum(one.available_cents for one in stands if one.account.code.startswith("region:subsidy_expense:"))


def test_a_month_is_told_by_commune_and_by_line_and_says_what_its_columns_hold(engine, data):
    crowd(engine, 12)
    crowd(engine, 13, way=(AVOUDREY, BAUME), line_day=1)
    ridden(engine, "alone", "d90", "p90", MORNING, (BAUME, (47.2439, 6.3381)))
    settle(engine, MONTH, OVER)
    done = publish_month(engine, data, MONTH, "system:test", OVER)
    assert [file["name"] for file in done.manifest["files"]] == NAMES
    for file in done.manifest["files"]:
        assert hashlib.sha256(read(data, file["name"])).hexdigest() == file["sha256"]
    # The one who rode elsewhere is hidden, and the smaller pair with them: together they are told as the Doubs.
    told = [(row["level"], row["origin_name"], row["destination_name"], row["n_rides"]) for row in rows(data, NAMES[0])]
    assert ("commune", "Avoudrey", "Baume-les-Dames", "13") in told
    assert sum(int(n) for *_place, n in told) == 26 - done.manifest["rides"]["n_dropped"]
    trips = rows(data, "carpool-trips.csv")
    assert {row["time_band"] for row in trips if row["level"] == "commune"} == {"matin"}
    assert {row["journey_distance"] for row in trips if row["level"] == "commune"} == {"35000"}
    assert {row["journey_start_date"] for row in trips} == {MONTH}
    assert rows(data, "carpool-subsidies.csv") == [
        {"month": MONTH, "ride_month": MONTH, "line": "CV6", "euros": f"{26 * 4.30:.2f}"}
    ]
    assert spent_cents(engine) == 26 * 430
    assert done.manifest["checks"] == {"rows_alone": 0, "smallest_pair": 13}
    told_of_files = [{key: value for key, value in file.items() if key != "sha256"} for file in done.manifest["files"]]
    assert "d90" not in str({**done.manifest, "files": told_of_files})  # a digest may hold any three of its letters


@pytest.mark.parametrize("table", ["carpool-od", "carpool-subsidies", "carpool-trips"])
def test_parquet_csv_and_schema_tell_the_same(engine, data, table):
    crowd(engine, 12)
    settle(engine, MONTH, OVER)
    publish_month(engine, data, MONTH, "system:test", OVER)
    frame = pl.read_parquet(io.BytesIO(read(data, f"{table}.parquet")))
    given = rows(data, f"{table}.csv")
    assert [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in frame.to_dicts()
    ] == given
    schema = json.loads(read(data, f"{table}.schema.json"))
    assert [field["name"] for field in schema["fields"]] == frame.columns
    assert all(field["description"] in all_texts().values() for field in schema["fields"])
    for field in schema["fields"]:
        if field["constraints"]["required"]:
            assert all(row[field["name"]] for row in given)


def test_a_published_month_stays_as_it_is_and_a_later_correction_stands_in_the_next(engine, data):
    crowd(engine, 12)
    settle(engine, MONTH, OVER)
    first = publish_month(engine, data, MONTH, "system:test", OVER)
    cancel(engine, "C0-473529-3", "person:clerk", "jamais eu lieu", OVER + timedelta(days=1))
    again = publish_month(engine, data, MONTH, "system:test", OVER + timedelta(days=2))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.manifest == first.manifest
    april = OVER + timedelta(days=10)
    for i in range(12):
        ridden(engine, f"A{i}", f"d{i}", f"p{i}", april, (BAUME, AVOUDREY))
    settle(engine, "2026-04", april + timedelta(days=40))
    (second,) = publish_due(engine, data, "system:test", april + timedelta(days=40))
    euros = [row["euros"] for month in (MONTH, "2026-04") for row in rows(data, "carpool-subsidies.csv", month)]
    assert sum(round(float(one) * 100) for one in euros) == spent_cents(engine) == 23 * 430
    assert second.manifest["ledger"]["after"] == first.manifest["ledger"]["last"]
    assert publish_due(engine, data, "system:test", april + timedelta(days=41)) == []


def test_what_concerns_too_few_is_not_told_and_the_money_waits(engine, data):
    crowd(engine, 4)
    settle(engine, MONTH, OVER)
    done = publish_month(engine, data, MONTH, "system:test", OVER)
    assert rows(data, "carpool-od.csv") == []
    assert "carpool-subsidies.csv" not in {file["name"] for file in done.manifest["files"]}
    assert done.manifest["ledger"] == {"after": 0, "last": 0}


def test_a_month_that_is_not_over_or_not_decided_is_not_published(engine, data):
    crowd(engine, 12)
    with pytest.raises(Conflict, match="month_not_over"):
        publish_month(engine, data, MONTH, "system:test", OVER - timedelta(hours=5))
    with pytest.raises(Conflict, match="month_undecided"):
        publish_month(engine, data, MONTH, "system:test", OVER)
    with pytest.raises(Conflict, match="month_undecided"):
        publish_month(engine, data, "2026-02", "system:test", OVER)
    assert publications.list_published_months(data) == []
    assert publish_due(engine, data, "system:test", OVER) == []


@pytest.mark.parametrize(
    ("dataset", "month", "name"),
    [
        ("carpool-od", MONTH, "manifest.json"),
        ("carpool-od", MONTH, "carpool-trips.csv"),
        ("carpool-od", "..", "carpool-od.csv"),
        ("carpool-od", "2026-02", "carpool-od.csv"),
        ("..", MONTH, "../manifest.json"),
    ],
)
def test_no_other_file_is_opened(engine, data, dataset, month, name):
    crowd(engine, 12)
    settle(engine, MONTH, OVER)
    publish_month(engine, data, MONTH, "system:test", OVER)
    assert read(data, "carpool-od.csv", "latest") == read(data, "carpool-od.csv")
    with pytest.raises(NotFound):
        open_carpool_file(data, dataset, month, name)
