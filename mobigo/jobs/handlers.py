"""Handlers: what each kind of job does, and what comes back every day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time

from mobigo.jobs.schedules import Schedule
from mobigo.services import jobs
from mobigo.services.jobs import Handler
from mobigo.store.jobs import Claim, Effects

FORGET = "jobs.forget"


@dataclass(frozen=True, slots=True)
class Means:
    """What handlers work with, from the settings."""

    clock: Callable[[], datetime]


def make_handlers(means: Means) -> Mapping[str, Handler]:
    """Every kind of job and who does it."""

    def forget(_claim: Claim) -> Effects:
        return jobs.forgetting(means.clock())

    return {FORGET: forget}


SCHEDULES = (Schedule("forget-jobs", FORGET, time(4, 10)),)
