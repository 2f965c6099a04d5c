"""A national month: made, looked at, decided, booked, chained, sealed, exported and verified, with the time of each.

    python bench/covoiturage.py month [N] [--postgresql ADDRESS] [--folder FOLDER] [--made FILE]

N journeys, a journey being one passenger in one car: 1,025,610 of them are a month of the national
registry. They are those of commuters who take their usual passengers to work and home, with two
codes scanned at each ride. They are written into the tables as declarations leave them; from there
on everything is the road that `mobigo covoiturage settle` takes, fraud rules included. With `--made`
they are those of a SQLite file that holds such a month already, not decided, which is changed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from math import cos, pi, radians, sin
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import psutil
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine, func, select
from sqlmodel import SQLModel

from bench.history import machine, record
from bench.ledger import schema_of
from covoiturage.carpool import render_facts
from covoiturage.policy.facts import read_car
from mobigo.security import Keys, is_signed
from mobigo.services.covoiturage.screening import screen
from mobigo.services.covoiturage.settling import settle
from mobigo.services.ledger.exporting import Format, Period, export
from mobigo.store.base import migrate, open_engine, transaction
from mobigo.store.bulk import add_all
from mobigo.store.ledger.check import check_books
from mobigo.store.ledger.heads import seal
from socle.times import PARIS

NATIONAL = 1_025_610
MONTH, FIRST, N_DAYS = "2026-03", date(2026, 3, 1), 31
NOW = datetime(2026, 4, 5, 6, tzinfo=UTC)
JOURNEYS_PER_DRIVER = 38
POLICY = "bfc-lignes"
_METRES_PER_DEGREE = 111_195
LOOK_S = 0.25
_PIECE = 5_000  # carpools written at once


class Commuter:
    """A driver with their way to work and whom they usually take."""

    def __init__(self, draw: Random, number: int) -> None:
        self.name = f"{draw.getrandbits(128):032x}"
        self.riders = [f"{draw.getrandbits(128):032x}" for _ in range(draw.choice((1, 1, 2, 2, 3)))]
        self.line = f"ligne-{number % 400}"
        crow_m, bearing = draw.uniform(4_000, 60_000), draw.uniform(0, 2 * pi)
        self.metres = round(crow_m * 1.25)
        lat, lon = draw.uniform(46.6, 48.2), draw.uniform(3.2, 6.8)
        north, east = crow_m * cos(bearing), crow_m * sin(bearing) / cos(radians(lat))
        self.ends = ((lat, lon), (lat + north / _METRES_PER_DEGREE, lon + east / _METRES_PER_DEGREE))
        self.hours = (draw.gauss(7.4, 0.5), draw.gauss(17.2, 0.6))


def instant(at_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def outings(
    draw: Random, n_journeys: int
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]]:
    """Carpools as their rows: of the car, of its rides, of their evidence; those of a day before those of the next."""
    drivers = [Commuter(draw, number) for number in range(max(1, n_journeys // JOURNEYS_PER_DRIVER))]
    n_made = 0
    while True:  # more days are added to the month's when chance gave too few
        for day in range(N_DAYS):
            on = FIRST + timedelta(days=day)
            midnight_s = datetime(on.year, on.month, on.day, tzinfo=PARIS).timestamp()
            for driver in drivers:
                if draw.random() > (0.8 if on.weekday() < 5 else 0.1):
                    continue
                for back in (False, True):
                    aboard = [rider for rider in driver.riders if draw.random() < 0.7]
                    aboard = aboard[: n_journeys - n_made]
                    if aboard:
                        n_made += len(aboard)
                        yield outing(draw, driver, aboard, midnight_s, back=back)
            if n_made == n_journeys:
                return


def outing(
    draw: Random, driver: Commuter, aboard: list[str], midnight_s: float, *, back: bool
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """One car's outing; its facts are canonical, key by key."""
    start_s = round(midnight_s + 3600 * (driver.hours[back] + draw.gauss(0, 0.1)))
    end_s = start_s + round(driver.metres / 15.3 * draw.gauss(1, 0.05))
    metres = round(driver.metres * draw.gauss(1, 0.01))
    carpool_id = f"{draw.getrandbits(128):032x}"
    told = [(f"{draw.getrandbits(128):032x}", rider, start_s + 20, end_s - 20) for rider in aboard]
    told.sort()
    # As `render_facts` would: a thousandth of them is compared with it below.
    rides = ",".join(
        f'{{"alight_at":"{instant(alight_s)}","board_at":"{instant(board_s)}","contribution_cents":0,"distance_m":{metres},'
        f'"operator_class":"B","passenger":"{rider}","passenger_is_over_18":null,"ride_id":"{ride_id}","seats":1}}'
        for ride_id, rider, board_s, alight_s in told
    )
    facts = (
        f'{{"carpool_id":"{carpool_id}","driver":"{driver.name}","end_at":"{instant(end_s)}","line_id":"{driver.line}",'
        f'"measured_m":{metres},"official_m":{driver.metres},"rides":[{rides}],"start_at":"{instant(start_s)}"}}'
    ).encode()
    end_at = datetime.fromtimestamp(end_s, UTC)
    car = {
        "id": carpool_id,
        "key": f"declared:{carpool_id}",
        "body_sha256": carpool_id * 2,
        "driver": driver.name,
        "line_id": driver.line,
        "end_at": end_at,
        "facts": facts,
        "facts_sha256": sha256(facts).hexdigest(),
        "policy_id": POLICY,
        "month": MONTH,
        "reserved_cents": 0,
        "state": "closed",
        "declared_at": end_at + timedelta(minutes=5),
    }
    ride_rows, evidence = [], []
    there = (driver.ends[1], driver.ends[0]) if back else driver.ends
    for ride_id, rider, board_s, alight_s in told:
        ride_rows.append(
            {
                "id": ride_id,
                "carpool_id": carpool_id,
                "passenger": rider,
                "board_at": datetime.fromtimestamp(board_s, UTC),
                "proof_class": "B",
            }
        )
        for side, at_s, (lat, lon) in (("board", board_s, there[0]), ("alight", alight_s, there[1])):
            evidence.append(
                {
                    "ride_id": ride_id,
                    "kind": "qr",
                    "side": side,
                    "given_by": rider,
                    "at": datetime.fromtimestamp(at_s + draw.randrange(12), UTC),
                    "device": f"device-{rider}",
                    "lat": lat + draw.gauss(0, 0.00005),
                    "lon": lon + draw.gauss(0, 0.00005),
                }
            )
    return car, ride_rows, evidence


def fill(engine: Engine, n_journeys: int, advance: Callable[[int], None]) -> int:
    """Write a month as its declarations leave it; how many cars it has."""
    tables = [SQLModel.metadata.tables[name] for name in ("carpool", "ride", "evidence")]
    n_cars, n_evidence = 0, 0
    piece: list[Any] = []

    def write() -> None:
        nonlocal n_evidence
        with transaction(engine) as session:
            connection = session.connection()
            add_all(connection, tables[0], [car for car, _rides, _evidence in piece])
            add_all(connection, tables[1], [ride for _car, rides, _evidence in piece for ride in rides])
            seen = [one for _car, _rides, evidence in piece for one in evidence]
            add_all(connection, tables[2], [{"id": n_evidence + i, **one} for i, one in enumerate(seen, 1)])
            n_evidence += len(seen)
        advance(sum(len(rides) for _car, rides, _evidence in piece))

    for one in outings(Random(1), n_journeys):
        if n_cars % 1000 == 0:
            facts = one[0]["facts"]
            if render_facts(json.loads(facts)) != facts or not read_car(json.loads(facts)).rides:
                raise SystemExit("the facts are not canonical")
        n_cars += 1
        piece.append(one)
        if len(piece) == _PIECE:
            write()
            piece = []
    write()
    return n_cars


def count(engine: Engine) -> tuple[int, int]:
    """How many rides and how many cars there are."""
    with engine.connect() as connection:
        tables = [SQLModel.metadata.tables[name] for name in ("ride", "carpool")]
        n_rides, n_cars = (connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables)
        return int(n_rides), int(n_cars)


def cpu() -> float:
    """Seconds of CPU of this process and of those that it began and that have ended."""
    whose = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in whose)


class Memory(Thread):
    """What this process and those that it began hold together, looked at again and again; MB at most so far."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self.start()

    def run(self) -> None:
        """Look, until the process ends."""
        here = psutil.Process()
        while True:
            held = 0
            for process in (here, *here.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    held += process.memory_info().rss
            self.peak_mb = max(self.peak_mb, held / 1024**2)
            time.sleep(LOOK_S)

    def taken_mb(self) -> float:
        """The most since this was asked before."""
        taken, self.peak_mb = self.peak_mb, 0.0
        return taken


class Stages:
    """The stages of a run, each with its seconds, shown while it goes on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._memory = Memory()
        self.seconds: dict[str, float] = {}
        self.cpu_s: dict[str, float] = {}
        self.peak_mb: dict[str, float] = {}

    def run(self, name: str, work: Callable[[Callable[[int], None]], Any], total: int) -> Any:
        """Do one stage; `work` is given what it tells its progress to."""
        task = self._progress.add_task(name, total=total)
        begin, cpu_s = time.perf_counter(), cpu()
        done = work(lambda n: self._progress.update(task, advance=n))
        self.seconds[name], self.cpu_s[name] = time.perf_counter() - begin, cpu() - cpu_s
        self.peak_mb[name] = self._memory.taken_mb()
        self._progress.update(task, completed=total)
        return done


def run(engine: Engine, n_journeys: int | None, folder: Path, title: str) -> None:
    """The month, from nothing to an export; without `n_journeys`, from what is there."""
    keys = Keys.of("k" * 32)
    columns = (TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        stages = Stages(progress)
        migrate(engine)
        if n_journeys is None:
            n_journeys, n_cars = count(engine)
        else:
            wanted = n_journeys
            n_cars = stages.run("make", lambda advance: fill(engine, wanted, advance), wanted)
        n_labels = stages.run("screen", lambda _advance: screen(engine, NOW, keys), n_cars).n_labels
        settled = stages.run("settle", lambda advance: settle(engine, MONTH, NOW, keys=keys, progress=advance), n_cars)

        def sealed(_advance: Callable[[int], None]) -> None:
            with transaction(engine) as session:
                seal(session, NOW.date(), keys)

        stages.run("seal", sealed, 1)

        def exported(advance: Callable[[int], None]) -> int:
            n = 0
            with (folder / "books.jsonl").open("w", encoding="utf-8") as file:
                for line in export(engine, Format.JSONL, Period()):
                    file.write(line)
                    n += 1
                    if n % 10_000 == 0:
                        advance(10_000)
            return n

        stages.run("export", exported, settled.entries)
        within_s = sum(stages.seconds.values())
        peak_mb = max(stages.peak_mb.values())
        checked = stages.run("verify", lambda _advance: check_books(engine, is_signed), settled.entries)
    if checked.findings:
        raise SystemExit(f"the books are not sound: {checked.findings[0]}")
    print(f"{machine()}, {title}, load {os.getloadavg()[0]:.1f}")
    print(f"{n_journeys:,} journeys in {n_cars:,} cars: {settled.decided:,} paid, {settled.refused:,} refused,")
    print(f"{n_labels:,} labels, {settled.held:,} held, {settled.entries:,} entries")
    for name, seconds in stages.seconds.items():
        print(f"  {name:8} {seconds:7.1f} s, {stages.cpu_s[name]:7.1f} s of CPU, {stages.peak_mb[name]:7,.0f} MB")
    decided_s = sum(stages.seconds[name] for name in ("settle", "seal", "export"))
    print(f"  decided to exported {decided_s:.1f} s; with the screening {within_s:.1f} s, {peak_mb:,.0f} MB at most")
    figures = {f"{name}_s": seconds for name, seconds in stages.seconds.items()}
    figures |= {f"{name}_cpu_s": seconds for name, seconds in stages.cpu_s.items()}
    record(
        f"covoiturage, month, {title}",
        {
            "journeys": n_journeys,
            **figures,
            "made_to_exported_s": within_s,
            "decided_to_exported_s": decided_s,
            "without_screening_s": within_s - stages.seconds.get("screen", 0),
            "peak_mb": peak_mb,
            "load": os.getloadavg()[0],
        },
    )


def main(arguments: list[str]) -> None:
    """Run the month on an empty SQLite file, or on an empty schema of a PostgreSQL server."""
    parser = argparse.ArgumentParser(prog="bench/covoiturage.py month")
    parser.add_argument("journeys", nargs="?", type=int, default=NATIONAL)
    parser.add_argument("--postgresql", metavar="ADDRESS")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--made", type=Path, metavar="FILE")
    told = parser.parse_args(arguments)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="mobigo-month-", dir=told.folder)))
        address = f"sqlite:///{folder / 'mobigo.sqlite3'}"
        if told.postgresql:
            address = held.enter_context(schema_of(told.postgresql))
        if told.made:
            address = f"sqlite:///{told.made}"
        engine = open_engine(address)
        try:
            run(engine, None if told.made else told.journeys, folder, "PostgreSQL" if told.postgresql else "SQLite")
        finally:
            engine.dispose()
