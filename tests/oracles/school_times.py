"""Slow twin of `scolaire.timing`: the same wishes, each found by trying one second after the other."""

from __future__ import annotations

from scolaire.plans import MOVED_S, Run, SchoolPlan, window_of


def slow_times(plan: SchoolPlan, run: Run) -> list[int]:
    """When each halt of a run begins, for one whose rules can be kept or whose ride limits alone cannot."""
    for with_limits, with_floor in ((True, True), (False, True), (False, False)):
        found = _slow(plan, run, with_limits=with_limits, with_floor=with_floor)
        if found is not None:
            return found
    raise AssertionError("somebody is late for lessons")


def _slow(plan: SchoolPlan, run: Run, *, with_limits: bool, with_floor: bool) -> list[int] | None:
    period = plan.periods[run.period]
    stays = [halt.leaves_s - halt.arrives_s for halt in run.halts]
    n, day = len(run.halts), 86_400
    low, high = [-day] * n, [2 * day] * n
    for at, halt in enumerate(run.halts):
        counts = halt.down if period.direction.is_to_school else halt.up
        if halt.school is not None and counts:
            window = window_of(plan.schools[halt.school], period)
            shift = 0 if period.direction.is_to_school else stays[at]
            low[at] = window[0] - shift if with_floor else -day
            high[at] = window[1] - shift
    rules = [(at, at + 1, stays[at] + run.halts[at + 1].drive_s) for at in range(n - 1)]
    if with_limits:
        for up in range(n):
            for down in range(up, n):
                for rider in set(run.halts[up].up) & set(run.halts[down].down):
                    school = plan.schools[plan.riders[rider].school]
                    limit = school.noon.ride_max_s if school.noon and period.direction.is_noon else school.ride_max_s
                    rules.append((down, up, -limit - stays[up]))

    latest = _closed(rules, high, upwards=False)
    if latest is None or any(time < floor for time, floor in zip(latest, low, strict=True)):
        return None
    to_school = period.direction.is_to_school
    told = {
        at: halt.told_s - (stays[at] if to_school else 0)
        for at, halt in enumerate(run.halts)
        if halt.told_s is not None
    }
    if told and (times := _as_told(run, rules, low, high, told)) is not None:
        return times
    earliest = _closed(rules, [latest[0], *low[1:]], upwards=True)
    if earliest is None:
        return None
    times = earliest
    for at in range(n - 2, -1, -1):
        if run.halts[at].up and not run.halts[at].down:
            times[at] = min(latest[at], times[at + 1] - rules[at][2])
    return times


def _as_told(
    run: Run, rules: list[tuple[int, int, int]], low: list[int], high: list[int], told: dict[int, int]
) -> list[int] | None:
    """The times that are off what was told by the least second that is possible; None when no halt can keep it."""

    def latest_within(kept: list[int], off_s: int) -> list[int] | None:
        floor, ceiling = list(low), list(high)
        for at in kept:
            floor[at], ceiling[at] = max(low[at], told[at] - off_s), min(high[at], told[at] + off_s)
        times = _closed(rules, ceiling, upwards=False)
        return None if times is None or any(one < two for one, two in zip(times, floor, strict=True)) else times

    kept: list[int] = []
    if latest_within(list(told), MOVED_S) is not None:
        kept = list(told)
    else:
        for at in sorted(told, key=lambda at: (-len(run.halts[at].up + run.halts[at].down), at)):
            if latest_within([*kept, at], MOVED_S) is not None:
                kept.append(at)
    if not kept:
        return None
    off_s = next(off for off in range(MOVED_S + 1) if latest_within(kept, off) is not None)
    latest = latest_within(kept, off_s) or []
    floor = [max(each, told[at] - off_s) if at in kept else each for at, each in enumerate(low)]
    floor = [max(each, min(told[at], latest[at])) if at in kept else each for at, each in enumerate(floor)]
    times = _closed(rules, floor, upwards=True) or []
    for at in range(len(times) - 2, -1, -1):
        is_free = (run.halts[at].up and not run.halts[at].down) or times[at] < -43_200
        if at not in kept and is_free:
            times[at] = min(latest[at], times[at + 1] - rules[at][2])
    return times


def _closed(rules: list[tuple[int, int, int]], times: list[int], *, upwards: bool) -> list[int] | None:
    """The times nearest to these that keep all differences, moved in one direction only."""
    times = list(times)
    for _ in range(3 * len(times) + 3):
        moved = False
        for one, other, least in rules:
            if times[one] + least > times[other]:
                if upwards:
                    times[other] = times[one] + least
                else:
                    times[one] = times[other] - least
                moved = True
        if not moved:
            return times
    return None
