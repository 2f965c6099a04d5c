"""The office lists, decides, overrules, imports and tries rules; a local organiser sees and enters the own only."""

import pytest

from mobigo.security import Role
from mobigo.services.scolaire.entitling import entitle, open_books
from scolaire.entitlement.model import Decision, Verdict
from scolaire.entitlement.simulate import Change, Simulation, count_by_commune
from tests.worlds.accounts import NOON
from tests.worlds.schooling import SCHOOL, school_year, typed
from tests.worlds.sectors import sector_files
from tests.worlds.valley import valley
from tests.worlds.visiting import place

FILES, COMMUNES = "/scolaire/bureau/demandes", "/scolaire/communes"
CLERK, MAYOR = "clerk@exemple.test", "mairie@exemple.test"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with place(valley(), tmp_path_factory.mktemp("office"), database_url="") as site:
        school_year(site.people.engine, site.people.keys)
        site.people.add("Claude Roy", CLERK, roles=[Role.SCHOOL_OFFICE])
        site.mayor = site.people.add("Mairie de Valmont", MAYOR, roles=[Role.SCHOOL_ORGANISER])
        yield site


@pytest.fixture
def clerk(site):
    return site.visitor().sign_in(CLERK)


def copy(visitor, path=FILES, **instead):
    """A paper form, copied and handed in."""
    visitor.go(path).send(path, holding="jeton", etablissement=SCHOOL)
    form = visitor.page.url.path
    return visitor.send(form, "verifier", **typed(**instead))


def test_a_paper_form_is_copied_decided_and_overruled_for_a_named_reason(clerk):
    copy(clerk, prenom="Ana", route_m_1="400")
    assert clerk.title == "Ana Durand-Petit"
    assert "sur papier" in clerk.page.text
    file = clerk.page.url.path
    clerk.send(f"{file}/decider")
    assert "transport payant" in clerk.page.text
    clerk.send(f"{file}/autrement", foyer="0", verdict="entitled", raison="safety", mots="Route sans trottoir.")
    assert "transport gratuit" in clerk.page.text
    assert "Route sans trottoir." in clerk.page.text
    clerk.send(f"{file}/recours", mots="lettre du 12")
    clerk.send(f"{file}/reponse", mots="Réponse envoyée.")
    assert "Réponse envoyée." in clerk.page.text
    clerk.send(f"{file}/lettre", foyer="0")
    assert "Code du foyer 1" in clerk.page.text


def test_a_paper_is_asked_for_and_received(clerk):
    copy(clerk, prenom="Ida", route_m_1="6000", derogation="option")
    file = clerk.page.url.path
    clerk.send(f"{file}/demander", mots="Il manque le justificatif.")
    assert "incomplète" in clerk.page.text
    clerk.send(f"{file}/piece")
    assert "arrivée" in clerk.page.text
    clerk.go("/scolaire/bureau").send("/scolaire/bureau/decider")
    assert "décidées" in clerk.page.text
    assert "transport gratuit" in clerk.go(file).page.text


def test_the_list_is_filtered(clerk):
    copy(clerk, prenom="Lou", commune_1="25578")
    clerk.go(f"{FILES}?annee=2026&commune=25578")
    assert "1 demande" in clerk.page.text
    assert "Lou Durand-Petit" in clerk.page.text
    assert "Lou Durand-Petit" not in clerk.go(f"{FILES}?annee=2026&commune=25701").page.text
    assert "Aucune demande" in clerk.go(f"{FILES}?annee=2026&decision=refused").page.text
    assert clerk.go(f"{FILES}?annee=x&page=-3&etat=%00&etablissement=//").page.status_code == 200


def test_a_twin_is_refused_with_the_reason(clerk):
    copy(clerk, prenom="Mia")
    copy(clerk, prenom="MIA")
    assert clerk.page.status_code == 409
    assert "existe déjà" in clerk.refusals[0]


def test_the_files_of_a_sector_are_looked_at_and_kept_with_every_finding(clerk, site):
    page = clerk.go("/scolaire/bureau/import").form("/scolaire/bureau/import")
    csv = {**sector_files(), "pupils.csv": "pupil_id;home_lat\né;x\n".encode("latin-1")}
    files = {name.removesuffix(".csv"): (name, content) for name, content in csv.items()}

    def send(**fields):
        return clerk.client.post("/scolaire/bureau/import", data={"jeton": page.fields["jeton"], **fields}, files=files)

    looked = send(geste="verifier")
    assert looked.status_code == 200
    assert "pupils.csv" in looked.text
    assert "Rien n’est gardé" in looked.text
    kept = send(geste="garder", secteur="val", annee="2026")
    assert "Le secteur est gardé." in kept.text
    assert send(geste="garder", secteur="Pas Bon", annee="2026").status_code == 400
    files.clear()
    assert clerk.client.post("/scolaire/bureau/import", data={"jeton": page.fields["jeton"]}).status_code == 400


def test_another_rule_book_is_tried_on_the_files_of_the_year(clerk, site):
    clerk.go("/scolaire/bureau/essai")
    clerk.send("/scolaire/bureau/essai", annee="2026", reglement="nul@2026")
    assert clerk.page.status_code == 400
    entitle(site.people.engine, site.people.keys, 2026, open_books(), "person:clerk", NOON)
    copy(clerk, prenom="Eve", route_m_1="2000")
    clerk.send(f"{clerk.page.url.path}/decider")
    clerk.go("/scolaire/bureau/essai").send("/scolaire/bureau/essai", annee="2026", reglement="un-kilometre@2026-09-01")
    assert clerk.page.status_code == 200
    assert "Aucun dossier ne change" in clerk.page.text


def change(commune):
    one = Decision(Verdict.ENTITLED, "entitled", "b", "v")
    return Change(commune, one, one, commune)


def test_few_files_of_a_commune_are_told_with_those_of_others_and_do_not_follow_from_totals():
    def told(gains, losses, k=5):
        changes = Simulation(0, {}, [change(c) for c in gains], [change(c) for c in losses], (), 0)
        return [(one.commune, one.n_gains, one.n_losses) for one in count_by_commune(changes, k)]

    assert told(["a"] * 5 + ["b"] * 6, []) == [("a", 5, 0), ("b", 6, 0)]
    # One of b alone would be the rest of the total: a, the smallest told, goes with it.
    assert told(["a"] * 5 + ["c"] * 7, ["b"]) == [("", 12, 1)]
    assert told(["a"] * 9 + ["b"] * 3 + ["c"] * 3, []) == [("a", 9, 0), ("", 6, 0)]
    assert told([], []) == []


def test_a_local_organiser_sees_and_enters_the_own_commune_only(clerk, site):
    copy(clerk, prenom="Ici", commune_1="25701")
    there = clerk.page.url.path.rpartition("/")[2]
    mayor = site.visitor().sign_in(MAYOR)
    assert "Aucune demande" in mayor.go(COMMUNES).page.text
    for path in (f"{COMMUNES}/{there}", f"{COMMUNES}/{there}/saisie"):
        assert mayor.go(path).page.status_code == 404
    assert mayor.go(FILES).page.status_code == 403
    organisers = "/scolaire/bureau/organisateurs"
    clerk.go(f"{organisers}?qui={site.mayor.reference}").send(
        organisers, holding="jeton", nature="commune", code="25701"
    )
    assert "25701" in clerk.page.text
    assert "Ici Durand-Petit" in mayor.go(COMMUNES).page.text
    assert "Lou Durand-Petit" not in mayor.page.text
    assert mayor.go(f"{COMMUNES}/{there}").title == "Ici Durand-Petit"
    assert "/decider" not in mayor.page.text
    copy(mayor, COMMUNES, prenom="Noé", commune_1="25701")
    assert mayor.title == "Noé Durand-Petit"
    copy(mayor, COMMUNES, prenom="Ute", commune_1="25578")
    assert mayor.page.status_code == 403
    clerk.go(f"{organisers}?qui={site.mayor.reference}").send(organisers, "reprendre")
    assert mayor.go(f"{COMMUNES}/{there}").page.status_code == 404
