"""Words that several papers share: days, hours."""

from __future__ import annotations

from collections.abc import Sequence

from babel.lists import format_list

from mobigo.web.wording import FRENCH


def hour(seconds: int) -> str:
    """07:05, to the minute before: whoever is there by then misses nothing."""
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def days_words(days: int) -> str:
    """Bits of days as one says them: lundi, mardi, jeudi et vendredi."""
    names = FRENCH.days["format"]["wide"]
    return format_list([names[at] for at in range(7) if days >> at & 1], locale=FRENCH)


def lined(sentences: Sequence[str]) -> str:
    """Short remarks on one line."""
    return " · ".join(sentences)
