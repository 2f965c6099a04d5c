"""Decided: carpools of a month with the decision about each, of the people who share counters in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from mobigo.store.covoiturage.carpools import CarpoolState, KeptCarpool, get_carpools
from mobigo.store.covoiturage.decisions import KeptDecision, list_of_carpools
from mobigo.store.covoiturage.rows import CarpoolRow, DecisionRow, RideRow

_PIECE = 300  # names in one question


@dataclass(frozen=True, slots=True)
class DecidedCarpool:
    """A carpool with the latest decision about it, which may have been undone."""

    carpool: KeptCarpool
    decision: KeptDecision


def list_decided_with(
    session: Session, policy_id: str, month: str, people: Collection[str]
) -> Sequence[DecidedCarpool]:
    """The decided carpools of `month` under a policy in which one of `people` drove or rode, by (end, id)."""
    found: dict[str, DecidedCarpool] = {}
    for names in _pieces(people):
        ridden = select(RideRow.carpool_id).where(col(RideRow.passenger).in_(names))
        ids = session.exec(
            select(CarpoolRow.id)
            .where(CarpoolRow.month == month, CarpoolRow.policy_id == policy_id)
            .where(CarpoolRow.state == CarpoolState.DECIDED)
            .where(or_(col(CarpoolRow.driver).in_(names), col(CarpoolRow.id).in_(ridden)))
        ).all()
        new = [carpool_id for carpool_id in ids if carpool_id not in found]
        for some in _pieces(new):
            decisions = list_of_carpools(session, some)
            carpools = get_carpools(session, some)
            found |= {one: DecidedCarpool(carpools[one], decisions[one]) for one in some}
    return sorted(found.values(), key=lambda one: (one.carpool.end_at, one.carpool.id))


def list_ride_ids(session: Session, carpool_id: str) -> Sequence[str]:
    """The rides of a carpool as it was declared, with those struck out since."""
    return session.exec(select(RideRow.id).where(RideRow.carpool_id == carpool_id).order_by(col(RideRow.id))).all()


def last_decided_end(session: Session, month: str) -> datetime | None:
    """The latest end of the carpools of `month` that are decided under some policy."""
    ends = select(func.max(CarpoolRow.end_at)).join(DecisionRow, col(DecisionRow.carpool_id) == col(CarpoolRow.id))
    return session.exec(ends.where(CarpoolRow.month == month, CarpoolRow.state == CarpoolState.DECIDED)).one()


def _pieces(names: Iterable[str]) -> Iterator[list[str]]:
    listed = sorted(names)
    return (listed[begin : begin + _PIECE] for begin in range(0, len(listed), _PIECE))
