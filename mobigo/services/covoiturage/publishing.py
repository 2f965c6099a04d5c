"""Publishing: versions of the rules of the lines, drafted by one person, judged by another, in force from their day on.

A version takes effect after the day on which it is approved, so that the rule of a day never
changes once the day has begun, and whoever drives knows it beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Engine

from covoiturage.policy.caps import Counters
from covoiturage.policy.documents import Tree, read_documents
from covoiturage.policy.facts import CarFacts, read_car
from covoiturage.policy.language import read_policy
from covoiturage.policy.model import VEHICLE_TRIP, Policy
from covoiturage.policy.remarks import list_remarks
from covoiturage.policy.shipped import find_in_force, shipped_policies
from covoiturage.policy.trips import CarJudge
from mobigo.store.audit import AuditLine, read_why, record
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.policies import (
    PolicyVersion as PolicyVersion,  # named in the signatures of doors
)
from mobigo.store.covoiturage.policies import (
    Verdict,
    add_draft,
    add_verdict,
    get_version,
    list_in_force,
    list_versions,
)
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from socle.findings import Finding
from socle.money import Cents
from socle.times import PARIS

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")  # it names accounts of the books
MOST_DOCUMENT_CHARS = 60_000
_EXAMPLES = ((5_000, 1), (33_000, 1), (33_000, 2), (53_000, 1), (80_000, 2), (110_000, 3))  # metres, passengers


@dataclass(frozen=True, slots=True)
class Author:
    """Who drafts or judges: the person, and the actor of the log, which may be a key of theirs."""

    person: str
    actor: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that may be submitted, with what looks like a slip in it."""

    policy: Policy
    tree: Tree
    remarks: Sequence[Finding]


def read_draft(document: str) -> Draft:
    """The policy of a document, JSON or TOML, as it could be submitted.

    Raises:
        BadInput: `policy_unreadable`, `policy_field`; `policy_too_long`; `which_policy` when it holds several.
    """
    if len(document) > MOST_DOCUMENT_CHARS:
        raise BadInput("policy_too_long", most=MOST_DOCUMENT_CHARS)
    documents = read_documents(
        document.encode("utf-8", "replace"), toml=not document.lstrip("\ufeff \t\r\n").startswith("{")
    )
    if len(documents) != 1:
        raise BadInput("which_policy", known=", ".join(sorted(documents)))
    (tree,) = documents.values()
    policy = read_policy(tree)
    return Draft(policy, tree, list_remarks(policy))


@dataclass(frozen=True, slots=True)
class Example:
    """One trip worked out: what the driver gets and the passengers pay."""

    metres: int
    passengers: int
    amount_cents: Cents
    fare_cents: Cents

    @property
    def net_cents(self) -> Cents:
        """What the Region pays in the end."""
        return self.amount_cents - self.fare_cents


def work_out_examples(policy: Policy) -> Sequence[Example]:
    """What trips of the kind that the lines have are worth under `policy`, each a driver's first of the day."""
    judge = CarJudge(replace(policy, valid_from=None, valid_until=None, limits=()))
    worked = []
    for metres, n in _EXAMPLES:
        decision = judge.decide(_example(policy.valid_from or date(2026, 1, 5), metres, n), Counters())
        worked.append(Example(metres, n, decision.amount_cents, decision.fare_cents))
    return worked


def _example(day: date, metres: int, n: int) -> CarFacts:
    begin, end = f"{day}T10:00:00Z", f"{day}T11:00:00Z"
    ride = {"operator_class": "C", "distance_m": metres, "board_at": begin, "alight_at": end}
    rides = [{**ride, "ride_id": f"r{i}", "passenger": f"p{i}", "passenger_is_over_18": True} for i in range(n)]
    told = {"carpool_id": "c", "driver": "d", "start_at": begin, "end_at": end, "official_m": metres, "rides": rides}
    return read_car(told)


def list_policies(engine: Engine) -> Sequence[PolicyVersion]:
    """Every version there is: in force, past, to come, waiting for another person, refused."""
    with reading(engine) as session:
        return list_versions(session)


def list_published(engine: Engine) -> Sequence[Policy]:
    """The versions that hold, the earlier ones first."""
    with reading(engine) as session:
        return list_in_force(session)


def get_published(engine: Engine, policy_id: str, day: date) -> Policy:
    """The version of a policy that holds on `day`; before its first day, the first.

    Raises:
        NotFound: `no_such_policy`.
    """
    versions = [policy for policy in list_published(engine) if policy.id == policy_id]
    if not versions:
        raise NotFound("no_such_policy", policy=policy_id)
    return find_in_force(versions, day) or versions[0]


def find_of_lines(engine: Engine, day: date) -> Policy | None:
    """The policy under which the carpools of the lines are decided on `day`."""
    return find_in_force(list_published(engine), day)


def get_policy_version(engine: Engine, version: str) -> PolicyVersion:
    """The version with this hash.

    Raises:
        NotFound: `unknown_policy_version`.
    """
    with reading(engine) as session:
        return get_version(session, version)


def submit(engine: Engine, author: Author, document: str, why: str, now: datetime) -> Policy:
    """Keep a document as a version that waits for another person.

    Raises:
        BadInput: as `read_draft`; `why_missing`, `why_too_long`, `why_names_somebody`; `policy_not_publishable`.
        Conflict: `policy_known`; `policy_too_late`.
    """
    draft, reason = read_draft(document), read_why(why)
    policy = draft.policy
    _check_publishable(policy)
    _check_to_come(policy, now)
    with transaction(engine) as session:
        add_draft(session, policy, draft.tree, author.person, reason, now)
        facts = {"policy": policy.id, "policy_version": policy.version}
        record(session, AuditLine(now, author.actor, "covoiturage.policy_drafted", why=reason, facts=facts))
    return policy


def judge(engine: Engine, author: Author, version: str, why: str, now: datetime, *, approved: bool) -> PolicyVersion:
    """Approve a version, or refuse it: another person than who drafted it, under whatever key.

    Raises:
        BadInput: `why_missing`, `why_too_long`, `why_names_somebody`.
        NotFound: `unknown_policy_version`.
        Forbidden: `drafted_by_you`.
        Conflict: `policy_judged`; `policy_too_late` when its first day has begun meanwhile.
    """
    reason = read_why(why)
    with transaction(engine) as session:
        known = get_version(session, version)
        if known.is_shipped or known.verdict is not None:
            raise Conflict("policy_judged", version=version)
        if known.drafted_by == author.person:
            raise Forbidden("drafted_by_you")
        if approved:
            _check_to_come(known.policy, now)
        add_verdict(session, version, Verdict(approved, author.person, now, reason))
        action = "covoiturage.policy_approved" if approved else "covoiturage.policy_refused"
        facts = {"policy": known.policy.id, "policy_version": version}
        record(session, AuditLine(now, author.actor, action, why=reason, facts=facts))
        return get_version(session, version)


def _check_publishable(policy: Policy) -> None:
    """Refuse what the lines cannot be run under: rules of couples, days of elsewhere, or a policy nobody can name."""
    zone = next(iter(shipped_policies().values())).zone
    for field, fits in (
        ("id", bool(_ID.fullmatch(policy.id))),
        ("title", bool(policy.title)),
        ("level", policy.level == VEHICLE_TRIP),
        ("timezone", policy.zone.key == zone.key),
        ("valid_from", policy.valid_from is not None),
    ):
        if not fits:
            raise BadInput("policy_not_publishable", field=field)


def _check_to_come(policy: Policy, now: datetime) -> None:
    today = now.astimezone(PARIS).date()
    if policy.valid_from is None or policy.valid_from <= today:
        raise Conflict("policy_too_late", day=f"{today:%d/%m/%Y}")
