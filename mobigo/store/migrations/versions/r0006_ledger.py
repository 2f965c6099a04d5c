"""The books."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from mobigo.store.migrations.triggers import allow_changes, refuse_changes

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Table -> its unique keys. A REPLACE that hits a key would take the old row away.
_ONLY_ADDED_TO = {
    "account": ("id", "code"),
    "entry": ("seq", "key"),
    "posting": ("entry_seq account_id",),
    "tree_head": ("day",),
    "tree_node": ("level number",),
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("code", sa.String(), nullable=False, unique=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("min_balance_cents", sa.BigInteger(), nullable=True),
        sa.Column("pending_of", sa.String(), sa.ForeignKey("account.code"), nullable=True),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "entry",
        sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("reverses", sa.String(), nullable=True),
    )
    where = sa.text("reverses IS NOT NULL")
    op.create_index("ix_entry_reverses", "entry", ["reverses"], unique=True, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "posting",
        sa.Column("entry_seq", _NUMBER, sa.ForeignKey("entry.seq"), primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_posting_account", "posting", ["account_id", "entry_seq"])
    op.create_table(
        "balance",
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id"), primary_key=True, autoincrement=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("entry_seq", _NUMBER, nullable=False),
    )
    op.create_table(
        "tree_head",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "tree_node",
        sa.Column("level", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    for table, keys in _ONLY_ADDED_TO.items():
        refuse_changes(table, *keys)


def downgrade() -> None:
    """Undo."""
    for table in _ONLY_ADDED_TO:
        allow_changes(table)
    for table in ("tree_node", "tree_head", "balance", "posting", "entry", "account"):
        op.drop_table(table)
