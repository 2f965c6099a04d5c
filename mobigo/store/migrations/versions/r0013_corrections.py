"""Corrections: every version of a carpool's facts that people put right."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "carpool_revision",
        sa.Column("carpool_id", sa.String(), sa.ForeignKey("carpool.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("facts_sha256", sa.String(), nullable=False),
        sa.Column("corrected_at", _INSTANT, nullable=False),
        sa.Column("corrected_by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("carpool_revision")
