"""Words that pages of school transport share: days, hours, verdicts."""

from __future__ import annotations

from mobigo.web.wording import say
from scolaire.registration.typed import DAYS


def day_names(days: int) -> str:
    """The weekdays of some bits: lundi, mardi."""
    return ", ".join(say(f"school.day.{day}").lower() for place, day in enumerate(DAYS) if days >> place & 1)


def hour(seconds: int) -> str:
    """07:42, the minute in which something happens."""
    minutes = seconds // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def verdict_of(verdict: str | None) -> str:
    """A verdict in French; none yet."""
    return say(f"school.verdict.{verdict}" if verdict else "school.verdict.none")
