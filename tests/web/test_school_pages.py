"""School transport in a real browser: nothing for axe to say, and nothing wider than an old phone."""

import pytest

from mobigo.security import Role
from mobigo.services.scolaire import deciding, families, handling, organising, registering
from mobigo.services.scolaire.stopping import ask_for_stop
from scolaire.safety.dossier import Dossier
from socle.geo import LatLon
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.schooling import OFFICE, SCHOOL, SECTOR, guardian, school_year, typed
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Somebody of the office and of a commune, with a draft of their own and a child whose right is contested."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    with place(snapshot, tmp_path_factory.mktemp("data"), database_url="") as site:
        engine, keys = site.people.engine, site.people.keys
        person = site.people.add(
            "Camille Durand", "camille@exemple.test", roles=[Role.SCHOOL_OFFICE, Role.SCHOOL_ORGANISER]
        )
        school_year(engine, keys, NOON)
        own = guardian(person.pseudonym)
        draft, asked = (registering.start(engine, keys, own, SCHOOL, NOON) for _ in range(2))
        told = typed(derogation="option", jeudi="2", responsable_2="Sacha Roy")
        registering.save(engine, keys, own, asked, told, NOON)
        registering.submit(engine, keys, own, asked, NOON)
        for home in (0, 1):
            deciding.override(engine, keys, OFFICE, asked, home, "entitled", "safety", "Route sans trottoir.", NOON)
        handling.appeal(engine, keys, own, asked, "Le second foyer aussi.", NOON)
        one = registering.read_request(engine, keys, own, asked).application
        families.declare_absence(engine, keys, own, one.code, NOON.date(), NOON.date(), "out", NOON)
        organising.set_scope(engine, OFFICE, person.reference, "commune", "25701", NOON, given=True)
        dossier = Dossier(
            "Le Bourg", LatLon(47.2, 6.3), 3, 50, 80, waiting_area=True, crossing=False, no_reversing=True
        )
        stop = ask_for_stop(engine, OFFICE, SECTOR, "25701", dossier, b"", NOON)
        site.words = {"STOP": stop, "DRAFT": draft, "ASKED": asked, "CODE": one.code, "REFERENCE": person.reference}
        yield site


@pytest.mark.parametrize(
    "path",
    [
        *("/scolaire/demande", "/scolaire/demande/DRAFT", "/scolaire/demande/DRAFT/verifier", "/scolaire/eleve/CODE"),
        *("/scolaire/bureau", "/scolaire/bureau/demandes", "/scolaire/bureau/demandes/ASKED"),
        *("/scolaire/bureau/demandes/ASKED/saisie", "/scolaire/bureau/import", "/scolaire/bureau/essai"),
        *("/scolaire/bureau/organisateurs?qui=REFERENCE", "/scolaire/communes", "/scolaire/communes/ASKED"),
        *("/scolaire/bureau/arrets", "/scolaire/bureau/arrets/STOP", "/scolaire/arrets/STOP"),
    ],
)
@pytest.mark.parametrize("width", [320, 1280])
def test_the_school_pages_have_nothing_for_axe_and_fit_an_old_phone(site, visit, path, width):
    for name, value in site.words.items():
        path = path.replace(name, value)
    page = visit(f"{site.address}/connexion?suite={path.replace('?', '%3F').replace('=', '%3D')}", width=width)
    page.get_by_label("Adresse électronique ou téléphone").fill("camille@exemple.test")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"**{path}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
