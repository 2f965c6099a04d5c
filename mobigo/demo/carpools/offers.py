"""Offers: who drives most on each line says when they leave, so that who looks for a ride finds one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, time

from sqlalchemy import Engine

from covoiturage.carpool import Carpool
from covoiturage.drives import straight_ways
from covoiturage.lines import shipped_lines
from mobigo.services.covoiturage.given import GivenOffer, Weeks
from mobigo.services.covoiturage.offering import publish
from mobigo.services.people.fictitious import ACTOR
from socle.times import PARIS

N_PER_LINE = 5  # drivers, each to work and back
_NOON_MIN = 12 * 60
_STEP_MIN = 5


def offer_seats(engine: Engine, carpools: Sequence[Carpool], names: Mapping[str, str], now: datetime) -> int:
    """Publish the weekly offers of these drivers, at the hours at which they usually leave; how many were published."""
    leave_min: dict[tuple[str | None, str], list[int]] = defaultdict(list)
    for carpool in carpools:
        left = carpool.start_at.astimezone(PARIS)
        leave_min[carpool.line_id, carpool.driver].append(left.hour * 60 + left.minute)
    n_offers = 0
    for line in shipped_lines():
        drives = Counter(
            {driver: len(minutes) for (line_id, driver), minutes in leave_min.items() if line_id == line.line_id}
        )
        ends = line.stops[0].stop_id, line.stops[-1].stop_id
        for number, driver in enumerate(sorted(drives, key=lambda name: (-drives[name], name))[:N_PER_LINE]):
            minutes = sorted(leave_min[line.line_id, driver])
            ways = [one for one in minutes if one < _NOON_MIN], [one for one in minutes if one >= _NOON_MIN]
            for back, half in enumerate(ways):
                if not half or driver not in names:
                    continue
                usual = half[len(half) // 2] // _STEP_MIN * _STEP_MIN
                from_stop, to_stop = ends if (number + back) % 2 == 0 else ends[::-1]
                weeks = Weeks(sorted(line.days), time(usual // 60, usual % 60), now.astimezone(PARIS).date())
                given = GivenOffer(weeks, 3, line_id=line.line_id, from_stop=from_stop, to_stop=to_stop)
                publish(engine, straight_ways, names[driver], given, line, f"demo-{back}", ACTOR, now)
                n_offers += 1
    return n_offers
