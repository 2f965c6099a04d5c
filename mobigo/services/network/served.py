"""Served: the release that this process answers from, swapped whole when another is published.

Requests take `current()` once and keep it: those under way finish on the release
they began with. A watcher looks at the link now and then, opens and warms a new
release beside the old one, and only then replaces it, so no request waits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from mobigo.store import releases
from socle.errors import MobigoError, Unavailable

S = TypeVar("S")

log = logging.getLogger(__name__)


class ServedNetwork(Generic[S]):
    """The snapshot of the current release. `open_release` makes one from a release's folder."""

    def __init__(self, data_dir: Path, open_release: Callable[[Path], S]) -> None:
        self._data_dir = data_dir
        self._open_release = open_release
        self._held: tuple[Path, S] | None = None
        self._opening = threading.Lock()
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None

    def current(self) -> S:
        """The snapshot to answer from.

        Raises:
            Unavailable: `no_network` while there is none.
        """
        held = self._held
        if held is None:
            self.refresh()
            held = self._held
        if held is None:
            raise Unavailable("no_network")
        return held[1]

    def refresh(self) -> bool:
        """Swap to the release that the link points at; whether there was anything to swap.

        Raises:
            MobigoError, OSError: the release cannot be opened; the one held goes on being served.
        """
        with self._opening:
            release = releases.find_current(self._data_dir)
            if release is None or (self._held is not None and self._held[0] == release):
                return False
            self._held = (release, self._open_release(release))
            return True

    def watch(self, every_s: float = 1.0) -> None:
        """Begin to look for new releases, in a thread of its own."""
        self._watcher = threading.Thread(target=self._look, args=(every_s,), name="network-watcher", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._watcher is not None:
            self._watcher.join()

    def _look(self, every_s: float) -> None:
        while not self._stopped.wait(every_s):
            try:
                if self.refresh():
                    log.info("a new release of the network is served")
            except (MobigoError, OSError):
                log.exception("the new release cannot be opened; the last good one is still served")
