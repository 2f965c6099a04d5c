"""Tags: what OpenStreetMap's free texts say, as values: access, speed limits, slopes, widths.

Anybody may write anything in a tag, so every reader has an answer for what it does not know.
Source of the meanings: wiki.openstreetmap.org, pages "Key:access", "Key:maxspeed", "Key:oneway".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Tags = Mapping[str, str]

# Who may read the others may pass: `destination` and `customers` are open, because a journey mostly
# begins or ends there, and `permissive` because its owner lets people pass.
_NO = frozenset(
    [
        "no",
        "private",
        "agricultural",
        "forestry",
        "agricultural;forestry",
        "military",
        "emergency",
        "use_sidepath",
        "psv",
        "bus",
        "delivery",
    ]
)
_YES = frozenset(
    ["yes", "designated", "official", "permissive", "destination", "customers", "public", "residents", "dismount"]
)

_KM_H_OF_UNIT = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
_SPEED = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots|)")
# What a country's rule comes to, by the kind of place; French values first (code de la route, R413-2,
# R413-3, R413-14), others where a country is known to differ.
_KM_H_OF_ZONE = {"urban": 50, "rural": 80, "trunk": 110, "motorway": 130, "living_street": 20, "walk": 20}
_FASTEST_KM_H = 200.0
_PERCENT = re.compile(r"[-+]?(\d{1,3}(?:\.\d+)?)\s*(%|°)")
_METRES = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*m?")


def allowed(tags: Tags, keys: Iterable[str]) -> bool | None:
    """Whether the first of `keys` that says anything opens; None when none does."""
    for key in keys:
        value = tags.get(key)
        if value in _YES:
            return True
        if value in _NO:
            return False
    return None


def read_km_h(text: str) -> float | None:
    """The speed limit that `text` stands for, None when it says none that we know.

    Of several (`50;30`) the lowest. `none` and `signals` are answers without a number, so None.
    """
    found = []
    for part in text.casefold().split(";"):
        plain = part.strip()
        match = _SPEED.fullmatch(plain)
        if match:
            found.append(float(match[1]) * _KM_H_OF_UNIT[match[2]])
            continue
        kind = plain.partition(":")[2] or plain
        zone = re.fullmatch(r"zone:?(\d+)", kind)
        if zone:
            found.append(float(zone[1]))
        elif kind in _KM_H_OF_ZONE:
            found.append(float(_KM_H_OF_ZONE[kind]))
        else:
            return None
    lowest = min(found, default=0.0)
    return lowest if 1.0 <= lowest <= _FASTEST_KM_H else None


def is_limit_known(text: str) -> bool:
    """Whether `text` is a speed limit, or one of the words for having none that is fixed."""
    return text in {"none", "signals", "variable", "implicit"} or read_km_h(text) is not None


def limits_km_h(tags: Tags) -> tuple[float | None, float | None]:
    """The speed limits along a way and against it."""
    both = tags.get("maxspeed", "")
    along, against = tags.get("maxspeed:forward", both), tags.get("maxspeed:backward", both)
    return read_km_h(along) if along else None, read_km_h(against) if against else None


def directions(tags: Tags, keys: Iterable[str]) -> tuple[bool, bool]:
    """Whether one may go along a way and against it; the first of `keys` that says anything decides."""
    for key in keys:
        match tags.get(key):
            case "yes" | "true" | "1":
                return True, False
            case "-1" | "reverse":
                return False, True
            case "no" | "false" | "0":
                return True, True
            case "reversible" | "alternating":  # nobody knows when, so nobody is sent there
                return False, False
    return True, True


def slope_percent(tags: Tags) -> float | None:
    """How steep a way is, up or down; None when it is not told in numbers."""
    match = _PERCENT.fullmatch(tags.get("incline", "").replace(",", ".").strip())
    if match is None:
        return None
    value = float(match[1])
    return value if match[2] == "%" else value * 1.75  # near level, a degree is 1.75 %


def width_m(tags: Tags) -> float | None:
    """How wide a way is; None when that is not told in metres."""
    match = _METRES.fullmatch(tags.get("width", "").replace(",", ".").strip())
    return float(match[1]) if match else None
