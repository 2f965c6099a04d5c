"""`mobigo covoiturage import`, `keys` and `partners`: what is settled with carpool operators."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.table import Table

from mobigo.cli.audit import who_commands
from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, err, out, say_error, say_json, settings
from mobigo.texts import error_sentence, finding_sentence, text
from socle.errors import BadInput
from socle.findings import Severity
from socle.geo import LatLon
from socle.times import PARIS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mobigo.security import Keys

BAD_INPUT = 2  # as the note on carpooling has it
keys_app = typer.Typer(help=text("cli.covoiturage.keys_help"), no_args_is_help=True)
partners_app = typer.Typer(help=text("cli.covoiturage.partners_help"), no_args_is_help=True)

OfOperator = Annotated[str, typer.Option("--operator", help=text("cli.covoiturage.operator_help"), metavar="FQDN")]
Operator = Annotated[str, typer.Argument(help=text("cli.covoiturage.operator_help"), metavar="FQDN")]


@contextmanager
def _database() -> Iterator[tuple[Engine, Keys, datetime]]:
    """The database of this run, its keys, and the present instant."""
    from mobigo.security import open_keys
    from mobigo.store.base import migrate, open_engine

    chosen = settings()
    engine = open_engine(chosen.database_address())
    try:
        migrate(engine)
        yield engine, open_keys(chosen.secret_key, chosen.data_dir), datetime.now(UTC)
    finally:
        engine.dispose()


def import_(
    file: Annotated[Path, typer.Argument(help=text("cli.covoiturage.import_file_help"), metavar="FILE")],
    as_json: AsJson = False,
) -> None:
    """Keep what a file of partner data holds, and say what was set apart."""
    from mobigo.services.covoiturage.partnership import import_data

    try:
        content = file.read_bytes()
        with _database() as (engine, _keys, now):
            imported = import_data(engine, content, who_commands(), now)
    except (BadInput, OSError) as error:
        say_error(error_sentence(error) if isinstance(error, BadInput) else f"{error.filename} : {error.strerror}")
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        say_json({**imported.counts, "findings": [one.as_dict() for one in imported.findings]})
    else:
        out.print(text("cli.covoiturage.imported", **imported.counts))
    for one in imported.findings:
        told = text("cli.covoiturage.apart", place=one.file, sentence=finding_sentence(one))
        err.print(told, markup=False, highlight=False, soft_wrap=True)
    is_apart = any(one.severity is Severity.ERROR for one in imported.findings)
    raise typer.Exit(ExitCode.NO if is_apart else ExitCode.OK)


# --- keys -----------------------------------------------------------------------------------


@keys_app.command("new", help=text("cli.covoiturage.keys_new_help"))
def new_key(operator: OfOperator, as_json: AsJson = False) -> None:
    """Print a new key, once."""
    from mobigo.services.covoiturage.partnership import make_key

    with _database() as (engine, keys, now):
        key, shown = make_key(engine, keys, operator, who_commands(), now)
    if as_json:
        say_json({"id": key.key_id, "operator": key.operator, "key": shown})
        return
    err.print(text("cli.covoiturage.key_made", operator=key.operator), markup=False)
    sys.stdout.write(f"{shown}\n")


@keys_app.command("list", help=text("cli.covoiturage.keys_list_help"))
def list_keys(as_json: AsJson = False) -> None:
    """Print the keys without their secrets."""
    from mobigo.services.covoiturage import partnership

    with _database() as (engine, _keys, _now):
        found = partnership.list_keys(engine)
    told = [
        {
            "id": key.key_id,
            "operator": key.operator,
            "made_at": key.made_at.isoformat(),
            "revoked_at": key.revoked_at and key.revoked_at.isoformat(),
        }
        for key in found
    ]
    if as_json:
        say_json(told)
        return
    table = Table(title=text("cli.covoiturage.keys_title"), title_justify="left")
    for column in ("key", "operator", "made_at", "revoked_at"):
        table.add_column(text(f"cli.covoiturage.column_{column}"), overflow="fold")
    for each in told:
        table.add_row(*(str(value or "") for value in each.values()))
    out.print(table)


@keys_app.command("revoke", help=text("cli.covoiturage.keys_revoke_help"))
def revoke_key(
    key: Annotated[str, typer.Argument(help=text("cli.covoiturage.key_help"), metavar="KEY")], as_json: AsJson = False
) -> None:
    """End a key."""
    from mobigo.services.covoiturage.partnership import end_key

    with _database() as (engine, _keys, now):
        ended = end_key(engine, key, who_commands(), now)
    if as_json:
        say_json({"id": ended.key_id, "operator": ended.operator, "revoked_at": str(ended.revoked_at)})
    else:
        out.print(text("cli.covoiturage.key_ended", key=ended.key_id, operator=ended.operator), markup=False)


# --- partners -------------------------------------------------------------------------------


@partners_app.command("add", help=text("cli.covoiturage.partners_add_help"))
def add(
    operator: Operator,
    server: Annotated[str, typer.Argument(help=text("cli.covoiturage.server_help"), metavar="URL")],
    with_key: Annotated[bool, typer.Option("--with-key", help=text("cli.covoiturage.with_key_help"))] = False,
    books: Annotated[bool, typer.Option("--bookings", help=text("cli.covoiturage.bookings_help"))] = False,
) -> None:
    """Register an operator."""
    from mobigo.services.covoiturage.partnership import add_partner

    shown = sys.stdin.readline().strip() if with_key else ""
    with _database() as (engine, keys, now):
        partner = add_partner(engine, keys, operator, server, shown, who_commands(), now, takes_bookings=books)
    out.print(text("cli.covoiturage.partner_added", operator=partner.operator), markup=False)


@partners_app.command("list", help=text("cli.covoiturage.partners_list_help"))
def list_partners(as_json: AsJson = False) -> None:
    """Print the operators that are asked and told."""
    from mobigo.services.covoiturage import partnership

    with _database() as (engine, _keys, _now):
        found = partnership.list_partners(engine)
    if as_json:
        say_json(
            [
                {
                    "operator": one.operator,
                    "server": one.server,
                    "has_key": one.sealed_key is not None,
                    "bookings": one.takes_bookings,
                }
                for one in found
            ]
        )
        return
    table = Table(title=text("cli.covoiturage.partners_title"), title_justify="left")
    for column in ("operator", "server", "shown", "bookings"):
        table.add_column(text(f"cli.covoiturage.column_{column}"), overflow="fold")
    for one in found:
        facts = ("yes" if is_so else "no" for is_so in (one.sealed_key is not None, one.takes_bookings))
        table.add_row(one.operator, one.server, *(text(f"cli.covoiturage.{word}") for word in facts))
    out.print(table)


@partners_app.command("remove", help=text("cli.covoiturage.partners_remove_help"))
def remove(operator: Operator) -> None:
    """Ask and tell an operator no more."""
    from mobigo.services.covoiturage.partnership import remove_partner

    with _database() as (engine, _keys, now):
        remove_partner(engine, operator, who_commands(), now)
    out.print(text("cli.covoiturage.partner_removed", operator=operator.lower()), markup=False)


@partners_app.command("ask", help=text("cli.covoiturage.partners_ask_help"))
def ask(
    origin: Annotated[str, typer.Option("--from", help=text("cli.covoiturage.from_help"), metavar="LAT,LON")],
    destination: Annotated[str, typer.Option("--to", help=text("cli.covoiturage.to_help"), metavar="LAT,LON")],
    at: Annotated[str, typer.Option(help=text("cli.covoiturage.ask_at_help"), metavar="INSTANT")],
    radius_km: Annotated[float, typer.Option(min=0, help=text("cli.covoiturage.radius_help"))] = 1.0,
) -> None:
    """Ask all operators for drivers' journeys."""
    from covoiturage.standard.imports import OfferKind
    from covoiturage.standard.questions import DEFAULT_DELTA_S, Ends, JourneyQuestion
    from mobigo.services.covoiturage.partners import ask_partners

    ends = Ends(_place(origin), _place(destination), radius_km, radius_km)
    question = JourneyQuestion(ends, _instant(at), DEFAULT_DELTA_S, None)
    with _database() as (engine, keys, _now):
        answers = ask_partners(engine, keys, OfferKind.DRIVER_JOURNEY, question)
    for offer in answers.offers:
        sys.stdout.write(msgspec.json.encode(offer).decode() + "\n")
    for operator, code in answers.silent.items():
        err.print(text("cli.covoiturage.partner_silent", operator=operator, code=code), markup=False)
    if answers.n_odd:
        err.print(text("cli.covoiturage.partners_odd", n=answers.n_odd))
    raise typer.Exit(ExitCode.NO if answers.silent else ExitCode.OK)


def _place(written: str) -> LatLon:
    lat, comma, lon = written.partition(",")
    try:
        place = LatLon(float(lat), float(lon))
    except ValueError:
        raise BadInput("bad_coordinates", value=written) from None
    if not comma or not abs(place.lat) <= 90 or not abs(place.lon) <= 180:
        raise BadInput("bad_coordinates", value=written)
    return place


def _instant(written: str) -> int:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise BadInput("bad_instant", value=written) from None
    return int((at if at.tzinfo else at.replace(tzinfo=PARIS)).timestamp())
