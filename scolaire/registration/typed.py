"""Typed: what stands in the fields of a form → a request, or every field that is wrong and why.

Fields are text as a browser sends them. Those of a home end in its number (`adresse_1`, `adresse_2`); each weekday
names the home from which the child leaves, or none. A form that is read again after it was kept says the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from scolaire.pupils import Level, Regime
from scolaire.registration.model import Application, Child, Contact, HomeKind, Household, Kind
from socle.geo import LatLon

DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi")
DEROGATIONS: Final = ("convenience", "handicap", "move", "no_place", "option", "orientation")
OF_CHILD: Final = (
    *("prenom", "nom_eleve", "naissance", "niveau", "classe", "regime", "fauteuil", "derogation", "genre", "fin"),
    *DAYS,
)
OF_CONTACT: Final = ("responsable", "courriel_foyer", "telephone_foyer")
OF_HOME: Final = ("accueil", "adresse", "commune", "arret")
OF_OFFICE: Final = ("position", "route_m")  # of a home, and the office's to write
OLDEST, YOUNGEST = 30, 2  # years, on 31 December of the year in which the school year begins
MOST_LETTERS: Final = 200
W = TypeVar("W", Level, Regime)
_INSEE: Final = re.compile(r"[0-9][0-9AB][0-9]{3}")
_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that is wrong, and why; the field is empty when no single one is."""

    field: str
    code: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a form is read against; `find_commune` gives the INSEE code that a name means, None when it means none."""

    school_year: int
    school_id: str
    stop_ids: Collection[str]
    find_commune: Callable[[str], str | None] = lambda _name: None
    by_office: bool = False  # who writes for others may leave out what nobody told
    is_known: bool = False  # what was accepted before: who looked after the child may have left since


def of_home(field: str, number: int) -> str:
    """The name of a field of home `number`, counted from 0."""
    return f"{field}_{number + 1}"


def field_names() -> tuple[str, ...]:
    """Every field that a request keeps."""
    return (*OF_CHILD, *home_fields(0), *home_fields(1))


def home_fields(number: int) -> tuple[str, ...]:
    """Every field of a home."""
    return tuple(of_home(field, number) for field in (*OF_CONTACT, *OF_HOME, *OF_OFFICE))


def kept(typed: Mapping[str, str]) -> dict[str, str]:
    """The fields that a request keeps of what was typed, without what no line holds."""
    return {name: _line(typed[name]) for name in field_names() if name in typed}


def _line(typed: str) -> str:
    shown = "".join(char if char.isprintable() else " " for char in typed[:MOST_LETTERS])
    return " ".join(shown.split())


def read_contact(typed: Mapping[str, str], number: int) -> Contact:
    """Who looks after the child in home `number`, as it was typed."""
    name, email, phone = (typed.get(of_home(field, number), "") for field in OF_CONTACT)
    return Contact(name, email, phone)


def contact_fields(contact: Contact, number: int) -> dict[str, str]:
    """The same as fields of the form."""
    told = (contact.name, contact.email, contact.phone)
    return {of_home(field, number): value for field, value in zip(OF_CONTACT, told, strict=True)}


def days_of(typed: Mapping[str, str], number: int) -> int:
    """The days, as bits, on which the child leaves from home `number`."""
    return sum(1 << place for place, day in enumerate(DAYS) if typed.get(day, "") == str(number + 1))


def identity_key(typed: Mapping[str, str]) -> str:
    """What is equal for one child however its name is written; empty while it is not known."""
    names = [_folded(typed.get(field, "")) for field in ("nom_eleve", "prenom")]
    born_on = _date(typed.get("naissance", ""))
    return "|".join((*names, born_on.isoformat())) if all(names) and born_on else ""


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe").replace("æ", "ae"))
    return _NOT_LETTERS.sub("", plain)


def read_typed(typed: Mapping[str, str], basis: Basis) -> tuple[Application | None, tuple[Problem, ...]]:
    """The request that was typed, or what is wrong with it, in the order of the form."""
    problems: list[Problem] = []
    child = _read_child(typed, basis, problems)
    level = _word(typed, "niveau", Level, problems)
    regime = _word(typed, "regime", Regime, problems)
    kind = Kind.EXCHANGE if typed.get("genre", "") == Kind.EXCHANGE else Kind.ORDINARY
    until = _date(typed.get("fin", "")) if kind is Kind.EXCHANGE else None
    if kind is Kind.EXCHANGE and (until is None or not _in_year(until, basis.school_year)):
        problems.append(Problem("fin", "bad_exchange_end"))
    homes = tuple(_read_homes(typed, basis, problems))
    if problems or child is None or level is None or regime is None:
        return None, tuple(problems)
    return Application(basis.school_year, basis.school_id, level, regime, child, homes, kind, until), ()


def _read_child(typed: Mapping[str, str], basis: Basis, problems: list[Problem]) -> Child | None:
    first, last = typed.get("prenom", ""), typed.get("nom_eleve", "")
    problems += [
        Problem(field, "name_missing") for field, name in (("prenom", first), ("nom_eleve", last)) if not _folded(name)
    ]
    born_on = _date(typed.get("naissance", ""))
    if born_on is None or not YOUNGEST <= basis.school_year - born_on.year <= OLDEST:
        problems.append(Problem("naissance", "bad_birth"))
        return None
    reason = typed.get("derogation", "")
    if reason and reason not in DEROGATIONS:
        problems.append(Problem("derogation", "unknown_word"))
    return Child(last, first, born_on, typed.get("classe", ""), typed.get("fauteuil", "") == "oui", reason)


def _read_homes(typed: Mapping[str, str], basis: Basis, problems: list[Problem]) -> list[Household]:
    days = [days_of(typed, number) for number in (0, 1)]
    wrong = [day for day in DAYS if typed.get(day, "") not in ("", "1", "2")]
    if wrong:
        problems.append(Problem(wrong[0], "unknown_word"))
    if not days[0]:
        problems.append(Problem(DAYS[0], "days_missing"))
        return []
    homes = [_read_home(typed, 0, days[0], basis, problems)]
    if days[1]:
        homes.append(_read_home(typed, 1, days[1], basis, problems))
    return homes


def _read_home(typed: Mapping[str, str], number: int, days: int, basis: Basis, problems: list[Problem]) -> Household:
    def told(field: str) -> str:
        return typed.get(of_home(field, number), "")

    def wrong(field: str, code: str) -> None:
        problems.append(Problem(of_home(field, number), code))

    if not told("responsable") and not basis.is_known:
        wrong("responsable", "guardian_missing")
    is_first = number == 0 and not (
        basis.by_office or basis.is_known
    )  # the other guardian tells the rest of the other home
    if is_first and not told("adresse"):
        wrong("adresse", "address_missing")
    commune = told("commune").upper()
    if commune and not _INSEE.fullmatch(commune):
        commune = basis.find_commune(told("commune")) or ""
        if not commune:
            wrong("commune", "commune_unknown")
    elif not commune and is_first:
        wrong("commune", "commune_missing")
    stop = told("arret") or None
    if stop is not None and stop not in basis.stop_ids:
        wrong("arret", "stop_unknown")
    position, metres = find_position(told("position")), told("route_m").replace(" ", "")
    if told("position") and position is None:
        wrong("position", "bad_position")
    if metres and not (metres.isascii() and metres.isdigit() and len(metres) < 7):
        wrong("route_m", "bad_metres")
        metres = ""
    kind = HomeKind.HOST_FAMILY if told("accueil") == "oui" else HomeKind.GUARDIAN
    return Household(kind, days, commune, told("adresse"), position, int(metres) if metres else None, stop)


def _word(typed: Mapping[str, str], field: str, words: type[W], problems: list[Problem]) -> W | None:
    try:
        return words(typed.get(field, ""))
    except ValueError:
        problems.append(Problem(field, "unknown_word"))
        return None


def _date(typed: str) -> date | None:
    """A day as a date field sends it, or as people write it: 2014-03-09, 09/03/2014."""
    day = typed
    if found := re.fullmatch(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})", typed, re.ASCII):
        day = f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}"
    try:
        return date.fromisoformat(day) if re.fullmatch(r"\d{4}-\d\d-\d\d", day, re.ASCII) else None
    except ValueError:
        return None


def _in_year(day: date, school_year: int) -> bool:
    return date(school_year, 8, 1) <= day <= date(school_year + 1, 8, 31)


def find_position(typed: str) -> LatLon | None:
    """`47.16, 6.30` as a map gives it."""
    found = re.fullmatch(r"(-?\d{1,2}(?:\.\d{1,9})?)[,; ]+(-?\d{1,3}(?:\.\d{1,9})?)", typed, re.ASCII)
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        return None
    return LatLon(float(found[1]), float(found[2]))
