"""`mobigo covoiturage registry`: what the national registry was told, and what it made of it."""

from __future__ import annotations

import typer
from rich.table import Table

from mobigo.cli import ledger
from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, out, say_json, settings
from mobigo.texts import text

app = typer.Typer(help=text("cli.registry.help"), no_args_is_help=True)


@app.callback()
def registry() -> None:
    """Keep `status` a command of its own."""


@app.command(help=text("cli.registry.status_help"))
def status(as_json: AsJson = False) -> None:
    """Count messages by kind and state, and name the last refusals."""
    from mobigo.services.covoiturage.registrar import get_standing, read_registry

    chosen = settings()
    is_on = read_registry(chosen.registry_url, chosen.registry_token, chosen.registry_siret) is not None
    standing = get_standing(ledger.open_books())
    if as_json:
        counts = [{"kind": kind, "state": state, "n": n} for (kind, state), n in sorted(standing.counts.items())]
        refused = [
            {
                "ride_id": one.ride_id,
                "kind": one.kind,
                "state": one.state,
                "at": (one.sent_at or one.made_at).isoformat(),
                "http_status": one.http_status,
                "why": one.why,
            }
            for one in standing.refused
        ]
        say_json({"is_on": is_on, "counts": counts, "statuses": dict(standing.statuses), "refused": refused})
        raise typer.Exit(ExitCode.OK)
    if not is_on:
        out.print(text("cli.registry.off"), soft_wrap=True)
    table = Table(title=text("cli.registry.title"), title_justify="left")
    for column in ("kind", "state", "n"):
        table.add_column(text(f"cli.registry.column_{column}"))
    for (kind, state), n in sorted(standing.counts.items()):
        table.add_row(text(f"cli.registry.kind_{kind}"), text(f"cli.registry.state_{state}"), str(n))
    out.print(table)
    if standing.statuses:
        statuses = ", ".join(f"{name} {n}" for name, n in sorted(standing.statuses.items()))
        out.print(text("cli.registry.statuses", told=statuses), markup=False, soft_wrap=True)
    for one in standing.refused:
        line = text(
            "cli.registry.refused",
            at=f"{one.sent_at or one.made_at:%Y-%m-%d %H:%M}",
            kind=text(f"cli.registry.kind_{one.kind}"),
            ride=one.ride_id,
            state=text(f"cli.registry.state_{one.state}"),
            said=one.http_status or "",
            why=one.why,
        )
        out.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
