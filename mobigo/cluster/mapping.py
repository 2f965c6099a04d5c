"""Mapping: work in independent pieces, done one after another, by processes of this machine, or by Ray on many.

All three give the same results in the same order, for each piece is given all that it rests on, its seed too; a
piece whose budget is in seconds gives what it has by then, wherever it is done.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from mobigo.cluster.process import begin_process, end_process, n_cores
from mobigo.cluster.watching import Faults, Given, Piece, Result, Watch, Work, reason_of

LOOK_S: Final = 0.2
"""How often one looks whether all shall stop while no piece says anything."""


class Engine(StrEnum):
    """Where work is done. All give the same results."""

    SERIAL = "serial"
    PROCESSES = "processes"
    RAY = "ray"


def map_pieces(
    work: Work[Given, Result],
    pieces: Sequence[Piece[Given]],
    engine: Engine,
    *,
    n_workers: int | None = None,
    on_told: Callable[[int, Any], None] = lambda _index, _said: None,
    on_ended: Callable[[int, Result], None] = lambda _index, _result: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[Result]:
    """What `work(given, tell)` gives for each piece, in their order.

    `n_workers` pieces are under way at once: as many as this machine has cores, or Ray has, when it is None. Once
    `is_stopped`, each piece is told so, those not begun at their first word; whoever reads their results then has
    something of every piece. The callbacks run here.

    Raises:
        PieceFailed: names a piece that could not be done, once the others are.
        BadInput: `engine_missing`, when Ray is asked for and is not installed.
    """
    watch = Watch(on_told, on_ended, is_stopped)
    if engine is Engine.RAY:
        from mobigo.cluster.on_ray import map_on_ray

        return map_on_ray(work, pieces, n_workers, watch)
    if engine is Engine.PROCESSES and pieces:
        return _on_processes(work, pieces, min(n_workers or n_cores(), len(pieces)), watch)
    return _in_turn(work, pieces, watch)


def _in_turn(work: Work[Given, Result], pieces: Sequence[Piece[Given]], watch: Watch[Result]) -> list[Result]:
    results, faults = [], Faults(pieces)
    for index, piece in enumerate(pieces):

        def tell(said: object, index: int = index) -> bool:
            if said is not None:
                watch.on_told(index, said)
            return watch.is_stopped()

        try:
            result = work(piece.given, tell)
        except Exception as error:  # noqa: BLE001  whatever it is, the piece is named
            faults.note(index, reason_of(error))
            continue
        results.append(result)
        watch.on_ended(index, result)
    faults.speak()
    return results


class _Worker:
    """A process that does one piece after another."""

    def __init__(self, work: Work[Any, Any]) -> None:
        self.process: subprocess.Popen[bytes]
        self.process, self.connection = begin_process(serve_pieces)
        self.piece = -1
        self.say(work)

    def say(self, word: object) -> None:
        """Say something, unless it has gone, which is met when it is listened to."""
        with suppress(OSError):
            self.connection.send(word)

    def end(self) -> None:
        """End it."""
        end_process(self.process, self.connection)


def _on_processes(
    work: Work[Given, Result], pieces: Sequence[Piece[Given]], n_workers: int, watch: Watch[Result]
) -> list[Result]:
    results: dict[int, Result] = {}
    faults = Faults(pieces)
    left = list(range(len(pieces)))[::-1]
    workers: list[_Worker] = []
    is_stopped = False
    try:
        while left or workers:
            while left and len(workers) < n_workers:
                workers.append(_Worker(work))
                _give(workers[-1], pieces, left, is_stopped)
            talking = {worker.connection: worker for worker in workers}
            for connection in wait(list(talking), LOOK_S):
                worker = talking[connection]  # type: ignore[index]  # of what it was given
                try:
                    kind, value = worker.connection.recv()
                except (EOFError, OSError):
                    kind, value = "gone", "its process has gone"
                if kind == "told":
                    watch.on_told(worker.piece, value)
                    continue
                if kind == "done":
                    results[worker.piece] = value
                    watch.on_ended(worker.piece, value)
                else:
                    faults.note(worker.piece, value)
                if left and kind != "gone":
                    _give(worker, pieces, left, is_stopped)
                else:
                    workers.remove(worker)
                    worker.end()
            if not is_stopped and watch.is_stopped():
                is_stopped = True
                for worker in workers:
                    worker.say(None)
    finally:
        for worker in workers:
            worker.end()
    faults.speak()
    return [results[index] for index in range(len(pieces))]


def _give(worker: _Worker, pieces: Sequence[Piece[Any]], left: list[int], is_stopped: bool) -> None:
    worker.piece = left.pop()
    worker.say((pieces[worker.piece].given, is_stopped))


def serve_pieces(connection: Connection) -> None:
    """What a worker does, until nobody listens any more: it is handed a piece, or None, which is to stop."""
    with suppress(EOFError, OSError):
        work = connection.recv()
        while True:
            word = connection.recv()
            if word is None:
                continue  # the piece was done already
            given, is_stopped = word

            def tell(said: object) -> bool:
                nonlocal is_stopped
                while connection.poll():
                    is_stopped = connection.recv() is None
                if said is not None:
                    connection.send(("told", said))
                return bool(is_stopped)

            try:
                done = "done", work(given, tell)
            except OSError:
                raise  # nobody listens
            except Exception as error:  # noqa: BLE001  whatever it is, the other side names the piece
                done = "failed", reason_of(error)
            connection.send(done)
