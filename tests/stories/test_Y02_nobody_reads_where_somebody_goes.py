"""What is searched is written down nowhere: not in the log, not in the database, not in a file."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from mobigo.security import Role, open_keys
from mobigo.services.people.signing import Where, let_in
from mobigo.store.base import migrate, open_engine, transaction
from mobigo.store.people.accounts import Identity, add_person
from mobigo.store.people.roles import give_role
from tests.worlds.site import SAMPLE, TUESDAY

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
ADDRESS = "203.0.113.77"
# Places that exist, places that do not, and coordinates: whatever is typed as one end of a journey.
ENDS = ("Pontarlier", "Valdahon", "Zzyzxorigine", "Zzyzxdestination", "46.90591", "6.35471", "47.24731", "6.02221")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """(what the server wrote, its data directory, who searched) after many searches, signed in and not."""
    folder = tmp_path_factory.mktemp("searched")
    data_dir, written = folder / "data", folder / "log"
    environment = {
        **os.environ,
        "MOBIGO_DATA_DIR": str(data_dir),
        "MOBIGO_LOG_LEVEL": "debug",
        "MOBIGO_LOG_FORMAT": "json",
        "MOBIGO_SECRET_KEY": "k" * 40,
    }
    mobigo = [sys.executable, "-m", "mobigo"]
    command = [*mobigo, "feed", "import", f"haut-doubs-demo={SAMPLE}"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    engine = open_engine(f"sqlite:///{data_dir / 'mobigo.sqlite3'}")
    migrate(engine)
    keys, now = open_keys("k" * 40, data_dir), datetime.now(UTC)
    with transaction(engine) as session:
        person = add_person(session, keys, Identity("Camille Durand", "camille@exemple.test"), now)
        give_role(session, person.person_id, Role.TRAVELLER, "system:test", "", now)
        token = let_in(session, keys, person, "password", Where(ADDRESS, "Navigateur"), now).token
    engine.dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with written.open("wb") as log:
        command = [*mobigo, "serve", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            search(f"http://127.0.0.1:{port}", token)
        finally:
            server.terminate()
            server.wait(PATIENCE_S)
    return written.read_text("utf-8"), data_dir, person, token


def search(address, token):
    """Every way of saying from where to where, well and badly, as somebody and as nobody."""
    pairs = [
        ("Pontarlier", "Valdahon"),
        ("Zzyzxorigine", "Zzyzxdestination"),
        ("46.90591,6.35471", "47.24731,6.02221"),
        ("<Zzyzxorigine>", "' OR Zzyzxdestination"),
    ]
    headers = {
        "X-Forwarded-For": ADDRESS,
        "Forwarded": f"for={ADDRESS}",
        "Referer": f"{address}/itineraire?de=Pontarlier",
    }
    with httpx.Client(base_url=address, timeout=PATIENCE_S, headers=headers) as client:
        wait_until(lambda: client.get("/health/ready").status_code == 200)
        for cookie in ("", f"s.{token}"):
            if cookie:
                client.cookies.set("mobigo", cookie)
            for origin, destination in pairs:
                de, vers = quote(origin), quote(destination)
                when = f"jour={TUESDAY}&heure=07:00"
                for path in (
                    f"/itineraire?de={de}&vers={vers}&{when}",
                    f"/itineraire?de={de}&vers={vers}&jour=hier",
                    f"/trajet/{de}?vers={vers}",
                    f"/arrets?nom={de}",
                    f"/arret/{de}?vers={vers}",
                    f"/lieux?champ=de&de={de}",
                    f"/api/v6/plan?fromPlace={de}&toPlace={vers}&time={TUESDAY}T05:00:00Z",
                    f"/api/v6/plan?fromPlace={de}&toPlace={vers}&time=never",
                    f"/api/v1/geocode?text={de}",
                    f"/api/v1/reverse-geocode?place={de}",
                    f"/api/v1/{de}/{vers}",
                    f"/{de}/{vers}",
                ):
                    assert client.get(path).status_code < 500, path
                    client.post(path, content=f"{origin} {destination}")
                    client.request("BREW", path)


def wait_until(true):
    pause = threading.Event()
    for _ in range(PATIENCE_S * 20):
        try:
            if true():
                return
        except httpx.TransportError:
            pass
        pause.wait(0.05)
    pytest.fail("it never came")


def test_the_log_tells_of_every_request_and_of_no_place_address_or_person(searched):
    log, _data_dir, person, token = searched
    requests = [json.loads(line) for line in log.splitlines() if '"route"' in line]
    assert len(requests) > 100
    for end in ENDS:
        assert end not in log
        assert quote(end) not in log
    for who in (
        ADDRESS,
        "127.0.0.1,",
        person.person_id,
        person.pseudonym,
        person.reference,
        token,
        "camille",
        "Navigateur",
    ):
        assert who not in log


def test_neither_the_database_nor_any_file_holds_what_was_searched(searched):
    _log, data_dir, _person, _token = searched
    with closing(sqlite3.connect(data_dir / "mobigo.sqlite3")) as base:
        dumped = "\n".join(base.iterdump())
    assert "camille" not in dumped.lower()
    for end in ("Zzyzx", "46.90591", "6.35471", "47.24731", "6.02221"):
        assert end not in dumped
        for path in data_dir.rglob("*"):
            if path.is_file() and path.stat().st_size < 50_000_000:
                assert end.encode() not in path.read_bytes(), path
