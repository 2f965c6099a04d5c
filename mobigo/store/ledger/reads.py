"""Reads: what stands in the books, as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, or_, select
from sqlmodel import Session

from mobigo.store.bulk import ask
from mobigo.store.ledger.rows import ACCOUNT, BALANCE, ENTRY, POSTING
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from socle.accounting import Account, AccountKind, Entry, RecordedEntry, read_recorded
from socle.errors import NotFound
from socle.money import Cents

_PIECE = 2_000  # entries held at a time when all are wanted


@dataclass(frozen=True, slots=True)
class Balance:
    """What stands on an account, debit above zero.

    `available_cents` is what can still be promised or paid, `pending_cents` what is promised and
    not paid yet; `posted_cents`, their sum, is what was paid in and not out.
    """

    account: Account
    available_cents: Cents
    pending_cents: Cents

    @property
    def posted_cents(self) -> Cents:
        """What was paid in and not out."""
        return self.available_cents + self.pending_cents


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as its row holds it: its canonical bytes, and the hashes that hold them in place."""

    seq: int
    recorded: bytes
    hash: bytes
    chain: bytes

    def read(self) -> RecordedEntry:
        """The entry itself.

        Raises:
            BadInput: `bad_entry` when the row was damaged.
        """
        return read_recorded(self.recorded)


_ENTERED = "SELECT bytes FROM entry WHERE key IN ({words})"
_UNDONE = "SELECT reverses FROM entry WHERE reverses IN ({words})"
_KEPT = select(ENTRY.c.seq, ENTRY.c.bytes, ENTRY.c.hash, ENTRY.c.chain)


def list_balances(session: Session) -> Sequence[Balance]:
    """Every account with what stands on it, in the order of opening."""
    rows = session.connection().execute(
        select(ACCOUNT.c.code, ACCOUNT.c.kind, ACCOUNT.c.min_balance_cents, ACCOUNT.c.pending_of, BALANCE.c.cents)
        .join(BALANCE, BALANCE.c.account_id == ACCOUNT.c.id)
        .order_by(ACCOUNT.c.id)
    )
    stands = [(Account(code, AccountKind(kind), least, of), int(cents)) for code, kind, least, of, cents in rows]
    pending: dict[str, Cents] = {}
    for account, cents in stands:
        if account.pending_of is not None:
            pending[account.pending_of] = pending.get(account.pending_of, 0) + cents
    return [Balance(account, cents, pending.get(account.code, 0)) for account, cents in stands]


def balances_cents(session: Session, codes: Sequence[str]) -> dict[str, Cents]:
    """What stands on these accounts, debit above zero; an account that is not open is left out."""
    rows = session.connection().execute(
        select(ACCOUNT.c.code, BALANCE.c.cents)
        .join(BALANCE, BALANCE.c.account_id == ACCOUNT.c.id)
        .where(ACCOUNT.c.code.in_(codes))
    )
    return {code: int(cents) for code, cents in rows}


def get_entry(session: Session, key: str) -> Kept:
    """The entry of that key.

    Raises:
        NotFound: `unknown_entry`.
    """
    row = session.connection().execute(_KEPT.where(ENTRY.c.key == key)).one_or_none()
    if row is None:
        raise NotFound("unknown_entry", key=key)
    return _kept(row)


def list_standing(session: Session, keys: Sequence[str]) -> dict[str, Entry]:
    """Those of the entries of these keys that stand: they were entered, and nothing has reversed them."""
    connection = session.connection()
    undone = {key for (key,) in ask(connection, _UNDONE, keys)}
    entered = [bytes(recorded) for (recorded,) in ask(connection, _ENTERED, [key for key in keys if key not in undone])]
    entries = [read_recorded(recorded).entry for recorded in entered]
    return {entry.key: entry for entry in entries}


def each_entry(session: Session, after: int = 0, last: int | None = None) -> Iterator[Kept]:
    """The entries after number `after`, up to `last`, in order, some thousands held at a time."""
    while True:
        query = _KEPT.where(ENTRY.c.seq > after)
        if last is not None:
            query = query.where(ENTRY.c.seq <= last)
        piece = session.connection().execute(query.order_by(ENTRY.c.seq).limit(_PIECE)).all()
        yield from map(_kept, piece)
        if len(piece) < _PIECE:
            return
        after = int(piece[-1][0])


def _kept(row: Any) -> Kept:
    seq, recorded, hashed, chain = row
    return Kept(int(seq), bytes(recorded), bytes(hashed), bytes(chain))


# --- what the books hold about people: pseudonyms, in the codes of accounts ---


def _accounts_of(whose: Whose) -> Select[tuple[int, str]]:
    """The accounts one part of whose code is the person's pseudonym."""
    name = whose.pseudonym
    code = ACCOUNT.c.code
    return select(ACCOUNT.c.id, code).where(or_(code.endswith(f":{name}"), code.contains(f":{name}:")))


def _export_accounts(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    mine = _accounts_of(whose).subquery()
    rows = session.connection().execute(
        select(mine.c.code, BALANCE.c.cents).join(mine, BALANCE.c.account_id == mine.c.id).order_by(mine.c.id)
    )
    for code, cents in rows:
        yield {"account": code, "favour_cents": -int(cents)}  # a credit of ours is in the person's favour


def _export_entries(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    mine = _accounts_of(whose).subquery()
    rows = session.connection().execute(
        select(ENTRY.c.bytes, mine.c.code, POSTING.c.cents)
        .join(POSTING, POSTING.c.entry_seq == ENTRY.c.seq)
        .join(mine, POSTING.c.account_id == mine.c.id)
        .order_by(ENTRY.c.seq)
    )
    for recorded, code, cents in rows:
        entry = read_recorded(bytes(recorded)).entry
        told = {"at": entry.effective_at, "kind": entry.kind, "key": entry.key, "account": code}
        yield told | {"favour_cents": -int(cents)}


HOLDINGS = (
    Holding("account", ("code", "pending_of"), _export_accounts),
    Holding("entry", ("key", "bytes"), _export_entries),
)
