import gzip
import hashlib
import shutil

from mobigo.web.assets import STATIC, read_assets
from mobigo.web.layout import Pages, Site
from mobigo.web.network import StopsPage


def test_a_name_holds_the_hash_of_its_content(tmp_path):
    (tmp_path / "site.css").write_text("body { color: black }")
    assets = read_assets(tmp_path)
    digest = hashlib.sha256(b"body { color: black }").hexdigest()[:10]
    assert assets.get_url("site.css") == f"/static/site.{digest}.css"
    asset = assets.by_name[f"site.{digest}.css"]
    assert gzip.decompress(asset.gzipped) == asset.plain
    (tmp_path / "site.css").write_text("body { color: white }")
    assert read_assets(tmp_path).get_url("site.css") != assets.get_url("site.css")


def test_the_same_files_are_the_same_bytes(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    assert read_assets(tmp_path) == read_assets(tmp_path)


def test_only_what_we_know_how_to_send_is_served(tmp_path):
    (tmp_path / ".lock-sha256").write_text("x")
    (tmp_path / "notes.txt").write_text("x")
    assert read_assets(tmp_path).by_name == {}


def test_without_the_fetched_libraries_pages_name_no_script_but_ours(tmp_path, sample):
    static = tmp_path / "static"
    shutil.copytree(STATIC, static, ignore=shutil.ignore_patterns("vendor"))

    async def run(function, /, *values):
        return function(*values)

    pages = Pages(Site(lambda: sample, run), read_assets(static))
    page = pages.render("stops.html", "/arrets", page=StopsPage())
    assert "htmx" not in page.partition("<body>")[0]
    assert page.count("<script") == 1
