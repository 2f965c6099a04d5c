"""Holds: the labels of carpools, which of them wait for people, and what was decided; carpools as the rules read them.

A carpool is held while one of its labels that stops it (`block`, `hold`) has no verdict, or a dispute
about it no answer, however long.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from sys import intern
from typing import Any

from sqlalchemy import ColumnElement, func, or_, tuple_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, SQLModel, col, select

from covoiturage.carpool import Carpool, Evidence, Kind, Ride, Side
from covoiturage.fraud.labels import Code, Label, Severity
from mobigo.store.base import change
from mobigo.store.bulk import words_in
from mobigo.store.covoiturage.disputes import is_disputed
from mobigo.store.covoiturage.rows import CarpoolRow, HoldRow, RideRow
from socle.errors import Fact
from socle.geo import LatLon

_PIECE = 500  # ids in one question
_CARPOOLS = 4_000  # whole ones held at a time
_KINDS, _SIDES = {str(one): one for one in Kind}, {str(one): one for one in Side}


class Verdict(StrEnum):
    """What people decided about a label."""

    RELEASED = "released"  # it may be decided and paid
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Hold:
    """One label as it is kept."""

    carpool_id: str
    ride_id: str
    code: Code
    severity: Severity
    facts: Mapping[str, Fact]
    found_at: datetime
    verdict: Verdict | None
    decided_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class HeldCarpool:
    """A carpool that waits: its labels are read apart."""

    carpool_id: str
    driver: str
    line_id: str | None
    end_at: datetime
    found_at: datetime  # the first of its labels


def is_held() -> ColumnElement[bool]:
    """Whether the carpool of the row at hand waits for people: for what a rule saw, or somebody disputes."""
    return or_(is_labelled(), is_disputed())


def is_labelled() -> ColumnElement[bool]:
    """Whether a label stops the carpool of the row at hand, and nobody has decided about it."""
    return (
        select(HoldRow.id)
        .where(col(HoldRow.carpool_id) == col(CarpoolRow.id), col(HoldRow.verdict).is_(None))
        .where(HoldRow.severity != Severity.NOTE)
        .exists()
    )


# --- what the rules read ---------------------------------------------------------------------


def list_unscreened(session: Session, until: datetime) -> tuple[frozenset[str], datetime | None]:
    """The carpools that ended by `until` and that no rule has looked at, and the first of their ends."""
    told = SQLModel.metadata.tables["carpool"].c
    wanted = (told.state == "closed", told.screened_at.is_(None), told.end_at <= until)
    connection = session.connection()
    first: datetime | None = connection.execute(select_columns(func.min(told.end_at)).where(*wanted)).scalar_one()
    return frozenset(connection.execute(select_columns(told.id).where(*wanted)).scalars()), first


def list_people_since(session: Session, since: datetime) -> set[str]:
    """Who drove or rode in the carpools that ended since and are not cancelled."""
    there = (col(CarpoolRow.end_at) >= since, col(CarpoolRow.state) != "cancelled")
    drivers = session.exec(select(CarpoolRow.driver).where(*there).distinct())
    riders = select(RideRow.passenger).join(CarpoolRow, col(CarpoolRow.id) == col(RideRow.carpool_id))
    return {*drivers, *session.exec(riders.where(*there).distinct())}


def each_whole(session: Session, since: datetime) -> Iterator[Sequence[tuple[Carpool, datetime]]]:
    """The carpools that ended since and are not cancelled with when each was declared, in the order of their ends.

    Some thousands are held at a time.
    """
    told = SQLModel.metadata.tables["carpool"].c
    place = tuple_(told.end_at, told.id)
    whole = (
        select_columns(told.end_at, told.id, told.driver, told.line_id, told.facts, told.declared_at)
        .where(told.end_at >= since, told.state != "cancelled")
        .order_by(told.end_at, told.id)
        .limit(_CARPOOLS)
    )
    rows = session.connection().execute(whole).all()
    while rows:
        cars = [(row, json.loads(row.facts)) for row in rows]
        evidence = _evidence_of(session, [ride["ride_id"] for _row, facts in cars for ride in facts["rides"]])
        yield [(_carpool(row, facts, evidence), row.declared_at) for row, facts in cars]
        rows = session.connection().execute(whole.where(place > (rows[-1].end_at, rows[-1].id))).all()


def _evidence_of(session: Session, ride_ids: Sequence[str]) -> Mapping[str, Sequence[Evidence]]:
    told = SQLModel.metadata.tables["evidence"].c
    connection = session.connection()
    rows = connection.execute(
        select_columns(told.ride_id, told.kind, told.side, told.given_by, told.at, told.device, told.lat, told.lon)
        .where(told.ride_id.in_(words_in(connection, ride_ids)))
        .order_by(told.id)
    )
    found: defaultdict[str, list[Evidence]] = defaultdict(list)
    for ride_id, kind, side, by, at, device, lat, lon in rows:
        place = None if lat is None or lon is None else LatLon(lat, lon)
        found[ride_id].append(Evidence(_KINDS[kind], _SIDES[side], by, at, device, place))
    return found


@lru_cache(maxsize=64)  # those who share a car share its instants: a month holds a third less of them
def _instant(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _carpool(row: Any, facts: Mapping[str, Any], evidence: Mapping[str, Sequence[Evidence]]) -> Carpool:
    instant = _instant
    rides = tuple(
        [
            Ride(
                ride["ride_id"],
                intern(ride["passenger"]),
                ride["seats"],
                instant(ride["board_at"]),
                instant(ride["alight_at"]),
                ride["distance_m"],
                evidence=tuple(evidence.get(ride["ride_id"], ())),
            )
            for ride in facts["rides"]
        ]
    )
    start, end = instant(facts["start_at"]), instant(facts["end_at"])
    measured_m, official_m = facts["measured_m"], facts["official_m"]
    return Carpool(row.id, intern(row.driver), start, end, rides, row.line_id, measured_m, official_m)


# --- labels ----------------------------------------------------------------------------------


def add_holds(session: Session, labels: Iterable[Label], now: datetime) -> int:
    """Keep those of these labels that are new and whose carpools nothing was decided about; how many."""
    wanted = {(label.carpool_id, str(label.code), label.ride_id or ""): label for label in labels}
    open_ids: set[str] = set()
    known: set[tuple[str, str, str]] = set()
    for ids in _pieces({key[0] for key in wanted}):
        rows = select(CarpoolRow.id).where(col(CarpoolRow.id).in_(ids), CarpoolRow.state == "closed")
        open_ids.update(session.exec(rows))
        holds = session.exec(
            select(HoldRow.carpool_id, HoldRow.code, HoldRow.ride_id).where(col(HoldRow.carpool_id).in_(ids))
        )
        known.update((carpool_id, code, ride_id) for carpool_id, code, ride_id in holds)
    new = [label for key, label in wanted.items() if key[0] in open_ids and key not in known]
    session.add_all(
        HoldRow(
            carpool_id=label.carpool_id,
            ride_id=label.ride_id or "",
            code=label.code,
            severity=label.severity,
            facts=dict(label.facts),
            found_at=now,
        )
        for label in new
    )
    return len(new)


def mark_screened(session: Session, carpool_ids: Collection[str], now: datetime) -> None:
    """Say that the rules have looked at these carpools."""
    looked_at = update(CarpoolRow).where(col(CarpoolRow.id).in_(words_in(session.connection(), carpool_ids)))
    change(session, looked_at.values(screened_at=now))


def list_released_couples(session: Session, codes: Collection[Code]) -> set[tuple[str, str, str]]:
    """Couples of whom people decided that one of these labels is in order: code, driver, passenger."""
    rows = session.exec(
        select(HoldRow.code, CarpoolRow.driver, RideRow.passenger)
        .join(CarpoolRow, col(CarpoolRow.id) == col(HoldRow.carpool_id))
        .join(RideRow, col(RideRow.id) == col(HoldRow.ride_id))
        .where(col(HoldRow.code).in_([str(code) for code in codes]), HoldRow.verdict == Verdict.RELEASED)
    )
    return {(code, driver, passenger) for code, driver, passenger in rows}


def list_couples(session: Session, ride_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Ride -> who drove and who rode in it."""
    couples = select(RideRow.id, CarpoolRow.driver, RideRow.passenger).join(
        CarpoolRow, col(CarpoolRow.id) == col(RideRow.carpool_id)
    )
    rows = session.exec(couples.where(col(RideRow.id).in_(words_in(session.connection(), ride_ids))))
    return {ride_id: (driver, passenger) for ride_id, driver, passenger in rows}


def list_held(session: Session, limit: int, skip: int = 0) -> tuple[int, Sequence[HeldCarpool]]:
    """How many carpools wait for people, and some of them, those that wait longest first."""
    open_holds = select(HoldRow.carpool_id, func.min(HoldRow.found_at).label("found_at")).where(
        col(HoldRow.verdict).is_(None), HoldRow.severity != Severity.NOTE
    )
    first = open_holds.group_by(HoldRow.carpool_id).subquery()
    waiting = (
        select(CarpoolRow, first.c.found_at)
        .join(first, first.c.carpool_id == col(CarpoolRow.id))
        .where(CarpoolRow.state == "closed")
    )
    n = session.exec(select(func.count()).select_from(waiting.subquery())).one()
    rows = session.exec(waiting.order_by(first.c.found_at, col(CarpoolRow.id)).limit(limit).offset(skip))
    return n, [HeldCarpool(row.id, row.driver, row.line_id, row.end_at, found_at) for row, found_at in rows]


def list_holds(session: Session, carpool_ids: Collection[str]) -> dict[str, list[Hold]]:
    """The labels of these carpools, the gravest first."""
    found: dict[str, list[Hold]] = {carpool_id: [] for carpool_id in carpool_ids}
    for ids in _pieces(carpool_ids):
        for row in session.exec(select(HoldRow).where(col(HoldRow.carpool_id).in_(ids)).order_by(col(HoldRow.id))):
            found[row.carpool_id].append(_told(row))
    order = list(Severity)
    for holds in found.values():
        holds.sort(key=lambda hold: order.index(hold.severity))
    return found


def list_held_of(session: Session, driver: str) -> Sequence[str]:
    """The carpools of a driver that wait for people."""
    return session.exec(
        select(CarpoolRow.id).where(CarpoolRow.driver == driver, CarpoolRow.state == "closed", is_labelled())
    ).all()


def people_of(session: Session, carpool_id: str) -> set[str]:
    """Who drove and who rode in a carpool."""
    driver = session.exec(select(CarpoolRow.driver).where(CarpoolRow.id == carpool_id))
    return {*driver, *session.exec(select(RideRow.passenger).where(RideRow.carpool_id == carpool_id))}


def decide_holds(session: Session, carpool_id: str, verdict: Verdict, by: str, why: str, now: datetime) -> int:
    """Decide every label of a carpool that waits; how many did."""
    waiting = update(HoldRow).where(col(HoldRow.carpool_id) == carpool_id, col(HoldRow.verdict).is_(None))
    return change(session, waiting.values(verdict=verdict, decided_at=now, decided_by=by, why=why))


def _told(row: HoldRow) -> Hold:
    return Hold(
        row.carpool_id,
        row.ride_id,
        Code(row.code),
        Severity(row.severity),
        row.facts,
        row.found_at,
        Verdict(row.verdict) if row.verdict else None,
        row.decided_at,
        row.why or "",
    )


def _pieces(ids: Collection[str]) -> Iterable[list[str]]:
    listed = sorted(ids)
    return (listed[begin : begin + _PIECE] for begin in range(0, len(listed), _PIECE))
