"""Progress: how a search of the optimiser tells of itself while it works, and hears that it is to stop."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import Engine

from mobigo.store.base import transaction
from mobigo.store.scolaire import searches as store
from mobigo.store.scolaire.searches import Search, SearchState
from scolaire.again import Sight

_LOOK_EVERY_S: Final = 1.0
_SOONER: Final = 1e18  # what the clock says when the search is to stop


class Progress:
    """How far one search is, written down every second."""

    def __init__(self, engine: Engine, search: Search) -> None:
        self._engine, self._search = engine, search
        self._begun = self._looked = time.monotonic()
        self._told: dict[str, int | str | None] = {}
        self.is_to_stop = False

    @property
    def ended(self) -> SearchState:
        """How the search ended, as it now does."""
        return SearchState.STOPPED if self.is_to_stop else SearchState.DONE

    def now(self) -> float:
        """The search's clock: long past its budget as soon as somebody says stop."""
        now = time.monotonic()
        if not self.is_to_stop and now - self._looked >= _LOOK_EVERY_S:
            self._looked = now
            self.write()
        return _SOONER if self.is_to_stop else now

    def note(self, sight: Sight) -> bool:
        """The best so far of a period, written down at the next look; whether to stop."""
        self._told = {
            "period": sight.period.period_id,
            "n_vehicles": sight.n_vehicles,
            "n_unserved": sight.n_unserved,
        }
        return self.is_to_stop

    def write(self, **more: int | None) -> None:
        """Write down how far it is."""
        spent = min(self._search.budget_s, round(time.monotonic() - self._begun))
        told = {**self._told, "spent_s": spent, **more}
        with transaction(self._engine) as session:
            self.is_to_stop |= store.note_search(session, self._search.study_id, self._search.number, **told)
