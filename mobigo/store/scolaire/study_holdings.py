"""Study holdings: what plans hold about children and about those who make them.

Of a published plan a guardian is told the rides of the children looked after, as long as an account leads to them.
What is under study is told to nobody outside the office: it may never be driven.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlmodel import Session, col, select

from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from mobigo.store.scolaire.publications import PublicationRow
from mobigo.store.scolaire.rows import PupilRow
from mobigo.store.scolaire.studies import list_journal, load_plan
from mobigo.store.scolaire.study_rows import JournalRow, StudyRow
from scolaire.planfiles import read_plan
from scolaire.plans import rides_of


def _studies(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    rows = select(StudyRow).where(StudyRow.made_by == whose.name).order_by(col(StudyRow.made_at))
    for row in session.exec(rows):
        yield {"at": row.made_at, "study_id": row.id}


def _lines(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    own = select(JournalRow.study_id).where(JournalRow.done_by == whose.name).distinct().order_by(JournalRow.study_id)
    for study_id in session.exec(own).all():
        for line in reversed(list_journal(session, keys, study_id, most=None)):
            if line.done_by == whose.name:
                yield {"at": line.at, "study_id": study_id, "study_act": str(line.act), "why": line.why}


def _publications(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    rows = select(PublicationRow).where(PublicationRow.published_by == whose.name)
    for row in session.exec(rows.order_by(col(PublicationRow.published_at))):
        yield {"at": row.published_at, "study_id": row.study_id, "valid_from": str(row.valid_from), "why": row.why}


def _rides(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    """Every published ride of the children looked after."""
    homes = session.exec(select(PupilRow).where(PupilRow.guardian == whose.pseudonym)).all()
    children = {row.pupil for row in homes}
    for sector_id in sorted({row.sector_id for row in homes}):
        published = select(PublicationRow).where(PublicationRow.sector_id == sector_id)
        for row in session.exec(published.order_by(col(PublicationRow.number))).all():
            yield from _rides_of(row, load_plan(session, keys, row.study_id, row.version), children)


def _rides_of(published: PublicationRow, content: bytes, children: set[str]) -> Iterator[Row]:
    plan = read_plan(content)
    wanted = {place for place, rider in enumerate(plan.riders) if rider.pupil_id in children}
    for run in plan.runs:
        for ride in rides_of(run):
            if ride.rider in wanted and ride.stop is not None:
                period = plan.periods[run.period]
                yield {
                    "valid_from": str(published.valid_from),
                    "circuit_id": run.circuit_id,
                    "school_days": period.days,
                    "direction": str(period.direction),
                    "stop_id": plan.stops[ride.stop].stop_id,
                    "up_s": run.halts[ride.up].leaves_s,
                    "down_s": run.halts[ride.down].arrives_s,
                }


# In the order of erasure: nothing is erased, what is kept under a pseudonym names nobody once the account is gone.
HOLDINGS: Sequence[Holding] = (
    Holding("school_publication", ("published_by", "why"), _publications),
    Holding("school_study_line", ("done_by", "sealed"), _lines),
    Holding("school_study_version", ("sealed",), _rides),
    Holding("school_study", ("made_by",), _studies),
)
