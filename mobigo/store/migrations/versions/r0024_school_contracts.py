"""School transport: contracts with carriers, indices, what happened on the road, statements, accounts of carriers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from mobigo.store.migrations.triggers import allow_changes, refuse_changes

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def _key(name: str, kind: type = sa.String) -> sa.Column[object]:
    return sa.Column(name, kind(), primary_key=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, _INSTANT, nullable=nullable)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "school_contract",
        _key("contract_id"),
        _key("number", sa.Integer),
        sa.Column("carrier_id", sa.String(), nullable=False, index=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        _text("version"),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        _text("kept_by"),
        _at("kept_at"),
    )
    refuse_changes("school_contract", "contract_id number")
    op.create_table(
        "school_index",
        _key("code"),
        _key("month"),
        _key("number", sa.Integer),
        _whole("value_e4"),
        _text("source"),
        _text("kept_by"),
        _at("kept_at"),
    )
    refuse_changes("school_index", "code month number")
    op.create_table(
        "school_service_event",
        _key("id"),
        _text("kind"),
        sa.Column("day", sa.Date(), nullable=False, index=True),
        *(_text(name) for name in ("about", "run_id", "code", "type_id")),
        *(_whole(name) for name in ("n", "metres", "seconds")),
        sa.Column("has_day", sa.Boolean(), nullable=False),
        _text("told_by"),
        _text("told_for", nullable=True),
        _at("told_at"),
        _text("why"),
        _text("taken_back_by", nullable=True),
        _at("taken_back_at", nullable=True),
        _text("taken_back_why"),
    )
    op.create_table(
        "school_statement",
        _key("contract_id"),
        _key("month"),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        _text("prepared_by"),
        _at("prepared_at"),
        _text("approved_by", nullable=True),
        _at("approved_at", nullable=True),
    )
    op.create_table("school_carrier", _key("holder"), _key("carrier_id"), _text("given_by"), _at("given_at"))


def downgrade() -> None:
    """Undo."""
    for table in ("school_index", "school_contract"):
        allow_changes(table)
    for table in ("carrier", "statement", "service_event", "index", "contract"):
        op.drop_table(f"school_{table}")
