from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import inspect, text

from mobigo.security import Keys, Role
from mobigo.store.base import reading, transaction
from mobigo.store.holdings import erase_person, export_person
from mobigo.store.people.access import (
    ApiKey,
    add_key,
    close_session,
    close_sessions,
    count_call,
    find_key,
    find_session,
    list_keys,
    list_sessions,
    open_session,
    revoke_key,
    touch_session,
)
from mobigo.store.people.accounts import (
    Identity,
    PersonState,
    add_person,
    count_people,
    find_by_contact,
    find_by_outside,
    find_by_reference,
    get_by_pseudonym,
    get_identity,
    get_person,
    link_outside,
    list_by_name,
    list_issuers,
    reseal,
    set_identity,
    set_password,
    set_state,
)
from mobigo.store.people.door import (
    Purpose,
    TryKind,
    add_code,
    add_try,
    get_code,
    mark_succeeded,
    tries_of_account,
    tries_of_address,
    use_code,
)
from mobigo.store.people.roles import give_role, list_roles_given, list_with_role, roles_of, take_role
from mobigo.store.personal import Whose
from socle.errors import Conflict, NotFound, Unavailable

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OLD, NEW = "o" * 32, "n" * 32
KEYS = Keys.of(OLD)
CAMILLE = Identity("Camille Durand", "camille@exemple.test", "+33639980001", "FR7699999000010000000000157")


@pytest.fixture
def camille(engine):
    with transaction(engine) as session:
        return add_person(session, KEYS, CAMILLE, NOON)


def test_somebody_is_found_by_address_number_name_reference_and_pseudonym(engine, camille):
    with reading(engine) as session:
        assert find_by_contact(session, KEYS, "email", "camille@exemple.test") == camille
        assert find_by_contact(session, KEYS, "phone", "+33639980001") == camille
        assert find_by_contact(session, KEYS, "phone", "camille@exemple.test") is None
        assert list_by_name(session, KEYS, "DURAND  Camillé", 5) == [camille]
        assert list_by_name(session, KEYS, "Durand", 5) == []
        assert find_by_reference(session, camille.reference) == camille
        assert get_by_pseudonym(session, camille.pseudonym) == camille
        assert get_person(session, camille.person_id) == camille
        assert get_identity(session, KEYS, camille.person_id) == CAMILLE
        with pytest.raises(NotFound, match="unknown_person"):
            get_by_pseudonym(session, camille.person_id)


def test_the_database_holds_no_letter_of_who_somebody_is(engine, camille):
    with engine.connect() as connection:
        held = "".join(
            repr(row)
            for table in inspect(engine).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
        ).lower()
    for word in ("camille", "durand", "exemple", "639980001", "fr7699999"):
        assert word not in held
        assert word.encode().hex() not in held


def test_a_sealed_value_moved_to_another_person_does_not_open(engine, camille):
    with transaction(engine) as session:
        other = add_person(session, KEYS, Identity("Alex"), NOON)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE identity SET name = (SELECT name FROM identity WHERE person_id = :a) WHERE person_id = :b"),
            {"a": camille.person_id, "b": other.person_id},
        )
    with reading(engine) as session, pytest.raises(Unavailable, match="sealed_unreadable"):
        get_identity(session, KEYS, other.person_id)


def test_one_address_is_of_one_person_and_many_have_none(engine, camille):
    with transaction(engine) as session:
        nobody, other = (add_person(session, KEYS, Identity("Alex"), NOON) for _ in range(2))
        assert nobody.reference != other.reference
        set_identity(session, KEYS, camille.person_id, CAMILLE)
        for taken in (Identity(email=CAMILLE.email), Identity(phone=CAMILLE.phone)):
            with pytest.raises(Conflict, match="contact_taken"):
                set_identity(session, KEYS, other.person_id, taken)


def test_a_changed_key_still_finds_and_reads_and_resealing_ends_the_old_one(engine, camille):
    both, new = Keys.of(f"{NEW} {OLD}"), Keys.of(NEW)
    with transaction(engine) as session, pytest.raises(Conflict, match="contact_taken"):
        add_person(session, both, Identity(email=CAMILLE.email), NOON)
    with transaction(engine) as session:
        assert find_by_contact(session, both, "email", CAMILLE.email) == camille
        assert find_by_contact(session, new, "email", CAMILLE.email) is None
        assert reseal(session, both, 10) == 1
        assert reseal(session, both, 10) == 0
    with reading(engine) as session:
        assert find_by_contact(session, new, "email", CAMILLE.email) == camille
        assert get_identity(session, new, camille.person_id) == CAMILLE


def test_an_erased_person_leaves_no_row(engine, camille):
    whose = Whose(camille.person_id, camille.pseudonym)
    with transaction(engine) as session:
        set_password(session, camille.person_id, "hash", NOON)
        link_outside(session, KEYS, camille.person_id, "https://op.exemple.test", "42", NOON)
        open_session(session, "t", camille.person_id, "password", "Firefox", NOON)
        add_key(session, key(camille), "h")
        give_role(session, camille.person_id, Role.AGENT, "system:test", "essai", NOON)
        add_try(session, TryKind.SIGN_IN, KEYS.blind("email", CAMILLE.email), "x", NOON)
        ask(session, camille.person_id)
        other = add_person(session, KEYS, Identity("Alex"), NOON)
        assert count_people(session) == 2
        told = export_person(session, whose, KEYS)
        counts = erase_person(session, whose)
    assert told["identity"] == [
        {
            "name": CAMILLE.name,
            "email": CAMILLE.email,
            "phone": CAMILLE.phone,
            "iban": CAMILLE.iban,
            "email_verified_at": None,
            "phone_verified_at": None,
        }
    ]
    assert {table for table, rows in told.items() if rows} == set(counts) == {
        "door_try", "session", "api_key", "one_time_code", "role_given", "outside_sign_in", "password", "identity",
        "person",
    }  # fmt: skip
    assert set(counts.values()) == {1}
    with reading(engine) as session:
        assert count_people(session) == 1
        assert get_identity(session, KEYS, other.person_id).name == "Alex"
        assert export_person(session, whose, KEYS).keys() == told.keys()
        assert not any(export_person(session, whose, KEYS).values())


def test_what_another_provider_knows_of_somebody_leads_to_them(engine, camille):
    with transaction(engine) as session:
        link_outside(session, KEYS, camille.person_id, "https://op.exemple.test", "42", NOON)
        link_outside(session, KEYS, camille.person_id, "https://op.exemple.test", "42", NOON)
        assert find_by_outside(session, KEYS, "https://op.exemple.test", "42") == camille
        assert find_by_outside(session, KEYS, "https://autre.exemple.test", "42") is None
        assert list_issuers(session, camille.person_id) == ["https://op.exemple.test"]


# --- roles ---


def test_a_role_is_held_once_and_its_story_is_kept(engine, camille):
    with transaction(engine) as session:
        assert give_role(session, camille.person_id, Role.AGENT, "person:a", "embauche", NOON)
        assert not give_role(session, camille.person_id, Role.AGENT, "person:a", "encore", NOON)
        assert roles_of(session, [camille.person_id, "x"]) == {camille.person_id: {Role.AGENT}, "x": set()}
        assert list_with_role(session, Role.AGENT, locked=True) == [camille]
        assert take_role(session, camille.person_id, Role.AGENT, "person:b", "départ", NOON + MINUTE)
        assert not take_role(session, camille.person_id, Role.AGENT, "person:b", "départ", NOON + MINUTE)
        assert give_role(session, camille.person_id, Role.AGENT, "person:a", "retour", NOON + 2 * MINUTE)
        now, before = list_roles_given(session, camille.person_id)
    assert (now.why, now.taken_at) == ("retour", None)
    assert (before.why, before.taken_by, before.taken_why) == ("embauche", "person:b", "départ")
    assert before.taken_at == NOON + MINUTE


def test_a_suspended_person_is_counted_in_no_role(engine, camille):
    with transaction(engine) as session:
        give_role(session, camille.person_id, Role.AGENT, "system:test", "essai", NOON)
        set_state(session, camille, PersonState.SUSPENDED)
        assert list_with_role(session, Role.AGENT) == []


# --- sessions and keys ---


def key(person, calls_per_minute=2):
    return ApiKey("k1", person.person_id, "Tableau", ("own_account",), calls_per_minute, NOON, NOON + 9 * MINUTE, None)


def test_sessions_are_closed_one_by_one_all_but_one_and_all(engine, camille):
    with transaction(engine) as session:
        for name in "abcde":
            open_session(session, name, camille.person_id, "password", "Firefox", NOON)
        touch_session(session, "c", NOON + MINUTE)
        assert list_sessions(session, camille.person_id)[0].token_hash == "c"
        assert close_session(session, "a")
        assert not close_session(session, "a")
        assert close_sessions(session, camille.person_id, session_id=find_session(session, "b").session_id) == 1
        assert close_sessions(session, "other") == 0
        assert close_sessions(session, camille.person_id, but="c") == 2
        assert [one.token_hash for one in list_sessions(session, camille.person_id)] == ["c"]


def test_a_key_may_call_as_often_as_its_quota_says_in_each_minute(engine, camille):
    with transaction(engine) as session:
        add_key(session, key(camille), "h")
        assert [count_call(session, "k1", NOON) for _ in range(3)] == [True, True, False]
        assert [count_call(session, "k1", NOON + MINUTE) for _ in range(3)] == [True, True, False]
        assert count_call(session, "k1", NOON)  # the clock stepped back: another minute
        assert not count_call(session, "k2", NOON)


def test_a_key_is_ended_by_its_person_alone_and_stays_listed(engine, camille):
    with transaction(engine) as session:
        add_key(session, key(camille), "h")
        assert find_key(session, "k1") == (key(camille), "h")
        assert find_key(session, "k2") is None
        with pytest.raises(NotFound, match="unknown_key"):
            revoke_key(session, "other", "k1", NOON)
        revoke_key(session, camille.person_id, "k1", NOON)
        revoke_key(session, camille.person_id, "k1", NOON + MINUTE)
        assert [one.revoked_at for one in list_keys(session, camille.person_id)] == [NOON]


# --- tries and codes ---


def test_failures_are_counted_by_account_since_the_last_success_and_by_address(engine):
    with transaction(engine) as session:
        for n in range(3):
            add_try(session, TryKind.SIGN_IN, "a", "x", NOON + n * MINUTE)
        mark_succeeded(session, add_try(session, TryKind.SIGN_IN, "a", "x", NOON + 3 * MINUTE))
        add_try(session, TryKind.SIGN_IN, "a", "y", NOON + 4 * MINUTE)
        add_try(session, TryKind.CODE, "a", "x", NOON + 4 * MINUTE)
        of_account = tries_of_account(session, TryKind.SIGN_IN, "a", NOON - MINUTE)
        assert (of_account.n, of_account.last_at) == (1, NOON + 4 * MINUTE)
        of_address = tries_of_address(session, TryKind.SIGN_IN, "x", NOON)
        assert (of_address.n, of_address.last_at) == (2, NOON + 2 * MINUTE)
        assert tries_of_account(session, TryKind.SIGN_IN, "b", NOON).n == 0


def ask(session, person_id=None, purpose=Purpose.RESET):
    return add_code(session, KEYS, purpose, "AAAAA-BBBBB", person_id, {"to": "x"}, NOON, 15 * MINUTE)


def use(session, code_id, code="AAAAA-BBBBB", purpose=Purpose.RESET, now=NOON):
    return use_code(session, KEYS, purpose, code_id, code, 3, now)


def test_a_code_works_once_for_what_it_was_asked_for(engine, camille):
    with transaction(engine) as session:
        code_id = ask(session, camille.person_id)
        assert get_code(session, KEYS, code_id).facts == {"to": "x", "code": "AAAAA-BBBBB"}
        assert use(session, code_id, purpose=Purpose.JOIN) is None
        assert use(session, code_id, "CCCCC-DDDDD") is None
        assert use(session, code_id).person_id == camille.person_id
        assert use(session, code_id) is None
        assert use(session, "no such code") is None
        with pytest.raises(NotFound, match="unknown_code"):
            get_code(session, KEYS, "no such code")


def test_a_code_ends_after_its_tries_and_its_time(engine):
    with transaction(engine) as session:
        tried = ask(session)
        assert [use(session, tried, "CCCCC-DDDDD") for _ in range(3)] == [None] * 3
        assert use(session, tried) is None
        assert use(session, ask(session), now=NOON + 16 * MINUTE) is None
        assert use(session, ask(session), now=NOON - 60 * MINUTE) is None
        assert use(session, ask(session), now=NOON + 15 * MINUTE) is not None
