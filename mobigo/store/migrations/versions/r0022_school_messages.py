"""School transport: messages to families, the letters that they became, and languages."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def _year_ends_at() -> sa.Column[object]:
    return sa.Column("year_ends_at", _INSTANT, nullable=False, index=True)


def _of_message() -> sa.Column[str]:
    return sa.Column("message_id", sa.String(), sa.ForeignKey("school_message.id"), primary_key=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "school_message",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("sector_id", sa.String(), sa.ForeignKey("school_sector.id"), nullable=False, index=True),
        sa.Column("day", sa.Date(), nullable=False, index=True),
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("circuits", sa.JSON(), nullable=False),
        sa.Column("stops", sa.JSON(), nullable=False),
        sa.Column("direction", sa.String(), nullable=True),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("written_at", _INSTANT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _year_ends_at(),
    )
    op.create_table(
        "school_message_child",
        _of_message(),
        sa.Column("pupil", sa.String(), primary_key=True, index=True),
        sa.Column("home", sa.Integer(), primary_key=True),
        _year_ends_at(),
    )
    op.create_table(
        "school_message_letter",
        _of_message(),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("guardian", sa.String(), nullable=True, index=True),
        sa.Column("pupil", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("ended_at", _INSTANT, nullable=True),
        _year_ends_at(),
    )
    op.create_table(
        "school_language",
        sa.Column("holder", sa.String(), primary_key=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("chosen_at", _INSTANT, nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("school_language")
    for table in ("letter", "child"):
        op.drop_table(f"school_message_{table}")
    op.drop_table("school_message")
