"""Month order: the carpools of a month are found in the order in which they are decided."""

from collections.abc import Sequence

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_carpool_month", "carpool")
    op.create_index("ix_carpool_month_end", "carpool", ["month", "end_at", "id"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_carpool_month_end", "carpool")
    op.create_index("ix_carpool_month", "carpool", ["month"])
