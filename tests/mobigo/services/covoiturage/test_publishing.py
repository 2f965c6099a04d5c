"""Rules are drafted by one person, approved by another, never changed, and in force from their day on."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mobigo.security import Role
from mobigo.services.covoiturage import publishing
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.settling import settle
from mobigo.services.people import api_keys
from mobigo.services.people.principal import get_by_bearer
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage.decisions import last_decision
from mobigo.store.covoiturage.policies import list_in_force
from socle.errors import BadInput, Conflict, Forbidden, MobigoError, NotFound
from tests.worlds.accounts import NOON, World
from tests.worlds.carpools import carpool
from tests.worlds.drafts import draft_document

WHY = "délibération de novembre"
NEW_YEAR = datetime.fromisoformat("2027-01-04T06:00:00+00:00")


def author(principal):
    return publishing.Author(principal.whose.name, principal.actor)


@pytest.fixture
def people(engine, keys):
    world = World(engine, keys)
    world.signed_in = world.principal(Role.FINANCE_CLERK, "Dominique Petit", "dominique@exemple.test")
    world.clerk = author(world.signed_in)
    world.approver = author(world.principal(Role.FINANCE_APPROVER, "Sacha Roy", "sacha@exemple.test"))
    return world


def submit(engine, who, now=NOON, **given):
    return publishing.submit(engine, who, draft_document(**given), WHY, now)


def test_a_draft_changes_nothing_until_another_person_has_approved_it(engine, people):
    policy = submit(engine, people.clerk)
    assert publishing.find_of_lines(engine, date(2027, 1, 1)).id == "bfc-lignes"
    assert policy not in publishing.list_published(engine)
    with pytest.raises(Forbidden, match="drafted_by_you"):
        publishing.judge(engine, people.clerk, policy.version, WHY, NOON, approved=True)
    kept = publishing.judge(engine, people.approver, policy.version, WHY, NOON, approved=True)
    assert kept.holds
    on = {day: publishing.find_of_lines(engine, date.fromisoformat(day)) for day in ("2026-12-31", "2027-01-01")}
    assert (on["2026-12-31"].title, on["2027-01-01"].version) == (
        "Lignes de covoiturage de la Région (depuis 2023)",
        policy.version,
    )
    assert [line.action for line in people.told("covoiturage")] == [
        "covoiturage.policy_drafted",
        "covoiturage.policy_approved",
    ]


def test_a_key_of_the_same_person_is_no_other_person(engine, keys, people):
    policy = submit(engine, people.clerk)
    wish = api_keys.KeyWish("ordinateur", ["carpool_policy_draft"], 60, 90)
    _, secret = api_keys.make_key(engine, keys, people.signed_in, wish, NOON)
    by_key = author(get_by_bearer(engine, keys, secret, NOON))
    assert by_key.actor != people.clerk.actor
    with pytest.raises(Forbidden, match="drafted_by_you"):
        publishing.judge(engine, by_key, policy.version, WHY, NOON, approved=True)


def test_what_was_refused_or_approved_stays_so(engine, people):
    policy = submit(engine, people.clerk)
    publishing.judge(engine, people.approver, policy.version, WHY, NOON, approved=False)
    assert policy.version not in {one.version for one in publishing.list_published(engine)}
    with pytest.raises(Conflict, match="policy_judged"):
        publishing.judge(engine, people.approver, policy.version, WHY, NOON, approved=True)
    with pytest.raises(Conflict, match="policy_known"):
        submit(engine, people.clerk)
    with pytest.raises(NotFound, match="unknown_policy_version"):
        publishing.judge(engine, people.approver, "0" * 64, WHY, NOON, approved=True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE policy_version SET document = 'x'",
        "DELETE FROM policy_version",
        "UPDATE policy_verdict SET approved = false",
        "DELETE FROM policy_verdict",
    ],
)
def test_the_database_itself_refuses_to_change_a_version(engine, people, statement):
    policy = submit(engine, people.clerk)
    publishing.judge(engine, people.approver, policy.version, WHY, NOON, approved=True)
    with pytest.raises(DBAPIError, match="append only"), engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"valid_from": "2026-11-21"}, "policy_too_late"),
        ({"valid_from": None}, "policy_not_publishable"),
        ({"policy_id": "Deux mots"}, "policy_not_publishable"),
        ({"title": None}, "policy_not_publishable"),
        ({"timezone": "Pacific/Auckland"}, "policy_not_publishable"),
        ({"level": "ride", "amount_rules": []}, "policy_not_publishable"),
        ({"surprise": 1}, "policy_field"),
        ({"notes": "n" * publishing.MOST_DOCUMENT_CHARS}, "policy_too_long"),
    ],
)
def test_what_the_lines_cannot_be_run_under_is_refused(engine, people, given, code):
    with pytest.raises(MobigoError, match=code):
        submit(engine, people.clerk, **given)
    with pytest.raises(BadInput, match="why_missing"):
        publishing.submit(engine, people.clerk, draft_document(), " ", NOON)


def test_a_version_approved_too_late_would_change_days_that_have_begun(engine, people):
    policy = submit(engine, people.clerk)
    first_day = datetime.fromisoformat("2026-12-31T23:00:00+00:00")  # midnight in Paris
    with pytest.raises(Conflict, match="policy_too_late"):
        publishing.judge(engine, people.approver, policy.version, WHY, first_day, approved=True)
    before = first_day - timedelta(seconds=1)
    assert publishing.judge(engine, people.approver, policy.version, WHY, before, approved=True).holds


def test_of_two_versions_of_one_first_day_the_later_approved_holds(engine, people):
    for cents in (12, 13):
        policy = submit(engine, people.clerk, cents_per_km=cents)
        publishing.judge(engine, people.approver, policy.version, WHY, NOON + timedelta(hours=cents), approved=True)
    assert publishing.get_published(engine, "bfc-lignes", date(2027, 1, 1)).version == policy.version
    assert publishing.get_published(engine, "bfc-lignes", date(2010, 1, 1)).valid_from == date(2023, 1, 1)
    with pytest.raises(NotFound, match="no_such_policy"):
        publishing.get_published(engine, "none", date(2027, 1, 1))


def test_carpools_are_decided_under_the_version_of_their_day(engine, people):
    policy = submit(engine, people.clerk)
    publishing.judge(engine, people.approver, policy.version, WHY, NOON, approved=True)
    old = publishing.find_of_lines(engine, date(2026, 12, 31))
    days = {"c-old": NEW_YEAR - timedelta(days=7), "c-new": NEW_YEAR}
    for carpool_id, begin in days.items():
        declare(engine, carpool(carpool_id, at=begin), carpool_id, "key:app1", begin + timedelta(hours=2))
    for month in ("2026-12", "2027-01"):
        settle(engine, month, NEW_YEAR + timedelta(days=5))
    with reading(engine) as session:
        decided = {carpool_id: last_decision(session, carpool_id) for carpool_id in days}
        assert {one.version for one in list_in_force(session)} >= {old.version, policy.version}
    assert {key: (one.policy_sha256, one.amount_cents) for key, one in decided.items()} == {
        "c-old": (old.version, 430),
        "c-new": (policy.version, 396),
    }


def test_a_document_that_was_altered_in_its_row_is_found_out(engine, people):
    policy = submit(engine, people.clerk)
    altered = json.dumps(json.loads(draft_document(cents_per_km=99)))
    with transaction(engine) as session:
        session.connection().exec_driver_sql(
            "DROP TRIGGER policy_version_update"
            if engine.dialect.name == "sqlite"
            else "DROP TRIGGER policy_version_change ON policy_version"
        )
        session.connection().execute(
            text("UPDATE policy_version SET document = :it WHERE sha256 = :key"),
            {"it": altered.encode(), "key": policy.version},
        )
    with pytest.raises(MobigoError, match="policy_altered"):
        publishing.list_policies(engine)
