"""Cells: the text of one cell → a value, or the code of the finding that says what is wrong with it.

French and English words are both read; what would have to be guessed is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Final, TypeVar

from scolaire.pupils import WEEKDAYS, Level, Regime, SchoolStatus, StopStatus
from scolaire.tables import Row, plain
from socle.findings import Finding, Severity
from socle.geo import Box, LatLon

T = TypeVar("T")

METROPOLITAN_FRANCE: Final = Box(41.3, -5.2, 51.2, 9.7)
MAX_MINUTES: Final = 240  # of a window or of a ride: longer is another unit
MAX_COUNT: Final = 10_000
MAX_METRES: Final = 1_000_000
MAX_EUROS: Final = 100_000
_ID: Final = re.compile(r"[^\x00-\x1f\x7f\ufffd]{1,64}")
_NUMBER: Final = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,15})?", re.ASCII)
_TIME: Final = re.compile(r"(\d{1,2})\s*[:hH]\s*(\d{2})(?::(\d{2}))?", re.ASCII)
_COMMUNE: Final = re.compile(r"[0-9][0-9AB][0-9]{3}")
BITS: Final = re.compile(r"[01]{5,7}")
_WEEKDAY_NUMBERS: Final = re.compile(r"1?2?3?4?5?6?7?")
_TOKENS: Final = re.compile(r"[\s,;|/+]+")

LEVELS: Final[Mapping[str, Level]] = {
    "maternelle": Level.NURSERY,
    "elementaire": Level.PRIMARY,
    "primaire": Level.PRIMARY,
    "lycee": Level.LYCEE,
    "apprenti": Level.APPRENTICE,
    "cfa": Level.APPRENTICE,
    "etudiant": Level.STUDENT,
    **{plain(level): level for level in Level},
}
REGIMES: Final[Mapping[str, Regime]] = {
    "externe": Regime.DAY,
    "demi_pensionnaire": Regime.HALF_BOARD,
    "demi_pension": Regime.HALF_BOARD,
    "dp": Regime.HALF_BOARD,
    "interne": Regime.BOARDER,
    "pensionnaire": Regime.BOARDER,
    **{plain(regime): regime for regime in Regime},
}
SCHOOL_STATUSES: Final[Mapping[str, SchoolStatus]] = {
    "": SchoolStatus.PUBLIC,
    "sous_contrat": SchoolStatus.CONTRACT,
    "prive_sous_contrat": SchoolStatus.CONTRACT,
    "prive": SchoolStatus.PRIVATE,
    "hors_contrat": SchoolStatus.PRIVATE,
    **{plain(status): status for status in SchoolStatus},
}
STOP_STATUSES: Final[Mapping[str, StopStatus]] = {
    "demande": StopStatus.REQUESTED,
    "valide": StopStatus.VALIDATED,
    "refuse": StopStatus.REFUSED,
    "ferme": StopStatus.CLOSED,
    **{plain(status): status for status in StopStatus},
}
YES_OR_NO: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("1", "oui", "o", "yes", "y", "true", "vrai", "x"), True),
    **dict.fromkeys(("", "0", "non", "n", "no", "false", "faux"), False),
}
_DAY_WORDS: Final[Mapping[str, int]] = {
    word: 1 << place
    for place, (english, french) in enumerate(
        zip(WEEKDAYS, ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"), strict=True)
    )
    for word in (english, english[:3], english[:2], french, french[:3], french[:2])
}
_DAY_LETTERS: Final = "lmmjvsd"


class Wrong(Exception):
    """A cell that says nothing usable; caught by the reader of its row, never beyond."""

    def __init__(self, code: str, column: str = "", **wanted: int | str) -> None:
        super().__init__(code)
        self.code: Final = code
        self.facts: Final[Mapping[str, int | str]] = {**({"column": column} if column else {}), **wanted}


class Cells:
    """The cells of one row, read one by one."""

    def __init__(self, row: Row, *, decimal_comma: bool) -> None:
        self.line: Final = row.line
        self._cells = row.cells
        self._decimal_comma = decimal_comma

    def __getitem__(self, column: str) -> str:
        return self._cells[column]

    def an_id(self, column: str) -> str:
        """An id: 1 to 64 letters that can be seen."""
        found = self.find_id(column)
        if found is None:
            raise Wrong("cell_missing", column)
        return found

    def find_id(self, column: str) -> str | None:
        """As `an_id`, or None when the cell is empty."""
        written = self._cells[column]
        if not written:
            return None
        if _ID.fullmatch(written) is None:
            raise Wrong("cell_no_id", column)
        return written

    def name(self, column: str) -> str:
        """What something is called, on one line."""
        return " ".join(self._cells[column].split())

    def word(self, column: str, words: Mapping[str, T]) -> T:
        """One of `words`."""
        written = self._cells[column]
        found = words.get(plain(written))
        if found is None:
            if not written:
                raise Wrong("cell_missing", column)
            known = dict.fromkeys(str(value) for value in words.values() if isinstance(value, str))
            raise Wrong("cell_no_word", column, words=", ".join(known or ("1", "0")))
        return found

    def time_s(self, column: str) -> int | None:
        """Seconds after midnight of a time as people write it, or None when there is none."""
        written = self._cells[column]
        if not written:
            return None
        match = _TIME.fullmatch(written)
        hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (24, 0, 0)
        if hours > 23 or minutes > 59 or seconds > 59:
            raise Wrong("cell_no_time", column)
        return hours * 3600 + minutes * 60 + seconds

    def minutes_s(self, column: str, *, default: int | None = None) -> int:
        """Seconds of whole or broken minutes; `default` when the cell is empty."""
        if default is not None and not self._cells[column]:
            return default
        minutes = self._number(column)
        if not 0 <= minutes <= MAX_MINUTES:
            raise Wrong("cell_no_minutes", column, most=MAX_MINUTES)
        return int((minutes * 60).to_integral_value(ROUND_HALF_UP))

    def count(self, column: str, most: int = MAX_COUNT) -> int:
        """A whole number that is not negative."""
        number = self._number(column)
        if number != number.to_integral_value() or not 0 <= number <= most:
            raise Wrong("cell_no_count", column, most=most)
        return int(number)

    def find_metres(self, column: str) -> int | None:
        """Whole metres, or None when the cell is empty."""
        return self.count(column, MAX_METRES) if self._cells[column] else None

    def cents(self, column: str) -> int:
        """Cents of an amount in euros, half a cent up; nothing when empty."""
        if not self._cells[column]:
            return 0
        euros = self._number(column)
        if not 0 <= euros <= MAX_EUROS:
            raise Wrong("cell_no_amount", column, most=MAX_EUROS)
        return int((euros * 100).to_integral_value(ROUND_HALF_UP))

    def position(self, lat: str, lon: str) -> LatLon | None:
        """A place in metropolitan France, or None when both cells are empty."""
        if not self._cells[lat] and not self._cells[lon]:
            return None
        try:
            place = LatLon(float(self._number(lat)), float(self._number(lon)))
        except Wrong:
            raise Wrong("position_unreadable") from None
        if METROPOLITAN_FRANCE.holds(place):
            return place
        swapped = METROPOLITAN_FRANCE.holds(LatLon(place.lon, place.lat))
        raise Wrong("position_swapped" if swapped else "position_outside")

    def a_position(self, lat: str, lon: str) -> LatLon:
        """As `position`, and there must be one."""
        place = self.position(lat, lon)
        if place is None:
            raise Wrong("cell_missing", lat)
        return place

    def days(self, column: str) -> int:
        """Days as bits."""
        found = read_days(self._cells[column])
        if found is None:
            raise Wrong("cell_no_days" if self._cells[column] else "cell_missing", column)
        return found

    def commune(self, column: str) -> str:
        """An INSEE code; a spreadsheet takes away the first zero, which is given back."""
        written = self._cells[column].upper()
        written = written.zfill(5) if written.isdigit() and len(written) == 4 else written
        if written and _COMMUNE.fullmatch(written) is None:
            raise Wrong("cell_no_commune", column)
        return written

    def find_year(self, column: str) -> int | None:
        """A year of birth."""
        if not self._cells[column]:
            return None
        year = self.count(column)
        if not 1900 <= year <= 2100:
            raise Wrong("cell_no_year", column)
        return year

    def _number(self, column: str) -> Decimal:
        written = self._cells[column]
        if self._decimal_comma:
            written = written.replace(",", ".")
        if not written:
            raise Wrong("cell_missing", column)
        if _NUMBER.fullmatch(written) is None:
            raise Wrong("cell_no_number", column)
        return Decimal(written)


@cache
def _days_of_words(written: str) -> int | None:
    days = 0
    for token in filter(None, _TOKENS.split(written)):
        bit = _DAY_WORDS.get(plain(token))
        if bit is None or days & bit:
            return None
        days |= bit
    return days or None


def read_days(written: str) -> int | None:
    """Days as bits of what people write: `11011` from Monday on, `1245`, `lu ma je ve`, `LM-JV`; None otherwise."""
    if BITS.fullmatch(written):
        return sum(1 << place for place, bit in enumerate(written) if bit == "1") or None
    if written and _WEEKDAY_NUMBERS.fullmatch(written):
        return sum(1 << int(day) - 1 for day in written)
    letters = written.casefold()
    if 5 <= len(letters) <= 7 and all(letter in (_DAY_LETTERS[i], "-") for i, letter in enumerate(letters)):
        return sum(1 << i for i, letter in enumerate(letters) if letter != "-") or None
    return _days_of_words(written) if len(written) <= 80 else None


def render_days(days: int) -> str:
    """Days as seven bits, Monday first."""
    return "".join("1" if days >> place & 1 else "0" for place in range(7))


def read_row(
    name: str, row: Row, read: Callable[[Cells], T], findings: list[Finding], *, decimal_comma: bool
) -> T | None:
    """What `read` makes of a row, or None and a finding."""
    try:
        return read(Cells(row, decimal_comma=decimal_comma))
    except Wrong as wrong:
        findings.append(Finding(Severity.ERROR, wrong.code, name, row.line, wrong.facts))
        return None
