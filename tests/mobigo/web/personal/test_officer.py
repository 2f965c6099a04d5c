"""The data officer: the log, what is kept, somebody's data on their demand."""

import csv
import html
import json
from datetime import timedelta
from itertools import product

import pytest

from mobigo.security import Role
from mobigo.store.audit import AuditFilter, AuditLine, list_lines, record
from mobigo.store.base import reading, transaction
from mobigo.store.people.accounts import get_person
from mobigo.store.people.door import TryKind, add_try
from mobigo.web.people.account import spelled_reference
from socle.errors import NotFound
from tests.worlds.accounts import NOON


def plain(page):
    """What is read on a page, with plain blanks."""
    return html.unescape(page.text).replace("\u202f", " ").replace("\u00a0", " ")


def written(site, n, **fields):
    values = {"actor": "person:agent7", "action": "people.read", "subject": "person:anne"} | fields
    with transaction(site.people.engine) as session:
        for minute in range(n):
            record(session, AuditLine(at=NOON - timedelta(days=3) + timedelta(minutes=minute), **values))


@pytest.fixture
def officer(visit):
    return visit("Oriane", Role.DATA_OFFICER)


def test_only_the_data_officer_reads_the_log_and_the_data_of_others(visit, told):
    everybody_else = [role for role in Role if role is not Role.DATA_OFFICER]
    browser = visit("Sacha", *everybody_else[1:])
    pseudonym = browser.person.pseudonym
    before = len(told(""))
    for path in ("/journal", "/journal/fichier", "/conservation", f"/personnes/{pseudonym}/donnees"):
        assert browser.client.get(path).status_code == 403
    for path in (f"/personnes/{pseudonym}/donnees", f"/personnes/{pseudonym}/effacer"):
        token = browser.go("/compte").form("/deconnexion").fields
        answer = browser.client.post(path, data=token | {"motif": "curiosité", "compris_oui": "oui"})
        assert answer.status_code == 403
    assert len(told("")) == before


def test_the_log_is_filtered_and_each_look_is_a_line(site, officer, told):
    written(site, 2)
    written(site, 1, subject="person:basile", why="<b>appel</b> & rappel")
    page = officer.client.get(
        "/journal?sur=person:basile&quoi=people.read&du=2026-11-18&au=2026-11-18&motif=plainte+12"
    )
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert page.text.count("<li id=") == 1
    assert "&lt;b&gt;appel&lt;/b&gt; &amp; rappel" in page.text
    line = told("audit")[0]
    assert (line.actor, line.action) == (officer.person.actor, "audit.read")
    assert (line.subject, line.why, line.facts["action"]) == ("person:basile", "plainte 12", "people.read")


def test_pages_of_the_log_lead_to_the_oldest_line_and_back(site, officer):
    written(site, 120)
    path, seen = "/journal?quoi=people.read", 0
    while path:
        page = officer.client.get(path).text
        seen += page.count("<li id=")
        older = page.split('">Plus anciens', 1)[0].rsplit('href="', 1)[1] if "Plus anciens" in page else ""
        path = older.replace("&amp;", "&")
    assert seen == 120
    assert "Les plus récents" in page


HOSTILE = (
    "' OR 1=1 --",
    "'; DELETE FROM audit_line; --",
    "%' ESCAPE '",
    "{{ 7*7 }}{{ 7*7 }}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\r\nSet-Cookie: mobigo=x",
    "../../../../etc/passwd",
    "\0",
    "\ud7ff\U0010ffff",
    "=1+1",
)


FIELDS = ("qui", "quoi", "sur", "du", "au", "motif", "avant", "format")


def test_what_is_typed_in_a_filter_is_only_ever_text(site, officer):
    written(site, 1)
    odd = ("-1", "9" * 30, "²", "9999-12-31", "2026-02-30", "x" * 5000)
    for field, typed, path in product(FIELDS, (*HOSTILE, *odd), ("/journal", "/journal/fichier")):
        answer = officer.client.get(path, params={field: typed})
        assert answer.status_code in {200, 400}, (path, field, typed)
        assert "set-cookie" not in answer.headers
        if path == "/journal":
            body = answer.text.split("</head>")[1]
            assert "<script>alert" not in body
            assert "<img src=x" not in body
            assert "4949" not in body
    with transaction(site.people.engine) as session:
        assert len(list_lines(session, AuditFilter(action="people.read"), limit=9)) == 1


def test_a_reason_with_somebodys_number_is_refused_on_the_page(officer, told):
    page = officer.client.get("/journal?motif=rappeler+le+06+39+98+00+11")
    assert page.status_code == 400
    assert 'href="#motif"' in page.text
    assert told("audit") == []


def test_the_lines_lead_to_the_dossier_of_whoever_they_are_about(visit, officer):
    camille = visit("Camille").person
    page = officer.client.get(f"/journal?sur={camille.actor}").text
    assert f'href="/personnes/{camille.pseudonym}"' in page
    assert "/personnes/" not in officer.client.get("/journal").text


def test_what_a_line_says_besides_is_told_in_words(site, officer):
    written(site, 1, action="retention.applied", actor="system:retention", subject="", facts={"jobs": 3, "tries": 0})
    written(site, 1, action="personal.erased", facts={"session": 2})
    written(site, 1, action="people.role_given", facts={"role": "agent"})
    written(site, 1, action="people.corrected", facts={"changed": "email, phone"})
    written(site, 1, action="people.key_made", facts={"key": "k1", "scopes": "own_account, people_read"})
    officer.client.get("/journal?qui=person:agent7&quoi=people.read&du=2026-11-18&au=2026-11-18")
    page = plain(officer.client.get("/journal"))
    for words in (
        "Les tâches faites pour vous en arrière-plan, comme l’envoi d’un courriel : 3",
        "Vos appareils connectés : 2",
        "Fonction : agent",
        "Ce qui a changé : Adresse électronique, Téléphone",
        "voir et changer mon compte, ",
        "Actes de : personne agent7, Acte : Dossier d’une personne ouvert, À partir de : 18 novembre",
    ):
        assert words in page, words


def test_a_day_that_is_none_is_said_on_the_page(officer):
    for query in ("du=hier", "au=2026-02-30", "du=<script>"):
        page = officer.client.get(f"/journal?{query}")
        assert page.status_code == 400
        assert "Il y a un problème" in page.text
        assert 'href="#du"' in page.text


def test_the_log_is_exported_with_its_filter(site, officer, told):
    written(site, 3)
    written(site, 1, subject="person:basile", why="=1+1")
    file = officer.client.get("/journal/fichier?format=csv&sur=person:basile")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.headers["content-disposition"] == 'attachment; filename="mobigo-journal-2026-11-21.csv"'
    (row,) = csv.DictReader(file.text.splitlines())
    assert (row["subject"], row["why"]) == ("person:basile", "'=1+1")
    document = json.loads(officer.client.get("/journal/fichier?format=json&quoi=people.read").content)
    assert len(document) == 4
    assert [line.action for line in told("audit")] == ["audit.exported", "audit.exported"]
    for name in ("../x", "csv%0d%0aSet-Cookie:%20a=b", "csv%22;%20filename=%22x.exe", ""):
        answer = officer.client.get(f"/journal/fichier?format={name}")
        assert answer.status_code == 400
        assert not {"content-disposition", "set-cookie"} & set(answer.headers)


def test_the_report_says_what_is_kept_too_long(site, officer):
    page = officer.client.get("/conservation")
    assert page.status_code == 200
    assert "Rien n’est gardé plus longtemps que prévu" in page.text
    assert "Rien d’antérieur au 14 novembre 2026" in plain(page)  # seven days for tries
    with transaction(site.people.engine) as session:
        add_try(session, TryKind.SIGN_IN, "account", "address", NOON - timedelta(days=8))
    assert "1 ligne est gardée plus longtemps que prévu" in officer.client.get("/conservation").text


def test_somebodys_data_are_given_on_demand_with_the_reason(visit, officer, told):
    camille = visit("Camille")
    path = f"/personnes/{camille.person.pseudonym}/donnees"
    assert f"Dossier {spelled_reference(camille.person.reference)}" in plain(officer.client.get(path))
    refused = officer.answer_to(path, motif="  ")
    assert refused.status_code == 400
    assert told() == []
    file = officer.answer_to(path, motif="lettre du 12 novembre")
    assert file.headers["content-type"] == "application/json"
    assert json.loads(file.content)["tables"]["identity"][0]["email"] == "camille@exemple.test"
    (line,) = told()
    assert (line.action, line.actor, line.subject, line.why) == (
        "personal.exported",
        officer.person.actor,
        camille.person.actor,
        "lettre du 12 novembre",
    )
    mine = camille.client.get("/compte/mes-donnees").text
    assert "lettre du 12 novembre" in mine
    assert officer.person.pseudonym not in mine


def test_somebody_is_erased_on_demand(site, visit, officer):
    camille = visit("Camille")
    path = f"/personnes/{camille.person.pseudonym}/effacer"
    for fields in ({"motif": "lettre"}, {"compris_oui": "oui"}, {"motif": " ", "compris_oui": "oui"}):
        assert officer.answer_to(path, **fields).status_code == 400
    with reading(site.people.engine) as session:
        assert get_person(session, camille.person.person_id)
    fields = {"motif": "lettre du 12 novembre", "compris_oui": "oui"}
    assert officer.client.post(path, data=fields).status_code == 403
    with reading(site.people.engine) as session:
        assert get_person(session, camille.person.person_id)
    fields |= officer.go(path).form(path).fields | fields
    answer = officer.client.post(path, data=fields)
    assert answer.status_code == 303
    assert officer.client.post(path, data=fields).status_code == 404  # sent again
    assert "Effacement d’une personne" in officer.client.get(answer.headers["location"]).text
    with reading(site.people.engine) as session, pytest.raises(NotFound):
        get_person(session, camille.person.person_id)
    assert officer.client.get(path).status_code == 404
    assert camille.client.get("/compte").status_code == 303


def test_data_of_nobody_are_not_found(officer):
    for pseudonym in ("nobody", "%00", "..%2f..%2fetc", "x" * 3000, "' OR 1=1 --", "a%0d%0aSet-Cookie:b"):
        assert officer.client.get(f"/personnes/{pseudonym}/donnees").status_code in {400, 404}, pseudonym
