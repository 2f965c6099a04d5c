"""Answering: what partner operators are told when they search here: our own people's offers beside handed-over ones."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from heapq import merge

from sqlalchemy import Engine

from covoiturage import announcing
from covoiturage.announcing import Teller
from covoiturage.drives import Ways, drive, straight_ways
from covoiturage.fields import Document, render_json
from covoiturage.lines import Line, shipped_lines
from covoiturage.matching import OfferIndex
from covoiturage.offers import Wish
from covoiturage.standard.boards import JourneyBoard, Rank
from covoiturage.standard.imports import OfferKind
from covoiturage.standard.questions import JourneyQuestion, TripQuestion
from mobigo.services.covoiturage.finding import OfferSearch
from mobigo.services.covoiturage.standard import OfferBoards
from mobigo.store.base import reading
from mobigo.store.covoiturage import own_offers
from mobigo.store.covoiturage.lines import count_line_versions, list_line_versions
from mobigo.store.covoiturage.own_offers import KeptRequest, Version
from mobigo.store.recall import recall
from mobigo.texts import text
from socle.times import local_day

_AHEAD = timedelta(days=400)  # nobody looks for a ride later than that

Ranked = Sequence[tuple[Rank, bytes]]


def make_teller(operator: str, site: str) -> Teller:
    """In whose name is told."""
    return Teller(operator, site, text("covoiturage.driver_alias"), text("covoiturage.passenger_alias"))


class RequestBoard:
    """The rides that passengers of ours look for, in memory, read again when something has changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._kept: tuple[Version, Teller, JourneyBoard, list[tuple[KeptRequest, Document]]] | None = None

    def find(self, question: JourneyQuestion, teller: Teller, now: datetime) -> list[tuple[Rank, bytes]]:
        """The open requests that answer."""
        board, told = self._read(teller, now)
        found = ((rank, *told[position]) for rank, position in board.find(question))
        return [(rank, render_json(document)) for rank, kept, document in found if kept.ends_at >= now]

    def _read(self, teller: Teller, now: datetime) -> tuple[JourneyBoard, list[tuple[KeptRequest, Document]]]:
        with self._lock:
            if self._kept is None or self._kept[:2] != (recall(self._engine, own_offers.get_version), teller):
                with reading(self._engine) as session:
                    version = own_offers.get_version(session)
                    requests = own_offers.list_open_requests(session, now, now + _AHEAD)
                told = [(kept, _tell(kept, teller)) for kept in requests]
                self._kept = version, teller, JourneyBoard([document for _, document in told]), told
            return self._kept[2], self._kept[3]


def _tell(kept: KeptRequest, teller: Teller) -> Document:
    ((way,),) = drive(straight_ways, [kept.wish.origin], [kept.wish.destination])
    return announcing.tell_request(kept.request_id, kept.wish, way, kept.line_id, teller)


class LineBoard:
    """The carpool lines in memory, read again when one was added; no version of a line is ever changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: tuple[int, tuple[Line, ...]] = 0, shipped_lines()

    def read(self) -> tuple[Line, ...]:
        """Every version of every line."""
        if recall(self._engine, count_line_versions) == self._kept[0]:
            return self._kept[1]
        with reading(self._engine) as session:
            self._kept = count_line_versions(session), list_line_versions(session) or shipped_lines()
        return self._kept[1]


class Answers:
    """All that is answered to partners' searches."""

    def __init__(self, engine: Engine, boards: OfferBoards, search: OfferSearch) -> None:
        self._boards = boards
        self._search = search
        self._requests = RequestBoard(engine)
        self._lines = LineBoard(engine)

    def get_ready(self, ways: Ways, now: datetime) -> None:
        """Read what is offered, so that nobody who searches waits for it, and load what is compiled."""
        self._boards.read_all()
        self._lines.read()
        self._search.ask(ways, now, lambda index: _try_out(index, local_day(int(now.timestamp()))))

    def find_journeys(
        self, kind: OfferKind, question: JourneyQuestion, ways: Ways, teller: Teller, now: datetime
    ) -> bytes:
        """The journeys that answer, as a JSON array."""
        if kind is OfferKind.DRIVER_JOURNEY:
            ours = _rendered(self._search.ask(ways, now, lambda i: announcing.list_journeys(i, question, teller, now)))
            lines = _rendered(announcing.list_line_journeys(self._lines.read(), question, teller, now))
        else:
            ours, lines = self._requests.find(question, teller, now), []
        return _joined(question.count, self._boards.find_journeys(kind, question), ours, lines)

    def find_trips(self, kind: OfferKind, question: TripQuestion, ways: Ways, teller: Teller, now: datetime) -> bytes:
        """The regular trips that answer, as a JSON array; passengers of ours look for single rides only."""
        ours: Ranked = ()
        if kind is OfferKind.DRIVER_REGULAR_TRIP:
            ours = _rendered(self._search.ask(ways, now, lambda i: announcing.list_trips(i, question, teller, now)))
        return _joined(question.count, self._boards.find_trips(kind, question), ours)


def _try_out(index: OfferIndex, today: date) -> None:
    """Search along one of the offers of this week."""
    for offer in index:
        for day in offer.list_days(today, today + timedelta(days=7)):
            leave_at = offer.find_leaving(day)
            if leave_at is not None:
                index.search(Wish(offer.halts[0].at, offer.halts[-1].at, leave_at))
                return


def _rendered(told: Sequence[tuple[Rank, Document]]) -> Ranked:
    return [(rank, render_json(document)) for rank, document in told]


def _joined(count: int | None, *ranked: Ranked) -> bytes:
    """The best of what is in order each, as an array."""
    best = list(merge(*ranked, key=lambda one: one[0]))[:count]
    return b"[" + b",".join(body for _, body in best) + b"]"
