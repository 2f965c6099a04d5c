"""Stops as carpool places: every field as the national schema (etalab/schema-lieux-covoiturage 0.2.0) has it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest
from frictionless import validate

from covoiturage.lines import shipped_lines
from mobigo.opendata.places import COLUMNS, render_places


def rows():
    return list(csv.DictReader(render_places(shipped_lines()).decode().splitlines()))


def faults(schema, body, folder):
    """What frictionless, which the national access point runs too, finds wrong: (row, field, what)."""
    (folder / "places.csv").write_bytes(body)
    (folder / "schema.json").write_text(json.dumps(schema), "utf-8")
    report = validate("places.csv", schema="schema.json", basepath=str(folder))
    return [tuple(one) for one in report.flatten(["rowNumber", "fieldName", "type"])]


@pytest.fixture
def schema(shared):
    return json.loads(shared("standards/lieux-covoiturage/schema-0.2.0.json").read_text("utf-8"))


def test_frictionless_finds_no_error_against_the_national_schema(schema, tmp_path):
    assert tuple(field["name"] for field in schema["fields"]) == COLUMNS
    assert faults(schema, render_places(shipped_lines()), tmp_path) == []


def test_names_that_a_spreadsheet_would_break_are_valid_too(schema, tmp_path):
    line = shipped_lines()[0]
    names = ('Gare "SNCF", parvis', "Mairie ; place\nde l’Église", "=1+1", " Ay ")
    stops = tuple(replace(stop, name=name) for stop, name in zip(line.stops, names, strict=False))
    body = render_places([replace(line, stops=(*stops, *line.stops[len(stops) :]))])
    assert faults(schema, body, tmp_path) == []
    told = [row["com_lieu"] for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]
    assert set(names[: len(stops)]) <= set(told)


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("id_lieu", "", "constraint-error"),
        ("type", "Parking volant", "constraint-error"),
        ("Ylat", "nord", "type-error"),
    ],
)
def test_frictionless_sees_what_is_wrong(schema, tmp_path, column, value, kind):
    spoiled = rows()
    spoiled[1][column] = value
    written = io.StringIO()
    table = csv.DictWriter(written, COLUMNS)
    table.writeheader()
    table.writerows(spoiled)
    assert (3, column, kind) in faults(schema, written.getvalue().encode(), tmp_path)


def test_a_spot_of_two_lines_is_one_place():
    (avoudrey,) = (row for row in rows() if row["com_lieu"] == "Avoudrey")
    assert avoudrey["id_lieu"] == "25039-C-001"
    assert avoudrey["comm"] == "Ligne CV5 et CV6 (arrêt de démonstration)"
