"""On Ray: pieces done by the machines of a Ray cluster, which have the same Mobigo installed (`mobigo[cluster]`).

Without one that runs already (`RAY_ADDRESS`), Ray begins one on this machine and ends it afterwards. Ray's own
reports of use to its makers are off unless somebody turns them on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Final

from mobigo.cluster.watching import Faults, Given, Piece, Result, Watch, Work, reason_of
from socle.errors import BadInput

ASK_S: Final = 0.25
"""How often a piece asks over the network whether to stop, and how often one looks at what pieces have told."""


class Board:
    """Where pieces write what they tell and read whether to stop: an actor, somewhere in the cluster."""

    def __init__(self) -> None:
        self._told: list[tuple[int, object]] = []
        self._is_stopped = False

    def tell(self, index: int, said: object) -> None:
        """A piece tells something."""
        self._told.append((index, said))

    def take(self) -> list[tuple[int, object]]:
        """What was told since it was asked for last."""
        told, self._told = self._told, []
        return told

    def stop(self) -> None:
        """All pieces are to stop."""
        self._is_stopped = True

    def is_stopped(self) -> bool:
        """Whether they are."""
        return self._is_stopped


def do_piece(work: Work[Given, Result], index: int, given: Given, board: Any) -> tuple[Result | None, str | None]:
    """What a piece comes to, or why it does not: an error's own class need not be known to who waits."""
    import ray

    asked, is_stopped = 0.0, False

    def tell(said: object) -> bool:
        nonlocal asked, is_stopped
        if said is not None:
            board.tell.remote(index, said)
        now = time.monotonic()
        if not is_stopped and now - asked >= ASK_S:
            asked, is_stopped = now, bool(ray.get(board.is_stopped.remote()))
        return is_stopped

    try:
        return work(given, tell), None
    except Exception as error:  # noqa: BLE001  whatever it is, the piece is named
        return None, reason_of(error)
    finally:
        ray.get(board.is_stopped.remote())  # what was told before has arrived


def map_on_ray(
    work: Work[Given, Result], pieces: Sequence[Piece[Given]], n_workers: int | None, watch: Watch[Result]
) -> list[Result]:
    """As `map_pieces`."""
    if find_spec("ray") is None:
        raise BadInput("engine_missing", engine="ray", extra="mobigo[cluster]")
    if not pieces:
        return []
    import ray
    from ray.exceptions import RayError

    results: dict[int, Result] = {}
    faults = Faults(pieces)
    with _connected():
        board: Any = ray.remote(num_cpus=0)(Board).remote()
        task: Any = ray.remote(num_cpus=1, max_retries=0)(do_piece)
        cores = ray.cluster_resources()  # type: ignore[no-untyped-call]  # Ray has not typed this one
        n_at_once = n_workers or max(1, int(cores.get("CPU", 1)))
        left = list(range(len(pieces)))[::-1]
        under_way: dict[Any, int] = {}
        is_stopped = False
        while left or under_way:
            while left and len(under_way) < n_at_once:
                index = left.pop()
                under_way[task.remote(work, index, pieces[index].given, board)] = index
            ready, _ = ray.wait(list(under_way), timeout=ASK_S)
            for index, said in ray.get(board.take.remote()):
                watch.on_told(index, said)
            for reference in ready:
                index = under_way.pop(reference)
                try:
                    result, fault = ray.get(reference)
                except RayError as error:
                    result, fault = None, reason_of(error)
                if fault is None:
                    results[index] = result
                    watch.on_ended(index, result)
                else:
                    faults.note(index, fault)
            if not is_stopped and watch.is_stopped():
                is_stopped = True
                ray.get(board.stop.remote())
    faults.speak()
    return [results[index] for index in range(len(pieces))]


@contextmanager
def _connected() -> Iterator[None]:
    """With the cluster that is there, or one that ends with the work."""
    import ray

    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(log_to_driver=False, configure_logging=False)
    try:
        yield
    finally:
        ray.shutdown()
