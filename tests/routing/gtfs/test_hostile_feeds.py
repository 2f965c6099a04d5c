"""Feeds that nobody should send: a finding or a refusal, never a traceback, never a day of computing."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.gtfs.read import FeedRefused, read_feed
from routing.gtfs.repair import repair_feed
from routing.gtfs.write import render_feed
from routing.network.compile import make_timetable
from routing.network.days import make_day
from tests.worlds.examples import random_examples
from tests.worlds.feeds import SOUND, read_files, spoilt, write_zip

DAY = date(2026, 11, 24)
RICH = SOUND | {
    "transfers.txt": "from_stop_id,to_stop_id,transfer_type,min_transfer_time,from_trip_id,to_trip_id,from_route_id\n"
    "halle,lycee,2,60,,,\nhalle,halle,3,,,,12\n,,4,,matin,soir,\n",
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs,exact_times\nmatin,07:00:00,08:00:00,600,1\n",
    "calendar_dates.txt": "service_id,date,exception_type\nsemaine,20261128,1\n",
    "shapes.txt": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nz,47,5,1\nz,47.02,5.02,2\n",
    "levels.txt": "level_id,level_index\nl,0\n",
}
CELLS = (
    "", "\0", "-1", "0", "1", "4", "99", "32768", "2147483647", "2147483648", "99999999999999999999", "1e9", "NaN",
    "inf", "-inf", "1e308", "90.0", "181", "0x10", "1_000", "+5", "٣", "-01:00:00", "25:61:00", "999:59:59", "24:00:00",
    "00000000", "00010101", "99991231", "99999999", "20261301", '"', "a,b", "😀", "é", "a" * 3000, "gare", "matin",
    "Europe/Paris", "Not/AZone", "  x ",
)  # fmt: skip


@st.composite
def hostile_files(draw):
    """A sound dataset with some cells, columns, rows or bytes that are not."""
    files = {name: [line.split(",") for line in text.splitlines()] for name, text in RICH.items()}
    for _ in range(draw(st.integers(1, 6))):
        rows = files[draw(st.sampled_from(sorted(files)))]
        row = draw(st.sampled_from(rows))
        cell = draw(st.sampled_from(CELLS))
        what = draw(st.integers(0, 9))
        if what == 0:
            rows.append(list(row))
        elif what == 1:
            row.append(cell)
        elif what == 2:
            place = draw(st.integers(0, len(rows[0]) - 1))
            for one in rows:
                del one[place : place + 1]
        elif row:
            row[draw(st.integers(0, len(row) - 1))] = cell
        if not rows[0]:
            rows[0].append("x")
    encoding = draw(st.sampled_from(("utf-8", "utf-8", "cp1252")))
    return {name: "\n".join(",".join(row) for row in rows).encode(encoding, "replace") for name, rows in files.items()}


@random_examples(60)
@given(hostile_files())
def test_a_hostile_feed_is_read_with_findings_or_refused(tmp_path_factory, files):
    path = write_zip(tmp_path_factory.getbasetemp() / "hostile.zip", files)
    try:
        feed, _ = read_feed(path, "hostile")
    except FeedRefused:
        return
    feed, _ = repair_feed(feed)
    assert render_feed(feed)
    make_day(make_timetable(feed), DAY)


def test_thousands_of_columns_are_carried(tmp_path):
    rows = SOUND["stops.txt"].splitlines()
    more = [",".join(f"x{i}" for i in range(3000))] + [",".join("v" for _ in range(3000))] * (len(rows) - 1)
    feed, _ = read_files(
        tmp_path, spoilt(stops="\n".join(f"{row},{extra}" for row, extra in zip(rows, more, strict=True)))
    )
    assert feed.tables["stops"]["x2999"].to_list() == ["v"] * 4


@pytest.mark.parametrize("headway", [2_147_483_647, 1])
def test_headways_of_a_second_and_of_a_lifetime(tmp_path, headway):
    table = f"trip_id,start_time,end_time,headway_secs\nmatin,07:00:00,09:00:00,{headway}\n"
    feed, _ = read_files(tmp_path, spoilt(frequencies=table))
    assert make_timetable(feed).n_trips == 1 + -(-7200 // headway)


def test_hundreds_of_rules_between_trips_at_one_stop_are_made_in_a_moment(tmp_path):
    """Every trip has a spot of its own there, and a rule with the next: 160,000 pairs, 400 rules."""
    numbers = range(400)
    clocks = [f"{5 + number // 60:02d}:{number % 60:02d}" for number in numbers]
    times = "".join(
        f"t{number},{clock}:00,{clock}:00,halle,1\nt{number},{clock}:30,{clock}:30,lycee,2\n"
        for number, clock in zip(numbers, clocks, strict=True)
    )
    rules = "".join(f"lycee,halle,2,{number},t{number},t{number + 1}\n" for number in numbers[:-1])
    files = spoilt(
        trips="route_id,service_id,trip_id\n" + "".join(f"12,semaine,t{number}\n" for number in numbers),
        stop_times="trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" + times,
        transfers="from_stop_id,to_stop_id,transfer_type,min_transfer_time,from_trip_id,to_trip_id\n" + rules,
    )
    day = make_day(make_timetable(read_files(tmp_path, files)[0]), DAY)
    assert day.n_spots == 800
