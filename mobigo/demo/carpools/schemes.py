"""People who cheat, each in one way: what they declare, and which of their carpools bear the mark of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import Any

from covoiturage.carpool import Carpool, Evidence, Kind, Side
from covoiturage.fraud.labels import Code
from mobigo.demo.carpools.maker import Maker, Traveller, between, moved

Gang = frozenset[str]  # the carpools that bear the mark
Scheme = Callable[[Maker], Gang]


def _two(make: Maker) -> tuple[Traveller, Traveller]:
    driver = make.traveller()
    make.know(driver, replace(make.person(driver), iban=f"iban-{driver.name}"))
    return driver, make.traveller(driver.line)


def _day(make: Maker) -> int:
    return make.draw.choice(make.workdays())


def _drive(make: Maker, driver: Traveller, passenger: Traveller, hour: float, day: int | None = None) -> Carpool:
    """From the first stop to the last."""
    at = make.local(_day(make) if day is None else day, hour)
    return make.drive(driver, [passenger], at, (0, make.last_stop(driver.line)), whole_way=True)


def _change_ride(make: Maker, carpool: Carpool, **about: Any) -> Gang:
    rides = (replace(carpool.rides[0], **about), *carpool.rides[1:])
    return frozenset({make.change(carpool, rides=rides).id})


def _later(carpool: Carpool, by: timedelta) -> Carpool:
    """The same outing, later, with all its evidence."""
    rides = [
        replace(
            ride,
            board_at=ride.board_at + by,
            alight_at=ride.alight_at + by,
            evidence=tuple(replace(one, at=one.at + by) for one in ride.evidence),
        )
        for ride in carpool.rides
    ]
    return replace(carpool, start_at=carpool.start_at + by, end_at=carpool.end_at + by, rides=tuple(rides))


def _renamed(make: Maker, carpool: Carpool) -> Carpool:
    """The same outing under other ids."""
    new_id = make.new_id()
    rides = []
    for number, ride in enumerate(carpool.rides):
        rides.append(replace(ride, id=f"{new_id}-{number}"))
        make.ways[rides[-1].id] = make.ways[ride.id]
    later = make.declared_at[carpool.id] + timedelta(minutes=5)
    make.declared_at[new_id] = later
    return make.add(replace(carpool, id=new_id, rides=tuple(rides)))


# --- one car ---------------------------------------------------------------------------------


def _knows(name: str) -> Scheme:
    """Drives a second account of their own: the same person, telephone, device or bank account."""

    def scheme(make: Maker) -> Gang:
        driver, passenger = _two(make)
        make.know(passenger, replace(make.person(passenger), **{name: getattr(make.person(driver), name)}))
        return frozenset({_drive(make, driver, passenger, 8).id})

    return scheme


def _own_phone(make: Maker) -> Gang:
    """Scans the passenger's codes with the driver's telephone."""
    driver, passenger = _two(make)
    passenger.device = driver.device
    return frozenset({_drive(make, driver, passenger, 8).id})


def _alone(make: Maker) -> Gang:
    """Declares oneself as the passenger."""
    driver, _other = _two(make)
    return frozenset({_drive(make, driver, driver, 8).id})


def _round_the_block(make: Maker) -> Gang:
    """Two codes scanned within a minute, as often as one likes."""
    driver, passenger = _two(make)
    carpool = _drive(make, driver, passenger, 8)
    ride = carpool.rides[0]
    return _change_ride(make, carpool, alight_at=ride.board_at + timedelta(seconds=45), distance_m=250, evidence=())


def _flies(make: Maker) -> Gang:
    """A line of fifty kilometres ridden in ten minutes."""
    driver, passenger = make.traveller(0), make.traveller(0)
    carpool = _drive(make, driver, passenger, 8)
    return _change_ride(make, carpool, alight_at=carpool.rides[0].board_at + timedelta(minutes=10))


def _inflates(make: Maker) -> Gang:
    """Two stops ridden, the length of five lines declared."""
    driver, passenger = _two(make)
    carpool = make.drive(driver, [passenger], make.local(_day(make), 8), (0, 1), whole_way=True)
    return _change_ride(make, carpool, distance_m=carpool.rides[0].distance_m * 5)


def _dawdles(make: Maker) -> Gang:
    """Two stops that take the whole morning, so that nobody asks where the car was."""
    driver, passenger = _two(make)
    carpool = make.drive(driver, [passenger], make.local(_day(make), 8), (0, 1), whole_way=True)
    finish = carpool.start_at + timedelta(hours=4)
    ride = replace(carpool.rides[0], alight_at=finish)
    return frozenset({make.change(carpool, end_at=finish, rides=(ride,)).id})


def _coach(make: Maker) -> Gang:
    """A car with ten passengers."""
    driver, passenger = _two(make)
    carpool = _drive(make, driver, passenger, 8)
    return _change_ride(make, carpool, seats=10)


# --- traces ----------------------------------------------------------------------------------


def _at_home(make: Maker) -> Gang:
    """The passenger's telephone stays at home, thirty kilometres from the line."""
    driver, passenger = _two(make)
    carpool = _drive(make, driver, passenger, 8)
    ride = carpool.rides[0]
    home = moved(make.ways[ride.id].start or make.stop_at(0, 0), 30_000, make.draw.uniform(0, 6.28))
    evidence = tuple(
        replace(one, place=moved(home, make.draw.uniform(0, 20), 1.0)) if one.by == passenger.name else one
        for one in ride.evidence
    )
    return _change_ride(make, carpool, evidence=evidence)


def _elsewhere(make: Maker) -> Gang:
    """Both ride a shorter way on another road than the line that they declare."""
    driver, passenger = _two(make)
    carpool = _drive(make, driver, passenger, 8)
    ride = carpool.rides[0]
    evidence = tuple(
        replace(one, place=moved(one.place, 4_000, 0.5)) if one.place is not None else one for one in ride.evidence
    )
    return _change_ride(make, carpool, evidence=evidence)


def _forges(make: Maker) -> Gang:
    """Writes places into the trace by hand, and a jump in the middle."""
    driver, passenger = _two(make)
    carpool = _drive(make, driver, passenger, 8)
    ride = carpool.rides[0]
    start, end = make.stop_at(driver.line, 0), make.stop_at(driver.line, make.last_stop(driver.line))
    evidence = []
    for minute in range(6):
        at = ride.board_at + timedelta(minutes=minute)
        place = moved(start if minute < 3 else end, 5.0 * minute, 1.0)
        side = Side.BOARD if minute < 3 else Side.ALIGHT
        evidence.append(Evidence(Kind.POSITION, side, passenger.name, at, passenger.device, place))
    return _change_ride(make, carpool, evidence=tuple(evidence))


def _copies(make: Maker) -> Gang:
    """Sends the driver's trace again as the passenger's."""
    driver, passenger = _two(make)
    carpool = _drive(make, driver, passenger, 8)
    ride = carpool.rides[0]
    drivers = [one for one in ride.evidence if one.by == driver.name]
    copied = tuple(replace(one, by=passenger.name, device=passenger.device) for one in drivers)
    return _change_ride(make, carpool, evidence=(*drivers, *copied))


def _glove_box(make: Maker) -> Gang:
    """A second telephone in the glove box: it « gets off » halfway and rides on."""
    driver, passenger = _two(make)
    carpool = _drive(make, driver, passenger, 8)
    ride = carpool.rides[0]
    half = (carpool.end_at - carpool.start_at) / 2
    whole = (make.stop_at(driver.line, 0), make.stop_at(driver.line, make.last_stop(driver.line)))
    make.ways[ride.id] = replace(make.ways[ride.id], end=between(whole, 0.5))
    evidence = []
    for step in range(11):
        at, place = carpool.start_at + 2 * half * step / 10, between(whole, step / 10)
        for who in (driver, passenger):
            side = Side.BOARD if step < 3 else Side.ALIGHT
            evidence.append(Evidence(Kind.POSITION, side, who.name, at, who.device, make.seen(who, place)))
    return _change_ride(
        make,
        carpool,
        alight_at=carpool.start_at + half,
        distance_m=ride.distance_m // 2,
        evidence=tuple(evidence),
    )


def _replays(make: Maker) -> Gang:
    """Drives once, and sends the traces of that day on other days."""
    driver, passenger = _two(make)
    days = sorted(make.draw.sample(make.workdays(), 5))
    first = _drive(make, driver, passenger, 8, days[0])
    played = []
    for day in days[1:]:
        again = _renamed(make, _later(first, timedelta(days=day - days[0])))
        make.declared_at[again.id] = again.end_at + timedelta(minutes=10)
        played.append(again.id)
    return frozenset(played)


def _from_tomorrow(make: Maker) -> Gang:
    """Declares a ride before it is over, with evidence yet to come."""
    driver, passenger = _two(make)
    carpool = _drive(make, driver, passenger, 8)
    early = carpool.rides[0].alight_at - timedelta(minutes=10)
    make.declared_at[carpool.id] = early
    return frozenset({carpool.id})


# --- cars of the same people -----------------------------------------------------------------


def _same_id(make: Maker) -> Gang:
    """Sends a carpool again under its id, on another day."""
    driver, passenger = _two(make)
    carpool = _drive(make, driver, passenger, 8, 3)
    make.add(_later(carpool, timedelta(days=1)))
    return frozenset({carpool.id})


def _tells_twice(make: Maker) -> Gang:
    """Declares one outing twice under two ids."""
    driver, passenger = _two(make)
    return frozenset({_renamed(make, _drive(make, driver, passenger, 8)).id})


def _two_cars(make: Maker) -> Gang:
    """Drives two cars at once, with another passenger in each."""
    driver, passenger = _two(make)
    other = make.traveller(driver.line)
    day = _day(make)
    return frozenset({_drive(make, driver, passenger, 8, day).id, _drive(make, driver, other, 8, day).id})


def _half_gone(make: Maker) -> Gang:
    """Sits in the next car before having left the one before."""
    driver, passenger = make.traveller(0), make.traveller(0)
    first = _drive(make, driver, passenger, 8)
    half = first.start_at + (first.end_at - first.start_at) * 0.6
    other = make.traveller(0)
    second = make.drive(other, [passenger], half, (0, make.last_stop(0)), whole_way=True)
    return frozenset({first.id, second.id})


def _cuts(make: Maker) -> Gang:
    """One ride cut in two, so that the passenger is counted twice."""
    driver, passenger = _two(make)
    last = make.last_stop(driver.line)
    first = make.drive(driver, [passenger], make.local(_day(make), 8), (0, last // 2), whole_way=True)
    at = first.end_at + timedelta(minutes=make.draw.uniform(0, 25))
    return frozenset({make.drive(driver, [passenger], at, (last // 2, last), whole_way=True).id})


def _treadmill(make: Maker) -> Gang:
    """To and fro all day: six outings with changing passengers."""
    driver, _other = _two(make)
    at, ends, found = make.local(_day(make), 5), (0, 2), []
    for _ in range(6):
        carpool = make.drive(driver, [make.traveller(driver.line)], at, ends, whole_way=True)
        at, ends = carpool.end_at + timedelta(minutes=10), (ends[1], ends[0])
        found.append(carpool.id)
    return frozenset(found[4:])


def _swap(make: Maker) -> Gang:
    """Two who take each other to and fro on the same day, both to be paid."""
    one, other = _two(make)
    day = _day(make)
    return frozenset({_drive(make, one, other, 8, day).id, _drive(make, other, one, 17, day).id})


# --- a month ---------------------------------------------------------------------------------


def _robot(make: Maker) -> Gang:
    """A program that declares the same ride every day, to the second."""
    driver, passenger = _two(make)
    found = []
    for day in make.draw.sample(make.workdays(), 14):
        carpool = _drive(make, driver, passenger, 8, day)
        ride = carpool.rides[0]
        finish = carpool.start_at + timedelta(seconds=3_000)
        same = replace(ride, alight_at=finish, evidence=())
        found.append(make.change(carpool, end_at=finish, rides=(same,)).id)
    return frozenset(found)


def _phone_farm(make: Maker) -> Gang:
    """One telephone that scans for five passengers who are none."""
    driver, first = _two(make)
    found = []
    for number in range(5):
        ghost = make.traveller(driver.line)
        ghost.device = first.device
        found.append(_drive(make, driver, ghost, 8, make.workdays()[number]).id)
    return frozenset(found)


def _mule(make: Maker) -> Gang:
    """Three accounts of drivers paid on one bank account."""
    found, account = [], f"iban-mule-{make.n_carpools}"
    for _ in range(3):
        driver, passenger = _two(make)
        make.know(driver, replace(make.person(driver), iban=account))
        found.append(_drive(make, driver, passenger, 8).id)
    return frozenset(found)


def _rounds(
    make: Maker, roles: Sequence[tuple[Traveller, Sequence[Traveller]]], n_days: int, a_day: int
) -> list[Carpool]:
    """Outings of some days, `a_day` on each, by the drivers and passengers of `roles` in turn."""
    found, turn = [], cycle(roles)
    for day in sorted(make.draw.sample(make.workdays(), n_days)):
        at, there = make.local(day, make.draw.uniform(5, 7)), True
        for _ in range(a_day):
            driver, passengers = next(turn)
            step = min(make.draw.choice([2, 3, 4]), make.last_stop(driver.line))
            carpool = make.drive(driver, passengers, at, (0, step) if there else (step, 0), whole_way=True)
            at, there = carpool.end_at + timedelta(minutes=make.draw.uniform(35, 60)), not there
            found.append(carpool)
    return found


def _camouflage(make: Maker, people: Sequence[Traveller]) -> None:
    """Now and then a ride with an outsider, to look like others."""
    for one in people:
        if make.draw.random() < 0.3:
            _drive(make, make.traveller(one.line), one, 12, _weekend(make))


def _weekend(make: Maker) -> int:
    return make.draw.choice([day for day in range(28) if day not in make.workdays()])


def _ring(make: Maker) -> Gang:
    """Two to eight who take each other up and down all day, each within what a day allows."""
    first, _other = _two(make)
    people = [first, *(make.traveller(first.line) for _ in range(make.draw.randrange(1, 8)))]
    roles = []
    for number, driver in enumerate(people):
        after = [*people[number + 1 :], *people[:number]]
        roles.append((driver, after[: make.draw.choice([1, 2, 3])]))
    aboard = sum(1 + len(passengers) for _driver, passengers in roles) / len(roles)
    a_day = round(len(people) * make.draw.uniform(3, 4) / aboard)
    found = _rounds(make, roles, make.draw.randrange(6, 16), a_day)
    _camouflage(make, people)
    return frozenset(carpool.id for carpool in found)


def _ghosts(make: Maker) -> Gang:
    """A driver with two to six passengers who are accounts and nothing else."""
    driver, _other = _two(make)
    ghosts = [make.traveller(driver.line) for _ in range(make.draw.randrange(2, 7))]
    roles = [(driver, make.draw.sample(ghosts, min(len(ghosts), make.draw.choice([2, 3])))) for _ in range(7)]
    found = _rounds(make, roles, make.draw.randrange(6, 16), make.draw.choice([3, 4, 4]))
    _camouflage(make, [driver])
    return frozenset(carpool.id for carpool in found)


DETERMINISTIC: Mapping[str, tuple[Scheme, Code]] = {
    "alone": (_alone, Code.SAME_IDENTITY),
    "second account": (_knows("identity"), Code.SAME_IDENTITY),
    "same telephone number": (_knows("phone"), Code.SAME_PHONE),
    "same device": (_knows("device"), Code.SAME_DEVICE),
    "the driver's own phone": (_own_phone, Code.SAME_DEVICE),
    "same bank account": (_knows("iban"), Code.SAME_IBAN),
    "round the block": (_round_the_block, Code.TOO_SHORT),
    "flies": (_flies, Code.TOO_FAST),
    "inflates": (_inflates, Code.METRES_UNLIKE_ROUTE),
    "dawdles": (_dawdles, Code.SECONDS_UNLIKE_ROUTE),
    "coach": (_coach, Code.TOO_MANY_ABOARD),
    "at home": (_at_home, Code.APART),
    "elsewhere": (_elsewhere, Code.STOP_NOT_APPROACHED),
    "forges": (_forges, Code.TELEPORT),
    "copies": (_copies, Code.IDENTICAL_TRACES),
    "glove box": (_glove_box, Code.LEFT_TOGETHER),
    "replays": (_replays, Code.REPLAYED_TRACE),
    "from tomorrow": (_from_tomorrow, Code.CLOCK_AHEAD),
    "same id": (_same_id, Code.DUPLICATE_ID),
    "tells twice": (_tells_twice, Code.DECLARED_TWICE),
    "two cars": (_two_cars, Code.OVERLAP),
    "half gone": (_half_gone, Code.OVERLAP_IN_PART),
    "cuts": (_cuts, Code.TOO_CLOSE),
    "treadmill": (_treadmill, Code.TOO_MANY_TRIPS),
    "swap": (_swap, Code.ROLE_SWAP),
    "robot": (_robot, Code.CONSTANT),
    "phone farm": (_phone_farm, Code.DEVICE_OF_MANY),
    "mule": (_mule, Code.IBAN_OF_MANY),
}
GRAPH: Mapping[str, tuple[Scheme, Code]] = {
    "ring": (_ring, Code.CLOSED_GROUP),
    "ghosts": (_ghosts, Code.CAPTIVE_PASSENGERS),
}
