"""A server killed while drivers validate: what was answered is there once, and a form sent again counts once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event
from time import monotonic
from urllib.parse import urlencode

import httpx
import pytest

from mobigo.security import Role, open_keys
from mobigo.services.scolaire import carding, contracting
from mobigo.services.scolaire.boards import open_board
from mobigo.services.scolaire.coaches import find_coach
from mobigo.services.scolaire.noting import Teller
from mobigo.services.scolaire.registering import Acting
from mobigo.store.base import reading
from mobigo.store.scolaire import boardings as store
from tests.worlds.accounts import NOON, World
from tests.worlds.school_office import CARRIER, CIRCUIT, RUN, SECTOR, under_contract
from tests.worlds.visiting import Visitor

ROOT = Path(__file__).parents[4]
DRIVER = "dora@exemple.test"
MONDAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 6, 40, tzinfo=UTC)
BOARD = "/exploitant/car?" + urlencode({"jour": MONDAY.isoformat(), "circuit": CIRCUIT, "course": RUN, "halte": "0"})
BY = Teller("person:test", (CARRIER,))
N_BEFORE, N_AFTER, N_TELEPHONES = 6, 10, 2
PATIENCE_S = 120

# Imports once what a server needs, then begins one in a process of its own for each line that it reads.
SERVERS = """
import os, signal, socket, sys
from datetime import datetime
from pathlib import Path
import uvicorn
from mobigo.app import make_app
from mobigo.services.network.served import ServedNetwork
from mobigo.settings import Settings
from routing.journeys.snapshot import open_snapshot

def serve(data, database, port, now):
    settings = Settings(_env_file=None, data_dir=Path(data), database_url=database)
    app = make_app(ServedNetwork(Path(data), open_snapshot), settings)
    app.state.clock = lambda: datetime.fromisoformat(now)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(port)))
    listener.listen()
    print(os.getpid(), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run([listener])

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in iter(sys.stdin.readline, ""):
    if os.fork() == 0:
        sys.stdin.close()
        serve(*line.split())
        os._exit(0)
"""


@pytest.fixture(scope="module")
def servers():
    """Where servers begin."""
    told = [sys.executable, "-c", SERVERS]
    with subprocess.Popen(told, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.stdin.close()


@contextmanager
def server(servers, data, database, port):
    """The site in a process of its own; its id."""
    servers.stdin.write(f"{data} {database} {port} {MORNING.isoformat()}\n")
    servers.stdin.flush()
    pid = int(servers.stdout.readline())
    try:
        yield pid
    finally:
        kill(pid)


def kill(pid):
    """End a process at once, and see it gone; one that is gone stays so."""
    end = monotonic() + PATIENCE_S
    with suppress(ProcessLookupError):
        while monotonic() < end:
            os.kill(pid, signal.SIGKILL)


class Telephone:
    """A driver's, which shows cards one after the other, each under an id of its own, again until it is answered."""

    def __init__(self, name, client, number):
        self.name, self.number, self.client = name, number, client
        visitor = Visitor(client).sign_in(DRIVER).go(BOARD)
        self.fields = visitor.form("/exploitant/car/numero").fields
        self.answered: list[str] = []
        self.n_sent = 0

    def validate(self, n, over):
        """Show the card until `n` times are answered, or until the server is gone and `over`."""
        end = monotonic() + PATIENCE_S
        while len(self.answered) < n and monotonic() < end:
            event = f"event-{self.name}-{len(self.answered):03d}"
            self.n_sent += 1
            with suppress(httpx.TransportError):
                told = self.client.post(
                    "/exploitant/car/numero", data=self.fields | {"cle": event, "numero": self.number}
                )
                assert told.status_code == 303, told.text
                self.answered.append(event)
                continue
            if over.is_set():
                return


def settle(engine, data):
    """A driver with a coach of two children; the numbers of their cards."""
    keys = open_keys("", data)
    carrier = World(engine, keys).add("Dora Car", DRIVER, roles=[Role.SCHOOL_CARRIER])
    under_contract(engine, keys, "person:import", NOON)
    contracting.give_carrier(engine, carrier.reference, CARRIER, "person:import", NOON)
    office = Acting("person:import", "import", is_office=True)
    carding.order_missing(engine, keys, office, SECTOR, NOON)
    carding.deliver(engine, office, SECTOR, NOON)
    return keys, [one.card.number for one in carding.list_cards(engine, keys, office, SECTOR, "", 9, 0, NOON).holders]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_validations_answered_before_a_kill_are_there_and_none_is_there_twice(
    servers, engine, database_address, tmp_path
):
    keys, numbers = settle(engine, tmp_path)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    over = Event()
    with ThreadPoolExecutor(N_TELEPHONES) as pool, ExitStack() as open_until_the_end:
        clients = [
            open_until_the_end.enter_context(httpx.Client(base_url=address, timeout=PATIENCE_S))
            for _ in range(N_TELEPHONES)
        ]
        with server(servers, tmp_path, database_address, port) as first:
            telephones = [Telephone(str(at), clients[at], numbers[at]) for at in range(N_TELEPHONES)]
            asked = [pool.submit(one.validate, N_AFTER, over) for one in telephones]
            end = monotonic() + PATIENCE_S
            while sum(len(one.answered) for one in telephones) < N_BEFORE and monotonic() < end:
                over.wait(0.002)
            kill(first)
            over.set()
            for each in asked:
                each.result(PATIENCE_S)
        before = [list(one.answered) for one in telephones]
        assert sum(map(len, before)) >= N_BEFORE
        kept = ids_of(engine, keys)
        assert set(kept) >= {event for of_one in before for event in of_one}
        with server(
            servers, tmp_path, database_address, port
        ):  # what nobody was answered is sent again, under the same id
            for each in [pool.submit(one.validate, N_AFTER, over) for one in telephones]:
                each.result(PATIENCE_S)
    answered = [event for one in telephones for event in one.answered]
    assert len(answered) == len(set(answered)) == N_TELEPHONES * N_AFTER
    assert sum(one.n_sent for one in telephones) > len(answered)
    assert sorted(ids_of(engine, keys)) == sorted(answered)
    board = open_board(engine, keys, MONDAY, CIRCUIT, RUN, BY, MORNING)
    assert (board.n_expected, board.n_boarded, board.n_aboard) == (2, 2, 2)


def ids_of(engine, keys):
    """The ids of all that was kept of the run; who gets on for the first time does so once."""
    coach = find_coach(engine, keys, MONDAY, CIRCUIT, RUN, BY)
    with reading(engine) as session:
        kept = store.list_of_run(session, coach.on)
    firsts = [one.pupil for one in kept if one.is_first]
    assert len(firsts) == len(set(firsts))
    return [one.event_id for one in kept]
