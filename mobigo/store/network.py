"""Network rows: what was received from each source, what was found in it, what was released.

The bytes themselves lie in folders named by their hash (see `mobigo.services.network`),
never in the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from mobigo.store.base import UtcDateTime
from socle.findings import Finding, Severity


class SourceVersionRow(SQLModel, table=True):
    """One body ever received from a source and the verdict on it."""

    __tablename__ = "source_version"
    __table_args__ = (UniqueConstraint("source_id", "sha256"),)

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(index=True)
    sha256: str
    n_bytes: int
    received_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    verdict: str
    reason: str = ""


class FindingRow(SQLModel, table=True):
    """One remark on one received body."""

    __tablename__ = "finding"

    id: int | None = Field(default=None, primary_key=True)
    source_version_id: int = Field(foreign_key="source_version.id", index=True)
    severity: str
    code: str
    file: str
    line: int | None
    facts: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))


class ReleaseRow(SQLModel, table=True):
    """One network built from source versions: served, held or replaced."""

    __tablename__ = "release"

    id: str = Field(primary_key=True)
    built_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    valid_from: date
    valid_to: date
    content_sha256: str
    inputs: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    code_version: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """One body received from `source_id`; `verdict` is accepted or refused."""

    source_id: str
    sha256: str
    n_bytes: int
    received_at: datetime
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """One release of the network; `inputs` maps each source to the hash of its body.

    `verdict` is served or held; `reason` says why it is held, or why it was let through.
    """

    id: str
    built_at: datetime
    valid_from: date
    valid_to: date
    content_sha256: str
    inputs: dict[str, str]
    code_version: str
    verdict: str
    reason: str = ""


def record_source_version(session: Session, version: SourceVersion, findings: Sequence[Finding]) -> None:
    """Keep the verdict on a body and its findings; those of an earlier look at the same body are replaced."""
    row = session.exec(
        select(SourceVersionRow).where(
            SourceVersionRow.source_id == version.source_id, SourceVersionRow.sha256 == version.sha256
        )
    ).one_or_none()
    if row is None:
        row = SourceVersionRow(
            source_id=version.source_id,
            sha256=version.sha256,
            n_bytes=version.n_bytes,
            received_at=version.received_at,
            verdict=version.verdict,
        )
    row.verdict, row.reason = version.verdict, version.reason
    session.add(row)
    session.flush()
    for old in session.exec(select(FindingRow).where(FindingRow.source_version_id == row.id)):
        session.delete(old)
    session.add_all(
        FindingRow(
            source_version_id=row.id,  # type: ignore[arg-type]  # the flush gave it one
            severity=str(finding.severity),
            code=finding.code,
            file=finding.file,
            line=finding.line,
            facts=dict(finding.facts),
        )
        for finding in findings
    )


def list_findings(session: Session, source_id: str, sha256: str) -> list[Finding]:
    """The findings on one body, in the order in which they were made."""
    rows = session.exec(
        select(FindingRow)
        .join(SourceVersionRow, col(SourceVersionRow.id) == col(FindingRow.source_version_id))
        .where(SourceVersionRow.source_id == source_id, SourceVersionRow.sha256 == sha256)
        .order_by(col(FindingRow.id))
    )
    return [Finding(Severity(row.severity), row.code, row.file, row.line, row.facts) for row in rows]  # type: ignore[arg-type]  # facts come back as JSON values


def list_source_versions(session: Session, source_id: str) -> list[SourceVersion]:
    """Every body received from a source, the latest first."""
    rows = session.exec(
        select(SourceVersionRow)
        .where(SourceVersionRow.source_id == source_id)
        .order_by(col(SourceVersionRow.received_at).desc(), col(SourceVersionRow.id).desc())
    )
    return [
        SourceVersion(row.source_id, row.sha256, row.n_bytes, row.received_at, row.verdict, row.reason) for row in rows
    ]


def record_release(session: Session, release: Release) -> None:
    """Keep what a release is made of and the verdict on it; the same id is overwritten."""
    session.merge(
        ReleaseRow(
            id=release.id,
            built_at=release.built_at.astimezone(UTC),
            valid_from=release.valid_from,
            valid_to=release.valid_to,
            content_sha256=release.content_sha256,
            inputs=release.inputs,
            code_version=release.code_version,
            verdict=release.verdict,
            reason=release.reason,
        )
    )


def list_releases(session: Session, limit: int = 50) -> list[Release]:
    """Releases, the latest first."""
    rows = session.exec(
        select(ReleaseRow).order_by(col(ReleaseRow.built_at).desc(), col(ReleaseRow.id).desc()).limit(limit)
    )
    return [Release(**row.model_dump()) for row in rows]
