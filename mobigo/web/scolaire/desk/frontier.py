"""Frontier: coaches against the minutes by which lessons move, drawn as steps; the table of the page says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from mobigo.web.scolaire.desk.pictures import Drawn, figure
from mobigo.web.wording import say, say_count

_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 24, 26, 44
_WIDTH, _HEIGHT = 720, 280
_MOST_MARKS: Final = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan in the picture: its number in the table, empty for the plan as it is."""

    label: str
    minutes: int
    n_coaches: int


def front_chart(points: Sequence[Shown], bound: int | None) -> Drawn:
    """Each plan where its minutes and its coaches meet, the steps between them, and the line that none is under."""
    most_x = max(1, *(one.minutes for one in points))
    coaches = [one.n_coaches for one in points] + ([] if bound is None else [bound])
    low, high = max(0, min(coaches) - 1), max(coaches)
    ground = _HEIGHT - _BOTTOM

    def x(minutes: int) -> str:
        return f"{_LEFT + minutes * (_WIDTH - _LEFT - _RIGHT) / most_x:.1f}"

    def y(n_coaches: int) -> str:
        return f"{ground - (n_coaches - low) * (ground - _TOP) / max(1, high - low):.1f}"

    parts = [f'<path class="chart-axis" d="M{_LEFT} {_TOP - 12}V{ground}H{_WIDTH - _RIGHT}" fill="none"/>']
    step = -(-(high - low) // _MOST_MARKS) or 1
    parts += [
        f'<text class="chart-label" x="{_LEFT - 8}" y="{float(y(n)) + 4:.1f}" text-anchor="end">{n}</text>'
        for n in range(low, high + 1, step)
    ]
    step = -(-most_x // _MOST_MARKS)
    parts += [
        f'<text class="chart-label" x="{x(n)}" y="{ground + 18}" text-anchor="middle">{n}</text>'
        for n in range(0, most_x + 1, step)
    ]
    axis = escape(say("scolaire.desk.bells.axis_minutes"))
    parts.append(f'<text class="chart-label" x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 6}" text-anchor="end">{axis}</text>')
    parts.append(f'<text class="chart-label" x="4" y="12">{escape(say("scolaire.desk.bells.axis_coaches"))}</text>')
    if bound is not None:
        told = escape(say_count("scolaire.desk.bells.bound_line", bound))
        parts.append(
            f'<path class="chart-limit" d="M{_LEFT} {y(bound)}H{_WIDTH - _RIGHT}"/>'
            f'<text class="chart-label" x="{_LEFT + 8}" y="{float(y(bound)) + 16:.1f}">{told}</text>'
        )
    ordered = sorted(points, key=lambda one: (one.minutes, one.n_coaches))
    line = f"M{x(ordered[0].minutes)} {y(ordered[0].n_coaches)}" + "".join(
        f"H{x(one.minutes)}V{y(one.n_coaches)}" for one in ordered[1:]
    )
    parts.append(f'<path class="chart-step" d="{line}"/>')
    for one in ordered:
        at = f'cx="{x(one.minutes)}" cy="{y(one.n_coaches)}"'
        parts.append(f'<circle class="chart-point{"" if one.label else " chart-point-now"}" {at} r="6"/>')
        if one.label:
            parts.append(
                f'<text class="chart-value" x="{float(x(one.minutes)) - 10:.1f}" '
                f'y="{float(y(one.n_coaches)) - 10:.1f}" text-anchor="end">{escape(one.label)}</text>'
            )
    title = say("scolaire.desk.bells.front")
    return Drawn(figure("front", title, say("scolaire.desk.bells.front_description"), _HEIGHT, "".join(parts)))
