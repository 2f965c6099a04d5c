"""Searching: the optimiser asked for a better plan of a study, in the background, and stopped when somebody says so.

It begins with the head as people have changed it, keeps locked circuits, and proposes: its best plan so far is a
version of its own, written every few seconds, so that a worker that is killed leaves the last one. Nobody drives it
until a person takes it up and publishes it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.looking import look
from mobigo.services.scolaire.planning import STRAIGHT, matrix_for
from mobigo.services.scolaire.progress import Progress
from mobigo.services.scolaire.ringing import BellWork
from mobigo.services.scolaire.studying import add_plan, get_plan
from mobigo.store.base import reading, transaction
from mobigo.store.jobs import Claim, Effects, enqueue
from mobigo.store.scolaire import searches as store
from mobigo.store.scolaire import studies
from mobigo.store.scolaire.searches import ENDED as ENDED
from mobigo.store.scolaire.searches import Bells as Bells
from mobigo.store.scolaire.searches import KeptTrial as KeptTrial
from mobigo.store.scolaire.searches import Search as Search
from mobigo.store.scolaire.searches import SearchState as SearchState
from mobigo.store.scolaire.sectors import get_sector, load_sector, year_ends_at
from scolaire.again import first_plan, improve, is_better
from scolaire.periods import Asked
from scolaire.planfiles import render_plan
from scolaire.plans import SchoolPlan
from scolaire.ways import places_of
from socle.errors import BadInput

SEARCH_JOB: Final = "scolaire.search"
BUDGETS_S: Final = (10, 60, 300)  # a worker does nothing else meanwhile
MOST_S: Final = tuple(60 * minutes for minutes in (5, 10, 15, 20, 30))  # by which bells may move


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


def ask(
    engine: Engine,
    study_id: str,
    turn: int,
    budget_s: int,
    seed: int,
    actor: str,
    now: datetime,
    bells: Bells | None = None,
) -> Search:
    """Have the optimiser look for a better plan than the head of a study; under other bells when these are given.

    Raises:
        NotFound: `unknown_study`.
        Conflict: `study_moved_on`, `search_under_way`.
        BadInput: `search_budget`, `bells_minutes`.
    """
    if budget_s not in BUDGETS_S:
        raise BadInput("search_budget")
    if bells is not None and bells.most_s not in MOST_S:
        raise BadInput("bells_minutes")
    with transaction(engine) as session:
        study = studies.take_turn(session, study_id, turn)
        ends_at = year_ends_at(get_sector(session, study.sector_id).school_year)
        search = store.add_search(session, study_id, study.head, budget_s, seed, actor, now, ends_at, bells)
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
        work = _Work if search.bells is None else BellWork
        state = work(engine, keys, data_dir, search, clock).run()
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
        self._progress = Progress(engine, search)
        self._version: int | None = None
        self._best: SchoolPlan | None = None

    def run(self) -> SearchState:
        """Look for a better plan until the time is over or somebody says stop."""
        search, progress = self._search, self._progress
        plan = self._best = get_plan(self._engine, self._keys, search.study_id, search.base)
        matrix, _named = matrix_for(places_of(plan), self._data_dir, streets=plan.making.ways != STRAIGHT)
        asked = Asked(search.seed, plan.making.mixed, seconds=float(search.budget_s), clock=progress.now)
        found = improve(plan, matrix, asked, on_better=progress.note, on_plan=self._keep)
        self._keep(found)
        progress.write(bound=found.making.bound)
        return progress.ended

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
