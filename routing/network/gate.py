"""Gate: may a new network replace the one that is served?

A network that lost much of its trips or stops, ends soon, or shows a kind of
error never seen before is more often a broken delivery than a change of plan:
it is held, and the last good one goes on being served until a person decides.
Source: opendata note, "Receiving", gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from socle.errors import Fact
from socle.findings import Finding, Severity
from socle.times import find_gtfs_date, render_gtfs_date

WATCHED_DAYS = 14


@dataclass(frozen=True, slots=True)
class NetworkSummary:
    """What the gate compares. `trips_per_day[i]` is for `first_day` + i days."""

    first_day: date
    trips_per_day: tuple[int, ...]
    stop_ids: frozenset[str]
    line_ids: frozenset[str]
    error_codes: frozenset[str]

    @property
    def last_day(self) -> date:
        """The last day of the timetable."""
        return self.first_day + timedelta(days=len(self.trips_per_day) - 1)

    def n_trips(self, start: date, n_days: int) -> int:
        """Trips on the `n_days` days from `start`."""
        first = max(0, (start - self.first_day).days)
        last = max(0, (start - self.first_day).days + n_days)
        return sum(self.trips_per_day[first:last])

    def as_dict(self) -> dict[str, object]:
        """The summary as plain values, sorted, for JSON."""
        return {
            "first_day": render_gtfs_date(self.first_day),
            "trips_per_day": list(self.trips_per_day),
            "stop_ids": sorted(self.stop_ids),
            "line_ids": sorted(self.line_ids),
            "error_codes": sorted(self.error_codes),
        }


def read_summary(plain: Mapping[str, object]) -> NetworkSummary:
    """The summary that `as_dict` made plain.

    Raises:
        ValueError: it is not one.
    """
    first_day = find_gtfs_date(str(plain.get("first_day")))
    if first_day is None:
        raise ValueError("not a summary of a network")

    def members(name: str) -> list[object]:
        value = plain.get(name)
        if not isinstance(value, list):
            raise ValueError(f"not a summary of a network: {name}")
        return value

    return NetworkSummary(
        first_day,
        tuple(int(str(n_trips)) for n_trips in members("trips_per_day")),
        frozenset(map(str, members("stop_ids"))),
        frozenset(map(str, members("line_ids"))),
        frozenset(map(str, members("error_codes"))),
    )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a candidate is held; shares are per cent of what the served network has."""

    trips_drop_pct: float = 10.0
    stops_drop_pct: float = 5.0
    horizon_days: int = 14
    protected_lines: tuple[str, ...] = ()


def judge_candidate(
    candidate: NetworkSummary, served: NetworkSummary | None, today: date, thresholds: Thresholds
) -> tuple[Finding, ...]:
    """Why the candidate is to be held; empty when it may be served.

    The first network ever is held for nothing but its emptiness: there is
    nothing better to serve. A shrinking horizon holds only when the served
    network reached beyond it.
    """
    if not any(candidate.trips_per_day):
        return (_held("held_no_trip"),)
    if served is None:
        return ()
    reasons: list[Finding] = []
    before, after = (network.n_trips(today, WATCHED_DAYS) for network in (served, candidate))
    if after < before * (1 - thresholds.trips_drop_pct / 100):
        reasons.append(_held("held_fewer_trips", before=before, after=after, n_days=WATCHED_DAYS))
    known = len(served.stop_ids & candidate.stop_ids)
    if known < len(served.stop_ids) * (1 - thresholds.stops_drop_pct / 100):
        reasons.append(_held("held_fewer_stops", before=len(served.stop_ids), after=known))
    horizon = today + timedelta(days=thresholds.horizon_days)
    if candidate.last_day < horizon <= served.last_day:
        reasons.append(_held("held_short_horizon", last_day=candidate.last_day.isoformat()))
    reasons += [_held("held_new_error", error=code) for code in sorted(candidate.error_codes - served.error_codes)]
    reasons += [
        _held("held_line_gone", line=line)
        for line in thresholds.protected_lines
        if line in served.line_ids and line not in candidate.line_ids
    ]
    return tuple(reasons)


def _held(code: str, **facts: Fact) -> Finding:
    return Finding(Severity.ERROR, code, facts=facts)
