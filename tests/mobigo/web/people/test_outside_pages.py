"""Signing in by another service, from the button to the account, without a script."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.worlds.provider import CLIENT_ID, CLIENT_SECRET, local_provider
from tests.worlds.visiting import place

NAME = "Connexion d’essai"


@pytest.fixture
def local():
    with local_provider() as local:
        yield local


@pytest.fixture
def site(sample, tmp_path, local):
    known = {"oidc_issuer": local.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
    with place(sample, tmp_path, **known, oidc_name=NAME) as site:
        yield site


def button(visitor):
    """Where the button of the sign-in leads."""
    (found,) = [href for href in visitor.links if href.startswith("/connexion/ailleurs")]
    return found


def test_a_newcomer_comes_in_by_the_button_and_goes_on_where_they_wanted(site, visitor):
    visitor.go("/compte/cles")
    assert f"Se connecter avec {NAME}" in visitor.page.text
    visitor.go(button(visitor))
    assert (visitor.title, visitor.page.url.path) == ("Clés pour les programmes", "/compte/cles")
    assert "Camille Durand" in visitor.go("/compte").page.text
    assert NAME in visitor.page.text
    assert "Choisir un mot de passe" in visitor.page.text
    assert f"Par {NAME}" in visitor.go("/compte/appareils").page.text


def test_a_browser_without_our_cookie_is_given_one_on_the_way_out(visitor):
    assert visitor.go("/connexion/ailleurs").title == "Mon compte"


def test_the_cookie_that_left_is_not_the_one_that_comes_in(visitor):
    visitor.go("/connexion")
    before = visitor.client.cookies["mobigo"]
    visitor.go(button(visitor))
    assert visitor.client.cookies["mobigo"] not in {before, ""}


@pytest.mark.parametrize(
    "elsewhere", ["https://ailleurs.test/", "//ailleurs.test", "/\\ailleurs.test", "/\t/ailleurs.test"]
)
def test_nobody_is_led_elsewhere_by_way_of_the_provider(visitor, elsewhere):
    out = visitor.client.get("/connexion/ailleurs", params={"suite": elsewhere})
    back = visitor.client.get(visitor.client.get(out.headers["location"]).headers["location"])
    assert (back.status_code, back.headers["location"]) == (303, "/compte")


def test_a_link_of_somebody_else_brings_nobody_into_their_account(site, visitor, local):
    """The thief stops before the last step and has the victim's browser take it."""
    thief = site.visitor()
    back = thief.client.get(thief.client.get("/connexion/ailleurs").headers["location"]).headers["location"]
    visitor.go("/connexion").go(back)
    assert visitor.title == "Se connecter"
    assert visitor.page.status_code == 400
    assert "vient d’un autre navigateur" in visitor.refusals[0]
    assert visitor.go("/compte").title == "Se connecter"


def test_the_same_way_back_leads_nowhere_twice(visitor):
    out = visitor.client.get("/connexion/ailleurs")
    back = visitor.client.get(out.headers["location"]).headers["location"]
    assert visitor.go(back).title == "Mon compte"
    visitor.go(back)
    assert "vient d’un autre navigateur" in visitor.refusals[0]


def test_what_is_refused_is_told_at_the_sign_in(site, visitor, local):
    local.who = None
    visitor.go("/connexion").go(button(visitor))
    assert visitor.refusals == [
        f"{NAME} n’a pas confirmé votre identité\N{NO-BREAK SPACE}: recommencez, ou connectez-vous autrement."
    ]
    local.status = 500
    site.clock.now += timedelta(hours=2)
    visitor.go("/connexion/ailleurs")
    assert (visitor.page.status_code, "ne répond pas" in visitor.refusals[0]) == (503, True)


def test_what_comes_from_the_address_is_shown_as_text(visitor):
    for path in ("/connexion/retour?error=<script>alert(1)</script>&state=x", "/connexion/retour?code={{7*7}}&state=é"):
        page = visitor.go(path).page
        assert page.status_code == 400
        assert "<script>alert" not in page.text
        assert "49" not in visitor.refusals[0]


def test_the_provider_sends_people_back_to_the_site_that_travellers_see(sample, tmp_path, local):
    known = {"oidc_issuer": local.issuer, "oidc_client_id": CLIENT_ID, "public_url": "https://mobigo.exemple.test"}
    with place(sample, tmp_path / "public", **known) as site:
        out = site.visitor().client.get("/connexion/ailleurs", headers={"Host": "ailleurs.test"})
        asked = parse_qs(urlsplit(out.headers["location"]).query)
        assert asked["redirect_uri"] == ["https://mobigo.exemple.test/connexion/retour"]
        assert out.headers["set-cookie"].startswith("__Host-mobigo=f.")


def test_without_a_provider_there_is_neither_button_nor_page(sample, tmp_path):
    with place(sample, tmp_path / "alone") as site:
        assert "ailleurs" not in site.visitor().go("/connexion").page.text
        assert [site.visitor().go(f"/connexion/{path}").page.status_code for path in ("ailleurs", "retour")] == [
            404
        ] * 2
