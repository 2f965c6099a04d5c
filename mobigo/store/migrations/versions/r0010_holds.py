"""Holds: what the fraud rules saw, and what people decided about it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.add_column("carpool", sa.Column("screened_at", _INSTANT, nullable=True))
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("carpool_id", sa.String(), sa.ForeignKey("carpool.id"), nullable=False, index=True),
        sa.Column("ride_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("found_at", _INSTANT, nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=True, index=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.UniqueConstraint("carpool_id", "code", "ride_id"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("hold")
    op.drop_column("carpool", "screened_at")
