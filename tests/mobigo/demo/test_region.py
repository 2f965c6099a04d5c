import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import gtfs_guru
import pytest

from mobigo.demo.region import build, check_build, check_sample, render_files, sample_texts, write_demo
from mobigo.demo.tables import joined
from routing.gtfs.feed import make_feed
from routing.gtfs.merge import merge_feeds
from routing.gtfs.write import write_feed
from socle.errors import BadInput
from tests.worlds.demo import START, demo_region

SAMPLE = Path(__file__).parents[3] / "data" / "gtfs" / "haut-doubs-demo"
REGION = demo_region()


def notices(path, day):
    """What the canonical validator's twin says of a feed, information aside."""
    told = gtfs_guru.validate(str(path), date=day.isoformat(), country_code="FR")
    return [(notice.severity, notice.code) for notice in told.notices if notice.severity != "INFO"]


@pytest.mark.parametrize("source_id", sorted(REGION.sources))
def test_each_clean_feed_has_no_error_and_no_warning(source_id, tmp_path):
    write_feed(REGION.feed(source_id), tmp_path / "gtfs.zip")
    assert notices(tmp_path / "gtfs.zip", START) == []


def test_the_merged_clean_feeds_have_no_error_and_no_warning(tmp_path):
    merged, findings = merge_feeds([REGION.feed(source_id) for source_id in REGION.sources])
    assert findings == []
    write_feed(merged, tmp_path / "gtfs.zip")
    assert notices(tmp_path / "gtfs.zip", START) == []


def test_the_sample_is_what_the_generator_makes():
    assert check_sample(SAMPLE) == []
    assert {file.name: file.read_bytes() for file in SAMPLE.glob("*.txt")} == sample_texts()


def test_the_sample_is_clean_and_small():
    assert notices(SAMPLE, date(2026, 9, 7)) == []
    assert sum(file.stat().st_size for file in SAMPLE.glob("*.txt")) < 500_000


def test_the_same_arguments_make_the_same_bytes():
    assert render_files(REGION) == render_files(build(start=START, clean=True))


def test_the_manifest_tells_every_file_and_a_changed_one_is_seen(tmp_path):
    demo = build(start=START, weeks=2)
    feeds = write_demo(demo, tmp_path)
    assert [path.stem for path in feeds] == ["rail-demo", "cars-demo", "dijon-demo", "besancon-demo", "scolaire-demo"]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["seed"] == 2020
    assert manifest["start"] == "2026-11-16"
    assert {defect["code"] for defect in manifest["defects"]} == {defect.code for defect in demo.defects}
    assert check_build(tmp_path) == []
    (tmp_path / "places.csv").write_text("insee_code\n")
    feeds[0].unlink()
    assert sorted((f.code, f.file) for f in check_build(tmp_path)) == [
        ("demo_file_changed", "places.csv"),
        ("demo_file_missing", "sources/rail-demo.zip"),
    ]


def test_next_week_keeps_every_id():
    later = build(start=date(2026, 11, 23), clean=True)
    for source_id, tables in REGION.sources.items():
        for stem, column in (("stops", "stop_id"), ("routes", "route_id"), ("trips", "trip_id")):
            assert later.sources[source_id][stem].column(column) == tables[stem].column(column)
        assert later.sources[source_id]["stop_times"].rows == tables["stop_times"].rows


def test_another_seed_changes_no_fact():
    other = build(7, start=START, clean=True)
    rail, trains = (demo.sources["rail-demo"] for demo in (REGION, other))
    assert trains["stops"].rows == rail["stops"].rows
    assert trains["routes"].rows == rail["routes"].rows
    assert trains["trips"].rows == rail["trips"].rows
    assert trains["stop_times"].rows != rail["stop_times"].rows
    assert [p.name for p in other.roads.places] == [p.name for p in REGION.roads.places]


def test_what_is_fictitious_says_so_and_what_is_real_does_not():
    for source_id, tables in REGION.sources.items():
        assert all("(démonstration)" in name for name in tables["agency"].texts("agency_name"))
        assert tables["feed_info"].texts("feed_publisher_name") == ["Mobigo, démonstration : horaires fictifs"]
        assert tables["feed_info"].texts("feed_version")[0].startswith("demo-")
        names, told = tables["routes"].texts("route_long_name"), set(tables["routes"].texts("route_desc"))
        if source_id == "rail-demo":
            assert told == {"Ligne réelle, horaires fictifs"}
            assert not any("fictif" in name for name in names)
            assert set(tables["stops"].column("stop_desc")) == {None}
        else:
            assert told == {"Ligne fictive"}
            assert all(name.endswith("(fictif)") for name in names)
            assert set(tables["stops"].column("stop_desc")) == {"Arrêt fictif"}
        assert not any(name.startswith("LR") for name in tables["routes"].texts("route_short_name"))


def test_nobody_real_can_be_written_to_or_called():
    text = b"\n".join(content for path, content in sample_texts().items() if path != "stop_times.txt").decode()
    assert set(re.findall(r"[\w.]+@([\w.]+)", text)) == {"exemple.test"}
    assert not re.search(r"\b0[1-9](?:[ .]?\d\d){4}\b|\+33|\bFR\d\d \d{4}", text)


def test_sources_share_no_id_but_those_of_stations():
    joined_tables = joined(REGION.sources.values())
    for stem, column in (("trips", "trip_id"), ("routes", "route_id"), ("stops", "stop_id")):
        ids = joined_tables[stem].texts(column)
        assert [each for each, n in Counter(ids).items() if n > 1] == []


def test_a_window_beyond_the_known_holidays_is_refused():
    with pytest.raises(BadInput, match="demo_calendar_ends"):
        build(start=date(2028, 7, 31))


def test_a_feed_can_be_short_and_still_whole(tmp_path):
    """One holiday week: the school services have no day, their trips are left out."""
    demo = build(start=date(2026, 12, 21), weeks=1, clean=True)
    tables = demo.sources["cars-demo"]
    assert not any("SCO" in service for service in tables["trips"].texts("service_id"))
    write_feed(make_feed("cars-demo", {k: t.as_columns() for k, t in tables.items()}), tmp_path / "gtfs.zip")
    assert [told for told in notices(tmp_path / "gtfs.zip", date(2026, 12, 21)) if told[0] == "ERROR"] == []


def test_copies_lie_elsewhere_and_say_what_they_are():
    demo = build(start=START, weeks=1, clean=True, replicas=2)
    assert len(demo.sources) == 15
    assert demo.name.endswith("-clean-r2")
    rail, copy = demo.sources["rail-demo"], demo.sources["rail-demo-r2"]
    assert copy["stop_times"].column("arrival_time") == rail["stop_times"].column("arrival_time")
    assert all(name.endswith("(répliqué 2)") for name in copy["stops"].texts("stop_name"))
    assert set(copy["stops"].column("stop_id")).isdisjoint(rail["stops"].column("stop_id"))
    assert min(copy["stops"].column("stop_lon")) > max(rail["stops"].column("stop_lon"))
    merged, _ = merge_feeds([demo.feed("rail-demo"), demo.feed("rail-demo-r1")])
    assert merged.n_rows("stops") == 2 * len(rail["stops"].rows)
