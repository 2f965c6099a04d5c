"""Handlers: what each kind of job does, and what comes back every day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import Engine

from mobigo.jobs.schedules import Schedule
from mobigo.services import retention
from mobigo.services.jobs import Handler, no_effects
from mobigo.store.jobs import Claim, Effects

RETENTION = "retention.apply"


@dataclass(frozen=True, slots=True)
class Means:
    """What handlers work with, from the settings."""

    engine: Engine
    clock: Callable[[], datetime]


def make_handlers(means: Means) -> Mapping[str, Handler]:
    """Every kind of job and who does it."""

    def tidy(_claim: Claim) -> Effects:
        # Many small transactions of its own, so that it never keeps writers waiting; doing it again does no harm.
        retention.apply(means.engine, now=means.clock())
        return no_effects

    return {RETENTION: tidy}


SCHEDULES = (Schedule("retention", RETENTION, time(4, 10)),)
