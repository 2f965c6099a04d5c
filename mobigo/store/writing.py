"""Writing: who may write to a SQLite file for long.

Short commands take their turn in the file itself. A process that stays (a server, a worker)
holds the seat beside the file, a lock that the system lets go of when the process dies, however
it dies: the next one in the queue has it at once. A socket beside it is where the others hand
the sitter their writes (see `mobigo.handover`). PostgreSQL needs no seat.
"""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from sqlalchemy import Engine

from mobigo.store.base import is_sqlite

_LONGEST_ADDRESS = 100


class Seat:
    """The seat of the SQLite file at `database`, held by one process at a time."""

    def __init__(self, database: Path) -> None:
        self._lock = database.with_name(f"{database.name}-writer.lock")
        self._socket = database.with_name(f"{database.name}-writer.sock")
        self._folder: int | None = None
        self._held: int | None = None

    def try_to_take(self) -> bool:
        """Take the seat if it is free; whether this process has it now."""
        return self._held is not None or self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)

    def wait(self) -> None:
        """Take the seat as soon as it is free."""
        if self._held is None:
            self._take(fcntl.LOCK_EX)

    def socket_address(self) -> str:
        """Where the one who has the seat listens; through the folder where a socket's 107 bytes are too few."""
        if len(os.fsencode(self._socket)) <= _LONGEST_ADDRESS:
            return str(self._socket)
        if self._folder is None:
            self._socket.parent.mkdir(parents=True, exist_ok=True)
            self._folder = os.open(self._socket.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._folder}/{self._socket.name}"

    def listen(self) -> socket.socket:
        """Listen for the others; only this user's processes reach it. For the one who has the seat."""
        self._socket.unlink(missing_ok=True)  # that of one who died
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(self.socket_address())
        finally:
            os.umask(before)
        return listener

    def is_taken_by_one_who_listens_not(self) -> bool:
        """Whether another has the seat whom nobody can hand anything: a worker, not a server."""
        if self.try_to_take():
            self.leave()
            return False
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with probe:
            return probe.connect_ex(self.socket_address()) != 0

    def leave(self) -> None:
        """Let the next one have it."""
        for descriptor in (self._held, self._folder):
            if descriptor is not None:
                os.close(descriptor)
        self._held = self._folder = None

    def _take(self, how: int) -> bool:
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._held = descriptor
        return True


def find_seat(engine: Engine) -> Seat | None:
    """The seat of this database; None where many may write."""
    database = engine.url.database
    if not is_sqlite(engine) or not database or database == ":memory:":
        return None
    return Seat(Path(database).absolute())
