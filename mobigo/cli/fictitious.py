"""Fictitious accounts of the demonstration: there while it is served, closed by any other network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

from mobigo.cli.frame import err, settings
from mobigo.texts import text

if TYPE_CHECKING:
    from mobigo.security import Role


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
