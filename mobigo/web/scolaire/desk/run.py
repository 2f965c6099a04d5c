"""A run: its halts with who gets on and off, its load, its map, and what may be changed in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import studying
from mobigo.services.scolaire.looking import look
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Link
from mobigo.web.scolaire.desk.editing import edit_href
from mobigo.web.scolaire.desk.pictures import Drawn, clock, load_profile, name_of, plan_map
from mobigo.web.scolaire.desk.telling import broken_sentence, halts_href, period_told
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from mobigo.web.wording import distance, duration, number, say
from scolaire.plans import Halt, Run, SchoolPlan, rides_of
from socle.errors import NotFound


@dataclass(frozen=True, slots=True)
class Move:
    """A change that one button tries out: another order of the halts."""

    action: str
    run_id: str
    order: str
    words: str


@dataclass(frozen=True, slots=True)
class HaltRow:
    """One halt."""

    key: str
    place: int
    name: str
    arrives: str
    leaves: str
    up: str
    down: str
    load: int
    pupils: Sequence[Link]
    broken: Sequence[str]
    moves: Sequence[Move]
    links: Sequence[Link]


@dataclass(frozen=True, slots=True)
class RunPage:
    """A run of a study."""

    title: str
    lines: Sequence[Line]
    broken: Sequence[str]
    rows: Sequence[HaltRow]
    order: Move
    load: Drawn
    map: Drawn
    links: Sequence[Link]
    turn: int
    back: Link


def _halt_row(study_id: str, plan: SchoolPlan, run: Run, at: int, broken: Sequence[str]) -> HaltRow:
    halt = run.halts[at]
    pupils = halt.up + halt.down if halt.stop is not None else ()
    shown = run.run_id
    links = [
        Link(
            edit_href(study_id, "move_halt", course=shown, halte=str(at + 1)), say("scolaire.desk.kind.move_halt.name")
        ),
        Link(
            edit_href(study_id, "split_run", course=shown, halte=str(at + 1)), say("scolaire.desk.kind.split_run.name")
        ),
        Link(
            edit_href(study_id, "close_stop", arret=plan.stops[halt.stop or 0].stop_id),
            say("scolaire.desk.kind.close_stop.name"),
        ),
    ]
    return HaltRow(
        key=f"halte-{at + 1}",
        place=at + 1,
        name=name_of(plan, halt),
        arrives=clock(halt.arrives_s),
        leaves=clock(halt.leaves_s),
        up=number(len(halt.up)),
        down=number(len(halt.down)),
        load=run.loads[at],
        pupils=[
            Link(edit_href(study_id, "move_pupil", eleve=str(rider + 1)), say("scolaire.desk.pupil", n=rider + 1))
            for rider in pupils
        ],
        broken=broken,
        moves=_moves(study_id, run, at),
        links=links if halt.stop is not None else [],
    )


def _moves(study_id: str, run: Run, at: int) -> list[Move]:
    """The halt one place earlier or later."""
    found = []
    for other, key in ((at - 1, "earlier"), (at + 1, "later")):
        if 0 <= other < len(run.halts):
            order = list(range(1, len(run.halts) + 1))
            order[at], order[other] = order[other], order[at]
            found.append(_order(study_id, run, order, say(f"scolaire.desk.{key}", n=at + 1)))
    return found


def _order(study_id: str, run: Run, order: Sequence[int], words: str) -> Move:
    return Move(edit_href(study_id, "reorder_halts"), run.run_id, " ".join(map(str, order)), words)


def _halts_with_pupils(halts: Sequence[Halt]) -> int:
    return sum(halt.stop is not None for halt in halts)


def _lines(plan: SchoolPlan, run: Run) -> list[Line]:
    kind, period = plan.vehicle_types[run.vehicle_type], plan.periods[run.period]
    longest = max((ride.seconds for ride in rides_of(run)), default=0)
    told = {
        "circuit": run.circuit_id,
        "period": period_told(period),
        "vehicle": say("scolaire.desk.seats", name=kind.type_id, seats=kind.seats),
        "begins": clock(run.begins_s),
        "ends": clock(run.ends_s),
        "stops": number(_halts_with_pupils(run.halts)),
        "fullest": say("scolaire.desk.of", n=max(run.loads), all=kind.seats),
        "driven": distance(run.driven_m),
        "loaded": distance(run.loaded_m),
        "longest": duration(longest),
    }
    return [Line(say(f"scolaire.desk.run_line.{name}"), value) for name, value in told.items()]


def _run_page(request: Request, study_id: str, run_id: str) -> RunPage:
    state = request.app.state
    study, plan = studying.get_head(state.engine, state.keys, study_id)
    seen = look(plan, state.data_dir)
    run = next((one for one in plan.runs if one.run_id == run_id), None)
    if run is None:
        raise NotFound("no_school_run", run=run_id[:60])
    own = [one for one in seen.broken if one.run_id == run_id]
    at_halt = {at: sorted({broken_sentence(one) for one in own if one.halt == at}) for at in {one.halt for one in own}}
    place, circuit = next(
        (at, one) for at, one in enumerate(seen.circuits) if any(each.run_id == run_id for each in one.runs)
    )
    links = [
        Link(halts_href(study_id, run.period), say("scolaire.desk.halts_by_run")),
        Link(edit_href(study_id, "merge_runs", course=run_id), say("scolaire.desk.kind.merge_runs.name")),
        Link(
            edit_href(study_id, "change_vehicle", circuit=run.circuit_id), say("scolaire.desk.kind.change_vehicle.name")
        ),
        Link(
            edit_href(study_id, "lock_circuit", circuit=run.circuit_id, verrou="non" if run.is_locked else "oui"),
            say("scolaire.desk.unlock" if run.is_locked else "scolaire.desk.lock"),
        ),
    ]
    alone = (place, replace(circuit, runs=(run,)))
    return RunPage(
        title=say("scolaire.desk.run", run=run_id),
        lines=_lines(plan, run),
        broken=at_halt.get(None, []),
        rows=[_halt_row(study_id, plan, run, at, at_halt.get(at, [])) for at in range(len(run.halts))],
        order=_order(study_id, run, list(range(1, len(run.halts) + 1)), say("scolaire.desk.kind.reorder_halts.name")),
        load=load_profile(plan, run),
        map=plan_map(plan, [alone]),
        links=links,
        turn=study.turn,
        back=Link(study_href(study_id), study.title),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/etude/…/course/…`."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{YEAR}/etude/{{study_id}}/course/{{run_id}}")
    def run(request: Request, _principal: Planner, study_id: str, run_id: str) -> Response:
        page = _run_page(request, study_id, run_id)
        return pages.send(request, "scolaire/desk/run.html", cache="no-store", page=page)

    return router
