"""Meeting: offers and requests, bookings and their messages, and the count of their changes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def _text(name: str, *, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, index=index)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "carpool_offer",
        sa.Column("id", sa.String(), primary_key=True),
        _text("key"),
        _text("body_sha256"),
        _text("driver", index=True),
        _text("line_id"),
        _text("state"),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=True, index=True),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("change", sa.Integer(), nullable=False, index=True),
        sa.UniqueConstraint("driver", "key"),
    )
    op.create_table(
        "carpool_request",
        sa.Column("id", sa.String(), primary_key=True),
        _text("key"),
        _text("body_sha256"),
        _text("passenger", index=True),
        _text("line_id"),
        _text("state"),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False, index=True),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("passenger", "key"),
    )
    op.create_table(
        "carpool_booking",
        sa.Column("id", sa.String(), primary_key=True),
        *(_text(name) for name in ("key", "body_sha256", "offer_id")),
        sa.Column("day", sa.Date(), nullable=False),
        _text("line_id"),
        _text("driver", index=True),
        _text("passenger", index=True),
        sa.Column("seats", sa.Integer(), nullable=False),
        _text("state"),
        *_end("board"),
        *_end("alight"),
        sa.Column("ride_m", sa.Integer(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("change", sa.Integer(), nullable=False, index=True),
        sa.UniqueConstraint("passenger", "key"),
    )
    op.create_index("ix_carpool_booking_outing", "carpool_booking", ["offer_id", "day"])
    op.create_table(
        "carpool_message",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("booking_id", sa.String(), sa.ForeignKey("carpool_booking.id"), nullable=False, index=True),
        _text("sender", index=True),
        _text("key"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False, index=True),
        sa.UniqueConstraint("booking_id", "sender", "key"),
    )
    counts = op.create_table(
        "carpool_change",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("n_changes", sa.Integer(), nullable=False),
    )
    op.bulk_insert(counts, [{"id": 1, "epoch": 0, "n_changes": 0}])


def _end(side: str) -> list[sa.Column[object]]:
    """Where and when somebody is met or left."""
    return [
        sa.Column(f"{side}_name", sa.String(), nullable=False),
        sa.Column(f"{side}_lat", sa.Float(), nullable=False),
        sa.Column(f"{side}_lon", sa.Float(), nullable=False),
        sa.Column(f"{side}_halt", sa.Integer(), nullable=False),
        sa.Column(f"{side}_walk_m", sa.Integer(), nullable=False),
        sa.Column(f"{side}_at", _INSTANT, nullable=False, index=side == "alight"),
        sa.Column(f"{side}_promised_at", _INSTANT, nullable=False),
    ]


def downgrade() -> None:
    """Undo."""
    for name in ("carpool_change", "carpool_message", "carpool_booking", "carpool_request", "carpool_offer"):
        op.drop_table(name)
