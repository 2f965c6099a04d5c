"""School transport: the day on which a letter on paper was posted."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("school_message_letter", sa.Column("posted_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("school_message_letter", "posted_on")
