"""Versions of policies, and what was decided about them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from mobigo.store.migrations.triggers import allow_changes, refuse_changes

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "policy_version",
        sa.Column("sha256", sa.String(), primary_key=True),
        sa.Column("policy_id", sa.String(), nullable=False, index=True),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("drafted_by", sa.String(), nullable=False),
        sa.Column("drafted_at", _INSTANT, nullable=False),
        sa.Column("why", sa.String(), nullable=False),
    )
    op.create_table(
        "policy_verdict",
        sa.Column("sha256", sa.String(), sa.ForeignKey("policy_version.sha256"), primary_key=True),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("judged_by", sa.String(), nullable=False),
        sa.Column("judged_at", _INSTANT, nullable=False, index=True),
        sa.Column("why", sa.String(), nullable=False),
    )
    for table in ("policy_version", "policy_verdict"):
        refuse_changes(table, "sha256")


def downgrade() -> None:
    """Undo."""
    for table in ("policy_verdict", "policy_version"):
        allow_changes(table)
        op.drop_table(table)
