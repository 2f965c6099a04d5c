"""Served: the release that this process answers from, swapped whole when another is published, or other streets.

Requests take `current()` once and keep it: those under way finish on the release
they began with. A watcher looks at the link now and then, opens and warms a new
release beside the old one, and only then replaces it, so no request waits. A release
that cannot be opened leaves the last good one served, whatever is wrong with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from mobigo.store import releases
from mobigo.store.streets import find_streets
from socle.errors import Unavailable

S = TypeVar("S")

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 60.0  # between two tries of a release that cannot be opened


class ServedNetwork(Generic[S]):
    """The snapshot of the current release. `open_release` makes one from a release's folder."""

    def __init__(
        self, data_dir: Path, open_release: Callable[[Path], S], edition: Callable[[], object] = lambda: None
    ) -> None:
        self._data_dir = data_dir
        self._open_release = open_release
        self._edition = edition  # of what stands beside the release, and is opened again when it changes
        self._held: tuple[Path, Path | None, object, S] | None = None
        self._opening = threading.Lock()
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None
        self._told = ""  # the last fault in the log

    def current(self) -> S:
        """The snapshot to answer from.

        Raises:
            Unavailable: `no_network` while there is none.
        """
        held = self._held
        if held is None:
            raise Unavailable("no_network")
        return held[3]

    def refresh(self) -> bool:
        """Swap to the release and the streets that the links point at; whether there was anything to swap.

        Raises:
            Exception: the release cannot be opened; the one held goes on being served.
        """
        with self._opening:
            release = releases.find_current(self._data_dir)
            streets = find_streets(self._data_dir)
            edition = self._edition()
            if release is None or (self._held is not None and self._held[:3] == (release, streets, edition)):
                return False
            self._held = (release, streets, edition, self._open_release(release))
            return True

    def watch(self, every_s: float = 1.0) -> None:
        """Open what is there, then look for new releases in a thread of its own."""
        self._try()
        self._watcher = threading.Thread(target=self._look, args=(every_s,), name="network-watcher", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._watcher is not None:
            self._watcher.join()

    def _look(self, every_s: float) -> None:
        pause_s = every_s
        while not self._stopped.wait(pause_s):
            pause_s = every_s if self._try() else min(2 * pause_s, _LONGEST_PAUSE_S)

    def _try(self) -> bool:
        """Refresh; whether that went well. A release that does not open is told once."""
        try:
            if self.refresh():
                log.info("a new release of the network is served")
        except Exception as fault:
            if repr(fault) != self._told:
                log.exception("the current release cannot be opened; the last good one, if any, is still served")
            self._told = repr(fault)
            return False
        self._told = ""
        return True
