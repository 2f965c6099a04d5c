"""Boarded: what boardings say of the plan that holds, as things to do in a study; no child is named.

A circuit is a word of one study, so what was seen of it is told where it is the same coach still; a stop is the
sector's, and what was seen of it is told in every study in which somebody waits there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mobigo.services.scolaire.filling import Proposed
from mobigo.texts import finding_sentence
from mobigo.web import door
from mobigo.web.people.forms import Link
from mobigo.web.scolaire.desk.editing import edit_href
from mobigo.web.scolaire.desk.telling import Todo
from mobigo.web.scolaire.places import FILL
from mobigo.web.wording import long_day, say, say_count
from scolaire.plans import SchoolPlan
from socle.findings import Finding

_MOST: Final = 40  # told one by one; the rest is counted
_OF_A_COACH: Final = frozenset({"coach_too_large", "coach_overfull"})


@dataclass(frozen=True, slots=True)
class Boarded:
    """What boardings ask for, and where they are looked at in full."""

    lead: str
    todo: Sequence[Todo]
    all: Link


def boarded(study_id: str, sector_id: str, plan: SchoolPlan, found: Proposed | None) -> Boarded | None:
    """What was found of boardings, as far as it is about this plan; None where nobody validated anything."""
    if found is None:
        return None
    fill = door.with_query(FILL, secteur=sector_id, du=found.first.isoformat(), au=found.last.isoformat())
    is_ours = found.study_id == study_id
    stops = {plan.stops[halt.stop].stop_id for run in plan.runs for halt in run.halts if halt.stop is not None}
    seats = {name: plan.vehicle_types[runs[0].vehicle_type].seats for name, runs in plan.circuits.items()}
    by_code: dict[str, list[Link]] = {}
    for one in found.findings:
        if not _is_about(one, stops, seats, is_ours=is_ours):
            continue
        by_code.setdefault(one.code, []).append(Link(_href(study_id, one, fill), finding_sentence(one)))
    todo = [
        Todo(
            say(f"scolaire.desk.boarded.{code}"),
            say_count("scolaire.desk.times", len(links)),
            links[:_MOST],
            say_count("scolaire.desk.more", len(links) - _MOST) if len(links) > _MOST else "",
        )
        for code, links in by_code.items()
    ]
    lead = say("scolaire.desk.boarded.lead", first=long_day(found.first), last=long_day(found.last))
    return Boarded(lead, todo, Link(fill, say("scolaire.fill.title")))


def _is_about(one: Finding, stops: set[str], seats: Mapping[str, int], *, is_ours: bool) -> bool:
    if one.code == "stop_never_used":
        return one.facts["stop_id"] in stops
    if one.code in _OF_A_COACH:
        return is_ours and seats.get(str(one.facts["circuit_id"])) == one.facts["seats"]
    return is_ours


def _href(study_id: str, one: Finding, fill: str) -> str:
    """The form of the change that would answer it, else the page that has the figures."""
    if one.code == "stop_never_used":
        return edit_href(study_id, "close_stop", arret=str(one.facts["stop_id"]))
    if one.code in _OF_A_COACH:
        return edit_href(study_id, "change_vehicle", circuit=str(one.facts["circuit_id"]))
    return fill
