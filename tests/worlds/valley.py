"""A valley that fits in the head, with all that the journey API must tell.

    Mairie ·300 m· Gare (station, platforms A and B) ──── Halte ──── Lac (station, platform 1)
                   tram T1 to Hôpital, 2 km off

On workdays from 16 November 2026: train P1 Gare–Halte–Lac every hour from 06:10 to 22:10 and back, tram T1
Gare–Hôpital every ten minutes, coach D1 Mairie–Lac with a shape, at 07:05 and 17:05; coach D2, which is the
same vehicle as the 07:05 D1, goes on from Lac to Col. On Sundays nothing runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from routing.gtfs.feed import Feed, make_feed
from routing.journeys.gazetteer import Commune
from routing.journeys.snapshot import Snapshot, make_snapshot
from routing.network.compile import compile_feed, make_timetable
from socle.geo import LatLon
from socle.times import render_gtfs_time

FIRST_DAY = date(2026, 11, 16)  # a Monday
N_DAYS = 28
TUESDAY, SUNDAY = date(2026, 11, 24), date(2026, 11, 22)

STOPS = (
    # id, name, lat, lon, type, parent, platform, wheelchair
    ("gare", "Valmont Gare", 47.3000, 5.0000, 1, "", "", 1),
    ("gare-a", "Valmont Gare voie A", 47.3001, 5.0000, 0, "gare", "A", 1),
    ("gare-b", "Valmont Gare quai tram", 47.3000, 5.0003, 0, "gare", "B", 1),
    ("mairie", "Valmont, Mairie", 47.3025, 5.0010, 0, "", "", 0),
    ("hopital", "Hôpital", 47.3150, 5.0200, 0, "", "", 1),
    ("halte", "Saint-Éloi-la-Halte", 47.4000, 5.1000, 0, "", "", 2),
    ("lac", "Le Lac", 47.5000, 5.2000, 1, "", "", 0),
    ("lac-1", "Le Lac voie 1", 47.5001, 5.2000, 0, "lac", "1", 0),
    ("col", "Col des Vents", 47.6000, 5.3000, 0, "", "", 0),
)
ROUTES = (
    # id, agency, short, long, type, color, text color
    ("P1", "rail", "P1", "Valmont – Le Lac", 2, "00457C", "FFFFFF"),
    ("T1", "ville", "T1", "Gare – Hôpital", 0, "C0392B", ""),
    ("D1", "cars", "D1", "Valmont – Le Lac", 200, "1E8449", "FFFFFF"),
    ("D2", "cars", "D2", "Le Lac – Col des Vents", 200, "", ""),
)
COMMUNES = (
    Commune("21900", "Valmont", LatLon(47.3020, 5.0005), 12_000, "21", "21900"),
    Commune("21901", "Saint-Éloi-la-Halte", LatLon(47.4010, 5.1010), 800, "21"),
    Commune("25900", "Le Lac", LatLon(47.5005, 5.2010), 3_000, "25"),
    Commune("25901", "Hameau-Perdu", LatLon(47.7500, 5.6000), 90, "25"),
)
MANIFEST = {
    "release": "valley-1",
    "demo": True,
    "sources": [{"id": "valley", "version": "1", "licence": "ODbL-1.0", "publisher": "Vallée"}],
}


def _runs() -> Iterator[tuple[str, str, str, int, list[tuple[str, int]]]]:
    """route, trip id, block, direction, calls (stop, seconds of the service day)."""
    for hour in range(6, 23):
        there = hour * 3600 + 600
        yield "P1", f"P1-{hour:02d}", "", 0, [("gare-a", there), ("halte", there + 720), ("lac-1", there + 1500)]
        back = hour * 3600 + 2400
        yield "P1", f"P1r-{hour:02d}", "", 1, [("lac-1", back), ("halte", back + 780), ("gare-a", back + 1560)]
    for minute in range(6 * 60, 24 * 60 + 30, 10):
        start = minute * 60
        yield "T1", f"T1-{minute}", "", 0, [("gare-b", start), ("hopital", start + 420)]
        yield "T1", f"T1r-{minute}", "", 1, [("hopital", start + 60), ("gare-b", start + 480)]
    for start, block in ((7 * 3600 + 300, "car7"), (17 * 3600 + 300, "")):
        trip = f"D1-{start // 3600:02d}"
        yield "D1", trip, block, 0, [("mairie", start), ("halte", start + 1500), ("lac-1", start + 2700)]
    yield "D2", "D2-07", "car7", 0, [("lac-1", 7 * 3600 + 3180), ("col", 7 * 3600 + 4200)]


def tables(prefix: str = "") -> dict[str, Mapping[str, Sequence[object]]]:
    """The feed's tables; `prefix` before every trip id makes the same timetable under new ids."""
    trips: dict[str, list[object]] = {name: [] for name in ("route_id", "service_id", "trip_id", "direction_id")}
    trips |= {name: [] for name in ("block_id", "shape_id", "trip_headsign", "wheelchair_accessible", "bikes_allowed")}
    times: dict[str, list[object]] = {name: [] for name in ("trip_id", "stop_id", "stop_sequence")}
    times |= {name: [] for name in ("arrival_time", "departure_time", "pickup_type", "drop_off_type")}
    for route, trip, block, direction, calls in _runs():
        headsign = {"P1": "Le Lac", "T1": "Hôpital", "D1": "Le Lac", "D2": ""}[route] if not direction else "Valmont"
        row = (route, "workdays", prefix + trip, direction, block, "d1" if route == "D1" else "", headsign)
        row = (*row, 1 if route == "T1" else 0, 2 if route == "T1" else 1)
        for name, value in zip(trips, row, strict=True):
            trips[name].append(value)
        for position, (stop, at) in enumerate(calls):
            dwell = 60 if 0 < position < len(calls) - 1 else 0
            clock = (render_gtfs_time(at), render_gtfs_time(at + dwell))
            # The 17:05 coach must be booked by telephone.
            booked = 2 if trip == "D1-17" else 0
            for name, value in zip(times, (prefix + trip, stop, position, *clock, booked, 0), strict=True):
                times[name].append(value)
    days = [FIRST_DAY + timedelta(days=at) for at in range(N_DAYS)]
    columns = list(zip(*STOPS, strict=True))
    routes = list(zip(*ROUTES, strict=True))
    return {
        "agency": {
            "agency_id": ["rail", "ville", "cars"],
            "agency_name": ["Rail de la vallée", "Tram de Valmont", "Cars de la vallée"],
            "agency_url": ["https://exemple.test/rail", "https://exemple.test/tram", "https://exemple.test/cars"],
            "agency_timezone": ["Europe/Paris"] * 3,
        },
        "stops": {
            "stop_id": columns[0],
            "stop_name": columns[1],
            "stop_lat": columns[2],
            "stop_lon": columns[3],
            "location_type": columns[4],
            "parent_station": columns[5],
            "platform_code": columns[6],
            "wheelchair_boarding": columns[7],
        },
        "routes": {
            "route_id": routes[0],
            "agency_id": routes[1],
            "route_short_name": routes[2],
            "route_long_name": routes[3],
            "route_type": routes[4],
            "route_color": routes[5],
            "route_text_color": routes[6],
        },
        "trips": trips,
        "stop_times": times,
        "calendar_dates": {
            "service_id": ["workdays"] * sum(day.weekday() < 6 for day in days),
            "date": [day for day in days if day.weekday() < 6],
            "exception_type": [1] * sum(day.weekday() < 6 for day in days),
        },
        "shapes": {
            "shape_id": ["d1"] * 5,
            "shape_pt_lat": [47.3025, 47.3500, 47.4000, 47.4600, 47.5001],
            "shape_pt_lon": [5.0010, 5.0300, 5.1000, 5.1300, 5.2000],
            "shape_pt_sequence": [0, 1, 2, 3, 4],
        },
    }


def valley_feed(prefix: str = "") -> Feed:
    """The valley as a feed."""
    return make_feed("valley", tables(prefix))


def valley(prefix: str = "") -> Snapshot:
    """The valley, ready to answer."""
    return make_snapshot(make_timetable(valley_feed(prefix)), COMMUNES, MANIFEST)


def write_valley(data_dir: Path) -> None:
    """The valley as the served release of a data directory."""
    release = data_dir / "network" / "releases" / str(MANIFEST["release"])
    compile_feed(valley_feed(), release / "timetable")
    rows = [
        ",".join((one.insee_code, one.name, str(one.at.lat), str(one.at.lon), str(one.population), "", one.department))
        for one in COMMUNES
    ]
    header = "insee_code,name,lat,lon,population,rank,dept"
    (release / "places.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (release / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    (data_dir / "network" / "current").symlink_to(f"releases/{MANIFEST['release']}")
