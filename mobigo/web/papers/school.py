"""Papers of school transport told in French: posters at stops, lists for schools, notices for families."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mobigo.texts import all_texts
from mobigo.web.papers.typeset import typeset
from mobigo.web.papers.words import days_words, hour
from mobigo.web.wording import say, say_count
from scolaire.papers import Notice, Poster, SchoolList
from scolaire.plans import Direction, Period

_WAYS = (Direction.TO_SCHOOL, Direction.NOON_FROM_SCHOOL, Direction.NOON_TO_SCHOOL, Direction.FROM_SCHOOL)


def render_posters(posters: Sequence[Poster], plan_title: str) -> bytes:
    """The posters, a page each."""
    words = {
        "kind": say("papers.poster.kind"),
        "foot": say("papers.poster.foot", plan=plan_title),
        "columns": [say(f"papers.poster.column_{name}") for name in ("time", "days", "schools", "coach")],
        "notes": [say(f"papers.poster.note_{name}") for name in ("early", "back", "behind", "emergency")],
    }
    one = posters[0].stop.name if len(posters) == 1 else None
    title = say("papers.poster.title_one", stop=one) if one else say_count("papers.poster.title", len(posters))
    return typeset("poster", {"title": title, "words": words, "posters": [_poster(each) for each in posters]})


def _poster(poster: Poster) -> dict[str, Any]:
    parts = []
    for way in _WAYS:
        rows = [
            [hour(call.time_s), days_words(call.period.days), ", ".join(call.schools), call.circuit_id]
            for call in poster.calls
            if call.period.direction is way
        ]
        if rows:
            parts.append({"heading": say(f"papers.poster.{way}"), "rows": rows})
    return {"name": poster.stop.name, "parts": parts}


def render_school_lists(lists: Sequence[SchoolList], plan_title: str, *, ids: bool = False) -> bytes:
    """The lists of schools, each from a page of its own; ids of pupils stand in them only when somebody asks."""
    columns = ["time", "stop", "pupils", *(["ids"] if ids else [])]
    words = {
        "columns": [say(f"papers.school.column_{name}") for name in columns],
        "page": say("papers.page"),
        "left": say("papers.school.left"),
    }
    one = lists[0].school.name if len(lists) == 1 else None
    title = say("papers.school.title_one", school=one) if one else say_count("papers.school.title", len(lists))
    told = [_school(each, plan_title, ids) for each in lists]
    return typeset("school", {"title": title, "words": words, "with_ids": ids, "schools": told})


def _school(one: SchoolList, plan_title: str, ids: bool) -> dict[str, Any]:
    coaches = [
        {
            "heading": say(
                f"papers.school.coach_{coach.period.direction}",
                coach=coach.circuit_id,
                time=hour(coach.school_s),
                days=days_words(coach.period.days),
            )
            + " – "
            + say_count("papers.pupils", coach.n_pupils),
            "rows": [
                [hour(time_s), stop.name, str(len(pupils)), *([", ".join(pupils)] if ids else [])]
                for stop, time_s, pupils in coach.stops
            ],
        }
        for coach in one.coaches
    ]
    left = sorted({each.pupil_id for each in one.not_served})
    counted = [*([", ".join(left)] if ids else []), say_count("papers.pupils", len(left))] if left else []
    return {
        "name": one.school.name,
        "foot": say("papers.school.foot", school=one.school.name, plan=plan_title),
        "facts": [
            [say("papers.school.carried"), str(one.n_pupils)],
            [say("papers.school.not_carried"), str(len(left))],
        ],
        "coaches": coaches,
        "left": counted[:1],
    }


def render_notices(notices: Sequence[Notice], plan_title: str) -> bytes:
    """The notices, a page for each pupil."""
    words = {
        "heading": say("papers.family.heading"),
        "foot": say("papers.family.foot", plan=plan_title),
        "advice": say("papers.family.advice"),
        "notes": [say(f"papers.family.note_{name}") for name in ("early", "card", "belt", "cross")],
    }
    one = notices[0].pupil_id if len(notices) == 1 else None
    title = say("papers.family.title_one", pupil=one) if one else say_count("papers.family.title", len(notices))
    return typeset("family", {"title": title, "words": words, "notices": [_notice(each) for each in notices]})


def _notice(notice: Notice) -> dict[str, Any]:
    parts = []
    for way in _WAYS:
        rows = [
            [days_words(period.days), hour(ride.stop_s), stop.name, ride.circuit_id, hour(ride.school_s)]
            for period, ride, stop in notice.rides
            if period.direction is way
        ]
        if rows:
            names = ("days", f"time_{way}", "stop", "coach", f"school_{way}")
            columns = [say(f"papers.family.column_{name}") for name in names]
            parts.append({"heading": say(f"papers.family.{way}"), "columns": columns, "rows": rows})
    return {
        "pupil": say("papers.family.pupil", pupil=notice.pupil_id),
        "school": notice.school.name,
        "parts": parts,
        "left": [_left(period, why) for period, why in notice.not_served],
        "two_homes": say("papers.family.two_homes") if notice.n_stops > 1 else "",
    }


def _left(period: Period | None, why: str) -> str:
    """On which days no coach comes, and why in words for a family; reasons of our own making are not for it."""
    when = (
        say("papers.family.left_whole")
        if period is None
        else say(f"papers.family.left_{period.direction}", days=days_words(period.days))
    )
    key = f"papers.family.why.{why}"
    return f"{when} {say(key if f'web.{key}' in all_texts() else 'papers.family.why.other')}"
