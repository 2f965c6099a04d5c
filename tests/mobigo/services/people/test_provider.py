"""What a provider says of somebody, honest or not, over real HTTP."""

import base64
import hmac
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt

from mobigo.services.people.provider import Claims, Provider, ProviderAccess, read_access
from socle.errors import BadInput, NotSignedIn, Unavailable
from tests.worlds.accounts import NOON
from tests.worlds.provider import CLIENT_ID, CLIENT_SECRET, curve_key, other_key

CALLBACK = "https://mobigo.exemple.test/connexion/retour"
VERIFIER = "a verifier of forty-three letters or more, as wanted".replace(" ", "-").replace(",", "")
MINUTE = timedelta(minutes=1)
CAMILLE = Claims("", "sub-of-camille", "Camille Durand", "camille@exemple.test")


def sign_in(provider, now=NOON):
    """What the provider says of who sits before it."""
    address = provider.sign_in_address(CALLBACK, "state", "nonce", create_s256_code_challenge(VERIFIER), now)
    answer = httpx.get(address)
    assert answer.status_code == 302, answer.text
    (code,) = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
    return provider.take_code(code, CALLBACK, VERIFIER, "nonce", now)


def refused(provider):
    with pytest.raises(NotSignedIn, match="outside_refused"):
        sign_in(provider)


@pytest.mark.parametrize("wrong", [{"aud": "another"}, {"iss": "https://another.test"}, {"sub": "another"}])
def test_what_it_tells_elsewhere_is_about_the_same_person_and_for_us(provider, local, wrong):
    local.userinfo = lambda claims: (
        local.sealed(claims | {"iss": local.issuer, "aud": CLIENT_ID} | wrong),
        200,
        {"Content-Type": "application/jwt"},
    )
    refused(provider)
    if "sub" in wrong:
        local.userinfo = lambda claims: claims | wrong
        refused(provider)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_we_show_our_secret_in_the_way_that_is_wanted(provider, local, method):
    local.client.methods = (method,)
    assert sign_in(provider)


def test_a_public_client_shows_none(local):
    local.client.methods = ("none",)
    assert sign_in(Provider(ProviderAccess(local.issuer, CLIENT_ID, "", "x")))


@pytest.mark.parametrize("algorithm", ["ES256", "PS256"])
def test_other_public_keys_do_as_well(provider, local, algorithm):
    if algorithm == "ES256":
        local.key = curve_key()
    local.algorithm = algorithm
    assert sign_in(provider)


# --- tokens that are not to be believed ---


def later(claims, **changed):
    return {name: value for name, value in (claims | changed).items() if value is not None}


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": None},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://another.test"},
        {"iss": None},
        {"exp": int(NOON.timestamp()) - 121},
        {"exp": None},
        {"exp": "never"},
        {"iat": int(NOON.timestamp()) + 121},
        {"iat": None},
        {"nbf": int(NOON.timestamp()) + 121},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
    ids=json.dumps,
)
def test_a_token_that_is_not_for_this_sign_in_lets_nobody_in(provider, local, changed):
    local.bend = lambda claims: later(claims, **changed)
    refused(provider)


def test_a_token_for_several_that_names_us_is_taken(provider, local):
    local.bend = lambda claims: claims | {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}
    assert sign_in(provider)


def test_clocks_may_differ_by_two_minutes(provider, local):
    local.bend = lambda claims: claims | {"exp": int(NOON.timestamp()) - 60, "iat": int(NOON.timestamp()) + 60}
    assert sign_in(provider)


def written(header, claims, digest=b""):
    """A token by hand, so that what a library would not write is written."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode()]
    body = ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts)
    if digest:
        digest = hmac.digest(digest, body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def signed(local, claims, key=None, **header):
    """A token with a signature that holds, by some key."""
    return jwt.encode({"alg": "RS256", "kid": local.key.kid} | header, claims, key or local.key)


MINE = other_key("mine")
FORGED = {
    "no signature": lambda _local, claims: written({"alg": "none"}, claims),
    "no signature, in capitals": lambda local, claims: written({"alg": "NONE", "kid": local.key.kid}, claims),
    "the public key as a shared secret": lambda local, claims: written(
        {"alg": "HS256", "kid": local.key.kid}, claims, local.key.as_pem(private=False)
    ),
    "our secret": lambda local, claims: written({"alg": "HS256", "kid": local.key.kid}, claims, CLIENT_SECRET.encode()),
    "a key that comes along": lambda local, claims: signed(
        local, claims, MINE, kid="mine", jwk=MINE.as_dict(private=False)
    ),
    "a key that lies elsewhere": lambda local, claims: signed(
        local, claims, MINE, kid="mine", jku="https://another.test/keys"
    ),
    "another key of the same name": lambda local, claims: signed(local, claims, other_key(local.key.kid)),
    "a signature that was cut": lambda local, claims: signed(local, claims)[:-4] + "AAAA",
    "other claims under its signature": lambda local, claims: ".".join(
        [*written({"alg": "RS256", "kid": local.key.kid}, claims).split(".")[:2], signed(local, {}).split(".")[2]]
    ),
    "nothing said": lambda local, _claims: signed(local, {}),
    "no token": lambda _local, _claims: "no token",
    "an empty one": lambda _local, _claims: "",
    "letters that no token has": lambda _local, _claims: "é.é.é",
    "no text": lambda _local, _claims: {"not": "text"},
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(provider, local, forge):
    local.seal = lambda claims: forge(local, claims)
    refused(provider)


def test_a_new_key_is_looked_for_once_a_minute_and_no_more(provider, local):
    sign_in(provider)
    local.key = curve_key()
    local.algorithm = "ES256"
    refused(provider)  # within the minute nothing is asked again
    n_asked = local.asked.count("/jwks")
    assert sign_in(provider, NOON + MINUTE)
    assert local.asked.count("/jwks") == n_asked + 1
    local.seal = lambda claims: signed(local, claims, MINE, kid="mine")
    for _ in range(3):
        refused(provider)
    assert local.asked.count("/jwks") <= n_asked + 2


def test_keys_that_we_do_not_know_are_passed_over(provider, local):
    local.published = [
        {"kty": "new"},
        {"kty": "oct", "k": "AAAA", "kid": local.key.kid},
        {"kty": "RSA", "kid": "broken"},
        local.key.as_dict(private=False) | {"use": "enc"},
        "no key",
        local.key.as_dict(private=False),
    ]
    assert sign_in(provider)


# --- a provider that cannot answer ---


@pytest.mark.parametrize("status", [500, 503, 204])
def test_a_provider_that_fails_is_said_not_to_answer(provider, local, status):
    local.status = status
    with pytest.raises(Unavailable, match="outside_silent"):
        sign_in(provider)


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://another.test"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "ftp://127.0.0.1/"},
        {"authorization_endpoint": ["x"]},
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(provider, local, described):
    local.described = described
    with pytest.raises(Unavailable, match="outside_silent"):
        sign_in(provider)


@pytest.mark.parametrize(
    "described", [{"token_endpoint": "/elsewhere"}, {"jwks_uri": "http://127.0.0.1:9/"}, {"token_endpoint": None}]
)
def test_what_it_cannot_answer_on_the_way_back_is_said_too(provider, local, described):
    local.described = described
    with pytest.raises(Unavailable, match="outside_silent"):
        sign_in(provider)


def test_nobody_who_listens_is_said_not_to_answer():
    with pytest.raises(Unavailable, match="outside_silent"):
        sign_in(Provider(ProviderAccess("http://127.0.0.1:9", CLIENT_ID, "", "x")))


def test_its_documents_are_kept_for_an_hour(provider, local):
    for minutes in (0, 1, 59):
        local.now = NOON + minutes * MINUTE
        sign_in(provider, local.now)
    assert [local.asked.count(path) for path in ("/.well-known/openid-configuration", "/jwks")] == [1, 1]
    local.now = NOON + 61 * MINUTE
    sign_in(provider, local.now)
    assert [local.asked.count(path) for path in ("/.well-known/openid-configuration", "/jwks")] == [2, 2]


# --- settings ---


def test_without_settings_there_is_none():
    assert read_access("", "", "", "") is None


def test_without_a_name_it_is_called_after_its_server():
    assert read_access("https://connexion.exemple.test/oidc", "mobigo", "", "").name == "connexion.exemple.test"


@pytest.mark.parametrize(
    ("issuer", "client_id"),
    [
        ("https://connexion.exemple.test", ""),
        ("", "mobigo"),
        ("http://connexion.exemple.test", "mobigo"),
        ("connexion.exemple.test", "mobigo"),
        ("https://", "mobigo"),
        ("https://connexion.exemple.test?x=y", "mobigo"),
        ("https://connexion.exemple.test#x", "mobigo"),
        ("ftp://127.0.0.1", "mobigo"),
    ],
)
def test_half_a_provider_or_one_that_anybody_could_answer_for_is_refused(issuer, client_id):
    with pytest.raises(BadInput, match="bad_provider"):
        read_access(issuer, client_id, "", "")


def test_the_secret_is_in_no_trace():
    assert "hush" not in repr(read_access("https://connexion.exemple.test", "mobigo", "hush", ""))
