"""Writing: a sector → its files, as `reading` reads them; equal sectors are equal bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from scolaire.cells import render_days
from scolaire.pupils import Sector
from scolaire.reading import ALL_COLUMNS, PUPILS, SCHOOLS, STOPS, VEHICLES
from scolaire.shuttles import SHUTTLES
from socle.geo import LatLon

_DECIMALS = 7  # of a degree: a centimetre


def render_sector(sector: Sector) -> dict[str, bytes]:
    """The files of a sector by name."""
    files = {
        PUPILS: _table(PUPILS, _pupils(sector)),
        SCHOOLS: _table(SCHOOLS, _schools(sector)),
        STOPS: _table(STOPS, _stops(sector)),
        VEHICLES: _table(VEHICLES, _vehicles(sector)),
    }
    if shuttles := list(_shuttles(sector)):
        files[SHUTTLES] = _table(SHUTTLES, shuttles)
    return files


def _table(name: str, rows: Iterable[Mapping[str, object]]) -> bytes:
    columns = ALL_COLUMNS[name]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*columns.wanted, *columns.optional], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _pupils(sector: Sector) -> Iterator[Mapping[str, object]]:
    for pupil in sector.pupils:
        for home in pupil.homes:
            lat, lon = ("", "") if home.position is None else _degrees(home.position)
            yield {
                "pupil_id": pupil.pupil_id,
                "home_lat": lat,
                "home_lon": lon,
                "school_id": pupil.school_id,
                "level": pupil.level,
                "regime": pupil.regime,
                "days": render_days(home.days),
                "wheelchair": int(pupil.wheelchair),
                "stop_id": home.stop_id or "",
                "home_commune": home.commune,
                "birth_year": _or_empty(pupil.birth_year),
                "sector_school_id": pupil.sector_school_id or "",
                "derogation": pupil.derogation or "",
                "road_m": _or_empty(home.road_m),
                "guardian": home.guardian or "",
            }


def _schools(sector: Sector) -> Iterator[Mapping[str, object]]:
    for school in sector.schools:
        lat, lon = _degrees(school.position)
        yield {
            "school_id": school.school_id,
            "name": school.name,
            "lat": lat,
            "lon": lon,
            "bell_am": _clock(school.bell_am_s),
            "bell_pm": _clock(school.bell_pm_s),
            "window_min": _minutes(school.window_min_s),
            "window_max": _minutes(school.window_max_s),
            "level": school.level,
            "bell_wednesday": _clock(school.bell_wednesday_s),
            "ride_max": _minutes(school.ride_max_s),
            "status": school.status,
            "commune": school.commune,
            "wait_min": _minutes(school.wait_min_s),
            "wait_max": _minutes(school.wait_max_s),
            "group": school.group,
        }


def _stops(sector: Sector) -> Iterator[Mapping[str, object]]:
    for stop in sector.stops:
        lat, lon = _degrees(stop.position)
        yield {"stop_id": stop.stop_id, "name": stop.name, "lat": lat, "lon": lon, "status": stop.status}


def _vehicles(sector: Sector) -> Iterator[Mapping[str, object]]:
    for kind in sector.vehicle_types:
        lat, lon = _degrees(kind.depot)
        yield {
            "type_id": kind.type_id,
            "seats": kind.seats,
            "wheelchair_places": kind.wheelchair_places,
            "cost_per_day": _euros(kind.day_cents),
            "cost_per_km": _euros(kind.km_cents),
            "cost_per_hour": _euros(kind.hour_cents),
            "count": _or_empty(kind.count),
            "depot_lat": lat,
            "depot_lon": lon,
            "lot": kind.lot,
        }


def _shuttles(sector: Sector) -> Iterator[Mapping[str, object]]:
    for school in sector.schools:
        noon = school.noon
        if noon is not None:
            yield {
                "school_id": school.school_id,
                "morning_ends": _clock(noon.ends_s),
                "afternoon_begins": _clock(noon.resumes_s),
                "canteen_stop_id": noon.canteen_stop_id,
                "home": int(noon.is_home),
                "days": render_days(noon.days),
                "wait_max": _minutes(noon.wait_max_s),
                "window_max": _minutes(noon.window_max_s),
                "ride_max": _minutes(noon.ride_max_s),
                "meal_min": _minutes(noon.meal_s),
            }


def _degrees(place: LatLon) -> tuple[str, str]:
    lat, lon = (f"{degrees:.{_DECIMALS}f}".rstrip("0").rstrip(".") for degrees in place)
    return lat, lon


def _clock(seconds: int | None) -> str:
    if seconds is None:
        return ""
    told = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    return f"{told}:{seconds % 60:02d}" if seconds % 60 else told


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.4f}".rstrip("0").rstrip(".")  # four decimals bring every whole second back


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _or_empty(number: int | None) -> int | str:
    return "" if number is None else number
