"""Months: how far each month of carpools has come, in figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func
from sqlmodel import Session, col, select

from mobigo.store.covoiturage.carpools import CarpoolState
from mobigo.store.covoiturage.holds import is_held
from mobigo.store.covoiturage.rows import CarpoolRow, DecisionRow
from socle.money import Cents


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """One month: carpools that wait, that are decided, that were cancelled; what drivers got and passengers owe."""

    month: str
    n_waiting: int  # for the calendar, not for people
    n_decided: int
    n_cancelled: int
    subsidy_cents: Cents
    fare_cents: Cents
    n_held: int = 0

    @property
    def net_cents(self) -> Cents:
        """What the Region pays in the end."""
        return self.subsidy_cents - self.fare_cents


def list_months(session: Session) -> Sequence[MonthFigures]:
    """Every month that has carpools, the latest first."""

    def counted(state: CarpoolState) -> ColumnElement[int]:
        return func.sum(case((col(CarpoolRow.state) == state, 1), else_=0))

    waiting, decided, cancelled = map(counted, (CarpoolState.CLOSED, CarpoolState.DECIDED, CarpoolState.CANCELLED))
    counts = session.exec(select(CarpoolRow.month, waiting, decided, cancelled).group_by(CarpoolRow.month))
    people_wait = select(CarpoolRow.month, func.count()).where(CarpoolRow.state == CarpoolState.CLOSED, is_held())
    held: dict[str, int] = dict(session.exec(people_wait.group_by(CarpoolRow.month)).all())
    sums = session.exec(
        select(CarpoolRow.month, func.sum(DecisionRow.amount_cents), func.sum(DecisionRow.fare_cents))
        .join(DecisionRow, col(DecisionRow.carpool_id) == col(CarpoolRow.id))
        .where(col(DecisionRow.reversed_at).is_(None))
        .group_by(CarpoolRow.month)
    )
    money = {month: (int(subsidy), int(fare)) for month, subsidy, fare in sums}
    figures = [
        MonthFigures(
            month,
            int(waits) - held.get(month, 0),
            int(done),
            int(undone),
            *money.get(month, (0, 0)),
            held.get(month, 0),
        )
        for month, waits, done, undone in counts
    ]
    return sorted(figures, key=lambda one: one.month, reverse=True)
