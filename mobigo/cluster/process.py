"""Process: another process that is a program of its own, handed a function and one end of a socket.

It is begun anew, neither forked, so that it shares no threads and no connections, nor by `multiprocessing`, which
would run the program's main module a second time; it ends with whoever began it, however that ends, when it meets
the end of its socket.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Final

_BEGIN: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import mobigo.cluster.process as p; p.run(*sys.argv[2:])"
)


def begin_process(serve: Callable[[Connection], None]) -> tuple[subprocess.Popen[bytes], Connection]:
    """A process that runs `serve`, a function of a module, with its end of the socket; and ours."""
    ours, theirs = socket.socketpair()
    with theirs:
        # In a session of its own: what interrupts a terminal's program ends this one, which ends the other.
        process = subprocess.Popen(  # noqa: S603  ourselves, without a shell
            [
                sys.executable,
                "-c",
                _BEGIN,
                json.dumps(sys.path),
                str(theirs.fileno()),
                serve.__module__,
                serve.__name__,
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    return process, Connection(ours.detach())


def end_process(process: subprocess.Popen[bytes], connection: Connection) -> None:
    """End it, whatever it does."""
    connection.close()
    process.terminate()
    process.wait()


def run(descriptor: str, module: str, name: str) -> None:
    """What the other process begins with, by names because it shares nothing with us."""
    getattr(import_module(module), name)(Connection(int(descriptor)))


def n_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
