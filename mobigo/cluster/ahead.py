"""Ahead: pieces that another process makes before they are asked for.

For work whose pieces come one after another, each resting on the ones before: another
process makes them while this one uses those that are there. It is begun anew, neither forked, so
that it shares no threads and no connections, nor by `multiprocessing`, which would run the program's
main module a second time; it ends with whoever began it, however that ends.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Generator
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from mobigo.cluster.process import begin_process, end_process

log = logging.getLogger(__name__)

Piece = TypeVar("Piece")
MOST_AHEAD: Final = 3
"""Pieces that are made and not used: one that is used now, one that waits, one in case the next takes longer."""


class Ahead(Generic[Piece]):
    """The pieces that `make(*given, start)` yields, made ahead by another process; a context manager.

    `make` is a generator function of a module, and `given` is handed over as it is. Asked for its next
    piece it is sent how many of its pieces were used. What goes wrong there ends it and goes to the log:
    whoever uses the pieces can make each of them as well.
    """

    def __init__(self, make: Callable[..., Generator[Piece, int, None]], given: tuple[Any, ...], start: object) -> None:
        self._process, self._connection = begin_process(serve)
        self._send((make, given))
        self._round = 0
        self._is_over = False
        self.begin(start)

    def take(self) -> Piece | None:
        """The next piece, waited for; None when there is none any more.

        One after the third comes only once those before are told to be used.
        """
        piece: Piece | None
        while not self._is_over:
            try:
                its_round, piece, fault = self._connection.recv()
            except (EOFError, OSError):
                its_round, piece, fault = self._round, None, "it has gone"
            if its_round == self._round:
                self._is_over = piece is None
                if fault is not None:
                    log.warning("nothing is made ahead any more", extra={"reason": fault})
                return piece
        return None

    def tell_used(self) -> None:
        """Say that the piece taken last was used."""
        self._send((self._round, None))

    def begin(self, start: object) -> None:
        """Have it begin anew from `start`: what it has made is thrown away."""
        self._round += 1
        self._send((self._round, (start,)))

    def close(self) -> None:
        """End the other process."""
        self._is_over = True
        end_process(self._process, self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, said: object) -> None:
        with suppress(OSError):  # it has gone: `take` says so
            self._connection.send(said)


def serve(connection: Connection) -> None:
    """What the other process does, until nobody listens any more."""
    make, given = connection.recv()
    made: SimpleQueue[tuple[int, Any, str | None]] = SimpleQueue()
    Thread(target=_send, args=(made, connection), daemon=True).start()
    maker: Generator[Any, int, None] | None = None
    its_round = n_made = n_used = 0
    while True:
        try:
            while maker is None or n_made - n_used >= MOST_AHEAD or connection.poll():
                said_of, begins = connection.recv()
                if begins is not None:
                    its_round, n_made, n_used = said_of, 0, 0
                    maker = make(*given, *begins)
                elif said_of == its_round:
                    n_used += 1
        except (EOFError, OSError):
            return
        piece, fault = None, None
        try:
            piece = maker.send(n_used) if n_made else next(maker)
            n_made += 1
        except StopIteration:
            maker = None
        except Exception as error:  # noqa: BLE001  whatever it is, the other side meets it or does not
            maker, fault = None, type(error).__name__  # its words may be about somebody
        made.put((its_round, piece, fault))


def _send(made: SimpleQueue[tuple[int, Any, str | None]], connection: Connection) -> None:
    """Hand over what was made while the next piece is under way."""
    with suppress(OSError):
        while True:
            # Quicker than `send`, which asks for each object how multiprocessing would have it told.
            connection.send_bytes(pickle.dumps(made.get(), pickle.HIGHEST_PROTOCOL))
