"""`mobigo people`: the first administrator, roles given and taken, accounts closed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getpass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from mobigo.cli.audit import who_commands
from mobigo.cli.feed import AsJson
from mobigo.cli.frame import err, out, say_json, settings
from mobigo.texts import text
from socle.errors import BadInput

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mobigo.security import Keys, Role
    from mobigo.services.people.administration import Found
    from mobigo.store.people.accounts import Person, PersonState

app = typer.Typer(help=text("cli.people.help"), no_args_is_help=True)

Who = Annotated[str, typer.Argument(help=text("cli.people.who_help"), metavar="WHO")]
RoleName = Annotated[str, typer.Argument(help=text("cli.people.role_help"), metavar="ROLE")]
Why = Annotated[str, typer.Option(help=text("cli.people.why_help"))]


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


def _role(name: str) -> Role:
    from mobigo.security import Role

    try:
        return Role(name.replace("-", "_"))
    except ValueError:
        raise BadInput("unknown_role_name", role=name, known=", ".join(Role)) from None


@app.command(help=text("cli.people.roles_help"))
def roles(as_json: AsJson = False) -> None:
    """Print every role and what it allows."""
    from mobigo.security import PERMISSIONS_OF

    if as_json:
        say_json({role: sorted(allowed) for role, allowed in PERMISSIONS_OF.items()})
        return
    table = Table(title=text("cli.people.roles_title"), title_justify="left")
    for column in ("role", "label", "allowed"):
        table.add_column(text(f"cli.people.column_{column}"), overflow="fold")
    for role, allowed in PERMISSIONS_OF.items():
        may = "\n".join(text(f"web.people.permission.{each}") for each in sorted(allowed))
        table.add_row(role, text(f"web.people.role.{role}"), may, end_section=True)
    out.print(table)


@app.command("list", help=text("cli.people.list_help"))
def list_(as_json: AsJson = False) -> None:
    """Print everybody who has a role at work."""
    from mobigo.services.people.commands import list_at_work

    with _database() as (engine, keys, now):
        found = list_at_work(engine, keys, who_commands(), now)
    if as_json:
        say_json([_told(each) for each in found])
    else:
        out.print(_table(found))


@app.command(help=text("cli.people.add_help"))
def add(
    name: Annotated[str, typer.Argument(help=text("cli.people.name_help"), metavar="NAME")],
    email: Annotated[str, typer.Option(help=text("cli.people.email_help"))] = "",
    phone: Annotated[str, typer.Option(help=text("cli.people.phone_help"))] = "",
    role: Annotated[list[str], typer.Option(help=text("cli.people.role_help"), metavar="ROLE")] = [],  # noqa: B006  Typer makes a new list for each run
    as_json: AsJson = False,
) -> None:
    """Make an account with a password, asked for at the terminal or read from the standard input."""
    from mobigo.services.people import commands
    from mobigo.services.people.administration import Details

    wished = [_role(each) for each in role]
    password = _read_password()
    with _database() as (engine, keys, now):
        person = commands.add(engine, keys, Details(name, email, phone), password, wished, who_commands(), now)
    _say_done("added", person, as_json=as_json)


def _read_password() -> str:
    """What is typed at the terminal, unseen; from a pipe its first line."""
    if sys.stdin.isatty():
        return getpass(f"{text('cli.people.password')} ")
    return sys.stdin.readline().rstrip("\r\n")


@app.command(help=text("cli.people.give_help"))
def give(who: Who, role: RoleName, why: Why, as_json: AsJson = False) -> None:
    """Give the one person found a role."""
    _change_role(who, role, why, given=True, as_json=as_json)


@app.command(help=text("cli.people.take_help"))
def take(who: Who, role: RoleName, why: Why, as_json: AsJson = False) -> None:
    """Take a role from the one person found."""
    _change_role(who, role, why, given=False, as_json=as_json)


def _change_role(who: str, role: str, why: str, *, given: bool, as_json: bool) -> None:
    from mobigo.services.people import commands

    wished = _role(role)
    with _database() as (engine, keys, now):
        person = commands.change_role(engine, keys, who, wished, why, who_commands(), now, given=given)
    _say_done("given" if given else "taken", person, as_json=as_json)


@app.command(help=text("cli.people.suspend_help"))
def suspend(who: Who, why: Why, as_json: AsJson = False) -> None:
    """Close the account of the one person found."""
    from mobigo.store.people.accounts import PersonState

    _change_state(who, PersonState.SUSPENDED, why, as_json=as_json)


@app.command(help=text("cli.people.restore_help"))
def restore(who: Who, why: Why, as_json: AsJson = False) -> None:
    """Open the account of the one person found again."""
    from mobigo.store.people.accounts import PersonState

    _change_state(who, PersonState.ACTIVE, why, as_json=as_json)


def _change_state(who: str, state: PersonState, why: str, *, as_json: bool) -> None:
    from mobigo.services.people import commands

    with _database() as (engine, keys, now):
        person = commands.change_state(engine, keys, who, state, why, who_commands(), now)
    _say_done(str(state), person, as_json=as_json)


@app.command(help=text("cli.people.disconnect_help"))
def disconnect(who: Who, why: Why, as_json: AsJson = False) -> None:
    """Sign the one person found out everywhere."""
    from mobigo.services.people import commands

    with _database() as (engine, keys, now):
        person, n_closed = commands.disconnect(engine, keys, who, why, who_commands(), now)
    _say_done("disconnected", person, as_json=as_json, n_sessions=n_closed)


def _say_done(what: str, person: Person, *, as_json: bool, **facts: int) -> None:
    if as_json:
        say_json({"done": what, "pseudonym": person.pseudonym, "reference": person.reference, **facts})
    else:
        sentence = text(f"cli.people.done.{what}", reference=person.reference, **facts)
        err.print(sentence, markup=False, highlight=False)


def _told(found: Found) -> dict[str, object]:
    return {
        "pseudonym": found.person.pseudonym,
        "reference": found.person.reference,
        "name": found.identity.name,
        "email": found.identity.email,
        "phone": found.identity.phone,
        "roles": sorted(found.roles),
    }


def _table(found: Sequence[Found]) -> Table:
    from rich.text import Text

    table = Table(title=text("cli.people.title"), title_justify="left")
    for column in ("reference", "name", "contact", "roles"):
        table.add_column(text(f"cli.people.column_{column}"), overflow="fold")
    for each in found:
        contact = ", ".join(filter(None, (each.identity.email, each.identity.phone)))
        held = ", ".join(sorted(each.roles))
        table.add_row(*map(Text, (each.person.reference, each.identity.name, contact, held)))
    return table
