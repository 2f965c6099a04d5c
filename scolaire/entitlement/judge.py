"""Judge: a rule book and the facts of a file → the decision, the steps that led to it, and the family's sentence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from scolaire.entitlement.conditions import compile_all, department_of, list_missing
from scolaire.entitlement.model import INCOMPLETE, Case, Condition, Decision, Facts, Rule, RuleBook, Verdict

_NOT_SAID: Final = "?"


@dataclass(frozen=True, slots=True)
class Step:
    """A rule that was looked at, and whether its conditions held (None: unknown); the last one decided."""

    code: str
    held: bool | None


class Judge:
    """One book, compiled; a decision costs a few microseconds and nothing is made for it but itself."""

    def __init__(self, book: RuleBook) -> None:
        self.book: Final = book
        self._rules = tuple((compile_all(rule.when), rule) for rule in book.rules)
        self._decisions = {
            rule.code: Decision(rule.verdict, rule.code, book.id, book.version) for rule in book.rules
        }  # a decision without missing facts is one of these few values

    def decide(self, facts: Facts) -> Decision:
        """The decision of the first rule that holds; incomplete when one before it cannot be told."""
        for test, rule in self._rules:
            held = test(facts)
            if held:
                return self._decisions[rule.code]
            if held is None:
                missing = list_missing(Condition("all", of=rule.when), facts)
                return Decision(
                    Verdict.INCOMPLETE, INCOMPLETE, self.book.id, self.book.version, tuple(dict.fromkeys(missing))
                )
        raise AssertionError("the last rule of a book has no condition")

    def explain(self, facts: Facts) -> list[Step]:
        """The rules in the order in which they were looked at, up to the one that decided."""
        steps: list[Step] = []
        for test, rule in self._rules:
            steps.append(Step(rule.code, test(facts)))
            if steps[-1].held is not False:
                break
        return steps

    def sentence(self, facts: Facts, decision: Decision) -> str | None:
        """What the family reads; None for an incomplete file, whose missing facts are asked for instead."""
        rule = next((rule for rule in self.book.rules if rule.code == decision.reason), None)
        return None if rule is None else said(rule, facts)


def said(rule: Rule, facts: Facts) -> str:
    """The sentence of a rule with the facts of a file."""
    return rule.says.format(
        road_km=_kilometres(facts.road_m if facts.road_m is not None else facts.straight_m),
        straight_km=_kilometres(facts.straight_m),
        age=_NOT_SAID if facts.birth_year is None else facts.school_year - facts.birth_year,
        school_year=f"{facts.school_year}-{facts.school_year + 1}",
    )


def _kilometres(metres: int | None) -> str:
    """Kilometres with one decimal, cut and not rounded: 2,999 m are not 3.0 km."""
    return _NOT_SAID if metres is None else f"{metres // 1000},{metres % 1000 // 100}"


def render_decision(decision: Decision) -> bytes:
    """A decision as canonical JSON: equal decisions are equal bytes."""
    told = {
        "book": decision.book_id,
        "book_version": decision.book_version,
        "missing": decision.missing,
        "reason": decision.reason,
        "verdict": decision.verdict,
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def wrong_cases(book: RuleBook) -> Iterator[tuple[Case, Decision]]:
    """The cases of a book that do not come out as its authors wrote."""
    judge = Judge(book)
    for case in book.cases:
        decision = judge.decide(case.facts)
        if (decision.verdict, decision.reason) != (case.verdict, case.reason):
            yield case, decision


def find_book(books: Iterable[RuleBook], commune: str | None, day: date) -> RuleBook | None:
    """The book in force on a day where a commune is: of several the one that began last."""
    if not commune:
        return None
    department = department_of(commune)
    valid = [
        book
        for book in books
        if department in book.departments
        and book.valid_from <= day
        and (book.valid_until is None or day <= book.valid_until)
    ]
    return max(valid, key=lambda book: (book.valid_from, book.id), default=None)


def decide_all(judge: Judge, files: Sequence[Facts]) -> list[Decision]:
    """The decisions of many files, in their order."""
    return [judge.decide(facts) for facts in files]
