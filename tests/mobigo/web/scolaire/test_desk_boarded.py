"""What boardings say of the plan that holds, among the things to do in a study."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest

from mobigo.security import Role
from mobigo.services.scolaire import boarding, studying
from mobigo.services.scolaire.boarding import tick
from mobigo.services.scolaire.coaches import find_coach
from mobigo.services.scolaire.noting import Teller
from scolaire.calendar import has_school
from scolaire.planfiles import render_plan
from tests.worlds.accounts import NOON
from tests.worlds.one_run import morning_plan
from tests.worlds.school_office import CARRIER, CIRCUIT, RUN, SECTOR, under_contract

STUDY, OTHER = f"/scolaire/etude/{SECTOR}-e1", f"/scolaire/etude/{SECTOR}-e2"
DRIVER = Teller("person:driver", (CARRIER,))
SATURDAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
MORNINGS = [
    day
    for day in (date(2026, 11, 2) + timedelta(days=n) for n in range(19))
    if day.weekday() in (0, 1, 3, 4) and has_school(day)
]


@pytest.fixture
def planner(site, visit):
    """A planner on the Saturday after three weeks in which nobody got on at the church."""
    people = site.people
    under_contract(people.engine, people.keys, "person:import", NOON - timedelta(days=60))
    for day in MORNINGS:
        now = datetime(day.year, day.month, day.day, 6, 40, tzinfo=UTC)
        coach = find_coach(people.engine, people.keys, day, CIRCUIT, RUN, DRIVER)
        tick(people.engine, people.keys, coach, [0], "", f"form-{day}", DRIVER, now)
        boarding.end_run(people.engine, coach, f"end-{day}", DRIVER, now, is_empty=True)
    visitor = visit("Paule", Role.SCHOOL_PLANNER)
    site.clock.now = SATURDAY
    return visitor


def words(visitor):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", visitor.page.text)).split())


def test_a_stop_that_nobody_uses_and_a_coach_too_large_lead_to_the_form_that_changes_them(planner):
    told = words(planner.go(STUDY))
    assert "Ce que montrent les validations Du samedi 24 octobre 2026 au vendredi 20 novembre 2026" in told
    assert f"Arrêt Église : personne n’y est monté en {len(MORNINGS)} courses contrôlées" in told
    assert "Circuit C001 : 1 élèves au plus pour 53 places" in told
    assert "Élèves inscrits et jamais vus dans un car : 1." in told  # how many, and never who
    closing = f"{STUDY}/modifier/close_stop?arret=s2"
    assert {closing, f"{STUDY}/modifier/change_vehicle?circuit=C001"} <= set(planner.links)
    assert any(link.startswith(f"/scolaire/remplissage?secteur={SECTOR}&du=2026-10-24") for link in planner.links)
    assert '<option value="s2" selected>' in planner.go(closing).page.text


def test_what_was_changed_is_no_longer_to_do(planner):
    planner.go(f"{STUDY}/modifier/close_stop").send(f"{STUDY}/modifier/close_stop", arret="s2", vers="s1")
    planner.send(f"{STUDY}/modifier/close_stop", button="garder", motif="personne n’y monte")
    told = words(planner.go(STUDY))
    assert "Arrêt Église" not in told
    assert "Circuit C001 : 1 élèves" in told


def test_a_study_that_does_not_hold_is_told_of_stops_and_not_of_circuits_of_the_same_name(planner, site):
    people, plan = site.people, render_plan(morning_plan("p1", "p2"))
    studying.add_study(people.engine, people.keys, SECTOR, "Autre", plan, "person:other", "", SATURDAY)
    told = words(planner.go(OTHER))
    assert "Arrêt Église : personne" in told
    assert "Circuit C001 : 1 élèves" not in told
