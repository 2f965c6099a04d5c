"""Recall: what was read from the database is not read again until something has been written to it.

A question of a microsecond costs a third of a millisecond with its session and its transaction, and some
are put at every request: has anything changed, whose key is this. SQLite tells a connection whether another
one has committed since it last looked (`PRAGMA data_version`), without a transaction and for some
microseconds. PostgreSQL tells nothing of the kind for less than the question costs, so it is asked again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event
from sqlalchemy.exc import SQLAlchemyError

from mobigo.store.base import find_file, reading

T = TypeVar("T")
_MOST_KEPT = 1_000  # answers; anybody may ask for keys that do not exist

Seen = tuple[int, int, int]  # device and number of the file, and what a connection to it counted


class _Kept:
    """What is known of one database in this process."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: Any = None
        self._file = (0, 0)
        self._seen: Seen | None = None
        self._answers: dict[Hashable, Any] = {}
        event.listen(engine, "engine_disposed", lambda _engine: self._close())

    def find(self, engine: Engine, asked: Hashable) -> tuple[Seen | None, Any]:
        """The state of the database, and what is known of it, if that is."""
        with self._lock:
            seen = self._look(engine)
            if seen != self._seen or len(self._answers) > _MOST_KEPT:
                self._seen, self._answers = seen, {}
            return seen, self._answers.get(asked)

    def keep(self, seen: Seen, asked: Hashable, answer: Any) -> None:
        """Keep what was read when, or after, that was seen."""
        with self._lock:
            if seen == self._seen:
                self._answers[asked] = (answer,)

    def _look(self, engine: Engine) -> Seen | None:
        """None where nothing can be seen: whoever reads then is told why."""
        try:
            status = self._path.stat()
            file = status.st_dev, status.st_ino
            if self._connection is None or file != self._file:
                self._close_it()
                pooled = engine.raw_connection()
                pooled.detach()
                self._connection, self._file = pooled.dbapi_connection, file
            (counted,) = self._connection.execute("PRAGMA data_version").fetchone()
        except (OSError, sqlite3.Error, SQLAlchemyError):
            self._close_it()
            return None
        return (*file, counted)

    def _close(self) -> None:
        with self._lock:
            self._close_it()

    def _close_it(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._seen = None
        self._answers = {}


_kept: WeakKeyDictionary[Engine, _Kept] = WeakKeyDictionary()
_making = threading.Lock()


def recall(engine: Engine, read: Callable[..., T], *values: Hashable) -> T:
    """What `read` answers in a session of its own, given these values: something that nobody changes.

    Raises:
        Unavailable: as `reading`.
    """
    kept = _kept.get(engine) or _make(engine)
    if kept is None:
        return _read(engine, read, *values)
    seen, known = kept.find(engine, (read, values))
    if known is not None:
        answer: T = known[0]
        return answer
    answer = _read(engine, read, *values)
    if seen is not None:
        kept.keep(seen, (read, values), answer)
    return answer


def is_known(engine: Engine, read: Callable[..., Any], *values: Hashable) -> bool:
    """Whether `recall` would answer without reading."""
    kept = _kept.get(engine)
    return kept is not None and kept.find(engine, (read, values))[1] is not None


def _read(engine: Engine, read: Callable[..., T], *values: Hashable) -> T:
    with reading(engine) as session:
        return read(session, *values)


def _make(engine: Engine) -> _Kept | None:
    path = find_file(engine)
    if path is None:
        return None
    with _making:
        if engine not in _kept:
            _kept[engine] = _Kept(engine, path)
        return _kept[engine]
