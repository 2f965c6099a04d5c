"""Opening: a month of the carpool lines as public tables, once it is over and decided.

A month is published once and never changed: two versions of one table could be subtracted from
each other. Rides that people still hold that day are left out for good. What the books say was
spent is published from where the last publication stopped, so that all publications together are
what the books have, to the cent; a later correction stands in the next one, with its month.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from covoiturage.lines import LineStop, shipped_lines
from covoiturage.payments import check_month
from mobigo import __version__
from mobigo.opendata.carpools import (
    K_PEOPLE,
    K_RIDES,
    OTHERS,
    OpenAmount,
    OpenRide,
    od_table,
    release_amounts,
    release_rides,
    subsidies_table,
    trips_table,
)
from mobigo.opendata.communes import Communes, Ladder
from mobigo.opendata.privacy import Released, count_alone
from mobigo.opendata.tables import DEMO_LICENCE, LICENCE, Table, render_table
from mobigo.services.covoiturage.screening import DECIDED_AFTER
from mobigo.store import publications, releases
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.covoiturage.lines import list_line_versions
from mobigo.store.covoiturage.months import list_months
from mobigo.store.covoiturage.opening import last_entry, list_counting, list_spending, places_of_rides
from mobigo.store.files import building, clear_left_overs, only_one, publish
from socle.errors import Conflict, Fact
from socle.geo import LatLon, distance_m
from socle.times import PARIS

AT_STOP_WITHIN_M = 1_000
_N_IDS = 2  # columns of a trip that are drawn at random


@dataclass(frozen=True, slots=True)
class Published:
    """One publication: its month, what its manifest says; `is_new` when this run made it."""

    month: str
    manifest: Mapping[str, Any]
    is_new: bool


def publish_due(engine: Engine, data_dir: Path, by: str, now: datetime) -> Sequence[Published]:
    """Publish every month that is over and decided and was not published, the earliest first."""
    with reading(engine) as session:
        months = sorted(one.month for one in list_months(session) if not one.n_waiting and one.n_decided)
    known = set(publications.list_published_months(data_dir))
    due = [month for month in months if month not in known and _is_over(month, now)]
    return [publish_month(engine, data_dir, month, by, now) for month in due]


def publish_month(engine: Engine, data_dir: Path, month: str, by: str, now: datetime) -> Published:
    """Publish a month; one that was published stays as it is.

    Raises:
        BadInput: `bad_month`.
        Conflict: `month_not_over`; `month_undecided`; `already_running`.
        Unavailable: `no_network`: communes are those of the network that is served.
    """
    check_month(month)
    folder = publications.carpools_dir(data_dir)
    with only_one(folder, "publish"):
        clear_left_overs(folder)
        if (folder / month / publications.MANIFEST).is_file():
            return Published(month, publications.read_manifest(folder / month), is_new=False)
        if not _is_over(month, now):
            raise Conflict("month_not_over", month=month)
        files, told = _make(engine, data_dir, month)
        manifest = told | {
            "month": month,
            "published_at": now.isoformat(timespec="seconds"),
            "code_version": __version__,
            "files": [
                {"name": name, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
                for name, body in sorted(files.items())
            ],
        }
        with building(folder) as built:
            for name, body in files.items():
                (built / name).write_bytes(body)
            (built / publications.MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=2), "utf-8")
            publish(built, folder / month)
        with transaction(engine) as session:
            facts: dict[str, Fact] = {"month": month, "n": manifest["rides"]["n_units"]}
            record(session, AuditLine(now, by, "covoiturage.month_published", facts=facts))
    return Published(month, publications.read_manifest(folder / month), is_new=True)


def _is_over(month: str, now: datetime) -> bool:
    """Whether no ride of the month can still be declared or wait for the calendar."""
    first = date.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=31)).replace(day=1)
    return now >= datetime.combine(after, datetime.min.time(), PARIS) + DECIDED_AFTER


def _make(engine: Engine, data_dir: Path, month: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of a month, and what its manifest says of them."""
    release = releases.get_current(data_dir)
    communes = Communes.read(release / releases.COMMUNES)
    known = publications.list_published_months(data_dir)
    folder = publications.carpools_dir(data_dir)
    after = max((publications.read_manifest(folder / one)["ledger"]["last"] for one in known), default=0)
    with reading(engine) as session:
        figures = next((one for one in list_months(session) if one.month == month), None)
        if figures is None or figures.n_waiting:
            raise Conflict("month_undecided", month=month, n=figures.n_waiting if figures else 0)
        rides, n_unplaced = _rides(session, month, communes)
        last = last_entry(session)
        spending = [one for one in list_spending(session, after) if one.seq <= last]
    told_rides = release_rides(rides, month)
    amounts = [OpenAmount(one.driver, one.line_id or OTHERS, one.month, one.cents) for one in spending]
    told_amounts = release_amounts(amounts)
    n_cents = sum(one.cents for one in spending)
    n_told_cents = sum(cell.weight for cell in told_amounts.cells)
    # Too few drivers to say anything: the next publication begins where this one did.
    is_told = n_cents == n_told_cents
    trips = trips_table(told_rides, communes.names, communes.over)
    tables = [od_table(told_rides, communes.names), trips, subsidies_table(told_amounts, month) if is_told else None]
    is_demo = bool(releases.read_manifest(release)["demo"])
    files = {name: body for table in tables if table for name, body in render_table(table).items()}
    return files, {
        "demo": is_demo,
        "licence": DEMO_LICENCE if is_demo else LICENCE,
        "thresholds": {"people": K_PEOPLE, "rides": K_RIDES},
        "rides": asdict(told_rides.suppression) | {"n_unplaced": n_unplaced, "n_held": figures.n_held},
        "amounts": asdict(told_amounts.suppression) | {"cents": n_told_cents if is_told else 0},
        "ledger": {"after": after, "last": last if is_told else after},
        "checks": _check(told_rides, trips),
    }


def _check(released: Released, trips: Table) -> dict[str, int]:
    """What is checked on every publication, and stands in its manifest.

    Raises:
        AssertionError: a row would be alone; nothing is published then.
    """
    n_alone = count_alone(row[_N_IDS:] for row in trips.rows)
    n_smallest = min((len(cell.rows) for cell in released.cells), default=0)
    if n_alone or (released.cells and n_smallest < K_PEOPLE):
        raise AssertionError(f"{n_alone} published rides are like no other, the smallest pair has {n_smallest}")
    return {"rows_alone": n_alone, "smallest_pair": n_smallest}


def _stops(session: Session) -> Mapping[str, Sequence[LineStop]]:
    """The stops of each line, of all its versions."""
    found: defaultdict[str, list[LineStop]] = defaultdict(list)
    for line in list_line_versions(session) or shipped_lines():
        found[line.line_id] += line.stops
    return found


def _find_commune(place: LatLon, stops: Sequence[LineStop], communes: Communes) -> Ladder | None:
    """The commune of the stop that somebody was at; away from the stops of the line, the nearest commune."""
    near = min(stops, key=lambda stop: distance_m(place, stop.at), default=None)
    if near is not None and distance_m(place, near.at) <= AT_STOP_WITHIN_M:
        return communes.find(near.insee_code) or communes.find_nearest(place)
    return communes.find_nearest(place)


def _rides(session: Session, month: str, communes: Communes) -> tuple[list[OpenRide], int]:
    """The rides of a month that were proven, and how many of them nobody's phone placed."""
    places = places_of_rides(session, month)
    stops = _stops(session)
    found: list[OpenRide] = []
    n_unplaced = 0
    for carpool in list_counting(session, month):
        for ride in carpool.facts["rides"]:
            if ride["operator_class"] is None:
                continue
            ends = [places.get((ride["ride_id"], side)) for side in ("board", "alight")]
            line = stops.get(carpool.facts["line_id"] or "", ())
            origin, destination = (_find_commune(place, line, communes) if place else None for place in ends)
            if origin is None or destination is None:
                n_unplaced += 1
                continue
            found.append(
                OpenRide(
                    passenger=ride["passenger"],
                    driver=carpool.driver,
                    board_at=datetime.fromisoformat(ride["board_at"]),
                    alight_at=datetime.fromisoformat(ride["alight_at"]),
                    origin=origin,
                    destination=destination,
                    seats=ride["seats"],
                    distance_m=ride["distance_m"],
                    proof_class=ride["operator_class"],
                    is_paid=carpool.amount_cents > 0,
                )
            )
    return found, n_unplaced
