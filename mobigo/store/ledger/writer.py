"""Writer: one thread that enters for everybody, many units of work in one commit.

A commit costs a disk's synchronisation whether it holds one entry or five hundred, so units that
wait together are committed together, and each caller is answered once their unit is on the disk.
A unit that fails is undone alone.

Being alone makes the writer fast, not correct: `Books` reads the last number, the chain and the
balances in each transaction, so other processes may enter too, in their turn. On SQLite, where a
turn is the whole database, one process at a time may have a writer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from mobigo.store.base import is_sqlite, transaction
from mobigo.store.files import only_one
from mobigo.store.garbage import rarely_collected
from mobigo.store.ledger.books import Books, Prepared, Recorded, prepare
from socle.accounting import Account, Entry
from socle.errors import Unavailable

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
Work = Callable[[Session, Books], T]
"""Changes of state and entries that belong together, done in the writer's thread: short, and waiting for nothing."""

MOST_UNITS: Final = 512  # of one commit
LINGER_S: Final = 0.0003
MOST_WAITING: Final = 10_000  # beyond which a caller is told to come back later


class Answer(Generic[T_co]):
    """What becomes of a unit, once it is known: a thread asks for its `result`, one coroutine awaits it.

    Whoever stops waiting has the unit done all the same.

    A lock, held until it is known: the condition inside a future of Python's cost twice as much as all
    else between a caller and the writer when five hundred waited. Coroutines of a loop are told together.
    """

    __slots__ = ("_asleep", "_error", "_unknown", "_value")

    def __init__(self) -> None:
        self._unknown = threading.Lock()
        self._unknown.acquire()
        self._value: T_co
        self._error: BaseException | None = None
        self._asleep: asyncio.Future[None] | None = None

    def result(self, timeout_s: float | None = None) -> T_co:
        """What the unit answered, once it is on the disk.

        Raises:
            TimeoutError: it is not known after `timeout_s`.
            Exception: what the unit raised, or why nothing could be committed.
        """
        error = self.exception(timeout_s)
        if error is not None:
            raise error
        return self._value

    def exception(self, timeout_s: float | None = None) -> BaseException | None:
        """What the unit raised; None when all is well.

        Raises:
            TimeoutError: it is not known after `timeout_s`.
        """
        if not self._unknown.acquire(timeout=-1 if timeout_s is None else timeout_s):
            raise TimeoutError
        self._unknown.release()
        return self._error

    def __await__(self) -> Generator[Any, None, T_co]:
        """As `result`, without a thread."""
        asleep = self._asleep = asyncio.get_running_loop().create_future()
        if self._unknown.locked():  # the writer looks for who is asleep after it has made the answer known
            yield from asleep
        return self.result(0)

    def tell(self, value: Any = None, error: BaseException | None = None) -> asyncio.Future[None] | None:
        """Said by the writer, once; whom it has to wake in their loop."""
        self._value, self._error = value, error
        self._unknown.release()
        return self._asleep


def _wake(asleep: Sequence[asyncio.Future[None]]) -> None:
    """Wake the coroutines of one loop, each in it."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for one in asleep:
        loops.setdefault(one.get_loop(), []).append(one)
    for loop, its in loops.items():
        with suppress(RuntimeError):  # it is closed: nobody waits any more
            loop.call_soon_threadsafe(_wake_here, its)


def _wake_here(asleep: Sequence[asyncio.Future[None]]) -> None:
    for one in asleep:
        if not one.done():  # or they were cancelled
            one.set_result(None)


@dataclass(slots=True)
class _Unit:
    """What one caller wants. `entries` are known beforehand, unless it `uses_session`."""

    answer: Answer[Any]
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
        self._held.enter_context(rarely_collected())
        self._waiting: SimpleQueue[_Unit | None] = SimpleQueue()
        self._door = threading.Lock()
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="ledger-writer")
        self._thread.start()

    def post(
        self, entries: Iterable[Entry], now: datetime, accounts: Iterable[Account] = ()
    ) -> Answer[tuple[Recorded, ...]]:
        """Open those of `accounts` that are not open yet and enter `entries`, recorded at `now`: all or nothing.

        The answer comes once it is on the disk, or raises what `Books.open` and `Books.append` raise.

        Raises:
            Unavailable: `ledger_closed`, `ledger_busy`.
        """
        prepared = [prepare(entry) for entry in entries]
        opened = tuple(accounts)

        def enter(_session: Session, books: Books) -> tuple[Recorded, ...]:
            if not opened:
                return books.enter(prepared, now)
            mark = books.mark()
            try:
                books.open(opened)
                return books.enter(prepared, now)
            except BaseException:
                books.restore(mark)
                raise

        return self._put(_Unit(Answer(), enter, prepared, uses_session=False))

    def run(self, work: Work[T]) -> Answer[T]:
        """Do `work` in a savepoint of its own: what it changes and what it enters stands together or not at all.

        Raises:
            Unavailable: as `post`.
        """
        return self._put(_Unit(Answer(), work))

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

    def _put(self, unit: _Unit) -> Answer[Any]:
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
        failed: list[tuple[_Unit, BaseException]] = []
        try:
            with transaction(self._engine) as session:
                books = Books(session)
                entries = [prepared for unit in units for prepared in unit.entries]
                codes = [code for prepared in entries for code, _cents in prepared.legs]
                books.look_up([prepared.key for prepared in entries], codes)
                for unit in units:
                    try:
                        done.append((unit, _do(unit, session, books)))
                    except BaseException as error:  # noqa: BLE001  whatever one unit raises is its caller's
                        failed.append((unit, error))
                books.flush()
        except BaseException as fault:  # noqa: BLE001  nothing was committed: all callers are told why
            failed = [(unit, fault) for unit in units]
            done = []
        told = [unit.answer.tell(answer) for unit, answer in done]
        told += [unit.answer.tell(error=reason) for unit, reason in failed]
        _wake([asleep for asleep in told if asleep is not None])


def _do(unit: _Unit, session: Session, books: Books) -> Any:
    if not unit.uses_session:  # then nothing of it is in the database before the flush
        return unit.work(session, books)
    mark = books.mark()
    connection = session.connection()
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        answer = unit.work(session, books)
        session.flush()
    except BaseException:
        # A savepoint of the session's own costs ten times these statements. Without one it has to forget all
        # that it holds, which nobody needs: what units before this one changed is flushed.
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
        connection.exec_driver_sql("RELEASE SAVEPOINT unit")
        session.expunge_all()
        books.restore(mark)
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT unit")
    return answer
