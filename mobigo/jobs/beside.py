"""Beside: a worker on a thread of the server process that writes to a SQLite file.

There no other process may stay and write, so the one that answers also does the jobs. On
PostgreSQL `mobigo jobs run` is a process of its own.
"""

from __future__ import annotations

import logging
import os
import socket
import threading

from mobigo.jobs.handlers import Means, make_handlers, schedules_of
from mobigo.jobs.worker import Worker

log = logging.getLogger(__name__)

_GRACE_S = 8.0  # for the job under way when the server stops; its lease then ends by itself


def make_worker(means: Means) -> Worker:
    """The worker of this process, with everything it can do."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    return Worker(means.engine, make_handlers(means), schedules_of(means), means.clock, name)


class Beside:
    """The worker's thread, from `start` to `stop`."""

    def __init__(self, means: Means) -> None:
        self._worker = make_worker(means)
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to look for jobs."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more, and wait a while for the one under way."""
        self._worker.stop()
        if self._thread.is_alive():
            self._thread.join(_GRACE_S)

    def _run(self) -> None:
        try:
            self._worker.run()
        except Exception:
            log.exception("the worker of this server has fallen: no job is done until it is started again")
