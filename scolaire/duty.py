"""Duty: how long one driver may work with a coach on a day.

A coach has one driver a day. From leaving the depot first to being back last is the *amplitude* of that day: 12 hours,
and up to 14 on regular services, with a break in the middle as school coaches have it (code des transports, articles
R3312-9 and R3312-28). At the wheel it is 9 hours at most (regulation (EC) 561/2006, article 6); the halts of a run
count as driving here, so that nobody has to know which of them is a break.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scolaire.plans import Run

SPREAD_MAX_S: Final = 14 * 3600
WHEEL_MAX_S: Final = 9 * 3600


def keeps_duty(runs: Sequence[Run]) -> bool:
    """Whether one driver may drive all these runs on one day."""
    spread = max(run.ends_s for run in runs) - min(run.begins_s for run in runs)
    return spread <= SPREAD_MAX_S and sum(run.ends_s - run.begins_s for run in runs) <= WHEEL_MAX_S
