"""What people do on the pages, from the first visit to the end, without a script."""

import re
from datetime import timedelta

import httpx
import pytest

from mobigo.security import Role
from mobigo.services.people.fictitious import PASSWORD as FICTITIOUS
from mobigo.services.people.fictitious import close_accounts, email_of, open_accounts
from mobigo.services.people.principal import WORK_LIFE
from tests.worlds.accounts import NOON, PASSWORD

CAMILLE = "camille@exemple.test"


def test_a_visitor_opens_an_account_sees_it_and_leaves(people, visitor):
    assert 'href="/connexion"' in visitor.go("/").page.text
    visitor.go("/connexion").go("/compte/creer")
    visitor.send("/compte/creer", nom="Camille Durand", contact=CAMILLE, mot_de_passe=PASSWORD)
    assert visitor.title == "Confirmer votre adresse ou votre numéro"
    visitor.send("/compte/creer/code", code="AAAAA-AAAAA")
    assert visitor.page.status_code == 400
    assert "Ce code n’est pas le bon" in visitor.refusals[0]
    visitor.send("/compte/creer/code", code=people.last_code())
    assert visitor.title == "Mon compte"
    assert "Camille Durand" in visitor.page.text
    assert visitor.page.headers["cache-control"] == "no-store"
    home = visitor.go("/").page
    assert 'href="/compte"' in home.text
    assert 'href="/connexion"' not in home.text
    visitor.go("/compte").send("/deconnexion")
    assert visitor.page.url.path == "/"
    assert visitor.go("/compte").page.url == httpx.URL(f"{visitor.client.base_url}/connexion?suite=/compte")


def test_who_must_sign_in_first_goes_on_where_they_wanted(people, visitor):
    people.add(roles=[Role.AGENT])
    visitor.go("/personnes")
    assert visitor.title == "Se connecter"
    visitor.send("/connexion", contact=CAMILLE, mot_de_passe=PASSWORD)
    assert (visitor.title, visitor.page.url.path) == ("Personnes", "/personnes")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://ailleurs.test/",
        "//ailleurs.test",
        "/\\ailleurs.test",
        "javascript:alert(1)",
        "\\\\ailleurs.test",
        "/\t/ailleurs.test",
        "ailleurs",
        "/é",
    ],
)
def test_nobody_is_led_elsewhere_after_signing_in(people, visitor, elsewhere):
    people.add()
    visitor.page = visitor.client.get("/connexion", params={"suite": elsewhere})
    answer = visitor.client.post(
        "/connexion",
        data=visitor.form("/connexion").fields | {"contact": CAMILLE, "mot_de_passe": PASSWORD, "suite": elsewhere},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte")


def test_a_wrong_password_is_told_at_its_top_and_what_was_typed_stays(people, visitor):
    people.add()
    pages = []
    for contact in (CAMILLE, "personne@exemple.test"):
        visitor.sign_in(contact, "pas la bonne phrase")
        assert visitor.page.status_code == 400
        assert visitor.refusals == ["Le mot de passe, l’adresse électronique ou le numéro n’est pas le bon."]
        assert 'href="#contact"' in visitor.page.text
        assert f'value="{contact}"' in visitor.page.text
        assert "pas la bonne phrase" not in visitor.page.text
        pages.append(re.sub(r'(name="jeton" value=)"[^"]*"', r"\1", visitor.page.text).replace(contact, ""))
    assert pages[0] == pages[1]


def test_who_tries_too_often_is_told_when_to_come_back(people, visitor):
    people.add()
    for _ in range(5):
        visitor.sign_in(CAMILLE, "pas la bonne phrase")
    visitor.sign_in(CAMILLE)
    assert (visitor.page.status_code, visitor.page.headers["retry-after"]) == (429, "60")
    assert visitor.refusals == ["Trop d’essais\N{NO-BREAK SPACE}: réessayez dans 1 min."]


def test_a_forgotten_password_is_replaced_by_a_code(people, visitor):
    people.add()
    visitor.go("/mot-de-passe").send("/mot-de-passe", contact=CAMILLE)
    visitor.send("/mot-de-passe/nouveau", code=people.last_code(), mot_de_passe="court")
    assert "Ce mot de passe est trop court" in visitor.refusals[0]
    visitor.send("/mot-de-passe/nouveau", code=people.last_code(), mot_de_passe="une tout autre phrase")
    assert visitor.title == "Mon compte"


def test_asking_for_a_code_looks_the_same_for_everybody(people, visitor):
    people.add()
    shown = []
    for contact in (CAMILLE, "personne@exemple.test"):
        visitor.go("/mot-de-passe").send("/mot-de-passe", contact=contact)
        assert visitor.page.status_code == 200
        shown.append(re.sub(r'(name="(?:jeton|demande)" value=)"[^"]*"', r"\1", visitor.page.text))
    assert shown[0] == shown[1]


def test_details_and_password_are_changed(people, visitor):
    people.add()
    visitor.sign_in(CAMILLE).go("/compte/coordonnees")
    visitor.send("/compte/coordonnees", nom="Camille Morel", courriel="camille@autre.test")
    visitor.send("/compte/coordonnees/code", code=people.last_code())
    assert "Les coordonnées sont enregistrées." in visitor.page.text
    assert "Camille Morel" in visitor.page.text
    assert "camille@autre.test" in visitor.page.text
    visitor.go("/compte/coordonnees").send("/compte/coordonnees", courriel="")
    assert "Gardez au moins une adresse" in visitor.refusals[0]
    visitor.go("/compte/mot-de-passe").send("/compte/mot-de-passe", ancien="faux", mot_de_passe="une tout autre phrase")
    assert visitor.refusals == ["Le mot de passe actuel n’est pas le bon."]
    visitor.send("/compte/mot-de-passe", ancien=PASSWORD, mot_de_passe="une tout autre phrase")
    assert "Votre mot de passe est changé." in visitor.page.text


def test_another_device_is_signed_out_from_here(site, people, visitor):
    people.add()
    visitor.sign_in(CAMILLE)
    other = site.visitor(**{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"})
    other.sign_in(CAMILLE)
    visitor.go("/compte/appareils")
    assert "Firefox · Linux" in visitor.page.text
    closing = next(form for form in visitor.forms() if form.buttons and "autres" not in form.buttons)
    visitor.send("/compte/appareils", button=next(iter(closing.buttons)))
    assert other.go("/compte").title == "Se connecter"
    assert visitor.go("/compte").title == "Mon compte"


def test_a_key_is_made_shown_once_and_ended(people, visitor):
    people.add(roles=[Role.AGENT])
    visitor.sign_in(CAMILLE).go("/compte/cles/nouvelle")
    visitor.send("/compte/cles/nouvelle", nom="Tableau", appels="0", droits_people_read="oui")
    assert "Une clé permet de 1 à 600 appels" in visitor.refusals[0]
    visitor.send("/compte/cles/nouvelle", nom="Tableau", appels="10", jours="30", droits_people_read="oui")
    secret = re.search(r"mobigo_[0-9a-f]{16}_[\w-]{43}", visitor.page.text).group(0)
    assert secret not in visitor.go("/compte/cles").page.text
    key_id = secret.split("_")[1]
    visitor.send("/compte/cles", button=key_id)
    assert "La clé est supprimée." in visitor.page.text


# --- at work ---


def test_an_agent_opens_an_account_for_somebody_and_corrects_it(people, visitor):
    people.add("Dominique Petit", "dominique@exemple.test", roles=[Role.AGENT])
    visitor.sign_in("dominique@exemple.test").go("/personnes/nouvelle")
    visitor.send("/personnes/nouvelle", nom="Jeanne Roux", courriel="pas une adresse")
    assert "Cette adresse électronique ne convient pas" in visitor.refusals[0]
    visitor.send("/personnes/nouvelle", nom="Jeanne Roux", courriel="")
    assert visitor.title == "Jeanne Roux"
    path = visitor.page.url.path
    visitor.go(f"{path}/coordonnees").send(f"{path}/coordonnees", telephone="06 39 98 00 01", motif="appel")
    assert "06 39 98 00 01".replace(" ", "\N{NO-BREAK SPACE}") in visitor.page.text
    visitor.go("/personnes").send("/personnes", qui="06.39.98.00.01")
    assert "1 personne" in visitor.page.text
    assert visitor.page.url.query == b""
    assert "Donner une fonction" not in visitor.go(path).page.text


def test_an_administrator_gives_and_takes_a_role_and_suspends(people, visitor):
    person = people.add()
    people.add("Alix Martin", "alix@exemple.test", roles=[Role.ADMINISTRATOR])
    visitor.sign_in("alix@exemple.test").go("/personnes").send("/personnes", qui=CAMILLE)
    path = f"/personnes/{person.pseudonym}"
    assert f'href="{path}"' in visitor.page.text
    visitor.go(path).send(f"{path}/fonctions", holding="donner", donner="agent", motif="")
    assert "Dites pourquoi" in visitor.refusals[0]
    visitor.send(f"{path}/fonctions", holding="donner", donner="agent", motif="embauche")
    assert (
        "agent d’accueil</b>, donnée le 21\N{NO-BREAK SPACE}novembre 2026 à 13:00\N{NO-BREAK SPACE}: embauche"
        in visitor.page.text
    )
    assert "Camille Durand" in visitor.go("/personnes?fonction=agent").page.text
    visitor.go(path).send(f"{path}/fonctions", holding="reprendre", reprendre="agent", motif="départ")
    assert "Fonctions passées" in visitor.page.text
    visitor.send(f"{path}/suspension", button="oui", motif="plainte")
    assert "suspendu" in visitor.page.text
    visitor.send(f"{path}/suspension", button="oui", motif="plainte retirée")
    assert "actif" in visitor.page.text


def test_what_one_may_not_do_is_refused_on_a_page(people, visitor):
    people.add()
    visitor.sign_in(CAMILLE).go("/personnes")
    assert visitor.page.status_code == 403
    assert "Votre compte ne permet pas de faire cela." in visitor.page.text
    assert visitor.go("/personnes/nobody/fonctions").page.status_code == 405


def test_a_session_that_ended_asks_to_sign_in_again(site, people, visitor):
    people.add(roles=[Role.AGENT])
    visitor.sign_in(CAMILLE).go("/personnes")
    site.clock.now += WORK_LIFE.idle + timedelta(minutes=6)
    visitor.send("/personnes", qui="Camille")
    assert visitor.title == "Se connecter"
    assert visitor.page.url.params["suite"] == "/compte"


def test_the_demonstration_lists_its_accounts_at_the_sign_in_and_a_real_site_has_none(site, people, visitor):
    assert "compte fictif" not in visitor.go("/connexion").page.text
    open_accounts(people.engine, people.keys, NOON)
    visitor.go("/connexion")
    assert email_of(Role.AGENT) in visitor.page.text
    visitor.sign_in(email_of(Role.AGENT), FICTITIOUS)
    assert "Agent d’accueil (compte fictif)" in visitor.page.text
    close_accounts(people.engine, people.keys, NOON)
    assert email_of(Role.AGENT) not in site.visitor().go("/connexion").page.text
