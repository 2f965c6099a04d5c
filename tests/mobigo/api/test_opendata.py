"""The merged network as a download, through HTTP."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import UTC, datetime

import httpx
import pytest

from mobigo.app import make_app
from mobigo.services.network.importing import SourceFile, Terms, import_feeds
from mobigo.services.network.served import ServedNetwork
from mobigo.settings import Settings
from mobigo.store.base import migrate, open_engine
from routing.journeys.snapshot import open_snapshot
from routing.network.gate import Thresholds
from tests.worlds.feeds import SOUND, write_zip
from tests.worlds.site import serving

LATEST = "/opendata/network/latest/gtfs.zip"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server on a data directory with one release, and the name of the release."""
    folder = tmp_path_factory.mktemp("site")
    engine = open_engine(f"sqlite:///{folder / 'mobigo.sqlite3'}")
    migrate(engine)
    terms = Terms(folder, engine, b"insee_code,name,lat,lon,population,dept\n", Thresholds())
    source = SourceFile("val", write_zip(folder / "val.zip", SOUND))
    release = import_feeds([source], terms, datetime(2026, 11, 21, 12, tzinfo=UTC)).release_id
    engine.dispose()
    network = ServedNetwork(folder, open_snapshot)
    settings = Settings(_env_file=None, data_dir=folder)
    with serving(make_app(network, settings)) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client, release


def test_the_network_is_a_zip_with_a_strong_tag_and_open_headers(site):
    client, release = site
    answer = client.get(LATEST)
    assert answer.status_code == 200
    assert {"stops.txt", "stop_times.txt"} <= set(zipfile.ZipFile(io.BytesIO(answer.content)).namelist())
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["mobigo-release"] == release
    assert client.get(LATEST, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    dated = client.get(f"/opendata/network/{release}/gtfs.zip")
    assert dated.content == answer.content
    assert "max-age=31536000" in dated.headers["cache-control"]


def test_a_part_is_sent_when_a_part_is_asked(site):
    client, _ = site
    whole = client.get(LATEST).content
    answer = client.get(LATEST, headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, whole[10:20])
    assert client.get(LATEST, headers={"Range": f"bytes={'9' * 5000}-"}).status_code == 416


def test_head_tells_the_length(site):
    client, _ = site
    head = client.head(LATEST)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(client.get(LATEST).content)


@pytest.mark.parametrize("release", ["20200101T000000Z-0", "..", "%2e%2e%2fcurrent", "current", "x" * 5000, "é"])
def test_a_release_that_is_not_kept_is_not_found(site, release):
    client, _ = site
    answer = client.get(f"/opendata/network/{release}/gtfs.zip")
    assert answer.status_code == 404
    assert answer.json()["error"].endswith(".")
    assert len(answer.content) < 2000
