"""Pictures of a plan, drawn by the server: a map, the day of each coach, the load of a run, how long rides last.

Circuits have a colour and dashes; what is driven empty is a thin line, so that nothing is told by colour alone.
Every picture stands above a table or a list that says the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from markupsafe import Markup

from mobigo.services.scolaire.looking import CircuitFigures
from mobigo.web.drawing import Bar, Layer, Mark, bar_chart, chart_table, draw_map
from mobigo.web.wording import say, say_count
from scolaire.plans import Halt, Run, SchoolPlan, rides_of
from socle.geo import LatLon

N_LOOKS: Final = 16  # four colours with four kinds of dashes each (`map-look-k…` of the style sheet)
BIN_S: Final = 300
NOTHING: Final = Markup("")
_WIDTH: Final = 720
_LABELS: Final = 84
_ROW: Final = 16
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture and the table of its numbers; the table is empty where the page has its own."""

    svg: Markup
    table: Markup = NOTHING


def look_of(place: int) -> str:
    """The look of the circuit that stands at this place of the plan."""
    return f"k{place % N_LOOKS}"


def position_of(plan: SchoolPlan, halt: Halt) -> LatLon:
    """Where a halt is."""
    if halt.stop is not None:
        return plan.stops[halt.stop].position
    return plan.schools[halt.school or 0].position


def name_of(plan: SchoolPlan, halt: Halt) -> str:
    """What a halt is called."""
    return plan.stops[halt.stop].name if halt.stop is not None else plan.schools[halt.school or 0].name


def clock(seconds: int) -> str:
    """07:05, of seconds after midnight, to the minute that has begun."""
    return f"{seconds // _HOUR:02}:{seconds % _HOUR // 60:02}"


def plan_map(plan: SchoolPlan, circuits: Sequence[tuple[int, CircuitFigures]]) -> Drawn:
    """Circuits, each with its place in the plan, along straight lines between their halts; schools by name."""
    layers = [
        Layer(look_of(place), [[position_of(plan, halt) for halt in run.halts] for run in one.runs])
        for place, one in circuits
    ]
    halts = [halt for _place, one in circuits for run in one.runs for halt in run.halts]
    stops = sorted({halt.stop for halt in halts if halt.stop is not None})
    schools = sorted({halt.school for halt in halts if halt.school is not None})
    few = len(stops) <= 30
    marks = [Mark(plan.schools[school].position, plan.schools[school].name, "end") for school in schools]
    marks += [Mark(plan.stops[stop].position, plan.stops[stop].name if few else "", "change") for stop in stops]
    told = say("scolaire.desk.map_description", circuits=len(circuits), stops=len(stops), schools=len(schools))
    title = say("scolaire.desk.map_title")
    return Drawn(_ours(draw_map(layers, marks, key="carte", title=title, description=told)))


def day_of_coaches(circuits: Sequence[CircuitFigures]) -> Drawn:
    """One row for each coach: a thick bar with pupils aboard, a thin line without, along the hours of the day."""
    runs = [run for one in circuits for run in one.runs]
    if not runs:
        return Drawn(NOTHING)
    first = min(run.begins_s for run in runs) // _HOUR
    last = -(-max(run.ends_s for run in runs) // _HOUR)
    scale = (_WIDTH - _LABELS - 20) / ((last - first) * _HOUR)
    height = len(circuits) * _ROW + 34

    def x(seconds: int) -> str:
        return f"{_LABELS + (seconds - first * _HOUR) * scale:.1f}".removesuffix(".0")

    parts = [
        f'<path class="gantt-hour" d="M{x(hour * _HOUR)} 20V{height - 8}"/>'
        f'<text class="chart-label" x="{x(hour * _HOUR)}" y="14" text-anchor="middle">{hour}</text>'
        for hour in range(first, last + 1)
    ]
    for row, one in enumerate(circuits):
        middle = 30 + row * _ROW
        name = escape(one.circuit_id[:10])
        parts.append(f'<text class="chart-label" x="{_LABELS - 8}" y="{middle + 4}" text-anchor="end">{name}</text>')
        for run in one.runs:
            parts.append(f'<path class="gantt-empty" d="M{x(run.begins_s)} {middle}H{x(run.ends_s)}"/>')
            for begin, end in _loaded(run):
                parts.append(f'<path class="gantt-run" d="M{x(begin)} {middle}H{x(end)}"/>')
    told = say("scolaire.desk.gantt_description", n=len(circuits))
    return Drawn(figure("vehicules", say("scolaire.desk.gantt_title"), told, height, "".join(parts)))


def _loaded(run: Run) -> Sequence[tuple[int, int]]:
    """From when to when somebody is aboard."""
    spans: list[tuple[int, int]] = []
    begin: int | None = None
    for halt, load in zip(run.halts, run.loads, strict=True):
        if load and begin is None:
            begin = halt.arrives_s
        elif not load and begin is not None:
            spans.append((begin, halt.leaves_s))
            begin = None
    return spans


def load_profile(plan: SchoolPlan, run: Run) -> Drawn:
    """Who is aboard after each halt."""
    seats = plan.vehicle_types[run.vehicle_type].seats
    bars = [
        Bar(f"{clock(halt.arrives_s)} {name_of(plan, halt)}", load, say_count("scolaire.desk.aboard", load))
        for halt, load in zip(run.halts, run.loads, strict=True)
    ]
    title = say("scolaire.desk.load_title")
    told = say("scolaire.desk.load_description", most=max(run.loads), seats=seats)
    headings = {name: say(f"scolaire.desk.load_{name}") for name in ("halt", "aboard")}
    table = chart_table(bars, caption=title, label_heading=headings["halt"], value_heading=headings["aboard"])
    return Drawn(_ours(bar_chart(bars, key="charge", title=title, description=told)), _ours(table))


def ride_times(plan: SchoolPlan) -> Drawn:
    """How many rides last how long, by five minutes; a line at each limit of a school."""
    lasting = Counter(ride.seconds // BIN_S for run in plan.runs for ride in rides_of(run))
    if not lasting:
        return Drawn(NOTHING)
    limits = sorted({school.ride_max_s for school in plan.schools})
    n_bins = max(max(lasting) + 1, *(-(-limit // BIN_S) for limit in limits), 1)
    most, height, left, top = max(lasting.values()), 210, 40, 20
    wide = (_WIDTH - left - 20) / n_bins
    ground = height - 24
    parts = []
    for number in range(n_bins):
        tall = lasting[number] / most * (ground - top - 14)
        at = left + number * wide
        parts.append(
            f'<rect class="chart-bar" x="{at + 2:.1f}" y="{ground - tall:.1f}" width="{wide - 4:.1f}" '
            f'height="{tall:.1f}"/>'
            f'<text class="chart-label" x="{at:.1f}" y="{ground + 16}" text-anchor="middle">{number * 5}</text>'
        )
        if lasting[number]:
            parts.append(
                f'<text class="chart-value" x="{at + wide / 2:.1f}" y="{ground - tall - 4:.1f}" '
                f'text-anchor="middle">{lasting[number]}</text>'
            )
    for limit in limits:
        at = left + limit / BIN_S * wide
        told = escape(say("scolaire.desk.limit", minutes=limit // 60))
        parts.append(
            f'<path class="chart-limit" d="M{at:.1f} {top}V{ground}"/>'
            f'<text class="chart-label" x="{at - 4:.1f}" y="14" text-anchor="end">{told}</text>'
        )
    title = say("scolaire.desk.rides_title")
    over = sum(n for number, n in lasting.items() if number * BIN_S >= limits[-1])
    drawn = figure("durees", title, say("scolaire.desk.rides_description", over=over), height, "".join(parts))
    rows = [
        Bar(say("scolaire.desk.minutes", first=number * 5, last=number * 5 + 5), n, say_count("scolaire.desk.rides", n))
        for number, n in sorted(lasting.items())
    ]
    headings = {name: say(f"scolaire.desk.rides_{name}") for name in ("lasting", "count")}
    table = chart_table(rows, caption=title, label_heading=headings["lasting"], value_heading=headings["count"])
    return Drawn(drawn, _ours(table))


def figure(key: str, title: str, description: str, height: int, drawn: str) -> Markup:
    """A chart of the desk: what was drawn, with its title and what it shows in words."""
    return _ours(
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" font-size="13" role="img" '
        f'aria-labelledby="{key}-title {key}-desc"><title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(description)}</desc>{drawn}</svg>'
    )


def _ours(drawn: str) -> Markup:
    return Markup(drawn)  # noqa: S704  made by us, every word escaped
