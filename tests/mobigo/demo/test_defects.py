from itertools import pairwise
from pathlib import Path

import gtfs_guru
import pytest

from mobigo.demo.defects import N_ZERO_HOPS
from routing.gtfs.merge import merge_feeds
from routing.gtfs.read import read_feed
from routing.gtfs.repair import repair_feed
from routing.gtfs.write import render_feed, write_feed
from socle.geo import LatLon, distance_m
from tests.worlds.demo import START, demo_region

CLEAN = demo_region()
MARRED = demo_region(clean=False)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """The marred sources through the ordinary chain: mended feeds, merged feed, findings' codes and texts."""
    folder: Path = tmp_path_factory.mktemp("sources")
    mended, findings = {}, []
    for source_id in MARRED.sources:
        path = folder / f"{source_id}.zip"
        write_feed(MARRED.feed(source_id), path)
        feed, read = read_feed(path, source_id)
        mended[source_id], repaired = repair_feed(feed)
        findings += [*read, *repaired]
    merged, told = merge_feeds(list(mended.values()))
    write_feed(merged, folder / "merged.zip")
    validated = gtfs_guru.validate(str(folder / "merged.zip"), date=START.isoformat(), country_code="FR")
    return mended, merged, [*findings, *told], validated.notices


def rows(feed, table):
    frame = feed.tables[table]
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.rows()]


def test_every_defect_is_told_by_the_finding_meant_for_it(chain):
    _, _, findings, notices = chain
    told = {finding.code for finding in findings} | {notice.code for notice in notices}
    assert [defect.code for defect in MARRED.defects if defect.found_as not in told] == []


def test_the_merged_region_has_no_error(chain):
    assert [notice.code for notice in chain[3] if notice.severity == "ERROR"] == []


def test_lost_and_swapped_places_are_found_again(chain):
    mended, _, _, _ = chain
    for source_id in ("rail-demo", "cars-demo"):
        right = {
            row["stop_id"]: LatLon(row["stop_lat"], row["stop_lon"]) for row in rows(CLEAN.feed(source_id), "stops")
        }
        for row in rows(mended[source_id], "stops"):
            if row["stop_id"] in right:
                assert distance_m(LatLon(row["stop_lat"], row["stop_lon"]), right[row["stop_id"]]) < 1
    assert {len(d.objects) for d in MARRED.defects if d.code == "stop_at_zero"} == {3}


def test_headsigns_are_places_again(chain):
    right = {row["trip_id"]: row["trip_headsign"] for row in rows(CLEAN.feed("rail-demo"), "trips")}
    assert {row["trip_id"]: row["trip_headsign"] for row in rows(chain[0]["rail-demo"], "trips")} == right


def test_coaches_are_coaches_again(chain):
    feed = chain[0]["rail-demo"]
    kinds = {row["route_id"]: row["route_type"] for row in rows(feed, "routes")}
    by_coach = {
        trip["trip_id"] for trip in rows(CLEAN.feed("rail-demo"), "trips") if trip["route_id"].endswith("-CAR:")
    }
    assert len(by_coach) > 100
    assert {kinds[trip["route_id"]] for trip in rows(feed, "trips") if trip["trip_id"] in by_coach} == {3}


def test_forty_zero_minute_hops_are_spread(chain):
    def zero_hops(feed):
        times = rows(feed, "stop_times")
        return sum(a["trip"] == b["trip"] and b["arrival_time"] == a["departure_time"] for a, b in pairwise(times))

    assert zero_hops(CLEAN.feed("dijon-demo")) == 0
    assert zero_hops(MARRED.feed("dijon-demo")) == N_ZERO_HOPS
    assert zero_hops(chain[0]["dijon-demo"]) == 0


def test_services_of_one_name_stay_three(chain):
    services = {row["service_id"] for row in rows(chain[1], "trips")}
    assert {service for service in services if service.endswith(":000001")} == {
        f"{source_id}:000001" for source_id in ("rail-demo", "cars-demo", "dijon-demo")
    }


def test_the_coach_lines_that_both_feeds_tell_of_stop_at_the_same_stations(chain):
    stops = {row["stop_id"]: row for row in rows(chain[1], "stops")}
    copied = [row for stop_id, row in stops.items() if stop_id.startswith("cars-demo:GARE-")]
    assert len(copied) == 9
    assert all(row["parent_station"].startswith("StopArea:OCE") for row in copied)


def test_a_clean_region_has_none():
    assert CLEAN.defects == ()
    assert render_feed(CLEAN.feed("dijon-demo")) != render_feed(MARRED.feed("dijon-demo"))
    assert render_feed(CLEAN.feed("besancon-demo")) == render_feed(MARRED.feed("besancon-demo"))
