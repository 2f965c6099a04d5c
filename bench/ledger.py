"""Ledger bench: durable postings per second beside what the disk can do, on SQLite and on PostgreSQL.

    python bench/ledger.py [--postgresql ADDRESS] [--seconds 10] [--folder FOLDER] [--entries 300000]

Each client waits until its entry is on the disk before it sends the next: 32 threads, as a server has
for its requests, and 512 coroutines. An entry is a carpool's subsidy: two postings, of which one is on
the account that every entry moves. Beside the writer runs what it replaces: the same entries by the
same 32 clients, each in a transaction of its own.

The goals at 32 and 512 clients are multiples of what the disk does: synchronisations (an append of
4 KiB and fsync, in `--folder`) are timed first, and again right before and after each measurement,
because a shared disk changes by the minute. The goal stops rising at 250 a second, where the issue that
set it reckons with 7,000 postings a second: from there on the processor is the limit, not the disk.

Without `--postgresql`, MOBIGO_TEST_DATABASE names the server; without both, SQLite is measured alone.
The disk of `--folder` should be the server's. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record
from mobigo.security import is_signed
from mobigo.store.base import migrate, open_engine, transaction
from mobigo.store.ledger.books import Books, append
from mobigo.store.ledger.check import check_books
from mobigo.store.ledger.writer import Answer, Writer
from socle.accounting import Account, AccountKind, Entry, Posting

console = Console(width=None if sys.stdout.isatty() else 140)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EXPENSE = "region:subsidy_expense:bfc-lignes"
DRIVERS = [f"driver:{number:032x}:payable" for number in range(1_000)]  # as long as a pseudonym
LEGS = 2
BULK = 1_000  # entries of a transaction
FSYNCS_S = 2.0
GOALS = {32: 28, 512: 60}  # clients -> postings per synchronisation of the disk
DISK = 250  # synchronisations a second beyond which the goals stay
LIVELY_FSYNCS, LIVELY_S = 6, 0.005
BULK_GOAL, VERIFY_GOAL = 13_000, 200_000


def decided(key: str, number: int) -> Entry:
    """A carpool's subsidy."""
    cents = 100 + number % 900
    legs = (Posting(DRIVERS[number % len(DRIVERS)], -cents), Posting(EXPENSE, cents))
    return Entry(key, "carpool_decided", NOW, legs, facts_sha256=f"{number:064x}")


def synchronisations(folder: Path, seconds: float = FSYNCS_S) -> float:
    """How many appends of 4 KiB the disk of `folder` makes durable in a second, one after the other."""
    n_done, begin = 0, time.perf_counter()
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        while time.perf_counter() - begin < seconds:
            file.write(bytes(4096))
            os.fsync(file.fileno())
            n_done += 1
    return n_done / (time.perf_counter() - begin)


@dataclass(frozen=True, slots=True)
class Measured:
    """What clients saw who wait for each answer, and what the disk could do around it."""

    entries_per_s: float
    p50_s: float
    p99_s: float
    cpu_s: float  # of the process, for an entry
    fsyncs_per_s: float

    @property
    def postings_per_s(self) -> float:
        """Legs of entries made durable in a second."""
        return LEGS * self.entries_per_s


class Watch:
    """How long each client waited for each answer, from the end of a third of the time on."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._start = time.perf_counter() + seconds / 3
        self._end = self._start + seconds
        self._run = uuid.uuid4().hex
        self.waits_s: list[float] = []
        self._n_answered = 0
        self._cpu_s = time.process_time()

    def entries(self, client: int) -> Iterator[Entry]:
        """What one client sends: the next entry as soon as the one before is answered."""
        sent, begin = 0, time.perf_counter()
        while begin < self._end:
            sent += 1
            yield decided(f"{self._run}:{client}:{sent}", client * 7 + sent)
            done = time.perf_counter()
            if begin >= self._start and done <= self._end:
                self.waits_s.append(done - begin)
            begin = done
        self._n_answered += sent

    def stop(self) -> None:
        """All clients are done."""
        self._cpu_s = (time.process_time() - self._cpu_s) / self._n_answered

    def told(self, fsyncs_per_s: float) -> Measured:
        """The figures."""
        waits_s = sorted(self.waits_s)
        n = len(waits_s)
        return Measured(n / self.seconds, waits_s[n // 2], waits_s[n * 99 // 100], self._cpu_s, fsyncs_per_s)


def by_threads(watch: Watch, n_clients: int, send: Callable[[Entry], object]) -> None:
    """Clients that have a thread each."""

    def client(number: int) -> None:
        for entry in watch.entries(number):
            send(entry)

    clients = [threading.Thread(target=client, args=(number,)) for number in range(n_clients)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()


def by_coroutines(watch: Watch, n_clients: int, send: Callable[[Entry], Awaitable[object]]) -> None:
    """Clients that share one thread."""

    async def client(number: int) -> None:
        for entry in watch.entries(number):
            await send(entry)

    async def all_of_them() -> None:
        await asyncio.gather(*map(client, range(n_clients)))

    asyncio.run(all_of_them())


def measure(folder: Path, seconds: float, clients: Callable[[Watch], None]) -> Measured:
    """What `clients` see, and what the disk does right before and after."""
    before = synchronisations(folder)
    watch = Watch(seconds)
    clients(watch)
    watch.stop()
    return watch.told(fmean((before, synchronisations(folder))))


def fill(engine: Engine, n_entries: int) -> float:
    """Enter many through the same tables, a thousand in a transaction; entries per second."""
    run, begin = uuid.uuid4().hex, time.perf_counter()
    for first in range(0, n_entries, BULK):
        with transaction(engine) as session:
            append(session, [decided(f"{run}:{number}", number) for number in range(first, first + BULK)], NOW)
    return n_entries / (time.perf_counter() - begin)


class Report:
    """The table of figures and goals."""

    def __init__(self, title: str) -> None:
        self.table = Table(title=title)
        for column in ("figure", "measured", "fsyncs/s", "goal", "reached"):
            self.table.add_column(column, justify="left" if column == "figure" else "right")
        self.figures: dict[str, float] = {}
        self.good = True

    def add(
        self, name: str, value: float, fsyncs_per_s: float, least: float | None = None, most: float | None = None
    ) -> None:
        """A figure, whose name ends with its unit, and its goal."""
        goal = least if most is None else most
        reached = "" if goal is None else "yes" if (value >= goal if most is None else value <= goal) else "no"
        self.good &= reached != "no"
        sign = "≥" if most is None else "≤"
        told = "" if goal is None else f"{sign} {goal:,.0f}" if goal >= 100 else f"{sign} {goal:.1f}"
        self.table.add_row(
            name, f"{value:,.0f}" if value >= 100 else f"{value:.1f}", f"{fsyncs_per_s:.0f}", told, reached
        )
        self.figures[name] = value


def bench(title: str, engine: Engine, folder: Path, seconds: float, n_entries: int) -> Report:
    """Measure the books in the empty database of `engine`."""
    report = Report(f"Ledger, {title}")
    fsyncs_per_s = synchronisations(folder)
    report.add("disk, fsyncs_per_s", fsyncs_per_s, fsyncs_per_s)
    report.add("other work of the machine, load", os.getloadavg()[0], fsyncs_per_s)
    migrate(engine)
    with transaction(engine) as session:
        books = Books(session)
        books.open([Account(EXPENSE, AccountKind.EXPENSES)])
        books.open([Account(code, AccountKind.LIABILITIES) for code in DRIVERS])
        books.flush()
    bulk = fill(engine, n_entries)
    report.add("bulk, postings_per_s", bulk * LEGS, synchronisations(folder), least=BULK_GOAL)
    with Writer(engine) as writer:

        def post(entry: Entry) -> Answer[object]:
            return writer.post([entry], NOW)

        clients = {
            32: lambda watch: by_threads(watch, 32, lambda entry: post(entry).result()),
            512: lambda watch: by_coroutines(watch, 512, post),
        }
        for n_clients, factor in GOALS.items():
            found = measure(folder, seconds, clients[n_clients])
            disk = found.fsyncs_per_s
            name = f"{n_clients} clients"
            report.add(f"{name}, postings_per_s", found.postings_per_s, disk, least=factor * min(disk, DISK))
            report.add(f"{name}, entries_per_s", found.entries_per_s, disk)
            report.add(f"{name}, cpu_us per entry", found.cpu_s * 1e6, disk)
            report.add(f"{name}, p50_ms", found.p50_s * 1e3, disk)
            most_ms = (LIVELY_FSYNCS / min(disk, DISK) + LIVELY_S) * 1e3 if n_clients == 32 else None
            report.add(f"{name}, p99_ms", found.p99_s * 1e3, disk, most=most_ms)

    def enter_alone(entry: Entry) -> None:
        with transaction(engine) as session:
            append(session, [entry], NOW)

    found = measure(folder, seconds, lambda watch: by_threads(watch, 32, enter_alone))
    report.add("32 clients without writer, postings_per_s", found.postings_per_s, found.fsyncs_per_s)
    report.add("32 clients without writer, p99_ms", found.p99_s * 1e3, found.fsyncs_per_s)
    begin = time.perf_counter()
    check_books(engine, is_signed)
    report.add("verify the first time, which loads compiled code, s", time.perf_counter() - begin, fsyncs_per_s)
    begin, cpu_s = time.perf_counter(), time.process_time()
    checked = check_books(engine, is_signed)
    taken_s, cpu_s = time.perf_counter() - begin, time.process_time() - cpu_s
    if checked.findings:
        raise SystemExit(f"the books are not sound: {checked.findings[0]}")
    report.add("verify, entries_per_s", checked.n_entries / taken_s, fsyncs_per_s, least=VERIFY_GOAL)
    report.add("verify, cpu_us per entry", cpu_s / checked.n_entries * 1e6, fsyncs_per_s)
    report.add("verified, entries", checked.n_entries, fsyncs_per_s)
    console.print(report.table)
    record(f"ledger, {title}", report.figures)
    return report


@contextmanager
def schema_of(server: str) -> Iterator[str]:
    """The address of an empty schema of the PostgreSQL server, taken away at the end."""
    schema = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        try:
            yield make_url(server).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(False)
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


def main() -> int:
    """Measure both databases, or SQLite when no server is said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", default=os.environ.get("MOBIGO_TEST_DATABASE", ""), metavar="ADDRESS")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured (default: a temporary one)")
    parser.add_argument("--entries", type=int, default=300_000, help="entered in bulk before, a thousand at a time")
    arguments = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory(prefix="mobigo-ledger-", dir=arguments.folder) as name:
        folder = Path(name)
        engine = open_engine(f"sqlite:///{folder / 'mobigo.sqlite3'}")
        good &= bench("SQLite", engine, folder, arguments.seconds, arguments.entries).good
        engine.dispose()
        if arguments.postgresql:
            with schema_of(arguments.postgresql) as address:
                engine = open_engine(address)
                good &= bench("PostgreSQL", engine, folder, arguments.seconds, arguments.entries).good
                engine.dispose()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
