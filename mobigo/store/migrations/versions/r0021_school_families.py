"""School transport: requests of families with their homes, steps and papers, absences, local organisers."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def _text(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable, index=index)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=True)


def _at(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, _INSTANT, nullable=nullable, index=index)


def _yes_no(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def upgrade() -> None:
    """Apply."""
    op.add_column("school_pupil", _text("application_id", nullable=True))
    op.create_index("ix_school_pupil_application_id", "school_pupil", ["application_id"])
    op.create_table(
        "school_application",
        _key("id"),
        sa.Column("code", sa.String(), nullable=False, unique=True),
        sa.Column("school_year", sa.Integer(), nullable=False, index=True),
        sa.Column("sector_id", sa.String(), sa.ForeignKey("school_sector.id"), nullable=False, index=True),
        _text("school_id"),
        _text("level"),
        _text("state", index=True),
        _text("channel"),
        _yes_no("is_late"),
        _yes_no("has_appeal"),
        _text("pupil"),
        _text("found_by", nullable=True, index=True),
        _text("card"),
        _text("made_by"),
        _at("made_at"),
        _at("changed_at"),
        _at("submitted_at", nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _at("year_ends_at", index=True),
    )
    counts = sa.text("state NOT IN ('draft', 'withdrawn')")
    op.create_index(
        "ix_school_application_twins",
        "school_application",
        ["school_year", "found_by"],
        unique=True,
        sqlite_where=counts,
        postgresql_where=counts,
    )
    op.create_table(
        "school_application_home",
        _key("application_id"),
        sa.Column("number", sa.Integer(), primary_key=True),
        _text("guardian", nullable=True, index=True),
        _text("commune", index=True),
        sa.Column("days", sa.Integer(), nullable=False),
        _text("stop_id", nullable=True),
        _text("verdict", nullable=True),
        _text("reason", nullable=True),
        _yes_no("is_overridden"),
        _text("link_hash", nullable=True, index=True),
        _at("link_until", nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_contact", sa.LargeBinary(), nullable=True),
        _at("year_ends_at", index=True),
    )
    op.create_table(
        "school_application_step",
        _key("application_id"),
        sa.Column("number", sa.Integer(), primary_key=True),
        _at("at"),
        _text("by"),
        _text("deed"),
        sa.Column("home", sa.Integer(), nullable=True),
        _text("about"),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        _at("year_ends_at", index=True),
    )
    op.create_table(
        "school_application_paper",
        _key("application_id"),
        _key("code"),
        _at("received_at", nullable=True),
        _at("year_ends_at", index=True),
    )
    op.create_table(
        "school_absence",
        _key("id"),
        _text("application_id", index=True),
        _text("guardian"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        _text("part"),
        _at("declared_at"),
        _at("taken_back_at", nullable=True),
        _at("year_ends_at", index=True),
    )
    op.create_table("school_organiser", _key("holder"), _key("kind"), _key("value"), _text("given_by"), _at("given_at"))


def downgrade() -> None:
    """Undo."""
    for table in ("organiser", "absence", "application_paper", "application_step", "application_home", "application"):
        op.drop_table(f"school_{table}")
    op.drop_index("ix_school_pupil_application_id", "school_pupil")
    with op.batch_alter_table("school_pupil") as pupils:
        pupils.drop_column("application_id")
