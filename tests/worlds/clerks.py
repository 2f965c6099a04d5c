"""Processes that write in the books, to be killed or raced: forked from one that has imported everything already."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Barrier

from sqlmodel import Session

from mobigo.store.audit import AuditLine, record
from mobigo.store.base import open_engine, transaction
from mobigo.store.ledger.books import Books, Recorded, append, prepare
from mobigo.store.ledger.writer import Writer
from socle.accounting import Entry
from socle.errors import Conflict
from tests.worlds.books import NOON, decided, reserved

N_CLIENTS = 8
ACTION = "ledger.told"
WAIT_S = 60


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


# --- to be killed ---


@contextmanager
def working(address: str, run: str) -> Iterator[tuple[ForkServerProcess, Connection]]:
    """A process whose clients enter units without end; what is acknowledged comes as lines: name, number, hash.

    The unit of a name is the entries `name` and `name:reserve`, and every other one an audit line on `name`.
    """
    context = _context()
    acknowledged, into = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(address, run, into))
    process.start()
    into.close()
    try:
        yield process, acknowledged
    finally:
        process.kill()
        process.join()
        acknowledged.close()


def unit_of(name: str, number: int) -> tuple[Entry, Entry]:
    """The entries of one unit."""
    return decided(name, 1 + number % 900), reserved(f"{name}:reserve", 1)


def _work(address: str, run: str, into: Connection) -> None:
    telling = threading.Lock()
    with Writer(open_engine(address)) as writer:

        def client(mine: int) -> None:
            number = 0
            while True:
                number += 1
                name = f"{run}:{mine}:{number}"
                if number % 2:
                    recorded = writer.post(unit_of(name, number), NOON).result()
                else:
                    recorded = writer.run(lambda session, books: _told(session, books, name, number)).result()  # noqa: B023
                with telling:
                    into.send_bytes(f"{name} {recorded[0].seq} {recorded[0].hash.hex()}".encode())

        clients = [threading.Thread(target=client, args=(mine,)) for mine in range(N_CLIENTS)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()


def _told(session: Session, books: Books, name: str, number: int) -> tuple[Recorded, ...]:
    record(session, AuditLine(NOON, "system:test", ACTION, facts={"name": name}))
    return books.append([prepare(entry) for entry in unit_of(name, number)], NOON)


# --- to be raced ---


def raced(address: str, cents: int, *has_writer: bool) -> list[list[str]]:
    """Processes that each take `cents` of a budget until there is no more: the keys that each of them took."""
    context = _context()
    barrier = context.Barrier(len(has_writer))
    pipes = [context.Pipe(duplex=False) for _ in has_writer]
    processes = [
        context.Process(target=_take, args=(address, f"p{number}", cents, writes, barrier, into))
        for number, (writes, (_told, into)) in enumerate(zip(has_writer, pipes, strict=True))
    ]
    for process in processes:
        process.start()
    took = [told.recv() for told, _into in pipes]
    for process in processes:
        process.join(WAIT_S)
    return took


def _take(address: str, name: str, cents: int, has_writer: bool, barrier: Barrier, into: Connection) -> None:
    engine = open_engine(address)
    writer = Writer(engine) if has_writer else None
    took: list[str] = []
    barrier.wait(WAIT_S)
    try:
        while True:
            entry = reserved(f"{name}:{len(took)}", cents)
            if writer is not None:
                writer.post([entry], NOON).result(WAIT_S)
            else:
                with transaction(engine) as session:
                    append(session, [entry], NOON)
            took.append(entry.key)
            if len(took) == 1:
                barrier.wait(WAIT_S)  # each has some; then they race for the rest
    except Conflict as refusal:
        into.send(took if refusal.code == "balance_too_low" else [refusal.code])
    finally:
        if writer is not None:
            writer.close()
