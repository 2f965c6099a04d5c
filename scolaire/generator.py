"""Generator: fictitious sectors and regions of school transport, always the same for a seed.

A sector is a main town, smaller towns and villages on a disc, sown no closer than villages are. Pupils of lycées
and collèges go to the nearest town that has one (one in 25 elsewhere, with or without a reason), those of primary
schools to the school of a group of villages, and who lives beside the school walks. Some children have two homes,
some are boarders, a few travel in a wheelchair. Nothing of it is a real place: names say so, and communes have codes
that do not exist.

Each object is drawn from its own seed, so that no draw of one shifts those of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import cos, hypot, pi, radians, sin, sqrt
from random import Random
from typing import Final

from scolaire.pupils import (
    FULL_DAYS,
    SCHOOL_WEEK,
    Home,
    Level,
    Noon,
    Pupil,
    Regime,
    School,
    SchoolStatus,
    Sector,
    Stop,
    StopStatus,
    VehicleType,
)
from scolaire.ways import straight_way
from socle.geo import LatLon, distance_m

N_PUPILS: Final = 4_900  # the sector of the note
N_SECTORS: Final = 25
REGION_PUPILS: Final = 123_000
SCHOOL_YEAR: Final = 2026
MIDDLE: Final = LatLon(47.12, 6.36)

_M_PER_DEGREE: Final = 111_195
_PUPILS_PER_VILLAGE: Final = 35
_TOWNS: Final = 5
_RADIUS_M: Final = 24_000
_WIND: Final = (1.18, 1.38)  # how much longer a road is than the straight line
_DEPARTMENTS: Final = ("89", "21", "70", "90", "25", "58", "71", "39")
_SHUTTLE_S: Final = 12 * 60
_NOON: Final = Noon(12 * 3600, 13 * 3600 + 30 * 60, FULL_DAYS, "", True, 15 * 60, 15 * 60, 15 * 60, 30 * 60)
_MONDAY: Final = 1
_SHARED_WEEKS: Final = ((0b00011, 0b11000), (0b00111, 0b11000), (0b01011, 0b10000))


@dataclass(frozen=True, slots=True)
class _Place:
    """A town or a village: metres east and north of the middle, people, and where its coaches stop."""

    number: int
    x: float
    y: float
    people: int
    commune: str
    stops: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Sited:
    """A school, the number of its place, and where in it."""

    school: School
    number: int
    x: float
    y: float


def draw_sector(
    seed: int,
    *,
    n_pupils: int = N_PUPILS,
    number: int = 0,
    middle: LatLon = MIDDLE,
    department: str = "25",
) -> Sector:
    """A sector with that many pupils; `number` tells the sectors of a region apart."""
    ground = _Ground(seed, number, n_pupils, middle, department)
    places = ground.places()
    schools = list(ground.schools(places))
    stops = [
        Stop(ground.stop_id(place, i), f"Arrêt fictif {place.number}-{i + 1}", ground.at(x, y), StopStatus.VALIDATED)
        for place in places
        for i, (x, y) in enumerate(place.stops)
    ]
    pupils = tuple(ground.pupils(places, schools))
    return Sector(
        pupils=pupils,
        schools=tuple(sited.school for sited in schools),
        stops=tuple(stops),
        vehicle_types=tuple(ground.vehicle_types(places)),
        plannable=tuple((p, h) for p, pupil in enumerate(pupils) for h in range(len(pupil.homes))),
        left_out=(),
    )


def draw_region(seed: int, *, n_pupils: int = REGION_PUPILS, n_sectors: int = N_SECTORS) -> Iterator[Sector]:
    """Sectors side by side on a grid, of sizes from two thirds to four thirds of the mean."""
    weights = [2 / 3 + _Ground(seed, number, 0).size() * 2 / 3 for number in range(n_sectors)]
    total, given = sum(weights), 0
    across = max(1, round(sqrt(n_sectors)))
    for number in range(n_sectors):
        so_far = round(n_pupils * sum(weights[: number + 1]) / total)
        row, column = divmod(number, across)
        yield draw_sector(
            seed,
            n_pupils=so_far - given,
            number=number,
            middle=LatLon(46.55 + 0.42 * row, 3.40 + 0.65 * column),
            department=_DEPARTMENTS[number % len(_DEPARTMENTS)],
        )
        given = so_far


def with_shuttles(sector: Sector, n_schools: int) -> Sector:
    """The sector with village schools that share their canteens: of so many at most, half-boarders eat at another's.

    Each eats at the nearest primary school that lies within twelve minutes and does not send its own away; both are a
    group from then on, and a stop lies before the canteen.
    """
    primary = [index for index, one in enumerate(sector.schools) if one.level is Level.PRIMARY]
    schools, stops = list(sector.schools), {stop.stop_id: stop for stop in sector.stops}
    hosts: set[int] = set()
    for index in primary:
        sent = [at for at in primary if schools[at].noon is not None]
        if len(sent) == n_schools or index in hosts:
            continue
        here = schools[index].position
        others = [at for at in primary if at != index and at not in sent]
        host = min(others, key=lambda at: distance_m(here, schools[at].position), default=None)
        if host is None or straight_way(here, schools[host].position)[0] > _SHUTTLE_S:
            continue
        hosts.add(host)
        group = schools[host].group or f"RPI {schools[host].school_id}"
        canteen = Stop(
            f"{schools[host].school_id}-cantine",
            f"Cantine fictive {schools[host].school_id}",
            schools[host].position,
            StopStatus.VALIDATED,
        )
        stops[canteen.stop_id] = canteen
        schools[host] = replace(schools[host], group=group)
        schools[index] = replace(
            schools[index], group=group, noon=replace(_NOON, canteen_stop_id=canteen.stop_id, is_home=False)
        )
    return replace(sector, schools=tuple(schools), stops=tuple(stops.values()))


class _Ground:
    """What the draws of one sector share."""

    def __init__(self, seed: int, number: int, n_pupils: int, middle: LatLon = MIDDLE, department: str = "25") -> None:
        self._seed = f"{seed}/{number}"
        self._number = number
        self._n_pupils = n_pupils
        self._middle = middle
        self._department = department

    def _draws(self, *key: object) -> Random:
        return Random("/".join(map(str, (self._seed, *key))))  # noqa: S311 - drawn alike every time, on purpose

    def size(self) -> float:
        """How large the sector is among those of a region, from 0 to 1."""
        return self._draws("size").random()

    def at(self, x: float, y: float) -> LatLon:
        """Metres from the middle as degrees, to the seventh decimal."""
        lat = self._middle.lat + y / _M_PER_DEGREE
        lon = self._middle.lon + x / (_M_PER_DEGREE * cos(radians(self._middle.lat)))
        return LatLon(round(lat, 7), round(lon, 7))

    def stop_id(self, place: _Place, i: int) -> str:
        """The id of a stop of a place."""
        return f"s{self._number:02d}-{place.number:03d}-{i + 1}"

    # --- places -------------------------------------------------------------------------------

    def places(self) -> list[_Place]:
        """The main town first, then the towns, then the villages."""
        n_villages = max(12, round(self._n_pupils / _PUPILS_PER_VILLAGE))
        radius = _RADIUS_M * sqrt(max(self._n_pupils, 400) / N_PUPILS)
        spots: list[tuple[float, float]] = [(0.0, 0.0)]
        for i in range(_TOWNS):
            turn = 2 * pi * (i + self._draws("town", i).random() * 0.6) / _TOWNS
            away = radius * (0.45 + 0.25 * self._draws("away", i).random())
            spots.append((away * cos(turn), away * sin(turn)))
        apart, tried = radius * sqrt(pi / n_villages) * 0.62, 0
        while len(spots) < 1 + _TOWNS + n_villages:
            draws = self._draws("village", tried)
            tried += 1
            turn, away = 2 * pi * draws.random(), radius * sqrt(draws.random())
            x, y = away * cos(turn), away * sin(turn)
            if all(hypot(x - other_x, y - other_y) > apart for other_x, other_y in spots):
                spots.append((x, y))
            elif tried % 400 == 0:
                apart *= 0.9
        return [self._place(i, x, y) for i, (x, y) in enumerate(spots)]

    def _place(self, number: int, x: float, y: float) -> _Place:
        draws = self._draws("place", number)
        if number == 0:
            people, n_stops = 9_000, 4
        elif number <= _TOWNS:
            people, n_stops = draws.randrange(2_000, 4_500), 4
        else:
            people = min(1_600, int(draws.lognormvariate(5.7, 0.7)) + 60)
            n_stops = max(1, min(4, round(0.5 + people / 330)))
        spread = 350 + sqrt(people) * 25
        first = (x, y) if number > _TOWNS else (x + spread, y)
        stops = [first]
        for _ in range(n_stops - 1):
            turn, away = 2 * pi * draws.random(), spread * (1 + draws.random())
            stops.append((x + away * cos(turn), y + away * sin(turn)))
        # 69 codes a sector from 720 on: no commune of these departments has one as high.
        commune = f"{self._department}{720 + (self._number // len(_DEPARTMENTS)) * 69 % 276 + number % 69:03d}"
        return _Place(number, x, y, people, commune, tuple(stops))

    # --- schools ------------------------------------------------------------------------------

    def schools(self, places: Sequence[_Place]) -> Iterator[_Sited]:
        """Lycées and collèges in towns, primary schools in the larger villages of groups."""
        towns = places[: 1 + _TOWNS]
        largest = max(towns[1:], key=lambda town: town.people)
        for i, town in enumerate((towns[0], towns[0], largest)):
            yield self._school(f"l{i + 1}", Level.LYCEE, town, ("07:50", "07:55", "08:00"), "17:55", 60)
        for i, town in enumerate((towns[0], towns[0], towns[0], *towns[1:])):
            yield self._school(f"c{i + 1}", Level.COLLEGE, town, ("08:00", "08:10", "08:20", "08:30"), "17:00", 45)
        villages = sorted(places[1 + _TOWNS :], key=lambda place: (-place.people, place.number))
        for i, village in enumerate(villages[: max(3, round(len(villages) * 0.22))]):
            yield self._school(f"p{i + 1}", Level.PRIMARY, village, ("08:30", "08:40", "08:50", "09:00"), "16:30", 45)

    def _school(
        self, name: str, level: Level, place: _Place, bells: Sequence[str], bell_pm: str, ride_max_min: int
    ) -> _Sited:
        draws = self._draws("school", name)
        turn, away = 2 * pi * draws.random(), 300 + 500 * draws.random()
        x, y = place.x + away * cos(turn), place.y + away * sin(turn)
        title = {Level.LYCEE: "Lycée", Level.COLLEGE: "Collège", Level.PRIMARY: "École"}[level]
        has_wednesday = level is not Level.PRIMARY
        school = School(
            school_id=f"{self._number:02d}-{name}",
            name=f"{title} de démonstration {self._number:02d}-{name}",
            position=self.at(x, y),
            bell_am_s=_seconds(draws.choice(bells)),
            bell_pm_s=_seconds(bell_pm),
            window_min_s=5 * 60,
            window_max_s=20 * 60,
            level=level,
            ride_max_s=ride_max_min * 60,
            bell_wednesday_s=_seconds("12:00") if has_wednesday else None,
            status=SchoolStatus.CONTRACT if draws.random() < 0.12 else SchoolStatus.PUBLIC,
            commune=place.commune,
        )
        return _Sited(school, place.number, x, y)

    # --- pupils -------------------------------------------------------------------------------

    def pupils(self, places: Sequence[_Place], schools: Sequence[_Sited]) -> Iterator[Pupil]:
        """Pupils in the order of their numbers; children of a place that has their school walk."""
        homes = list(places[1:])
        weights = [place.people if place.number > _TOWNS else place.people // 5 for place in homes]
        by_level = {
            level: [sited for sited in schools if sited.school.level is level]
            for level in (Level.LYCEE, Level.COLLEGE, Level.PRIMARY)
        }
        order = {  # place -> schools of each level, the nearest first
            (place.number, level): sorted(some, key=lambda sited: hypot(sited.x - place.x, sited.y - place.y))
            for place in homes
            for level, some in by_level.items()
        }
        for i in range(self._n_pupils):
            draws = self._draws("pupil", i)
            place = draws.choices(homes, weights)[0]
            level = draws.choices((Level.NURSERY, Level.PRIMARY, Level.COLLEGE, Level.LYCEE), (4, 20, 45, 31))[0]
            kind = Level.PRIMARY if level is Level.NURSERY else level
            while order[place.number, kind][0].number == place.number:
                place = draws.choices(homes, weights)[0]
            near = order[place.number, kind]
            yield self._pupil(i, draws, level, place, homes, near)

    def _pupil(
        self, i: int, draws: Random, level: Level, place: _Place, homes: Sequence[_Place], near: Sequence[_Sited]
    ) -> Pupil:
        first = near[0]
        elsewhere = len(near) > 1 and level in (Level.COLLEGE, Level.LYCEE) and draws.random() < 0.04
        attended = near[1] if elsewhere else first
        regime = Regime.HALF_BOARD if draws.random() < 0.8 else Regime.DAY
        days = SCHOOL_WEEK if attended.school.bell_wednesday_s else FULL_DAYS
        if level is Level.LYCEE and draws.random() < 0.08:
            regime, days = Regime.BOARDER, _MONDAY
        lived = [self._home(draws, place, attended, days)]
        if regime is not Regime.BOARDER and draws.random() < 0.02:  # two homes, the second not far
            other = min(
                (home for home in homes if home.number not in (place.number, attended.number)),
                key=lambda home: hypot(home.x - place.x, home.y - place.y) * (0.5 + draws.random()),
            )
            one, two = draws.choice(_SHARED_WEEKS)
            lived = [
                self._home(draws, place, attended, one & days or _MONDAY),
                self._home(draws, other, attended, two & days),
            ]
        ages = {Level.NURSERY: (3, 5), Level.PRIMARY: (6, 10), Level.COLLEGE: (11, 14), Level.LYCEE: (15, 18)}[level]
        return Pupil(
            pupil_id=f"e{self._number:02d}-{i:05d}",
            school_id=attended.school.school_id,
            level=level,
            regime=regime,
            homes=tuple(lived),
            wheelchair=draws.random() < 0.003,
            birth_year=SCHOOL_YEAR - draws.randint(*ages),
            sector_school_id=first.school.school_id if elsewhere else None,
            derogation=draws.choice(("option", "no_place", "convenience")) if elsewhere else None,
        )

    def _home(self, draws: Random, place: _Place, attended: _Sited, days: int) -> Home:
        x, y = draws.choice(place.stops)
        turn, away = 2 * pi * draws.random(), 500 * sqrt(draws.random())
        x, y = x + away * cos(turn), y + away * sin(turn)
        road_m = int(hypot(x - attended.x, y - attended.y) * draws.uniform(*_WIND))
        return Home(self.at(x, y), days, None, place.commune, road_m)

    # --- vehicles -----------------------------------------------------------------------------

    def vehicle_types(self, places: Sequence[_Place]) -> Iterator[VehicleType]:
        """Five sizes at three depots, as many as wanted; the smallest has two places for wheelchairs."""
        sizes = (
            *((8, 2, 14_000, 55, 2_600), (22, 0, 17_500, 80, 2_800), (33, 0, 19_500, 95, 3_000)),
            *((53, 0, 21_500, 115, 3_100), (59, 0, 22_500, 120, 3_200)),
        )
        for lot, depot in zip("ABC", (places[0], places[1], places[2]), strict=True):
            for seats, wheelchair_places, day, km, hour in sizes:
                yield VehicleType(
                    type_id=f"{self._number:02d}-{lot}{seats}",
                    seats=seats,
                    wheelchair_places=wheelchair_places,
                    day_cents=day,
                    km_cents=km,
                    hour_cents=hour,
                    count=None,
                    depot=self.at(depot.x, depot.y),
                    lot=f"{self._number:02d}-{lot}",
                )


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60
