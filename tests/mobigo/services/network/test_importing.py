import dataclasses
import errno
import json
import zipfile
from datetime import UTC, datetime

import pytest

from mobigo.services.network import importing
from mobigo.services.network.importing import SourceFile, Terms, check_feed, import_feeds
from mobigo.store import releases
from mobigo.store.base import migrate, open_engine, transaction
from mobigo.store.files import only_one
from mobigo.store.network import list_findings, list_releases, list_source_versions
from routing.gtfs.read import read_feed
from routing.network.gate import Thresholds
from routing.network.timetable import open_timetable
from socle.errors import BadInput, Conflict
from tests.worlds.feeds import SOUND, spoilt, write_zip

MORNING_ONLY = spoilt(
    trips="route_id,service_id,trip_id,trip_headsign\n12,semaine,matin,Lycée\n",
    stop_times="\n".join(line for line in SOUND["stop_times.txt"].splitlines() if not line.startswith("soir")) + "\n",
)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def terms(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'mobigo.sqlite3'}")
    migrate(engine)
    yield Terms(tmp_path / "data", engine, b"insee_code,name\n", Thresholds())
    engine.dispose()


@pytest.fixture
def sound(tmp_path):
    return SourceFile("val", write_zip(tmp_path / "val.zip", SOUND))


def everything_under(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def replace(terms, **changes):
    return dataclasses.replace(terms, **changes)


def test_a_sound_feed_becomes_the_release_that_is_served(terms, sound):
    report = import_feeds([sound], terms, NOW)
    assert (report.verdict, report.held) == ("served", ())
    release = releases.get_current(terms.data_dir)
    assert release.name == report.release_id
    manifest = releases.read_manifest(release)
    assert (manifest["valid_from"], manifest["valid_to"], manifest["demo"]) == ("2026-11-01", "2026-12-31", False)
    assert open_timetable(release / releases.TIMETABLE).n_trips == 2
    assert (release / releases.COMMUNES).read_bytes() == terms.communes
    with transaction(terms.engine) as session:
        assert [row.verdict for row in list_source_versions(session, "val")] == ["accepted"]
        (row,) = list_releases(session)
        assert (row.id, row.verdict, row.inputs) == (report.release_id, "served", {"val": report.sources[0].sha256})


def test_the_published_network_is_a_feed_with_the_same_trips_and_the_same_bytes_when_rebuilt(terms, sound, tmp_path):
    import_feeds([sound], terms, NOW)
    published = releases.get_current(terms.data_dir) / releases.FEED
    feed, _findings = read_feed(published, "again")
    assert feed.n_rows("trips") == 2
    assert feed.n_rows("stop_times") == 6
    before = published.read_bytes()
    import_feeds([sound], terms, LATER)
    assert (releases.get_current(terms.data_dir) / releases.FEED).read_bytes() == before


def test_a_folder_is_imported_like_its_zip(terms, sound, tmp_path):
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(sound.path) as archive:
        archive.extractall(folder)
    import_feeds([sound], terms, NOW)
    before = releases.read_manifest(releases.get_current(terms.data_dir))
    import_feeds([SourceFile("val", folder)], terms, LATER)
    assert releases.read_manifest(releases.get_current(terms.data_dir))["gtfs_sha256"] == before["gtfs_sha256"]


def test_two_sources_are_one_network_and_collide_in_nothing(terms, sound, tmp_path):
    twin = SourceFile(
        "twin", write_zip(tmp_path / "twin.zip", spoilt(agency=SOUND["agency.txt"].replace("Val", "Mont")))
    )
    report = import_feeds([sound, twin], terms, NOW)
    timetable = open_timetable(releases.get_current(terms.data_dir) / releases.TIMETABLE)
    assert report.verdict == "served"
    assert timetable.n_trips == 4
    assert len(set(timetable.trip_id.to_list())) == 4


@pytest.mark.parametrize("bad", [b"not a zip", b"", b"PK\x03\x04 truncated"])
def test_one_refused_feed_refuses_the_import_and_leaves_the_last_good_release(terms, sound, tmp_path, bad):
    import_feeds([sound], terms, NOW)
    before = releases.get_current(terms.data_dir)
    (tmp_path / "bad.zip").write_bytes(bad)
    report = import_feeds([sound, SourceFile("bad", tmp_path / "bad.zip")], terms, LATER)
    assert (report.verdict, report.release_id) == ("refused", None)
    assert [source.refused for source in report.sources] == [False, True]
    assert releases.get_current(terms.data_dir) == before
    with transaction(terms.engine) as session:
        (version,) = list_source_versions(session, "bad")
        assert version.verdict == "refused"
        assert version.reason
        assert list_findings(session, "bad", version.sha256)


def test_real_feeds_are_not_compared_with_the_demonstration_but_the_demonstration_is(terms, sound, tmp_path):
    poor = SourceFile("val", write_zip(tmp_path / "poor.zip", MORNING_ONLY))
    info = "feed_publisher_name,feed_publisher_url,feed_lang,feed_version\nD,https://exemple.test,fr,demo-1\n"
    demo = SourceFile("val", write_zip(tmp_path / "demo.zip", SOUND | {"feed_info.txt": info}))
    poor_demo = SourceFile("val", write_zip(tmp_path / "poor_demo.zip", MORNING_ONLY | {"feed_info.txt": info}))
    assert import_feeds([demo], terms, NOW).verdict == "served"
    assert import_feeds([poor_demo], terms, NOW.replace(hour=13)).verdict == "held"
    assert import_feeds([poor], terms, NOW.replace(hour=14)).verdict == "served"


def test_a_network_that_lost_its_trips_is_held_until_a_person_lets_it_through(terms, sound, tmp_path):
    import_feeds([sound], terms, NOW)
    before = releases.get_current(terms.data_dir)
    poor = SourceFile("val", write_zip(tmp_path / "poor.zip", MORNING_ONLY))
    report = import_feeds([poor], terms, LATER)
    assert report.verdict == "held"
    assert "held_fewer_trips" in [finding.code for finding in report.held]
    assert releases.get_current(terms.data_dir) == before
    report = import_feeds([poor], replace(terms, let_through="plan de transport allégé"), LATER)
    assert report.verdict == "served"
    assert releases.get_current(terms.data_dir).name == report.release_id
    with transaction(terms.engine) as session:
        assert list_releases(session)[0].reason == "plan de transport allégé"


def test_a_full_disk_in_the_middle_changes_nothing_and_leaves_nothing_behind(terms, sound, monkeypatch):
    import_feeds([sound], terms, NOW)
    before = everything_under(terms.data_dir)

    def full(feed, path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(importing, "write_feed", full)
    with pytest.raises(OSError, match="No space left"):
        import_feeds([sound], terms, LATER)
    assert everything_under(terms.data_dir) == before


def test_only_the_newest_releases_are_kept_and_always_the_served_one(terms, sound, tmp_path):
    two = replace(terms, releases_kept=2)
    served = import_feeds([sound], two, NOW).release_id
    poor = SourceFile("val", write_zip(tmp_path / "poor.zip", MORNING_ONLY))
    held = [import_feeds([poor], two, NOW.replace(day=day)).release_id for day in (22, 23, 24)]
    last = import_feeds([sound], two, NOW.replace(day=25)).release_id
    kept = sorted(path.name for path in releases.releases_dir(terms.data_dir).iterdir())
    assert served not in kept
    assert kept == [held[-1], last]


def test_a_source_is_named_once_and_plainly(terms, sound):
    with pytest.raises(BadInput, match="duplicate_source"):
        import_feeds([sound, sound], terms, NOW)
    with pytest.raises(BadInput, match="bad_source_id"):
        import_feeds([SourceFile("Val d'Or", sound.path)], terms, NOW)


def test_two_imports_never_run_at_once(terms, sound):
    with only_one(releases.network_dir(terms.data_dir), "import"), pytest.raises(Conflict, match="already_running"):
        import_feeds([sound], terms, NOW)


def test_each_step_is_told_in_order(terms, sound):
    steps = []
    import_feeds([sound], replace(terms, on_step=lambda step, what: steps.append((step, what))), NOW)
    assert steps == [("receive", "val"), ("read", "val"), ("merge", ""), ("compile", ""), ("write", ""), ("serve", "")]


def test_the_licence_of_a_source_is_kept_with_the_release(terms, sound):
    import_feeds([dataclasses.replace(sound, licence="etalab-2.0")], terms, NOW)
    (source,) = releases.read_manifest(releases.get_current(terms.data_dir))["sources"]
    assert (source["id"], source["licence"]) == ("val", "etalab-2.0")


def test_the_findings_of_a_release_lie_beside_it(terms, sound):
    import_feeds([sound], terms, NOW)
    told = json.loads((releases.get_current(terms.data_dir) / releases.FINDINGS).read_text("utf-8"))
    assert set(told) == {"sources", "merging", "held"}
    assert set(told["sources"]) == {"val"}


def test_a_feed_is_checked_without_being_imported(tmp_path, sound):
    assert check_feed(sound.path, NOW.date())[0] is True
    usable, findings = check_feed(write_zip(tmp_path / "bad.zip", {"readme.txt": "bonjour"}), NOW.date())
    assert usable is False
    assert findings
