"""Driving: a run as its driver holds it in hand, and the same for the office: who gets on, who is aboard, is it empty.

Everything is a form, so that an old telephone without scripts does all of it. An answer is a word, a colour and a sign.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import Permission
from mobigo.services.people.principal import Principal
from mobigo.services.scolaire import boarding, boards, coaches, contracting
from mobigo.services.scolaire.boarding import Told
from mobigo.services.scolaire.boards import Board, Child, HaltList
from mobigo.services.scolaire.noting import Teller
from mobigo.services.streets import open_guide
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.papers.roadbooks import render_roadbooks
from mobigo.web.people.forms import Fields, Link, status_of
from mobigo.web.scolaire.carrier import CARRIER, Carrier
from mobigo.web.scolaire.contracts import read_day
from mobigo.web.scolaire.office.files import OFFICE
from mobigo.web.scolaire.places import BOARD, OFFICE_BOARD, ROADBOOK, board_href
from mobigo.web.scolaire.sheets import Cell, Sheet, Table, send_sheet
from mobigo.web.scolaire.words import hour
from mobigo.web.wording import long_day, say
from scolaire.roadbook import make_roadbook
from socle.errors import BadInput, MobigoError
from socle.times import PARIS

Office = Annotated[Principal, Depends(door.Needs(Permission.SCHOOL_OFFICE))]
_TICKED: Final = re.compile(r"e([0-9]{1,6})")
_SOON_S: Final = 300  # a halt is the next one until so long after its time
_SIGNS: Final = {"green": "✓", "orange": "!", "red": "✕"}


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """What the driver is answered."""

    colour: str
    sign: str
    word: str
    label: str
    told: str


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A child on the list."""

    rider: int | None
    label: str
    remark: str
    has_boarded: bool
    is_aboard: bool


@dataclass(frozen=True, slots=True)
class HaltPart:
    """A halt: its list, and where it is looked at."""

    place: int
    href: str
    name: str
    at: str
    is_chosen: bool
    n_up: int
    n_boarded: int
    stop_id: str
    up: Sequence[ChildRow]
    down: Sequence[ChildRow]


@dataclass(frozen=True, slots=True)
class BoardPage:
    """A run of a day."""

    title: str
    lead: str
    back: Link
    problems: Sequence[Link]
    said: str
    answers: Sequence[AnswerPart]
    action: str
    day: str
    circuit: str
    run: str
    key: str
    counted: str
    stage: str
    is_overdue: bool
    may_act: bool
    halts: Sequence[HaltPart]
    here: HaltPart
    listed: Sequence[tuple[HaltPart, Sequence[ChildRow]]]  # the whole list, by the halt where children wait or get off
    aboard: Sequence[ChildRow]
    n_guests: int
    links: Sequence[Link]


def _child(one: Child) -> ChildRow:
    remarks = [one.card if one.card != one.label else "", say("scolaire.board.away") if one.is_away else ""]
    if one.has_boarded:
        remarks.append(say("scolaire.board.boarded" if one.is_aboard else "scolaire.board.off"))
    return ChildRow(one.rider, one.label, " · ".join(filter(None, remarks)), one.has_boarded, one.is_aboard)


def _answer(told: Told) -> AnswerPart:
    colour = str(told.answer)
    word, why = say(f"scolaire.board.answer.{colour}"), say(f"scolaire.board.why.{told.why}")
    return AnswerPart(colour, _SIGNS[colour], word, told.label, why)


def _chosen(halts: Sequence[HaltList], typed: str, now: datetime, *, is_today: bool) -> int:
    """The halt that is looked at: the one asked for, else the next by the clock."""
    if typed.isascii() and typed.isdigit() and len(typed) < 4 and int(typed) < len(halts):
        return int(typed)
    if not is_today:
        return 0
    at = now.astimezone(PARIS)
    seconds = at.hour * 3600 + at.minute * 60
    return next((one.place for one in halts if one.arrives_s + _SOON_S >= seconds), len(halts) - 1)


def _page(
    request: Request,
    board: Board,
    path: str,
    back: Link,
    answers: Sequence[Told],
    said: str,
    error: MobigoError | None,
    *,
    may_act: bool,
) -> BoardPage:
    coach, now = board.coach, door.now_of(request)
    day = coach.on.day.isoformat()
    is_today = coach.on.day == now.astimezone(PARIS).date()
    chosen = _chosen(board.halts, request.query_params.get("halte", ""), now, is_today=is_today)
    halts = [
        HaltPart(
            one.place,
            board_href(path, coach.circuit_id, coach.run.run_id, day, halte=str(one.place)),
            one.name,
            hour(one.arrives_s),
            one.place == chosen,
            len(one.up),
            sum(each.has_boarded for each in one.up),
            one.stop_id,
            [_child(each) for each in one.up],
            [_child(each) for each in one.down],
        )
        for one in board.halts
    ]
    aboard = [_child(one) for halt in board.halts for one in halt.up if one.is_aboard] + list(map(_child, board.others))
    counted = say("scolaire.board.counted", boarded=board.n_boarded, expected=board.n_expected, aboard=board.n_aboard)
    stage = "overdue" if board.is_overdue else str(board.stage or "none")
    links = []
    if may_act:
        links.append(
            Link(board_href(ROADBOOK, coach.circuit_id, coach.run.run_id, day), say("scolaire.board.roadbook"))
        )
    return BoardPage(
        title=say("scolaire.board.title", run=coach.run.run_id),
        lead=say("scolaire.board.lead", day=long_day(coach.on.day), circuit=coach.circuit_id),
        back=back,
        problems=[Link("#numero", error_sentence(error))] if error else (),
        said=said,
        answers=[_answer(one) for one in answers],
        action=path,
        day=day,
        circuit=coach.circuit_id,
        run=coach.run.run_id,
        key=secrets.token_urlsafe(12),
        counted=counted,
        stage=say(f"scolaire.board.stage.{stage}"),
        is_overdue=board.is_overdue,
        may_act=may_act and is_today,
        halts=halts,
        here=halts[chosen],
        listed=[(one, rows) for one in halts if (rows := one.up if coach.is_to_school else one.down)],
        aboard=aboard,
        n_guests=board.n_guests,
        links=links,
    )


def _asked(values: Mapping[str, str]) -> tuple[date, str, str]:
    return read_day(values.get("jour", "")), values.get("circuit", "")[:120], values.get("course", "")[:120]


def _runs_sheet(request: Request) -> Sheet:
    state, now = request.app.state, door.now_of(request)
    typed = request.query_params.get("jour", "")
    day = read_day(typed) if typed else now.astimezone(PARIS).date()
    runs = coaches.list_runs(state.engine, state.keys, day, Teller("system:board"), now)
    rows = [
        [
            Cell(one.run_id, board_href(OFFICE_BOARD + "/course", one.circuit_id, one.run_id, day.isoformat())),
            Cell(one.circuit_id),
            Cell(f"{hour(one.begins_s)} – {hour(one.ends_s)}"),
            Cell(f"{one.n_boarded} / {one.n_expected}"),
            Cell(str(one.n_aboard)),
            Cell(say(f"scolaire.board.stage.{'overdue' if one.is_overdue else str(one.stage or 'none')}")),
        ]
        for one in sorted(runs, key=lambda one: (not one.is_overdue, one.begins_s, one.run_id))
    ]
    columns = [
        say(f"scolaire.board.column.{name}") for name in ("run", "circuit", "times", "boarded", "aboard", "state")
    ]
    beside = (day - timedelta(days=1), day + timedelta(days=1))
    return Sheet(
        title=say("scolaire.board.office_title"),
        back=Link(OFFICE, say("school.hub.title")),
        lead=say("scolaire.board.office_lead"),
        tables=[
            Table(
                say("scolaire.carrier.runs_of", day=long_day(day)),
                columns,
                rows,
                frozenset({3, 4}),
                say("scolaire.board.no_run"),
            )
        ],
        links=[Link(door.with_query(OFFICE_BOARD, jour=str(one)), long_day(one)) for one in beside],
    )


Act = Callable[[Request, coaches.Coach, Mapping[str, str], Teller, datetime], str]


def _number(request: Request, coach: coaches.Coach, form: Mapping[str, str], by: Teller, now: datetime) -> str:
    state, key = request.app.state, form.get("cle", "")
    told = boarding.validate_number(
        state.engine, state.keys, coach, form.get("numero", "")[:40], form.get("arret", "")[:80], key, by, now
    )
    return told.event_id


def _ticked(form: Mapping[str, str]) -> list[int]:
    return sorted(int(found[1]) for name in form if (found := _TICKED.fullmatch(name)))


def _tick(request: Request, coach: coaches.Coach, form: Mapping[str, str], by: Teller, now: datetime) -> str:
    state, riders = request.app.state, _ticked(form)
    told = boarding.tick(
        state.engine, state.keys, coach, riders, form.get("arret", "")[:80], form.get("cle", ""), by, now
    )
    return " ".join(one.event_id for one in told) if len(told) <= 3 else "tous"


def _off(request: Request, coach: coaches.Coach, form: Mapping[str, str], by: Teller, now: datetime) -> str:
    state, typed = request.app.state, form.get("halte", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 4):
        raise BadInput("boarding_stop")
    riders = _ticked(form) or None
    boarding.alight(state.engine, state.keys, coach, int(typed), riders, form.get("cle", ""), by, now)
    return "descendus"


def _guest(request: Request, coach: coaches.Coach, form: Mapping[str, str], by: Teller, now: datetime) -> str:
    is_off = form.get("sens", "") == "descend"
    stop = form.get("arret", "")[:80]
    boarding.count_guest(request.app.state.engine, coach, stop, form.get("cle", ""), by, now, is_off=is_off)
    return "invite"


def _end(request: Request, coach: coaches.Coach, form: Mapping[str, str], by: Teller, now: datetime) -> str:
    is_empty = form.get("vide", "") == "oui"
    boarding.end_run(request.app.state.engine, coach, form.get("cle", ""), by, now, is_empty=is_empty)
    return "vide" if is_empty else "fin"


ACTS: Final[Mapping[str, Act]] = {
    "numero": _number,
    "monter": _tick,
    "descendre": _off,
    "invite": _guest,
    "finir": _end,
}
_DONE: Final = frozenset({"tous", "descendus", "invite", "vide", "fin"})


def make_router(pages: Pages) -> APIRouter:
    """`/exploitant/car` for drivers, `/scolaire/bureau/bord` for the office."""
    router = APIRouter(include_in_schema=False)

    def teller(request: Request, principal: Principal) -> Teller:
        return Teller(principal.actor, contracting.carriers_of(request.app.state.engine, principal.pseudonym))

    def show(request: Request, by: Teller, values: Mapping[str, str], error: MobigoError | None = None) -> Response:
        state, now = request.app.state, door.now_of(request)
        day, circuit, run = _asked(values)
        board = boards.open_board(state.engine, state.keys, day, circuit, run, by, now)
        done = request.query_params.get("reponse", "")
        answers: list[Told] = []
        for event in done.split()[:3] if done not in _DONE else ():
            told = boarding.find_told(state.engine, state.keys, board.coach, event[:100])
            if told is not None:
                answers.append(told)
        said = say(f"scolaire.board.done.{done}") if done in _DONE and error is None else ""
        is_driver = by.carriers is not None
        path = BOARD if is_driver else f"{OFFICE_BOARD}/course"
        home = CARRIER if is_driver else OFFICE_BOARD
        name = "scolaire.carrier.title" if is_driver else "scolaire.board.office_title"
        back = Link(door.with_query(home, jour=day.isoformat()), say(name))
        page = _page(request, board, path, back, [] if error else answers, said, error, may_act=is_driver)
        status = status_of(error) if error else 200
        return pages.send(request, "scolaire/boarding/board.html", status=status, cache="no-store", page=page)

    @router.get(BOARD)
    def board(request: Request, principal: Carrier) -> Response:
        return show(request, teller(request, principal), request.query_params)

    @router.get(ROADBOOK)
    def roadbook(request: Request, principal: Carrier) -> Response:
        state = request.app.state
        day, circuit, run = _asked(request.query_params)
        coach = coaches.find_coach(state.engine, state.keys, day, circuit, run, teller(request, principal))
        book = make_roadbook(coach.plan, coach.run, open_guide(state.data_dir))
        headers = {"Content-Disposition": 'inline; filename="feuille-de-route.pdf"', "Cache-Control": "no-store"}
        return Response(render_roadbooks([book]), media_type="application/pdf", headers=headers)

    @router.get(OFFICE_BOARD)
    def runs(request: Request, _principal: Office) -> Response:
        return send_sheet(pages, request, _runs_sheet(request))

    @router.get(f"{OFFICE_BOARD}/course")
    def office_board(request: Request, principal: Office) -> Response:
        return show(request, Teller(principal.actor), request.query_params)

    def do(name: str, act: Act) -> None:
        @router.post(f"{BOARD}/{name}")
        def done(request: Request, principal: Carrier, form: Fields) -> Response:
            state, now, by = request.app.state, door.now_of(request), teller(request, principal)
            day, circuit, run = _asked(form)
            try:
                coach = coaches.find_coach(state.engine, state.keys, day, circuit, run, by)
                answer = act(request, coach, form, by, now)
            except BadInput as error:
                return show(request, by, form, error)
            typed = form.get("halte", "")
            more = {"halte": typed} if typed.isascii() and typed.isdigit() else {}
            return door.go(board_href(BOARD, circuit, run, day.isoformat(), reponse=answer, **more))

    for name, act in ACTS.items():
        do(name, act)
    return router
