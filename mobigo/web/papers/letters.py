"""Letters to families on paper, one page each: black on white, folded in three for an envelope with a window."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Final

from mobigo.services.scolaire.posting import PaperLetter, Papers
from mobigo.web.layout import Operator
from mobigo.web.papers.typeset import typeset
from mobigo.web.wording import long_day, say, say_count
from socle.times import PARIS

LINE: Final = 38  # characters in the window, and as the post asks
LINES: Final = 4


def render_letters(papers: Papers, operator: Operator, town_of: Callable[[str], str]) -> bytes:
    """The letters of a message; `town_of` gives postcode and name of a commune by what its home says."""
    key = "papers.letter"
    words = {
        "sender": [one for one in (operator.name or say(f"{key}.sender"), operator.phone, operator.email) if one],
        "date": say(f"{key}.date", day=long_day(papers.message.written_at.astimezone(PARIS).date())),
        "subject": say(f"{key}.subject"),
        "greeting": say(f"{key}.greeting"),
        "more": say(f"{key}.more"),
        "ending": say(f"{key}.ending", sender=operator.name or say(f"{key}.sender")),
        "foot": say(f"{key}.foot"),
    }
    letters = [
        {"address": address_lines(one, town_of), "reference": say(f"{key}.reference", pupil=one.pupil_id)}
        for one in papers.letters
    ]
    title = say_count(f"{key}.title", len(letters))
    told = {"title": title, "words": words, "sentence": papers.sentence, "body": papers.message.words}
    return typeset("letter", told | {"letters": letters})


def address_lines(letter: PaperLetter, town_of: Callable[[str], str]) -> Sequence[str]:
    """Name, street, town, in no more lines than a window shows; what is not known is left white, for a pen."""
    street = textwrap.wrap(letter.address, LINE)[: LINES - 2]
    town = town_of(letter.commune)[:LINE].upper() if street else ""
    return tuple(line for line in (letter.name[:LINE], *street, town) if line)
