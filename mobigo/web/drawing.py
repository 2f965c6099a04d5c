"""Drawing: maps and simple charts as SVG, made by the server, good on paper too.

Maps are Lambert-93, north up, one `<path>` per layer, coordinates rounded to
0.1 px. Everything drawn has a title, a description and, made by the caller from
the same values, a list or a table that says the same in words.

Looks come from classes (`map-…`, `chart-…`) that the style sheet dresses; the
attributes written here are the fallback of a file opened on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from socle.geo import LatLon, to_lambert93, to_lambert93_arrays

# A map is drawn 360 units wide and shown 288 to 560 px wide, so that its letters
# are 10 px high on the narrowest phone and never larger than a heading.
MAP_WIDTH = 360.0
MAP_MARGIN = 26.0
MAP_HEIGHTS = (180.0, 400.0)
LETTER = 12.5
LETTER_WIDTH = 0.68 * LETTER  # mean of place names in the widest usual sans-serif (DejaVu Sans, semi-bold)
TOLERANCE = 0.35  # a bend smaller than this is not seen
LEAST_SPAN_M = 1_500.0  # two stops in one street are not blown up to a town


Number = TypeVar("Number", float, NDArray[np.float64])
Edges = NDArray[np.float64]  # [n, 2, 2]: n straight lines, two ends, latitude and longitude
Lines = Sequence[Sequence[LatLon]] | Edges


@dataclass(frozen=True, slots=True)
class Layer:
    """Lines drawn alike: `look` is the class, `map-look-<look>`."""

    look: str
    lines: Lines


@dataclass(frozen=True, slots=True)
class Mark:
    """A place with its name, which may be empty; `look` is `end` (origin, destination) or `change`."""

    at: LatLon
    label: str
    look: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """How metres become units: x right, y down."""

    left: float
    top: float
    scale: float  # units per metre
    shift_x: float
    shift_y: float
    height: float

    def place(self, x: Number, y: Number) -> tuple[Number, Number]:
        """Metres of Lambert-93 as units of the drawing."""
        return self.shift_x + (x - self.left) * self.scale, self.shift_y + (self.top - y) * self.scale


def _number(value: float) -> str:
    """0.1 units are finer than any screen; `12.0` is written `12`."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _fit(places: Sequence[LatLon]) -> _Frame:
    """The frame that holds `places` with a margin, in a shape that pages can bear."""
    degrees = np.array(places, np.float64)
    x, y = to_lambert93_arrays(degrees[:, 0], degrees[:, 1])
    left, right, bottom, top = float(x.min()), float(x.max()), float(y.min()), float(y.max())
    span_x, span_y = max(right - left, LEAST_SPAN_M), max(top - bottom, LEAST_SPAN_M)
    room_x = MAP_WIDTH - 2 * MAP_MARGIN
    least, most = MAP_HEIGHTS
    height = min(max(span_y * room_x / span_x + 2 * MAP_MARGIN, least), most)
    room_y = height - 2 * MAP_MARGIN
    scale = min(room_x / span_x, room_y / span_y)
    return _Frame(
        left,
        top,
        scale,
        (MAP_WIDTH - (right - left) * scale) / 2,
        (height - (top - bottom) * scale) / 2,
        height,
    )


def _path(frame: _Frame, lines: Lines) -> str:
    """`d` of all `lines` in one path, cut to the frame and freed of what is not seen.

    All lines at once in arrays: a network of a thousand edges takes 3 ms, one by one it took 25.
    """
    if isinstance(lines, np.ndarray):
        places, lengths = lines.reshape(-1, 2), np.full(len(lines), 2)
    else:
        drawn = [line for line in lines if len(line) > 1]
        places = np.array([at for line in drawn for at in line], np.float64).reshape(-1, 2)
        lengths = np.array([len(line) for line in drawn], np.intp)
    if not len(places):
        return ""
    x, y = to_lambert93_arrays(places[:, 0], places[:, 1])
    placed = np.column_stack(frame.place(x, y))
    of_line = np.repeat(np.arange(len(lengths)), lengths)
    lines_seen = shapely.linestrings(placed, indices=of_line)
    if lengths.max() > 2:
        lines_seen = shapely.simplify(lines_seen, TOLERANCE)
    pieces = shapely.get_parts(shapely.clip_by_rect(lines_seen, -4.0, -4.0, MAP_WIDTH + 4, frame.height + 4))
    points, of_piece = shapely.get_coordinates(pieces, return_index=True)
    points = np.round(points, 1) + 0.0  # no -0
    if not len(points):
        return ""
    begins = np.diff(of_piece, prepend=-1) != 0
    moved = np.any(np.diff(points, axis=0, prepend=np.nan) != 0, axis=1)
    keep = begins | moved
    texts = [f"{at_x:g} {at_y:g}" for at_x, at_y in points[keep].tolist()]
    starts = np.flatnonzero(begins[keep]).tolist()
    return "".join(
        f"M{texts[start]}L{' '.join(texts[start + 1 : end])}"
        for start, end in zip(starts, [*starts[1:], len(texts)], strict=True)
        if end - start > 1
    )


def _boxes_meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _labels(frame: _Frame, marks: Sequence[Mark]) -> str:
    """The names that find room beside their mark, ends first; the list under the map has them all."""
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in (frame.place(*to_lambert93(mark.at)) for mark in marks)]
    written: list[str] = []
    said: set[str] = set()
    for mark in sorted(marks, key=lambda mark: mark.look != "end"):
        if not mark.label or mark.label in said:
            continue
        x, y = frame.place(*to_lambert93(mark.at))
        width = len(mark.label) * LETTER_WIDTH
        middle = y + LETTER * 0.35
        spots = [
            ("start", x + 9, middle),
            ("end", x - 9, middle),
            ("middle", x, y - 10),
            ("middle", x, y + 10 + LETTER * 0.8),
        ]
        for anchor, at_x, base in spots:
            if anchor == "middle":
                at_x = min(max(at_x, width / 2 + 3), MAP_WIDTH - width / 2 - 3)
            start = {"start": at_x, "end": at_x - width, "middle": at_x - width / 2}[anchor]
            box = (start - 2, base - LETTER * 0.85, start + width + 2, base + LETTER * 0.25)
            inside = box[0] >= 1 and box[2] <= MAP_WIDTH - 1 and box[1] >= 1 and box[3] <= frame.height - 1
            if inside and not any(_boxes_meet(box, other) for other in taken):
                taken.append(box)
                said.add(mark.label)
                written.append(
                    f'<text class="map-label" x="{_number(at_x)}" y="{_number(base)}" text-anchor="{anchor}">'
                    f"{escape(mark.label)}</text>"
                )
                break
    return "".join(written)


def _scale_bar(frame: _Frame) -> str:
    """A bar of 1, 2 or 5 times a power of ten, at most a third of the width, at the foot on the left."""
    longest_m = MAP_WIDTH / 3 / frame.scale
    power = 10 ** floor(log10(longest_m))
    length_m = max(step * power for step in (1, 2, 5) if step * power <= longest_m)
    said = f"{length_m / 1000:.0f} km" if length_m >= 1000 else f"{length_m:.0f} m"
    right, base = 8 + length_m * frame.scale, frame.height - 8
    return (
        f'<path class="map-scale" d="M8 {_number(base - 4)}V{_number(base)}H{_number(right)}V{_number(base - 4)}" '
        f'fill="none" stroke="currentColor"/>'
        f'<text class="map-scale-label" x="{_number(right + 4)}" y="{_number(base)}">{said}</text>'
    )


def draw_map(layers: Sequence[Layer], marks: Sequence[Mark], *, key: str, title: str, description: str) -> str:
    """The map of `layers` and `marks` as an `<svg>`, framed on the marks and every layer but `network`.

    `key` tells the ids of several drawings of one page apart. Returns an empty
    text when there is no place to frame.
    """
    framed = [at for layer in layers if layer.look != "network" for line in layer.lines for at in line]
    framed += [mark.at for mark in marks]
    if not framed:
        return ""
    frame = _fit(framed)
    paths = ((layer.look, _path(frame, layer.lines)) for layer in layers)
    drawn = "".join(f'<path class="map-line map-look-{look}" d="{d}" fill="none"/>' for look, d in paths if d)
    dots = "".join(
        f'<circle class="map-mark map-mark-{mark.look}" cx="{_number(x)}" cy="{_number(y)}" '
        f'r="{5.5 if mark.look == "end" else 4}"/>'
        for mark, (x, y) in ((mark, frame.place(*to_lambert93(mark.at))) for mark in reversed(marks))
    )
    return (
        f'<svg class="map" viewBox="0 0 {_number(MAP_WIDTH)} {_number(frame.height)}" role="img" '
        f'aria-labelledby="{key}-title {key}-desc"><title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(description)}</desc>'
        f"{drawn}{dots}{_labels(frame, marks)}{_scale_bar(frame)}</svg>"
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart; `shown` is the value as it is read, "1 234 trajets"."""

    label: str
    value: float
    shown: str


CHART_WIDTH = 720
ROW = 26
LABEL_ROOM = 290.0  # units that labels may take, the rest is for the bars
# Widths in the widest usual sans-serif (DejaVu Sans) at the charts' 13 units: mean of lower case, and of what is wider.
_NARROW, _WIDE = 7.9, 9.7


def _width(label: str) -> float:
    return sum(_WIDE if letter.isupper() or letter in "mw–—" else _NARROW for letter in label)


def _short(label: str) -> str:
    """`label`, cut where it would leave the drawing on the left; capitals are wider than small letters."""
    if _width(label) <= LABEL_ROOM:
        return label
    kept = label
    while _width(kept) + _WIDE > LABEL_ROOM:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def bar_chart(bars: Sequence[Bar], *, key: str, title: str, description: str, full: float | None = None) -> str:
    """Horizontal bars as a self-contained `<svg>`, in the order given; negative values are drawn as 0.

    The longest bar is as wide as there is room, or one of `full`: percents are drawn against 100.

    Show `chart_table` of the same bars under it.
    """
    label_room = max((_width(_short(bar.label)) for bar in bars), default=0.0) + 12
    value_room = max((_width(bar.shown) for bar in bars), default=0.0) + 16
    room = CHART_WIDTH - label_room - value_room
    most = full or max((bar.value for bar in bars), default=0.0) or 1.0
    height = len(bars) * ROW + 8
    rows: list[str] = []
    for row, bar in enumerate(bars):
        base = row * ROW + 21
        length = max(bar.value, 0.0) / most * room
        rows.append(
            f'<text class="chart-label" x="{_number(label_room - 8)}" y="{base}" text-anchor="end">'
            f"{escape(_short(bar.label))}</text>"
            f'<rect class="chart-bar" x="{_number(label_room)}" y="{base - 15}" width="{_number(length)}" height="20"/>'
            f'<text class="chart-value" x="{_number(label_room + length + 6)}" y="{base}">{escape(bar.shown)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {CHART_WIDTH} {ceil(height)}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="#12312d" role="img" '
        f'aria-labelledby="{key}-title {key}-desc"><title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(description)}</desc>'
        f'<path class="chart-axis" d="M{_number(label_room)} 2V{height - 2}" fill="none" stroke="#5b6b68"/>'
        f"{''.join(rows)}</svg>"
    )


def chart_table(bars: Sequence[Bar], *, caption: str, label_heading: str, value_heading: str) -> str:
    """The same bars as an HTML table: what is read aloud, copied, or read where nothing is drawn."""
    rows = "".join(f'<tr><th scope="row">{escape(bar.label)}</th><td>{escape(bar.shown)}</td></tr>' for bar in bars)
    return (
        f'<table class="table"><caption>{escape(caption)}</caption><thead><tr><th scope="col">'
        f'{escape(label_heading)}</th><th scope="col">{escape(value_heading)}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
