"""School transport: cards of pupils, what happens on runs, how runs end; where a card is stands with the card alone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)
_STANDS, _IS_FIRST = sa.text("state <> 'replaced'"), sa.text("is_first")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _sector(*, index: bool) -> sa.Column[str]:
    return sa.Column("sector_id", sa.String(), sa.ForeignKey("school_sector.id"), nullable=False, index=index)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "school_card",
        sa.Column("id", sa.String(), primary_key=True),
        _sector(index=True),
        _text("pupil"),
        sa.Column("found_by", sa.String(), nullable=False, unique=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _text("state"),
        sa.Column("replaces", sa.String(), nullable=True, unique=True),
        sa.Column("fee_cents", sa.Integer(), nullable=False),
        _text("fee"),
        _text("fee_reason"),
        sa.Column("guardian", sa.String(), nullable=True, index=True),
        _text("ordered_by"),
        sa.Column("ordered_at", _INSTANT, nullable=False),
        sa.Column("delivered_at", _INSTANT, nullable=True),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("year_ends_at", _INSTANT, nullable=False, index=True),
    )
    op.create_index(
        "ix_school_card_standing",
        "school_card",
        ["sector_id", "pupil"],
        unique=True,
        sqlite_where=_STANDS,
        postgresql_where=_STANDS,
    )
    op.create_table(
        "school_boarding",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("id", sa.String(), nullable=False, unique=True),
        _sector(index=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(_text(name) for name in ("circuit_id", "run_id", "direction", "act")),
        _text("pupil", nullable=True),
        _text("pupil_sector", nullable=True),
        sa.Column("home", sa.Integer(), nullable=True),
        *(_text(name) for name in ("stop_id", "why")),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        _text("by"),
        sa.Column("at", _INSTANT, nullable=False, index=True),
    )
    op.create_index("ix_school_boarding_day", "school_boarding", ["sector_id", "day"])
    op.create_index(
        "ix_school_boarding_first",
        "school_boarding",
        ["sector_id", "day", "run_id", "pupil"],
        unique=True,
        sqlite_where=_IS_FIRST,
        postgresql_where=_IS_FIRST,
    )
    op.create_table(
        "school_run_stage",
        sa.Column("id", sa.String(), primary_key=True),
        _sector(index=False),
        sa.Column("day", sa.Date(), nullable=False, index=True),
        *(_text(name) for name in ("circuit_id", "run_id", "stage", "by")),
        sa.Column("at", _INSTANT, nullable=False, index=True),
    )
    op.drop_column("school_application", "card")


def downgrade() -> None:
    """Undo."""
    op.add_column("school_application", sa.Column("card", sa.String(), nullable=False, server_default="none"))
    for name in ("school_run_stage", "school_boarding", "school_card"):
        op.drop_table(name)
