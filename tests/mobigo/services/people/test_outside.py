"""Signing in by a provider, honest or not, over real HTTP."""

import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from mobigo.security import Role
from mobigo.services.people import accounts, commands
from mobigo.services.people.administration import Details, make_person, suspend
from mobigo.services.people.outside import WAY_LIFE, ComingBack, come_back, go_outside
from mobigo.store.base import reading
from mobigo.store.people.accounts import count_people
from socle.errors import Conflict, Forbidden, NotSignedIn
from tests.worlds.accounts import HERE, NOON
from tests.worlds.provider import CLIENT_ID, Somebody

CALLBACK = "https://mobigo.exemple.test/connexion/retour"
BROWSER = "f.the cookie of a browser"
MINUTE = timedelta(minutes=1)
CAMILLE = "camille@exemple.test"


class Way:
    """A browser's way out to the provider and back."""

    def __init__(self, world, provider):
        self.world, self.provider = world, provider

    def out(self, browser=BROWSER, after="/compte", now=NOON):
        """What the provider sends the browser back with."""
        address = go_outside(self.provider, self.world.keys, browser, CALLBACK, after, now)
        answer = httpx.get(address)
        assert answer.status_code == 302, answer.text
        back = {name: value for name, (value,) in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        return ComingBack(back.get("code", ""), back["state"], back.get("iss", ""), back.get("error", ""))

    def back(self, brought, browser=BROWSER, now=NOON):
        return come_back(self.world.engine, self.world.keys, self.provider, brought, browser, CALLBACK, HERE, now)

    def go(self, **options):
        return self.back(self.out(**options))


@pytest.fixture
def way(world, provider):
    return Way(world, provider)


def refused(way, code="outside_refused", kind=NotSignedIn):
    with pytest.raises(kind, match=code):
        way.go()


def n_people(world):
    with reading(world.engine) as session:
        return count_people(session)


# --- who comes in ---


def test_whom_nobody_knows_gets_an_account_and_the_next_time_the_same(world, way, local):
    signed_in, after = way.go(after="/personnes")
    assert after == "/personnes"
    assert signed_in.principal.roles == {Role.TRAVELLER}
    account = accounts.get_account(world.engine, world.keys, signed_in.principal)
    assert (account.identity.name, account.identity.email) == ("Camille Durand", CAMILLE)
    assert account.identity.email_verified_at == NOON
    assert (account.issuers, account.has_password) == ([local.issuer], False)
    local.who = Somebody(email="autre@exemple.test", email_verified=False)  # known by the subject, not by the address
    again, _ = way.go()
    assert again.principal.person_id == signed_in.principal.person_id
    assert again.token != signed_in.token
    assert [line.action for line in world.told()] == ["people.joined", "people.linked"] + ["people.signed_in"] * 2


def test_an_account_is_joined_by_an_address_that_both_have_verified_and_its_owner_is_told(world, way, local):
    code_id = accounts.join(world.engine, world.keys, "Camille Durand", CAMILLE, "une phrase assez longue", HERE, NOON)
    owner = accounts.finish_join(world.engine, world.keys, code_id, world.last_code(), HERE, NOON).principal
    local.who.email = CAMILLE.upper()
    assert way.go()[0].principal.person_id == owner.person_id
    assert world.letters()[-1].subject == "Une nouvelle façon de vous connecter à Mobigo"
    assert n_people(world) == 1


def test_an_account_whose_address_nobody_confirmed_is_not_taken_over(world, way):
    make_person(world.engine, world.keys, world.principal(Role.AGENT), Details("Camille Durand", CAMILLE), NOON)
    refused(way, "outside_contact", Conflict)


@pytest.mark.parametrize("verified", [False, None, "false", 1, "yes", ["true"]])
def test_an_address_that_the_provider_has_not_verified_joins_and_opens_nothing(world, way, local, verified):
    world.add()
    local.who.email_verified = verified
    refused(way, "outside_unverified")
    local.who = Somebody(email="nouveau@exemple.test", email_verified=verified)
    refused(way, "outside_unverified")
    assert n_people(world) == 1


@pytest.mark.parametrize("email", ["", "ｃamille@exemple.test", "a@b\r\nBcc: c@d.test", ["a@exemple.test"], 7])
def test_an_address_that_is_none_opens_nothing(world, way, local, email):
    local.who.email = email
    refused(way, "outside_unverified")


def test_who_is_suspended_stays_out(world, way):
    signed_in, _ = way.go()
    suspend(world.engine, world.administrator, signed_in.principal.pseudonym, "plainte", NOON)
    refused(way, "suspended", Forbidden)


def test_a_name_that_is_none_is_that_of_the_address(world, way, local):
    local.who.name = "\u202e"
    account = accounts.get_account(world.engine, world.keys, way.go()[0].principal)
    assert account.identity.name == "camille"


def test_a_string_that_says_true_is_taken_for_it(way, local):
    local.who.email_verified = "true"
    assert way.go()


def test_a_provider_that_tells_the_address_elsewhere_is_asked_there(world, way, local):
    local.userinfo = dict
    assert accounts.get_account(world.engine, world.keys, way.go()[0].principal).identity.email == CAMILLE


def test_what_it_tells_elsewhere_may_be_signed(world, way, local):
    def signed(claims):
        told = claims | {"iss": local.issuer, "aud": CLIENT_ID}
        return local.sealed(told), 200, {"Content-Type": "application/jwt; charset=utf-8"}

    local.userinfo = signed
    assert accounts.get_account(world.engine, world.keys, way.go()[0].principal).identity.email == CAMILLE


# --- the way there and back ---


def test_a_code_serves_once(world, way):
    brought = way.out()
    way.back(brought)
    with pytest.raises(NotSignedIn, match="outside_refused"):
        way.back(brought)


def test_a_code_of_somebody_else_is_of_no_use(way):
    """The victim's browser is made to bring back the code of the thief, with a way of its own."""
    stolen, own = way.out(browser="f.thief"), way.out()
    with pytest.raises(NotSignedIn, match="outside_refused"):
        way.back(ComingBack(stolen.code, own.state))


@pytest.mark.parametrize("browser", ["f.another", "s.another", ""])
def test_the_way_back_is_that_of_the_browser_that_left(way, local, browser):
    brought = way.out()
    with pytest.raises(NotSignedIn, match="outside_too_old"):
        way.back(brought, browser=browser)
    assert "/token" not in local.asked


@pytest.mark.parametrize(
    "spoil", [lambda _state: "", lambda state: state[:-2], lambda _state: "é", lambda _state: "A" * 400]
)
def test_a_state_that_was_not_given_leads_nowhere(way, spoil):
    brought = way.out()
    with pytest.raises(NotSignedIn, match="outside_too_old"):
        way.back(ComingBack(brought.code, spoil(brought.state)))


@pytest.mark.parametrize("now", [NOON + WAY_LIFE + MINUTE, NOON - 3 * MINUTE, NOON + timedelta(days=4000)])
def test_the_way_back_is_open_for_ten_minutes(way, now):
    brought = way.out()
    with pytest.raises(NotSignedIn, match="outside_too_old"):
        way.back(brought, now=now)


def test_a_no_of_the_provider_is_a_no(way):
    brought = way.out()
    with pytest.raises(NotSignedIn, match="outside_refused"):
        way.back(ComingBack("", brought.state, error="access_denied"))


def test_an_answer_in_the_name_of_another_provider_is_refused(way, local):
    brought = way.out()
    with pytest.raises(NotSignedIn, match="outside_refused"):
        way.back(ComingBack(brought.code, brought.state, "https://another.test"))
    assert way.back(ComingBack(brought.code, brought.state, local.issuer))


def test_a_provider_that_always_names_itself_must(way, local):
    local.described = {"authorization_response_iss_parameter_supported": True}
    brought = way.out()
    with pytest.raises(NotSignedIn, match="outside_refused"):
        way.back(ComingBack(brought.code, brought.state))


def test_what_travels_tells_nobody_the_verifier(world, way, provider):
    address = go_outside(provider, world.keys, BROWSER, CALLBACK, "/compte", NOON)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["at"] == ["home"]  # what stood in its address stays
    raw = base64.urlsafe_b64decode(asked["state"][0] + "==")
    assert b"verifier" not in raw
    assert asked["nonce"][0].encode() not in raw


def test_a_key_of_the_machine_is_no_way_around(world, way):
    """Who is linked has no password, and gets none by linking."""
    way.go()
    with pytest.raises(NotSignedIn, match="wrong_sign_in"):
        world.sign_in(password="")
    assert commands.list_at_work(world.engine, world.keys, "system:cli", NOON) == []
