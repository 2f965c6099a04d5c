"""Check: the books read again from the first entry on, and everything said about them compared.

Every entry is looked at with all that repeats it, stretch by stretch and fast (`sound`). When
anything is not exactly as it should be, all are looked at again one by one, to say what: hashed and
chained (`reread`), while the database compares by itself what is repeated beside the bytes
(`compare`). Balances, accounts, heads and triggers are seen to in any case. Whatever differs is a
finding, which names the entry or the account wherever it can be named.

The parts run side by side, each on a state of the database of its own, and none compares across:
entries recorded meanwhile disturb nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DatabaseError

from mobigo.store.base import find_file, is_sqlite, mapped, reading
from mobigo.store.ledger import compare, sound
from mobigo.store.ledger.chain import GENESIS, account_bytes, entry_hash, next_chain
from mobigo.store.ledger.heads import KEPT_BITS, Head, list_heads
from mobigo.store.ledger.reread import Reread
from mobigo.store.ledger.rows import ACCOUNT, ONLY_ADDED_TO, TREE_NODE
from mobigo.store.triggers import REFUSAL, triggers_of
from socle.accounting import Account, AccountKind
from socle.errors import BadInput, Unavailable
from socle.findings import Finding, Severity

FEW: Final = 20_000
"""So few entries are read one by one before the code for more is loaded."""
MOST_FINDINGS: Final = 100  # of one part: a second hundred tells nothing new

IsSigned = Callable[[bytes, bytes, bytes], bool]
"""Whether a public key confirms, of a message, its signature: `mobigo.security.is_signed`."""
Fault = tuple[str, int | None, str | None]
"""What is wrong: its code, the number of the entry, and what else it is about."""
Part = Callable[[Connection], Iterable[Fault]]
"""One part of the check."""
_NEVER = 2**63
_TABLES: Final = ("posting", "entry", "account", "balance", "tree_head", "tree_node")
_ENTRY_BYTES: Final = 256  # in SQLite's file, at least, with its postings and indexes
# A table that cannot be read is told as SQLite tells it; what else goes wrong ends with another code than 0.
_ASK_STRUCTURE: Final = """
import json, sqlite3, sys
told = []
connection = sqlite3.connect(sys.argv[1] + "?mode=ro", uri=True)
connection.execute("PRAGMA mmap_size = 2147483648")
for table in sys.argv[2:]:
    try:
        told += [one for (one,) in connection.execute(f"PRAGMA integrity_check({table})") if one != "ok"]
    except sqlite3.DatabaseError as error:
        told.append(str(error))
print(json.dumps(told))
"""
_THREADS: Final = min(4, os.cpu_count() or 1) + 1  # one waits most of the time, for a process or for PostgreSQL
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was read, and everything that is wrong with it, the first entry first."""

    n_entries: int
    chain: bytes
    root: bytes
    heads: tuple[Head, ...]  # the latest first
    findings: tuple[Finding, ...]

    @property
    def first_bad_seq(self) -> int | None:
        """The number of the first entry that something is wrong with; None when nothing can be tied to one."""
        return _seq_of(self.findings[0]) if self.findings else None


def check_books(engine: Engine, is_signed: IsSigned, few: int = FEW, stretch: int = sound.STRETCH) -> Checked:
    """Everything that is wrong with the books in the database of `engine`.

    A `few` entries are read one by one at once, more of them first by the `stretch`.
    """
    with mapped(engine) as reader:
        return _check(reader, is_signed, few, stretch)


def _check(engine: Engine, is_signed: IsSigned, few: int, stretch: int) -> Checked:
    heads: list[Head] = []

    def read_heads(connection: Connection) -> Iterator[Fault]:
        heads.extend(list_heads(connection))
        yield from ()

    findings = _findings(engine, read_heads)
    sizes = [head.size for head in heads]
    with ThreadPoolExecutor(_THREADS) as beside:
        parts = (*_structure(engine, few), _accounts, _triggers)  # the longest first
        answers = [beside.submit(_findings, engine, part) for part in parts]
        entries = _read_sound(engine, sizes, beside, few, stretch)
        if entries is None:
            entries = Reread(sizes)
            answers += [beside.submit(_findings, engine, _asked(one)) for one in compare.questions(engine.dialect.name)]
            findings += _findings(engine, entries.read)
        findings += [finding for answer in answers for finding in answer.result()]
    findings += _findings(engine, lambda connection: _wrong_heads(connection, entries, heads, is_signed))
    findings.sort(key=lambda finding: _NEVER if (seq := _seq_of(finding)) is None else seq)
    return Checked(entries.n_entries, entries.chain, entries.root(), tuple(heads), tuple(findings))


def _read_sound(engine: Engine, sizes: Sequence[int], beside: Executor, few: int, n_together: int) -> Reread | None:
    """All entries when each of them is as it should be and the balances are their sums, else None.

    None also when there are only `few`.
    """

    def look(work: Callable[[Connection], T]) -> T | None:
        try:
            with reading(engine) as session:
                return work(session.connection())
        except (Unavailable, DatabaseError, engine.dialect.loaded_dbapi.Error):
            return None  # looked at one by one, it is told why

    accounts = look(sound.read_accounts)
    if accounts is None or accounts.n_entries <= few:
        return None
    n = accounts.n_entries
    stretches = [
        beside.submit(look, partial(sound.read_sound, accounts=accounts, begin=begin, end=min(begin + n_together, n)))
        for begin in range(0, n, n_together)
    ]
    entries = Reread(sizes)
    for answer in stretches:
        stretch = answer.result()
        if stretch is None:
            for other in stretches:
                other.cancel()
            return None
        entries.add(stretch)
        accounts.add(stretch)
    return entries if accounts.are_balanced() else None


def _seq_of(finding: Finding) -> int | None:
    seq = finding.facts.get("seq")
    return seq if isinstance(seq, int) else None


def _findings(engine: Engine, part: Part) -> list[Finding]:
    """What one part finds; that the database cannot even be read is a finding too."""
    found: list[Finding] = []
    try:
        with reading(engine) as session:
            for code, seq, what in islice(part(session.connection()), MOST_FINDINGS):
                facts = {"seq": seq, "what": what}
                told = {name: value for name, value in facts.items() if value is not None}
                found.append(Finding(Severity.ERROR, code, facts=told))
    except (Unavailable, DatabaseError) as error:
        reason = error.facts["reason"] if isinstance(error, Unavailable) else str(error.orig)
        found.append(Finding(Severity.ERROR, "ledger_unreadable", facts={"what": reason}))
    return found


def _asked(question: str) -> Part:
    return lambda connection: (tuple(row) for row in connection.exec_driver_sql(question))


def _structure(engine: Engine, few: int) -> Iterator[Part]:
    """What SQLite says of its own pages and indexes; PostgreSQL watches over its own.

    Of many entries another process asks: SQLite's threads wait for each other whenever one of them takes memory,
    so that two came to 175,000 entries a second where one alone came to 147,000.
    """

    def of(table: str, connection: Connection) -> Iterator[Fault]:
        for (told,) in connection.exec_driver_sql(f"PRAGMA integrity_check({table})"):
            if told != "ok":
                yield "ledger_unreadable", None, str(told)

    def beside(file: Path, connection: Connection) -> Iterator[Fault]:
        command = [sys.executable, "-I", "-c", _ASK_STRUCTURE, file.absolute().as_uri()]
        asked = subprocess.run([*command, *_TABLES], capture_output=True, check=False)  # noqa: S603  ourselves, no shell
        if asked.returncode:
            for table in _TABLES:
                yield from of(table, connection)
            return
        for told in json.loads(asked.stdout):
            yield "ledger_unreadable", None, told

    file = find_file(engine)
    if file and file.exists() and file.stat().st_size > few * _ENTRY_BYTES:
        yield partial(beside, file)
    elif is_sqlite(engine):
        yield from (partial(of, table) for table in _TABLES)


def _accounts(connection: Connection) -> Iterator[Fault]:
    """Accounts, chained again; one that follows an altered one is altered too, and the first is told."""
    chain = GENESIS
    for number, row in enumerate(connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.id)), 1):
        id_, code, kind, least, pending_of, told = row
        try:
            account = Account(code, AccountKind(kind), least, pending_of)
            chain = next_chain(chain, entry_hash(account_bytes(account, number)))
            is_same = (id_, bytes(told)) == (number, chain)
        except (BadInput, ValueError, TypeError):
            is_same = False
        if not is_same:
            yield "ledger_account", None, str(code)
            return


def _triggers(connection: Connection) -> Iterator[Fault]:
    """The triggers that should keep rows as they are, and are missing or say something else."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        asked = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    else:
        asked = (
            "SELECT tgname, prosrc FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON "
            "pg_proc.oid = tgfoid WHERE tgenabled IN ('O', 'A') AND relnamespace = current_schema()::regnamespace"
        )
    there: dict[str, Any] = dict(map(tuple, connection.exec_driver_sql(asked)))
    for table, keys in ONLY_ADDED_TO.items():
        refusal = f" BEGIN RAISE EXCEPTION '{table}: {REFUSAL}'; END "
        for name, statement in triggers_of(dialect, table, *keys).items():
            if there.get(name) != (statement if dialect == "sqlite" else refusal):
                yield "ledger_trigger", None, name


def _wrong_heads(connection: Connection, entries: Reread, heads: list[Head], is_signed: IsSigned) -> Iterator[Fault]:
    """Heads that are not of these entries or not signed, and kept nodes that are not of the tree."""
    for head in heads:
        if not is_signed(head.public_key, head.message(), head.signature):
            yield "ledger_signature", None, head.day.isoformat()
        if (head.root, head.chain) != entries.head_at(head.size):
            yield "ledger_head", None, head.day.isoformat()
    nodes = select(TREE_NODE.c.level, TREE_NODE.c.number, TREE_NODE.c.hash).order_by(TREE_NODE.c.level)
    for level, number, told in connection.execute(nodes):
        if level % KEPT_BITS or bytes(told) != entries.tree.node(level, number):
            yield "ledger_node", None, f"{level}/{number}"
