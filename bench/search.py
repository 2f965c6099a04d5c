"""Search bench: ours against pynigiri, the C++ core of MOTIS, query by query in one process.

    python bench/search.py [strasbourg ter porto-alegre new-york composite] [--queries 1000] [--seed 1]

Both engines get the same normalised feed (`bench/networks.py` says what that means) and the same queries,
one after the other, on one thread; the time of an answer is thread CPU time, the smallest of three. All
answers are compared first: while any set of (departure, arrival, changes) differs, no time is printed.
Queries are drawn from a seed: two stops that are served that day, a whole minute between 05:00 and 21:00;
half alone (waiting counts), half over the two hours from then on.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record
from bench.networks import DAY, MINUTE_S, NETWORKS, missing, write_normalised
from routing.gtfs.read import read_feed
from routing.journeys.query import MAX_CHANGES, MAX_TRAVEL_S
from routing.kernels.arrays import NEVER
from routing.network.compile import compile_feed
from routing.network.days import Day, days_of
from routing.network.search import Scratch, run_search
from routing.network.timetable import Timetable
from socle.times import service_day_start

SHARED = Path(os.environ.get("MOBIGO_SHARED", Path(__file__).parents[2] / "shared")) / "data"
WINDOW_S = 7200
MOST_ON_HEAVY = 400  # questions on the composite network
N_TIMES = 3
console = Console(width=None if sys.stdout.isatty() else 140)
Told = set[tuple[int, int, int]]  # departure, arrival, changes; minutes since 1970


@dataclass(frozen=True)
class Question:
    """From stop to stop, at a minute of the day; `window_s` 0 counts waiting."""

    origin: str
    destination: str
    at_s: int
    window_s: int


class Ours:
    """Our engine on one day."""

    def __init__(self, timetable: Timetable) -> None:
        self.timetable = timetable
        self.day: Day = days_of(timetable).get(DAY)
        self.start = service_day_start(DAY, timetable.zone_infos[0])
        self.scratch = Scratch()

    def ask(self, question: Question) -> Callable[[], int]:
        """The search, ready to run; the answer stays in the scratch."""
        timetable, day = self.timetable, self.day
        origin, destination = timetable.get_stop(question.origin), timetable.get_stop(question.destination)
        access, egress = (
            np.array([(spot, 0) for spot in day.spots_of(np.array([stop], np.int32))], np.int32)
            for stop in (origin, destination)
        )
        direct_s = NEVER
        for walk in range(timetable.stop_first_footpath[origin], timetable.stop_first_footpath[origin + 1]):
            if timetable.footpath_stop[walk] == destination:
                direct_s = int(timetable.footpath_s[walk])
        rest = (question.at_s, question.window_s, MAX_TRAVEL_S, direct_s, MAX_CHANGES + 1, 0)
        return lambda: run_search(day.forward, self.scratch, access, egress, *rest)

    def told(self, found: int) -> Told:
        """What was found."""
        return {
            ((self.start + row[0]) // 60, (self.start + row[1]) // 60, row[2] - 1)
            for row in self.scratch.room.journeys[:found].tolist()
        }


class Nigiri:
    """pynigiri on the same three days."""

    def __init__(self, feed: Path) -> None:
        import pynigiri.pynigiri as nigiri  # it writes its log when loading, so it is kept from other commands

        self.nigiri: Any = nigiri
        config = nigiri.LoaderConfig()
        config.link_stop_distance = 0
        config.default_tz = "Europe/Paris"
        options = nigiri.FinalizeOptions()
        options.adjust_footpaths = False
        options.merge_dupes_intra_src = False
        options.merge_dupes_inter_src = False
        options.max_footpath_length = 11  # exclusive, minutes
        begin, end = DAY - timedelta(days=1), DAY + timedelta(days=2)  # end exclusive
        source = nigiri.TimetableSource("bench", str(feed), config)
        with silent_stderr():
            self.timetable = nigiri.load_timetable([source], begin.isoformat(), end.isoformat(), options)
        self.start_min = service_day_start_min()

    def ask(self, question: Question) -> Callable[[], Any]:
        """The search, ready to run."""
        nigiri = self.nigiri
        query = nigiri.Query()
        at = self.start_min + question.at_s // 60
        if question.window_s:
            query.start_time = (at, at + question.window_s // 60)
        else:
            query.start_time = at
        query.start = [nigiri.Offset(self.timetable.find_location(question.origin), 0, 0)]
        query.destination = [nigiri.Offset(self.timetable.find_location(question.destination), 0, 0)]
        # "Intermodal" ends: the last vehicle arrives at the stop itself; otherwise pynigiri also walks to it.
        query.start_match_mode = query.dest_match_mode = nigiri.LocationMatchMode.INTERMODAL
        query.max_transfers = MAX_CHANGES
        query.max_travel_time = MAX_TRAVEL_S // 60
        return lambda: nigiri.route(self.timetable, query)

    def told(self, found: Any) -> Told:
        """What was found."""
        return {(journey.departure_time(), journey.arrival_time(), journey.transfers) for journey in found}


def service_day_start_min() -> int:
    """Minutes since 1970 at the start of the bench's day."""
    return service_day_start(DAY, ZoneInfo("Europe/Paris")) // 60


def draw(timetable: Timetable, day: Day, n: int, seed: int, window_s: int) -> list[Question]:
    """Questions between stops that are served."""
    rng = np.random.default_rng(seed)
    ids = [timetable.stop_id[stop] for stop in np.unique(day.spot_stop).tolist()]
    questions = []
    while len(questions) < n:
        one, other = rng.integers(0, len(ids), 2)
        at_s = int(rng.integers(5 * 60, 21 * 60)) * MINUTE_S
        if one != other:
            questions.append(Question(ids[one], ids[other], at_s, window_s))
    return questions


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Without what a C++ library writes to the standard error."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def differing(ours: Ours, theirs: Nigiri, questions: list[Question]) -> list[tuple[Question, Told, Told]]:
    """The questions that are not answered alike: what only we found, what only they found."""
    found = []
    for question in questions:
        mine, other = ours.told(ours.ask(question)()), theirs.told(theirs.ask(question)())
        if not question.window_s:  # waiting counts, so the moment of leaving is no part of the answer
            mine, other = ({(0, *one[1:]) for one in those} for those in (mine, other))
        if mine != other:
            found.append((question, mine - other, other - mine))
    return found


def time_all(ours: Ours, theirs: Nigiri, questions: list[Question]) -> NDArray[np.float64]:
    """Milliseconds of thread CPU per question: ours, theirs. Interleaved, smallest of three."""
    times = np.full((len(questions), 2), np.inf)
    gc.collect()
    gc.disable()
    for row, question in enumerate(questions):
        asks = (ours.ask(question), theirs.ask(question))
        for _ in range(N_TIMES):
            for column, ask in enumerate(asks):
                begin = time.thread_time_ns()
                ask()
                times[row, column] = min(times[row, column], (time.thread_time_ns() - begin) / 1e6)
    gc.enable()
    return times


def on_two_threads(ours: Ours, questions: list[Question]) -> tuple[float, float]:
    """Two threads of one process: questions a second of wall clock, and CPU per question beside that of one alone.

    The first says little on a machine that others use too; the second says what the threads cost each other.
    """

    def work(asks: list[Callable[[], int]], cpu_s: list[float]) -> None:
        begin = time.thread_time()
        for ask in asks:
            ask()
        cpu_s.append(time.thread_time() - begin)

    engines = [Ours(ours.timetable) for _ in range(2)]
    shares = [[one.ask(question) for question in questions] * 3 for one in engines]
    alone_s: list[float] = []
    for share in shares:
        work(share[: len(questions)], [])  # fills the caches
        work(share, alone_s)
    together_s: list[float] = []
    threads = [threading.Thread(target=work, args=(share, together_s)) for share in shares]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s = time.perf_counter() - begin
    return sum(map(len, shares)) / wall_s, sum(together_s) / sum(alone_s)


FIRST_ANSWER = """
import json, sys, time
import psutil
from datetime import date
import numpy as np
from pathlib import Path
from routing.network.days import days_of
from routing.network.search import Scratch, run_search
from routing.network.timetable import open_timetable
timetable = open_timetable(Path(sys.argv[1]))
day = days_of(timetable).get(date.fromisoformat(sys.argv[2]))
stops = [np.array([timetable.get_stop(one)]) for one in sys.argv[3:5]]
ends = [np.array([(spot, 0) for spot in day.spots_of(one)], np.int32) for one in stops]
run_search(day.forward, Scratch(), *ends, int(sys.argv[5]), 0, 86400, 1 << 29, 15, 0)
process = psutil.Process()
print(json.dumps({"seconds": time.time() - process.create_time(), "private_mb": process.memory_full_info().uss / 1e6}))
"""


def first_answer(directory: Path, question: Question, bytecode: Path) -> dict[str, float]:
    """Seconds from the start of a fresh process to its first answer, and its private memory then.

    Python's bytecode is kept in `bytecode`, as an installation has it, whatever this shell says of writing it.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    arguments = [str(directory), DAY.isoformat(), question.origin, question.destination, str(question.at_s)]
    run = subprocess.run(
        [sys.executable, "-c", FIRST_ANSWER, *arguments],
        capture_output=True,
        check=True,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**environment, "PYTHONPYCACHEPREFIX": str(bytecode)},
    )
    answer: dict[str, float] = json.loads(run.stdout)
    return answer


def _seconds(answer: dict[str, float]) -> float:
    return answer["seconds"]


def bench(name: str, n_questions: int, seed: int, table: Table) -> bool:
    """Measure one network; False when an answer differs."""
    if name == "composite":
        n_questions = min(n_questions, MOST_ON_HEAVY)
    with tempfile.TemporaryDirectory(prefix="mobigo-bench-") as folder:
        feed = Path(folder) / "feed.zip"
        write_normalised(name, SHARED, feed)
        begin = time.process_time()
        read = read_feed(feed, "bench")[0]
        read_s = time.process_time() - begin
        begin = time.process_time()
        timetable = compile_feed(read, Path(folder) / "timetable")
        compile_s = time.process_time() - begin
        begin = time.process_time()
        ours = Ours(timetable)
        day_s = time.process_time() - begin
        begin = time.process_time()
        theirs = Nigiri(feed)
        their_s = time.process_time() - begin
        size_mb = sum(one.stat().st_size for one in (Path(folder) / "timetable").rglob("*.npy")) / 1e6
        arrays = ours.day.forward
        console.print(
            f"[bold]{name}[/]: {ours.day.n_spots:,} stops, {int(arrays.n_runs.sum()):,} runs in {len(arrays.needs):,} "
            f"patterns over three days, {len(arrays.walk_s):,} walks. Read {read_s:.2f} s, compile {compile_s:.2f} s, "
            f"arrays of the day {day_s:.2f} s, on disk {size_mb:.1f} MB; pynigiri loads in {their_s:.2f} s."
        )
        kinds = {
            kind: draw(timetable, ours.day, n_questions, seed, window_s)
            for kind, window_s in (("single", 0), ("range 2 h", WINDOW_S))
        }
        for kind, questions in kinds.items():
            wrong = differing(ours, theirs, questions)
            for question, mine, other in wrong[:5]:
                console.print(f"[red]{question}: only ours {sorted(mine)}, only pynigiri {sorted(other)}")
            if wrong:
                console.print(
                    f"[red]{name}, {kind}: {len(wrong)} of {len(questions)} answers differ, so no time is told."
                )
                return False
        figures = {"compile_s": compile_s, "day_arrays_s": day_s, "disk_mb": size_mb}
        for kind, questions in kinds.items():
            times = time_all(ours, theirs, questions)
            _add_row(table, f"{name}, {kind}", times)
            mine, other = times.mean(axis=0)
            figures |= {
                f"{kind}_mobigo_mean_ms": mine,
                f"{kind}_pynigiri_mean_ms": other,
                f"{kind}_ratio": other / mine,
            }
        singles = kinds["single"]
        bytecode = Path(folder) / "bytecode"
        first_answer(timetable.directory, singles[0], bytecode)  # fills the caches of pages, bytecode and kernels
        fresh = min((first_answer(timetable.directory, singles[0], bytecode) for _ in range(N_TIMES)), key=_seconds)
        pairs = [on_two_threads(ours, questions) for questions in kinds.values()]
        figures |= {"first_answer_s": fresh["seconds"], "private_mb": fresh["private_mb"]}
        figures |= {f"{kind}_two_threads_per_s": pair[0] for kind, pair in zip(kinds, pairs, strict=True)}
        record(f"search, {name}, {n_questions} questions", figures)
        console.print(
            f"  a fresh process answers after {fresh['seconds']:.2f} s and holds {fresh['private_mb']:.0f} MB of its "
            f"own; two threads answer {pairs[0][0]:,.0f} single and {pairs[1][0]:,.0f} range questions a second, "
            f"for {pairs[0][1]:.2f} and {pairs[1][1]:.2f} times the CPU of one alone."
        )
    return True


def _add_row(table: Table, title: str, times: NDArray[np.float64]) -> None:
    def told(ms: NDArray[np.float64]) -> str:
        return " / ".join(f"{value:.3f}" for value in (ms.mean(), np.median(ms), *np.percentile(ms, (95, 99))))

    mine, other = times[:, 0], times[:, 1]
    ratios = f"{other.mean() / mine.mean():.2f} / {np.median(other) / np.median(mine):.2f}"
    table.add_row(title, str(len(times)), told(other), told(mine), ratios)


def main() -> int:
    """Run the networks that are asked for; 1 when an answer differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="network", help=", ".join(NETWORKS))
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    wishes = parser.parse_args()
    unknown = [name for name in wishes.networks if name not in NETWORKS]
    if unknown:
        parser.error(f"no such network: {unknown[0]}")
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, Numba {version('numba')}, "
        f"pynigiri {version('pynigiri')}; seed {wishes.seed}. Feeds are moved by whole weeks onto {DAY}."
    )
    table = Table(title="ms of thread CPU: mean / median / p95 / p99, smallest of three")
    for column in ("network", "questions", "pynigiri", "Mobigo", "ratio of means / medians"):
        table.add_column(column, justify="left" if column == "network" else "right")
    right = True
    for name in wishes.networks:
        absent = missing(name, SHARED)
        if absent:
            console.print(f"[yellow]{name}: skipped, {', '.join(absent)} is not in {SHARED}")
            continue
        right &= bench(name, wishes.queries, wishes.seed, table)
    console.print(table)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
