"""Rows of the books: accounts, entries, postings, balances, the head of each day.

Accounts, entries, postings and heads are only ever added; triggers refuse anything else. What an
entry says is in `entry.bytes` alone, and hashed; postings and balances repeat it in a shape that
can be summed, and `check` compares them.

They are tables without classes: entries come and go by the thousand, and an object for each line
is five to fourteen times as slow.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, LargeBinary, String, Table
from sqlmodel import SQLModel

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit number on both: SQLite's INTEGER is one, and only under that name is it the row's own number."""

ACCOUNT: Final = Table(
    "account",
    SQLModel.metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 …
    Column("code", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("min_balance_cents", BigInteger),
    Column("pending_of", String, ForeignKey("account.code")),
    Column("chain", LargeBinary, nullable=False),  # over the accounts, so that none is edited unseen
)

_REVERSES = Column("reverses", String)  # the key of an entry, which is reversed once at most

ENTRY: Final = Table(
    "entry",
    SQLModel.metadata,
    Column("seq", _NUMBER, primary_key=True, autoincrement=False),  # 1, 2, 3 …
    Column("key", String, nullable=False, unique=True),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("bytes", LargeBinary, nullable=False),  # canonical, see `socle.accounting.record_body`
    Column("hash", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    _REVERSES,
    Index(
        "ix_entry_reverses",
        "reverses",
        unique=True,
        sqlite_where=_REVERSES.is_not(None),
        postgresql_where=_REVERSES.is_not(None),
    ),
)

POSTING: Final = Table(
    "posting",
    SQLModel.metadata,
    Column("entry_seq", _NUMBER, ForeignKey("entry.seq"), primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id"), primary_key=True),
    Column("cents", BigInteger, nullable=False),
    Index("ix_posting_account", "account_id", "entry_seq"),
    sqlite_with_rowid=False,
)

BALANCE: Final = Table(
    "balance",
    SQLModel.metadata,
    Column("account_id", Integer, ForeignKey("account.id"), primary_key=True, autoincrement=False),
    Column("cents", BigInteger, nullable=False),
    Column("entry_seq", _NUMBER, nullable=False),  # the last one that moved it; 0 before any
)

TREE_HEAD: Final = Table(
    "tree_head",
    SQLModel.metadata,
    Column("day", Date, primary_key=True),
    Column("size", _NUMBER, nullable=False),  # it is over entries 1 to `size`
    Column("root", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),  # Ed25519
    Column("signature", LargeBinary, nullable=False),
)

TREE_NODE: Final = Table(
    "tree_node",
    SQLModel.metadata,
    # The head of the 2**level entries from number * 2**level on, for levels 8, 16, 24 …: a proof is made of
    # some hundreds of hashes, however many entries there are.
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", _NUMBER, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Tables that triggers keep as they are, with their unique keys (see `migrations.triggers`).
ONLY_ADDED_TO: Final = {
    "account": ("id", "code"),
    "entry": ("seq", "key"),
    "posting": ("entry_seq account_id",),
    "tree_head": ("day",),
    "tree_node": ("level number",),
}
