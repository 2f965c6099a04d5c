"""Search: the form, the results that answer it, and the places suggested while one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from fastapi import APIRouter, Request, Response

from mobigo.services import journeys as service
from mobigo.texts import error_sentence
from mobigo.web.door import PUBLIC
from mobigo.web.journeys.cards import Card, make_card, telling_labels
from mobigo.web.journeys.detail import journey_href
from mobigo.web.journeys.form import SORTS, Form, find_moment, read_form, sort_word
from mobigo.web.journeys.picture import Ends, Picture, draw_journeys
from mobigo.web.journeys.places import Question, Settled, Unsettled, settle
from mobigo.web.layout import Pages
from mobigo.web.wording import clock, long_day, minute_after, reason_sentence, say, say_count
from routing.journeys.explain import why_this
from routing.journeys.gazetteer import Kind
from routing.journeys.pages import PageWish, read_cursor
from routing.journeys.places import Wanted
from routing.journeys.query import JourneyQuery
from routing.journeys.rank import Sort
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import Told
from socle.errors import BadInput
from socle.times import PARIS, local_day

N_CARDS = 5
N_SUGGESTED = 7
WALK_TO_STOP_S = 1800  # a village may be half an hour from its stop; the cards say how far


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, and what to do about it; `fields` leads from a sentence to the field it is about."""

    heading: str
    sentences: Sequence[str]
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """An order that results can be put in."""

    name: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """What the page of results shows."""

    title: str
    description: str = ""
    when: str = ""
    problem: Problem | None = None
    questions: Sequence[Question] = ()
    cards: Sequence[Card] = ()
    count: str = ""
    sorts: Sequence[Order] = ()
    earlier: str = ""
    later: str = ""
    reasons: Sequence[str] = ()
    map: Picture | None = None
    carbon_note: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A page, the form as it is shown on it, and the HTTP status."""

    page: ResultsPage
    form: Form
    status: int = 200


def _days(snapshot: Snapshot, form: Form) -> Form:
    timetable = snapshot.timetable
    return replace(form, first_day=timetable.first_day.isoformat(), last_day=timetable.last_day.isoformat())


def _refused(form: Form, heading: str, *sentences: str, title: str = "", status: int = 400) -> Answered:
    page = ResultsPage(title or say("results.title_empty"), problem=Problem(heading, sentences))
    return Answered(page, form, status)


def answer(snapshot: Snapshot, form: Form) -> Answered:
    """The results of a search, or the sentence or question that it needs first."""
    form = _days(snapshot, form)
    if form.is_empty:
        return Answered(ResultsPage(say("results.title_empty")), form)
    origin, destination = settle(snapshot, form, form.origin), settle(snapshot, form, form.destination)
    if not isinstance(origin, Settled) or not isinstance(destination, Settled):
        return _unsettled(form, origin, destination)
    form = replace(
        form,
        origin=replace(form.origin, text=origin.name, id=origin.id),
        destination=replace(form.destination, text=destination.name, id=destination.id),
    )
    title = say("results.title", origin=origin.name, destination=destination.name)
    if origin.place == destination.place:
        return _refused(form, say("problem.same"), say("problem.same_sentence", name=origin.name), title=title)
    moment, wrong = find_moment(form)
    if moment is None:
        return _refused(form, say("problem.refused"), wrong, title=title)
    timetable = snapshot.timetable
    first, end = timetable.valid
    if not first <= moment < end:
        known = say("problem.outside_sentence", first=long_day(timetable.first_day), last=long_day(timetable.last_day))
        return _refused(form, say("problem.outside"), known, say("problem.outside_advice"), title=title)
    try:
        query = JourneyQuery(
            origin.place,
            destination.place,
            moment,
            arrive_by=form.arrive_by,
            wheelchair=form.wheelchair,
            bikes=form.bikes,
            max_access_s=WALK_TO_STOP_S,
            max_egress_s=WALK_TO_STOP_S,
        )
        cursor = read_cursor(form.page) if form.page else None
        wish = PageWish(N_CARDS, N_CARDS, cursor=cursor, direct_counts=True)
        found = service.plan(snapshot, query, wish, sort=Sort(form.sort))
    except BadInput as refusal:
        return _refused(form, say("problem.refused"), error_sentence(refusal), title=title)
    return _found(snapshot, form, found, Ends(origin.name, origin.at, destination.name, destination.at), moment)


def _unsettled(
    form: Form, origin: Settled | Question | Unsettled, destination: Settled | Question | Unsettled
) -> Answered:
    """The questions to answer, or which field is not understood."""
    sides = ((form.origin, origin), (form.destination, destination))
    wrong = {end.sentence: side.name for side, end in sides if isinstance(end, Unsettled)}
    questions = [end for end in (origin, destination) if isinstance(end, Question)]
    form = replace(
        form,
        origin=replace(form.origin, problem=origin.sentence if isinstance(origin, Unsettled) else ""),
        destination=replace(
            form.destination, problem=destination.sentence if isinstance(destination, Unsettled) else ""
        ),
    )
    title = say("results.title_empty")
    if wrong:
        missing = not (form.origin.text and form.destination.text)
        heading = say("problem.missing" if missing else "problem.unknown")
        sentences = [*wrong, *([] if missing else [say("problem.unknown_advice")])]
        page = ResultsPage(title, problem=Problem(heading, sentences, wrong), questions=questions)
        return Answered(page, form, 400 if missing else 404)
    page = ResultsPage(say("problem.ambiguous"), when=say("problem.ambiguous_sentence"), questions=questions)
    return Answered(page, form)


def _found(snapshot: Snapshot, form: Form, found: service.PlanAnswer, ends: Ends, moment: int) -> Answered:
    """The cards, or why there are none. The walk alone leaves first and emits nothing, but walks most."""
    journeys = (*found.journeys, *found.direct) if form.sort == "walk" else (*found.direct, *found.journeys)
    when = say(
        "results.when_arrive" if form.arrive_by else "results.when_leave",
        day=long_day(local_day(moment)),
        time=clock(moment),
    )
    title = say("results.title", origin=ends.origin, destination=ends.destination)
    describe = say("results.describe", origin=ends.origin, destination=ends.destination)
    earlier, later = form.href(page=str(found.earlier)), form.href(page=str(found.later))
    if not journeys:
        sentences = [reason_sentence(reason) for reason in found.excluded] or [say("problem.no_journey_sentence")]
        if form.wheelchair:
            sentences.append(say("problem.no_journey_wheelchair"))
        if form.bikes:
            sentences.append(say("problem.no_journey_bikes"))
        problem = Problem(say("problem.no_journey"), [*sentences, say("problem.no_journey_advice")])
        return Answered(ResultsPage(title, describe, when, problem, earlier=earlier, later=later), form)
    asked, labels = local_day(moment), telling_labels(journeys)
    cards = [make_card(snapshot, told, journey_href(snapshot, told.journey), asked, labels) for told in journeys]
    tables = [told.carbon.table for told in journeys if told.carbon]
    page = ResultsPage(
        title=title,
        description=describe,
        when=when,
        cards=cards,
        count=say_count("results.count", len(cards)),
        sorts=_sorts(form) if len(cards) > 1 else (),
        earlier=earlier,
        later=later,
        reasons=_reasons(found),
        map=draw_journeys(snapshot, [told.journey for told in journeys], ends),
        carbon_note=say("results.carbon_note", table=tables[0]) if tables else "",
    )
    return Answered(page, form)


def _sorts(form: Form) -> list[Order]:
    return [
        Order(say(f"results.sort_{sort}"), form.href(tri="" if sort == "time" else sort_word(sort)), form.sort == sort)
        for sort in SORTS
    ]


def _reasons(found: service.PlanAnswer) -> list[str]:
    """Why each journey is proposed, then why others are not."""
    lines: list[str] = []
    for told in found.journeys:
        why = [reason_sentence(reason) for reason in why_this(told.bests)]
        if why:
            lines.append(say("results.reason", span=_span(told), why=" ".join(why)))
    return lines + [reason_sentence(reason) for reason in found.excluded]


def _span(told: Told) -> str:
    return f"{clock(told.journey.departure)} → {clock(minute_after(told.journey.arrival))}"


def make_router(pages: Pages) -> APIRouter:
    """`/`, `/itineraire` and `/lieux`."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])
    site = pages.site

    @router.get("/")
    async def home(request: Request) -> Response:
        form = read_form(request.query_params, datetime.now(PARIS))
        return pages.send(request, "home.html", form=_days(site.current(), form))

    @router.get("/itineraire")
    async def results(request: Request) -> Response:
        form = read_form(request.query_params, datetime.now(PARIS))
        answered = await site.run(answer, site.current(), form)
        return pages.send(
            request,
            "results.html",
            fragment="results_body.html",
            status=answered.status,
            page=answered.page,
            form=answered.form,
        )

    @router.get("/lieux")
    async def suggestions(request: Request) -> Response:
        values = request.query_params
        text = values.get(values.get("champ", ""), "").strip()[:200]
        named: Sequence[str] = ()
        if len(text) >= 2:
            kinds = frozenset({Kind.STOP}) if values.get("arrets") == "oui" else frozenset(Kind)
            found = await site.run(service.find_places, site.current(), text, Wanted(n=N_SUGGESTED, kinds=kinds))
            named = list(dict.fromkeys(one.place.name for one in found))
        return pages.send(request, "suggestions.html", cache="private, max-age=300", places=named)

    return router
