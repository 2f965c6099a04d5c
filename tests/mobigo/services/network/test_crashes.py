"""Whatever ends an import or a release, the last good network is served and the next import works."""

from __future__ import annotations

import dataclasses
import shutil
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from mobigo.services.network.importing import SourceFile, Terms, import_feeds
from mobigo.services.opendata import LATEST, open_network_feed
from mobigo.store import releases
from mobigo.store.base import migrate, open_engine
from routing.journeys.query import JourneyQuery, StopPlace
from routing.journeys.snapshot import open_snapshot
from routing.network.gate import Thresholds
from socle.errors import NotFound, Unavailable
from tests.worlds.feeds import SOUND, write_zip

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

# An import in a process of its own, killed where it is told to: before a step, or just before the link moves.
IMPORT = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from mobigo.services.network import importing
from mobigo.store.base import migrate, open_engine
from routing.network.gate import Thresholds

folder, source, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if where == "link":
    importing.point = die
engine = open_engine(f"sqlite:///{folder / 'mobigo.sqlite3'}")
migrate(engine)
terms = importing.Terms(
    folder / "data", engine, b"insee_code,name\\n", Thresholds(),
    on_step=lambda step, _what: die() if step == where else None,
)
importing.import_feeds([importing.SourceFile("val", source)], terms, datetime(2026, 11, 22, 12, tzinfo=UTC))
"""


@pytest.fixture
def terms(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'mobigo.sqlite3'}")
    migrate(engine)
    yield Terms(tmp_path / "data", engine, b"insee_code,name\n", Thresholds())
    engine.dispose()


@pytest.fixture
def sound(tmp_path):
    return SourceFile("val", write_zip(tmp_path / "val.zip", SOUND))


def left_overs(folder):
    return sorted(path.name for path in folder.rglob(".building-*"))


@pytest.mark.parametrize("where", ["read", "compile", "serve", "link"])
def test_an_import_killed_anywhere_leaves_the_last_good_release(terms, sound, tmp_path, where):
    before = import_feeds([sound], terms, NOW).release_id
    program = [sys.executable, "-c", IMPORT, str(tmp_path), str(sound.path), where]
    killed = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert releases.get_current(terms.data_dir).name == before
    assert open_snapshot(releases.get_current(terms.data_dir)).timetable.n_trips == 2
    after = import_feeds([sound], terms, NOW + timedelta(days=2))
    assert after.verdict == "served"
    assert releases.get_current(terms.data_dir).name == after.release_id
    assert left_overs(terms.data_dir) == []


def test_two_imports_at_once_are_one_import_and_one_refusal(terms, sound, tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    def wait(step, _what):
        if step == "merge":
            begun.set()
            assert go_on.wait(60)

    first = threading.Thread(target=import_feeds, args=([sound], dataclasses.replace(terms, on_step=wait), NOW))
    first.start()
    assert begun.wait(60)
    second = subprocess.run(
        [sys.executable, "-c", IMPORT, str(tmp_path), str(sound.path), "never"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    go_on.set()
    first.join(60)
    assert "already_running" in second.stderr
    assert [path.name for path in releases.releases_dir(terms.data_dir).iterdir()] == [
        releases.get_current(terms.data_dir).name
    ]


def test_the_same_import_twice_in_a_second_never_touches_the_release_that_is_served(terms, sound):
    first = import_feeds([sound], terms, NOW).release_id
    again = import_feeds([sound], terms, NOW).release_id
    assert again == f"{first}-2"
    assert releases.get_current(terms.data_dir).name == again
    assert (releases.releases_dir(terms.data_dir) / first / releases.MANIFEST).is_file()


def test_who_reads_a_forgotten_release_reads_it_to_the_end(terms, sound):
    alone = dataclasses.replace(terms, releases_kept=1)
    old = import_feeds([sound], alone, NOW).release_id
    snapshot = open_snapshot(releases.get_current(terms.data_dir))
    published = open_network_feed(terms.data_dir, LATEST)
    import_feeds([sound], alone, NOW + timedelta(days=1))
    shelf = releases.releases_dir(terms.data_dir)
    assert not (shelf / old).exists()

    # A day that nobody had asked for yet is made in memory: the forgotten folder does not come back.
    start, _ = snapshot.timetable.valid
    gare, lycee = (StopPlace(snapshot.stop_ids.index(stop_id)) for stop_id in ("val:gare", "val:lycee"))
    found = [
        snapshot.search(JourneyQuery(gare, lycee, start + day * 86_400, window_s=86_000)).journeys
        for day in range(1, 8)
    ]
    assert any(found)
    assert not (shelf / old).exists()

    with published.file:
        assert len(published.file.read()) == published.download.n_bytes
    with pytest.raises(NotFound, match="unknown_release"):
        open_network_feed(terms.data_dir, old)


def test_what_was_cut_out_of_the_data_directory_is_said_and_imported_again(terms, sound):
    import_feeds([sound], terms, NOW)
    shutil.rmtree(releases.releases_dir(terms.data_dir))  # the link points nowhere
    with pytest.raises(Unavailable, match="no_network"):
        open_network_feed(terms.data_dir, LATEST)
    assert import_feeds([sound], terms, NOW + timedelta(days=1)).verdict == "served"
    with open_network_feed(terms.data_dir, LATEST).file as file:
        assert file.read(2) == b"PK"
