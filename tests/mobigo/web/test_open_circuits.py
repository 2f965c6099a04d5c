"""School circuits as open data, for whoever reads the page and for programs."""

import csv
import hashlib
import io
from datetime import date

import pytest

from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.opening import publish_circuits
from mobigo.services.scolaire.studying import add_study, publish
from scolaire.planfiles import render_plan
from tests.worlds.accounts import NOON
from tests.worlds.one_run import morning_plan
from tests.worlds.sectors import PUPILS, lines_of, sector_files
from tests.worlds.visiting import place


@pytest.fixture
def site(sample, tmp_path):
    with place(sample, tmp_path) as site:
        yield site


def published(site):
    people, children = site.people, [f"p{n}" for n in range(1, 8)]
    pupils = lines_of(PUPILS, *(f"{child},47.161,6.301,c1,college,half_board,1101100,0,s1" for child in children))
    import_sector(people.engine, people.keys, sector_files(pupils=pupils), 2026, "doubs", "person:a", NOON)
    plan = render_plan(morning_plan(*children))
    study = add_study(people.engine, people.keys, "2026-doubs", "Rentrée", plan, "person:a", "", NOON)
    publish(people.engine, people.keys, study.study_id, 1, date(2026, 9, 1), "person:a", "", NOON)
    return publish_circuits(people.engine, people.keys, site.app.state.data_dir, "system:test", NOON)


def test_the_page_says_that_nothing_is_published_yet(site):
    assert "Aucun circuit n’est encore publié" in site.visitor().go("/donnees").page.text
    assert site.visitor().go("/opendata/scolaire").page.json()["publications"] == []


def test_tables_are_found_on_the_page_with_what_each_column_holds_and_the_licence(site):
    done = published(site)
    visitor = site.visitor().go("/donnees")
    told = visitor.page.text
    for table in done.manifest["tables"]:
        assert f"Les colonnes de {table['name']}" in told
        assert all(f"<dt>{field['name']}</dt>" in told for field in table["fields"])
    assert "Licence Ouverte 2.0" in told
    address = "/opendata/scolaire/school-pupils/latest/school-pupils.csv"
    assert address in visitor.links
    table = visitor.go(address).page
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["link"] == '<https://www.etalab.gouv.fr/licence-ouverte-open-licence/>; rel="license"'
    assert table.headers["etag"] == f'"{hashlib.sha256(table.content).hexdigest()}"'
    # Six wait at the church and one at the town hall: the circuit's total would tell the one.
    assert [(row["stop_id"], row["n_pupils"]) for row in csv.DictReader(io.StringIO(table.text))] == [
        ("", ""),
        ("s2", ""),
    ]
    dated = visitor.client.get(address.replace("latest", done.release))
    assert (dated.content, "max-age=31536000" in dated.headers["cache-control"]) == (table.content, True)
    assert visitor.client.get(address, headers={"If-None-Match": table.headers["etag"]}).status_code == 304
    assert visitor.client.head(address).headers["content-length"] == str(len(table.content))
    (one,) = visitor.go("/opendata/scolaire").page.json()["publications"]
    assert address.replace("latest", done.release) in [file["address"] for file in one["files"]]
    gone = visitor.client.get(address.replace("latest", "2026-01-01"))
    assert (gone.status_code, gone.json()["error"].endswith(".")) == (404, True)
