"""Paid: when, and with which batch, a driver was paid what was decided for a carpool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction

from covoiturage.payments import Payout, PayoutState, find_payout
from mobigo.services.covoiturage.wording import euros
from mobigo.store.base import Session
from mobigo.store.covoiturage.decisions import KeptDecision
from mobigo.store.covoiturage.disputes import Dispute, list_disputes_of
from mobigo.store.covoiturage.payouts import list_payments
from mobigo.texts import text


def find_payouts(session: Session, driver: str, decisions: Sequence[KeptDecision]) -> Mapping[str, Payout]:
    """Where the money of each decision is, by carpool; those that bring none, or wait for a first batch, are left out.

    What a dispute parked is owed again from its answer on.
    """
    paying = [one for one in decisions if one.amount_cents > 0]
    disputes = list_disputes_of(session, [one.carpool_id for one in paying]) if paying else {}
    payments = list_payments(session, driver) if paying else ()
    found = {}
    for decision in paying:
        parked = [one for one in disputes.get(decision.carpool_id, ()) if one.held_cents]
        payout = (
            Payout(PayoutState.DISPUTED)
            if any(one.is_open for one in parked)
            else find_payout(max([decision.decided_at, *_answered(parked)]), payments)
        )
        if payout is not None:
            found[decision.carpool_id] = payout
    return found


def _answered(parked: Sequence[Dispute]) -> list[datetime]:
    return [one.decided_at for one in parked if one.decided_at is not None]


def payout_sentence(payout: Payout) -> str:
    """Where the money is, in French."""
    month = _month(date.fromisoformat(f"{payout.month}-01")) if payout.month else ""
    on = payout.execute_on
    day = "" if on is None else f"{'1er' if on.day == 1 else on.day} {_month(on)}"
    return text(f"covoiturage.payout.{payout.state}", day=day, month=month, euros=euros(Fraction(payout.cents)))


def _month(day: date) -> str:
    return f"{text(f'covoiturage.month.{day.month}')} {day.year}"
