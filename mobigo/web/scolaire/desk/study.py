"""A study: its map, what it breaks, its circuits, the day of its coaches, how long rides last, and its journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response

from mobigo.services.scolaire import studying
from mobigo.services.scolaire.looking import CircuitFigures, Seen, look
from mobigo.services.scolaire.studying import Act, JournalLine, OpenStudy
from mobigo.texts import error_sentence, text
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Fields, Link, status_of
from mobigo.web.scolaire.desk.pictures import Drawn, day_of_coaches, look_of, plan_map, ride_times
from mobigo.web.scolaire.desk.year import YEAR, Planner, study_href
from mobigo.web.wording import distance, duration, euros, long_day, moment, number, say, say_count
from scolaire.checking import Broken
from scolaire.edits.journal import KINDS
from scolaire.plans import Measures, SchoolPlan
from socle.errors import BadInput, MobigoError
from socle.times import PARIS

SORTS: Mapping[str, str] = {
    "circuit": "circuit_id",
    "eleves": "n_pupils",
    "km": "driven_m",
    "duree": "duty_s",
    "remplissage": "fill_percent",
    "trajet": "ride_most_s",
    "defauts": "n_broken",
}
_MOST_BROKEN = 40  # told one by one; the rest is counted
_COLUMNS = ("circuit", "eleves", "km", "duree", "remplissage", "trajet", "defauts")


@dataclass(frozen=True, slots=True)
class Todo:
    """Promises that are broken in one way."""

    rule: str
    counted: str
    places: Sequence[Link]
    more: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A column, and the link that sorts by it."""

    href: str
    name: str
    sort: str  # aria-sort, empty when the table is sorted by another


@dataclass(frozen=True, slots=True)
class CircuitRow:
    """One circuit in the table."""

    look: str
    name: str
    vehicle: str
    runs: Sequence[Link]
    cells: Sequence[str]
    locked: bool
    href: str


@dataclass(frozen=True, slots=True)
class Change:
    """One measure before and after the last edit."""

    name: str
    before: str
    after: str
    difference: str


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the journal."""

    at: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class StudyPage:
    """A study at its head."""

    title: str
    lead: str
    said: str
    problems: Sequence[Link]
    moved: Sequence[Told]
    href: str
    turn: int
    may_undo: bool
    may_redo: bool
    kpis: Sequence[Line]
    todo: Sequence[Todo]
    changes: Sequence[Change]
    shown: str
    map: Drawn
    gantt: Drawn
    rides: Drawn
    headings: Sequence[Heading]
    rows: Sequence[CircuitRow]
    journal: Sequence[Told]
    published: Sequence[str]
    versions: Sequence[Link]
    valid_from: str
    first_day: str
    last_day: str
    back: Link


def run_href(study_id: str, run_id: str, halt: int | None = None) -> str:
    """The page of a run, or one of its halts."""
    return f"{study_href(study_id)}/course/{run_id}" + ("" if halt is None else f"#halte-{halt + 1}")


def pupil_name(plan: SchoolPlan, pupil_id: str) -> str:
    """A pupil as planners speak of one: by the number in the plan, which stays the same from version to version."""
    place = next((at for at, rider in enumerate(plan.riders, 1) if rider.pupil_id == pupil_id), None)
    return say("scolaire.desk.pupil_unknown") if place is None else say("scolaire.desk.pupil", n=place)


def kpis_of(measures: Measures) -> list[Line]:
    """The bar of measures."""
    return [Line(say(f"scolaire.desk.kpi.{name}"), told) for name, told in _measures_told(measures).items()]


def _measures_told(one: Measures) -> dict[str, str]:
    return {
        "n_vehicles": number(one.n_vehicles),
        "n_runs": number(one.n_runs),
        "n_carried": number(one.n_carried),
        "n_not_served": number(one.n_not_served),
        "driven_m": distance(one.driven_m),
        "loaded": f"{100 * one.loaded_m // one.driven_m if one.driven_m else 0} %",
        "duty_s": duration(one.duty_s),
        "day_cents": euros(one.day_cents),
        "ride_mean_s": duration(one.ride_mean_s),
        "ride_p95_s": duration(one.ride_p95_s),
        "ride_most_s": duration(one.ride_most_s),
        "fill_percent": f"{one.fill_percent} %",
    }


def changes_of(before: Measures, after: Measures) -> list[Change]:
    """The measures that are others, with the difference."""
    told, now = _measures_told(before), _measures_told(after)
    signed = {
        "n_vehicles": _signed(number, before.n_vehicles, after.n_vehicles),
        "n_runs": _signed(number, before.n_runs, after.n_runs),
        "n_carried": _signed(number, before.n_carried, after.n_carried),
        "n_not_served": _signed(number, before.n_not_served, after.n_not_served),
        "driven_m": _signed(distance, before.driven_m, after.driven_m),
        "duty_s": _signed(duration, before.duty_s, after.duty_s),
        "day_cents": _signed(euros, before.day_cents, after.day_cents),
        "ride_mean_s": _signed(_seconds, before.ride_mean_s, after.ride_mean_s),
        "ride_p95_s": _signed(_seconds, before.ride_p95_s, after.ride_p95_s),
        "ride_most_s": _signed(_seconds, before.ride_most_s, after.ride_most_s),
    }
    return [
        Change(say(f"scolaire.desk.kpi.{name}"), told[name], now[name], difference)
        for name, difference in signed.items()
        if difference
    ]


def _seconds(n: int) -> str:
    return f"{number(n)} s"


def _signed(tell: Callable[[int], str], before: int, after: int) -> str:
    if before == after:
        return ""
    return ("+" if after > before else "−") + tell(abs(after - before))


def broken_sentence(one: Broken) -> str:
    """What is wrong, with by how much where that is counted."""
    told = text(f"scolaire.broken.{one.rule}")
    if one.found is None or one.limit is None:
        return told
    return f"{told} {say('scolaire.desk.found', found=number(one.found), limit=number(one.limit))}"


def todo_of(study_id: str, plan: SchoolPlan, broken: Sequence[Broken]) -> list[Todo]:
    """What is broken, by rule, the most frequent first, each with where to mend it."""
    by_rule: dict[str, list[Broken]] = {}
    for one in broken:
        by_rule.setdefault(one.rule, []).append(one)
    found = []
    for rule, some in sorted(by_rule.items(), key=lambda item: (-len(item[1]), item[0])):
        places = [_place(study_id, plan, one) for one in some[:_MOST_BROKEN]]
        rest = len(some) - len(places)
        more = say_count("scolaire.desk.more", rest) if rest else ""
        counted = say_count("scolaire.desk.times", len(some))
        found.append(Todo(text(f"scolaire.broken.{rule}"), counted, places, more))
    return found


def _place(study_id: str, plan: SchoolPlan, one: Broken) -> Link:
    parts = []
    if one.run_id is not None:
        parts.append(say("scolaire.desk.run", run=one.run_id))
    if one.pupil_id is not None:
        parts.append(pupil_name(plan, one.pupil_id))
    if one.subject is not None:
        parts.append(one.subject)
    if one.found is not None and one.limit is not None:
        parts.append(say("scolaire.desk.found", found=number(one.found), limit=number(one.limit)))
    name = ", ".join(parts) or say("scolaire.desk.whole_plan")
    if one.run_id is not None:
        return Link(run_href(study_id, one.run_id, one.halt), name)
    return Link(f"{study_href(study_id)}/modifier", name)


def journal_told(line: JournalLine) -> Told:
    """A line of the journal in words."""
    what = say(f"scolaire.desk.act.{line.act}", version=line.version)
    kind = line.edit.get("kind") if isinstance(line.edit, dict) else None
    if kind in KINDS:
        what = say(f"scolaire.desk.kind.{kind}.name")
    return Told(moment(line.at), what, line.why)


def _circuits(seen: Seen, study_id: str, chosen: str, sort: str) -> list[CircuitRow]:
    places = {one.circuit_id: at for at, one in enumerate(seen.circuits)}
    name = SORTS[sort]
    ordered = sorted(seen.circuits, key=lambda one: (getattr(one, name), one.circuit_id), reverse=sort != "circuit")
    return [
        CircuitRow(
            look_of(places[one.circuit_id]),
            one.circuit_id,
            seen.plan.vehicle_types[one.vehicle_type].type_id,
            [Link(run_href(study_id, run.run_id), run.run_id) for run in one.runs],
            (
                number(one.n_pupils),
                distance(one.driven_m),
                duration(one.duty_s),
                f"{one.fill_percent} %",
                duration(one.ride_most_s),
                number(one.n_broken),
            ),
            one.is_locked,
            f"{study_href(study_id)}?{'' if one.circuit_id == chosen else f'circuit={one.circuit_id}'}#plan",
        )
        for one in ordered
    ]


def _headings(study_id: str, sort: str) -> list[Heading]:
    return [
        Heading(
            f"{study_href(study_id)}?tri={name}#circuits",
            say(f"scolaire.desk.sort.{name}"),
            ("ascending" if name == "circuit" else "descending") if name == sort else "",
        )
        for name in _COLUMNS
    ]


def _stands(found: OpenStudy) -> str:
    head = found.study.head
    holds = next((one for one in found.published if one.version == head), None)
    if holds is not None:
        return say("scolaire.desk.lead.published", version=head, day=long_day(holds.valid_from))
    return say("scolaire.desk.lead.draft", version=head)


def _chosen(seen: Seen, circuit: str) -> Sequence[tuple[int, CircuitFigures]]:
    numbered = list(enumerate(seen.circuits))
    return [one for one in numbered if one[1].circuit_id == circuit] or numbered


def study_page(
    request: Request, study_id: str, said: str = "", error: MobigoError | None = None, since: int | None = None
) -> StudyPage:
    """The page of a study at its head."""
    state, typed = request.app.state, request.query_params
    found = studying.open_study(state.engine, state.keys, study_id)
    seen = look(found.plan)
    before = None
    if found.before is not None:
        before = look(studying.get_plan(state.engine, state.keys, study_id, found.before)).measures
    sort = typed.get("tri", "") if typed.get("tri", "") in SORTS else "circuit"
    shown = _chosen(seen, typed.get("circuit", ""))
    first, last = studying.days_of_year(found.sector.school_year)
    today = door.now_of(request).astimezone(PARIS).date()
    moved = [] if since is None else studying.list_since(state.engine, state.keys, study_id, since)
    versions = [one for one in reversed(found.versions) if one.number != found.study.head][:20]
    return StudyPage(
        title=found.study.title,
        lead=say("scolaire.desk.lead.sector", sector=found.sector.code, stands=_stands(found)),
        said=said,
        problems=[Link("#agir", error_sentence(error))] if error else (),
        moved=[journal_told(line) for line in moved],
        href=study_href(study_id),
        turn=found.study.turn,
        may_undo=found.before is not None,
        may_redo=found.after is not None,
        kpis=kpis_of(seen.measures),
        todo=todo_of(study_id, found.plan, seen.broken),
        changes=changes_of(before, seen.measures) if before is not None else (),
        shown=shown[0][1].circuit_id if len(shown) == 1 and len(seen.circuits) > 1 else "",
        map=plan_map(found.plan, shown),
        gantt=day_of_coaches(seen.circuits),
        rides=ride_times(found.plan),
        headings=_headings(study_id, sort),
        rows=_circuits(seen, study_id, shown[0][1].circuit_id if len(shown) == 1 else "", sort),
        journal=[journal_told(line) for line in found.journal],
        published=[
            say("scolaire.desk.published_line", day=long_day(one.valid_from), version=one.version, why=one.why)
            for one in found.published
        ],
        versions=[
            Link(str(one.number), say("scolaire.desk.version_told", version=one.number, at=moment(one.made_at)))
            for one in versions
        ],
        valid_from=str(min(max(today, first), last)),
        first_day=str(first),
        last_day=str(last),
        back=Link(f"{YEAR}?annee={found.sector.school_year}", say("scolaire.desk.title")),
    )


def read_turn(form: Mapping[str, str]) -> int:
    """The turn of the study that the form was made for.

    Raises:
        BadInput: `bad_form`.
    """
    typed = form.get("tour", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        raise BadInput("bad_form")
    return int(typed)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise BadInput("bad_day", day=typed[:20]) from None


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/etude/…`: looking, undoing, redoing, taking up another version, publishing."""
    router = APIRouter(include_in_schema=False)
    done = frozenset({"change", "annule", "retabli", "repris", "publie"})

    def show(
        request: Request, study_id: str, error: MobigoError | None = None, since: int | None = None, said: str = ""
    ) -> Response:
        page = study_page(request, study_id, said, error, since)
        status = status_of(error) if error else 200
        return pages.send(request, "scolaire/desk/study.html", status=status, cache="no-store", page=page)

    @router.get(f"{YEAR}/etude/{{study_id}}")
    def study(request: Request, _principal: Planner, study_id: str, fait: str = "") -> Response:
        return show(request, study_id, said=say(f"scolaire.desk.done.{fait}") if fait in done else "")

    def act(request: Request, principal: Planner, study_id: str, form: Mapping[str, str], what: Act) -> Response:
        state, now = request.app.state, door.now_of(request)
        turn: int | None = None
        try:
            turn = read_turn(form)
            if what is Act.PUBLISHED:
                day, why = _day(form.get("jour", "")), form.get("motif", "").strip()
                if not why:
                    raise BadInput("why_missing")
                studying.publish(state.engine, state.keys, study_id, turn, day, principal.actor, why, now)
            elif what is Act.ADOPTED:
                typed = form.get("version", "")
                version = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
                why = form.get("motif", "").strip()
                studying.adopt(state.engine, state.keys, study_id, turn, version, principal.actor, why, now)
            else:
                move = studying.undo if what is Act.UNDONE else studying.redo
                move(state.engine, state.keys, study_id, turn, principal.actor, now)
        except MobigoError as error:
            return show(request, study_id, error, turn if error.code == "study_moved_on" else None)
        names = {Act.PUBLISHED: "publie", Act.ADOPTED: "repris", Act.UNDONE: "annule", Act.REDONE: "retabli"}
        return door.go(door.with_query(study_href(study_id), fait=names[what]))

    @router.post(f"{YEAR}/etude/{{study_id}}/annuler")
    def undo(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        return act(request, principal, study_id, form, Act.UNDONE)

    @router.post(f"{YEAR}/etude/{{study_id}}/retablir")
    def redo(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        return act(request, principal, study_id, form, Act.REDONE)

    @router.post(f"{YEAR}/etude/{{study_id}}/reprendre")
    def adopt(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        return act(request, principal, study_id, form, Act.ADOPTED)

    @router.post(f"{YEAR}/etude/{{study_id}}/publier")
    def publish(request: Request, principal: Planner, study_id: str, form: Fields) -> Response:
        return act(request, principal, study_id, form, Act.PUBLISHED)

    return router
