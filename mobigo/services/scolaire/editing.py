"""Editing: one change of a plan by hand, tried out and then kept.

Trying out costs the runs that change and no more: the plan of the head, its ways and the figures of its runs are
kept in the process. What is kept goes through `studying.change`, so that of two planners the second is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.looking import context_of
from mobigo.services.scolaire.studying import Study, change, get_head
from mobigo.store.base import reading
from mobigo.store.scolaire.sectors import find_pseudonyms, load_sector
from scolaire.edits.applying import Edited, apply
from scolaire.edits.journal import read_edit, render_edit
from scolaire.edits.kinds import AddPupil, Edit
from scolaire.plans import SchoolPlan
from scolaire.pupils import FULL_DAYS
from socle.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Tried:
    """An edit of the head of a study, not kept."""

    study: Study
    plan: SchoolPlan  # before
    edit: Edit
    edited: Edited


def try_out(
    engine: Engine, keys: Keys, study_id: str, turn: int, tree: Mapping[str, Any], data_dir: Path | None = None
) -> Tried:
    """What an edit, given as plain values, does to the head of a study; nothing is kept.

    Raises:
        NotFound: `unknown_study`; what the edit names is not in the plan.
        Conflict: `study_moved_on`; a circuit is locked, a stop not validated.
        BadInput: `edit_unreadable`; it cannot be done.
    """
    edit = read_edit(tree)
    study, plan = get_head(engine, keys, study_id)
    if study.turn != turn:
        raise Conflict("study_moved_on", study=study_id, since=turn, turn=study.turn)
    return Tried(study, plan, edit, apply(plan, edit, context_of(plan, data_dir)))


def keep(
    engine: Engine,
    keys: Keys,
    study_id: str,
    turn: int,
    tree: Mapping[str, Any],
    actor: str,
    why: str,
    now: datetime,
    data_dir: Path | None = None,
) -> Study:
    """Do an edit and keep what comes of it as the head of the study.

    Raises:
        As `try_out` and `studying.change`.
    """
    tried = try_out(engine, keys, study_id, turn, tree, data_dir)
    told = render_edit(tried.edit)
    return change(engine, keys, study_id, turn, tried.edited.plan, told, actor, why, now, data_dir)


def new_pupil(engine: Engine, keys: Keys, sector_id: str, given: str, stop_id: str) -> AddPupil:
    """The edit that has a child of the sector wait at a stop, named by the office's id or by pseudonym.

    Raises:
        NotFound: `no_school_pupil`.
    """
    with reading(engine) as session:
        name = find_pseudonyms(session, keys, sector_id, [given]).get(given)
        pupil = None
        if name is not None:
            sector = load_sector(session, keys, sector_id)
            pupil = next((one for one in sector.pupils if one.pupil_id == name), None)
    if pupil is None:
        raise NotFound("no_school_pupil", id=given)
    days = 0
    for home in pupil.homes:
        days |= home.days
    days &= FULL_DAYS
    return AddPupil(pupil.pupil_id, pupil.school_id, stop_id, pupil.level, pupil.wheelchair, days or FULL_DAYS)
