"""Own offers: what drivers of ours offer and passengers of ours look for, and the count of what changed.

Whoever changes offers or bookings takes the one row of `carpool_change` first. So the numbers of changes
are in the order of the commits, a process that reads on from the last number it knows misses nothing, and
of two who book the last seat one comes second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Row, Text, UniqueConstraint, func, or_, update
from sqlalchemy import select as select_columns
from sqlmodel import Field, Session, SQLModel, col, select

from covoiturage.offers import Halt, Offer, Weekly, Wish
from mobigo.store.base import UtcDateTime, change
from socle.errors import NotFound
from socle.geo import LatLon


class OfferState(StrEnum):
    """Whether an offer can be found."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"


class RequestState(StrEnum):
    """Whether somebody still looks for a seat."""

    OPEN = "open"
    MET = "met"
    WITHDRAWN = "withdrawn"


class OwnOfferRow(SQLModel, table=True):
    """An offer of a driver of ours; `document` holds its places, hours and terms."""

    __tablename__ = "carpool_offer"
    __table_args__ = (UniqueConstraint("driver", "key"),)

    id: str = Field(primary_key=True)
    key: str
    body_sha256: str
    driver: str = Field(index=True)
    line_id: str
    state: str
    document: str = Field(sa_column=Column(Text, nullable=False))
    ends_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    change: int = Field(index=True)


class RequestRow(SQLModel, table=True):
    """What a passenger of ours looks for, until `ends_at`; `line_id`: they wait at a stop of that line."""

    __tablename__ = "carpool_request"
    __table_args__ = (UniqueConstraint("passenger", "key"),)

    id: str = Field(primary_key=True)
    key: str
    body_sha256: str
    passenger: str = Field(index=True)
    line_id: str
    state: str
    document: str = Field(sa_column=Column(Text, nullable=False))
    ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    made_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ChangeRow(SQLModel, table=True):
    """One row: how often offers and bookings were changed, and how often rows of them went for good."""

    __tablename__ = "carpool_change"

    id: int = Field(default=1, primary_key=True)
    epoch: int = 0
    n_changes: int = 0


@dataclass(frozen=True, slots=True)
class KeptOffer:
    """An offer as it is kept."""

    offer: Offer
    state: OfferState
    key: str
    body_sha256: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request as it is kept: the wish, what its ends are called, the stops where one waits."""

    request_id: str
    wish: Wish
    origin_name: str
    destination_name: str
    line_id: str
    state: RequestState
    key: str
    body_sha256: str
    ends_at: datetime
    made_at: datetime


# --- the count --------------------------------------------------------------------------------

Version = tuple[int, int]


def take_turn(session: Session) -> int:
    """Be alone in changing offers and bookings until the transaction ends; the number of the change."""
    more = update(ChangeRow).values(n_changes=col(ChangeRow.n_changes) + 1)
    change(session, more)
    return session.exec(select(ChangeRow.n_changes)).one()


def note_gone(session: Session) -> None:
    """Have everybody read everything again: rows are gone for good."""
    change(session, update(ChangeRow).values(epoch=col(ChangeRow.epoch) + 1))


def get_version(session: Session) -> Version:
    """How often rows went for good, and how often they were changed."""
    found = session.connection().execute(select_columns(col(ChangeRow.epoch), col(ChangeRow.n_changes))).first()
    return (0, 0) if found is None else (found[0], found[1])


# --- offers -----------------------------------------------------------------------------------


def put_offer(session: Session, kept: KeptOffer, number: int) -> None:
    """Keep an offer, new or changed."""
    offer = kept.offer
    ends_at = None if offer.ends_at is None else datetime.fromtimestamp(offer.ends_at, UTC)
    session.merge(
        OwnOfferRow(
            id=offer.offer_id,
            key=kept.key,
            body_sha256=kept.body_sha256,
            driver=offer.driver,
            line_id=offer.line_id,
            state=kept.state,
            document=_render_offer(offer),
            ends_at=ends_at,
            made_at=kept.made_at,
            change=number,
        )
    )
    session.flush()


def find_offer_by_key(session: Session, driver: str, key: str) -> KeptOffer | None:
    """The offer that a driver published under a key."""
    row = session.exec(select(OwnOfferRow).where(OwnOfferRow.driver == driver, OwnOfferRow.key == key)).one_or_none()
    return None if row is None else _kept_offer(row)


def get_offer(session: Session, offer_id: str) -> KeptOffer:
    """The offer of that id.

    Raises:
        NotFound: `unknown_offer`.
    """
    row = session.get(OwnOfferRow, offer_id)
    if row is None:
        raise NotFound("unknown_offer", offer=offer_id)
    return _kept_offer(row)


def is_offer(session: Session, offer_id: str) -> bool:
    """Whether somebody of ours makes or made an offer of that id, which may be any text."""
    return offer_id.isascii() and offer_id.isalnum() and session.get(OwnOfferRow, offer_id) is not None


def list_offers_of(session: Session, driver: str, now: datetime) -> Sequence[KeptOffer]:
    """The open offers of a driver of which something is left, the first published first."""
    rows = session.exec(
        select(OwnOfferRow)
        .where(OwnOfferRow.driver == driver, OwnOfferRow.state == OfferState.OPEN)
        .where(or_(col(OwnOfferRow.ends_at).is_(None), col(OwnOfferRow.ends_at) >= now))
        .order_by(col(OwnOfferRow.made_at), col(OwnOfferRow.id))
    )
    return [_kept_offer(row) for row in rows]


def count_offers_of(session: Session, driver: str, now: datetime) -> int:
    """How many offers a driver has open."""
    open_ones = select(func.count()).select_from(OwnOfferRow)
    return session.exec(
        open_ones.where(OwnOfferRow.driver == driver, OwnOfferRow.state == OfferState.OPEN).where(
            or_(col(OwnOfferRow.ends_at).is_(None), col(OwnOfferRow.ends_at) >= now)
        )
    ).one()


def list_changed_offers(session: Session, after: int, now: datetime) -> Sequence[KeptOffer]:
    """The offers changed since a number, whatever their state; since 0 those open of which something is left."""
    columns = OwnOfferRow.metadata.tables[OwnOfferRow.__tablename__].columns
    plain = select_columns(*columns)  # as objects of the session they take half as long again
    wanted = plain.where(col(OwnOfferRow.change) > after).order_by(col(OwnOfferRow.id))
    if after == 0:
        left = or_(col(OwnOfferRow.ends_at).is_(None), col(OwnOfferRow.ends_at) >= now)
        wanted = wanted.where(col(OwnOfferRow.state) == OfferState.OPEN).where(left)
    return [_kept_offer(row) for row in session.connection().execute(wanted)]


def _kept_offer(row: OwnOfferRow | Row[Any]) -> KeptOffer:
    offer = _read_offer(row.id, row.driver, row.line_id, json.loads(row.document))
    return KeptOffer(offer, OfferState(row.state), row.key, row.body_sha256, row.made_at)


def _render_offer(offer: Offer) -> str:
    leaves: Any = offer.leaves
    if isinstance(offer.leaves, Weekly):
        weekly = offer.leaves
        leaves = {
            "weekdays": sorted(weekly.weekdays),
            "clock": weekly.clock.isoformat(),
            "first": weekly.first.isoformat(),
            "last": None if weekly.last is None else weekly.last.isoformat(),
            "but_not": sorted(day.isoformat() for day in weekly.but_not),
        }
    told = {
        "halts": [[one.name, *one.at, one.after_s, one.along_m, one.stop_id] for one in offer.halts],
        "leaves": leaves,
        "seats": offer.seats,
        "detour": [offer.detour_s, offer.detour_m],
        "price_cents": offer.price_cents,
        "at_once": offer.at_once,
    }
    return json.dumps(told, ensure_ascii=False)


def _read_offer(offer_id: str, driver: str, line_id: str, told: dict[str, Any]) -> Offer:
    leaves = told["leaves"]
    if isinstance(leaves, dict):
        last = leaves["last"]
        leaves = Weekly(
            frozenset(leaves["weekdays"]),
            time.fromisoformat(leaves["clock"]),
            date.fromisoformat(leaves["first"]),
            None if last is None else date.fromisoformat(last),
            frozenset(map(date.fromisoformat, leaves["but_not"])),
        )
    halts = tuple(
        Halt(name, LatLon(lat, lon), after_s, along_m, stop_id)
        for name, lat, lon, after_s, along_m, stop_id in told["halts"]
    )
    detour_s, detour_m = told["detour"]
    return Offer(
        offer_id,
        driver,
        halts,
        leaves,
        told["seats"],
        detour_s,
        detour_m,
        told["price_cents"],
        line_id,
        told["at_once"],
    )


# --- requests ---------------------------------------------------------------------------------


def put_request(session: Session, kept: KeptRequest) -> None:
    """Keep a request, new or changed."""
    wish = kept.wish
    told = {
        "origin": [kept.origin_name, *wish.origin],
        "destination": [kept.destination_name, *wish.destination],
        "at": wish.at,
        "arrive_by": wish.arrive_by,
        "tolerance_s": wish.tolerance_s,
        "seats": wish.seats,
        "walk_m": wish.walk_m,
    }
    session.merge(
        RequestRow(
            id=kept.request_id,
            key=kept.key,
            body_sha256=kept.body_sha256,
            passenger=wish.passenger,
            line_id=kept.line_id,
            state=kept.state,
            document=json.dumps(told, ensure_ascii=False),
            ends_at=kept.ends_at,
            made_at=kept.made_at,
        )
    )
    session.flush()


def find_request_by_key(session: Session, passenger: str, key: str) -> KeptRequest | None:
    """The request that a passenger made under a key."""
    wanted = select(RequestRow).where(RequestRow.passenger == passenger, RequestRow.key == key)
    row = session.exec(wanted).one_or_none()
    return None if row is None else _kept_request(row)


def get_request(session: Session, request_id: str) -> KeptRequest:
    """The request of that id.

    Raises:
        NotFound: `unknown_request`.
    """
    row = session.get(RequestRow, request_id)
    if row is None:
        raise NotFound("unknown_request", request=request_id)
    return _kept_request(row)


def list_requests_of(session: Session, passenger: str, now: datetime) -> Sequence[KeptRequest]:
    """The open requests of a passenger, the first made first."""
    return _open_requests(session, now, RequestRow.passenger == passenger)


def list_open_requests(session: Session, now: datetime, until: datetime) -> Sequence[KeptRequest]:
    """All requests still open that end by an instant, those that wait longest first."""
    return _open_requests(session, now, col(RequestRow.ends_at) <= until)


def list_at_once(session: Session, line_id: str, now: datetime) -> Sequence[KeptOffer]:
    """The drivers who are on a line and take along whoever waits; one who leaves later is looked at too."""
    rows = session.exec(
        select(OwnOfferRow)
        .where(OwnOfferRow.line_id == line_id, OwnOfferRow.state == OfferState.OPEN, col(OwnOfferRow.ends_at) >= now)
        .order_by(col(OwnOfferRow.made_at), col(OwnOfferRow.id))
    )
    return [kept for kept in map(_kept_offer, rows) if kept.offer.at_once]


def list_on_line(session: Session, line_id: str, now: datetime) -> Sequence[KeptOffer]:
    """The open offers along a line of which something is left."""
    rows = session.exec(
        select(OwnOfferRow)
        .where(OwnOfferRow.line_id == line_id, OwnOfferRow.state == OfferState.OPEN)
        .where(or_(col(OwnOfferRow.ends_at).is_(None), col(OwnOfferRow.ends_at) >= now))
        .order_by(col(OwnOfferRow.made_at), col(OwnOfferRow.id))
    )
    return [_kept_offer(row) for row in rows]


def list_waiting(session: Session, line_id: str, now: datetime) -> Sequence[KeptRequest]:
    """The passengers who wait at stops of a line, those who wait longest first."""
    return _open_requests(session, now, RequestRow.line_id == line_id)


def _open_requests(session: Session, now: datetime, which: Any) -> list[KeptRequest]:
    rows = session.exec(
        select(RequestRow)
        .where(which, RequestRow.state == RequestState.OPEN, col(RequestRow.ends_at) >= now)
        .order_by(col(RequestRow.made_at), col(RequestRow.id))
    )
    return [_kept_request(row) for row in rows]


def _kept_request(row: RequestRow) -> KeptRequest:
    told = json.loads(row.document)
    (origin_name, *origin), (destination_name, *destination) = told["origin"], told["destination"]
    wish = Wish(
        LatLon(*origin),
        LatLon(*destination),
        told["at"],
        arrive_by=told["arrive_by"],
        tolerance_s=told["tolerance_s"],
        seats=told["seats"],
        walk_m=told["walk_m"],
        passenger=row.passenger,
    )
    state = RequestState(row.state)
    about = (row.line_id, state, row.key, row.body_sha256, row.ends_at, row.made_at)
    return KeptRequest(row.id, wish, origin_name, destination_name, *about)
