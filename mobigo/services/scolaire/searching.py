"""Searching: the optimiser asked for a better plan of a study, in the background, and stopped when somebody says so.

It begins with the head as people have changed it, keeps locked circuits, and proposes: its best plan so far is a
version of its own, written every few seconds, so that a worker that is killed leaves the last one. Nobody drives it
until a person takes it up and publishes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.looking import look
from mobigo.services.scolaire.planning import STRAIGHT, matrix_for
from mobigo.services.scolaire.studying import add_plan, get_plan
from mobigo.store.base import reading, transaction
from mobigo.store.jobs import Claim, Effects, enqueue
from mobigo.store.scolaire import searches as store
from mobigo.store.scolaire import studies
from mobigo.store.scolaire.searches import ENDED as ENDED
from mobigo.store.scolaire.searches import Search as Search
from mobigo.store.scolaire.searches import SearchState as SearchState
from mobigo.store.scolaire.sectors import get_sector, load_sector, year_ends_at
from scolaire.again import Sight, first_plan, improve, is_better
from scolaire.periods import Asked
from scolaire.planfiles import render_plan
from scolaire.plans import SchoolPlan
from scolaire.ways import places_of
from socle.errors import BadInput

SEARCH_JOB: Final = "scolaire.search"
BUDGETS_S: Final = (10, 60, 300)  # a worker does nothing else meanwhile
_LOOK_EVERY_S: Final = 1.0
_SOONER: Final = 1e18  # what the clock says when the search is to stop


def begin(
    engine: Engine, keys: Keys, sector_id: str, title: str, actor: str, why: str, now: datetime, data_dir: Path
) -> studies.Study:
    """Begin a study without a plan file: everybody waits where the files say, and nobody is carried yet.

    Raises:
        NotFound: `unknown_sector`.
        BadInput: `study_title`.
    """
    with reading(engine) as session:
        sector = load_sector(session, keys, sector_id)
    _matrix, named = matrix_for(places_of(sector), data_dir, streets=None)
    plan = first_plan(sector, title.strip(), ways=named)
    return add_plan(engine, keys, sector_id, title, plan, actor, why, now, data_dir)


def ask(engine: Engine, study_id: str, turn: int, budget_s: int, seed: int, actor: str, now: datetime) -> Search:
    """Have the optimiser look for a better plan than the head of a study.

    Raises:
        NotFound: `unknown_study`.
        Conflict: `study_moved_on`, `search_under_way`.
        BadInput: `search_budget`.
    """
    if budget_s not in BUDGETS_S:
        raise BadInput("search_budget")
    with transaction(engine) as session:
        study = studies.take_turn(session, study_id, turn)
        ends_at = year_ends_at(get_sector(session, study.sector_id).school_year)
        search = store.add_search(session, study_id, study.head, budget_s, seed, actor, now, ends_at)
        payload = {"study_id": study_id, "number": search.number}
        enqueue(session, SEARCH_JOB, payload, now, f"{SEARCH_JOB}:{study_id}:{search.number}")
    return search


def get_search(engine: Engine, study_id: str, number: int) -> Search:
    """A search.

    Raises:
        NotFound: `unknown_search`.
    """
    with reading(engine) as session:
        return store.get_search(session, study_id, number)


def list_searches(engine: Engine, study_id: str) -> list[Search]:
    """The last searches of a study, the newest first."""
    with reading(engine) as session:
        return store.list_searches(session, study_id)


def stop(engine: Engine, study_id: str, number: int, now: datetime) -> None:
    """Have a search stop with what it has.

    Raises:
        NotFound: `unknown_search`.
        Conflict: `search_over`.
    """
    with transaction(engine) as session:
        store.ask_to_stop(session, study_id, number, now)


# --- the work ------------------------------------------------------------------------------------


def run(engine: Engine, keys: Keys, data_dir: Path, claim: Claim, clock: Callable[[], datetime]) -> Effects:
    """Do a search; one whose worker died before is over, and left what it had found."""
    study_id, number = str(claim.payload["study_id"]), int(str(claim.payload["number"]))
    with transaction(engine) as session:
        is_begun = store.begin_search(session, study_id, number)
        search = store.get_search(session, study_id, number)
    if is_begun:
        work = _Work(engine, keys, data_dir, search, clock)
        state = work.run()
    else:
        state = search.state if search.state in ENDED else SearchState.STOPPED
    return lambda session: store.end_search(session, study_id, number, state, clock())


class _Work:
    """One search: what it found so far, and how it tells of itself."""

    def __init__(
        self, engine: Engine, keys: Keys, data_dir: Path, search: Search, clock: Callable[[], datetime]
    ) -> None:
        self._engine, self._keys, self._data_dir, self._clock = engine, keys, data_dir, clock
        self._search = search
        self._begun = time.monotonic()
        self._looked = self._begun
        self._is_to_stop = False
        self._version: int | None = None
        self._best: SchoolPlan | None = None
        self._told: dict[str, int | str | None] = {}

    def run(self) -> SearchState:
        """Look for a better plan until the time is over or somebody says stop."""
        search = self._search
        plan = self._best = get_plan(self._engine, self._keys, search.study_id, search.base)
        matrix, _named = matrix_for(places_of(plan), self._data_dir, streets=plan.making.ways != STRAIGHT)
        asked = Asked(search.seed, plan.making.mixed, seconds=float(search.budget_s), clock=self._now)
        found = improve(plan, matrix, asked, on_better=self._note, on_plan=self._keep)
        self._keep(found)
        self._write(bound=found.making.bound)
        return SearchState.STOPPED if self._is_to_stop else SearchState.DONE

    def _now(self) -> float:
        """The search's clock: long past its budget as soon as somebody says stop."""
        now = time.monotonic()
        if not self._is_to_stop and now - self._looked >= _LOOK_EVERY_S:
            self._looked = now
            self._write()
        return _SOONER if self._is_to_stop else now

    def _note(self, sight: Sight) -> bool:
        self._told = {
            "period": sight.period.period_id,
            "n_vehicles": sight.n_vehicles,
            "n_unserved": sight.n_unserved,
        }
        return self._is_to_stop

    def _write(self, **more: int | None) -> None:
        spent = min(self._search.budget_s, round(time.monotonic() - self._begun))
        told = {**self._told, "spent_s": spent, **more}
        with transaction(self._engine) as session:
            self._is_to_stop |= store.note_search(session, self._search.study_id, self._search.number, **told)

    def _keep(self, plan: SchoolPlan) -> None:
        """Write a plan that is better than every one before as the version of this search."""
        if self._best is not None and not is_better(plan, self._best):
            return
        self._best = plan
        study_id, content, figures = self._search.study_id, render_plan(plan), look(plan, self._data_dir).figures
        with transaction(self._engine) as session:
            now = self._clock()
            if self._version is None:
                base = self._search.base
                self._version = studies.add_version(session, self._keys, study_id, base, content, now, figures).number
            else:
                studies.put_version(session, self._keys, study_id, self._version, content, now, figures)
            told = {"version": self._version, "bound": plan.making.bound}
            store.note_search(session, study_id, self._search.number, **told)
