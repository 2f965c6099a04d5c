"""Every endpoint for programs, as somebody would call it who means harm."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest

from mobigo.api.access import Needs
from mobigo.security import Role
from mobigo.services.people import api_keys
from mobigo.texts import all_texts
from tests.worlds.accounts import NOON
from tests.worlds.hostile import DAY, TYPED, all_routes

CLOSED = ("/api/v1/account", "/api/v1/people")


@pytest.fixture
def client(walk):
    return walk.client


@pytest.fixture
def key(site, walk):
    """A key of somebody who may do everything."""
    principal = site.people.let_in(walk.person, site.clock.now).principal
    wish = api_keys.KeyWish("Essai", sorted(principal.permissions), 600, 9)
    key, secret = api_keys.make_key(site.people.engine, site.people.keys, principal, wish, site.clock.now)
    yield secret
    api_keys.end_key(site.people.engine, principal, key.key_id, site.clock.now)


@pytest.fixture
def ask(client, site):
    """A call with a key, in a minute of its own; what it answers is JSON, and a refusal a problem document."""

    def ask(method, path, secret="", body=b"", **headers):
        site.clock.now += timedelta(minutes=1)
        told = {"Authorization": f"Bearer {secret}"} if secret else {}
        client.cookies.clear()
        answer = client.request(
            method, path, content=body, headers={"Content-Type": "application/json"} | told | headers
        )
        assert answer.status_code < 500, (method, path, body[:200])
        told = json.loads(answer.content)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", path
            assert told["detail"] == told["error"] == told["title"]
            assert f"errors.{told['code']}" in all_texts(), told["code"]
            assert told["status"] == answer.status_code
        return answer

    return ask


def closed_routes(site):
    """Method, path and whether the endpoint asks for a key, of each that is about people."""
    for route in all_routes(site.app.routes):
        if route.path.startswith(CLOSED):
            asks = any(isinstance(each.call, Needs) for each in route.dependant.dependencies)
            yield next(iter(route.methods)), route.path, asks


def bodies(site):
    """Path, and the fields of the body with their kinds, of each endpoint that takes one."""
    document = site.app.openapi()
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if "requestBody" in told and path.startswith(CLOSED):
                name = told["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                yield method.upper(), path, document["components"]["schemas"][name]


def plausible(schema, person):
    """A body as it is wished for."""
    known = {"role": "agent", "scopes": ["own_account"], "name": "Jeanne Roux", "why": "essai", "who": person.reference}
    kinds = {"string": "essai", "integer": 5, "boolean": True, "array": []}
    return {
        name: known.get(name, kinds[told["type"]])
        for name, told in schema["properties"].items()
        if name in schema["required"] or name == "why"
    }


def test_there_are_bodies_to_try(site, walk):
    assert len(list(bodies(site))) >= 6


def test_whatever_stands_in_a_field_is_text_or_refused(site, walk, ask, key):
    harm = [
        *TYPED.values(),
        "\0",
        "\ud800",
        "",
        None,
        7,
        1e308,
        10**40,
        True,
        [],
        {},
        [["x"]],
        ["\0"],
        {"$ne": ""},
    ]
    for method, path, schema in bodies(site):
        where = path.replace("{pseudonym}", walk.person.pseudonym)
        for name in schema["properties"]:
            for typed in harm:
                wish = plausible(schema, walk.person) | {name: typed}
                ask(method, where, key, json.dumps(wish).encode())


def test_a_body_that_is_not_what_it_must_be_is_refused(site, walk, ask, key):
    for method, path, schema in bodies(site):
        where, wish = path.replace("{pseudonym}", walk.person.pseudonym), plausible(schema, walk.person)
        good = json.dumps(wish).encode()
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'"x"',
            b"7",
            b"\xff\xfe{}",
            b"[" * 30_000,
            b'{"a":' * 10_000,
            b'{"' + b"x" * 60_000 + b'":1}',
            json.dumps(wish | {"isAdmin": True}).encode(),
            good[:-1],
            good + b"x",
        ):
            assert ask(method, where, key, body).status_code == 400, body[:60]
        assert ask(method, where, key, good + b" " * 70_000).status_code == 422
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            assert ask(method, where, key, good, **{"Content-Type": kind}).status_code == 400


def test_whatever_stands_in_a_path_names_nobody(site, ask, key):
    for method, path, _asks in closed_routes(site):
        if "{" in path:
            begin, _, rest = path.partition("{")
            for typed in (*TYPED.values(), "..", "../..", "%00", "\0"):
                answer = ask(method, f"{begin}{quote(typed, safe='')[:4000]}{rest.partition('}')[2]}", key, b"{}")
                assert answer.status_code in {400, 404, 405}, path


def forged(secret):
    """What looks like a key and is none."""
    prefix, key_id, rest = secret.split("_", 2)
    return [
        "x",
        prefix,
        f"{prefix}_{key_id}",
        f"{prefix}_{key_id}_",
        f"{prefix}_{key_id}_{rest[:-1]}",
        f"{prefix}_{key_id}_{rest[:-1]}{'A' if rest[-1] != 'A' else 'B'}",
        f"{prefix}_{key_id.upper()}x_{rest}",
        f"{prefix}__{rest}",
        f"{prefix}_' OR '1'='1_{rest}",
        secret.upper(),
        "x" * 20_000,
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
    ]


def test_no_endpoint_is_opened_by_what_is_no_key(site, ask, key):
    for method, path, asks in closed_routes(site):
        if asks:
            for secret in forged(key):
                answer = ask(method, path, secret, b"{}")
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
            for scheme in ("Basic eDp5", "bearer", "Bearer", f"Token {key}"):
                assert ask(method, path, body=b"{}", Authorization=scheme).status_code == 401


def test_a_key_that_is_over_or_a_session_that_ended_opens_nothing(site, walk, ask, key):
    token = site.people.let_in(walk.person, site.clock.now).token
    assert ask("GET", "/api/v1/account", key).status_code == 200
    assert ask("GET", "/api/v1/account", token).status_code == 200
    for days in (10, 4000):
        site.clock.now = NOON + days * DAY
        for method, path, asks in closed_routes(site):
            if asks:
                assert [ask(method, path, each, b"{}").status_code for each in (key, token)] == [401, 401], path
    site.clock.now = NOON


def test_the_cookie_of_a_browser_opens_no_endpoint(site, walk, ask):
    for method, path, asks in closed_routes(site):
        if asks:
            assert ask(method, path, body=b"{}", Cookie=f"mobigo={walk.cookie(signed_in=True)}").status_code == 401


def test_what_is_about_people_is_for_their_own_programs_alone(site, walk, client, key):
    asked = {"Origin": "https://ailleurs.test", "Authorization": f"Bearer {key}"}
    for path in ("/api/v1/account", f"/api/v1/people/{walk.person.pseudonym}"):
        answer = client.get(path, headers=asked)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert "access-control-allow-origin" not in answer.headers
        preflight = client.options(path, headers=asked | {"Access-Control-Request-Method": "GET"})
        assert "access-control-allow-origin" not in preflight.headers


def test_every_role_is_there_to_be_tried(walk, ask, key):
    assert set(ask("GET", "/api/v1/account", key).json()["roles"]) == set(Role)
