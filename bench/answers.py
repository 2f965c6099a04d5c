"""How long the answers of the journey API take beside the search: shaping, boards, places, maps, refresh.

    python bench/answers.py [DATA_DIR]      (default: var; `mobigo demo` makes it)

One process, one thread, on the current release. Every figure is the wall time of making the answer's
bytes from its parameters, without HTTP; the goals are those of the journey API's note. Questions are
for days on which something runs, each is asked once, and the arrays of the days are made before.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import record
from mobigo.api.journeys import map as on_map
from mobigo.api.journeys import params, places, plan, timetable
from mobigo.api.journeys.query_string import read_params
from mobigo.api.journeys.shaping import shaper_of
from mobigo.store.releases import get_current
from routing.journeys.naming import TAG
from routing.journeys.snapshot import Snapshot, open_snapshot

N = 400
DAY_S = 86_400
FIGURES: dict[str, float] = {}


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000


def say(what: str, times_ms: list[float], goal: str) -> None:
    ordered = sorted(times_ms)
    at = {share: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)}
    FIGURES.update({f"{what}_mean_ms": mean(ordered), f"{what}_p95_ms": at[0.95]})
    print(f"{what:34} {mean(ordered):8.2f} {at[0.5]:8.2f} {at[0.95]:8.2f} {at[0.99]:8.2f}   {goal}")


def questions(snapshot: Snapshot, draw: random.Random) -> list[list[tuple[str, str]]]:
    """Journeys between places that are served, in proportion to how busy they are, on the days ahead."""
    stops = snapshot.main_stops.tolist()
    busy = [snapshot.stop_calls_per_day[snapshot.timetable.place_of(stop)].sum() for stop in stops]
    timetable = snapshot.timetable
    start = timetable.valid[0]
    days = [
        day for day in range(timetable.n_days - 1) if timetable.services_of(timetable.day_of(start + day * DAY_S)).any()
    ]
    asked = []
    for _ in range(N):
        one, other = draw.choices(stops, busy, k=2)
        at = start + draw.choice(days[1:20]) * DAY_S + draw.randrange(6, 20) * 3600
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        ids = [TAG + snapshot.stop_ids[stop] for stop in (one, other)]
        asked.append([("fromPlace", ids[0]), ("toPlace", ids[1]), ("time", moment)])
    return asked


def main() -> None:
    data_dir = Path(sys.argv[1] if len(sys.argv) > 1 else "var")
    opening = time.perf_counter()
    snapshot = open_snapshot(get_current(data_dir))
    print(f"open: {time.perf_counter() - opening:.2f} s; {snapshot.timetable.n_stops} stops, {N} draws each")
    print(f"{'milliseconds':34} {'mean':>8} {'p50':>8} {'p95':>8} {'p99':>8}   goal")
    draw = random.Random(2026)
    encode = msgspec.json.encode
    asked = questions(snapshot, draw)

    for pairs in questions(snapshot, random.Random(7)):
        plan.plan_answer(snapshot, read_params(params.PlanParams, pairs), 6, 0, {})
    shaper_of.cache_clear()

    search, n_told, ids = [], [], []

    def ask(pairs: list[tuple[str, str]]) -> None:
        answer = plan.plan_answer(snapshot, read_params(params.PlanParams, pairs), 6, 0, dict(pairs))
        encode(answer)
        search.append(answer.debug_output["searchMicroseconds"] / 1000)
        n_told.append(len(answer.itineraries))
        ids.extend(itinerary.id for itinerary in answer.itineraries)

    whole = [timed(lambda pairs=pairs: ask(pairs)) for pairs in asked]
    beside = [a - b for a, b in zip(whole, search, strict=True)]
    say(f"plan, whole ({mean(n_told):.1f} itineraries)", whole, "")
    say("plan, search alone", search, "")
    say("plan, beside the search", beside, "<= 1")
    say("beside the search, an itinerary", [a / n for a, n in zip(beside, n_told, strict=True) if n], "<= 0.3")

    def refresh(itinerary_id: str) -> None:
        read = read_params(params.RefreshParams, [("itineraryId", itinerary_id)])
        encode(plan.refresh_answer(snapshot, read))

    say("refresh-itinerary", [timed(lambda one=one: refresh(one)) for one in ids[:N]], "p95 <= 30")

    def board(pairs: list[tuple[str, str]]) -> None:
        wanted = [("stopId", pairs[0][1]), ("time", pairs[2][1]), ("n", "10")]
        encode(timetable.stoptimes_answer(snapshot, read_params(params.StoptimesParams, wanted), 0))

    say("stoptimes, n = 10", [timed(lambda one=one: board(one)) for one in asked], "p99 <= 20")

    def geocode(typed: str) -> None:
        encode(places.geocode_answer(snapshot, read_params(params.GeocodeParams, [("text", typed)])))

    names = [place.name for place in draw.choices(snapshot.places.places, k=N)]
    typed = [name[: draw.randint(1, len(name))] for name in names]
    say(
        f"geocode, {len(snapshot.places.places)} places",
        [timed(lambda one=one: geocode(one)) for one in typed],
        "p95 <= 20",
    )

    def stops() -> None:
        box = [("min", "46,2.5"), ("max", "48.5,7.5")]
        encode(on_map.map_stops_answer(snapshot, read_params(params.MapStopsParams, box)))

    say("map/stops, the region", [timed(stops) for _ in range(20)], "<= 100")

    def trips() -> None:
        box = [("min", "46,2.5"), ("max", "48.5,7.5"), ("zoom", "9")]
        at = next(pairs[2][1] for pairs in asked if "T06" in pairs[2][1])
        when = [("startTime", at), ("endTime", at)]
        encode(on_map.map_trips_answer(snapshot, read_params(params.MapTripsParams, box + when)))

    say("map/trips, the region", [timed(trips) for _ in range(20)], "")
    record(f"answers, {snapshot.timetable.n_stops} stops", FIGURES)


if __name__ == "__main__":
    main()
