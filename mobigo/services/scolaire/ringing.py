"""Ringing: what a study would save if lessons began a little earlier or later, worked out in the background.

Every plan on the front of coaches against minutes and schools moved is a version of the study, a proposal like those
of the optimiser: nobody drives it until a person takes it up and publishes it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.looking import look
from mobigo.services.scolaire.planning import STRAIGHT, matrix_for
from mobigo.services.scolaire.progress import Progress
from mobigo.services.scolaire.studying import get_plan
from mobigo.store.base import Session, transaction
from mobigo.store.scolaire import searches as store
from mobigo.store.scolaire import studies
from mobigo.store.scolaire.searches import KeptTrial, Search, SearchState
from scolaire.again import is_better
from scolaire.belltrials import Bound, Trial, front_of, try_bells
from scolaire.periods import Asked
from scolaire.planfiles import render_plan
from scolaire.plans import SchoolPlan, measure
from scolaire.ways import places_of


class BellWork:
    """One search that moves bells."""

    def __init__(
        self, engine: Engine, keys: Keys, data_dir: Path, search: Search, clock: Callable[[], datetime]
    ) -> None:
        self._engine, self._keys, self._data_dir, self._clock = engine, keys, data_dir, clock
        self._search = search
        self._progress = Progress(engine, search)
        self._trials: list[Trial] = []
        self._versions: dict[int, int] = {}  # place of a trial -> the version that holds it
        self._n_tried = 0

    def run(self) -> SearchState:
        """Try bells until all were, the time is over or somebody says stop."""
        search, progress, bells = self._search, self._progress, self._search.bells
        if bells is None:
            raise ValueError("this search keeps bells as they are")
        base = get_plan(self._engine, self._keys, search.study_id, search.base)
        matrix, _named = matrix_for(places_of(base), self._data_dir, streets=base.making.ways != STRAIGHT)
        asked = Asked(search.seed, base.making.mixed, seconds=float(search.budget_s), clock=progress.now)
        fixed = {at for at, school in enumerate(base.schools) if school.school_id in bells.fixed}
        self._trials, self._versions = [Trial(base, measure(base), {})], {0: search.base}
        for one in try_bells(base, matrix, asked, bells.most_s, fixed=fixed, on_better=progress.note):
            if isinstance(one, Bound):
                progress.write(bound=one.least, fewest=one.fewest, is_proved=one.is_proved, n_trials=one.n_trials)
            elif one.moved_s or is_better(one.plan, base):
                self._keep(one)
            if progress.is_to_stop:
                break
        progress.write()
        return progress.ended

    def _keep(self, trial: Trial) -> None:
        """Write down the front with a trial, and its plan when it is on it."""
        self._trials.append(trial)
        self._n_tried += bool(trial.moved_s)
        front = front_of(self._trials, self._trials[0].measures.n_not_served)
        places = [next(at for at, one in enumerate(self._trials) if one is each) for each in front]
        study_id = self._search.study_id
        with transaction(self._engine) as session:
            for at in places:
                if at not in self._versions:
                    self._versions[at] = self._write(session, self._trials[at].plan)
            kept = [KeptTrial(self._versions[at], _by_id(self._trials[at])) for at in places]
            store.note_trials(session, study_id, self._search.number, kept, self._n_tried)

    def _write(self, session: Session, plan: SchoolPlan) -> int:
        figures, base = look(plan, self._data_dir).figures, self._search.base
        told = (self._search.study_id, base, render_plan(plan), self._clock(), figures)
        return studies.add_version(session, self._keys, *told).number


def _by_id(trial: Trial) -> dict[str, int]:
    return {trial.plan.schools[school].school_id: moved for school, moved in sorted(trial.moved_s.items())}
