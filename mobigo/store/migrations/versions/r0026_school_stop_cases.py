"""School transport: stops that communes ask for, with their safety dossier and the opinions on them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "school_stop_case",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("sector_id", sa.String(), sa.ForeignKey("school_sector.id"), nullable=False, index=True),
        sa.Column("stop_id", sa.String(), nullable=False),
        sa.Column("commune", sa.String(), nullable=False, index=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("dossier", sa.JSON(), nullable=False),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.Column("photo_kind", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", _INSTANT, nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=False),
    )
    op.create_table(
        "school_stop_opinion",
        sa.Column("case_id", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("who", "says", "words", "noted_by")),
        sa.Column("at", _INSTANT, nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("school_stop_opinion")
    op.drop_table("school_stop_case")
