"""Carpool lines as GTFS: read without a fault, same bytes for the same lines, nothing missing."""

from __future__ import annotations

from datetime import date

from covoiturage.lines import shipped_lines
from mobigo.bridges.feeds import render_lines
from routing.gtfs.quality import judge_feed
from routing.gtfs.read import read_feed

DAY = date(2026, 11, 23)


def test_the_feed_of_the_six_lines_has_nothing_to_remark_but_the_speed_of_cars(tmp_path):
    path = tmp_path / "lignes.gtfs.zip"
    path.write_bytes(render_lines(shipped_lines(), DAY, "https://exemple.test"))
    # The rule of the national access point takes a shared car for a taxi in a town: 50 km/h at most.
    feed, remarks = read_feed(path, "covoiturage")
    assert {finding.code for finding in (*remarks, *judge_feed(feed, DAY))} <= {"too_fast"}


def test_both_directions_of_every_line_are_frequencies_over_official_metres(tmp_path):
    path = tmp_path / "lignes.gtfs.zip"
    path.write_bytes(render_lines(shipped_lines(), DAY, "https://exemple.test"))
    feed, _ = read_feed(path, "covoiturage")
    assert feed.tables["routes"]["route_type"].to_list() == [1551] * 6
    assert feed.tables["trips"].height == 12
    assert set(feed.tables["frequencies"]["exact_times"].to_list()) == {0}
    lengths = feed.tables["stop_times"].group_by("trip").agg(metres=_longest()).sort("trip")["metres"].to_list()
    assert lengths[::2] == lengths[1::2] == [float(line.length_m) for line in shipped_lines()]


def _longest():
    import polars as pl

    return pl.col("shape_dist_traveled").max()


def test_the_same_lines_make_the_same_bytes():
    one, other = (render_lines(shipped_lines(), DAY, "https://exemple.test") for _ in range(2))
    assert one == other
