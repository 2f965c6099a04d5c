"""Searches of the optimiser for better plans of a study."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "school_search",
        sa.Column("study_id", sa.String(), sa.ForeignKey("school_study.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        _text("state"),
        _whole("base"),
        _whole("version", nullable=True),
        _whole("budget_s"),
        _whole("seed"),
        _text("asked_by"),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT, nullable=True),
        sa.Column("is_to_stop", sa.Boolean(), nullable=False),
        _text("period"),
        *(_whole(name, nullable=True) for name in ("n_vehicles", "n_unserved", "bound")),
        _whole("spent_s"),
        sa.Column("year_ends_at", _INSTANT, nullable=False, index=True),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("school_search")
