"""Handlers: what each kind of job does, and what comes back every day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from sqlalchemy import Engine

from mobigo.jobs.schedules import Often, Schedule
from mobigo.outbound.letters import Post
from mobigo.security import Keys
from mobigo.services import retention
from mobigo.services.covoiturage import boarding_codes, plates
from mobigo.services.covoiturage.notifying import LETTER_JOB
from mobigo.services.covoiturage.notifying import write as write_of_carpool
from mobigo.services.covoiturage.opening import publish_due
from mobigo.services.covoiturage.outings import CLOSE_JOB
from mobigo.services.covoiturage.registrar import LOOK_JOB, SEND_JOB, Registry, look
from mobigo.services.covoiturage.registrar import tell as tell_of_ride
from mobigo.services.covoiturage.telling import TELL_JOB, tell
from mobigo.services.jobs import Handler, no_effects
from mobigo.services.ledger.proving import seal_day
from mobigo.services.people import messages
from mobigo.services.scolaire import messaging, opening, searching
from mobigo.store.jobs import Claim, Effects
from mobigo.store.releases import find_current
from socle.times import PARIS

RETENTION = "retention.apply"
LEDGER_SEAL = "ledger.seal"
CARPOOLS_OPEN = "opendata.carpools"
CIRCUITS_OPEN = "opendata.circuits"


@dataclass(frozen=True, slots=True)
class Means:
    """What handlers work with, from the settings."""

    engine: Engine
    keys: Keys
    post: Post
    clock: Callable[[], datetime]
    site: str = ""  # our address as others see it
    letters: Path | None = None  # where letters are files of this machine
    data_dir: Path | None = None  # where public files are written
    registry: Registry | None = None  # the national registry of carpools, when it is told


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
        tell(means.engine, means.keys, means.site, claim, means.clock())
        return no_effects

    def send_boarding_code(claim: Claim) -> Effects:
        # As with letters: sent again under the same key, it is the same message.
        code_id = str(claim.payload["code_id"])
        boarding_codes.send_code(means.engine, means.keys, code_id, means.post.texts, claim.key, means.clock())
        return no_effects

    def close_outing(claim: Claim) -> Effects:
        # An outing that is closed stays as it is, so doing it again does no harm.
        n_events = claim.payload.get("n_events")
        outing_id = str(claim.payload["outing_id"])
        plates.close_when_empty(means.engine, outing_id, n_events if isinstance(n_events, int) else None, means.clock())
        return no_effects

    def tell_person(claim: Claim) -> Effects:
        # The same key is the same message, as above.
        write_of_carpool(means.engine, means.keys, means.post, claim)
        return no_effects

    def write_to_guardian(claim: Claim) -> Effects:
        # The same key is the same message; what became of it is noted with the completion.
        return messaging.write(means.engine, means.keys, means.post, claim, means.clock())

    def search_plan(claim: Claim) -> Effects:
        # What it finds is written on the way; a search that was begun before is not begun again.
        return searching.run(means.engine, means.keys, means.data_dir or Path(), claim, means.clock)

    def look_for_registry(_claim: Claim) -> Effects:
        return lambda session: look(session, means.clock())

    of_registry: dict[str, Handler] = {}
    if (registry := means.registry) is not None:

        def tell_registry(claim: Claim) -> Effects:
            # The registry knows by its id a journey that it got twice.
            return tell_of_ride(means.engine, means.keys, registry, claim, means.clock())

        of_registry = {LOOK_JOB: look_for_registry, SEND_JOB: tell_registry}

    return {
        **of_registry,
        RETENTION: tidy,
        LEDGER_SEAL: seal,
        **_publishing(means),
        messages.MESSAGE_JOB: write,
        TELL_JOB: tell_partner,
        boarding_codes.CODE_JOB: send_boarding_code,
        CLOSE_JOB: close_outing,
        LETTER_JOB: tell_person,
        messaging.LETTER_JOB: write_to_guardian,
        searching.SEARCH_JOB: search_plan,
    }


def _publishing(means: Means) -> dict[str, Handler]:
    """What is published at night."""

    def open_carpools(_claim: Claim) -> Effects:
        # A month that was published stays as it is, so doing it again does no harm.
        if means.data_dir is not None and find_current(means.data_dir) is not None:
            publish_due(means.engine, means.data_dir, "system:jobs", means.clock())
        return no_effects

    def open_circuits(_claim: Claim) -> Effects:
        # What has not changed is not published again, so doing it again does no harm.
        if means.data_dir is not None:
            opening.publish_circuits(means.engine, means.keys, means.data_dir, "system:jobs", means.clock())
        return no_effects

    return {CARPOOLS_OPEN: open_carpools, CIRCUITS_OPEN: open_circuits}


SCHEDULES = (
    Schedule("ledger", LEDGER_SEAL, time(0, 20)),
    Schedule("opendata-carpools", CARPOOLS_OPEN, time(3, 30)),
    Schedule("opendata-circuits", CIRCUITS_OPEN, time(3, 40)),
    Schedule("retention", RETENTION, time(4, 10)),
)
REGISTRY_SCHEDULE = Often("registry", LOOK_JOB, timedelta(minutes=15))


def schedules_of(means: Means) -> tuple[Schedule | Often, ...]:
    """What comes back, as far as it is set."""
    return SCHEDULES if means.registry is None else (*SCHEDULES, REGISTRY_SCHEDULE)
