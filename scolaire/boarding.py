"""Boarding: whom a coach expects on a day, what its driver is answered when somebody gets on, and who is aboard.

Green is the right coach. Orange is a pupil of ours in another coach, on another day, or who validated already: the
driver lets a child ride and the office knows. Red is a card or a person that is none of ours. What was answered is
added to what happened on the run and never changed; who is aboard is told from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scolaire.cards import OPENS, CardState
from scolaire.papers import days_waited
from scolaire.plans import Direction, Run, SchoolPlan, rides_of


class Answer(StrEnum):
    """What the driver sees."""

    GREEN = "green"
    ORANGE = "orange"
    RED = "red"


class Why(StrEnum):
    """The reason of an answer."""

    EXPECTED = "expected"
    ANNOUNCED_AWAY = "announced_away"  # expected by the plan, declared absent, and here all the same
    OTHER_STOP = "other_stop"  # the right coach, at another stop than the child's
    OTHER_RUN = "other_run"
    OTHER_DAY = "other_day"  # this coach, and another day or the other guardian's
    ALREADY = "already"  # on this run
    ALREADY_ELSEWHERE = "already_elsewhere"  # in another coach, the same way
    NO_RIDE = "no_ride"  # registered, and in no coach of this way today
    UNKNOWN_CARD = "unknown_card"
    CARD_NOT_SENT = "card_not_sent"
    CARD_BLOCKED = "card_blocked"
    CARD_LOST = "card_lost"
    CARD_REPLACED = "card_replaced"
    NOT_REGISTERED = "not_registered"  # the card of a child who goes by no coach this year


ANSWER_OF: Final[Mapping[Why, Answer]] = {
    Why.EXPECTED: Answer.GREEN,
    Why.ANNOUNCED_AWAY: Answer.GREEN,
    Why.OTHER_STOP: Answer.GREEN,
    Why.OTHER_RUN: Answer.ORANGE,
    Why.OTHER_DAY: Answer.ORANGE,
    Why.ALREADY: Answer.ORANGE,
    Why.ALREADY_ELSEWHERE: Answer.ORANGE,
    Why.NO_RIDE: Answer.ORANGE,
    Why.UNKNOWN_CARD: Answer.RED,
    Why.CARD_NOT_SENT: Answer.RED,
    Why.CARD_BLOCKED: Answer.RED,
    Why.CARD_LOST: Answer.RED,
    Why.CARD_REPLACED: Answer.RED,
    Why.NOT_REGISTERED: Answer.RED,
}
_OF_CARD: Final[Mapping[CardState, Why]] = {
    CardState.ORDERED: Why.CARD_NOT_SENT,
    CardState.BLOCKED: Why.CARD_BLOCKED,
    CardState.LOST: Why.CARD_LOST,
    CardState.REPLACED: Why.CARD_REPLACED,
}


@dataclass(frozen=True, slots=True)
class Expected:
    """A pupil whom a run carries on a day, by place among the plan's riders, between which halts of the run."""

    rider: int
    pupil_id: str
    up: int
    down: int
    stop_id: str  # where the child waits, or is set down
    is_away: bool = False  # declared absent

    @property
    def stands(self) -> bool:
        """Whether the child is to come."""
        return not self.is_away


def expected_on(
    plan: SchoolPlan, run: Run, weekday: int, away: Mapping[str, Collection[Direction]] | None = None
) -> tuple[Expected, ...]:
    """Whom a run carries on a day of the week, in the order of getting off; nobody on a day of another period.

    `away` says which ways a pupil does not travel on that day. Where two homes of a child share the days of a period,
    the child is expected at the stop of the home of that day alone.
    """
    period = plan.periods[run.period]
    if not period.days >> weekday & 1:
        return ()
    found = []
    for ride in rides_of(run):
        rider = plan.riders[ride.rider]
        if ride.stop is None:
            continue
        days = days_waited(rider, period, ride.stop)
        if days is not None and not days >> weekday & 1:
            continue
        is_away = period.direction in (away or {}).get(rider.pupil_id, ())
        stop_id = plan.stops[ride.stop].stop_id
        found.append(Expected(ride.rider, rider.pupil_id, ride.up, ride.down, stop_id, is_away))
    return tuple(found)


def runs_of_pupils(plan: SchoolPlan, weekday: int, direction: Direction) -> dict[str, tuple[str, ...]]:
    """The runs that carry each pupil one way on a day of the week: more than one where coaches are changed."""
    found: dict[str, list[str]] = {}
    for run in plan.runs:
        if plan.periods[run.period].direction is direction:
            for one in expected_on(plan, run, weekday):
                found.setdefault(one.pupil_id, []).append(run.run_id)
    return {pupil: tuple(runs) for pupil, runs in found.items()}


@dataclass(frozen=True, slots=True)
class Who:
    """Who gets on: the pupil, and the card that was shown; neither when nobody knows the number."""

    pupil_id: str | None = None
    card: CardState | None = None
    is_registered: bool = False  # goes by coach this year


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the pupil today: who expects them, and where they validated one way already."""

    expected: Expected | None = None  # by this run
    is_of_run: bool = False  # by this run on some day
    other_runs: Collection[str] = ()  # that carry the pupil this way today
    validated_on: Collection[str] = ()  # the runs of this way


def judge(who: Who, run_id: str, stop_id: str, seen: Seen) -> Why:
    """What the driver of a run is told when somebody gets on at a stop; at a school `stop_id` is empty."""
    if who.card is not None and who.card not in OPENS:
        return _OF_CARD[who.card]
    if who.pupil_id is None:
        return Why.UNKNOWN_CARD
    if not who.is_registered:
        return Why.NOT_REGISTERED
    if run_id in seen.validated_on:
        return Why.ALREADY
    if seen.expected is not None:
        if seen.expected.is_away:
            return Why.ANNOUNCED_AWAY
        is_here = not stop_id or seen.expected.stop_id == stop_id
        return Why.EXPECTED if is_here else Why.OTHER_STOP
    if any(one not in seen.other_runs for one in seen.validated_on):
        return Why.ALREADY_ELSEWHERE
    if seen.other_runs:
        return Why.OTHER_RUN
    return Why.OTHER_DAY if seen.is_of_run else Why.NO_RIDE


class Act(StrEnum):
    """What happened on a run."""

    BOARD = "board"  # somebody showed a card or was ticked
    ALIGHT = "alight"
    GUEST = "guest"  # somebody without registration rides all the same
    GUEST_OFF = "guest_off"


@dataclass(frozen=True, slots=True)
class Boarding:
    """One thing that happened on a run, in the order in which it was told."""

    act: Act
    pupil_id: str | None = None
    why: Why | None = None  # of a boarding

    @property
    def is_aboard(self) -> bool:
        """Whether it puts somebody whom we know aboard: whoever was refused is not, unless the driver says so."""
        return self.act is Act.BOARD and self.why is not None and ANSWER_OF[self.why] is not Answer.RED


@dataclass(frozen=True, slots=True)
class Aboard:
    """Who is aboard: pupils in the order of getting on, and how many whom we do not know."""

    pupils: tuple[str, ...] = ()
    n_guests: int = 0

    @property
    def n(self) -> int:
        """How many."""
        return len(self.pupils) + self.n_guests


def who_is_aboard(boardings: Iterable[Boarding]) -> Aboard:
    """Who is aboard after all that happened."""
    pupils: dict[str, None] = {}
    n_guests = 0
    for one in boardings:
        if one.pupil_id is not None and one.is_aboard:
            pupils.setdefault(one.pupil_id)
        elif one.pupil_id is not None and one.act is Act.ALIGHT:
            pupils.pop(one.pupil_id, None)
        elif one.act is Act.GUEST:
            n_guests += 1
        elif one.act is Act.GUEST_OFF:
            n_guests = max(0, n_guests - 1)
    return Aboard(tuple(pupils), n_guests)


def set_down_at(expected: Sequence[Expected], aboard: Aboard, halt: int) -> tuple[str, ...]:
    """Of those aboard, who gets off at a halt by the plan."""
    there = {one.pupil_id for one in expected if one.down == halt}
    return tuple(pupil for pupil in aboard.pupils if pupil in there)
