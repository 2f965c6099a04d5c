"""A carpool in two real browsers: the code is read from the pixels of the driver's screen; nothing for axe to say."""

from base64 import b64decode, b64encode

import numpy as np
import pytest
import zxingcpp

from mobigo.security import Role
from mobigo.services.covoiturage.lines import list_lines
from tests.web.test_accessibility import violations
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web

# What a PNG shows: the red of each pixel.
PIXELS = """async (png) => {
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes]));
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const { data } = canvas.getImageData(0, 0, image.width, image.height);
  let red = "";
  for (let at = 0; at < data.length; at += 4) red += String.fromCharCode(data[at]);
  return [image.width, image.height, btoa(red)];
}"""
NEW, OUTING, PLATES = "/covoiturage/trajet/nouveau", "/covoiturage/trajet", "/covoiturage/plaques"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    return sample_snapshot(tmp_path_factory.mktemp("release"))


@pytest.fixture
def site(snapshot, tmp_path):
    with place(snapshot, tmp_path, database_url="") as site:
        site.people.add("Dominique Petit", "dominique@exemple.test", roles=[Role.DRIVER])
        site.people.add("Camille Durand", "camille@exemple.test")
        yield site


@pytest.fixture
def line(site):
    return list_lines(site.people.engine, NOON.date())[0]


def signed_in(site, visit, name, path, width, **options):
    page = visit(f"{site.address}/connexion?suite={path}", width=width, **options)
    page.get_by_label("Adresse électronique ou téléphone").fill(f"{name}@exemple.test")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url(f"**{path}")
    return page


def looked_at(page, width):
    """The page, of which axe says nothing and which nobody has to push sideways."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    return page


def on_screen(page):
    """The address that a camera reads on this screen."""
    width, height, red = page.evaluate(PIXELS, b64encode(page.screenshot(full_page=True)).decode())
    image = np.frombuffer(b64decode(red), np.uint8).reshape(height, width)
    (read,) = zxingcpp.read_barcodes(image)
    return read.text


@pytest.mark.parametrize("width", [320, 1280])
def test_a_carpool_goes_from_one_screen_to_the_other_and_to_the_receipts(site, visit, line, width):
    driver = looked_at(signed_in(site, visit, "dominique", f"{NEW}?ligne={line.line_id}", width), width)
    driver.get_by_label(line.stops[0].name, exact=True).check()
    driver.get_by_role("button", name="Commencer").click()
    looked_at(driver, width).get_by_role("link", name="Code pour monter").click()
    rider = visit(on_screen(looked_at(driver, width)), width=320)
    rider.get_by_label("Adresse électronique ou téléphone").fill("camille@exemple.test")
    rider.get_by_label("Mot de passe").fill(PASSWORD)
    rider.get_by_role("button", name="Se connecter").click()
    looked_at(rider, 320).get_by_label(line.stops[0].name, exact=True).check()
    rider.get_by_role("button", name="Je monte").click()
    looked_at(rider, 320).get_by_text("À bord depuis 13:00").wait_for()
    driver.goto(f"{site.address}{OUTING}")
    looked_at(driver, width).get_by_role("button", name="Terminer le trajet").click()
    assert "Il y a un problème" in looked_at(driver, width).content()
    driver.get_by_role("link", name="Code pour descendre").click()
    rider.goto(on_screen(driver))
    rider.get_by_label(line.stops[-1].name, exact=True).check()
    looked_at(rider, 320).get_by_role("button", name="Je descends").click()
    driver.goto(f"{site.address}{OUTING}")
    driver.get_by_role("button", name="Terminer le trajet").click()
    looked_at(driver, width).get_by_text("prouvé par les codes lus").wait_for()


@pytest.mark.parametrize("width", [320, 1280])
def test_a_plate_is_read_from_the_screen_and_from_paper(site, visit, line, width):
    page = looked_at(signed_in(site, visit, "dominique", PLATES, width), width)
    page.get_by_role("button", name="Créer la plaque").click()
    shown = on_screen(looked_at(page, width))
    assert "/covoiturage/plaque/" in shown
    page.emulate_media(media="print")
    assert on_screen(page) == shown
    page.emulate_media(media="screen")
    looked_at(page, width).get_by_role("link", name="Les plaques de mes voitures").click()
    looked_at(page, width)


def test_a_position_is_added_only_when_it_is_asked_for_and_given(site, visit, line):
    here = {"geolocation": {"latitude": 47.3530, "longitude": 6.3610}, "permissions": ["geolocation"]}
    page = signed_in(site, visit, "dominique", f"{NEW}?ligne={line.line_id}", 320, **here)
    assert page.locator("#position").input_value() == ""
    page.get_by_role("button", name="Ajouter ma position").click()
    page.get_by_text("Votre position est ajoutée.").wait_for()
    assert page.locator("#position").input_value() == "47.3530,6.3610"
