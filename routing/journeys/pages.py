"""Pages: a window that grows until enough journeys are found, and the cursors that walk on from it.

What is searched is an interval of departures `[start, end)` (with `arrive_by`, of arrivals
`(start, end]`). A search of an interval leaves out what is dominated by leaving at its end or
later, so intervals side by side give what one wide interval gives: pages neither lose nor
repeat a journey, whichever way they are walked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from routing.journeys.journey import Journey, Plan
from routing.journeys.query import JourneyQuery
from socle.errors import BadInput

MINUTE_S = 60
PAGE_S = 120 * MINUTE_S  # searched from a cursor
GROWS_TO_S = 86_400

_CURSOR = re.compile(r"(EARLIER|LATER)\|(\d{1,11})")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where another page begins: before the instant `at`, or from it on."""

    earlier: bool
    at: int

    def __str__(self) -> str:
        return f"{'EARLIER' if self.earlier else 'LATER'}|{self.at}"


def read_cursor(text: str) -> Cursor:
    """The cursor that an answer gave.

    Raises:
        BadInput: `bad_page_cursor`.
    """
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise BadInput("bad_page_cursor", value=text)
    return Cursor(match[1] == "EARLIER", int(match[2]))


@dataclass(frozen=True, slots=True)
class PageWish:
    """How much is wanted: at least `n` within a day's growth, at most `most`.

    A page never ends between departures of one minute, so it may hold fewer than `n` to stay
    within `most`, and more than `most` when more than that leave within its first minute.

    Without `timetable_view`, waiting counts from the time asked and there is no window.
    """

    n: int = 5
    most: int | None = None
    timetable_view: bool = True
    window_s: int = 900
    cursor: Cursor | None = None
    direct_counts: bool = False  # whether the way without a vehicle is one of the `most`

    def __post_init__(self) -> None:
        if self.most is not None and self.most < self.n:
            raise BadInput("fewer_at_most_than_at_least", at_least=self.n, at_most=self.most)


FIRST_PAGE = PageWish()


@dataclass(frozen=True, slots=True)
class Page:
    """Journeys by departure, arrival and changes, and where the neighbouring pages begin."""

    journeys: tuple[Journey, ...]
    direct: Journey | None
    earlier: Cursor
    later: Cursor
    n_searches: int


Search = Callable[[JourneyQuery], Plan]


def find_page(search: Search, query: JourneyQuery, wish: PageWish, valid: tuple[int, int]) -> Page:
    """The page that is wished; nothing is searched beyond the `valid` interval of the timetable."""
    if wish.cursor is None and not wish.timetable_view:
        return _on_trip(search, query, wish)
    earlier = wish.cursor.earlier if wish.cursor else query.arrive_by
    edge = wish.cursor.at if wish.cursor else query.at
    grows_s = max(MINUTE_S, PAGE_S if wish.cursor else wish.window_s)
    farthest = (
        max(valid[0], edge - max(GROWS_TO_S, grows_s)) if earlier else min(valid[1], edge + max(GROWS_TO_S, grows_s))
    )
    start = end = edge
    found: list[Journey] = []
    direct: Journey | None = None
    n_searches = 0
    while (n_searches == 0 or len(found) < wish.n) and (start > farthest if earlier else end < farthest):
        span = (max(farthest, start - grows_s), start) if earlier else (end, min(farthest, end + grows_s))
        plan = search(replace(query, at=span[1] if query.arrive_by else span[0], window_s=span[1] - span[0]))
        if n_searches == 0 and wish.cursor is None:
            direct = plan.direct
        found += plan.journeys
        start, end = min(start, span[0]), max(end, span[1])
        n_searches += 1
        grows_s *= 2
    most = wish.most if wish.most is None or direct is None or not wish.direct_counts else max(1, wish.most - 1)
    if most is not None and len(found) > most:
        found, start, end = _cut(found, most, start, end, earlier=earlier, arrive_by=query.arrive_by)
    return Page(_ordered(found), direct, Cursor(True, start), Cursor(False, end), n_searches)


def _on_trip(search: Search, query: JourneyQuery, wish: PageWish) -> Page:
    """The best journeys from (or until) the time asked; pages on both sides go by timetable."""
    plan = search(replace(query, window_s=0))
    journeys = list(plan.journeys)
    start, end = query.at, query.at
    if query.arrive_by:
        start = min([journey.arrival for journey in journeys], default=query.at) - 1
    else:
        end = max([journey.departure for journey in journeys], default=query.at) + 1
    if wish.most is not None and len(journeys) > wish.most:
        journeys, start, end = _cut(journeys, wish.most, start, end, earlier=query.arrive_by, arrive_by=query.arrive_by)
    return Page(_ordered(journeys), plan.direct, Cursor(True, start), Cursor(False, end), 1)


def _cut(
    journeys: list[Journey], most: int, start: int, end: int, *, earlier: bool, arrive_by: bool
) -> tuple[list[Journey], int, int]:
    """At most `most` journeys, nearest to where the search began; more only when they leave within one minute."""

    def told(journey: Journey) -> int:
        return journey.arrival if arrive_by else journey.departure

    nearest_first = sorted(journeys, key=told, reverse=earlier)

    def divides(n: int) -> bool:
        """Whether a page may end after the first `n`."""
        minutes = {journey.departure // MINUTE_S for journey in nearest_first[:n]}
        left = nearest_first[n:]
        return told(left[0]) != told(nearest_first[n - 1]) and minutes.isdisjoint(
            journey.departure // MINUTE_S for journey in left
        )

    fewer, more = range(most, 0, -1), range(most + 1, len(nearest_first))
    n_kept = next((n for n in (*fewer, *more) if divides(n)), len(nearest_first))
    kept, left = nearest_first[:n_kept], nearest_first[n_kept:]
    if left and earlier:
        # (start, end] leaves the arrival out, [start, end) takes the departure in.
        start = told(left[0]) if arrive_by else told(left[0]) + 1
    elif left:
        end = told(left[0]) - 1 if arrive_by else told(left[0])
    return kept, start, end


def _ordered(journeys: list[Journey]) -> tuple[Journey, ...]:
    return tuple(sorted(journeys, key=lambda journey: (journey.departure, journey.arrival, journey.n_changes)))
