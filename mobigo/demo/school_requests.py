"""School requests: what lies on the school office's table in the demonstration, asked and decided by the usual doors.

Every child is fictitious. None is given a seat, for the plan that is published was made before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import Engine

from mobigo.demo.carpools.population import FIRST_NAMES
from mobigo.security import Keys
from mobigo.services.scolaire import deciding, handling, registering
from mobigo.services.scolaire.registering import Acting
from mobigo.store.people.accounts import Person
from mobigo.texts import text
from scolaire.pupils import Home, Pupil, Sector
from scolaire.registration.typed import DAYS
from socle.times import local_day

N_WAITING, N_DRAFTS, N_INCOMPLETE, N_REFUSED, N_WITHDRAWN = 14, 3, 4, 3, 2
_BORN: Final = {"nursery": 4, "primary": 8, "college": 13, "lycee": 16}  # years before the school year
_URBAN: Final = "25056"  # Besançon, whose own authority carries its pupils
_SCHOOL_DAYS: Final = (0, 1, 3, 4)


def tell_requests(
    engine: Engine, keys: Keys, sector: Sector, sector_id: str, office: Person, family: Person | None, now: datetime
) -> int:
    """Enter them as paper forms that the office typed, and one that a family handed in itself.

    How many there are: none while no year may be asked for.
    """
    year = int(sector_id[:4])
    if not any(one.school_year == year for one in registering.open_campaigns(now)):
        return 0
    acting = Acting(office.actor, office.pseudonym, is_office=True)
    forms = _forms(sector, sector_id, year, local_day(int(now.timestamp())).year)

    def take(*, hands_in: bool = True, **instead: str) -> str:
        school, fields = next(forms)
        asked = registering.start(engine, keys, acting, school, now)
        registering.save(engine, keys, acting, asked, fields | instead, now)
        if hands_in:
            registering.submit(engine, keys, acting, asked, now)
        return asked

    for _ in range(N_WAITING):
        take()
    for _ in range(N_DRAFTS):
        take(hands_in=False, responsable_1="")
    for _ in range(N_INCOMPLETE):
        handling.ask_paper(engine, keys, acting, take(), text("cli.demo.school_paper"), now)
    refused = [take(commune_1=_URBAN) for _ in range(N_REFUSED)]
    for asked in refused:
        deciding.decide(engine, keys, acting, asked, now)
    handling.appeal(engine, keys, acting, refused[0], text("cli.demo.school_appeal"), now)
    for _ in range(N_WITHDRAWN):
        registering.withdraw(engine, keys, acting, take(), text("cli.demo.school_withdrawn"), now)
    if family is not None:
        school, fields = next(forms)
        own = Acting(family.actor, family.pseudonym)
        asked = registering.start(engine, keys, own, school, now)
        registering.save(engine, keys, own, asked, fields, now, lambda name: name)
        registering.submit(engine, keys, own, asked, now, lambda name: name)
    return (family is not None) + N_WAITING + N_DRAFTS + N_INCOMPLETE + N_REFUSED + N_WITHDRAWN


def communes_asked(sector: Sector, most: int) -> list[str]:
    """The communes from which most of the requests that wait come."""
    forms = islice(_forms(sector, "", 0, 0), N_WAITING)
    n_of = Counter(fields["commune_1"] for _school, fields in forms)
    return sorted(n_of, key=lambda commune: (-n_of[commune], commune))[:most]


def _forms(sector: Sector, sector_id: str, year: int, today_year: int) -> Iterator[tuple[str, dict[str, str]]]:
    """The school that is asked for and the fields, of children who live where others of the sector do."""
    like = [(pupil, home) for pupil in sector.pupils[::17] for home in pupil.homes[:1] if home.commune and home.stop_id]
    for nth, (pupil, home) in enumerate(like):
        yield f"{sector_id}/{pupil.school_id}", _form(pupil, home, nth, year, today_year)


def _form(pupil: Pupil, home: Home, nth: int, year: int, today_year: int) -> dict[str, str]:
    last = f"{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[nth % 26]}."
    born = min(year, today_year) - _BORN.get(str(pupil.level), 13)
    return {
        "prenom": FIRST_NAMES[(7 * nth + 3) % len(FIRST_NAMES)],
        "nom_eleve": last,
        "naissance": f"{born}-{nth % 12 + 1:02d}-{nth % 28 + 1:02d}",
        "niveau": str(pupil.level),
        "regime": "half_board",
        "genre": "ordinary",
        "responsable_1": f"{FIRST_NAMES[(11 * nth + 5) % len(FIRST_NAMES)]} {last}",
        "adresse_1": text("cli.demo.school_address", number=nth % 40 + 1),
        "commune_1": home.commune,
        "arret_1": home.stop_id or "",
        **{day: "1" for place, day in enumerate(DAYS) if place in _SCHOOL_DAYS},
    }
