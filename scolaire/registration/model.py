"""Model: a request for one child in one school year, its states, and which state may follow which.

A request has a home for each place from which the child goes to school: with a guardian, or in a host family. Two
homes never share a day (shared custody). What a family may not decide (the distance by road) the office writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from scolaire.pupils import Home, Level, Pupil, Regime
from socle.geo import LatLon


class State(StrEnum):
    """Where a request stands."""

    DRAFT = "draft"  # the family still writes
    SUBMITTED = "submitted"  # the office has it
    INCOMPLETE = "incomplete"  # a paper or a fact was asked for
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


class Kind(StrEnum):
    """Whether a child stays all year."""

    ORDINARY = "ordinary"
    EXCHANGE = "exchange"  # a guest of a school for some weeks


class HomeKind(StrEnum):
    """Whose home it is."""

    GUARDIAN = "guardian"
    HOST_FAMILY = "host_family"


class Channel(StrEnum):
    """How a request came in."""

    ONLINE = "online"
    PAPER = "paper"


class Deed(StrEnum):
    """One step in the life of a request."""

    STARTED = "started"
    RENEWED = "renewed"
    CHANGED = "changed"
    SUBMITTED = "submitted"
    MOVED = "moved"
    PAPER_ASKED = "paper_asked"
    PAPER_RECEIVED = "paper_received"
    DECIDED = "decided"
    OVERRIDDEN = "overridden"
    APPEALED = "appealed"
    APPEAL_ANSWERED = "appeal_answered"
    LINK_MADE = "link_made"
    LINKED = "linked"
    CARD = "card"
    WITHDRAWN = "withdrawn"


# What may be done in each state; whatever is not named here is refused.
MAY: Final[Mapping[State, frozenset[Deed]]] = {
    State.DRAFT: frozenset({Deed.CHANGED, Deed.SUBMITTED, Deed.WITHDRAWN, Deed.LINK_MADE, Deed.LINKED}),
    State.SUBMITTED: frozenset(set(Deed) - {Deed.STARTED, Deed.RENEWED, Deed.SUBMITTED, Deed.APPEALED}),
    State.INCOMPLETE: frozenset(set(Deed) - {Deed.STARTED, Deed.RENEWED, Deed.APPEALED}),
    State.DECIDED: frozenset(
        {Deed.MOVED, Deed.DECIDED, Deed.OVERRIDDEN, Deed.APPEALED, Deed.APPEAL_ANSWERED, Deed.LINK_MADE, Deed.LINKED}
        | {Deed.CARD, Deed.WITHDRAWN}
    ),
    State.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Child:
    """Who goes to school."""

    last_name: str
    first_name: str
    born_on: date
    class_name: str = ""
    wheelchair: bool = False
    derogation: str = ""  # why another school than the sector's is attended; empty when it is the sector's

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Contact:
    """Who looks after the child in a home, and how they are reached."""

    name: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Household:
    """One home: where it is when that is known, the days on which the child leaves from it, the stop asked for."""

    kind: HomeKind
    days: int
    commune: str = ""  # INSEE code
    address: str = ""
    position: LatLon | None = None
    road_m: int | None = None
    stop_id: str | None = None


@dataclass(frozen=True, slots=True)
class Application:
    """What is asked for."""

    school_year: int
    school_id: str
    level: Level
    regime: Regime
    child: Child
    homes: tuple[Household, ...]
    kind: Kind = Kind.ORDINARY
    until: date | None = None  # of an exchange

    def as_pupil(self, pupil_id: str) -> Pupil:
        """The child as plans and rule books know children."""
        return Pupil(
            pupil_id=pupil_id,
            school_id=self.school_id,
            level=self.level,
            regime=self.regime,
            homes=tuple(Home(home.position, home.days, home.stop_id, home.commune, home.road_m) for home in self.homes),
            wheelchair=self.child.wheelchair,
            birth_year=self.child.born_on.year,
            sector_school_id="another" if self.child.derogation else None,
            derogation=self.child.derogation or None,
        )
