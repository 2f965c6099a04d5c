"""Partners: their keys, what they offer, book and say through the standard."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _instant(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, index=index)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "partner_key",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False, index=True),
        _instant("made_at"),
        _instant("revoked_at", nullable=True),
    )
    op.create_table(
        "partner",
        sa.Column("operator", sa.String(), primary_key=True),
        sa.Column("server", sa.String(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        _instant("made_at"),
    )
    op.create_table(
        "partner_offer",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("owner_user", sa.String(), nullable=False, index=True),
        sa.Column("document", sa.Text(), nullable=False),
        _instant("received_at", index=True),
    )
    op.create_table(
        "partner_offer_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("n_changes", sa.Integer(), nullable=False),
    )
    op.create_table(
        "partner_booking",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("driver_user", sa.String(), nullable=False, index=True),
        sa.Column("passenger_user", sa.String(), nullable=False, index=True),
        sa.Column("creator", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        _instant("made_at"),
        _instant("changed_at", index=True),
    )
    op.create_table(
        "partner_event",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("booking_key", sa.String(), sa.ForeignKey("partner_booking.key"), nullable=False, index=True),
        sa.Column("body_sha256", sa.String(), nullable=False),
        _instant("received_at", index=True),
    )
    op.create_table(
        "partner_user",
        sa.Column("user", sa.String(), primary_key=True),
        _instant("seen_at", index=True),
    )
    op.create_table(
        "partner_message",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("from_user", sa.String(), nullable=False, index=True),
        sa.Column("to_user", sa.String(), nullable=False, index=True),
        sa.Column("booking_key", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        _instant("received_at", index=True),
    )


def downgrade() -> None:
    """Undo."""
    for table in (
        "partner_message",
        "partner_user",
        "partner_event",
        "partner_booking",
        "partner_offer_version",
        "partner_offer",
        "partner",
        "partner_key",
    ):
        op.drop_table(table)
