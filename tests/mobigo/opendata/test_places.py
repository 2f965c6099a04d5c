"""Stops as carpool places: every field as the national schema (etalab/schema-lieux-covoiturage 0.2.0) has it."""

from __future__ import annotations

import csv
import json
import re
from datetime import date

from covoiturage.lines import shipped_lines
from mobigo.opendata.places import COLUMNS, render_places


def rows():
    return list(csv.DictReader(render_places(shipped_lines()).decode().splitlines()))


def faults(schema, row):
    """What of a row is against the schema; our own reading of it, for the whole of frictionless is a heavy guest."""
    for field in schema["fields"]:
        value, rules = row[field["name"]], field.get("constraints", {})
        if not value:
            if rules.get("required"):
                yield field["name"], "required"
            continue
        if "pattern" in rules and not re.fullmatch(rules["pattern"], value):
            yield field["name"], "pattern"
        if "enum" in rules and value not in rules["enum"]:
            yield field["name"], "enum"
        if field["type"] == "boolean" and value not in ("true", "false"):
            yield field["name"], "boolean"
        if field["type"] in ("number", "integer"):
            number = float(value)
            if not rules.get("minimum", number) <= number <= rules.get("maximum", number):
                yield field["name"], "bounds"
        if field["type"] == "date":
            date.fromisoformat(value)


def test_every_place_is_valid_against_the_national_schema(shared):
    schema = json.loads(shared("standards/lieux-covoiturage/schema-0.2.0.json").read_text("utf-8"))
    assert tuple(field["name"] for field in schema["fields"]) == COLUMNS
    assert [fault for row in rows() for fault in faults(schema, row)] == []
    ids = [row["id_lieu"] for row in rows()]
    assert len(ids) == len(set(ids))


def test_a_spot_of_two_lines_is_one_place():
    (avoudrey,) = (row for row in rows() if row["com_lieu"] == "Avoudrey")
    assert avoudrey["id_lieu"] == "25039-C-001"
    assert avoudrey["comm"] == "Ligne CV5 et CV6 (arrêt de démonstration)"
