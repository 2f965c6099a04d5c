"""The accounts of the demonstration: one for each role, and gone with it."""

import pytest

from mobigo.security import Role
from mobigo.services.people import accounts, api_keys, fictitious
from mobigo.services.people.fictitious import PASSWORD, close_accounts, email_of, open_accounts
from mobigo.services.people.principal import find_by_token, get_by_bearer
from mobigo.store.base import reading
from mobigo.store.people.accounts import count_people
from socle.errors import NotSignedIn
from tests.worlds.accounts import HERE, NOON


@pytest.fixture
def demonstration(world):
    assert open_accounts(world.engine, world.keys, NOON) == list(Role)
    return world


def test_each_role_has_one_that_says_so(demonstration):
    for role in Role:
        signed_in = demonstration.sign_in(email_of(role), PASSWORD)
        assert signed_in.principal.roles == {Role.TRAVELLER, role}
        account = accounts.get_account(demonstration.engine, demonstration.keys, signed_in.principal)
        assert account.identity.name.endswith(" (compte fictif)")


def test_they_are_made_once(demonstration):
    assert open_accounts(demonstration.engine, demonstration.keys, NOON) == list(Role)
    with reading(demonstration.engine) as session:
        assert count_people(session) == len(Role)


def test_none_is_made_beside_the_account_of_somebody(world):
    world.add()
    assert open_accounts(world.engine, world.keys, NOON) == []
    with pytest.raises(NotSignedIn):
        world.sign_in(email_of(Role.ADMINISTRATOR), PASSWORD)


def test_none_lets_anybody_in_once_they_are_closed_and_none_is_opened_again(demonstration):
    world = demonstration
    agent = world.sign_in(email_of(Role.AGENT), PASSWORD)
    _, secret = api_keys.make_key(
        world.engine, world.keys, agent.principal, api_keys.KeyWish("Essai", ["people_read"], 9, 9), NOON
    )
    close_accounts(world.engine, world.keys, NOON)
    assert find_by_token(world.engine, world.keys, agent.token, NOON) is None
    with pytest.raises(NotSignedIn, match="bad_token"):
        get_by_bearer(world.engine, world.keys, secret, NOON)
    for role in Role:
        with pytest.raises(NotSignedIn, match="wrong_sign_in"):
            world.sign_in(email_of(role), PASSWORD)
        code_id = accounts.ask_reset(world.engine, world.keys, email_of(role), HERE, NOON)
        assert code_id
    assert open_accounts(world.engine, world.keys, NOON) == []
    assert fictitious.list_open(world.engine, world.keys) == []
    close_accounts(world.engine, world.keys, NOON)


def test_what_is_closed_is_written_down(demonstration):
    close_accounts(demonstration.engine, demonstration.keys, NOON)
    taken = [line for line in demonstration.told("people.role_taken") if line.actor == fictitious.ACTOR]
    assert len(taken) >= len(Role)
    assert {line.why for line in taken} == {"la démonstration n’est plus en service"}
