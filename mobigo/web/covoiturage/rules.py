"""Rules: what the carpool lines pay and ask, in plain French, on any day; with trips worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response

from covoiturage.policy.model import Policy
from covoiturage.policy.simulate import break_even
from mobigo.services.covoiturage import publishing
from mobigo.web import door
from mobigo.web.covoiturage import sentences
from mobigo.web.door import PUBLIC
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Link
from mobigo.web.wording import euros, say, say_count
from socle.errors import BadInput
from socle.times import PARIS

RULES = "/covoiturage/regles"


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with the sentences under it."""

    heading: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One trip worked out."""

    trip: str
    fares: str
    driver: str
    net: str


@dataclass(frozen=True, slots=True)
class RulesPage:
    """The rules of one day; no `parts` when none were in force."""

    title: str
    lead: str
    day: str
    parts: Sequence[Part]
    rows: Sequence[Row]
    break_even: Sequence[str]
    versions: Sequence[Link]
    identity: str


def told_parts(policy: Policy) -> list[Part]:
    """Everything that a policy says, under its headings."""
    told = [
        ("amounts", sentences.amounts(policy)),
        ("fares", [sentences.fares(policy)]),
        ("conditions", sentences.conditions(policy)),
        ("bounds", sentences.bounds(policy)),
    ]
    return [Part(say(f"covoiturage.rules.heading.{name}"), listed) for name, listed in told if listed]


def worked_rows(policy: Policy) -> list[Row]:
    """Trips worked out under a policy."""
    return [
        Row(
            say_count("covoiturage.rules.trip", one.passengers, km=sentences.kilometres(one.metres)),
            euros(one.fare_cents),
            euros(one.amount_cents),
            euros(one.net_cents),
        )
        for one in publishing.work_out_examples(policy)
    ]


def break_even_sentences(policy: Policy) -> list[str]:
    """Below which length fares exceed what the Region pays, by number of passengers."""
    told = []
    for one in break_even(policy):
        if one.metres is None:
            told.append(say_count("covoiturage.rules.always_more", one.passengers))
        else:
            told.append(say_count("covoiturage.rules.break_even", one.passengers, km=sentences.kilometres(one.metres)))
    return told


def validity(policy: Policy) -> str:
    """From which day to which a policy holds."""
    since, until = policy.valid_from, policy.valid_until
    if since is None:
        return say("covoiturage.rules.always")
    if until is None:
        return say("covoiturage.rules.since", since=sentences.day_words(since))
    return say("covoiturage.rules.from_to", since=sentences.day_words(since), until=sentences.day_words(until))


def _page(policy: Policy | None, day: date, published: Sequence[Policy]) -> RulesPage:
    versions = [
        Link(f"{RULES}?le={one.valid_from or date.min}", f"{one.title}, {validity(one)}")
        for one in sorted(published, key=lambda one: one.valid_from or date.min, reverse=True)
    ]
    title = say("covoiturage.rules.title")
    if policy is None:
        lead = say("covoiturage.rules.none", day=sentences.day_words(day))
        return RulesPage(title, lead, day.isoformat(), (), (), (), versions, "")
    lead = say("covoiturage.rules.lead", title=policy.title, validity=validity(policy))
    identity = say("covoiturage.rules.identity", policy=policy.id, version=policy.version)
    parts, rows = told_parts(policy), worked_rows(policy)
    return RulesPage(title, lead, day.isoformat(), parts, rows, break_even_sentences(policy), versions, identity)


def make_router(pages: Pages) -> APIRouter:
    """`/covoiturage/regles`."""
    router = APIRouter(include_in_schema=False)

    @router.get(RULES, dependencies=[PUBLIC])
    def rules(request: Request, le: str = "") -> Response:
        day = _day(le) if le else door.now_of(request).astimezone(PARIS).date()
        published = publishing.list_published(request.app.state.engine)
        page = _page(publishing.find_of_lines(request.app.state.engine, day), day, published)
        return pages.send(request, "covoiturage/rules.html", cache="public, max-age=60", page=page)

    return router


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise BadInput("bad_day", day=typed) from None
