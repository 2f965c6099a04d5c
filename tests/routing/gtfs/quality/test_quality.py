"""Each rule has one small bad feed, and fires on it where the fault is."""

from datetime import date

import pytest

from mobigo.texts import finding_sentence
from routing.gtfs.quality import judge_feed
from tests.worlds.feeds import SOUND, codes, read_files, spoilt

TODAY = date(2026, 11, 21)
WEEK = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
EXTRA = {
    "feed_info.txt": "feed_publisher_name,feed_publisher_url,feed_lang\nV,https://v.example,fr\n",
    "shapes.txt": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\na,47,5,1\n",
}


def judged(tmp_path, today=TODAY, **changes):
    feed, _ = read_files(tmp_path, {**EXTRA, **spoilt(**changes)})
    findings = judge_feed(feed, today)
    assert all(finding_sentence(finding) for finding in findings)
    return codes(findings)


def stops(**rows):
    """The sound stops with some rows replaced, by stop id (- for _)."""
    kept = {row.split(",")[0]: row for row in SOUND["stops.txt"].splitlines()}
    for stop, text in rows.items():
        kept[stop.replace("_", "-")] = text
    return "\n".join(kept.values()) + "\n"


def test_a_sound_feed_has_nothing_to_be_said(tmp_path):
    assert judged(tmp_path) == []


def test_recommended_files_are_asked_for(tmp_path):
    feed, _ = read_files(tmp_path, SOUND)
    assert codes(judge_feed(feed, TODAY)) == [
        ("recommended_file_missing", "feed_info.txt", None),
        ("recommended_file_missing", "shapes.txt", None),
    ]


@pytest.mark.parametrize(
    ("table", "text", "expected"),
    [
        ("routes", "route_id,agency_id,route_type\n12,A,3\n", ("route_without_name", 2)),
        ("stops", stops(halle="halle,,47.01,5.01,,"), ("stop_without_name", 4)),
        ("stops", stops(halle="halle,Halle,,,,"), ("stop_without_place", 4)),
        ("stops", stops(halle="halle,Halle,0,0,,"), ("stop_without_place", 4)),
        ("stops", stops(gare_1="gare-1,Gare,47.0001,5.0001,0,lycee"), ("wrong_parent", 3)),
        ("stops", stops(porte="porte,Porte,47,5,2,"), ("wrong_parent", 6)),
        ("stops", stops(halle="halle,Halle,47.01,5.01,1,"), ("call_at_no_quay", 4)),
        ("stops", stops(halle_2="halle-2,Halle,47.01,5.01,,"), ("stop_twice", 6)),
        ("stops", stops(gare_2="gare-2,Gare,47.0005,5.00,1,"), ("stop_twice", 6)),
        ("stops", stops(loin="loin,Loin,52,5,,"), ("stop_far_from_others", 6)),
        ("stops", stops(cafe="café,Café,47,5,,"), ("id_not_ascii", 6)),
        ("stops", stops(halle="halle,Halle,47.00011,5.0001,,"), ("stops_too_close", 3)),
        ("stops", stops(lycee="lycee,Lycée,47.30,5.02,,"), ("too_fast", 4)),
        ("trips", SOUND["trips.txt"] + "12,semaine,nuit,\n", ("trip_too_short", 4)),
        ("calendar", SOUND["calendar.txt"] + "ete,1,1,1,1,1,0,0,20260831,20260701\n", ("calendar_backwards", 3)),
        ("stop_times", SOUND["stop_times.txt"].replace("07:18:00,07:19:00", "07:10:00,07:19:00"),
         ("no_time_between_stops", 3)),
        ("stop_times", SOUND["stop_times.txt"].replace("07:10:00", "01:10:00"), ("too_slow", 3)),
    ],
)  # fmt: skip
def test_each_rule_fires_once_where_the_fault_is(tmp_path, table, text, expected):
    told = judged(tmp_path, **{table: text})
    code, line = expected
    assert [(told_code, told_line) for told_code, _, told_line in told] == [(code, line)]


def test_a_hop_is_told_once_for_both_directions_and_all_trips(tmp_path):
    back = "retour,08:00:00,08:00:00,lycee,1\nretour,08:01:00,08:01:00,halle,2\n"
    trips = SOUND["trips.txt"] + "12,semaine,retour,\n"
    times = SOUND["stop_times.txt"].replace("07:31:00,07:31:00", "07:20:00,07:20:00") + back
    told = judged(tmp_path, trips=trips, stop_times=times, stops=stops(lycee="lycee,Lycée,47.10,5.02,,"))
    assert [code for code, _, _ in told] == ["too_fast"]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 12, 20), [("calendar_ends_soon", "calendar.txt", None)]),
        (date(2027, 1, 1), [("calendar_over", "calendar.txt", None)]),
    ],
)
def test_the_end_of_the_calendar_is_told(tmp_path, today, expected):
    assert judged(tmp_path, today) == expected


def test_a_service_that_never_runs_is_told_and_so_is_a_feed_without_any(tmp_path):
    none = WEEK + "semaine,0,0,0,0,0,0,0,20261101,20261231\n"
    assert judged(tmp_path, calendar=none) == [
        ("nothing_runs", "calendar.txt", None),
        ("service_never_runs", "trips.txt", 2),
    ]
    removed = WEEK + "semaine,1,0,0,0,0,0,0,20261123,20261123\n"
    dates = "service_id,date,exception_type\nsemaine,20261123,2\n"
    assert ("nothing_runs", "calendar.txt", None) in judged(tmp_path, calendar=removed, calendar_dates=dates)


def test_a_feed_without_any_place_is_an_error(tmp_path):
    text = "stop_id,stop_name\ngare,Gare\ngare-1,Gare\nhalle,Halle\nlycee,Lycée\n"
    assert ("no_places", "stops.txt", None) in judged(tmp_path, stops=text)
