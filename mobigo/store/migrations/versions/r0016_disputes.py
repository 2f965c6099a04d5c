"""Disputes: what people say is wrong with a carpool of theirs, and what was answered."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dispute",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("carpool_id", sa.String(), sa.ForeignKey("carpool.id"), nullable=False, index=True),
        sa.Column("opened_by", sa.String(), nullable=False, index=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False, index=True),
        sa.Column("held_cents", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.UniqueConstraint("opened_by", "key"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("dispute")
