"""The audit log."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from mobigo.store.migrations.triggers import allow_changes, refuse_changes

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    for name in ("actor", "action", "subject"):
        op.create_index(f"ix_audit_line_{name}_id", "audit_line", [name, "id"])
    refuse_changes("audit_line")


def downgrade() -> None:
    """Undo."""
    allow_changes("audit_line")
    op.drop_table("audit_line")
