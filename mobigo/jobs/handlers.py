"""Handlers: what each kind of job does, and what comes back every day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from sqlalchemy import Engine

from mobigo.jobs.schedules import Schedule
from mobigo.outbound.letters import Post
from mobigo.security import Keys
from mobigo.services import retention
from mobigo.services.covoiturage.partners import TELL_JOB, tell
from mobigo.services.jobs import Handler, no_effects
from mobigo.services.ledger.proving import seal_day
from mobigo.services.people import messages
from mobigo.store.jobs import Claim, Effects
from socle.times import PARIS

RETENTION = "retention.apply"
LEDGER_SEAL = "ledger.seal"


@dataclass(frozen=True, slots=True)
class Means:
    """What handlers work with, from the settings."""

    engine: Engine
    keys: Keys
    post: Post
    clock: Callable[[], datetime]
    site: str = ""  # our address as others see it
    letters: Path | None = None  # where letters are files of this machine


def make_handlers(means: Means) -> Mapping[str, Handler]:
    """Every kind of job and who does it."""

    def tidy(_claim: Claim) -> Effects:
        # Many small transactions of its own, so that it never keeps writers waiting; doing it again does no harm.
        retention.apply(means.engine, letters=means.letters, now=means.clock())
        return no_effects

    def seal(_claim: Claim) -> Effects:
        # A day that is sealed keeps its head, so doing it again does no harm either.
        now = means.clock()
        seal_day(means.engine, means.keys, now.astimezone(PARIS).date() - timedelta(days=1), now)
        return no_effects

    def write(claim: Claim) -> Effects:
        # Sent outside the transaction: a worker that dies before it is told sends the same message again.
        messages.send_message(
            means.engine, means.keys, str(claim.payload["code_id"]), means.post, claim.key, means.clock()
        )
        return no_effects

    def tell_partner(claim: Claim) -> Effects:
        # The partner knows one that it got twice by its key, or by the state that the booking is in already.
        tell(means.engine, means.keys, means.site, claim)
        return no_effects

    return {RETENTION: tidy, LEDGER_SEAL: seal, messages.MESSAGE_JOB: write, TELL_JOB: tell_partner}


SCHEDULES = (
    Schedule("ledger", LEDGER_SEAL, time(0, 20)),
    Schedule("retention", RETENTION, time(4, 10)),
)
