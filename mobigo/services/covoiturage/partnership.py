"""Partnership: what an administrator settles with partner operators: keys, addresses, data handed over as a file."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from covoiturage.fields import render_json
from covoiturage.standard.bookings import Person, read_operator
from covoiturage.standard.imports import read_partner_data
from mobigo.outbound.http import check_server
from mobigo.security import Keys, new_token
from mobigo.services.covoiturage.keeping import keep_people, kept_booking, kept_message
from mobigo.services.covoiturage.partners import key_place
from mobigo.services.covoiturage.standard import KEY_PREFIX
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage import bookings, partners
from mobigo.store.covoiturage.offers import KeptOffer, put_offers
from mobigo.store.covoiturage.partners import Partner, PartnerKey
from socle.findings import Finding


def make_key(engine: Engine, keys: Keys, operator: str, who: str, now: datetime) -> tuple[PartnerKey, str]:
    """A key for an operator, and what it shows: it is told this once.

    Raises:
        BadInput: `standard_field`: the operator is no domain name.
    """
    secret = new_token()
    key = PartnerKey(secrets.token_hex(8), read_operator(operator), now, None)
    with transaction(engine) as session:
        partners.add_key(session, key, keys.token_hash(secret))
        facts = {"key": key.key_id, "operator": key.operator}
        record(session, AuditLine(now, who, "covoiturage.key_made", facts=facts))
    return key, f"{KEY_PREFIX}_{key.key_id}_{secret}"


def list_keys(engine: Engine) -> Sequence[PartnerKey]:
    """All keys, by operator, the newest first."""
    with reading(engine) as session:
        return partners.list_keys(session)


def end_key(engine: Engine, key_id: str, who: str, now: datetime) -> PartnerKey:
    """End a key.

    Raises:
        NotFound: `unknown_key`.
    """
    with transaction(engine) as session:
        key = partners.revoke_key(session, key_id, now)
        facts = {"key": key.key_id, "operator": key.operator}
        record(session, AuditLine(now, who, "covoiturage.key_ended", facts=facts))
    return key


def add_partner(
    engine: Engine,
    keys: Keys,
    operator: str,
    server: str,
    shown: str,
    who: str,
    now: datetime,
    *,
    takes_bookings: bool = False,
) -> Partner:
    """Have an operator asked and told at `server`; `shown` is the key that it gave us, if any.

    `takes_bookings`: seats are booked there through the standard; the contract has no way to ask whether they may be.

    Raises:
        BadInput: `standard_field`, `bad_server`.
        Conflict: `partner_known`.
    """
    name = read_operator(operator)
    check_server(server)
    sealed = keys.seal(shown, key_place(name)) if shown else None
    partner = Partner(name, server.rstrip("/"), sealed, now, takes_bookings)
    with transaction(engine) as session:
        partners.add_partner(session, partner)
        record(session, AuditLine(now, who, "covoiturage.partner_added", facts={"operator": name}))
    return partner


def list_partners(engine: Engine) -> Sequence[Partner]:
    """All operators that we ask and tell."""
    with reading(engine) as session:
        return partners.list_partners(session)


def remove_partner(engine: Engine, operator: str, who: str, now: datetime) -> None:
    """Ask and tell an operator no more.

    Raises:
        BadInput: `standard_field`.
        NotFound: `unknown_partner`.
    """
    name = read_operator(operator)
    with transaction(engine) as session:
        partners.remove_partner(session, name)
        record(session, AuditLine(now, who, "covoiturage.partner_removed", facts={"operator": name}))


@dataclass(frozen=True, slots=True)
class Imported:
    """How many of each were kept, and what was set apart."""

    counts: Mapping[str, int]
    findings: Sequence[Finding]


def import_data(engine: Engine, text: bytes, who: str, now: datetime) -> Imported:
    """Keep what a file of partner data holds; what is known already is replaced.

    Raises:
        BadInput: `standard_not_json`, `standard_field`: nothing of it can be kept.
    """
    data = read_partner_data(text)
    with transaction(engine) as session:
        kept = []
        for offer in data.offers:
            owner = Person(offer.owner["operator"], offer.owner["id"]).key
            kept.append(KeptOffer(offer.key, offer.kind, owner, render_json(offer.document).decode()))
        n_offers = put_offers(session, kept, now)
        for booking in data.bookings:
            row = kept_booking(booking, "")
            if not bookings.add_booking(session, row, now):
                bookings.change_booking(session, row, now)
            keep_people(session, booking, now)
        people = {Person(user["operator"], user["id"]) for user in (*data.users, *(each.owner for each in data.offers))}
        for person in people:
            if person.user_id:
                bookings.put_user(session, person.key, now)
        for message in data.messages:
            bookings.add_message(session, kept_message(message), now)
        counts = {
            "offers": n_offers,
            "bookings": len(data.bookings),
            "users": len(data.users),
            "messages": len(data.messages),
        }
        record(session, AuditLine(now, who, "covoiturage.data_imported", facts=counts))
    return Imported(counts, data.findings)
