"""Decisions: what was decided about carpools, with all that it takes to decide again, and the counters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import select as select_columns
from sqlalchemy import tuple_
from sqlmodel import Session, SQLModel, col, select

from covoiturage.policy.caps import Key
from mobigo.store.bulk import add, bound, put, words_in
from mobigo.store.covoiturage.rows import CapCounterRow, DecisionRow
from socle.money import Cents

Rows = Sequence[Mapping[str, Any]]
_PIECE = 200  # keys of five parts in one question: SQLite takes some thousands of values


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """One decision: facts, policy version, budget and counters before make the same cents again."""

    carpool_id: str
    number: int
    policy_id: str
    policy_sha256: str
    facts_sha256: str
    reason: str | None
    stateless_cents: Cents
    amount_cents: Cents
    fare_cents: Cents
    budget_cents: Cents | None
    counters_before: Rows
    charged: Rows
    explanation: Rows
    decided_at: datetime
    reversed_at: datetime | None = None


class NewDecision(NamedTuple):
    """A decision as its row holds it, but for when it was made and undone: the last three are JSON."""

    carpool_id: str
    number: int
    policy_id: str
    policy_sha256: str
    facts_sha256: str
    reason: str | None
    stateless_cents: Cents
    amount_cents: Cents
    fare_cents: Cents
    budget_cents: Cents | None
    counters_before: str
    charged: str
    explanation: str


def add_decision(session: Session, decision: KeptDecision) -> None:
    """Keep a decision."""
    session.add(DecisionRow(**{name: getattr(decision, name) for name in KeptDecision.__slots__}))


def add_decisions(session: Session, decisions: Iterable[NewDecision], now: datetime) -> None:
    """Keep many decisions made at `now`."""
    connection, table = session.connection(), SQLModel.metadata.tables["decision"]
    decided_at = bound(connection, table.c.decided_at, now)
    # By their keys, so that those that stand side by side in its index are written side by side.
    add(connection, table, [(*decision, decided_at, None) for decision in sorted(decisions, key=itemgetter(0, 1))])


def last_decision(session: Session, carpool_id: str) -> KeptDecision | None:
    """The latest decision about a carpool."""
    row = session.exec(
        select(DecisionRow).where(DecisionRow.carpool_id == carpool_id).order_by(col(DecisionRow.number).desc())
    ).first()
    return None if row is None else _kept(row)


def list_all_of_carpool(session: Session, carpool_id: str) -> Sequence[KeptDecision]:
    """Every decision about a carpool, in their order."""
    rows = select(DecisionRow).where(DecisionRow.carpool_id == carpool_id).order_by(col(DecisionRow.number))
    return [_kept(row) for row in session.exec(rows)]


def list_of_carpools(session: Session, carpool_ids: Sequence[str]) -> dict[str, KeptDecision]:
    """The latest decision about each of these carpools, where there is one."""
    rows = session.exec(
        select(DecisionRow).where(col(DecisionRow.carpool_id).in_(carpool_ids)).order_by(col(DecisionRow.number))
    )
    return {row.carpool_id: _kept(row) for row in rows}


def mark_reversed(session: Session, decision: KeptDecision, now: datetime) -> None:
    """Say that a decision was undone."""
    row = session.get_one(DecisionRow, (decision.carpool_id, decision.number))
    row.reversed_at = now
    session.add(row)


def read_counters(session: Session, policy_id: str, keys: Sequence[Key]) -> dict[Key, int]:
    """The counters of these keys under a policy; those at zero are left out."""
    found: dict[Key, int] = {}
    columns = (CapCounterRow.counter, CapCounterRow.scope, CapCounterRow.subject)
    periods = (CapCounterRow.period, CapCounterRow.period_key)
    for begin in range(0, len(keys), _PIECE):
        wanted = [_plain(key) for key in keys[begin : begin + _PIECE]]
        rows = session.exec(
            select(CapCounterRow).where(
                CapCounterRow.policy_id == policy_id, tuple_(*map(col, (*columns, *periods))).in_(wanted)
            )
        )
        found |= {_key(row): row.value for row in rows}
    return found


def read_counters_of(session: Session, policy_id: str, subjects: Collection[str]) -> dict[Key, int]:
    """All counters of these people under a policy."""
    wanted = sorted(subjects)
    found: dict[Key, int] = {}
    for begin in range(0, len(wanted), _PIECE):
        piece = wanted[begin : begin + _PIECE]
        rows = session.exec(
            select(CapCounterRow).where(CapCounterRow.policy_id == policy_id, col(CapCounterRow.subject).in_(piece))
        )
        found |= {_key(row): row.value for row in rows}
    return found


def read_counters_like(session: Session, policy_id: str, like: Key, subjects: Collection[str]) -> dict[Key, int]:
    """The counters of `like`'s kind and period that these people have under a policy."""
    connection = session.connection()
    counter, scope, _subject, period, period_key = like
    counted = SQLModel.metadata.tables["cap_counter"].c
    rows = connection.execute(
        select_columns(counted.subject, counted.value).where(
            counted.policy_id == policy_id,
            counted.counter == counter,
            counted.scope == scope,
            counted.period == period,
            counted.period_key == (period_key or ""),
            counted.subject.in_(words_in(connection, sorted(subjects))),
        )
    )
    return {(counter, scope, subject, period, period_key): value for subject, value in rows}


def write_counters(session: Session, policy_id: str, values: Mapping[Key, int]) -> None:
    """Set these counters."""
    session.flush()
    rows = sorted((policy_id, *_plain(key), value) for key, value in values.items())  # as they stand in their index
    put(session.connection(), SQLModel.metadata.tables["cap_counter"], rows)
    session.expire_all()


def _key(row: CapCounterRow) -> Key:
    return row.counter, row.scope, row.subject or None, row.period, row.period_key or None


def _plain(key: Key) -> tuple[str, str, str, str, str]:
    counter, scope, subject, period, period_key = key
    return counter, scope, subject or "", period, period_key or ""


def _kept(row: DecisionRow) -> KeptDecision:
    return KeptDecision(**{name: getattr(row, name) for name in KeptDecision.__slots__})
