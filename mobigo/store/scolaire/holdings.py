"""Holdings: what is kept about children and about those who look after them.

A guardian's account leads to the homes of the children it looks after; when it is erased, that thread goes. The
child's file belongs to the school year and goes with it (`retention.toml`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import and_, update
from sqlmodel import Session, col, select

from mobigo.store.base import change
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from mobigo.store.scolaire.boardings import HOLDINGS as OF_BOARDINGS
from mobigo.store.scolaire.cards import HOLDINGS as OF_CARDS
from mobigo.store.scolaire.contracts import HOLDINGS as OF_CONTRACTS
from mobigo.store.scolaire.messages import HOLDINGS as OF_MESSAGES
from mobigo.store.scolaire.rows import DecisionRow, PupilRow
from mobigo.store.scolaire.searches import HOLDINGS as OF_SEARCHES
from mobigo.store.scolaire.sectors import opened_home
from mobigo.store.scolaire.study_holdings import HOLDINGS as OF_STUDIES


def _pupils(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    rows = select(PupilRow).where(PupilRow.guardian == whose.pseudonym)
    for row in session.exec(rows.order_by(col(PupilRow.sector_id), col(PupilRow.pupil), col(PupilRow.home))):
        yield {
            "sector_id": row.sector_id,
            "school_id": row.school_id,
            "school_level": row.level,
            "school_regime": row.regime,
            **opened_home(row, keys),
        }


def _decisions(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    of_theirs = and_(
        col(PupilRow.sector_id) == col(DecisionRow.sector_id),
        col(PupilRow.pupil) == col(DecisionRow.pupil),
        col(PupilRow.home) == col(DecisionRow.home),
    )
    rows = select(DecisionRow).join(PupilRow, of_theirs).where(PupilRow.guardian == whose.pseudonym)
    for row in session.exec(rows.order_by(col(DecisionRow.decided_at))):
        yield {
            "at": row.decided_at,
            "sector_id": row.sector_id,
            "school_verdict": row.verdict,
            "reason": row.reason,
        }


def _let_go(session: Session, whose: Whose) -> int:
    """The file of the child stays for the school year; nothing leads from it to the account any more."""
    return change(session, update(PupilRow).where(col(PupilRow.guardian) == whose.pseudonym).values(guardian=None))


HOLDINGS: Sequence[Holding] = (
    *OF_BOARDINGS,
    *OF_CARDS,
    *OF_CONTRACTS,
    *OF_MESSAGES,
    *OF_SEARCHES,
    *OF_STUDIES,
    Holding("school_decision", ("pupil", "sealed"), _decisions),
    Holding("school_pupil", ("pupil", "guardian", "sealed"), _pupils, _let_go),
)
