"""Carpools declared by an application, money that the Region grants, and what the books hold."""

from __future__ import annotations

from datetime import timedelta

from covoiturage import ledger
from mobigo.services.covoiturage.declaring import declare
from mobigo.store.base import reading, transaction
from mobigo.store.ledger.books import Books, append
from mobigo.store.ledger.reads import list_balances
from tests.worlds.carpools import MORNING

APP = "key:app1"
SOON, LATER = MORNING + timedelta(hours=2), MORNING + timedelta(days=3)


def balances(engine):
    """What every account holds that is not even."""
    with reading(engine) as session:
        return {one.account.code: one.available_cents for one in list_balances(session) if one.available_cents}


def declared(engine, *carpools, now=SOON):
    """Declare some carpools, each under a key of its own."""
    for given in carpools:
        declare(engine, given, f"key:{given['carpool_id']}", APP, now)


def grant(engine, cents):
    """Money for the lines."""
    with transaction(engine) as session:
        books = Books(session)
        books.open(ledger.accounts_of("bfc-lignes"))
        books.flush()
        append(session, [ledger.grant_budget("bfc-lignes", cents, "vote-2026", MORNING)], MORNING)
