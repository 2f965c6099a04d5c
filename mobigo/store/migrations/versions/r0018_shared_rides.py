"""Shared rides: bookings of which one of the two is known at a partner, and partners that take bookings."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("carpool_booking", sa.Column("operator", sa.String(), nullable=False, server_default=""))
    op.add_column("carpool_booking", sa.Column("partner_key", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_carpool_booking_partner_key", "carpool_booking", ["partner_key"])
    op.add_column("partner", sa.Column("takes_bookings", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Undo."""
    op.drop_column("partner", "takes_bookings")
    op.drop_index("ix_carpool_booking_partner_key", "carpool_booking")
    op.drop_column("carpool_booking", "partner_key")
    op.drop_column("carpool_booking", "operator")
