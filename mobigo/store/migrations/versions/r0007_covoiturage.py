"""Carpools, rides, evidence, decisions, counters, payments."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "carpool",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("body_sha256", sa.String(), nullable=False),
        sa.Column("driver", sa.String(), nullable=False, index=True),
        sa.Column("line_id", sa.String(), nullable=True),
        sa.Column("end_at", _INSTANT, nullable=False, index=True),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("facts_sha256", sa.String(), nullable=False),
        sa.Column("policy_id", sa.String(), nullable=True, index=True),
        sa.Column("month", sa.String(), nullable=False, index=True),
        sa.Column("reserved_cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("declared_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "ride",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("carpool_id", sa.String(), sa.ForeignKey("carpool.id"), nullable=False, index=True),
        sa.Column("passenger", sa.String(), nullable=False, index=True),
        sa.Column("board_at", _INSTANT, nullable=False),
        sa.Column("proof_class", sa.String(), nullable=True),
        sa.Column("proof_why", sa.String(), nullable=True),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("ride_id", sa.String(), sa.ForeignKey("ride.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("given_by", sa.String(), nullable=False, index=True),
        sa.Column("at", _INSTANT, nullable=False, index=True),
        sa.Column("device", sa.String(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
    )
    op.create_table(
        "decision",
        sa.Column("carpool_id", sa.String(), sa.ForeignKey("carpool.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("policy_id", sa.String(), nullable=False),
        sa.Column("policy_sha256", sa.String(), nullable=False),
        sa.Column("facts_sha256", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("stateless_cents", sa.BigInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("fare_cents", sa.BigInteger(), nullable=False),
        sa.Column("budget_cents", sa.BigInteger(), nullable=True),
        sa.Column("counters_before", sa.JSON(), nullable=False),
        sa.Column("charged", sa.JSON(), nullable=False),
        sa.Column("explanation", sa.JSON(), nullable=False),
        sa.Column("decided_at", _INSTANT, nullable=False, index=True),
        sa.Column("reversed_at", _INSTANT, nullable=True),
    )
    op.create_table(
        "cap_counter",
        *(
            sa.Column(name, sa.String(), primary_key=True)
            for name in ("policy_id", "counter", "scope", "subject", "period", "period_key")
        ),
        sa.Column("value", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "payment_batch",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("month", sa.String(), nullable=False, unique=True),
        sa.Column("prepared_by", sa.String(), nullable=False),
        sa.Column("prepared_at", _INSTANT, nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", _INSTANT, nullable=True),
        sa.Column("execute_on", sa.Date(), nullable=True),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("carried_over_cents", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "payment_item",
        sa.Column("end_to_end_id", sa.String(), primary_key=True),
        sa.Column("batch_id", sa.String(), sa.ForeignKey("payment_batch.id"), nullable=False, index=True),
        sa.Column("driver", sa.String(), nullable=False, index=True),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.UniqueConstraint("batch_id", "driver"),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("payment_item", "payment_batch", "cap_counter", "decision", "evidence", "ride", "carpool"):
        op.drop_table(table)
