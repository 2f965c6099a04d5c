"""Budgets: what was voted for each policy, what is promised, used and left; a vote is entered once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from covoiturage import ledger
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.policies import list_in_force
from mobigo.store.ledger.books import Books, prepare
from mobigo.store.ledger.reads import balances_cents, list_standing
from socle.errors import BadInput, Conflict, Fact, NotFound
from socle.money import Cents

MOST_CENTS = 10**11  # a billion euros: what is above was typed wrongly
_VOTE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent under a policy: granted is what is used, promised and left; None where nothing was voted."""

    policy_id: str
    granted_cents: Cents
    used_cents: Cents
    promised_cents: Cents
    left_cents: Cents


def list_budgets(engine: Engine) -> Sequence[Budget]:
    """The budget of each policy that was ever published, also where nothing was voted."""
    with reading(engine) as session:
        ids = sorted({policy.id for policy in list_in_force(session)})
        accounts = (ledger.budget_granted_of, ledger.budget_used_of, ledger.reserve_of, ledger.budget_of)
        stands = balances_cents(session, [account(one).code for one in ids for account in accounts])
    budgets = []
    for one in ids:
        granted, used, promised, left = (stands.get(account(one).code, 0) for account in accounts)
        budgets.append(Budget(one, -granted, used, promised, left))
    return budgets


def grant(engine: Engine, policy_id: str, cents: Cents, vote: str, by: str, now: datetime) -> bool:
    """Enter that a vote grants `cents` more to a policy; False when it was entered before.

    Raises:
        NotFound: `policy_not_published`.
        BadInput: `bad_vote`, `bad_grant`.
        Conflict: `vote_entered_otherwise`: with another amount.
    """
    if _VOTE.fullmatch(vote) is None:
        raise BadInput("bad_vote")
    if not 0 < cents <= MOST_CENTS:
        raise BadInput("bad_grant", most=MOST_CENTS // 100)
    with transaction(engine) as session:
        if policy_id not in {policy.id for policy in list_in_force(session)}:
            raise NotFound("policy_not_published", policy=policy_id)
        books = Books(session)
        entry = ledger.grant_budget(policy_id, cents, vote, now)
        known = list_standing(session, [entry.key]).get(entry.key)
        if known is not None:
            if known.postings != entry.postings:
                raise Conflict("vote_entered_otherwise", vote=vote)
            return False
        books.open(ledger.accounts_of(policy_id))
        books.append([prepare(entry)], now)
        books.flush()
        facts: dict[str, Fact] = {"policy": policy_id, "cents": cents, "vote": vote}
        record(session, AuditLine(now, by, "covoiturage.budget_granted", facts=facts))
        return True
