"""School transport: schools keep their waits after lessons and their group; a run is told once as not having run."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_ONCE = "ux_school_service_event_not_run"
_STANDS = sa.text("kind = 'not_run' AND taken_back_at IS NULL")
# Of two that were told at the same instant, by two people at once, the later one by its id is taken back.
_TWICE = sa.text(
    "UPDATE school_service_event SET taken_back_by = told_by, taken_back_at = told_at, taken_back_why = 'doublon'"
    " WHERE kind = 'not_run' AND taken_back_at IS NULL AND EXISTS (SELECT 1 FROM school_service_event AS other"
    " WHERE other.kind = 'not_run' AND other.taken_back_at IS NULL AND other.day = school_service_event.day"
    " AND other.about = school_service_event.about AND other.run_id = school_service_event.run_id"
    " AND other.id < school_service_event.id)"
)


def upgrade() -> None:
    """Apply."""
    op.add_column("school", sa.Column("wait_min_s", sa.Integer(), nullable=False, server_default="300"))
    op.add_column("school", sa.Column("wait_max_s", sa.Integer(), nullable=False, server_default="1800"))
    op.add_column("school", sa.Column("shared_by", sa.String(), nullable=False, server_default=""))
    op.execute(_TWICE)
    op.create_index(
        _ONCE,
        "school_service_event",
        ["day", "about", "run_id"],
        unique=True,
        sqlite_where=_STANDS,
        postgresql_where=_STANDS,
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index(_ONCE, "school_service_event")
    for name in ("shared_by", "wait_max_s", "wait_min_s"):
        op.drop_column("school", name)
