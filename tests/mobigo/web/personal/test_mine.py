"""Seeing one's data, answering what one is asked, and going away for good: in a browser, without scripts."""

import html
import json
import re

from mobigo.security import Role
from mobigo.services.people.signing import let_in
from mobigo.store.base import transaction
from mobigo.store.people.accounts import get_person
from mobigo.store.people.roles import give_role
from mobigo.web.people.account import spelled_reference
from tests.worlds.accounts import HERE, NOON, PASSWORD
from tests.worlds.people import add_known_person

PATHS = ("/compte/mes-donnees", "/compte/mes-donnees/fichier", "/compte/consentements", "/compte/effacer")


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(visit):
    for path in PATHS:
        answer = visit().client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/connexion?suite={path}"


def test_all_that_is_kept_is_on_the_page_and_in_the_file(visit, told):
    camille, dominique = visit("Camille"), visit("Dominique")
    page = camille.client.get("/compte/mes-donnees")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    for words in ("Camille Durand", "camille@exemple.test", "Qui vous êtes", "Vos appareils connectés", "Connexion"):
        assert words in page.text
    file = camille.client.get("/compte/mes-donnees/fichier")
    assert file.headers["content-disposition"] == 'attachment; filename="mobigo-mes-donnees-2026-11-21.json"'
    assert file.headers["cache-control"] == "no-store"
    document = json.loads(file.content)
    assert document["tables"]["identity"][0]["name"] == "Camille Durand"
    for other in ("Dominique", dominique.person.pseudonym, dominique.person.reference):
        assert other not in page.text + file.text
    assert [line.subject for line in told()] == [camille.person.actor] * 2


def test_the_address_of_ones_own_pages_names_nobody_else(visit):
    camille, dominique = visit("Camille"), visit("Dominique").person
    query = {"pseudonym": dominique.pseudonym, "person": dominique.actor, "person_id": dominique.person_id}
    for path in PATHS:
        answer = camille.client.get(path, params=query)
        assert answer.status_code == 200
        for other in ("Dominique", dominique.pseudonym, spelled_reference(dominique.reference)):
            assert other not in answer.text
        assert camille.client.get(f"{path}/{dominique.pseudonym}").status_code == 404
    assert camille.client.get(f"/personnes/{dominique.pseudonym}/donnees").status_code == 403


CODE = re.compile(r"[a-z]+[_:][a-z_:]+|\bNone\b|\bTrue\b|\{|sha256")


def test_all_that_a_table_may_hold_is_told_in_words_and_without_codes(site, visit):
    camille = visit()
    with transaction(site.people.engine) as session:
        whose = add_known_person(session, site.people.keys, "Camille", NOON)
        give_role(session, whose.person_id, Role.TRAVELLER, "system:test", "", NOON)
        person = get_person(session, whose.person_id)
        token = let_in(session, site.people.keys, person, "password", HERE, NOON).token
    camille.client.cookies.set("mobigo", f"s.{token}")
    page = camille.client.get("/compte/mes-donnees").text
    main = html.unescape(re.sub(r"<[^>]+>", " ", page.split("<main", 1)[1].split("</main>")[0]))
    assert CODE.findall(main) == []
    for title in ("Vos accords et refus", "Vos clés pour les programmes", "Vos comptes dans les livres"):
        assert title in main
    assert re.search(r"En votre faveur\W+4,30\s€", main)


def test_consents_are_answered_withdrawn_and_remembered(visit, told):
    camille = visit("Camille")
    first = camille.client.get("/compte/consentements").text
    assert first.count("checked") == first.count('value="non" checked') == 2
    answer = camille.answer_to("/compte/consentements", accord_service_news="oui", accord_surveys="non")
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte/consentements?fait=oui")
    page = camille.client.get("/compte/consentements?fait=oui").text
    assert "Vos réponses sont enregistrées" in page
    assert 'name="accord_service_news" value="oui" checked' in page
    assert "Accord donné le 21" in page
    camille.answer_to("/compte/consentements", accord_service_news="non", accord_surveys="non")
    assert [line.action for line in told()] == [
        "personal.consent_withdrawn",
        "personal.consent_given",
    ]


def test_answers_to_other_questions_are_refused_with_a_sentence(visit):
    camille = visit("Camille")
    for fields, told in (
        ({"version_service_news": "2"}, "a changé entre-temps"),
        ({"version_service_news": "-1"}, ""),
        ({"version_service_news": "1" * 30}, ""),
        ({"version_nothing": "1", "accord_nothing": "oui"}, "Aucun accord"),
        ({"version_<script>alert(1)</script>": "1"}, "Aucun accord"),
        ({"version_' OR 1=1 --": "1", "accord_' OR 1=1 --": "oui"}, "Aucun accord"),
    ):
        answer = camille.answer_to("/compte/consentements", accord_service_news="oui", **fields)
        assert answer.status_code == 400
        assert "Il y a un problème" in answer.text
        assert told in answer.text
        assert "<script>alert" not in answer.text
    assert "Accord donné" not in camille.client.get("/compte/consentements").text


def test_an_account_is_erased_by_its_owner_and_nothing_leads_back(site, visit, told):
    camille = visit("Camille")
    page = camille.client.get("/compte/effacer").text
    assert "J’ai compris" in page
    elsewhere = visit().sign_in("camille@exemple.test")
    answer = camille.answer_to("/compte/effacer", compris_oui="oui", ancien=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte-efface")
    assert "Votre compte est effacé" in camille.client.get("/compte-efface").text
    for browser in (camille, elsewhere):
        assert browser.client.get("/compte").status_code == 303
    again = visit().sign_in("camille@exemple.test")
    assert again.title == "Se connecter"
    with site.people.engine.connect() as connection:
        for table in ("person", "identity", "password", "session", "role_given", "door_try"):
            rows = connection.exec_driver_sql(f'SELECT * FROM "{table}"').all()
            assert not [row for row in rows if camille.person.person_id in map(str, row)]
    (line,) = told("personal.erased")
    assert (line.actor, line.subject) == (camille.person.actor, camille.person.actor)


def test_a_form_of_erasure_sent_again_erases_nobody(visit):
    camille = visit("Camille")
    fields = camille.go("/compte/effacer").form("/compte/effacer").fields | {"compris_oui": "oui", "ancien": PASSWORD}
    cookie = camille.client.cookies["mobigo"]
    assert camille.client.post("/compte/effacer", data=fields).headers["location"] == "/compte-efface"
    again = visit("Camille")
    for value in (cookie, again.client.cookies["mobigo"]):
        replayed = visit()
        replayed.client.cookies.set("mobigo", value)
        answer = replayed.client.post("/compte/effacer", data=fields)
        assert (answer.status_code, answer.headers.get("location")) in {(303, "/connexion?suite=/compte"), (403, None)}
    assert again.client.get("/compte").status_code == 200


def test_nothing_is_erased_by_mistake_or_by_who_found_an_open_browser(visit):
    camille = visit("Camille")
    for fields, told in (
        ({"ancien": PASSWORD}, "Cochez la case"),
        ({"compris_oui": "oui", "ancien": "pas le bon mot de passe"}, "mot de passe"),
        ({"compris_oui": "oui"}, "mot de passe"),
    ):
        answer = camille.answer_to("/compte/effacer", **fields)
        assert answer.status_code == 400
        assert "Il y a un problème" in answer.text
        assert told in answer.text
        assert PASSWORD not in answer.text
        assert camille.client.get("/compte").status_code == 200


def test_a_password_is_not_guessed_at_the_erasure(visit):
    camille = visit("Camille")
    answers = [
        camille.answer_to("/compte/effacer", compris_oui="oui", ancien=f"essai numéro {n} pour voir") for n in range(7)
    ]
    assert [answer.status_code for answer in answers][-1] == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    assert camille.client.get("/compte").status_code == 200


def test_a_form_of_another_site_or_without_its_token_does_nothing(visit):
    camille = visit("Camille")
    fields = {"compris_oui": "oui", "ancien": PASSWORD, "version_surveys": "1", "accord_surveys": "oui"}
    for path in ("/compte/effacer", "/compte/consentements"):
        assert camille.client.post(path, data=fields).status_code == 403
        camille.client.headers["sec-fetch-site"] = "cross-site"
        assert camille.answer_to(path, **fields).status_code == 403
        del camille.client.headers["sec-fetch-site"]
    assert camille.client.get("/compte").status_code == 200
    assert "Accord donné" not in camille.client.get("/compte/consentements").text


def test_who_has_a_role_at_work_is_told_to_give_it_back_first(visit):
    lou = visit("Lou", Role.ADMINISTRATOR)
    answer = lou.answer_to("/compte/effacer", compris_oui="oui", ancien=PASSWORD)
    assert answer.status_code == 409
    assert "fonction" in answer.text
    assert lou.client.get("/compte").status_code == 200
