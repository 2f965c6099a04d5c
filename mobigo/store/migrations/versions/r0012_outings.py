"""Outings: cars on their way, what happened in them, where devices were, and the plates of cars."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from mobigo.store.migrations.triggers import allow_changes, refuse_changes

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "outing",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("body_sha256", sa.String(), nullable=False),
        sa.Column("driver", sa.String(), nullable=False, index=True),
        sa.Column("open_for", sa.String(), nullable=True, unique=True),
        sa.Column("line_id", sa.String(), nullable=True),
        sa.Column("stops", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("plate_id", sa.String(), nullable=True),
        sa.Column("opened_at", _INSTANT, nullable=False, index=True),
    )
    op.create_table(
        "outing_event",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("outing_id", sa.String(), sa.ForeignKey("outing.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("given_by", sa.String(), nullable=False, index=True),
        sa.Column("stop_id", sa.String(), nullable=False),
        sa.Column("ride_id", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.UniqueConstraint("outing_id", "number"),
    )
    refuse_changes("outing_event", "id", "outing_id number")
    op.create_table(
        "outing_trace",
        sa.Column("event_id", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("given_by", sa.String(), nullable=False, index=True),
        sa.Column("at", _INSTANT, nullable=False, index=True),
        sa.Column("device", sa.String(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
    )
    op.create_table(
        "plate",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("driver", sa.String(), nullable=False, index=True),
        sa.Column("code", sa.String(), nullable=False, unique=True),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT, nullable=True, index=True),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("plate")
    op.drop_table("outing_trace")
    allow_changes("outing_event")
    op.drop_table("outing_event")
    op.drop_table("outing")
