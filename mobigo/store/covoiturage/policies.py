"""Policies: versions of rules, drafted by one person and judged by another; a version is never changed.

A version is its document, under the hash of it. The shipped ones are the first and lie in the code;
what is kept here came after. Both are kept for ever, so that a decision replays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache

from sqlalchemy import LargeBinary, func
from sqlmodel import Column, Field, Session, SQLModel, col, select

from covoiturage.policy.documents import Tree, read_documents, render_canonical
from covoiturage.policy.language import read_policy
from covoiturage.policy.model import Policy
from covoiturage.policy.shipped import shipped_documents, shipped_policies
from mobigo.store.base import UtcDateTime
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from socle.errors import Conflict, NotFound, Unavailable


class PolicyVersionRow(SQLModel, table=True):
    """One version as it was drafted: canonical JSON, under its hash."""

    __tablename__ = "policy_version"

    sha256: str = Field(primary_key=True)
    policy_id: str = Field(index=True)
    document: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    drafted_by: str
    drafted_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    why: str


class PolicyVerdictRow(SQLModel, table=True):
    """What another person decided about a version: it holds from its first day on, or never."""

    __tablename__ = "policy_verdict"

    sha256: str = Field(primary_key=True, foreign_key="policy_version.sha256")
    approved: bool
    judged_by: str
    judged_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Approved or refused, by whom, when and why."""

    approved: bool
    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A version of a policy; a shipped one was drafted by nobody and needs no verdict."""

    policy: Policy
    document: bytes  # canonical JSON
    drafted_by: str | None = None
    drafted_at: datetime | None = None
    why: str = ""
    verdict: Verdict | None = None

    @property
    def is_shipped(self) -> bool:
        """Whether it came with the program."""
        return self.drafted_by is None

    @property
    def holds(self) -> bool:
        """Whether carpools may be decided under it."""
        return self.is_shipped or (self.verdict is not None and self.verdict.approved)


def add_draft(session: Session, policy: Policy, tree: Tree, by: str, why: str, now: datetime) -> None:
    """Keep a version that nobody has judged yet.

    Raises:
        Conflict: `policy_known`: the same document is there already.
    """
    shipped = {one.version for one in shipped_policies().values()}
    if policy.version in shipped or session.get(PolicyVersionRow, policy.version) is not None:
        raise Conflict("policy_known", version=policy.version)
    session.add(
        PolicyVersionRow(
            sha256=policy.version,
            policy_id=policy.id,
            document=render_canonical(tree).encode(),
            drafted_by=by,
            drafted_at=now,
            why=why,
        )
    )
    session.flush()


def add_verdict(session: Session, version: str, verdict: Verdict) -> None:
    """Keep what was decided about a version.

    Raises:
        Conflict: `policy_judged`: it was decided before.
    """
    if session.get(PolicyVerdictRow, version) is not None:
        raise Conflict("policy_judged", version=version)
    session.add(
        PolicyVerdictRow(
            sha256=version, approved=verdict.approved, judged_by=verdict.by, judged_at=verdict.at, why=verdict.why
        )
    )
    session.flush()


def list_versions(session: Session) -> Sequence[PolicyVersion]:
    """Every version: the shipped ones, then those that hold in the order of their approval, then the others."""
    return [*_shipped(), *_kept(session)]


def get_version(session: Session, version: str) -> PolicyVersion:
    """The version with this hash.

    Raises:
        NotFound: `unknown_policy_version`.
    """
    for one in list_versions(session):
        if one.policy.version == version:
            return one
    raise NotFound("unknown_policy_version", version=version)


def list_in_force(session: Session) -> Sequence[Policy]:
    """The policies under which carpools are decided; of those that hold on a day `find_in_force` finds the one."""
    return [one.policy for one in list_versions(session) if one.holds]


def count_verdicts(session: Session) -> int:
    """How many versions were judged; a verdict is never taken back."""
    return session.exec(select(func.count()).select_from(PolicyVerdictRow)).one()


@cache
def _shipped() -> Sequence[PolicyVersion]:
    documents = shipped_documents()
    return [
        PolicyVersion(policy, render_canonical(documents[policy_id]).encode())
        for policy_id, policy in shipped_policies().items()
    ]


def _kept(session: Session) -> Iterator[PolicyVersion]:
    rows = session.exec(
        select(PolicyVersionRow, PolicyVerdictRow)
        .join(PolicyVerdictRow, col(PolicyVerdictRow.sha256) == col(PolicyVersionRow.sha256), isouter=True)
        .order_by(
            col(PolicyVerdictRow.approved).is_not(True),
            col(PolicyVerdictRow.judged_at),
            col(PolicyVersionRow.drafted_at),
            col(PolicyVersionRow.sha256),
        )
    )
    for row, judged in rows:
        verdict = None if judged is None else Verdict(judged.approved, judged.judged_by, judged.judged_at, judged.why)
        policy = _read(row.document, row.sha256)
        yield PolicyVersion(policy, row.document, row.drafted_by, row.drafted_at, row.why, verdict)


@lru_cache(maxsize=256)
def _read(document: bytes, version: str) -> Policy:
    (tree,) = read_documents(document).values()
    policy = read_policy(tree)
    if policy.version != version:
        raise Unavailable("policy_altered", version=version)
    return policy


# --- what is held about people ---------------------------------------------------------------


def _drafts(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    rows = select(PolicyVersionRow).where(PolicyVersionRow.drafted_by == whose.name)
    for row in session.exec(rows.order_by(col(PolicyVersionRow.drafted_at))):
        yield {"at": row.drafted_at, "policy_id": row.policy_id, "why": row.why}


def _verdicts(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    rows = select(PolicyVerdictRow).where(PolicyVerdictRow.judged_by == whose.name)
    for row in session.exec(rows.order_by(col(PolicyVerdictRow.judged_at))):
        yield {"at": row.judged_at, "given": row.approved, "why": row.why}


HOLDINGS: Sequence[Holding] = (
    Holding("policy_verdict", ("judged_by", "why"), _verdicts),
    Holding("policy_version", ("drafted_by", "why"), _drafts),
)
