"""The site in a real Chromium, with a guard that lets no request leave this machine."""

import shutil
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import sync_playwright

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.settings import Settings
from tests.worlds.site import TUESDAY, sample_snapshot, serving

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# Fields that only an operator can fill: invented here, and nowhere else. The number is one of those kept for fiction.
OPERATOR = {"operator_name": "Exploitant d’essai", "operator_phone": "03 53 01 00 00"}


def search(origin="Pontarlier", destination="Besançon", **fields):
    """The address of a search on the sample's Tuesday."""
    return f"/itineraire?{urlencode({'de': origin, 'vers': destination, 'jour': TUESDAY, 'heure': '07:00'} | fields)}"


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Where the site is served."""
    snapshot = sample_snapshot(tmp_path_factory.mktemp("release"))
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"), **OPERATOR)
    with serving(make_app(FixedSnapshot(snapshot), settings)) as address:
        httpx.get(f"{address}{search()}", timeout=120)  # kernels are compiled before a browser waits for them
        yield address


@pytest.fixture(scope="session")
def pages(address):
    """Every page of the site by a name, each with something to show."""
    body = httpx.get(f"{address}{search()}", timeout=60).text
    journey = body.split('href="/trajet/', 1)[1].split('"', 1)[0]
    stops = httpx.get(f"{address}/arrets?nom=Pontarlier").text
    stop = stops.split('href="/arret/', 1)[1].split('"', 1)[0]
    return {
        "accueil": "/",
        "resultats": search(),
        "resultats-aucun": search("Pontarlier", "Auxerre"),
        "resultats-choix": search("Semur", "Pontarlier"),
        "resultats-erreur": search("Zzyzx", "Pontarlier"),
        "trajet": f"/trajet/{journey}",
        "arrets": "/arrets?nom=Pontarlier",
        "arret": f"/arret/{stop}?jour={TUESDAY}&heure=07:00",
        "accessibilite": "/accessibilite",
        "donnees-personnelles": "/donnees-personnelles",
        "donnees": "/donnees",
        "etat": "/etat",
        "api": "/api",
        "introuvable": "/nulle-part",
    }


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium; its absence is a failure, never a skip."""
    if not CHROMIUM:
        pytest.fail("Chromium is missing. On Debian: apt install chromium", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """Opens pages; at the end, nothing may have left the machine and nothing may have failed in a page."""
    contexts, strangers, faults = [], [], []

    def open_page(path="/", *, width=1280, height=900, script=True, **options):
        context = browser.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            java_script_enabled=script,
            locale="fr-FR",
            timezone_id="Europe/Paris",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.requests = []

        def note(request):
            page.requests.append(request)
            if urlsplit(request.url).hostname != "127.0.0.1":
                strangers.append(request.url)

        page.on("request", note)
        page.on("pageerror", lambda error: faults.append(str(error)))
        # A page that says 404 is also told in the console, and how fast a processor draws in place of a graphics card;
        # everything else there is a fault of ours.
        page.on(
            "console",
            lambda message: (
                faults.append(message.text)
                if message.type in ("error", "warning")
                and "the server responded with a status of 4" not in message.text
                and "GL Driver Message (OpenGL, Performance" not in message.text
                else None
            ),
        )
        page.goto(path, wait_until="networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert strangers == []
    assert faults == []
