"""Repair: named rules that mend what producers commonly get wrong.

Each rule is a pure function of a Feed. What it changes it tells, with before and
after, as findings whose code is the rule's id; the feed as received stays what it
was. A rule can be switched off for a source by leaving it out of `rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from routing.gtfs.feed import Feed
from routing.gtfs.read.notes import Notes
from routing.gtfs.repair import modes, places, structure, times
from socle.errors import BadInput
from socle.findings import Finding

__all__ = ["ALL", "RULES", "repair_feed"]

Rule = Callable[[Feed, Notes], Feed]

# In this order: places before distances, stations before headsigns that name them, and
# published minutes before the seconds that interpolation makes.
RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "places.swapped": places.unswap,
        "places.zero": places.leave_zero,
        "places.outlier": places.leave_outliers,
        "modes.from_stop_id": modes.mode_from_stop_ids,
        "structure.orphans": structure.drop_orphans,
        "structure.parent": structure.add_stations,
        "structure.headsign": structure.headsigns_from_last_station,
        "structure.names": structure.name_the_nameless,
        "times.zero_hop": times.spread_zero_hops,
        "times.interpolate": times.interpolate,
    }
)
ALL: Final = frozenset(RULES)


def repair_feed(feed: Feed, rules: Iterable[str] = ALL) -> tuple[Feed, list[Finding]]:
    """`feed` mended by `rules`, and what was changed.

    Raises:
        BadInput: `unknown_repair`.
    """
    wanted = set(rules)
    unknown = sorted(wanted - ALL)
    if unknown:
        raise BadInput("unknown_repair", rule=unknown[0])
    notes = Notes()
    for name, rule in RULES.items():
        if name in wanted:
            feed = rule(feed, notes)
    return feed, notes.findings()
