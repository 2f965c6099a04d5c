"""A clerk reads what the national registry refused, and sends it again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.services.covoiturage.declaring import declare
from mobigo.store.base import transaction
from mobigo.store.covoiturage.registry_messages import Kind, Outcome, State, add_message, end_message, find_message
from tests.worlds.accounts import NOON
from tests.worlds.carpools import carpool

PAGE, CLERK, RIDE = "/finances/covoiturage/registre", "claude@exemple.test", "C1-p1"


@pytest.fixture
def refused(people):
    people.add("Claude Petit", CLERK, roles=[Role.FINANCE_CLERK])
    begin = NOON - timedelta(hours=24, minutes=10)
    declare(people.engine, carpool("C1", at=begin), "C1", "key:app1", begin + timedelta(hours=1))
    with transaction(people.engine) as session:
        add_message(session, RIDE, Kind.JOURNEY, NOON)
        message = find_message(session, RIDE, Kind.JOURNEY, 1)
        why = "distance_too_short, something_new"
        end_message(session, message, Outcome(State.REFUSED, 422, facts_sha256="ab" * 32, why=why), NOON)


def test_a_refusal_is_told_with_its_reasons_and_sent_again_once(site, people, refused):
    clerk = site.visitor().sign_in(CLERK).go("/finances/covoiturage")
    assert PAGE in clerk.links
    told = clerk.go(PAGE).page.text
    for words in (RIDE, "plus court que ce que le registre prend", "something_new", "Réponse 422"):
        assert words in told
    clerk.send(f"{PAGE}/{RIDE}")
    assert "va être transmis de nouveau" in clerk.page.text
    assert "Rien n’est refusé." in clerk.page.text


def test_what_is_too_late_has_no_button(site, people, refused):
    clerk = site.visitor().sign_in(CLERK).go(PAGE)
    form = clerk.form(f"{PAGE}/{RIDE}").fields
    site.clock.now += timedelta(hours=1)
    late = clerk.client.post(f"{PAGE}/{RIDE}", data=form)
    assert (late.status_code, "plus de 24 heures" in late.text) == (409, True)
    assert not any(form.action.startswith(PAGE) for form in clerk.go(PAGE).forms())


def test_who_is_no_clerk_reads_nothing(site, people, refused):
    people.add("Camille Durand", "camille@exemple.test")
    assert site.visitor().sign_in("camille@exemple.test").go(PAGE).page.status_code == 403
