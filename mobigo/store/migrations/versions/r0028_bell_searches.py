"""School transport: searches of the optimiser that move bells."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    for column in (
        sa.Column("most_s", sa.Integer(), nullable=True),
        sa.Column("fixed", sa.JSON(), nullable=True),
        sa.Column("trials", sa.JSON(), nullable=True),
        sa.Column("n_tried", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("n_trials", sa.Integer(), nullable=True),
        sa.Column("fewest", sa.Integer(), nullable=True),
        sa.Column("is_proved", sa.Boolean(), nullable=True),
    ):
        op.add_column("school_search", column)


def downgrade() -> None:
    """Undo."""
    for name in ("is_proved", "fewest", "n_trials", "n_tried", "trials", "fixed", "most_s"):
        op.drop_column("school_search", name)
