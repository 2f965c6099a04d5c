"""School transport: sectors of a school year, their pupils, and what was decided about them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _of_sector() -> sa.Column[str]:
    return sa.Column("sector_id", sa.String(), sa.ForeignKey("school_sector.id"), primary_key=True)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=True)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), primary_key=True)


def _at() -> tuple[sa.Column[float], sa.Column[float]]:
    return sa.Column("lat", sa.Float(), nullable=False), sa.Column("lon", sa.Float(), nullable=False)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "school_sector",
        _key("id"),
        sa.Column("school_year", sa.Integer(), nullable=False, index=True),
        _text("code"),
        sa.Column("imported_at", _INSTANT, nullable=False),
        _whole("n_pupils"),
        _whole("n_left_out"),
    )
    op.create_table(
        "school",
        _of_sector(),
        _key("school_id"),
        _whole("place"),
        _text("title"),
        *_at(),
        _whole("bell_am_s", nullable=True),
        _whole("bell_pm_s", nullable=True),
        _whole("window_min_s"),
        _whole("window_max_s"),
        _text("level"),
        _whole("ride_max_s"),
        _whole("bell_wednesday_s", nullable=True),
        _text("status"),
        _text("commune"),
    )
    op.create_table(
        "school_stop", _of_sector(), _key("stop_id"), _whole("place"), _text("title"), *_at(), _text("status")
    )
    op.create_table(
        "school_vehicle_type",
        _of_sector(),
        _key("type_id"),
        *(_whole(name) for name in ("place", "seats", "wheelchair_places", "day_cents", "km_cents", "hour_cents")),
        _whole("n_vehicles", nullable=True),
        *_at(),
        _text("lot"),
    )
    op.create_table(
        "school_pupil",
        _of_sector(),
        _key("pupil"),
        _number("home"),
        _whole("place"),
        _text("found_by"),
        sa.Column("guardian", sa.String(), nullable=True, index=True),
        *(_text(name) for name in ("school_id", "level", "regime")),
        _text("barred", nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("year_ends_at", _INSTANT, nullable=False, index=True),
    )
    op.create_table(
        "school_finding",
        _of_sector(),
        _number("number"),
        *(_text(name) for name in ("severity", "code", "file")),
        _whole("line", nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    op.create_table(
        "school_rule_book",
        _key("version"),
        _text("book_id"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "school_decision",
        _of_sector(),
        _key("pupil"),
        _number("home"),
        _number("number"),
        sa.Column("book_version", sa.String(), sa.ForeignKey("school_rule_book.version"), nullable=False),
        *(_text(name) for name in ("facts_key", "verdict", "reason")),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("decided_at", _INSTANT, nullable=False),
        sa.Column("year_ends_at", _INSTANT, nullable=False, index=True),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("decision", "rule_book", "finding", "pupil", "vehicle_type", "stop"):
        op.drop_table(f"school_{table}")
    op.drop_table("school")
    op.drop_table("school_sector")
