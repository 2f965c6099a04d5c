"""Writer: one thread that enters for everybody, many units of work in one commit.

A commit costs a disk's synchronisation whether it holds one entry or five hundred, so units that
wait together are committed together, and each caller is answered once their unit is on the disk.
A unit that fails is undone alone.

Being alone makes the writer fast, not correct: `Books` reads the last number, the chain and the
balances in each transaction, so other processes may enter too, in their turn. On SQLite, where a
turn is the whole database, one process at a time may have a writer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from mobigo.store.base import is_sqlite, transaction
from mobigo.store.files import only_one
from mobigo.store.ledger.books import Books, Prepared, Recorded, prepare
from socle.accounting import Account, Entry
from socle.errors import Unavailable

T = TypeVar("T")
Work = Callable[[Session, Books], T]
"""Changes of state and entries that belong together, done in the writer's thread: short, and waiting for nothing."""

MOST_UNITS: Final = 512  # of one commit
LINGER_S: Final = 0.0003
MOST_WAITING: Final = 10_000  # beyond which a caller is told to come back later


@dataclass(slots=True)
class _Unit:
    """What one caller wants. `entries` are known beforehand, unless it `uses_session`."""

    answer: Future[Any]
    work: Work[Any]
    entries: Sequence[Prepared] = ()
    uses_session: bool = True


class Writer:
    """The thread that enters, from the making of the writer until `close`; a context manager.

    Raises:
        Conflict: `already_running` when another process has the writer of this SQLite file.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held = ExitStack()
        if is_sqlite(engine) and engine.url.database:
            place = Path(engine.url.database)
            self._held.enter_context(only_one(place.parent, f"{place.name}.ledger"))
        self._waiting: SimpleQueue[_Unit | None] = SimpleQueue()
        self._door = threading.Lock()
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="ledger-writer")
        self._thread.start()

    def post(
        self, entries: Iterable[Entry], now: datetime, accounts: Iterable[Account] = ()
    ) -> Future[tuple[Recorded, ...]]:
        """Open those of `accounts` that are not open yet and enter `entries`, recorded at `now`: all or nothing.

        The answer comes once it is on the disk, or raises what `Books.open` and `Books.append` raise.

        Raises:
            Unavailable: `ledger_closed`, `ledger_busy`.
        """
        prepared = [prepare(entry) for entry in entries]
        opened = tuple(accounts)

        def enter(_session: Session, books: Books) -> tuple[Recorded, ...]:
            books.open(opened)
            return books.append(prepared, now)

        return self._put(_Unit(Future(), enter, prepared, uses_session=False))

    def run(self, work: Work[T]) -> Future[T]:
        """Do `work` in a savepoint of its own: what it changes and what it enters stands together or not at all.

        Raises:
            Unavailable: as `post`.
        """
        return self._put(_Unit(Future(), work))

    def close(self) -> None:
        """Finish the units that wait, refuse others, and let the books go."""
        with self._door:
            if self._is_open:
                self._is_open = False
                self._waiting.put(None)
        self._thread.join()
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, unit: _Unit) -> Future[Any]:
        if self._waiting.qsize() >= MOST_WAITING:
            raise Unavailable("ledger_busy")
        with self._door:  # so that nothing is left in the queue behind the mark of the end
            if not self._is_open:
                raise Unavailable("ledger_closed")
            self._waiting.put(unit)
        return unit.answer

    def _run(self) -> None:
        n_before = 0
        while True:
            units, is_last = self._gather(n_before)
            self._enter(units)
            n_before = len(units)
            if is_last:
                return

    def _gather(self, n_expected: int) -> tuple[list[_Unit], bool]:
        """The units of the next commit; whether they are the last.

        Callers that were just answered often come again at once: as many as before are waited for,
        as long as they come thick, or each commit would carry half of them.
        """
        units: list[_Unit] = []
        unit = self._waiting.get()
        try:
            while unit is not None:
                if unit.answer.set_running_or_notify_cancel():
                    units.append(unit)
                if len(units) >= MOST_UNITS:
                    return units, False
                unit = self._waiting.get(timeout=LINGER_S if len(units) < n_expected else 0)
        except Empty:
            return units, False
        return units, True

    def _enter(self, units: Sequence[_Unit]) -> None:
        """Do `units` in one transaction and answer everybody."""
        if not units:
            return
        done: list[tuple[_Unit, Any]] = []
        failed: list[tuple[_Unit, Exception]] = []
        try:
            with transaction(self._engine) as session:
                books = Books(session)
                entries = [prepared.entry for unit in units for prepared in unit.entries]
                codes = [posting.account for entry in entries for posting in entry.postings]
                books.look_up([entry.key for entry in entries], codes)
                for unit in units:
                    try:
                        done.append((unit, _do(unit, session, books)))
                    except Exception as error:  # noqa: BLE001  whatever one unit raises is its caller's
                        failed.append((unit, error))
                books.flush()
        except Exception as fault:  # noqa: BLE001  nothing was committed: all callers are told why
            failed = [(unit, fault) for unit in units]
            done = []
        for unit, answer in done:
            unit.answer.set_result(answer)
        for unit, reason in failed:
            unit.answer.set_exception(reason)


def _do(unit: _Unit, session: Session, books: Books) -> Any:
    mark = books.mark()
    if not unit.uses_session:  # then nothing of it is in the database before the flush
        try:
            return unit.work(session, books)
        except Exception:
            books.restore(mark)
            raise
    connection = session.connection()
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        answer = unit.work(session, books)
        session.flush()
    except Exception:
        # A savepoint of the session's own costs ten times these statements. Without one it has to forget all
        # that it holds, which nobody needs: what units before this one changed is flushed.
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
        connection.exec_driver_sql("RELEASE SAVEPOINT unit")
        session.expunge_all()
        books.restore(mark)
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT unit")
    return answer
