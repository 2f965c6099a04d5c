"""Linking: an account becomes that of the guardian of a home, by a code on a letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys, new_code, spelled_code
from mobigo.services.scolaire.acting import Acting, check_may, note, visible
from mobigo.store.base import transaction
from mobigo.store.scolaire.application_steps import add_step, find_link, set_link
from mobigo.store.scolaire.applications import KeptApplication, get_application, put_application, with_home
from mobigo.store.scolaire.registered import set_guardian
from scolaire.registration.model import MAY, Deed
from scolaire.registration.typed import identity_key
from socle.errors import BadInput, Forbidden

LINK_LIFE: Final = timedelta(days=45)  # a letter is read late, and answered later


def make_link(engine: Engine, keys: Keys, acting: Acting, application_id: str, number: int, now: datetime) -> str:
    """A code for a letter, with which an account becomes that of the guardian of a home; an older one is void.

    Raises:
        NotFound: `unknown_application`.
        Conflict: `application_state`.
        Forbidden: `not_allowed`: only who acts for families makes codes.
    """
    if not acting.for_others:
        raise Forbidden("not_allowed")
    code = new_code()
    with transaction(engine) as session:
        one = visible(session, keys, application_id, acting, locked=True)
        check_may(one, Deed.LINK_MADE)
        set_link(session, one.id, number, keys.token_hash(code), now + LINK_LIFE)
        add_step(session, keys, one, Deed.LINK_MADE, acting.actor, now, home=number)
        note(session, "school.link_made", one, acting, now, home=number)
    return code


def use_link(engine: Engine, keys: Keys, acting: Acting, typed: str, now: datetime) -> KeptApplication:
    """Become the guardian of the home to which a code leads; the code works once.

    Raises:
        BadInput: `wrong_link_code`: it leads nowhere, was used, or is too old.
    """
    with transaction(engine) as session:
        found = find_link(session, keys.token_hash(spelled_code(typed)), now)
        if found is None:
            raise BadInput("wrong_link_code")
        one = get_application(session, keys, found[0], locked=True)
        if Deed.LINKED not in MAY[one.state] or acting.pseudonym in {home.guardian for home in one.homes}:
            raise BadInput("wrong_link_code")
        home = one.homes[found[1]]
        one = with_home(one, replace(home, guardian=acting.pseudonym))
        put_application(session, keys, one, identity_key(one.typed))
        set_guardian(session, one.id, home.number, acting.pseudonym)
        set_link(session, one.id, home.number, None, None)
        add_step(session, keys, one, Deed.LINKED, acting.actor, now, home=home.number)
        note(session, "school.linked", one, acting, now, home=home.number)
    return one
