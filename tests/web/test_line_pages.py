"""The carpool lines in a real browser, on a telephone and on a desk: nothing for axe to say."""

import pytest

from tests.web.test_accessibility import violations
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

pytestmark = pytest.mark.web


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with place(sample_snapshot(tmp_path_factory.mktemp("release")), tmp_path_factory.mktemp("data")) as site:
        yield site


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("path", ["/covoiturage/lignes", "/covoiturage/lignes/CV6"])
def test_a_page_of_the_lines_is_for_everybody_at_any_width(site, visit, tmp_path, path, width):
    page = visit(f"{site.address}{path}", width=width)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len(page.screenshot(full_page=True, path=tmp_path / "page.png")) > 0
