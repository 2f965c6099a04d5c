"""Documents are read exactly, or refused with the field and the reason."""

from __future__ import annotations

import ast
import hashlib
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from covoiturage.policy.documents import hash_document, read_documents, read_tree, render_canonical
from covoiturage.policy.language import read_each_policy, read_policies
from covoiturage.policy.remarks import list_remarks
from mobigo.texts import all_texts, error_sentence
from socle.errors import BadInput

ROOT = Path(__file__).parents[3]
SLICE = {"from_m": 0, "to_m": 5000, "terms": [{"type": "per_seat", "cents": 100}]}
RULE = {"mode": "single", "slices": [SLICE]}
LIMIT = {"counter": "trips", "period": "day", "scope": "driver", "max": 2}


def read(document):
    return next(iter(read_policies(json.dumps(document).encode()).values()))


@pytest.mark.parametrize(
    ("document", "field", "problem"),
    [
        ({"surprise": 1}, "surprise", "unknown_field"),
        ({"level": "car"}, "level", "unknown_kind"),
        ({"valid_from": "2026-06-31"}, "valid_from", "impossible_date"),
        ({"valid_from": "2026-W01-1"}, "valid_from", "date_wanted"),
        ({"valid_from": "2026-02-01", "valid_until": "2026-01-31"}, "valid_until", "before_start"),
        ({"timezone": "Europe/Dijon"}, "timezone", "unknown_zone"),
        ({"timezone": "localtime"}, "timezone", "unknown_zone"),
        ({"timezone": "../../etc/passwd"}, "timezone", "unknown_zone"),
        ({"operators": [{"from": "2026-01-01T00:00:00"}]}, "operators[0].from", "instant_wanted"),
        (
            {"operators": [{"from": "0001-01-01T00:00:00+14:00", "operators": []}]},
            "operators[0].from",
            "instant_wanted",
        ),
        ({"operators": [{"from": "2026-01-01T00:00:00Z"}]}, "operators[0].operators", "missing_field"),
        ({"eligibility": [{"type": "full_moon"}]}, "eligibility[0].type", "unknown_kind"),
        ({"eligibility": [{"min_m": 3}]}, "eligibility[0].type", "missing_field"),
        ({"eligibility": [{"type": "distance", "min_m": -1}]}, "eligibility[0].min_m", "negative"),
        ({"eligibility": [{"type": "not", "of": {"type": "class_in"}}]}, "eligibility[0].of.classes", "missing_field"),
        ({"eligibility": [{"type": "local_date_in", "dates_ref": "feasts"}]}, "feasts", "missing_list"),
        (
            {"eligibility": [{"type": "local_date_in", "dates_ref": "feasts"}], "feasts": ["2026-06-31"]},
            "feasts[0]",
            "impossible_date",
        ),
        (
            {"eligibility": [{"type": "both_points_inside", "shape_ref": "here"}], "here": [[5, 47], [6, 47]]},
            "here",
            "shape_wanted",
        ),
        (
            {"eligibility": [{"type": "starts_in", "selector": {"village": ["1"]}}]},
            "eligibility[0].selector.village",
            "unknown_field",
        ),
        (
            {"eligibility": [{"type": "local_time_between", "from": "7:00", "to": "09:00"}]},
            "eligibility[0].from",
            "time_wanted",
        ),
        ({"amount_rules": [{"mode": "single"}]}, "amount_rules[0].slices", "missing_field"),
        (
            {"amount_rules": [{"mode": "single", "slices": [SLICE, {**SLICE, "from_m": 4999, "to_m": None}]}]},
            "amount_rules[0].slices[1].from_m",
            "overlapping_slices",
        ),
        (
            {"amount_rules": [{"mode": "single", "slices": [{**SLICE, "from_m": 5000}]}]},
            "amount_rules[0].slices[0].to_m",
            "not_above_from",
        ),
        (
            {"amount_rules": [{"mode": "cumulative", "slices": [{"terms": [{"type": "flat", "cents": -50}]}]}]},
            "amount_rules[0].slices[0].terms[0].cents",
            "negative",
        ),
        (
            {"amount_rules": [{"mode": "cumulative", "slices": [{"terms": [{"type": "per_km", "cents_per_km": 1}]}]}]},
            "amount_rules[0].slices[0].terms[0].type",
            "unknown_kind",
        ),
        ({"post": [{"type": "multiply"}]}, "post[0].factor", "missing_field"),
        ({"limits": [{**LIMIT, "max": "budget"}]}, "limits[0].max", "whole_number_wanted"),
        ({"limits": [{**LIMIT, "scope": "family"}]}, "limits[0].scope", "unknown_kind"),
        ({"fare": {"mode": "flat", "cents": 150}}, "fare", "only_of_vehicle_trip"),
        ({"level": "vehicle_trip", "empty_run": "flat:-1"}, "empty_run", "none_km_or_flat_wanted"),
        ({"level": "vehicle_trip", "detour_ratio_max": 0.9}, "detour_ratio_max", "below_one"),
    ],
)
def test_a_document_that_is_wrong_is_refused_with_the_field_and_the_reason(document, field, problem):
    with pytest.raises(BadInput) as refused:
        read(document)
    assert refused.value.facts == {"field": field, "problem": problem}
    assert field in error_sentence(refused.value)


@pytest.mark.parametrize(
    ("text", "problem", "where"),
    [
        (b"", "json_wanted", "1:1"),
        (b"[]", "object_wanted", "1:1"),
        (b'{\n "id": }', "json_wanted", "2:8"),
        (b'{"policies": []}', "documents_by_id_wanted", "policies"),
        (b'{"id": NaN}', "number_beyond_reason", "NaN"),
        (b'{"id": "a", "id": "b"}', "key_said_twice", "id"),
        (b"{}\n\xff\xfe", "utf8_wanted", "2:1"),
        (b"[" * 5000, "too_deep", "1:1"),
        (b'{"post": [{"type": "cap", "cents": 1e400}]}', "number_beyond_reason", "1E+400"),
        (b'{"post": [{"type": "cap", "cents": 1e-40}]}', "number_beyond_reason", "1e-40"),
        (b'{"post": [{"type": "cap", "cents": ' + b"9" * 5000 + b"}]}", "number_beyond_reason", "1:1"),
        (b'{"title": "\\ud800"}', "half_a_letter", "?"),
        (b'{"\\ud800": 1}', "half_a_letter", "?"),
    ],
)
def test_what_is_no_document_is_refused_whole_and_where(text, problem, where):
    with pytest.raises(BadInput) as refused:
        read_policies(text)
    assert (refused.value.code, refused.value.facts) == ("policy_unreadable", {"problem": problem, "where": where})
    assert where in error_sentence(refused.value)


def test_toml_is_refused_with_its_line_and_column():
    with pytest.raises(BadInput) as refused:
        read_tree(b"a = 1\nb = ]", toml=True)
    assert refused.value.facts == {"problem": "toml_wanted", "where": "2:5"}


def test_a_time_in_toml_is_a_text():
    document = b'notes = 07:30:00\n[[eligibility]]\ntype = "local_date_on_or_after"\ndate = 2026-01-19\n'
    (policy,) = read_policies(document, toml=True).values()
    assert policy.eligibility[0].given["date"].isoformat() == "2026-01-19"


def test_numbers_are_read_to_the_last_digit():
    policy = read({"post": [{"type": "multiply", "factor": 1.1}, {"type": "cap", "cents": 0.3}]})
    assert [operation.number for operation in policy.post] == [Fraction(11, 10), Fraction(3, 10)]


def test_notes_and_what_begins_with_an_underscore_are_left_alone():
    read({"notes": "seen", "_source": 1, "amount_rules": [{**RULE, "_why": "so"}]})


def test_the_version_is_that_of_the_rules_not_of_their_layout():
    document = {"id": "a", "post": [{"type": "multiply", "factor": 1.10}]}
    spaced = b'{ "post": [ {"factor": 1.100, "type": "multiply"} ],  "id": "a" }'
    toml = b'id = "a"\n[[post]]\ntype = "multiply"\nfactor = 1.1\n'
    versions = {
        hash_document(read_documents(json.dumps(document).encode())["a"]),
        hash_document(read_documents(spaced)["a"]),
        hash_document(read_documents(toml, toml=True)["a"]),
    }
    assert len(versions) == 1
    assert render_canonical({"b": Decimal("10.0"), "a": ["é", None, True]}) == '{"a":["é",null,true],"b":10}'


def test_the_keys_of_a_collection_name_its_documents():
    read = read_policies(b'{"policies": {"a": {}, "b": {"id": "b"}, "campaign_459": {"id": 459}}}')
    assert [(key, policy.id) for key, policy in read.items()] == [(key, key) for key in ("a", "b", "campaign_459")]
    assert read["a"].version == hashlib.sha256(b"{}").hexdigest()  # that of the document as it stands


def test_what_is_wrong_with_one_document_harms_no_other():
    read = read_each_policy(b'{"policies": {"a": {}, "b": {"level": "car"}}}')
    assert read["a"].id == "a"
    assert read["b"].facts == {"field": "level", "problem": "unknown_kind"}


@pytest.mark.parametrize(
    ("document", "codes"),
    [
        ({}, ["policy_pays_nothing"]),
        ({"amount_rules": [RULE, RULE]}, ["policy_rule_unreachable"]),
        (
            {"amount_rules": [{"mode": "single", "slices": [SLICE, {**SLICE, "from_m": 6000, "to_m": None}]}]},
            ["policy_gap"],
        ),
        (
            {"amount_rules": [{"mode": "cumulative", "slices": [SLICE, {**SLICE, "from_m": 2000}]}]},
            ["policy_slices_overlap"],
        ),
        (
            {"amount_rules": [RULE], "post": [{"type": "floor", "cents": 9}, {"type": "cap", "cents": 8}]},
            ["policy_cap_below_floor"],
        ),
        (
            {"amount_rules": [RULE], "limits": [{**LIMIT, "max": 0}, LIMIT, LIMIT]},
            ["policy_limit_of_zero", "policy_limit_twice"],
        ),
        (
            {
                "amount_rules": [{"mode": "cumulative", "slices": [{**SLICE, "from_m": 9000, "to_m": None}]}],
                "eligibility": [{"type": "distance", "min_m": 0, "max_m_exclusive": 9000}],
            },
            ["policy_slice_unreachable"],
        ),
        (
            {"amount_rules": [{"mode": "cumulative", "slices": [{**SLICE, "from_m": 5000}]}]},
            ["policy_to_not_above_from"],
        ),
        ({"amount_rules": [RULE], "limits": [LIMIT]}, []),
    ],
)
def test_what_looks_like_a_slip_is_remarked(document, codes):
    assert [remark.code for remark in list_remarks(read(document))] == codes


def test_every_problem_has_its_words():
    problems = set()
    told = [ROOT / "covoiturage" / name for name in ("declaration.py", "lines.py")]
    rooms = [ROOT / "covoiturage" / "policy", ROOT / "scolaire"]
    for path in [*told, *(path for room in rooms for path in room.rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                named = [word.value for word in node.keywords if word.arg == "problem"]
                if isinstance(node.func, ast.Name) and node.func.id in {"refuse", "_refuse"} and len(node.args) == 2:
                    named.append(node.args[1])
                problems |= {one.value for one in named if isinstance(one, ast.Constant)}
    assert len(problems) > 20
    assert {problem for problem in problems if f"problems.{problem}" not in all_texts()} == set()
    said = {key.removeprefix("problems.") for key in all_texts() if key.startswith("problems.")}
    assert said - problems - {"negative", "too_small"} == set()
