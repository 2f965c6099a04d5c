"""Every endpoint says what it asks of its caller, and gives each role what the table says, and no more."""

import json
import re

import pytest

from mobigo.api import access as api_access
from mobigo.api import standard_covoiturage
from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.security import PERMISSIONS_OF, Permission, Role
from mobigo.services.people import api_keys
from mobigo.settings import Settings
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from mobigo.web import door
from tests.worlds.accounts import NOON, World
from tests.worlds.hostile import all_routes
from tests.worlds.valley import valley
from tests.worlds.visiting import place

PUBLIC = {api_access.open_to_all, door.open_to_all}
NEEDS = (api_access.Needs, door.Needs)
PARTNER = "a partner's key"


def declared(route):
    """What a route asks for: permissions, a partner's key, or None for a public one."""
    asked, more = [], list(route.dependant.dependencies)
    while more:
        one = more.pop()
        more.extend(one.dependencies)
        if one.call in PUBLIC:
            asked.append(None)
        elif isinstance(one.call, NEEDS):
            asked.append(one.call.permission)
        elif one.call is standard_covoiturage.calling_partner:
            asked.append(PARTNER)
    return asked


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"))
    return list(all_routes(make_app(FixedSnapshot(valley()), settings).routes))


def test_every_endpoint_declares_once_what_it_asks(routes):
    assert len(routes) > 60
    assert [(route.path, asked) for route in routes if len(asked := declared(route)) != 1] == []


def test_whoever_changes_something_of_others_is_asked_for_more_than_an_account(routes):
    public = {route.path for route in routes if declared(route) == [None] and route.methods & {"POST", "DELETE"}}
    assert {path for path in public if "/plan" not in path and "/refresh" not in path} == {
        "/api/v1/account/sessions",
        "/connexion",
        "/deconnexion",
        "/compte/creer",
        "/compte/creer/code",
        "/mot-de-passe",
        "/mot-de-passe/nouveau",
    }


def test_partners_have_keys_of_their_own_and_no_other_door(routes):
    ours = {route.path for route in routes if route.path.startswith("/standard-covoiturage/")}
    theirs = {route.path for route in routes if declared(route) == [PARTNER]}
    assert theirs == ours - {"/standard-covoiturage/v1/status"}
    assert len(theirs) == 8


def test_the_cookie_opens_pages_and_keys_open_the_api(routes):
    for route in routes:
        for dependency in route.dependant.dependencies:
            if isinstance(dependency.call, NEEDS):
                is_api = route.path.startswith("/api/")
                assert isinstance(dependency.call, api_access.Needs) == is_api, route.path


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with place(valley(), tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def callers(site):
    """A browser and a key of somebody of each role, and of nobody."""
    people: World = site.people
    found = {None: (site.visitor(), "")}
    for role in Role:
        email = f"{role}@exemple.test"
        principal = people.let_in(people.add(f"Nom {role}", email, roles=[role])).principal
        scopes = sorted(principal.permissions)
        _, secret = api_keys.make_key(
            people.engine, people.keys, principal, api_keys.KeyWish(f"clé {role}", scopes, 600, 1), NOON
        )
        visitor = site.visitor()
        visitor.sign_in(email)
        assert visitor.title == "Mon compte"
        found[role] = (visitor, secret)
    return found


def call(caller, route, method):
    """Knock at a door with nothing in hand: a form without its token and a body that is none are refused after it."""
    visitor, secret = caller
    path = re.sub(r"\{[^}]*\}", "unknown", route.path)
    if route.path.startswith("/api/"):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return visitor.client.request(method, path, headers=headers, content=b"[", follow_redirects=False)
    return visitor.client.request(method, path, data={"x": "y"} if method == "POST" else None, follow_redirects=False)


def is_let_in(answer):
    """Whether the caller got past the door, whatever happened behind it."""
    if answer.status_code == 303 and answer.headers["location"].startswith("/connexion"):
        return False
    if answer.status_code == 401:
        return False
    if answer.status_code == 403:
        return "page trop ancienne" in answer.text  # the form's token is looked at after the role
    return True


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_each_role_passes_the_doors_that_the_table_opens_and_no_other(routes, callers, role):
    wrong = []
    for route in routes:
        (asked,) = declared(route)
        if asked in {None, PARTNER}:
            continue
        for method in sorted(route.methods):
            answer = call(callers[role], route, method)
            may = role is not None and asked in PERMISSIONS_OF[role] | PERMISSIONS_OF[Role.TRAVELLER]
            if is_let_in(answer) != may or answer.status_code >= 500:
                wrong.append((route.path, method, answer.status_code))
    assert wrong == []


SEEN = ("Camille Durand", "camille@exemple.test", "+33639980011")


def test_whoever_sees_somebodys_data_leaves_a_line_about_them(routes, site, callers):
    """Every endpoint that is more than one's own account, asked about Camille by everybody who may."""
    camille = site.people.add(*SEEN, roles=[Role.INSPECTOR])
    shown, wrong = set(), []
    for role, (visitor, secret) in callers.items():
        token = visitor.go("/compte").form("/deconnexion").fields if role else {}
        for route in routes:
            (asked,) = declared(route)
            if role is None or asked in {None, PARTNER, Permission.OWN_ACCOUNT} or asked not in PERMISSIONS_OF[role]:
                continue
            for method in sorted(route.methods):
                before = len(lines_about(site, camille))
                answer = ask_about(camille, visitor, secret, token, route, method)
                if any(word in answer.text for word in SEEN):
                    shown.add((method, route.path))
                    if len(lines_about(site, camille)) == before:
                        wrong.append((role, method, route.path))
    assert wrong == []
    assert shown >= {
        ("GET", "/personnes"),
        ("POST", "/personnes"),
        ("GET", "/personnes/{pseudonym}"),
        ("GET", "/personnes/{pseudonym}/coordonnees"),
        ("POST", "/personnes/{pseudonym}/fonctions"),
        ("POST", "/personnes/{pseudonym}/donnees"),
        ("POST", "/api/v1/people/search"),
        ("GET", "/api/v1/people/{pseudonym}"),
    }


def test_ones_own_pages_tell_nothing_of_anybody_else_whatever_is_asked(routes, site, callers):
    basile = site.people.add("Basile Roux", "basile@exemple.test", "+33639980012")
    visitor, secret = callers[Role.TRAVELLER]
    for route in routes:
        if declared(route) == [Permission.OWN_ACCOUNT] and "GET" in route.methods:
            answer = ask_about(basile, visitor, secret, {}, route, "GET")
            assert not [word for word in ("Basile", "basile@", "+33639980012") if word in answer.text], route.path


def lines_about(site, person):
    with reading(site.people.engine) as session:
        return list_lines(session, AuditFilter(subject=person.actor), limit=10_000)


def ask_about(person, visitor, secret, token, route, method):
    """Ask an endpoint about somebody in every way it may understand, typing nothing that it could only repeat."""
    path = re.sub(r"\{[^}]*\}", person.pseudonym, route.path)
    typed = {"fonction": "inspector", "pseudonym": person.pseudonym, "sur": person.actor, "motif": "lettre du 12"}
    if route.path.startswith("/api/"):
        headers, body = {"Authorization": f"Bearer {secret}"}, json.dumps({"who": person.reference})
        return visitor.client.request(
            method, path, headers=headers | {"Content-Type": "application/json"}, content=body
        )
    fields = token | {"qui": person.reference, "motif": "" if "fonctions" in path else "lettre du 12"}
    if method == "POST":
        return visitor.client.post(path, data=fields)
    return visitor.client.request(method, path, params=typed)


def test_who_is_not_known_is_told_so_in_the_way_of_each_door(callers):
    client = callers[None][0].client
    answer = client.get("/api/v1/account")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert json.loads(answer.content)["code"] == "sign_in_first"
    answer = client.get("/compte?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/connexion?suite=/compte")
    answer = client.get("/personnes?fonction=agent")
    assert answer.headers["location"] == "/connexion?suite=/personnes%3Ffonction%3Dagent"
