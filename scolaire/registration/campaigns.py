"""Campaigns: when a school year may be asked for, and which papers a request must bring, both as dated data."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from scolaire.pupils import Level
from scolaire.registration.model import Application, HomeKind, Kind


@dataclass(frozen=True, slots=True)
class Campaign:
    """The days of one school year's requests: from `opens`; late after `closes`; none after `ends`."""

    school_year: int
    opens: date
    closes: date
    ends: date

    def takes(self, day: date) -> bool:
        """Whether families may ask on a day."""
        return self.opens <= day <= self.ends

    def is_late(self, day: date) -> bool:
        """Whether a request of that day is late."""
        return day > self.closes


WHEN: Final[Mapping[str, Callable[[Application], bool]]] = {
    "two_homes": lambda one: len(one.homes) > 1,
    "host_family": lambda one: any(home.kind is HomeKind.HOST_FAMILY for home in one.homes),
    "wheelchair": lambda one: one.child.wheelchair,
    "other_school": lambda one: bool(one.child.derogation),
    "apprentice": lambda one: one.level is Level.APPRENTICE,
    "exchange": lambda one: one.kind is Kind.EXCHANGE,
}


@cache
def _document() -> Mapping[str, Sequence[Mapping[str, object]]]:
    return tomllib.loads(files("scolaire.registration").joinpath("campaigns.toml").read_text("utf-8"))


@cache
def shipped_campaigns() -> Mapping[int, Campaign]:
    """The campaigns by the year in which the school year begins."""
    found = (
        Campaign(one["school_year"], one["opens"], one["closes"], one["ends"])  # type: ignore[arg-type] # the test reads it
        for one in _document()["campaign"]
    )
    return {one.school_year: one for one in found}


def papers_of(application: Application) -> tuple[str, ...]:
    """The codes of the papers that a request must bring."""
    return tuple(
        str(one["code"])
        for one in _document()["paper"]
        if application.school_year >= int(str(one["from"])) and WHEN[str(one["when"])](application)
    )
