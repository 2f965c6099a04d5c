from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.services.people import accounts, administration
from mobigo.services.people.administration import Details
from mobigo.services.people.messages import CODE_LIFE, CODE_TRIES, CODES_PER_CONTACT
from mobigo.services.people.principal import find_by_token
from mobigo.services.people.signing import WINDOW
from mobigo.store.people.accounts import Identity
from socle.errors import BadInput, Conflict, Forbidden, NotSignedIn, TooOften
from tests.worlds.accounts import HERE, NOON, PASSWORD

MINUTE = timedelta(minutes=1)
NEW = "une tout autre phrase"


def join(world, contact="camille@exemple.test", now=NOON):
    return accounts.join(world.engine, world.keys, "Camille Durand", contact, PASSWORD, HERE, now)


def finish_join(world, code_id, code, now=NOON):
    return accounts.finish_join(world.engine, world.keys, code_id, code, HERE, now)


def test_who_copies_the_code_has_an_account_and_is_in(world):
    code_id = join(world)
    with pytest.raises(NotSignedIn):
        world.sign_in()
    (letter,) = world.letters()
    assert letter.contact.value == "camille@exemple.test"
    signed_in = finish_join(world, code_id, world.last_code().lower().replace("-", " "))
    assert signed_in.principal.roles == {Role.TRAVELLER}
    account = accounts.get_account(world.engine, world.keys, signed_in.principal)
    assert account.identity == Identity("Camille Durand", "camille@exemple.test", email_verified_at=NOON)
    assert world.sign_in().principal.person_id == signed_in.principal.person_id
    with pytest.raises(BadInput, match="wrong_code"):
        finish_join(world, code_id, world.last_code())


def test_a_number_does_as_well_as_an_address(world):
    code_id = join(world, "06 39 98 00 01")
    (letter,) = world.letters()
    assert (letter.contact.kind, letter.contact.value) == ("phone", "+33639980001")
    assert len(letter.body) <= 160
    finish_join(world, code_id, world.last_code())
    assert world.sign_in("0639980001")


def test_who_has_an_account_is_told_in_the_letter_and_nobody_else_is(world):
    world.add()
    code_id = join(world)
    (letter,) = world.letters()
    assert letter.subject == "Vous avez déjà un compte Mobigo"
    assert "-" not in [word[5:6] for word in letter.body.split()]  # no code in it
    with pytest.raises(BadInput, match="wrong_code"):
        finish_join(world, code_id, "AAAAA-AAAAA")


def test_two_who_ask_for_one_address_get_one_account(world):
    first, code = join(world), world.last_code()
    second, other_code = join(world), world.last_code()
    finish_join(world, first, code)
    with pytest.raises(Conflict, match="contact_taken"):
        finish_join(world, second, other_code)


def test_a_code_is_guessed_a_few_times_and_lives_half_an_hour(world):
    late, code = join(world), world.last_code()
    with pytest.raises(BadInput, match="wrong_code"):
        finish_join(world, late, code, NOON + CODE_LIFE + MINUTE)
    guessed, code = join(world), world.last_code()
    for _ in range(CODE_TRIES):
        with pytest.raises(BadInput, match="wrong_code"):
            finish_join(world, guessed, "AAAAA-AAAAA")
    with pytest.raises(BadInput, match="wrong_code"):
        finish_join(world, guessed, code)
    assert world.letters(NOON + CODE_LIFE + MINUTE) == []


def test_codes_are_not_sent_without_end(world):
    for _ in range(CODES_PER_CONTACT):
        join(world)
    with pytest.raises(TooOften, match="too_many_codes"):
        join(world)
    with pytest.raises(TooOften, match="too_many_codes"):
        accounts.ask_reset(world.engine, world.keys, "camille@exemple.test", HERE, NOON)
    assert join(world, "alex@exemple.test")
    assert join(world, now=NOON + WINDOW + MINUTE)


# --- coming back ---


def ask_reset(world, contact="camille@exemple.test", now=NOON):
    return accounts.ask_reset(world.engine, world.keys, contact, HERE, now)


def finish_reset(world, code_id, code, password=NEW):
    return accounts.finish_reset(world.engine, world.keys, code_id, code, password, HERE, NOON)


def test_a_code_sets_a_new_password_and_signs_out_everywhere(world):
    world.add()
    before = world.sign_in()
    code_id = ask_reset(world)
    after = finish_reset(world, code_id, world.last_code())
    assert find_by_token(world.engine, world.keys, before.token, NOON) is None
    assert find_by_token(world.engine, world.keys, after.token, NOON) == after.principal
    with pytest.raises(NotSignedIn):
        world.sign_in()
    assert world.sign_in(password=NEW)


def test_asking_for_an_unknown_account_looks_the_same_and_sends_nothing(world):
    world.add()
    assert len(ask_reset(world)) == len(ask_reset(world, "personne@exemple.test"))
    assert [letter.contact.value for letter in world.letters()] == ["camille@exemple.test"]


def test_a_code_for_an_unknown_account_is_refused_like_a_wrong_one(world):
    code_id = ask_reset(world, "personne@exemple.test")
    with pytest.raises(BadInput, match="wrong_code"):
        finish_reset(world, code_id, "AAAAA-AAAAA")


def test_a_code_asked_to_join_resets_nothing(world):
    world.add()
    code_id = join(world, "alex@exemple.test")
    with pytest.raises(BadInput, match="wrong_code"):
        finish_reset(world, code_id, world.last_code())


def test_a_bad_new_password_does_not_use_the_code_up(world):
    world.add()
    code_id = ask_reset(world)
    with pytest.raises(BadInput, match="password_short"):
        finish_reset(world, code_id, world.last_code(), "court")
    assert finish_reset(world, code_id, world.last_code())


def test_the_other_address_of_the_account_is_told(world):
    world.add(phone="06 39 98 00 01")
    finish_reset(world, ask_reset(world), world.last_code())
    told = world.letters()[-1]
    assert (told.contact.value, told.subject) == ("+33639980001", "Votre mot de passe Mobigo a changé")


def test_somebody_whom_an_agent_wrote_down_comes_in_by_a_code(world):
    agent = world.principal(Role.AGENT)
    person = administration.make_person(
        world.engine, world.keys, agent, Details("Camille Durand", "camille@exemple.test"), NOON
    )
    signed_in = finish_reset(world, ask_reset(world), world.last_code())
    assert signed_in.principal.pseudonym == person.pseudonym
    account = accounts.get_account(world.engine, world.keys, signed_in.principal)
    assert account.identity.email_verified_at == NOON


# --- one's own account ---


def change_password(world, principal, old=PASSWORD, new=NEW, now=NOON):
    accounts.change_password(world.engine, world.keys, principal, old, new, HERE, now)


def test_a_password_is_changed_by_who_knows_the_old_one(world):
    world.add()
    principal = world.sign_in().principal
    with pytest.raises(BadInput, match="wrong_old_password"):
        change_password(world, principal, "pas la bonne phrase")
    with pytest.raises(BadInput, match="password_plain"):
        change_password(world, principal, new="camille@exemple.test")
    change_password(world, principal)
    assert world.sign_in(password=NEW)
    assert world.letters()[-1].subject == "Votre mot de passe Mobigo a changé"


def test_who_found_an_open_session_does_not_guess_the_password_in_it(world):
    world.add()
    principal = world.sign_in().principal
    for _ in range(5):
        with pytest.raises(BadInput, match="wrong_old_password"):
            change_password(world, principal, "pas la bonne phrase")
    with pytest.raises(TooOften, match="too_many_tries"):
        change_password(world, principal)
    assert world.sign_in()  # the owner is not locked out by it


def test_a_new_address_holds_once_its_code_came_back(world):
    world.add()
    principal = world.sign_in().principal

    def ask(kind="email", typed="camille@autre.test"):
        return accounts.ask_contact(world.engine, world.keys, principal, kind, typed, HERE, NOON)

    def identity():
        return accounts.get_account(world.engine, world.keys, principal).identity

    code_id = ask()
    assert identity().email == "camille@exemple.test"
    accounts.finish_contact(world.engine, world.keys, principal, code_id, world.last_code(), NOON)
    assert (identity().email, identity().email_verified_at) == ("camille@autre.test", NOON)
    told = world.letters()[-1]
    assert (told.contact.value, told.subject) == (
        "camille@exemple.test",
        "Votre compte Mobigo n’utilise plus cette adresse",
    )
    code_id = ask("phone", "06 39 98 00 01")
    accounts.finish_contact(world.engine, world.keys, principal, code_id, world.last_code(), NOON)
    accounts.remove_contact(world.engine, world.keys, principal, "email", NOON)
    with pytest.raises(Conflict, match="last_contact"):
        accounts.remove_contact(world.engine, world.keys, principal, "phone", NOON)
    assert identity() == Identity("Camille Durand", "", "+33639980001", phone_verified_at=NOON)


def test_nobody_takes_the_address_of_another_even_with_its_code(world):
    world.add()
    thief = world.principal(Role.TRAVELLER)
    code_id = accounts.ask_contact(world.engine, world.keys, thief, "email", "camille@exemple.test", HERE, NOON)
    with pytest.raises(Conflict, match="contact_taken"):
        accounts.finish_contact(world.engine, world.keys, thief, code_id, world.last_code(), NOON)


def test_a_code_for_one_account_changes_no_other(world):
    world.add()
    victim = world.sign_in().principal
    thief = world.principal(Role.TRAVELLER)
    code_id = accounts.ask_contact(world.engine, world.keys, victim, "email", "camille@autre.test", HERE, NOON)
    with pytest.raises(BadInput, match="wrong_code"):
        accounts.finish_contact(world.engine, world.keys, thief, code_id, world.last_code(), NOON)


def test_a_name_is_changed_at_once_and_written_down_without_it(world):
    world.add()
    principal = world.sign_in().principal
    accounts.change_name(world.engine, world.keys, principal, "Camille  Morel", NOON)
    assert accounts.get_account(world.engine, world.keys, principal).identity.name == "Camille Morel"
    line = world.told("people.changed")[-1]
    assert (line.actor, line.subject, line.facts) == (principal.actor, principal.actor, {"changed": "name"})


def test_a_suspended_account_lets_nobody_in(world):
    person = world.add()
    code_id = ask_reset(world)
    administration.suspend(world.engine, world.administrator, person.pseudonym, "demande de la police", NOON)
    with pytest.raises(Forbidden, match="suspended"):
        world.sign_in()
    with pytest.raises(NotSignedIn, match="wrong_sign_in"):
        world.sign_in(password="pas la bonne phrase")
    with pytest.raises(Forbidden, match="suspended"):
        finish_reset(world, code_id, world.last_code())
