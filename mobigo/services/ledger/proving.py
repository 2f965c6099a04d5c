"""Proving: the books verified, the head of each day sealed, and proofs that others can check.

A proof is a small JSON document that stands on its own: with a head that somebody kept, the
script `docs/check_proof.py` or a browser finds out whether it holds.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine

from mobigo.security import Keys, is_signed
from mobigo.store.base import reading, transaction
from mobigo.store.ledger.check import Checked, check_books
from mobigo.store.ledger.heads import Head, get_head, list_heads, prove_continuity, prove_inclusion, seal
from socle.errors import Conflict
from socle.times import local_day


def verify(engine: Engine) -> Checked:
    """Everything that is wrong with the books: hashes, chain, postings, balances, heads, triggers."""
    return check_books(engine, is_signed)


def seal_day(engine: Engine, keys: Keys, day: date, now: datetime) -> Head:
    """Sign the head of the books for `day`, which is over; a day that was sealed keeps its head.

    Raises:
        Conflict: `day_not_over`.
    """
    if day >= local_day(int(now.timestamp())):
        raise Conflict("day_not_over", day=day.isoformat())
    with transaction(engine) as session:
        return seal(session, day, keys)


def read_heads(engine: Engine) -> tuple[Head, ...]:
    """Every head, the latest first."""
    with reading(engine) as session:
        return tuple(list_heads(session.connection()))


def read_head(engine: Engine, day: date | None = None) -> Head:
    """The head of a day, or the latest.

    Raises:
        NotFound: `no_head`.
    """
    with reading(engine) as session:
        return get_head(session, day)


def prove_entry(engine: Engine, key: str, day: date | None = None) -> dict[str, Any]:
    """The proof that the entry of that key is in the books of `day`, or of the latest head.

    Raises:
        NotFound: `unknown_entry`, `no_head`.
        Conflict: `not_sealed_yet`.
    """
    with reading(engine) as session:
        proof = prove_inclusion(session, key, day)
    return {
        "entry": proof.entry.recorded.decode(),
        "head": proof.head.as_dict(),
        "path": [step.hex() for step in proof.path],
    }


def prove_days(engine: Engine, first: date, second: date | None = None) -> dict[str, Any]:
    """The proof that the books of day `second`, or of the latest head, begin with those of day `first`.

    Raises:
        NotFound: `no_head`.
        Conflict: `days_reversed`.
    """
    with reading(engine) as session:
        proof = prove_continuity(session, first, second)
    return {
        "earlier": proof.first.as_dict(),
        "head": proof.second.as_dict(),
        "path": [step.hex() for step in proof.path],
    }
