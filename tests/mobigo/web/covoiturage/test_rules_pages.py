"""The rules of the lines in plain French, and drafts tried, proposed and judged on pages without a script."""

from __future__ import annotations

import json
from datetime import timedelta
from html import unescape

import pytest

from covoiturage.policy.documents import read_documents
from covoiturage.policy.language import read_policy
from mobigo.security import Role
from mobigo.services.covoiturage import publishing
from mobigo.services.covoiturage.declaring import declare
from mobigo.web.covoiturage import sentences
from tests.oracles.make_policy_cases import POLICIES
from tests.worlds.accounts import NOON
from tests.worlds.carpools import carpool
from tests.worlds.drafts import draft_document

RULES, DRAFTS = "/covoiturage/regles", "/finances/regles"
CLERK, APPROVER = "claude@exemple.test", "alix@exemple.test"
WHY = "délibération de novembre"


@pytest.fixture
def clerk(people, visitor):
    people.add("Claude Roy", CLERK, roles=[Role.FINANCE_CLERK])
    people.add("Alix Martin", APPROVER, roles=[Role.FINANCE_APPROVER])
    return visitor.sign_in(CLERK)


@pytest.fixture
def approver(site, clerk):
    return site.visitor().sign_in(APPROVER)


def words(visitor):
    return " ".join(unescape(visitor.page.text).split())


def upload(visitor, action, files=None, **fields):
    form = visitor.form(f"{DRAFTS}/essai")
    files = {name: (name, body) for name, body in (files or {}).items()} or {"fichier": ("", b"")}
    visitor.page = visitor.client.post(action, data=form.fields | fields, files=files, follow_redirects=True)
    return visitor


def test_anybody_reads_the_rules_of_today_and_of_another_day(visitor):
    told = words(visitor.go(RULES))
    assert "Lignes de covoiturage de la Région (depuis 2023), depuis le 1er janvier 2023." in told
    assert "0,10 € par kilomètre conduit, une fois par voiture." in told
    assert "1,00 € par passager, dès le premier. 3 passagers au plus sont comptés." in told
    assert "1,50 € par place et par trajet" in told
    assert "en dessous de 15 km" in told
    assert "33 km, 1 passager" in told
    assert "4,30 €" in told
    assert "à partir du numéro 2" in words(visitor.go(f"{RULES}?le=2020-03-02"))
    assert "les lignes n’existaient pas" in words(visitor.go(f"{RULES}?le=2019-01-01"))
    assert visitor.go(f"{RULES}?le=hier").page.status_code == 400


@pytest.mark.parametrize("document", sorted(POLICIES.glob("*.json")), ids=lambda document: document.stem)
def test_every_policy_can_be_told_in_words(document):
    (tree,) = read_documents(document.read_bytes()).values()
    policy = read_policy(tree)
    told = [*sentences.amounts(policy), *sentences.conditions(policy), *sentences.bounds(policy)]
    n_said = sum(len(part.terms) for rule in policy.amount_rules for part in rule.slices) + len(policy.limits)
    assert len(told) >= n_said + len(policy.eligibility) + len(policy.post) + len(policy.car.ride_eligibility)
    for sentence in told:
        assert sentence.endswith(".")
        assert not {"{", "}"} & set(sentence)
    assert sentences.fares(policy)


def test_a_draft_is_tried_on_a_month_against_the_rule_in_force(people, clerk):
    begin = NOON - timedelta(days=3)
    for n in range(6):
        given = carpool(f"C{n}", driver=f"d{n}", passengers=(f"p{n}",), at=begin)
        declare(people.engine, given, f"k{n}", "key:app1", begin + timedelta(hours=4))
    clerk.go(DRAFTS)
    told = words(upload(clerk, f"{DRAFTS}/essai", document=draft_document(), mois="2026-11", budget="20,00 €"))
    assert clerk.page.status_code == 200
    assert "rien n’y ressemble à un oubli" in told
    assert "23,76 €" in told  # no limit of the draft keeps it within the budget
    assert "20,00 €" in told  # the rule in force stops there
    assert "Le budget est épuisé le 18 novembre 2026." in told
    assert "Le projet : Essai" in told
    assert "La règle en vigueur : Lignes de covoiturage de la Région (depuis 2023)" in told
    assert 'class="chart"' in clerk.page.text
    assert json.loads(unescape(clerk.page.text.split('spellcheck="false"')[1].split(">", 1)[1].split("</textarea>")[0]))


def test_files_take_the_place_of_what_is_pasted(clerk):
    clerk.go(DRAFTS)
    at = "2026-03-02T07:00:00Z"
    couple = {"datetime": at, "distance_m": 20_000, "driver": "d", "passenger": "p"}
    lines = f"{json.dumps(couple)}\n\nnothing\n".encode()
    files = {"fichier": draft_document(title="Du fichier").encode(), "trajets": lines}
    told = words(upload(clerk, f"{DRAFTS}/essai", files, document="pasted"))
    assert "Du fichier" in told
    assert "Ligne 3 :" in told
    assert "2,40 €" in told
    assert upload(clerk.go(DRAFTS), f"{DRAFTS}/essai", {"fichier": b"\xff\xfe\x00"}).page.status_code == 400


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"document": '{"level": "car"}'}, "level"),
        ({"document": "{"}, "ne se lit pas"),
        ({"document": "{}", "budget": "beaucoup"}, "Ce montant ne se lit pas"),
        ({"document": "{}", "mois": "mars"}, "Un mois s’écrit"),
    ],
)
def test_what_cannot_be_tried_is_said_and_kept(clerk, fields, said):
    clerk.go(DRAFTS)
    upload(clerk, f"{DRAFTS}/essai", **fields)
    assert clerk.page.status_code == 400
    assert said in unescape(clerk.refusals[0])
    assert fields["document"] in unescape(clerk.page.text)


def test_one_person_proposes_and_another_approves(people, clerk, approver):
    clerk.go(DRAFTS)
    upload(clerk, f"{DRAFTS}/proposer", document=draft_document(), motif="")
    assert clerk.refusals
    upload(clerk, f"{DRAFTS}/proposer", document=draft_document(), motif=WHY)
    assert "une autre personne décide" in words(clerk)
    page = clerk.page.url.path
    assert not [form for form in clerk.forms() if form.action.startswith(page)]
    assert "attend la décision d’une autre personne" in words(clerk)
    approver.go(page).send(f"{page}/approuver", motif=WHY)
    assert "elle prend effet à son premier jour" in words(approver)
    assert f"{RULES}?le=2027-01-01" in approver.go(RULES).links
    assert "Essai" in words(approver.go(f"{RULES}?le=2027-01-01"))
    assert [line.action for line in people.told("covoiturage")] == [
        "covoiturage.policy_drafted",
        "covoiturage.policy_approved",
    ]


def test_another_person_may_refuse(people, clerk, approver):
    clerk.go(DRAFTS)
    upload(clerk, f"{DRAFTS}/proposer", document=draft_document(), motif=WHY)
    page = clerk.page.url.path
    form = approver.go(page).form(f"{page}/approuver")
    approver.page = approver.client.post(
        f"{page}/refuser", data=form.fields | {"motif": "à revoir"}, follow_redirects=True
    )
    assert "La règle est refusée." in words(approver)
    assert [one.holds for one in publishing.list_policies(people.engine)] == [True, True, False]


def test_a_form_with_files_is_only_ours(clerk):
    clerk.go(DRAFTS)
    form = clerk.form(f"{DRAFTS}/essai")
    files = {"fichier": ("", b"")}
    forged = clerk.client.post(f"{DRAFTS}/essai", data=form.fields | {"jeton": "x"}, files=files)
    assert forged.status_code == 403
    plain = clerk.client.post(f"{DRAFTS}/essai", content=b"x", headers={"content-type": "text/plain"})
    assert plain.status_code == 400
    big = clerk.client.post(f"{DRAFTS}/essai", data=form.fields, files={"fichier": ("f", b"x" * 5 * 1024 * 1024)})
    assert big.status_code == 422
