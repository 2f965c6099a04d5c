"""Telling: what the pages of the desk say of a plan, its measures, its journal and the optimiser's searches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mobigo.services.scolaire.searching import Search
from mobigo.services.scolaire.studying import JournalLine
from mobigo.texts import text
from mobigo.web import door
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Link
from mobigo.web.scolaire.desk.year import study_href
from mobigo.web.wording import distance, duration, euros, moment, number, say, say_count
from scolaire.checking import Broken
from scolaire.edits.journal import KINDS
from scolaire.plans import Measures, Period, SchoolPlan
from socle.errors import BadInput

DONE = frozenset({"change", "annule", "retabli", "repris", "publie"})  # what forms of the desk say that they did
_MOST_BROKEN = 40  # told one by one; the rest is counted


@dataclass(frozen=True, slots=True)
class Todo:
    """Promises that are broken in one way."""

    rule: str
    counted: str
    places: Sequence[Link]
    more: str


@dataclass(frozen=True, slots=True)
class Change:
    """One measure before and after the last edit."""

    name: str
    before: str
    after: str
    difference: str


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the journal."""

    at: str
    what: str
    why: str


def run_href(study_id: str, run_id: str, halt: int | None = None) -> str:
    """The page of a run, or one of its halts."""
    return f"{study_href(study_id)}/course/{run_id}" + ("" if halt is None else f"#halte-{halt + 1}")


def halts_href(study_id: str, period: int) -> str:
    """The runs of a period, side by side."""
    return door.with_query(f"{study_href(study_id)}/haltes", periode=str(period))


def after_href(form: Mapping[str, str], study_id: str, done: str) -> str:
    """Where a form leads when its work is done: to the runs of the period that it came from, else to the study."""
    typed = form.get("periode", "")
    if typed.isascii() and typed.isdigit() and len(typed) < 4:
        return f"{halts_href(study_id, int(typed))}&fait={done}"
    return door.with_query(study_href(study_id), fait=done)


def period_told(period: Period) -> str:
    """Which way on which days."""
    days = [say(f"scolaire.desk.day.{day}") for day in range(7) if period.days >> day & 1]
    return f"{say(f'scolaire.desk.direction.{period.direction}')}, {', '.join(days)}"


def numbers_of(plan: SchoolPlan) -> Mapping[str, int]:
    """The pupils of a plan with their numbers."""
    return {rider.pupil_id: number for number, rider in enumerate(plan.riders, 1)}


def pupil_name(numbers: Mapping[str, int], pupil_id: str) -> str:
    """A pupil as planners speak of one: by the number in the plan, which stays the same from version to version."""
    place = numbers.get(pupil_id)
    return say("scolaire.desk.pupil_unknown") if place is None else say("scolaire.desk.pupil", n=place)


def kpis_of(measures: Measures) -> list[Line]:
    """The bar of measures."""
    return [Line(say(f"scolaire.desk.kpi.{name}"), told) for name, told in _measures_told(measures).items()]


def _measures_told(one: Measures) -> dict[str, str]:
    return {
        "n_vehicles": number(one.n_vehicles),
        "n_runs": number(one.n_runs),
        "n_carried": number(one.n_carried),
        "n_not_served": number(one.n_not_served),
        "driven_m": distance(one.driven_m),
        "loaded": f"{100 * one.loaded_m // one.driven_m if one.driven_m else 0} %",
        "duty_s": duration(one.duty_s),
        "day_cents": euros(one.day_cents),
        "ride_mean_s": duration(one.ride_mean_s),
        "ride_p95_s": duration(one.ride_p95_s),
        "ride_most_s": duration(one.ride_most_s),
        "fill_percent": f"{one.fill_percent} %",
    }


def changes_of(before: Measures, after: Measures) -> list[Change]:
    """The measures that are others, with the difference."""
    told, now = _measures_told(before), _measures_told(after)
    signed = {
        "n_vehicles": _signed(number, before.n_vehicles, after.n_vehicles),
        "n_runs": _signed(number, before.n_runs, after.n_runs),
        "n_carried": _signed(number, before.n_carried, after.n_carried),
        "n_not_served": _signed(number, before.n_not_served, after.n_not_served),
        "driven_m": _signed(distance, before.driven_m, after.driven_m),
        "duty_s": _signed(duration, before.duty_s, after.duty_s),
        "day_cents": _signed(euros, before.day_cents, after.day_cents),
        "ride_mean_s": _signed(_seconds, before.ride_mean_s, after.ride_mean_s),
        "ride_p95_s": _signed(_seconds, before.ride_p95_s, after.ride_p95_s),
        "ride_most_s": _signed(_seconds, before.ride_most_s, after.ride_most_s),
    }
    return [
        Change(say(f"scolaire.desk.kpi.{name}"), told[name], now[name], difference)
        for name, difference in signed.items()
        if difference
    ]


def _seconds(n: int) -> str:
    return f"{number(n)} s"


def _signed(tell: Callable[[int], str], before: int, after: int) -> str:
    if before == after:
        return ""
    return ("+" if after > before else "−") + tell(abs(after - before))


def broken_sentence(one: Broken) -> str:
    """What is wrong, with by how much where that is counted."""
    told = text(f"scolaire.broken.{one.rule}")
    if one.found is None or one.limit is None:
        return told
    return f"{told} {say('scolaire.desk.found', found=number(one.found), limit=number(one.limit))}"


def todo_of(study_id: str, plan: SchoolPlan, broken: Sequence[Broken]) -> list[Todo]:
    """What is broken, by rule, the most frequent first, each with where to mend it."""
    by_rule: dict[str, list[Broken]] = {}
    for one in broken:
        by_rule.setdefault(one.rule, []).append(one)
    found = []
    numbers = numbers_of(plan) if broken else {}
    for rule, some in sorted(by_rule.items(), key=lambda item: (-len(item[1]), item[0])):
        places = [_place(study_id, numbers, one) for one in some[:_MOST_BROKEN]]
        rest = len(some) - len(places)
        more = say_count("scolaire.desk.more", rest) if rest else ""
        counted = say_count("scolaire.desk.times", len(some))
        found.append(Todo(text(f"scolaire.broken.{rule}"), counted, places, more))
    return found


def _place(study_id: str, numbers: Mapping[str, int], one: Broken) -> Link:
    parts = []
    if one.run_id is not None:
        parts.append(say("scolaire.desk.run", run=one.run_id))
    if one.pupil_id is not None:
        parts.append(pupil_name(numbers, one.pupil_id))
    if one.subject is not None:
        parts.append(one.subject)
    if one.found is not None and one.limit is not None:
        parts.append(say("scolaire.desk.found", found=number(one.found), limit=number(one.limit)))
    name = ", ".join(parts) or say("scolaire.desk.whole_plan")
    if one.run_id is not None:
        return Link(run_href(study_id, one.run_id, one.halt), name)
    return Link(f"{study_href(study_id)}/modifier", name)


def search_href(study_id: str, n: int) -> str:
    """The page of a search of the optimiser."""
    return f"{study_href(study_id)}/recherche/{n}"


def bells_href(study_id: str, n: int) -> str:
    """The page of a search that moves bells."""
    return f"{study_href(study_id)}/horaires/{n}"


def budget_told(seconds: int) -> str:
    """How long a search may take."""
    return duration(seconds) if seconds >= 60 else _seconds(seconds)


def search_link(one: Search) -> Link:
    """A search of the optimiser and where it stands."""
    state = say(f"scolaire.desk.search.{one.state}")
    if one.bells is not None:
        told = say("scolaire.desk.bells.told", at=moment(one.asked_at), n=one.bells.most_s // 60, state=state)
        return Link(bells_href(one.study_id, one.number), told)
    told = say("scolaire.desk.search_told", at=moment(one.asked_at), state=state)
    return Link(search_href(one.study_id, one.number), told)


def journal_told(line: JournalLine) -> Told:
    """A line of the journal in words."""
    what = say(f"scolaire.desk.act.{line.act}", version=line.version)
    kind = line.edit.get("kind") if isinstance(line.edit, dict) else None
    if kind in KINDS:
        what = say(f"scolaire.desk.kind.{kind}.name")
    return Told(moment(line.at), what, line.why)


def read_turn(form: Mapping[str, str]) -> int:
    """The turn of the study that the form was made for.

    Raises:
        BadInput: `bad_form`.
    """
    typed = form.get("tour", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        raise BadInput("bad_form")
    return int(typed)


def read_whole(typed: str) -> int:
    """A whole number, 0 for anything else."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
