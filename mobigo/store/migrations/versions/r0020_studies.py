"""Studies of school plans: their versions, their journal, and what is published."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.Integer(), primary_key=True)


def _of_study() -> sa.Column[str]:
    return sa.Column("study_id", sa.String(), sa.ForeignKey("school_study.id"), primary_key=True)


def _instant(name: str) -> sa.Column[datetime]:
    return sa.Column(name, _INSTANT, nullable=False)


def _year_ends_at() -> sa.Column[datetime]:
    return sa.Column("year_ends_at", _INSTANT, nullable=False, index=True)


def _sealed() -> sa.Column[bytes]:
    return sa.Column("sealed", sa.LargeBinary(), nullable=False)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "school_study",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("sector_id", sa.String(), sa.ForeignKey("school_sector.id"), nullable=False, index=True),
        _whole("number"),
        _text("title"),
        _text("made_by"),
        _instant("made_at"),
        _whole("head"),
        _whole("turn"),
        _year_ends_at(),
    )
    op.create_table(
        "school_study_version",
        _of_study(),
        _number(),
        _whole("parent", nullable=True),
        _text("sha256"),
        _sealed(),
        _instant("made_at"),
        _year_ends_at(),
    )
    op.create_table(
        "school_study_line",
        _of_study(),
        _number(),
        _text("act"),
        _whole("version"),
        _text("done_by"),
        _instant("at"),
        _sealed(),
        _year_ends_at(),
    )
    op.create_table(
        "school_publication",
        sa.Column("sector_id", sa.String(), sa.ForeignKey("school_sector.id"), primary_key=True),
        _number(),
        sa.Column("valid_from", sa.Date(), nullable=False, index=True),
        sa.Column("study_id", sa.String(), sa.ForeignKey("school_study.id"), nullable=False, index=True),
        _whole("version"),
        _text("sha256"),
        _text("published_by"),
        _instant("published_at"),
        _text("why"),
        _year_ends_at(),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("publication", "study_line", "study_version", "study"):
        op.drop_table(f"school_{table}")
