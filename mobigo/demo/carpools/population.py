"""Population: who shares cars in the demonstration, three months and more of what they do, and the fixed scenario.

Everything follows from the seed and the month of `today`: the same carpools on every machine, and on
every day of that month the same ones up to it. Nobody is real: names are a first name of a list and
an initial, and say that they are fictitious; telephones are those reserved for fiction; bank accounts
have valid keys and a bank that does not exist.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from random import Random

from covoiturage.carpool import Carpool, Evidence, Kind, Ride, Side
from covoiturage.lines import Line, official_metres, shipped_lines
from mobigo.demo.carpools.life import commute, live
from mobigo.demo.carpools.maker import Maker, Road
from mobigo.demo.carpools.schemes import DETERMINISTIC, GRAPH
from socle.geo import LatLon

N_MONTHS = 3  # over, before the one of today
N_COMMUTERS = 145  # those who go out once, share a car or cheat come beside them
KEEN = (0.6, 1.0)
SELDOM = 0.17  # of the workdays, the driver whom visitors play: all they did stands on one page
LINE = "CV6"  # of the fixed scenario and of the accounts that visitors use
FIRST_NAMES = (
    "Adèle", "Agathe", "Aimé", "Alban", "Alix", "Amélie", "Anatole", "André", "Anouk", "Armand", "Aurore", "Baptiste",
    "Bastien", "Blanche", "Brice", "Camille", "Capucine", "Célestin", "Clara", "Clément", "Colette", "Côme", "Denise",
    "Désiré", "Edgar", "Éléonore", "Élise", "Émile", "Estelle", "Eugénie", "Fabien", "Félix", "Flavie", "Florent",
    "Gabin", "Gaspard", "Gisèle", "Hector", "Hélène", "Hortense", "Irène", "Isidore", "Jeanne", "Joachim", "Josette",
    "Jules", "Juliette", "Lazare", "Léonie", "Lilian", "Lise", "Louison", "Lucie", "Madeleine", "Marceau", "Marius",
    "Mathilde", "Maxence", "Nadège", "Noé", "Odette", "Octave", "Ombeline", "Pauline", "Philémon", "Prune", "Quentin",
    "Rémi", "Romane", "Rosalie", "Sacha", "Séraphin", "Solène", "Suzanne", "Théodore", "Tiphaine", "Ulysse",
    "Valentine", "Victor", "Violette", "Yvonne", "Zélie",
)  # fmt: skip
_NO_BANK, _NO_BRANCH = "99999", "99999"  # no bank has this code
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Somebody:
    """A fictitious person: who they are for the service."""

    name: str
    email: str
    phone: str
    iban: str


@dataclass(frozen=True, slots=True)
class Population:
    """People by the name that the carpools call them; carpools with the instant at which each was declared.

    `driver` and `rider` of a line are played by the accounts that visitors use; `planted` are carpools
    of people who cheat; `scenario` is the ride of the press, under the rules of 2020 and under today's.
    """

    people: Mapping[str, Somebody]
    carpools: Sequence[tuple[datetime, Carpool]]
    driver: str
    rider: str
    companion: str
    planted: frozenset[str]
    scenario: tuple[str, str]

    def digest(self) -> str:
        """The hash of everything in it."""
        told = [(at.isoformat(), asdict(carpool)) for at, carpool in self.carpools]
        rest = [{name: asdict(one) for name, one in self.people.items()}, self.driver, self.rider, self.companion]
        return sha256(json.dumps([told, rest], default=str, sort_keys=True).encode()).hexdigest()


def first_day_of(today: date) -> date:
    """The first day of the months that are told."""
    month = today.year * 12 + today.month - 1 - N_MONTHS
    return date(month // 12, month % 12 + 1, 1)


def make_population(seed: int, today: date, n_commuters: int = N_COMMUTERS) -> Population:
    """The population of the months before `today`, and of its own to the end."""
    first = first_day_of(today)
    n_days = (_next_month(today) - first).days
    lines = {line.line_id: line for line in shipped_lines()}
    roads = [_road(line) for line in lines.values()]
    chance = Random(f"{seed} {first}")  # noqa: S311  a demonstration is to be foreseen
    make = Maker(chance, roads, first, n_days, "demo-", (0.0, 1.0))
    live(make, n_commuters, KEEN)
    others = len(make.carpools)
    commute(make, 1, (SELDOM, SELDOM), list(lines).index(LINE))
    honest = list(make.carpools)
    for scheme, _code in (*DETERMINISTIC.values(), *GRAPH.values()):
        scheme(make)
    planted = frozenset(one.id for one in make.carpools[len(honest) :])
    driver, rider, companion = _played(honest, honest[others].driver)
    then, now = datetime(2020, 2, 12, 6, 30, tzinfo=UTC), _quiet_morning(honest, (driver, rider, companion), today)
    scenario = [
        _scenario(name, lines[LINE], at, (driver, rider, companion)) for name, at in (("2020", then), ("now", now))
    ]
    declared = [(make.declared_at[carpool.id], carpool) for carpool in make.carpools]
    declared += [(carpool.end_at + timedelta(minutes=5), carpool) for carpool in scenario]
    declared.sort(key=lambda one: (one[0], one[1].id))
    people = _people(make)
    return Population(people, declared, driver, rider, companion, planted, (scenario[0].id, scenario[1].id))


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _road(line: Line) -> Road:
    return Road(line.line_id, tuple(stop.at for stop in line.stops), tuple(stop.distance_m for stop in line.stops))


# --- who -------------------------------------------------------------------------------------


def _played(carpools: Sequence[Carpool], driver: str) -> tuple[str, str, str]:
    """The driver whom visitors play, and two passengers who ride with them and few others.

    So there is a workday on which none of the three is in a car yet.
    """
    drivers = {carpool.driver for carpool in carpools}
    mine = [carpool for carpool in carpools if carpool.driver == driver]
    rides = Counter(ride.passenger for carpool in mine for ride in carpool.rides)
    riders = Counter(ride.passenger for carpool in carpools for ride in carpool.rides)
    found = sorted(set(riders) - drivers, key=lambda name: (-rides[name], riders[name], name))
    return driver, found[0], found[1]


def _people(make: Maker) -> Mapping[str, Somebody]:
    drivers = {carpool.driver for carpool in make.carpools}
    # Who drives has said where the money goes.
    known = {name: person.iban or name for name, person in make.people.items() if person.iban or name in drivers}
    accounts = {iban: number for number, iban in enumerate(sorted(set(known.values())))}
    found = {}
    for number, name in enumerate(make.people):
        first = FIRST_NAMES[number % len(FIRST_NAMES)]
        last = _LETTERS[number // len(FIRST_NAMES) % len(_LETTERS)]
        found[name] = Somebody(
            f"{first} {last}. (fictif)",
            f"{name}@exemple.test",
            f"+3363998{number:04d}",
            fictitious_iban(accounts[known[name]]) if name in known else "",
        )
    return found


def fictitious_iban(number: int) -> str:
    """An account of a bank that does not exist, with the keys of one that would."""
    account = f"{number:011d}"
    key = 97 - (89 * int(_NO_BANK) + 15 * int(_NO_BRANCH) + 3 * int(account)) % 97
    bban = f"{_NO_BANK}{_NO_BRANCH}{account}{key:02d}"
    check = 98 - int(f"{bban}152700") % 97  # F is 15, R is 27
    return f"FR{check:02d}{bban}"


# --- the ride of the press -------------------------------------------------------------------


def _quiet_morning(carpools: Sequence[Carpool], people: Sequence[str], today: date) -> datetime:
    """A workday of the last month that is over, on which none of them is in a car yet."""
    busy = {
        carpool.end_at.date()
        for carpool in carpools
        if not {carpool.driver, *(ride.passenger for ride in carpool.rides)}.isdisjoint(people)
    }
    day = today.replace(day=1) - timedelta(days=1)
    while day in busy or day.weekday() > 4:
        day -= timedelta(days=1)
    return datetime(day.year, day.month, day.day, 6, 30, tzinfo=UTC)


def _scenario(name: str, line: Line, at: datetime, people: tuple[str, str, str]) -> Carpool:
    """Avoudrey to Baume-les-Dames, 32 km measured, one passenger from home and one from Bremondans."""
    driver, *passengers = people
    carpool_id = f"demo-scenario-{name}"
    end = at + timedelta(minutes=36)
    stops = {stop.insee_code: stop for stop in line.stops}
    avoudrey, bremondans, baume = stops["25039"], stops["25089"], stops["25047"]
    rides = []
    for passenger, start, after_min in zip(passengers, (avoudrey, bremondans), (0, 16), strict=True):
        board = at + timedelta(minutes=after_min)
        evidence = tuple(
            Evidence(kind, side, who, when, f"device-{who}", place)
            for side, when, place in ((Side.BOARD, board, start.at), (Side.ALIGHT, end, baume.at))
            for kind, who, place in _told(passenger, driver, place)
        )
        metres = official_metres(line, start.stop_id, baume.stop_id)
        rides.append(Ride(f"{carpool_id}-{passenger}", passenger, 1, board, end, metres, evidence=evidence))
    official = official_metres(line, avoudrey.stop_id, baume.stop_id)
    return Carpool(carpool_id, driver, at, end, tuple(rides), line.line_id, 32_000, official)


def _told(passenger: str, driver: str, place: LatLon) -> tuple[tuple[Kind, str, LatLon], ...]:
    """A code scanned by the passenger, and where the driver was: some metres beside."""
    beside = LatLon(round(place.lat + 0.00003, 6), round(place.lon + 0.00002, 6))
    return (Kind.QR, passenger, place), (Kind.POSITION, driver, beside)
