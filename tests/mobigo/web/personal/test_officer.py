"""The data officer: the log, what is kept, somebody's data on their demand."""

import csv
import json
from datetime import timedelta

import pytest

from mobigo.security import Role
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.people.accounts import get_person
from mobigo.store.people.door import TryKind, add_try
from socle.errors import NotFound
from tests.worlds.accounts import NOON


def written(site, n, **fields):
    values = {"actor": "person:agent7", "action": "people.read", "subject": "person:anne"} | fields
    with transaction(site.people.engine) as session:
        for minute in range(n):
            record(session, AuditLine(at=NOON - timedelta(days=3) + timedelta(minutes=minute), **values))


def send(visitor, path, **typed):
    """Fill in the form of a page, send it, and give what comes back at once."""
    page = visitor.go(path).send(path, **typed).page
    return page.history[0] if page.history else page


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


@pytest.mark.parametrize(
    "query",
    [
        "qui=%27%3B+DROP+TABLE+audit_line%3B--",
        "quoi=%25",
        "sur=%00",
        "avant=-1",
        "avant=99999999999999999999999",
        "avant=%C2%B2",
        "au=9999-12-31",
        "qui=" + "x" * 5000,
        "motif=" + "y" * 5000,
    ],
)
def test_whatever_is_asked_of_the_log_has_an_answer(officer, query):
    assert officer.client.get(f"/journal?{query}").status_code in {200, 400}


@pytest.mark.parametrize("query", ["du=hier", "au=2026-02-30", "du=<script>"])
def test_a_day_that_is_none_is_said_on_the_page(officer, query):
    page = officer.client.get(f"/journal?{query}")
    assert page.status_code == 400
    assert "Il y a un problème" in page.text
    assert 'href="#du"' in page.text
    assert "<script>" not in page.text.split("</head>")[1]


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
    assert officer.client.get("/journal/fichier?format=../x").status_code == 400


def test_the_report_says_what_is_kept_too_long(site, officer):
    page = officer.client.get("/conservation")
    assert page.status_code == 200
    assert "Rien n’est gardé plus longtemps que prévu" in page.text
    with transaction(site.people.engine) as session:
        add_try(session, TryKind.SIGN_IN, "account", "address", NOON - timedelta(days=8))
    assert "1 ligne est gardée plus longtemps que prévu" in officer.client.get("/conservation").text


def test_somebodys_data_are_given_on_demand_with_the_reason(visit, officer, told):
    camille = visit("Camille")
    path = f"/personnes/{camille.person.pseudonym}/donnees"
    assert officer.client.get(path).status_code == 200
    refused = send(officer, path, motif="  ")
    assert refused.status_code == 400
    assert told() == []
    file = send(officer, path, motif="lettre du 12 novembre")
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
        assert send(officer, path, **fields).status_code == 400
    with reading(site.people.engine) as session:
        assert get_person(session, camille.person.person_id)
    answer = send(officer, path, motif="lettre du 12 novembre", compris_oui="oui")
    assert answer.status_code == 303
    assert "Effacement d’une personne" in officer.client.get(answer.headers["location"]).text
    with reading(site.people.engine) as session, pytest.raises(NotFound):
        get_person(session, camille.person.person_id)
    assert officer.client.get(path).status_code == 404
    assert camille.client.get("/compte").status_code == 303


@pytest.mark.parametrize("pseudonym", ["nobody", "%00", "..%2f..%2fetc%2fpasswd", "x" * 3000, "' OR 1=1 --"])
def test_data_of_nobody_are_not_found(officer, pseudonym):
    assert officer.client.get(f"/personnes/{pseudonym}/donnees").status_code in {400, 404}
