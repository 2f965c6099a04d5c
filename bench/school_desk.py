"""School desk: what a planner's "what if" and a kept change take as whole requests, through the application.

A request goes through middlewares, session, form token, database, edit and template in this process, without a
socket; what the client itself takes is counted too.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from mobigo.app import make_app
from mobigo.security import Role
from mobigo.services.people.administration import Details, write_person_made
from mobigo.services.people.signing import Where, let_in
from mobigo.services.scolaire import studying
from mobigo.services.scolaire.importing import import_sector
from mobigo.settings import Settings
from mobigo.store.base import migrate, transaction
from mobigo.web.scolaire.desk.asking import QUESTIONS
from routing.journeys.snapshot import Snapshot
from scolaire.edits.journal import render_edit
from scolaire.edits.kinds import AddPupil, Edit
from scolaire.planfiles import render_plan
from scolaire.plans import SchoolPlan
from scolaire.pupils import Sector
from scolaire.writing import render_sector
from socle.errors import Unavailable
from tests.worlds.school_plans import drawn_edit

KEPT_EACH: Final = 4  # of so many changes that were tried out one is kept
ACTOR: Final = "person:bench"


class NoNetwork:
    """No timetable: the desk asks for none."""

    def current(self) -> Snapshot:
        """Nothing is served."""
        raise Unavailable("no_network")


@dataclass
class Taken:
    """Milliseconds of the processor, by what was asked for."""

    part: list[float] = field(default_factory=list)  # what if, as scripts ask for it
    page: list[float] = field(default_factory=list)  # what if, as a whole page
    kept: list[float] = field(default_factory=list)  # a change kept, without the page that it leads to
    study: list[float] = field(default_factory=list)  # the page of the study after it
    n_refused: int = 0


def answers_of(plan: SchoolPlan, edit: Edit) -> tuple[str, dict[str, str]]:
    """The form that asks for an edit, and what is typed into it."""
    tree = render_edit(edit)
    kind = str(tree["kind"])
    pupils = {rider.pupil_id: number for number, rider in enumerate(plan.riders, 1)}
    typed = {}
    for question in QUESTIONS[kind]:
        value = tree.get(question.fills)
        typed[question.name] = "" if value is None else _typed(question.ask, value, pupils)
    return kind, typed


def _typed(ask: str, value: Any, pupils: Mapping[str, int]) -> str:
    if ask == "pupil":
        return str(pupils[value])
    if ask == "halt":
        return str(value + 1)
    if ask == "order":
        return " ".join(str(at + 1) for at in value)
    if ask == "time":
        return f"{value // 3600:02}:{value % 3600 // 60:02}"
    if ask == "yes":
        return "oui" if value else "non"
    return str(value)


def measure_requests(sector: Sector, plan: SchoolPlan, folder: Path, n_edits: int, seed: int) -> Taken:
    """Ask for edits drawn one after the other on the plan that the last one kept left."""
    return asyncio.run(_measure(sector, plan, folder, n_edits, seed))


async def _measure(sector: Sector, plan: SchoolPlan, folder: Path, n_edits: int, seed: int) -> Taken:
    app = make_app(NoNetwork(), Settings(_env_file=None, data_dir=folder))
    engine, keys, now = app.state.engine, app.state.keys, datetime.now(UTC)
    migrate(engine)
    import_sector(engine, keys, render_sector(sector), now.year, "bench", ACTOR, now)
    study = studying.add_study(engine, keys, f"{now.year}-bench", "Essai", render_plan(plan), ACTOR, "", now, folder)
    with transaction(engine) as session:
        told = Details("Paule Roy", "paule@exemple.test", "").read()
        person = write_person_made(session, keys, told, "!", [Role.SCHOOL_PLANNER], ACTOR, now)
        token = let_in(session, keys, person, "password", Where("192.0.2.7", "bench"), now).token
    href, taken, dice = f"/scolaire/etude/{study.study_id}", Taken(), random.Random(seed)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client:
        client.cookies.set("mobigo", f"s.{token}")
        page = (await client.get(f"{href}/modifier/lock_circuit")).text
        form_token = re.search(r'name="jeton" value="([^"]+)"', page)[1]  # type: ignore[index]  # every form has one
        for number in range(n_edits + 1):
            study, head = studying.get_head(engine, keys, study.study_id)
            edit = drawn_edit(head, dice, number)
            if isinstance(edit, AddPupil):  # the form adds children of the sector alone
                continue
            kind, typed = answers_of(head, edit)
            form = typed | {"jeton": form_token, "tour": str(study.turn)}
            asked = [(taken.part, {"HX-Request": "true"}), (taken.page, {})]
            dice.shuffle(asked)  # either is the first at times
            for times, headers in asked:
                begun = time.process_time()
                answer = await client.post(f"{href}/modifier/{kind}", data=form, headers=headers)
                if answer.status_code == httpx.codes.OK and number:  # the first one opens what the others share
                    times.append(1_000 * (time.process_time() - begun))
            if answer.status_code != httpx.codes.OK:
                taken.n_refused += 1
            elif number % KEPT_EACH == 0:
                begun = time.process_time()
                answer = await client.post(f"{href}/modifier/{kind}", data=form | {"faire": "garder"})
                answer.raise_for_status() if answer.is_error else None
                taken.kept.append(1_000 * (time.process_time() - begun))
                begun = time.process_time()
                (await client.get(href)).raise_for_status()
                taken.study.append(1_000 * (time.process_time() - begun))
    return taken
