"""Exporting: the books as other programs read them, line by line.

`jsonl` is for whoever verifies them without us: the canonical bytes of each entry with their
hash and chain, then the heads. `csv` has a line for each posting. `beancount` is read by an
accounting program of that name, which sums it all again and compares closing balances.

A period is that of recording, so the same period always gives the same lines: an entry about
an older day that is recorded later belongs to the later period.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Engine

from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.ledger.chain import GENESIS
from mobigo.store.ledger.heads import list_heads
from mobigo.store.ledger.reads import Kept, each_entry, list_balances
from socle.accounting import Account, Posting, RecordedEntry, render_utc
from socle.errors import BadInput
from socle.money import Cents, render_euros
from socle.times import local_day

COLUMNS = ("seq", "recorded_at", "effective_at", "kind", "key", "account", "cents")
_BEFORE_ALL = date(1970, 1, 1)


class Format(StrEnum):
    """How the books are written."""

    BEANCOUNT = "beancount"
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Period:
    """Days of recording in local time, both included; None leaves that end open."""

    first: date | None = None
    last: date | None = None

    def place_of(self, instant: datetime) -> int:
        """Whether `instant` is before (-1), in (0) or after (1) the period."""
        day = local_day(int(instant.timestamp()))
        if self.first is not None and day < self.first:
            return -1
        return 1 if self.last is not None and day > self.last else 0


def export(engine: Engine, format_: Format, period: Period) -> Iterator[str]:
    """The lines of the books in that format, each with its end."""
    return {Format.BEANCOUNT: _beancount, Format.CSV: _csv, Format.JSONL: _jsonl}[format_](engine, period)


def note_export(engine: Engine, format_: Format, by: str, now: datetime) -> None:
    """Write in the log who took the books away: they hold what everybody is paid, under pseudonyms."""
    with transaction(engine) as session:
        record(session, AuditLine(now, by, "ledger.exported", facts={"format": str(format_)}))


def _entries(engine: Engine) -> Iterator[tuple[Kept, RecordedEntry]]:
    with reading(engine) as session:
        for kept in each_entry(session):
            yield kept, kept.read()


def _csv(engine: Engine, period: Period) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")

    def written(*fields: object) -> str:
        line.seek(0)
        line.truncate()
        writer.writerow(fields)
        return line.getvalue()

    yield written(*COLUMNS)
    for _kept, recorded in _entries(engine):
        if period.place_of(recorded.recorded_at) == 0:
            entry = recorded.entry
            instants = render_utc(recorded.recorded_at), render_utc(entry.effective_at)
            for posting in entry.postings:
                yield written(recorded.seq, *instants, entry.kind, entry.key, posting.account, posting.cents)


def _jsonl(engine: Engine, period: Period) -> Iterator[str]:
    if period != Period():
        raise BadInput("period_breaks_chain")
    with reading(engine) as session:
        size, chain = 0, GENESIS
        for kept in each_entry(session):
            yield entry_line(kept.recorded, kept.hash, kept.chain)
            size, chain = kept.seq, kept.chain
        for head in reversed(list_heads(session.connection())):
            yield render_line({"head": head.as_dict()})
        yield render_line({"end": {"chain": chain.hex(), "size": size}})


def entry_line(recorded: bytes, hashed: bytes, chain: bytes) -> str:
    """An entry of an export: its canonical bytes as they are, between its chain and its hash."""
    return f'{{"chain":"{chain.hex()}","entry":{recorded.decode()},"hash":"{hashed.hex()}"}}\n'


def render_line(told: object) -> str:
    """A line of an export that is no entry."""
    return json.dumps(told, sort_keys=True, separators=(",", ":")) + "\n"


def _beancount(engine: Engine, period: Period) -> Iterator[str]:
    """Accounts, what stood on them before the period, its entries, and what stands on them after it.

    What is pending has an account of its own in our books, and so it has in these.
    """
    cents: dict[str, Cents] = {}
    with reading(engine) as session:
        accounts = [balance.account for balance in list_balances(session)]
        names = {account.code: beancount_name(account) for account in accounts}
        yield 'option "title" "Mobigo"\noption "operating_currency" "EUR"\n\n'
        for account in accounts:
            yield f'{_BEFORE_ALL} open {names[account.code]} EUR\n  code: "{account.code}"\n'
        for kept in each_entry(session) if period.first else ():
            recorded = kept.read()
            if period.place_of(recorded.recorded_at) < 0:
                _add(cents, recorded.entry.postings)
        stood = [Posting(code, n) for code, n in sorted(cents.items()) if n]
        if stood:
            yield f'\n{_BEFORE_ALL} * "opening"\n'
            yield "".join(f"  {names[posting.account]}  {_amount(posting.cents)}\n" for posting in stood)
        last = _BEFORE_ALL
        for kept in each_entry(session):
            recorded = kept.read()
            if period.place_of(recorded.recorded_at) == 0:
                entry = recorded.entry
                day = local_day(int(entry.effective_at.timestamp()))
                last = max(last, day)
                _add(cents, entry.postings)
                yield (
                    f'\n{day} * "{entry.kind}" "{entry.key}"\n'
                    f'  seq: {recorded.seq}\n  hash: "{kept.hash.hex()}"\n'
                    f'  recorded_at: "{render_utc(recorded.recorded_at)}"\n'
                )
                yield f'  reverses: "{entry.reverses}"\n' if entry.reverses else ""
                yield "".join(f"  {names[posting.account]}  {_amount(posting.cents)}\n" for posting in entry.postings)
    yield "\n"
    for account in accounts:  # a balance is that of the morning of its day
        yield f"{last + timedelta(days=1)} balance {names[account.code]}  {_amount(cents.get(account.code, 0))}\n"


def _add(cents: dict[str, Cents], postings: Iterable[Posting]) -> None:
    for posting in postings:
        cents[posting.account] = cents.get(posting.account, 0) + posting.cents


def _amount(cents: Cents) -> str:
    return f"{render_euros(cents)} EUR"


def beancount_name(account: Account) -> str:
    """The name of an account for beancount, which wants capitals and knows no underscore; no two are alike.

    `region:subsidy_expense:bfc-lignes` is `Region:SubsidyExpense:Bfc-lignes` under its kind. Codes have no
    capitals, so capitals are free to stand for underscores: `zone_2` is `Zone-N2`.
    """
    code = re.sub(r"_([a-z])", lambda found: found[1].upper(), account.code).replace("_", "-N")
    parts = [part[0].upper() + part[1:] for part in code.split(":")]
    return ":".join([account.kind.capitalize(), *parts])
