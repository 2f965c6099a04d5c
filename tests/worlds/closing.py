"""A server that closes outings, each for a client who asks twice; to be killed meanwhile."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager

from mobigo.services.covoiturage.outings import Seen, close_outing
from mobigo.store.base import open_engine


@contextmanager
def closing(address, outings, now):
    """The process that closes these, each twice, and where it tells each answer: the outing, whether it was known."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    told, tell = context.Pipe(duplex=False)
    process = context.Process(target=_close, args=(address, outings, now, tell), daemon=True)
    process.start()
    tell.close()
    try:
        yield process, told
    finally:
        process.kill()
        process.join()
        told.close()


def _close(address, outings, now, tell):
    engine = open_engine(address)
    for outing_id, driver in outings.items():
        for _ in range(2):
            closed = close_outing(engine, outing_id, driver, "", {}, Seen(now, "phone-d"), f"person:{driver}")
            tell.send((outing_id, closed.declared.replayed))
    engine.dispose()
