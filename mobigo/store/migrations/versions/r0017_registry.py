"""Registry messages: what the national registry was told of each ride, and what it answered."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "registry_message",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("ride_id", sa.String(), sa.ForeignKey("ride.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False, index=True),
        sa.Column("facts_sha256", sa.String(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False, index=True),
        sa.Column("sent_at", _INSTANT, nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("registry_status", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.UniqueConstraint("ride_id", "kind", "number"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("registry_message")
