"""Books: what may be entered, and the entering itself, inside one transaction.

Entries are judged one after the other against what the books hold and what this transaction has
entered before. They are kept in memory meanwhile, so that a refused one costs the database
nothing, and written at the end by a few statements of many rows.

Whoever enters is alone: SQLite lets one transaction write, on PostgreSQL an advisory lock is held
until the commit. The last number, the chain and the balances are read after that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from sqlmodel import Session

from mobigo.store.bulk import Values, add, ask, put
from mobigo.store.ledger.chain import GENESIS, account_bytes, entry_hash, next_chain
from mobigo.store.ledger.rows import ACCOUNT, BALANCE, ENTRY, POSTING
from socle.accounting import REVERSAL, Account, AccountKind, Entry, read_recorded, record_body, render_body
from socle.errors import BadInput, Conflict, NotFound
from socle.money import Cents

TURN: Final = 0x6D6F62696770
"""The advisory lock of whoever enters: any number that no other lock of ours has."""
_MOST_CENTS = 2**63 - 1

_LAST_ENTRY = "SELECT seq, chain FROM entry ORDER BY seq DESC LIMIT 1"
_LAST_ACCOUNT = "SELECT id, chain FROM account ORDER BY id DESC LIMIT 1"
_ENTERED = "SELECT key, seq, body_sha256, hash FROM entry WHERE key IN ({words})"
_STANDINGS = """
    SELECT code, kind, min_balance_cents, pending_of, id, cents, entry_seq
    FROM account JOIN balance ON balance.account_id = account.id WHERE code IN ({words})
"""
_RECORDED = "SELECT bytes FROM entry WHERE key IN ({words})"
_REVERSAL = "SELECT seq FROM entry WHERE reverses IN ({words})"


class Recorded(NamedTuple):
    """Where an entry stands in the books; `replayed` when it stood there before it was sent."""

    key: str
    seq: int
    hash: bytes
    replayed: bool


class Prepared(NamedTuple):
    """An entry with its body and its digest: the work on it that needs no turn at the books.

    It is plain, since a month's come by the million from another process. `legs` are its postings.
    """

    key: str
    legs: tuple[tuple[str, Cents], ...]
    reverses: str | None
    body: bytes
    body_sha256: bytes


def prepare(entry: Entry) -> Prepared:
    """`entry`, ready to be entered."""
    body = render_body(entry)
    return Prepared(entry.key, entry.postings, entry.reverses, body, sha256(body).digest())


@dataclass(slots=True)
class _Standing:
    """An account, and what stands on it as this transaction leaves it."""

    account: Account
    id: int
    cents: Cents
    entry_seq: int


class _EntryRow(NamedTuple):
    """A row of `ENTRY`, column by column; and of `ACCOUNT` below."""

    seq: int
    key: str
    body_sha256: bytes
    recorded: bytes
    hash: bytes
    chain: bytes
    reverses: str | None


class _AccountRow(NamedTuple):
    id: int
    code: str
    kind: str
    min_balance_cents: Cents | None
    pending_of: str | None
    chain: bytes


class Mark(NamedTuple):
    """How far a transaction has come: so many accounts, entries, postings and moves."""

    n_accounts: int
    n_entries: int
    n_postings: int
    n_moves: int


class Books:
    """The books inside one transaction: `flush` writes what was entered, and the caller commits."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection()
        if self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN})")
        last = self._connection.exec_driver_sql(_LAST_ENTRY).one_or_none()
        self._begin_seq, self._begin_chain = (0, GENESIS) if last is None else (int(last[0]), bytes(last[1]))
        self._standings: dict[str, _Standing | None] = {}  # by code, of those looked up; None: there is none
        self._entered: dict[str, tuple[bytes, Recorded] | None] = {}  # by key: digest of the body, and where it stands
        self._reversed: set[str] = set()  # by this transaction
        self._accounts: list[_AccountRow] = []  # to be written, and likewise below
        self._entries: list[_EntryRow] = []
        self._postings: list[Values] = []
        self._moves: list[tuple[_Standing, Cents, int]] = []  # each with what stood there before

    def open(self, accounts: Iterable[Account]) -> None:
        """Open those of `accounts` that are not open yet.

        Raises:
            Conflict: `account_differs` when one of that name has other terms.
            NotFound: `unknown_account` when the account that one is pending of is not open.
        """
        wanted = [account for account in accounts if not self._is_open(account)]
        if not wanted:
            return
        self.look_up((), [code for account in wanted for code in (account.code, account.pending_of) if code])
        mark = self.mark()
        try:
            for account in wanted:
                self._open(account)
        except Exception:
            self.restore(mark)
            raise

    def append(self, entries: Sequence[Prepared], now: datetime) -> tuple[Recorded, ...]:
        """Enter all of `entries`, recorded at `now`, or none of them.

        Raises:
            Conflict: `entry_key_reused` for a key that names another entry, `balance_too_low`, `reversed_already`,
                `reversal_of_reversal`.
            NotFound: `unknown_account`, `unknown_entry` (to reverse).
            BadInput: `not_the_negation`.
        """
        self.look_up(
            [prepared.key for prepared in entries],
            [code for prepared in entries for code, _cents in prepared.legs],
        )
        return self.enter(entries, now)

    def enter(self, entries: Sequence[Prepared], now: datetime) -> tuple[Recorded, ...]:
        """As `append`, when all keys and accounts of `entries` were looked up, or their accounts opened, before.

        Raises:
            Conflict, NotFound, BadInput: as `append`.
        """
        mark = self.mark()
        try:
            return tuple([self._append(prepared, now) for prepared in entries])
        except Exception:
            self.restore(mark)
            raise

    def balance_cents(self, code: str) -> Cents:
        """What stands on an account, with all that was entered so far.

        Raises:
            NotFound: `unknown_account`.
        """
        self.look_up((), (code,))
        return self._get_standing(code).cents

    def look_up(self, keys: Iterable[str], codes: Iterable[str]) -> None:
        """Read what the books hold under `keys` and `codes`, of what was not read yet: few questions for many units."""
        new_keys = {key for key in keys if key not in self._entered}
        new_codes = {code for code in codes if code not in self._standings}
        if new_keys:
            self._entered.update(dict.fromkeys(new_keys))
            for key, seq, digest, hashed in ask(self._connection, _ENTERED, new_keys):
                self._entered[key] = (digest, Recorded(key, seq, hashed, replayed=True))
        if new_codes:
            self._standings.update(dict.fromkeys(new_codes))
            for code, kind, least, pending_of, *stands in ask(self._connection, _STANDINGS, new_codes):
                self._standings[code] = _Standing(account_of(code, kind, least, pending_of), *stands)

    def mark(self) -> Mark:
        """How far this transaction has come."""
        return Mark(len(self._accounts), len(self._entries), len(self._postings), len(self._moves))

    def restore(self, mark: Mark) -> None:
        """Forget what was entered since `mark`."""
        for standing, cents, entry_seq in reversed(self._moves[mark.n_moves :]):
            standing.cents, standing.entry_seq = cents, entry_seq
        for row in self._entries[mark.n_entries :]:
            self._entered[row.key] = None
            if row.reverses is not None:
                self._reversed.discard(row.reverses)
        for opened in self._accounts[mark.n_accounts :]:
            self._standings[opened.code] = None
        del self._moves[mark.n_moves :], self._postings[mark.n_postings :]
        del self._entries[mark.n_entries :], self._accounts[mark.n_accounts :]

    def flush(self) -> None:
        """Write what was entered."""
        stands = {row.id: (row.id, 0, 0) for row in self._accounts}
        for standing, _cents, _seq in self._moves:
            stands[standing.id] = (standing.id, standing.cents, standing.entry_seq)
        add(self._connection, ACCOUNT, self._accounts)
        add(self._connection, ENTRY, self._entries)
        add(self._connection, POSTING, self._postings)
        put(self._connection, BALANCE, [stands[id_] for id_ in sorted(stands)])

    def _is_open(self, account: Account) -> bool:
        standing = self._standings.get(account.code)
        return standing is not None and (standing.account is account or standing.account == account)

    def _open(self, account: Account) -> None:
        standing = self._standings[account.code]
        if standing is not None:
            if standing.account != account:
                raise Conflict("account_differs", account=account.code)
            return
        if account.pending_of is not None:
            self._get_standing(account.pending_of)
        if self._accounts:
            last_id, chain = self._accounts[-1].id, self._accounts[-1].chain
        else:
            last = self._connection.exec_driver_sql(_LAST_ACCOUNT).one_or_none()
            last_id, chain = (0, GENESIS) if last is None else (int(last[0]), bytes(last[1]))
        id_ = last_id + 1
        chain = next_chain(chain, entry_hash(account_bytes(account, id_)))
        least, pending_of = account.min_balance_cents, account.pending_of
        self._accounts.append(_AccountRow(id_, account.code, str(account.kind), least, pending_of, chain))
        self._standings[account.code] = _Standing(account, id_, 0, 0)

    def _append(self, prepared: Prepared, now: datetime) -> Recorded:
        key, legs, reverses, body, digest = prepared
        known = self._entered[key]
        if known is not None:
            if known[0] != digest:
                raise Conflict("entry_key_reused", key=key)
            return known[1]
        if reverses is not None:
            self._check_reversal(prepared, reverses)
        seq = self._begin_seq + len(self._entries) + 1
        for code, moved in legs:
            standing = self._get_standing(code)
            cents = standing.cents + moved
            least = standing.account.min_balance_cents
            if least is not None and moved < 0 and cents < least:
                raise Conflict("balance_too_low", account=code, balance_cents=cents, min_balance_cents=least)
            if abs(cents) > _MOST_CENTS:
                raise Conflict("balance_out_of_range", account=code)
            self._moves.append((standing, standing.cents, standing.entry_seq))
            standing.cents, standing.entry_seq = cents, seq
            self._postings.append((seq, standing.id, moved))
        recorded = record_body(body, seq, now)
        hashed = entry_hash(recorded)
        chain = next_chain(self._entries[-1].chain if self._entries else self._begin_chain, hashed)
        self._entries.append(_EntryRow(seq, key, digest, recorded, hashed, chain, reverses))
        if reverses is not None:
            self._reversed.add(reverses)
        self._entered[key] = (digest, Recorded(key, seq, hashed, replayed=True))
        return Recorded(key, seq, hashed, replayed=False)

    def _check_reversal(self, reversal: Prepared, key: str) -> None:
        self.look_up((key,), ())
        found = self._entered[key]
        if found is None:
            raise NotFound("unknown_entry", key=key)
        if found[1].seq > self._begin_seq:
            recorded = self._entries[found[1].seq - self._begin_seq - 1].recorded
        else:
            ((recorded,),) = ask(self._connection, _RECORDED, (key,))
        original = read_recorded(recorded).entry
        if original.kind == REVERSAL:
            raise Conflict("reversal_of_reversal", key=key)
        if key in self._reversed or ask(self._connection, _REVERSAL, (key,)):
            raise Conflict("reversed_already", key=key)
        if {(each.account, -each.cents) for each in original.postings} != set(reversal.legs):
            raise BadInput("not_the_negation", key=key)

    def _get_standing(self, code: str) -> _Standing:
        standing = self._standings[code]
        if standing is None:
            raise NotFound("unknown_account", account=code)
        return standing


@lru_cache(maxsize=200_000)
def account_of(code: str, kind: str, min_balance_cents: Cents | None, pending_of: str | None) -> Account:
    """The account of that row; terms never change, so those of the accounts in use are read once."""
    return Account(code, AccountKind(kind), min_balance_cents, pending_of)


def append(session: Session, entries: Iterable[Entry], now: datetime) -> tuple[Recorded, ...]:
    """Enter `entries` in the transaction of `session`: for those who need no writer, such as an import in bulk.

    Raises:
        Conflict, NotFound, BadInput: as `Books.append`.
    """
    books = Books(session)
    recorded = books.append([prepare(entry) for entry in entries], now)
    books.flush()
    return recorded
