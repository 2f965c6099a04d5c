"""Bells: what other bells would save: how far schools may move, the front that the optimiser finds, and its plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import searching, studying
from mobigo.services.scolaire.searching import ENDED, Bells, KeptTrial, Search
from mobigo.services.scolaire.studying import OpenStudy, Version
from mobigo.texts import error_sentence
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Choice, Field, Fields, Link, status_of
from mobigo.web.scolaire.desk.comparing import compare_href
from mobigo.web.scolaire.desk.frontier import Shown, front_chart
from mobigo.web.scolaire.desk.pictures import NOTHING, Drawn, clock
from mobigo.web.scolaire.desk.telling import bells_href, budget_told, read_turn, read_whole, search_link
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from mobigo.web.wording import euros, number, say, say_count
from scolaire.plans import SchoolPlan
from socle.errors import MobigoError, NotFound

_SEED = 1
_USUAL = {"minutes": "15", "duree": "60"}


@dataclass(frozen=True, slots=True)
class AskPage:
    """By how much bells may move, and which do not."""

    title: str
    problems: Sequence[Link]
    action: str
    turn: int
    fields: Sequence[Field]
    trials: Sequence[Link]
    back: Link


@dataclass(frozen=True, slots=True)
class PointRow:
    """A plan of the front."""

    name: str
    cells: Sequence[str]
    compare: str


@dataclass(frozen=True, slots=True)
class BellRow:
    """A school, its bell as it is, and with each plan of the front."""

    school: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class TrialPage:
    """A search that moves bells."""

    title: str
    problems: Sequence[Link]
    lead: str
    href: str
    lines: Sequence[Line]
    is_over: bool
    bounds: Sequence[str]
    chart: Drawn
    points: Sequence[PointRow]
    heads: Sequence[str]
    bells: Sequence[BellRow]
    choices: Sequence[Choice]
    turn: int
    study_href: str
    back: Link


# --- what is asked -------------------------------------------------------------------------------


def _ask_page(request: Request, study_id: str, typed: Mapping[str, str], error: MobigoError | None) -> AskPage:
    state = request.app.state
    study, plan = studying.get_head(state.engine, state.keys, study_id)
    told = _USUAL | {name: value for name, value in typed.items() if name in _USUAL}
    schools = sorted(enumerate(plan.schools), key=lambda each: each[1].name)
    fields = [
        Field(
            "minutes",
            say("scolaire.desk.bells.minutes"),
            "select",
            told["minutes"],
            choices=[
                Choice(str(most // 60), say("scolaire.desk.bells.at_most", n=most // 60)) for most in searching.MOST_S
            ],
        ),
        Field(
            "fixe",
            say("scolaire.desk.bells.fixed"),
            "choices",
            choices=[Choice(str(at), one.name or one.school_id, f"fixe_{at}" in typed) for at, one in schools],
        ),
        Field(
            "duree",
            say("scolaire.desk.field.budget"),
            "select",
            told["duree"],
            choices=[Choice(str(one), budget_told(one)) for one in searching.BUDGETS_S],
        ),
    ]
    known = [one for one in searching.list_searches(state.engine, study_id) if one.bells is not None]
    return AskPage(
        title=say("scolaire.desk.bells.title"),
        problems=[Link("#formulaire", error_sentence(error))] if error else (),
        action=f"{study_href(study_id)}/horaires",
        turn=study.turn,
        fields=fields,
        trials=[search_link(one) for one in known],
        back=Link(study_href(study_id), study.title),
    )


def _asked(plan: SchoolPlan, form: Mapping[str, str]) -> Bells:
    fixed = tuple(one.school_id for at, one in enumerate(plan.schools) if f"fixe_{at}" in form)
    return Bells(60 * read_whole(form.get("minutes", "")), fixed)


# --- what was found ------------------------------------------------------------------------------


def _lines(one: Search, bells: Bells, plan: SchoolPlan) -> list[Line]:
    names = [school.name or school.school_id for school in plan.schools if school.school_id in bells.fixed]
    told = {
        "state": say(f"scolaire.desk.search.{one.state}"),
        "minutes": say("scolaire.desk.bells.at_most", n=bells.most_s // 60),
        "fixed": ", ".join(names) or say("scolaire.desk.bells.none_fixed"),
    }
    if bells.n_trials is not None:
        told["tried"] = say("scolaire.desk.of", n=bells.n_tried, all=bells.n_trials)
    if one.period and one.state not in ENDED:
        told["period"] = one.period
    told["spent"] = budget_told(one.spent_s)
    return [Line(say(f"scolaire.desk.bells.line.{name}"), value) for name, value in told.items()]


def _bounds(one: Search, bells: Bells) -> list[str]:
    """What no bells can beat: with any runs, and with those that were found."""
    if one.bound is None or bells.fewest is None:
        return []
    minutes = bells.most_s // 60
    proved = say("scolaire.desk.bells.proved" if bells.is_proved else "scolaire.desk.bells.open")
    return [
        say_count("scolaire.desk.bells.least", one.bound, minutes=minutes),
        f"{say_count('scolaire.desk.bells.fewest', bells.fewest, minutes=minutes)} {proved}",
    ]


def _cost(trial: KeptTrial) -> tuple[int, int]:
    return sum(abs(moved) for moved in trial.moved_s.values()) // 60, len(trial.moved_s)


def _point(name: str, study_id: str, base: int, trial: KeptTrial, version: Version) -> PointRow:
    figures = version.figures or {}
    minutes, n_schools = _cost(trial)
    cells = (
        number(figures.get("n_vehicles", 0)),
        say("scolaire.desk.bells.n_minutes", n=minutes),
        number(n_schools),
        number(figures.get("n_not_served", 0)),
        euros(figures.get("day_cents", 0)),
    )
    return PointRow(name, cells, compare_href(study_id, base, trial.version) if trial.version != base else "")


def _bells(plan: SchoolPlan, trials: Sequence[KeptTrial]) -> list[BellRow]:
    """The schools that move somewhere on the front, with the bell of the morning."""
    rows = []
    for school in sorted(plan.schools, key=lambda one: one.name):
        moved = [trial.moved_s.get(school.school_id, 0) for trial in trials]
        if any(moved) and (bell := school.bell_am_s) is not None:
            rows.append(BellRow(school.name or school.school_id, (clock(bell), *(_bell(bell, one) for one in moved))))
    return rows


def _bell(bell: int, moved_s: int) -> str:
    if not moved_s:
        return clock(bell)
    signed = f"{'+' if moved_s > 0 else '−'}{abs(moved_s) // 60}"
    return say("scolaire.desk.bells.moved", bell=clock(bell + moved_s), minutes=signed)


def _trial_page(request: Request, study_id: str, n: int, error: MobigoError | None) -> TrialPage:
    state = request.app.state
    one = searching.get_search(state.engine, study_id, n)
    bells = one.bells
    if bells is None:
        raise NotFound("unknown_search", study=study_id, number=n)
    found: OpenStudy = studying.open_study(state.engine, state.keys, study_id, 1)
    plan = studying.get_plan(state.engine, state.keys, study_id, one.base)
    versions = {each.number: each for each in found.versions}
    base = KeptTrial(one.base, {})
    trials = [base, *(each for each in bells.trials if each.version != one.base)]
    names = [say("scolaire.desk.bells.as_is"), *(say("scolaire.desk.bells.plan", n=at) for at in range(1, len(trials)))]
    points = [
        _point(name, study_id, one.base, trial, versions[trial.version])
        for name, trial in zip(names, trials, strict=True)
    ]
    shown = [
        Shown("" if at == 0 else str(at), _cost(trial)[0], (versions[trial.version].figures or {}).get("n_vehicles", 0))
        for at, trial in enumerate(trials)
    ]
    return TrialPage(
        title=say("scolaire.desk.bells.title"),
        problems=[Link("#agir", error_sentence(error))] if error else (),
        lead=say("scolaire.desk.search_lead", version=one.base, budget=budget_told(one.budget_s)),
        href=bells_href(study_id, n),
        lines=_lines(one, bells, plan),
        is_over=one.state in ENDED,
        bounds=_bounds(one, bells),
        chart=front_chart(shown, one.bound) if len(trials) > 1 else Drawn(NOTHING),
        points=points,
        heads=names,
        bells=_bells(plan, trials[1:]),
        choices=[
            Choice(str(trial.version), say("scolaire.desk.bells.choice", name=name, version=trial.version))
            for name, trial in zip(names[1:], trials[1:], strict=True)
        ],
        turn=found.study.turn,
        study_href=study_href(study_id),
        back=Link(study_href(study_id), found.study.title),
    )


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/etude/…/horaires`."""
    router = APIRouter(include_in_schema=False)

    def ask_again(
        request: Request, study_id: str, typed: Mapping[str, str], error: MobigoError | None = None
    ) -> Response:
        page = _ask_page(request, study_id, typed, error)
        status = status_of(error) if error else 200
        return pages.send(request, "scolaire/desk/bells.html", status=status, cache="no-store", page=page)

    def show(request: Request, study_id: str, n: int, error: MobigoError | None = None) -> Response:
        return pages.send(
            request,
            "scolaire/desk/bell_trials.html",
            fragment="scolaire/desk/bell_front.html",
            status=status_of(error) if error else 200,
            cache="no-store",
            page=_trial_page(request, study_id, n, error),
            enhanced=True,
        )

    @router.get(f"{YEAR}/etude/{{study_id}}/horaires")
    def ask(request: Request, _principal: Planner, study_id: str) -> Response:
        return ask_again(request, study_id, {})

    @router.post(f"{YEAR}/etude/{{study_id}}/horaires")
    def begin(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        state, now = request.app.state, door.now_of(request)
        try:
            turn, budget = read_turn(form), read_whole(form.get("duree", ""))
            _study, plan = studying.get_head(state.engine, state.keys, study_id)
            bells = _asked(plan, form)
            asked = searching.ask(state.engine, study_id, turn, budget, _SEED, principal.actor, now, bells)
        except MobigoError as error:
            return ask_again(request, study_id, form, error)
        return door.go(bells_href(study_id, asked.number))

    @router.get(f"{YEAR}/etude/{{study_id}}/horaires/{{number}}")
    def trial(request: Request, _principal: Planner, study_id: str, number: str) -> Response:
        return show(request, study_id, read_whole(number))

    @router.post(f"{YEAR}/etude/{{study_id}}/horaires/{{number}}/arreter")
    def stop(request: Request, _principal: Planner, study_id: str, number: str, _form: Fields) -> Response:
        try:
            searching.stop(request.app.state.engine, study_id, read_whole(number), door.now_of(request))
        except MobigoError as error:
            return show(request, study_id, read_whole(number), error)
        return door.go(bells_href(study_id, read_whole(number)))

    return router
