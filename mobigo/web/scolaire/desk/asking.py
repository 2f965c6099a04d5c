"""Asking: the form of each kind of edit, and what was typed as plain values that `scolaire.edits` reads.

Pupils are named by their number in the plan: an address then tells nobody's pseudonym.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mobigo.web.people.forms import Choice, Field
from mobigo.web.scolaire.desk.pictures import clock, name_of
from mobigo.web.wording import say
from scolaire.plans import SchoolPlan
from socle.errors import BadInput

NOTHING: Final = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a form: its name there, the field of the edit it fills, and how it is asked."""

    name: str
    fills: str
    ask: str
    optional: bool = False


# Kind of edit -> its questions; `run` comes before `halt`, which is counted in it.
QUESTIONS: Mapping[str, Sequence[Question]] = {
    "move_pupil": (
        Question("eleve", "pupil_id", "pupil"),
        Question("arret", "stop_id", "stop"),
        Question("course", "run_id", "run", optional=True),
    ),
    "add_pupil": (Question("identifiant", "pupil_id", "text"), Question("arret", "stop_id", "stop")),
    "remove_pupil": (Question("eleve", "pupil_id", "pupil"),),
    "add_stop": (
        Question("nom", "name", "text"),
        Question("latitude", "lat", "degrees"),
        Question("longitude", "lon", "degrees"),
    ),
    "move_stop": (
        Question("arret", "stop_id", "stop"),
        Question("latitude", "lat", "degrees"),
        Question("longitude", "lon", "degrees"),
    ),
    "close_stop": (Question("arret", "stop_id", "stop"), Question("vers", "into", "stop", optional=True)),
    "reorder_halts": (Question("course", "run_id", "run"), Question("ordre", "order", "order")),
    "move_halt": (
        Question("course", "run_id", "run"),
        Question("halte", "halt", "halt"),
        Question("vers", "to_run_id", "run"),
    ),
    "split_run": (
        Question("course", "run_id", "run"),
        Question("halte", "halt", "halt"),
        Question("vehicule", "type_id", "type", optional=True),
    ),
    "merge_runs": (Question("course", "run_id", "run"), Question("autre", "other_run_id", "run")),
    "change_vehicle": (Question("circuit", "circuit_id", "circuit"), Question("vehicule", "type_id", "type")),
    "move_bell": (
        Question("ecole", "school_id", "school"),
        Question("matin", "bell_am_s", "time", optional=True),
        Question("soir", "bell_pm_s", "time", optional=True),
        Question("mercredi", "bell_wednesday_s", "time", optional=True),
    ),
    "lock_circuit": (Question("circuit", "circuit_id", "circuit"), Question("verrou", "is_locked", "yes")),
    "forbid_road": (
        Question("de", "origin_id", "spot"),
        Question("a", "target_id", "spot"),
        Question("interdit", "is_forbidden", "yes"),
    ),
}


# --- what is asked -------------------------------------------------------------------------------


def fields_of(plan: SchoolPlan, kind: str, typed: Mapping[str, str]) -> list[Field]:
    """The fields of a form with what was typed."""
    return [_field(plan, kind, question, typed.get(question.name, "")) for question in QUESTIONS[kind]]


def _field(plan: SchoolPlan, kind: str, question: Question, value: str) -> Field:
    label = say(f"scolaire.desk.kind.{kind}.{question.name}")
    needed = not question.optional
    if question.ask in _LISTS:
        choices = _LISTS[question.ask](plan)
        if question.optional:
            choices = [Choice(NOTHING, say("scolaire.desk.none_chosen")), *choices]
        return Field(question.name, label, "select", value, required=needed, choices=choices)
    hint = say(f"scolaire.desk.ask.{question.ask}") if question.ask not in {"text", "time"} else ""
    shape = {"pupil": "numeric", "halt": "numeric", "degrees": "text"}.get(question.ask, "")
    is_time = question.ask == "time"
    return Field(
        question.name,
        label,
        "time" if is_time else "text",
        value,
        hint=hint,
        required=needed,
        most=200,
        inputmode=shape,
    )


def _stops(plan: SchoolPlan) -> list[Choice]:
    return sorted((Choice(one.stop_id, one.name or one.stop_id) for one in plan.stops), key=lambda one: one.name)


def _schools(plan: SchoolPlan) -> list[Choice]:
    return sorted((Choice(one.school_id, one.name or one.school_id) for one in plan.schools), key=lambda one: one.name)


def _runs(plan: SchoolPlan) -> list[Choice]:
    return [
        Choice(run.run_id, f"{run.run_id} ({clock(run.begins_s)}, {name_of(plan, run.halts[-1])})") for run in plan.runs
    ]


_LISTS: Mapping[str, Callable[[SchoolPlan], list[Choice]]] = {
    "stop": _stops,
    "school": _schools,
    "spot": lambda plan: [*_schools(plan), *_stops(plan)],
    "run": _runs,
    "circuit": lambda plan: [Choice(name, name) for name in plan.circuits],
    "type": lambda plan: [
        Choice(one.type_id, say("scolaire.desk.seats", name=one.type_id, seats=one.seats)) for one in plan.vehicle_types
    ],
    "yes": lambda _plan: [Choice("oui", say("scolaire.desk.yes")), Choice("non", say("scolaire.desk.no"))],
}


# --- what was answered ---------------------------------------------------------------------------


def read_answers(plan: SchoolPlan, kind: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """The edit as plain values.

    Raises:
        BadInput: `edit_answer` names the question.
    """
    tree: dict[str, Any] = {"kind": kind}
    for question in QUESTIONS[kind]:
        answer = typed.get(question.name, "").strip()
        if not answer:
            if not question.optional:
                raise _refused(kind, question.name)
            continue
        try:
            tree[question.fills] = _READ.get(question.ask, _as_typed)(plan, answer)
        except (ValueError, IndexError):
            raise _refused(kind, question.name) from None
    if kind == "add_stop":
        tree["stop_id"] = _free_stop_id(plan)
    return tree


def _refused(kind: str, name: str) -> BadInput:
    return BadInput("edit_answer", field=say(f"scolaire.desk.kind.{kind}.{name}"), name=name)


def _free_stop_id(plan: SchoolPlan) -> str:
    taken = {stop.stop_id for stop in plan.stops}
    return next(name for n in range(len(taken) + 1, 2 * len(taken) + 3) if (name := f"n{n}") not in taken)


def _whole(answer: str) -> int:
    if not (answer.isascii() and answer.isdigit() and len(answer) < 7):
        raise ValueError(answer)
    return int(answer)


def _pupil(plan: SchoolPlan, answer: str) -> str:
    number = _whole(answer)
    if number == 0:
        raise ValueError(answer)
    return plan.riders[number - 1].pupil_id


def _halt(_plan: SchoolPlan, answer: str) -> int:
    number = _whole(answer)
    if number == 0:
        raise ValueError(answer)
    return number - 1


def _order(_plan: SchoolPlan, answer: str) -> list[int]:
    return [_whole(one) - 1 for one in answer.replace(",", " ").split()][:500]


def _degrees(_plan: SchoolPlan, answer: str) -> float:
    found = float(answer.replace(",", "."))
    if not -90 <= found <= 90:
        raise ValueError(answer)
    return found


def _time(_plan: SchoolPlan, answer: str) -> int:
    hours, _, minutes = answer.partition(":")
    found = _whole(hours) * 3600 + _whole(minutes[:2]) * 60
    if found >= 86_400:
        raise ValueError(answer)
    return found


def _as_typed(_plan: SchoolPlan, answer: str) -> str:
    return answer[:200]


_READ: Mapping[str, Callable[[SchoolPlan, str], Any]] = {
    "pupil": _pupil,
    "halt": _halt,
    "order": _order,
    "degrees": _degrees,
    "time": _time,
    "yes": lambda _plan, answer: answer == "oui",
}
