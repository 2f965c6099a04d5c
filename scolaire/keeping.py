"""Keeping: the best plan so far handed on now and then while the search goes on, for whoever wants it on disk."""

from __future__ import annotations

from collections.abc import Callable

from fleet.search import Incumbent, Outcome


class Keeper:
    """Hands on the first plan at once and the best one every `every_s` seconds, unless it has not changed.

    A plan that is found too soon after the last one is handed on once it is time, also when nothing better comes.
    """

    def __init__(self, every_s: float, now: Callable[[], float], hand_on: Callable[[Outcome], None]) -> None:
        self._every_s, self._now, self._hand_on = every_s, now, hand_on
        self._kept_at: float | None = None
        self._waiting: Outcome | None = None

    def note(self, incumbent: Incumbent) -> None:
        """Hear of a better plan, while its search tells of it."""
        self._waiting = Outcome(incumbent.plan(), incumbent.cost, (), incumbent.n_steps, incumbent.seconds)
        self.look()

    def look(self) -> None:
        """Hand on what waits when it is time; to be asked again and again."""
        if self._waiting is None:
            return
        now = self._now()
        if self._kept_at is None or now - self._kept_at >= self._every_s:
            found, self._waiting, self._kept_at = self._waiting, None, now
            self._hand_on(found)
