"""Fictitious accounts of the demonstration: there while it is served, closed by any other network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

from mobigo.cli.frame import err, progress, settings
from mobigo.texts import text

if TYPE_CHECKING:
    from mobigo.security import Role


DEFAULT_SEED = 2020
PAYER_IBAN = "FR7699999999990000000000056"  # of a bank that does not exist


def settle_accounts(*, wished: bool) -> Sequence[Role]:
    """Open them, if `wished`, when the demonstration is what is served, and close them when it is not."""
    from mobigo.security import open_keys
    from mobigo.services.people.fictitious import close_accounts, list_open, open_accounts
    from mobigo.store.base import migrate, open_engine
    from mobigo.store.releases import find_current, read_manifest

    chosen = settings()
    release = find_current(chosen.data_dir)
    engine = open_engine(chosen.database_address())
    try:
        migrate(engine)
        keys, now = open_keys(chosen.secret_key, chosen.data_dir), datetime.now(UTC)
        if release is None or not read_manifest(release)["demo"]:
            close_accounts(engine, keys, now)
            return ()
        return open_accounts(engine, keys, now) if wished else list_open(engine, keys)
    finally:
        engine.dispose()


def settle_carpools(seed: int) -> None:
    """Enter what the fictitious population did, where the demonstration is served and no carpool is known."""
    from mobigo.demo.carpools.history import tell_history
    from mobigo.security import open_keys
    from mobigo.store.base import migrate, open_engine
    from mobigo.store.releases import find_current, read_manifest

    chosen = settings()
    release = find_current(chosen.data_dir)
    if release is None or not read_manifest(release)["demo"]:
        return
    engine = open_engine(chosen.database_address())
    try:
        migrate(engine)
        keys, now = open_keys(chosen.secret_key, chosen.data_dir), datetime.now(UTC)
        with progress(text("cli.demo.carpools"), 0) as bar:

            def advance(n_done: int, n_all: int) -> None:
                bar.update(bar.task_ids[0], completed=n_done, total=n_all)

            told = tell_history(engine, keys, chosen.data_dir, seed, now, advance)
    finally:
        engine.dispose()
    if told is not None:
        err.print(text("cli.demo.carpools_told", n_people=told.n_people, n_carpools=told.n_carpools), markup=False)


def settle_schools() -> None:
    """Enter the fictitious school year and open its circuits, where the demonstration is served."""
    from mobigo.demo.school_year import find_files, tell_school_year
    from mobigo.security import open_keys
    from mobigo.services.people.fictitious import ACTOR
    from mobigo.services.scolaire.opening import publish_circuits
    from mobigo.store.base import migrate, open_engine
    from mobigo.store.releases import find_current, read_manifest

    chosen = settings()
    release, folder = find_current(chosen.data_dir), find_files(chosen.data_dir)
    if release is None or folder is None or not read_manifest(release)["demo"]:
        return
    engine = open_engine(chosen.database_address())
    try:
        migrate(engine)
        keys, now = open_keys(chosen.secret_key, chosen.data_dir), datetime.now(UTC)
        with progress(text("cli.demo.schools"), 1):
            told = tell_school_year(engine, keys, folder, now)
            publish_circuits(engine, keys, chosen.data_dir, ACTOR, now)
    finally:
        engine.dispose()
    if told is not None:
        err.print(text("cli.demo.schools_told", n_pupils=told.n_pupils, day=str(told.valid_from)), markup=False)


def say_accounts(roles: Sequence[Role], host: str = "127.0.0.1") -> None:
    """Print how one signs in with them, and a warning when others can: their password is known to all."""
    from mobigo.services.people.fictitious import PASSWORD, email_of

    if roles:
        err.print(text("cli.demo.accounts", password=PASSWORD), markup=False, highlight=False)
        for role in roles:
            err.print(f"  {email_of(role)}", markup=False, highlight=False)
        if not _only_here(host):
            err.print(text("cli.demo.accounts_seen", host=host), markup=False, highlight=False)


def _only_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
