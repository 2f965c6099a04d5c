"""Slow twin of `fleet.search`: the same ruin and recreate in plain Python, each rule from its definition.

Routes are lists of visits. Every position of every request is tried; whether times exist is decided by going
through all constraints between visits again and again until nothing moves. Numbers are drawn alike and ties
broken alike, so that the same seed gives the same plan, visit by visit.
"""

from __future__ import annotations

from itertools import pairwise
from math import log

from fleet.requests import Plan, Problem
from fleet.search import CHUNK, Settings

NEVER = 1 << 29
MASK = (1 << 64) - 1
Visits = list[int]  # a request, or -1 - destination


def hop(problem: Problem, origin: int | None, target: int | None) -> int:
    if origin is None or target is None:
        return 0
    time = int(problem.drive[origin, target])
    return time if time < NEVER else 1 << 44


def fare(problem: Problem, rate: int, origin: int | None, target: int | None) -> int:
    return 0 if origin is None or target is None else int(problem.cost[rate, origin, target])


def ends(problem: Problem, kind: int) -> tuple[int | None, int | None]:
    start, end = problem.vehicle_types[kind].start, problem.vehicle_types[kind].end
    return (start.place if start else None), (end.place if end else None)


def asked(problem: Problem, visit: int):
    return problem.requests[visit] if visit >= 0 else problem.destinations[-1 - visit]


def cost_of(problem: Problem, kind: int, visits: Visits) -> int:
    if not visits:
        return 0
    vehicle_type = problem.vehicle_types[kind]
    start, end = ends(problem, kind)
    places = [start, *(asked(problem, visit).place for visit in visits), end]
    driven = sum(fare(problem, vehicle_type.rate, a, b) for a, b in pairwise(places))
    return vehicle_type.fixed_cost + driven


def rides(problem: Problem, visits: Visits) -> list[tuple[int, int]]:
    """(pick-up, drop) by position; everybody for a destination gets off at the next stop there."""
    return [
        (at, next(end for end in range(at, len(visits)) if visits[end] == -1 - problem.requests[visit].destination))
        for at, visit in enumerate(visits)
        if visit >= 0
    ]


def has_seats(problem: Problem, kind: int, visits: Visits) -> bool:
    """Whether places of each kind suffice and groups do not mix, after each visit."""
    ridden = rides(problem, visits)
    for at in range(len(visits)):
        aboard = [problem.requests[visits[pick]] for pick, drop in ridden if pick <= at < drop]
        if len({problem.destinations[each.destination].group for each in aboard}) > 1:
            return False
        for unit, limit in enumerate(problem.vehicle_types[kind].places):
            if sum(each.load[unit] for each in aboard) > limit:
                return False
    return True


def least_times(problem: Problem, kind: int, visits: Visits) -> list[int] | None:
    """The least times that satisfy every rule, by constraints "not before that other time plus so much"."""
    vehicle_type = problem.vehicle_types[kind]
    start, end = ends(problem, kind)
    n = len(visits)
    stops = [asked(problem, visit) for visit in visits]
    # node 0 leaves the start, nodes 1..n are visits, node n + 1 reaches the end
    floor = [vehicle_type.earliest, *(each.earliest for each in stops), -(1 << 50)]
    ceiling = [1 << 50, *(each.latest for each in stops), vehicle_type.latest]
    rules = [(0, 1, hop(problem, start, stops[0].place))]
    for at, (one, next_one) in enumerate(pairwise(stops), start=1):
        rules += [(at, at + 1, one.service + hop(problem, one.place, next_one.place))]
    rules.append((n, n + 1, stops[-1].service + hop(problem, stops[-1].place, end)))
    rules.append((n + 1, 0, -vehicle_type.max_duration))
    for pick, drop in rides(problem, visits):
        rules.append((drop + 1, pick + 1, -problem.requests[visits[pick]].max_ride - stops[pick].service))
    times = list(floor)
    for _ in range(n + 3):
        moved = False
        for origin, target, least in rules:
            if times[origin] + least > times[target]:
                times[target] = times[origin] + least
                moved = True
        if any(time > limit for time, limit in zip(times, ceiling, strict=True)):
            return None
        if not moved:
            return times[1:-1]
    return None


def is_possible(problem: Problem, kind: int, visits: Visits) -> bool:
    return has_seats(problem, kind, visits) and least_times(problem, kind, visits) is not None


def insertions(problem: Problem, visits: Visits, request: int, n_begun: int):
    """Every way to put a request into a route: joining where the vehicle stops already, or with a drop of its own."""
    drop = -1 - problem.requests[request].destination
    for at in range(n_begun - 1, len(visits)):
        picked = [*visits[: at + 1], request, *visits[at + 1 :]]
        for end in range(at, len(visits)):
            if end > at and visits[end] == drop:
                break  # everybody for it gets off there
            aboard = [pick for pick, out in rides(problem, visits) if pick <= end < out and visits[out] == drop]
            if aboard:
                break
            yield [*visits[: at + 1], request, *visits[at + 1 : end + 1], drop, *visits[end + 1 :]]
        if drop in visits[at + 1 :]:
            yield picked


class SlowSearch:
    """The search by steps."""

    def __init__(self, problem: Problem, seed: int, settings: Settings) -> None:
        self.problem, self.settings = problem, settings
        self.word = (2 * seed + 1) * 0x9E3779B97F4A7C15 & MASK
        everybody = range(len(problem.requests))
        self.impossible = [
            request
            for request in everybody
            if not any(
                each.count and is_possible(problem, kind, [request, -1 - problem.requests[request].destination])
                for kind, each in enumerate(problem.vehicle_types)
            )
        ]
        self.absent = [request for request in everybody if request not in self.impossible]
        self.kinds = [
            kind for kind, each in enumerate(problem.vehicle_types) for _ in range(min(each.count, len(self.absent)))
        ]
        self.routes: list[Visits] = [[] for _ in self.kinds]
        self.is_open = [True] * len(self.kinds)
        self.absences = [0] * len(problem.requests)
        self.best = (len(problem.requests) + 1, 0, 0)
        self.best_routes: list[Visits] = []
        self.blink = round(settings.blink * 65536)
        self.runs, self.whole = round(settings.share_of_runs * 65536), round(settings.share_of_routes * 65536)

    def window(self, request: int) -> tuple[int, int]:
        """When a request may be picked up, also by the window of a destination that is its own."""
        wanted = self.problem.requests[request]
        if sum(each.destination == wanted.destination for each in self.problem.requests) > 1:
            return wanted.earliest, wanted.latest
        aim = self.problem.destinations[wanted.destination]
        first = aim.earliest - wanted.service - wanted.max_ride
        return max(wanted.earliest, first), min(wanted.latest, aim.latest - wanted.service)

    def near(self, seed: int) -> list[int]:
        drive, places = self.problem.drive, [each.place for each in self.problem.requests]
        here, mine = places[seed], self.window(seed)
        far = []
        for each, place in enumerate(places):
            other = self.window(each)
            apart = max(0, other[0] - mine[1], mine[0] - other[1])
            far.append(-1 if each == seed else int(drive[here, place]) + int(drive[place, here]) + apart)
        return sorted(range(len(places)), key=lambda each: far[each])

    def draw(self) -> int:
        word = self.word
        word ^= word >> 12
        word = (word ^ (word << 25)) & MASK
        word ^= word >> 27
        self.word = word
        return ((word * 2685821657736338717) & MASK) >> 33

    def cost(self, routes: list[Visits]) -> int:
        return sum(cost_of(self.problem, kind, visits) for kind, visits in zip(self.kinds, routes, strict=True))

    def ruin(self) -> list[int]:
        settings = self.settings
        target = 1 + self.draw() % (2 * settings.mean_removed - 1)
        seed = self.draw() % len(self.problem.requests)
        way = self.draw() & 65535
        gone: list[int] = []
        touched: set[int] = set()
        for request in self.near(seed):
            if len(gone) >= target:
                break
            row = next((row for row, visits in enumerate(self.routes) if request in visits), None)
            if row is None or not self.is_open[row] or row in touched:
                continue
            touched.add(row)
            visits = self.routes[row]
            picked = [visit for visit in visits if visit >= 0]
            if way < self.whole:
                taken = picked
            elif way < self.whole + self.runs:
                ends_at = {visits[pick]: drop for pick, drop in rides(self.problem, visits)}
                taken = [each for each in picked if ends_at[each] == ends_at[request]]
            else:
                length = 1 + self.draw() % min(settings.longest_string, len(picked), target - len(gone))
                position = picked.index(request)
                lowest, highest = max(0, position - length + 1), min(position, len(picked) - length)
                first = lowest + self.draw() % (highest - lowest + 1)
                taken = picked[first : first + length]
            gone += taken
            ridden = rides(self.problem, visits)
            still = {drop for pick, drop in ridden if visits[pick] not in taken}
            self.routes[row] = [
                visit for at, visit in enumerate(visits) if (visit >= 0 and visit not in taken) or at in still
            ]
        return gone

    def recreate(self, queue: list[int]) -> list[int]:
        order = self.draw() % 11
        keys = []
        for request in queue:
            wanted = self.problem.requests[request]
            if order < 4:
                keys.append(self.draw())
            elif order < 8:
                keys.append((-sum(wanted.load), self.window(request)[1]))
            else:
                far = hop(self.problem, wanted.place, self.problem.destinations[wanted.destination].place)
                keys.append(-far if order < 10 else far)
        left = []
        for request in [each for _, each in sorted(zip(keys, queue, strict=True), key=lambda pair: pair[0])]:
            best, chosen = None, None
            at_rest = -1
            for row, (kind, visits) in enumerate(zip(self.kinds, self.routes, strict=True)):
                if not self.is_open[row]:
                    continue
                if not visits:
                    if kind == at_rest:
                        continue
                    at_rest = kind
                if self.blink and (self.draw() & 65535) < self.blink:
                    continue
                before = cost_of(self.problem, kind, visits)
                for grown in insertions(self.problem, visits, request, 0):
                    added = cost_of(self.problem, kind, grown) - before
                    if (best is None or added < best) and is_possible(self.problem, kind, grown):
                        best, chosen = added, (row, grown)
            if chosen is None:
                left.append(request)
            else:
                self.routes[chosen[0]] = chosen[1]
        return left

    def settle(self, fewest: int) -> None:
        used = [row for row, visits in enumerate(self.routes) if visits]
        figures = (len(self.absent), len(used), self.cost(self.routes))
        if figures < self.best:
            self.best, self.best_routes = figures, [list(visits) for visits in self.routes]
        if not self.absent and len(used) >= self.best[1] > fewest:
            weights = {
                row: sum(1 + self.absences[visit] for visit in self.routes[row] if visit >= 0)
                for row in used
                if self.is_open[row]
            }
            for row in range(len(self.routes)):
                self.is_open[row] = self.is_open[row] and bool(self.routes[row])
            if weights:
                row = min(weights, key=lambda each: (weights[each], each))
                self.absent = [visit for visit in self.routes[row] if visit >= 0]
                self.routes[row] = []
                self.is_open[row] = False

    def step(self, heat: float, fewest: int) -> None:
        kept_routes, kept_absent = [list(visits) for visits in self.routes], list(self.absent)
        gone = self.ruin()
        accepted = all(
            not visits or least_times(self.problem, kind, visits) is not None
            for kind, visits in zip(self.kinds, self.routes, strict=True)
        )
        if accepted:
            left = self.recreate(gone + self.absent)
            added = self.cost(self.routes) - self.cost(kept_routes)
            lighter = sum(1 + self.absences[each] for each in left) - sum(
                1 + self.absences[each] for each in kept_absent
            )
            accepted = lighter < 0 or (lighter == 0 and added < -heat * log((self.draw() + 1) / 2147483648.0))
        if accepted:
            self.absent = left
            self.settle(fewest)
        else:
            self.routes, self.absent = kept_routes, kept_absent
        self.count_absences()

    def count_absences(self) -> None:
        for request in self.absent:
            self.absences[request] += 1

    def run_giving_up(self, n_steps: int) -> list[tuple[int, Visits]]:
        """First plan, then steps that give vehicles up; the best plan as (type, visits)."""
        everybody = len(self.problem.requests)
        self.absent = self.recreate(self.absent)
        self.settle(everybody)
        self.count_absences()
        if not self.absent:
            self.recreate([])  # nothing is left to insert, and an order for it is drawn
            self.settle(0)
            self.count_absences()
        settings = self.settings
        for done in range(n_steps):
            heat = settings.hot * (settings.cold / settings.hot) ** (done // CHUNK * CHUNK / settings.round_steps)
            self.step(heat, 0)
        return [(kind, visits) for kind, visits in zip(self.kinds, self.best_routes, strict=True) if visits]


def coded(plan: Plan) -> list[tuple[int, Visits]]:
    """A plan as the twin tells it."""
    return [
        (
            route.vehicle_type,
            [visit.request if hasattr(visit, "request") else -1 - visit.destination for visit in route.visits],
        )
        for route in plan.routes
    ]
