"""Model: a rule book, the facts of one file, and the verdict with its reason.

A book is an ordered list of rules; the first whose conditions all hold gives verdict and reason. A condition may
be *unknown* when a fact is missing. Then nothing is guessed: the file is incomplete, and the decision names the
facts that would settle it. A decision is a function of facts and book alone, so that stored facts and the version
of the book give the same bytes again years later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from scolaire.pupils import Level, Regime, SchoolStatus

Value = str | int | tuple[str, ...] | tuple["Condition", ...]


class Verdict(StrEnum):
    """What a book says to a file, best first; `incomplete` says nothing yet."""

    ENTITLED = "entitled"
    PAYS = "pays"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one child in one home; None where nobody knows, "" where there is none."""

    school_year: int  # the year in which it begins
    level: Level
    regime: Regime
    school_status: SchoolStatus
    home_commune: str | None = None
    school_commune: str | None = None
    home_authority: str | None = None  # SIREN of the urban authority around the home
    school_authority: str | None = None
    birth_year: int | None = None
    straight_m: int | None = None  # from home to school as the crow flies: never more than by road
    road_m: int | None = None
    attends_sector_school: bool = True
    derogation: str = ""  # why another school is attended


FACTS: Final = tuple(Facts.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition and what it takes; `any`, `all` and `not` have others in `of`."""

    kind: str
    given: Mapping[str, Value] = field(default_factory=dict)
    of: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows when all of `when` holds; `says` is the sentence that the family reads."""

    code: str
    when: tuple[Condition, ...]
    verdict: Verdict
    says: str


@dataclass(frozen=True, slots=True)
class Case:
    """A file whose verdict the authors of a book foresaw."""

    name: str
    facts: Facts
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class RuleBook:
    """A rule book: where and when it is in force, its rules in order, its explanation and its cases."""

    id: str
    title: str
    version: str  # SHA-256 of its canonical JSON
    departments: frozenset[str]
    valid_from: date
    valid_until: date | None
    explanation: str
    rules: Sequence[Rule]
    cases: Sequence[Case]


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict: the book's version, the rule that gave it, and the facts that are missing for an incomplete one."""

    verdict: Verdict
    reason: str  # the rule's code; "incomplete" when facts are missing
    book_id: str
    book_version: str
    missing: tuple[str, ...] = ()


INCOMPLETE: Final = "incomplete"
