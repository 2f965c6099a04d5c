"""Parts: what the pages of this room read from forms and tell alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from fastapi import Request

from mobigo.services.covoiturage.booking import Booking, Party
from mobigo.web.journeys.form import Form, find_clock, find_day
from mobigo.web.journeys.places import Question, Settled, settle
from mobigo.web.layout import Pages
from mobigo.web.wording import say
from routing.journeys.snapshot import Snapshot
from socle.errors import BadInput, Unavailable
from socle.times import PARIS

SEARCH = "/covoiturage"
OFFER = "/covoiturage/proposer"
BOOK = "/covoiturage/reserver"
BOOK_ELSEWHERE = "/covoiturage/reserver-ailleurs"
WAIT = "/covoiturage/attendre"
RIDES = "/compte/trajets"
_MOST_DIGITS = 4


def find_snapshot(pages: Pages) -> Snapshot | None:
    """The network that is served; lines are ridden without one."""
    try:
        return pages.site.current()
    except Unavailable:
        return None


def read_day(typed: str) -> date:
    """A day as one types it.

    Raises:
        BadInput: `bad_day`.
    """
    day = find_day(typed.strip())
    if day is None:
        raise BadInput("bad_day", day=typed[:20])
    return day


def read_clock(typed: str) -> time:
    """An hour as one types it.

    Raises:
        BadInput: `bad_clock`.
    """
    clock = find_clock(typed)
    if clock is None:
        raise BadInput("bad_clock", text=typed[:20])
    return clock


def read_moment(values: Mapping[str, str]) -> datetime:
    """The instant of the fields `jour` and `heure`.

    Raises:
        BadInput: `bad_day`, `bad_clock`.
    """
    day, clock = read_day(values.get("jour", "")), read_clock(values.get("heure", ""))
    return datetime.combine(day, clock, PARIS).astimezone(UTC)


def read_count(typed: str, code: str, **facts: int) -> int:
    """A small whole number as one types it; `code` refuses anything else."""
    digits = typed.strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _MOST_DIGITS:
        raise BadInput(code, **facts)
    return int(digits)


def read_cents(typed: str) -> int:
    """Euros as one types them, 2 or 2,50; nothing is 0.

    Raises:
        BadInput: `bad_price`.
    """
    whole, _, part = typed.replace("€", "").strip().replace(".", ",").partition(",")
    digits = f"{whole or '0'}{part:0<2}"
    if not (digits.isascii() and digits.isdigit()) or len(part) > 2 or len(digits) > _MOST_DIGITS + 2:
        raise BadInput("bad_price")
    return int(digits)


def settle_both(snapshot: Snapshot, form: Form) -> tuple[Settled, Settled] | tuple[list[Question], dict[str, str]]:
    """Both ends of a form; or the questions to answer first, and what is wrong: sentence → field."""
    ends = [(side, settle(snapshot, form, side)) for side in (form.origin, form.destination)]
    (_, origin), (_, destination) = ends
    if isinstance(origin, Settled) and isinstance(destination, Settled):
        return origin, destination
    questions = [end for _, end in ends if isinstance(end, Question)]
    wrong = {end.sentence: side.name for side, end in ends if not isinstance(end, Settled | Question)}
    return questions, wrong


def other_words(booking: Booking, who: str) -> str:
    """Who the other of a booking is: somebody of ours, or of a partner operator."""
    other = Party.PASSENGER if booking.party_of(who) is Party.DRIVER else Party.DRIVER
    if booking.theirs is other:
        return say(f"meeting.ride.{other}_of", operator=booking.operator)
    return say(f"meeting.ride.{other}")


def state_words(booking: Booking) -> str:
    """Where a booking stands."""
    return say(f"meeting.state.{booking.state}")


def first_page(request: Request) -> str:
    """What was just done, told once on the page that follows."""
    return request.query_params.get("fait", "")
