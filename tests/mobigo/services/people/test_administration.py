from concurrent.futures import ThreadPoolExecutor

import pytest

from mobigo.security import PRIVATE_ROLES, Role
from mobigo.services.people import administration, commands
from mobigo.services.people.administration import Details
from mobigo.services.people.principal import find_by_token
from mobigo.store.base import reading
from mobigo.store.people.roles import list_with_role
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from tests.worlds.accounts import NOON, PASSWORD


def find(world, principal, typed):
    found = administration.find_people(world.engine, world.keys, principal, typed, NOON)
    return [each.identity.name for each in found]


def test_an_agent_finds_somebody_by_anything_they_tell(world):
    agent = world.principal(Role.AGENT)
    person = world.add(phone="06 39 98 00 01")
    reference = f"{person.reference[:4]} {person.reference[4:]}".lower()
    for typed in ("Camille@exemple.test", "06.39.98.00.01", "durand camille", reference):
        assert find(world, agent, typed) == ["Camille Durand"]
    for typed in ("Camille", "%", "' OR '1'='1", "camille@exemple", ""):
        assert find(world, agent, typed) == []
    lines = world.told("people.found")
    assert [(line.actor, line.subject, line.facts) for line in lines] == [(agent.actor, person.actor, {})] * 4


def test_opening_somebodys_account_is_written_down(world):
    agent = world.principal(Role.AGENT)
    person = world.add()
    dossier = administration.read_dossier(world.engine, world.keys, agent, person.pseudonym, NOON)
    assert (dossier.identity.name, dossier.roles) == ("Camille Durand", {Role.TRAVELLER})
    assert [(line.actor, line.subject) for line in world.told("people.read")] == [(agent.actor, person.actor)]
    with pytest.raises(NotFound, match="unknown_person"):
        administration.read_dossier(world.engine, world.keys, agent, "nobody", NOON)


def test_somebody_without_address_or_number_has_an_account_and_a_reference(world):
    agent = world.principal(Role.AGENT)
    person = administration.make_person(world.engine, world.keys, agent, Details("Jeanne Roux"), NOON)
    assert find(world, agent, person.reference) == ["Jeanne Roux"]
    again = administration.make_person(world.engine, world.keys, agent, Details("Jeanne Roux"), NOON)
    assert again.pseudonym != person.pseudonym
    assert find(world, agent, "ROUX, Jeanne".replace(",", "")) == ["Jeanne Roux"] * 2


def test_who_has_an_address_is_written_how_to_confirm_it(world):
    agent = world.principal(Role.AGENT)
    administration.make_person(world.engine, world.keys, agent, Details("Jeanne Roux"), NOON)
    assert world.letters() == []
    details = Details("Camille Durand", "camille@exemple.test", "06 39 98 00 01")
    administration.make_person(world.engine, world.keys, agent, details, NOON)
    by_mail, by_sms = world.letters()
    assert (by_mail.contact.value, by_sms.contact.value) == ("camille@exemple.test", "+33639980001")
    for letter in (by_mail, by_sms):
        assert "/mot-de-passe" in letter.body
        assert "Camille" not in letter.body  # what was typed may be somebody else's


def correct(world, agent, person, why="appel", **changes):
    details = Details(**({"name": "Camille Durand", "email": "camille@exemple.test"} | changes))
    administration.correct_person(world.engine, world.keys, agent, person.pseudonym, details, why, NOON)


def test_an_agent_corrects_what_somebody_tells_and_the_old_address_hears_of_it(world):
    agent = world.principal(Role.AGENT)
    person = world.add()
    correct(world, agent, person, email="camille@autre.test", phone="06 39 98 00 01")
    assert find(world, agent, "camille@autre.test") == ["Camille Durand"]
    line = world.told("people.corrected")[-1]
    assert (line.subject, line.why, line.facts) == (person.actor, "appel", {"changed": "email, phone"})
    assert [(letter.contact.value, letter.subject.split()[0]) for letter in world.letters()] == [
        ("camille@exemple.test", "Votre"),
        ("camille@autre.test", "Confirmez"),
        ("+33639980001", "Confirmez"),
    ]
    correct(world, agent, person, email="camille@autre.test", phone="06 39 98 00 01")
    assert len(world.told("people.corrected")) == 1
    assert [line.subject for line in world.told("people.read")] == [person.actor]  # told that it is who they say
    with pytest.raises(BadInput, match="why_missing"):
        correct(world, agent, person, why="  ")
    with pytest.raises(Conflict, match="contact_taken"):
        correct(world, agent, person, email="dominique@exemple.test")


@pytest.mark.parametrize("role", sorted(set(Role) - PRIVATE_ROLES))
def test_an_agent_cannot_send_the_codes_of_a_colleague_elsewhere(world, role):
    agent = world.principal(Role.AGENT)
    colleague = world.add(roles=[role])
    with pytest.raises(Forbidden, match="staff_account"):
        correct(world, agent, colleague, email="agent@exemple.test")


# --- roles ---


def test_a_role_is_given_and_taken_with_who_and_why(world):
    administrator = world.administrator
    person = world.add()
    session = world.sign_in()
    administration.give(world.engine, administrator, person.pseudonym, Role.AGENT, " embauche ", NOON)
    assert Role.AGENT in find_by_token(world.engine, world.keys, session.token, NOON).roles
    with pytest.raises(Conflict, match="role_held"):
        administration.give(world.engine, administrator, person.pseudonym, Role.AGENT, "encore", NOON)
    administration.take(world.engine, administrator, person.pseudonym, Role.AGENT, "départ", NOON)
    assert find_by_token(world.engine, world.keys, session.token, NOON) is None
    with pytest.raises(Conflict, match="role_not_held"):
        administration.take(world.engine, administrator, person.pseudonym, Role.AGENT, "départ", NOON)
    lines = [line for line in world.told() if line.subject == person.actor and "role" in line.action]
    assert [(line.action, line.actor, line.why, line.facts["role"]) for line in lines] == [
        ("people.role_given", "system:cli", "", "traveller"),
        ("people.role_given", administrator.actor, "embauche", "agent"),
        ("people.role_taken", administrator.actor, "départ", "agent"),
    ]


def test_nobody_changes_their_own_roles_or_suspends_themselves(world):
    administrator = world.administrator
    for change in (administration.give, administration.take):
        with pytest.raises(Forbidden, match="own_roles"):
            change(world.engine, administrator, administrator.pseudonym, Role.FINANCE_APPROVER, "pour moi", NOON)
    with pytest.raises(Forbidden, match="own_roles"):
        administration.suspend(world.engine, administrator, administrator.pseudonym, "fatigue", NOON)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}))
def test_only_administrators_give_take_and_suspend(world, role):
    principal = world.principal(role)
    person = world.add()
    for change in (administration.give, administration.take):
        with pytest.raises(Forbidden, match="not_allowed"):
            change(world.engine, principal, person.pseudonym, Role.ADMINISTRATOR, "envie", NOON)
    for change in (administration.suspend, administration.restore):
        with pytest.raises(Forbidden, match="not_allowed"):
            change(world.engine, principal, person.pseudonym, "envie", NOON)


def test_a_role_taken_meanwhile_does_nothing_any_more(world):
    first = world.administrator
    second = world.principal(Role.ADMINISTRATOR)
    person = world.add()
    administration.take(world.engine, first, second.pseudonym, Role.ADMINISTRATOR, "départ", NOON)
    with pytest.raises(Forbidden, match="not_allowed"):
        administration.give(world.engine, second, person.pseudonym, Role.AGENT, "vengeance", NOON)


def test_of_two_administrators_who_take_each_others_role_one_is_left(world):
    pair = [world.administrator, world.principal(Role.ADMINISTRATOR)]

    def take(one, other):
        try:
            administration.take(world.engine, one, other.pseudonym, Role.ADMINISTRATOR, "dispute", NOON)
        except Forbidden:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, pair, reversed(pair))) == [False, True]
    with reading(world.engine) as session:
        assert len(list_with_role(session, Role.ADMINISTRATOR)) == 1


def test_suspension_ends_sessions_and_is_undone(world):
    administrator = world.administrator
    person = world.add()
    session = world.sign_in()
    administration.suspend(world.engine, administrator, person.pseudonym, "plainte", NOON)
    assert find_by_token(world.engine, world.keys, session.token, NOON) is None
    administration.restore(world.engine, administrator, person.pseudonym, "plainte retirée", NOON)
    assert world.sign_in()
    actions = [line.action for line in world.told() if line.why]
    assert actions == ["people.suspended", "people.restored"]


def test_who_has_a_role_at_work_is_listed_and_the_public_is_not(world):
    administrator = world.administrator
    agent = world.add(roles=[Role.AGENT])

    def holders(role):
        found = administration.list_holders(world.engine, world.keys, administrator, role, NOON)
        return [each.identity.name for each in found]

    assert holders(Role.AGENT) == ["Camille Durand"]
    assert [(line.actor, line.subject) for line in world.told("people.role_listed")] == [
        (administrator.actor, agent.actor)
    ]
    with pytest.raises(Forbidden, match="not_allowed"):
        holders(Role.TRAVELLER)


# --- by command ---


def test_the_first_administrator_comes_by_command(world):
    def add(email):
        details, roles = Details("Camille Durand", email), [Role.ADMINISTRATOR]
        commands.add(world.engine, world.keys, details, PASSWORD, roles, "system:cli", NOON)

    add("camille@exemple.test")
    assert world.sign_in(password=PASSWORD).principal.roles == {Role.TRAVELLER, Role.ADMINISTRATOR}
    with pytest.raises(BadInput, match="contact_missing"):
        add("")
    assert [each.identity.name for each in commands.list_at_work(world.engine, world.keys, "system:cli", NOON)] == [
        "Camille Durand"
    ]


def test_a_command_changes_the_roles_of_one_person_alone(world):
    person = world.add()
    for n in range(2):
        world.add("Jeanne Roux", f"jeanne{n}@exemple.test")

    def change(typed, *, given=True, why="astreinte"):
        return commands.change_role(world.engine, world.keys, typed, Role.AGENT, why, "system:cli", NOON, given=given)

    assert change("camille@exemple.test") == person
    assert change(person.reference, given=False) == person
    with pytest.raises(Conflict, match="several_people"):
        change("Jeanne Roux")
    with pytest.raises(NotFound, match="unknown_person"):
        change("Personne Du Tout")
    with pytest.raises(BadInput, match="why_missing"):
        change("camille@exemple.test", why="")
