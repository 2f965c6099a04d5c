"""`mobigo serve`: the site and the API, on one or several processes."""

from __future__ import annotations

import os
import socket
from typing import Annotated

import typer

from mobigo.cli.fictitious import (
    DEFAULT_SEED,
    PAYER_IBAN,
    say_accounts,
    settle_accounts,
    settle_carpools,
    settle_schools,
)
from mobigo.cli.frame import err, settings
from mobigo.texts import text
from socle.errors import Unavailable


def serve(
    host: Annotated[str, typer.Option(help=text("cli.serve.host_help"))] = settings().host,
    port: Annotated[int, typer.Option(min=1, max=65535, help=text("cli.serve.port_help"))] = settings().port,
    workers: Annotated[int, typer.Option(min=1, max=64, help=text("cli.serve.workers_help"))] = settings().workers,
    demo: Annotated[bool, typer.Option("--demo", help=text("cli.serve.demo_help"))] = False,
) -> None:
    """Serve the current network until interrupted."""
    import uvicorn

    from mobigo.metrics import share_among_processes
    from mobigo.services.people.provider import read_access
    from mobigo.store.base import open_engine
    from mobigo.store.releases import get_current
    from mobigo.store.writing import find_seat

    _check_port(host, port)
    chosen = settings()
    if demo:
        from mobigo.cli.demo import ensure_demo

        ensure_demo()
    read_access(chosen.oidc_issuer, chosen.oidc_client_id, chosen.oidc_client_secret, chosen.oidc_name)
    get_current(chosen.data_dir)
    engine = open_engine(chosen.database_address())
    seat = find_seat(engine)
    if seat is not None and seat.is_taken_by_one_who_listens_not():
        raise Unavailable("seat_taken_by_worker")
    engine.dispose()
    accounts = settle_accounts(wished=demo)
    if demo:
        settle_carpools(DEFAULT_SEED)
        settle_schools()
        # So that what is approved can be handed to a bank: an account that does not exist.
        os.environ.setdefault("MOBIGO_PAYER_NAME", text("cli.demo.payer"))
        os.environ.setdefault("MOBIGO_PAYER_IBAN", PAYER_IBAN)
    # Workers are new processes: they read the settings again, so what was said here is handed on.
    os.environ["MOBIGO_DATA_DIR"] = str(chosen.data_dir.absolute())
    if workers > 1:
        share_among_processes(chosen.data_dir / "metrics")
    err.print(text("cli.serve.address", address=f"http://{host}:{port}"), markup=False)
    say_accounts(accounts, host)
    uvicorn.run(
        "mobigo.app:app_of_settings",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,  # each process writes its own (mobigo.logs)
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def _check_port(host: str, port: int) -> None:
    """Refuse a port that another program listens on.

    Raises:
        Unavailable: `port_taken`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable("port_taken", host=host, port=str(port)) from error
