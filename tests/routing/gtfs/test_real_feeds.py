"""Real feeds of the shared folder: read or refused without a crash, with the known figures."""

import zipfile
from datetime import date

import polars as pl
import pytest
from shapely.geometry import box

from mobigo.texts import finding_sentence
from routing.gtfs.analysis import count_trips, restrict
from routing.gtfs.merge import merge_feeds
from routing.gtfs.quality import judge_feed
from routing.gtfs.read import FeedRefused, read_feed
from routing.gtfs.repair import repair_feed
from routing.gtfs.write import write_feed

pytestmark = pytest.mark.shared

DAY_S = 86_400
TER, TGV, TER_2020 = "gtfs-sncf-ter-2025-01", "gtfs-sncf-tgv-2025-07", "gtfs-sncf-ter-2020-02"
CTS, KODIS = "gtfs-cts-strasbourg-2026", "gtfs-kodis-2018-malformed"
# routes, trips, stops, stop times, of which at or after 24:00, of which without a time
FIGURES = {
    f"{TER}/gtfs.zip": (650, 33_280, 9_196, 299_983, 905, 0),
    f"{TGV}/gtfs.zip": (89, 6_672, 514, 39_453, 189, 0),
    f"{TER_2020}/gtfs.zip": (712, 24_111, 9_176, 209_129, 597, 0),
    f"{CTS}/gtfs.zip": (51, 23_635, 1_351, 531_295, 9_208, 0),
    "poa-gtfs-and-osm/poa_eptc.zip": (115, 2_374, 3_986, 130_019, None, 125_271),
    "poa-gtfs-and-osm/poa_trensurb.zip": (2, 1_248, 24, 14_855, None, 0),
    "gtfs-nyc-subway-2024/gtfs.zip": (2, 1_990, 273, 86_150, 3_450, 0),
    "gtfs-anaheim-2021/gtfs.zip": (13, 13_840, 75, 49_371, 11_992, 0),
    "gtfs-cairns-2014/gtfs.zip": (22, 1_339, 416, 37_790, 1_405, 65),
    "gtfs-transcollines-2026/transcollines-qc-ca.zip": (8, 58, 424, 2_800, None, 0),
    "gtfs-transcollines-2026/transcollines-qc-ca-fares.zip": (8, 58, 424, 2_800, None, 0),
    "gtfs-transcollines-2026/transcollines-qc-ca-cityway.zip": (8, 58, 424, 2_800, None, 0),
    "gtfs-spec-sample/google-sample-feed-1.zip": (5, 11, 9, 28, None, None),
    "gtfs-flex/bbnavi-uckermark.zip": (5, 8, 378, 8, None, 8),
    "gtfs-flex/gtfsorg-deviated-drop-off-route.zip": (1, 13, 20, 468, None, None),
}


@pytest.mark.parametrize("path", FIGURES)
def test_a_real_feed_has_its_known_figures_and_survives_being_written(shared, tmp_path, path):
    feed, findings = read_feed(shared(f"data/{path}"), "real")
    n_routes, n_trips, n_stops, n_times, n_late, n_empty = FIGURES[path]
    assert [feed.n_rows(name) for name in ("routes", "trips", "stops", "stop_times")] == [
        n_routes, n_trips, n_stops, n_times,
    ]  # fmt: skip
    times = feed.tables["stop_times"]
    latest = times.select(pl.max_horizontal("arrival_time", "departure_time")).to_series()
    assert n_late is None or (latest >= DAY_S).sum() == n_late
    assert n_empty is None or latest.null_count() == n_empty
    assert all(finding_sentence(finding) for finding in findings)
    write_feed(feed, tmp_path / "again.zip")
    again, _ = read_feed(tmp_path / "again.zip", "real")
    assert again == feed


def test_the_flagship_feed_in_detail(shared):
    feed, findings = read_feed(shared(f"data/{TER}/gtfs.zip"), "ter")
    assert {finding.severity for finding in findings} == {"INFO"}
    stops, routes = feed.tables["stops"], feed.tables["routes"]
    assert dict(stops["location_type"].value_counts().rows()) == {0: 5_361, 1: 3_835}
    assert dict(routes["route_type"].value_counts().rows()) == {2: 466, 3: 180, 0: 4}
    assert feed.tables["calendar_dates"]["service_id"].n_unique() == 4_473
    assert feed.tables["calendar_dates"].height == 118_881
    assert feed.n_rows("transfers") == 0
    assert "transfers" in feed.tables


def test_the_malformed_coaches_are_read_with_all_that_is_wrong(shared):
    feed, findings = read_feed(shared(f"data/{KODIS}/gtfs.zip"), "kodis")
    assert feed.n_rows("routes") == 458
    assert feed.n_rows("stops") == 2_876
    assert feed.tables["stop_times"]["_line"].max() == 247_026 + 1
    back = [finding for finding in findings if finding.code == "time_goes_back"]
    assert len(back) == 11
    bad_date = next(finding for finding in findings if finding.code == "bad_date")
    assert bad_date.line == 2_142
    assert "builtin method date" in str(bad_date.facts["value"])
    _, mends = repair_feed(feed, ["places.zero"])
    assert {finding.code for finding in mends} == {"places.zero.lost", "more_of_the_same"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("gtfs-sncf-national-2025-11-partial", "missing_file"),
        ("gtfs-bad-feeds/etalab-transport-validator-test-data.zip", "several_feeds"),
        ("poa-gtfs-and-osm/fares_poa.zip", "no_tables"),
        ("gtfs-bad-feeds/cutr-badgtfs.zip", "no_tables"),
    ],
)
def test_what_is_no_dataset_is_refused(shared, path, code):
    with pytest.raises(FeedRefused) as refused:
        read_feed(shared(f"data/{path}"), "real")
    assert code in {reason.code for reason in refused.value.reasons}


@pytest.mark.parametrize(
    "path",
    [
        "gtfs-bad-feeds/etalab-transport-validator-test-data.zip",
        "gtfs-bad-feeds/faresv2-validator-test-data.zip",
        "gtfs-flex/r5-flex-microfeeds.zip",
        "gtfs-rt/mmri-static-and-pb.zip",
    ],
)
def test_folders_of_small_and_bad_feeds_never_crash_the_reader(shared, tmp_path, path):
    with zipfile.ZipFile(shared(f"data/{path}")) as archive:
        archive.extractall(tmp_path)
    outcomes = []
    for folder in sorted({file.parent for file in tmp_path.rglob("*.txt")}):
        findings = ()
        try:
            feed, findings = read_feed(folder, "case")
            outcomes.append(feed.n_rows("trips") > 0)
            repair_feed(feed)
        except FeedRefused as refused:
            findings = refused.findings
            outcomes.append(False)
        assert all(finding_sentence(finding) for finding in findings)
    assert outcomes


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("agency", "bad_timezone"),
        ("agency", "bad_url"),
        ("check_id", "missing_value"),
        ("check_name", "missing_value"),
        ("duplicate_stop_sequence", "same_sequence"),
        ("duplicate_stops", "stop_twice"),
        ("duplicates", "duplicate_row"),
        ("duration_distance", "time_goes_back"),
        ("fare_attributes", "missing_value"),
        ("feed_info", "bad_url"),
        ("invalid_references", "unknown_reference"),
        ("invalid_stop_file", "bad_latitude"),
        ("missing_mandatory_files", "missing_file"),
        ("route_type_invalid", "unexpected_option"),
        ("route_type_missing", "missing_value"),
        ("shapes", "bad_latitude"),
        ("stop_times_increase", "time_goes_back"),
        ("stop_times_location_type", "call_at_no_quay"),
        ("stops", "stop_without_place"),
        ("unusable_trip", "missing_file"),
    ],
)
def test_faults_known_to_the_access_point_are_found(shared, tmp_path, folder, code):
    with zipfile.ZipFile(shared("data/gtfs-bad-feeds/etalab-transport-validator-test-data.zip")) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if name.startswith(f"{folder}/")])
    try:
        feed, findings = read_feed(tmp_path / folder, "case", max_bad_share=1.0)
        findings += judge_feed(feed, date(2018, 1, 1))
    except FeedRefused as refused:
        findings = list(refused.findings)
    assert code in {finding.code for finding in findings}


def test_regional_and_fast_trains_are_one_network(shared, tmp_path):
    ter = read_feed(shared(f"data/{TER}/gtfs.zip"), "ter")[0]
    tgv = read_feed(shared(f"data/{TGV}/gtfs.zip"), "tgv")[0]
    network, findings = merge_feeds([ter, tgv])
    told = {finding.code: finding.facts["n"] for finding in findings}
    assert told["stations_in_common"] == 181
    assert told.keys() == {"stations_in_common", "services_kept_apart"}
    assert not network.tables["trips"]["trip_id"].is_duplicated().any()
    assert network.n_rows("trips") == 33_280 + 6_672
    assert network.n_rows("stop_times") == 299_983 + 39_453
    stops = network.tables["stops"]
    dijon = stops.filter((stops["stop_name"] == "Dijon") & (stops["location_type"] == 1))
    assert dijon["stop_id"].to_list() == ["StopArea:OCE87713040"]
    quays = stops.filter(stops["parent_station"] == "StopArea:OCE87713040")["stop_id"]
    assert len(quays) == 4  # coach and train of one source, two kinds of fast train of the other
    write_feed(network, tmp_path / "network.zip")
    assert read_feed(tmp_path / "network.zip", network.source_id)[0] == network


@pytest.mark.slow
def test_a_clean_merge_has_no_error_for_the_canonical_rules(shared, tmp_path):
    gtfs_guru = pytest.importorskip("gtfs_guru")
    sources = {"ter": TER, "tgv": TGV, "cts": CTS}
    feeds = [repair_feed(read_feed(shared(f"data/{path}/gtfs.zip"), name)[0])[0] for name, path in sources.items()]
    write_feed(merge_feeds(feeds)[0], tmp_path / "network.zip")
    result = gtfs_guru.validate(str(tmp_path / "network.zip"))
    assert [notice.code for notice in result.notices if notice.severity == "ERROR"] == []


def test_strasbourg_and_porto_alegre_join_without_a_collision(shared):
    feeds = [
        read_feed(shared(f"data/{path}"), name)[0]
        for name, path in (("cts", f"{CTS}/gtfs.zip"), ("poa", "poa-gtfs-and-osm/poa_eptc.zip"))
    ]
    network, findings = merge_feeds(feeds)
    assert [finding.code for finding in findings] == ["several_timezones"]
    for name in ("stops", "trips", "routes", "stop_times"):
        assert network.n_rows(name) == sum(feed.n_rows(name) for feed in feeds)


def test_coaches_under_a_train_route_become_coaches(shared):
    feed = read_feed(shared(f"data/{TER}/gtfs.zip"), "ter")[0]
    mended, _ = repair_feed(feed, ["modes.from_stop_id"])
    types = [
        frame.tables["trips"].join(frame.tables["routes"], on="route_id", maintain_order="left")["route_type"]
        for frame in (feed, mended)
    ]
    assert ((types[0] == 2) & (types[1] == 3)).sum() == 2_863 + 60  # coaches, shuttles
    assert mended.n_rows("trips") == feed.n_rows("trips")


def test_places_of_2020_are_mended(shared):
    feed = read_feed(shared(f"data/{TER_2020}/gtfs.zip"), "ter")[0]
    mended, _ = repair_feed(feed, ["places.swapped", "places.zero"])
    assert mended.tables["stops"]["stop_lat"].null_count() == 48
    placed = mended.tables["stops"].drop_nulls("stop_lat")
    assert placed["stop_lat"].min() > 40


def test_empty_times_of_porto_alegre_lie_along_their_shapes(shared):
    feed = read_feed(shared("data/poa-gtfs-and-osm/poa_eptc.zip"), "poa")[0]
    mended, findings = repair_feed(feed, ["times.interpolate"])
    times = mended.tables["stop_times"]
    assert times["arrival_time"].null_count() == 0
    same_trip = times["trip"].diff() == 0
    assert (times["arrival_time"].diff().filter(same_trip) >= 0).all()
    published = feed.tables["stop_times"]["arrival_time"]
    assert times["arrival_time"].filter(published.is_not_null()).equals(published.drop_nulls(), check_names=False)
    assert findings[-1].facts["n_more"] == 125_271 - 20


def test_zero_minute_hops_of_strasbourg_are_spread_and_never_earlier(shared):
    feed = read_feed(shared(f"data/{CTS}/gtfs.zip"), "cts")[0]
    mended, findings = repair_feed(feed, ["times.zero_hop"])
    before, after = feed.tables["stop_times"], mended.tables["stop_times"]
    moved = after["departure_time"] - before["departure_time"]
    assert moved.min() == 0
    assert moved.max() < 60
    assert (moved > 0).sum() == 36_167 == findings[-1].facts["n_more"] + 20
    assert (after["arrival_time"].diff().filter(after["trip"].diff() == 0) >= 0).all()


def test_strasbourg_gets_its_stations(shared):
    feed = read_feed(shared(f"data/{CTS}/gtfs.zip"), "cts")[0]
    stops = repair_feed(feed, ["structure.parent"])[0].tables["stops"]
    stations = stops.filter(stops["location_type"] == 1)
    assert stops["stop_name"].n_unique() == 574
    assert stations.height == stations["stop_id"].n_unique() == 526
    assert stops["parent_station"].drop_nulls().is_in(stations["stop_id"].implode()).all()


@pytest.mark.parametrize(("path", "day", "n_trips"), [(TER, date(2025, 3, 11), 11_299), (TGV, date(2025, 12, 12), 750)])
def test_gtfs_kit_counts_the_same_trips_on_the_same_days(shared, path, day, n_trips):
    file = shared(f"data/{path}/gtfs.zip")
    feed = read_feed(file, "real")[0]
    added = feed.tables["calendar_dates"].filter(pl.col("exception_type") == 1).select("service_id", "date")
    counted = feed.tables["trips"].join(added, on="service_id").group_by("date").len()
    counts = dict(counted.rows())
    assert {day: n for day, n in count_trips(file).items() if n} == counts
    assert counts[day] == n_trips


@pytest.mark.slow
def test_gtfs_kit_restricts_to_the_region_what_our_reader_then_reads(shared, tmp_path):
    geopandas = pytest.importorskip("geopandas")
    assert geopandas
    outline = box(2.845, 46.156, 7.144, 48.401)  # the region's box, wider than its outline
    restrict(shared(f"data/{TER}/gtfs.zip"), outline, tmp_path / "part.zip")
    part, _ = read_feed(tmp_path / "part.zip", "part")
    whole, _ = read_feed(shared(f"data/{TER}/gtfs.zip"), "whole")
    stops = whole.tables["stops"]
    inside = stops["stop_lat"].is_between(46.156, 48.401) & stops["stop_lon"].is_between(2.845, 7.144)
    times = whole.tables["stop_times"]
    trips = times.filter(inside.gather(times["stop"]))["trip"].unique()
    expected = set(whole.tables["trips"]["trip_id"].gather(trips))
    assert set(part.tables["trips"]["trip_id"]) == expected
