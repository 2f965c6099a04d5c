"""Feeds typed as text: a small sound dataset, and ways to spoil it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from hypothesis import strategies as st

from routing.gtfs.feed import Feed, make_feed
from routing.gtfs.read import read_feed
from socle.findings import Finding

SOUND = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,Cars du Val,https://cars.example,Europe/Paris\n",
    "stops.txt": """stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station
gare,Gare,47.00,5.00,1,
gare-1,Gare,47.0001,5.0001,0,gare
halle,Halle,47.01,5.01,0,
lycee,Lycée,47.02,5.02,,
""",
    "routes.txt": "route_id,agency_id,route_short_name,route_type\n12,A,12,3\n",
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "semaine,1,1,1,1,1,0,0,20261101,20261231\n"
    ),
    "trips.txt": "route_id,service_id,trip_id,trip_headsign\n12,semaine,matin,Lycée\n12,semaine,soir,Lycée\n",
    "stop_times.txt": """trip_id,arrival_time,departure_time,stop_id,stop_sequence
matin,07:10:00,07:10:00,gare-1,1
matin,07:18:00,07:19:00,halle,2
matin,07:31:00,07:31:00,lycee,3
soir,23:50:00,23:50:00,gare-1,1
soir,,,halle,2
soir,24:11:00,24:11:00,lycee,3
""",
}


def write_zip(path: Path, files: Mapping[str, str | bytes]) -> Path:
    """A zip at `path` with these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def spoilt(**changes: str | bytes | None) -> dict[str, str | bytes]:
    """The files of the sound dataset; `stops="…"` replaces stops.txt, None removes it."""
    files: dict[str, str | bytes] = dict(SOUND)
    for name, content in changes.items():
        if content is None:
            files.pop(f"{name}.txt")
        else:
            files[f"{name}.txt"] = content
    return files


def read_files(path: Path, files: Mapping[str, str | bytes], source_id: str = "val") -> tuple[Feed, list[Finding]]:
    """What reading these files, zipped in the folder `path`, gives."""
    return read_feed(write_zip(path / f"{source_id}.zip", files), source_id)


def codes(findings: list[Finding]) -> list[tuple[str, str, int | None]]:
    """(code, file, line) of each finding."""
    return [(finding.code, finding.file, finding.line) for finding in findings]


NAMES = (
    st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)
IDS = st.lists(NAMES, min_size=1, max_size=4, unique=True)
COORDINATES = st.floats(-90, 90, allow_nan=False)


@st.composite
def any_feed(draw: st.DrawFn) -> Feed:
    """A small dataset with any names, places and times."""
    stops, trips = draw(IDS), draw(IDS)
    calls = draw(st.lists(st.tuples(st.sampled_from(trips), st.sampled_from(stops)), min_size=1, max_size=12))
    starts = {trip: draw(st.integers(0, 200_000)) for trip in trips}
    texts = st.none() | NAMES | st.just('a "b",\nc')

    def column(n: int, values: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(values, min_size=n, max_size=n))

    return make_feed(
        "val",
        {
            "agency": {"agency_name": ["A"], "agency_url": ["https://a.example"], "agency_timezone": ["Europe/Paris"]},
            "stops": {
                "stop_id": stops,
                "stop_name": column(len(stops), texts),
                "stop_lat": column(len(stops), COORDINATES),
                "stop_lon": column(len(stops), COORDINATES),
                "couleur du banc": column(len(stops), texts),
            },
            "routes": {"route_id": ["r"], "route_type": [3]},
            "calendar_dates": {"service_id": ["s"], "date": [date(2026, 11, 21)], "exception_type": [1]},
            "trips": {"route_id": ["r"] * len(trips), "service_id": ["s"] * len(trips), "trip_id": trips},
            "stop_times": {
                "trip_id": [trip for trip, _ in calls],
                "stop_id": [stop for _, stop in calls],
                "stop_sequence": list(range(len(calls))),
                "arrival_time": [starts[trip] + 60 * rank for rank, (trip, _) in enumerate(calls)],
                "departure_time": [starts[trip] + 60 * rank for rank, (trip, _) in enumerate(calls)],
                "shape_dist_traveled": column(len(calls), st.none() | st.floats(0, 1e9)),
            },
        },
        {"dossier/notes.md": draw(st.binary(max_size=20))},
    )
