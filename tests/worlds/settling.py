"""A process that settles a month some carpools at a time, and says so after each transaction."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager

from mobigo.services.covoiturage.settling import settle
from mobigo.store.base import open_engine


@contextmanager
def settling(address, month, now, at_once):
    """The process, and the connection on which it tells how many carpools each transaction decided."""
    spawn = multiprocessing.get_context("spawn")
    told, tell = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_settle, args=(address, month, now, at_once, tell), daemon=True)
    process.start()
    tell.close()
    try:
        yield process, told
    finally:
        process.kill()
        process.join()


def _settle(address, month, now, at_once, tell):
    engine = open_engine(address)
    settle(engine, month, now, progress=tell.send, at_once=at_once)
    engine.dispose()
    tell.close()
