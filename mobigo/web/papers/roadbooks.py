"""Road-books told in French and set on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mobigo.web.papers.typeset import typeset
from mobigo.web.papers.words import days_words, hour, lined
from mobigo.web.wording import distance, duration, say, say_count
from scolaire.roadbook import Guidance, Leg, RoadBook, Step

EMERGENCY: Final = ("112", "15", "17", "18", "114")
_WORTH_TELLING_S: Final = 120  # a halt of less is over when it is read


def render_roadbooks(books: Sequence[RoadBook], *, ids: bool = False) -> bytes:
    """The road-books as one PDF; ids of pupils stand in it only when somebody asks for them."""
    words = {
        "columns": [say(f"papers.roadbook.column_{name}") for name in ("time", "halt", "up", "down", "aboard")],
        "page": say("papers.page"),
        "safety": say("papers.roadbook.safety"),
        "notes": [say(f"papers.roadbook.note_{name}") for name in ("belts", "waiting", "reverse", "small", "empty")],
        "emergency": say("papers.roadbook.emergency"),
        "numbers": [[number, say(f"papers.roadbook.number_{number}")] for number in EMERGENCY],
    }
    one = books[0].run_id if len(books) == 1 else None
    title = say("papers.roadbook.title_one", run=one) if one else say("papers.roadbook.title_all", n=len(books))
    return typeset("roadbook", {"title": title, "words": words, "books": [_book(book, ids) for book in books]})


def _book(book: RoadBook, ids: bool) -> dict[str, Any]:
    return {
        "heading": say("papers.roadbook.heading", run=book.run_id),
        "subheading": say(f"papers.direction.{book.direction}") + " : " + days_words(book.days),
        "foot": say("papers.roadbook.foot", run=book.run_id, plan=book.title),
        "facts": _facts(book),
        "attendant": say_count("papers.roadbook.attendant", book.n_attended) if book.needs_attendant else "",
        "steps": [_step(step, ids) for step in book.steps],
        "home": {
            "time": hour(book.ends_s),
            "name": say("papers.roadbook.depot"),
            "leg": _leg(book.home),
        },
    }


def _facts(book: RoadBook) -> list[list[str]]:
    fullest = say("papers.roadbook.of_seats", n=book.n_fullest, seats=book.vehicle.seats)
    told = [
        ("circuit", book.circuit_id),
        ("vehicle", say("papers.roadbook.vehicle_said", kind=book.vehicle.type_id, seats=book.vehicle.seats)),
        ("leaves_depot", hour(book.begins_s)),
        ("back", hour(book.ends_s)),
        ("pupils", str(book.n_pupils)),
        ("fullest", fullest),
        ("driven", distance(book.driven_m)),
        ("empty", distance(book.empty_m)),
    ]
    if book.n_wheelchairs:
        told.append(("wheelchairs", str(book.n_wheelchairs)))
    if book.vehicle.lot:
        told.append(("lot", book.vehicle.lot))
    if book.before:
        told.append(("before", book.before))
    if book.after:
        told.append(("after", book.after))
    return [[say(f"papers.roadbook.{name}"), value] for name, value in told]


def _step(step: Step, ids: bool) -> dict[str, Any]:
    notes = []
    if step.leg.guidance is not None and step.leg.guidance.side is not None and not step.is_school:
        notes.append(say(f"papers.roadbook.side_{step.leg.guidance.side}"))
    if step.n_wheelchairs:
        notes.append(say_count("papers.roadbook.wheelchairs_here", step.n_wheelchairs))
    if step.leaves_s - step.arrives_s >= _WORTH_TELLING_S:
        notes.append(say("papers.roadbook.leaves", time=hour(step.leaves_s)))
    return {
        "time": hour(step.arrives_s),
        "name": step.name,
        "note": lined(notes),
        "ids": _ids(step) if ids else [],
        "counts": [str(n) if n else "–" for n in (len(step.up), len(step.down))] + [str(step.n_aboard)],
        "leg": _leg(step.leg),
    }


def _ids(step: Step) -> list[str]:
    named = (("up", step.up), ("down", step.down))
    return [say(f"papers.roadbook.ids_{way}", ids=", ".join(pupils)) for way, pupils in named if pupils]


def _leg(leg: Leg) -> dict[str, Any]:
    key = "leg_empty" if leg.n_aboard == 0 else "leg"
    return {
        "text": say(f"papers.roadbook.{key}", metres=distance(leg.metres), time=duration(leg.seconds)),
        "is_empty": leg.n_aboard == 0,
        "turns": _turns(leg.guidance),
    }


def _turns(guidance: Guidance | None) -> list[str]:
    found = []
    for turn in guidance.turns if guidance else ():
        key = f"papers.roadbook.turn_{turn.hand}" + ("" if turn.street else "_nameless")
        found.append(say(key, metres=distance(max(turn.metres, 10)), street=turn.street))
    return found
