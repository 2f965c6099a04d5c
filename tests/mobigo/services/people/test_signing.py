import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import argon2
import pytest

from mobigo.security import Permission, Role, is_hash_old
from mobigo.services.people import api_keys, signing
from mobigo.services.people.administration import give, take
from mobigo.services.people.principal import PRIVATE_LIFE, WORK_LIFE, find_by_token, get_by_bearer
from mobigo.services.people.signing import FIRST_WAIT, FREE_TRIES, TRIES_PER_ADDRESS, WINDOW, Where, network_of
from mobigo.store.base import reading, transaction
from mobigo.store.people.accounts import find_password, set_password
from socle.errors import BadInput, Forbidden, NotFound, NotSignedIn, TooOften
from tests.worlds.accounts import HERE, NOON, PASSWORD

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def wrong(world, contact="camille@exemple.test", now=NOON, where=HERE):
    with pytest.raises(NotSignedIn, match="wrong_sign_in"):
        world.sign_in(contact, "pas la bonne phrase", now, where)


def test_who_knows_the_password_comes_in_by_address_or_number(world, keys):
    person = world.add(phone="06 39 98 00 01")
    for contact in ("camille@exemple.test", " CAMILLE@exemple.TEST", "+33 6 39 98 00 01"):
        signed_in = world.sign_in(contact)
        assert signed_in.principal.person_id == person.person_id
        assert signed_in.principal.roles == {Role.TRAVELLER}
        assert signed_in.principal.permissions == {Permission.OWN_ACCOUNT}
        assert find_by_token(world.engine, keys, signed_in.token, NOON) == signed_in.principal
    assert [line.action for line in world.told()].count("people.signed_in") == 3


def test_who_does_not_is_told_the_same_whether_the_account_exists_or_not(world):
    world.add()
    world.add("Sans mot", "", "0639980002")
    said = set()
    for contact in ("camille@exemple.test", "personne@exemple.test", "0639980002", "n’importe quoi", ""):
        with pytest.raises(NotSignedIn) as refusal:
            world.sign_in(contact, "pas la bonne phrase")
        said.add((refusal.value.code, tuple(refusal.value.facts.items())))
    assert said == {("wrong_sign_in", ())}


def test_the_same_work_is_done_whether_the_account_exists_or_not(world):
    """Processor time of this thread and those of the hash; a plain look-up would take a hundredth of it."""
    world.add()
    costs = {}
    for contact in ("camille@exemple.test", "personne@exemple.test"):
        wrong(world, contact)
        took = []
        for n in range(4):
            began = time.process_time()
            wrong(world, contact, NOON + (n + 1) * WINDOW * 2)
            took.append(time.process_time() - began)
        costs[contact] = min(took)
    known, unknown = costs.values()
    assert unknown > 0.5 * known
    assert known > 0.5 * unknown


def test_each_try_after_the_free_ones_waits_twice_as_long(world):
    world.add()
    now, waits = NOON, []
    for _ in range(FREE_TRIES):
        wrong(world, now=now)
    for _ in range(3):
        with pytest.raises(TooOften, match="too_many_tries") as refusal:
            world.sign_in(now=now)
        waits.append(refusal.value.wait_s)
        now += refusal.value.wait_s * SECOND
        wrong(world, now=now)
    assert waits == [60, 120, 240]
    with pytest.raises(TooOften):
        world.sign_in(now=now + 7 * MINUTE)
    assert world.sign_in(now=now + 8 * MINUTE)
    wrong(world, now=now + 8 * MINUTE)  # what failed before is forgotten


def test_an_account_that_does_not_exist_is_locked_like_one_that_does(world):
    for _ in range(FREE_TRIES):
        wrong(world, "personne@exemple.test")
    with pytest.raises(TooOften, match="too_many_tries"):
        world.sign_in("Personne@exemple.test")


def test_one_address_does_not_try_many_accounts(world):
    world.add()
    for n in range(TRIES_PER_ADDRESS):
        signing.begin_try(world.engine, f"account {n}", world.keys.blind("address", "192.0.2.7"), NOON)
    with pytest.raises(TooOften, match="too_many_tries"):
        world.sign_in()
    assert world.sign_in(where=Where("198.51.100.1"))
    assert world.sign_in(now=NOON + FIRST_WAIT)


def test_many_guesses_at_once_are_all_counted(world):
    world.add()

    def guess(_n):
        try:
            signing.begin_try(world.engine, world.keys.blind("email", "camille@exemple.test"), "x", NOON)
        except TooOften:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(24))) == FREE_TRIES


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_subscriber_is_one_address_or_one_network(address, network):
    assert network_of(address) == network


# --- how long a session lives ---


def alive(world, token, now):
    return find_by_token(world.engine, world.keys, token, now) is not None


@pytest.mark.parametrize(
    ("roles", "life"), [([], PRIVATE_LIFE), ([Role.DRIVER], PRIVATE_LIFE), ([Role.AGENT], WORK_LIFE)]
)
def test_a_session_ends_when_it_is_not_used_and_in_the_end(world, roles, life):
    world.add(roles=roles)
    idle = world.sign_in().token
    assert alive(world, idle, NOON + life.idle)
    assert not alive(world, world.sign_in().token, NOON + life.idle + SECOND)
    now, used = NOON, world.sign_in().token
    while now + life.idle < NOON + life.at_most:
        now += life.idle
        assert alive(world, used, now)
    assert alive(world, used, NOON + life.at_most)
    assert not alive(world, used, NOON + life.at_most + SECOND)


def test_a_clock_that_jumps_ahead_ends_sessions_and_one_that_steps_back_breaks_nothing(world):
    world.add()
    token = world.sign_in().token
    assert not alive(world, token, NOON + timedelta(days=4000))
    assert alive(world, token, NOON - timedelta(days=1))
    assert alive(world, token, NOON)


def test_a_role_at_work_shortens_the_sessions_that_are_open(world):
    person = world.add()
    token = world.sign_in().token
    later = NOON + WORK_LIFE.idle + MINUTE
    assert alive(world, token, later)
    give(world.engine, world.administrator, person.pseudonym, Role.AGENT, "embauche", NOON)
    assert not alive(world, token, later + WORK_LIFE.idle + MINUTE)


def test_who_signs_out_is_out_and_a_token_that_was_changed_never_was_in(world):
    world.add()
    token = world.sign_in().token
    assert not alive(world, token[:-1] + ("A" if token[-1] != "A" else "B"), NOON)
    assert not alive(world, token.lower(), NOON)
    assert not alive(world, "", NOON)
    assert not alive(world, world.keys.token_hash(token), NOON)  # what the table holds lets nobody in
    signing.sign_out(world.engine, world.keys, token, NOON)
    signing.sign_out(world.engine, world.keys, token, NOON)
    assert not alive(world, token, NOON)


def test_devices_are_listed_and_closed_from_any_of_them(world):
    world.add()
    here, there, elsewhere = (world.sign_in() for _ in range(3))
    principal = here.principal
    listed = signing.list_own_sessions(world.engine, principal, NOON)
    assert {each.device for each in listed} == {"Firefox · Linux"}
    other = next(each for each in listed if each.token_hash == there.principal.token_hash)
    signing.close_own_session(world.engine, principal, other.session_id, NOON)
    assert not alive(world, there.token, NOON)
    with pytest.raises(NotFound, match="unknown_session"):
        signing.close_own_session(world.engine, principal, other.session_id, NOON)
    assert signing.close_other_sessions(world.engine, principal, NOON) == 1
    assert [alive(world, each.token, NOON) for each in (here, elsewhere)] == [True, False]


def test_nobody_closes_the_session_of_another(world):
    world.add()
    victim = world.sign_in()
    session_id = signing.list_own_sessions(world.engine, victim.principal, NOON)[0].session_id
    thief = world.principal(Role.TRAVELLER)
    for guess in (session_id, "", "%", "' OR 1=1 --"):
        with pytest.raises(NotFound, match="unknown_session"):
            signing.close_own_session(world.engine, thief, guess, NOON)
    assert alive(world, victim.token, NOON)


# --- keys for programs ---


def make_key(world, principal, **wish):
    wish = {"name": "Tableau", "scopes": ["own_account"], "calls_per_minute": 2, "days": 30} | wish
    return api_keys.make_key(world.engine, world.keys, principal, api_keys.KeyWish(**wish), NOON)


def by_key(world, secret, now=NOON):
    return get_by_bearer(world.engine, world.keys, secret, now)


def test_a_key_may_what_it_was_made_for_and_no_more_than_its_person(world):
    agent = world.principal(Role.AGENT)
    key, secret = make_key(world, agent, scopes=["people_read"])
    caller = by_key(world, secret)
    assert caller.permissions == {Permission.PEOPLE_READ}
    assert caller.actor == f"key:{key.key_id}"
    assert by_key(world, world.sign_in("dominique@exemple.test").token).actor == agent.actor
    take(world.engine, world.administrator, agent.pseudonym, Role.AGENT, "départ", NOON)
    assert by_key(world, secret).permissions == frozenset()


def test_a_key_is_limited_in_calls_and_time_and_can_be_ended(world):
    agent = world.principal(Role.AGENT)
    key, secret = make_key(world, agent)
    assert [by_key(world, secret).key_id for _ in range(2)] == [key.key_id] * 2
    with pytest.raises(TooOften, match="quota_used") as refusal:
        by_key(world, secret, NOON + 40 * SECOND)
    assert refusal.value.wait_s == 20
    assert by_key(world, secret, NOON + MINUTE)
    with pytest.raises(NotSignedIn, match="bad_token"):
        by_key(world, secret, NOON + timedelta(days=30, seconds=1))
    api_keys.end_key(world.engine, agent, key.key_id, NOON)
    with pytest.raises(NotSignedIn, match="bad_token"):
        by_key(world, secret, NOON + 2 * MINUTE)


def test_keys_that_were_never_made_open_nothing(world):
    agent = world.principal(Role.AGENT)
    key, secret = make_key(world, agent)
    other = secret.rpartition("_")[2]
    for forged in (
        "mobigo_",
        "mobigo__",
        f"mobigo_{key.key_id}_",
        f"mobigo_{key.key_id}_x",
        f"mobigo_x_{other}",
        "mobigo_'--_x",
        "",
        "x",
    ):
        with pytest.raises(NotSignedIn, match="bad_token"):
            by_key(world, forged)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"scopes": ["ledger_read"]}, "bad_scope"),
        ({"scopes": []}, "bad_scope"),
        ({"scopes": ["nothing"]}, "bad_scope"),
        ({"calls_per_minute": 0}, "bad_quota"),
        ({"calls_per_minute": 601}, "bad_quota"),
        ({"days": 0}, "bad_key_days"),
        ({"days": 367}, "bad_key_days"),
        ({"name": " "}, "bad_name"),
        ({"name": "x" * 61}, "bad_name"),
    ],
)
def test_a_key_beyond_what_may_be_is_refused(world, wish, code):
    with pytest.raises(BadInput, match=code):
        make_key(world, world.principal(Role.AGENT), **wish)


def test_a_key_makes_no_key(world):
    _, secret = make_key(world, world.principal(Role.AGENT))
    with pytest.raises(Forbidden, match="not_allowed"):
        make_key(world, by_key(world, secret))


# --- passwords hashed at another cost ---


def test_a_password_of_an_older_cost_is_hashed_anew_when_it_is_typed(world):
    person = world.add()
    with transaction(world.engine) as session:
        set_password(session, person.person_id, argon2.PasswordHasher(1, 8, 1).hash(PASSWORD), NOON)
    world.sign_in()
    with reading(world.engine) as session:
        assert not is_hash_old(find_password(session, person.person_id))
    assert world.sign_in()
