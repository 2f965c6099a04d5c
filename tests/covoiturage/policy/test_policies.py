"""Policies of the shapes that campaigns have, with cases whose amounts a slow twin made; ours must say the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from covoiturage.policy import language
from covoiturage.policy.language import read_policies
from covoiturage.policy.remarks import list_remarks
from mobigo.cli import main
from tests.oracles.make_policy_cases import POLICIES, cases_of

DOCUMENTS = sorted(POLICIES.glob("*.json"))


def read(document):
    return json.loads(document.read_text("utf-8"))


def cases(document):
    return [json.loads(line) for line in document.with_suffix(".cases.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_every_case_is_decided_to_the_cent(document, capsys):
    journeys = str(document.with_suffix(".cases.jsonl"))
    given = ["--policy", str(document), "--journeys", journeys]
    code = main(["covoiturage", "decide", *given, "--check", "--check-stateless", "--counters"])
    told = capsys.readouterr()
    assert (code, told.err) == (0, "")
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert sum("index" in line for line in lines) == sum(len(case["journeys"]) for case in cases(document))
    for line in lines:
        if line.get("eligible"):
            assert line["explanation"][-1]["type"] == "paid"


def test_the_cases_are_those_that_the_slow_twin_makes_today():
    stale = [one.stem for one in DOCUMENTS if one.with_suffix(".cases.jsonl").read_text("utf-8") != cases_of(read(one))]
    assert stale == [], "run python -m tests.oracles.make_policy_cases"


def test_the_documents_have_no_slips():
    policies = {one.stem: policy for one in DOCUMENTS for policy in read_policies(one.read_bytes()).values()}
    remarks = {name: [remark.code for remark in list_remarks(policy)] for name, policy in policies.items()}
    assert {name: codes for name, codes in remarks.items() if codes} == {"04-single-with-gap": ["policy_gap"]}


def test_the_cases_pay_refuse_and_bind():
    """Amounts that are all nothing, or all whole, would prove little."""
    for document in DOCUMENTS:
        amounts = Counter(
            "nothing" if before == 0 else "whole" if paid == before else "bound"
            for case in cases(document)
            for before, paid in zip(case["stateless_cents"], case["expected_cents"], strict=True)
        )
        assert amounts["whole"] >= 5, document.stem
        assert amounts["nothing"] + amounts["bound"] >= 3, document.stem
        assert amounts["bound"] >= 1, (document.stem, amounts)


def said(tree: Any, name: str) -> Iterator[str]:
    """Every text that stands in a document under this name."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == name and isinstance(value, str):
                yield value
            yield from said(value, name)
    elif isinstance(tree, list):
        for value in tree:
            yield from said(value, name)


def test_everything_that_the_language_can_say_is_said_by_several():
    documents = [read(one) for one in DOCUMENTS]
    assert len(documents) >= 50
    used = {name: Counter() for name in ("type", "mode", "counter", "period", "scope", "level", "end", "minus")}
    for document in documents:
        for name, counted in used.items():
            counted.update(set(said(document, name)))
    twice = {name: {word for word, n in counted.items() if n > 1} for name, counted in used.items()}
    conditions, terms = set(language._CONDITIONS), {*language._COUPLE_TERMS, *language._CAR_TERMS}
    assert {*conditions, *terms, *language._POSTS} - twice["type"] == set()
    assert twice["mode"] >= set(language._MODES)
    assert twice["counter"] == {"trips", "amount", "seats_in_same_vehicle_trip"}
    assert twice["period"] >= {"day", "iso_week", "month", "year", "campaign"}
    assert twice["scope"] == {"driver", "passenger", "vehicle_trip", "campaign"}
    assert twice["level"] == {"vehicle_trip"}
    assert used["end"].keys() >= {"start", "end", "both", "either"}
    assert used["minus"].keys() == {"passenger_contribution", "driver_revenue"}
