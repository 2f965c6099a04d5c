"""Honest life on carpool lines, with what rules must not mistake for fraud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mobigo.demo.carpools.maker import Maker, Traveller

# How often what happens to everybody happens.
ABORTED_PER_CARPOOL = 0.0003  # both codes scanned at the kerb, and the ride given up
FORGOT_PER_CARPOOL = 0.0003  # to the next stop, back for the badge, and off again
WITHOUT_PHONE_PER_RIDER = 0.04
KEEN = (0.4, 0.95)  # of the workdays
# How many of each there are for a hundred commuting drivers.
CREWS, COUPLES, PARENTS, OUTINGS, TURNS = 3, 0.25, 4, 60, 0.5


def live(make: Maker, n_drivers: int, keen: tuple[float, float] = KEEN) -> None:
    """Honest life around `n_drivers` who commute, each on some share of the workdays between those of `keen`."""
    commute(make, n_drivers, keen)
    for _ in range(round(n_drivers * CREWS / 100)):
        _drive_in_turns(make, make.draw.choice([2, 3, 4]))
    for _ in range(max(1, round(n_drivers * COUPLES / 100))):
        _share_an_account(make)
    for _ in range(round(n_drivers * PARENTS / 100)):
        _take_children(make)
    for _ in range(round(n_drivers * OUTINGS / 100)):
        _go_out(make)
    for _ in range(max(1, round(n_drivers * TURNS / 100))):
        _share_the_wheel(make)


def commute(make: Maker, n_drivers: int, shares: tuple[float, float], only_line: int | None = None) -> None:
    """Drivers who take whom they usually take, and now and then somebody else of the line; all lines, or one."""
    draw = make.draw
    riders_of = {
        line: [
            make.traveller(line, has_phone=draw.random() >= WITHOUT_PHONE_PER_RIDER)
            for _ in range(max(4, n_drivers // len(make.roads) * 2))
        ]
        for line in (range(len(make.roads)) if only_line is None else [only_line])
    }
    for _ in range(n_drivers):
        driver = _driver(make, only_line)
        riders = riders_of[driver.line]
        usual = draw.sample(riders, draw.choice([1, 1, 2, 2, 3]))
        leaves, comes_back, keen = draw.gauss(7.4, 0.6), draw.gauss(17.2, 0.8), draw.uniform(*shares)
        for day in make.workdays():
            if draw.random() < keen:
                for hour in (leaves, comes_back):
                    wish = [one for one in usual if draw.random() < 0.7]
                    wish += [draw.choice(riders)] if draw.random() < 0.1 else []
                    aboard = [one for one in wish if make.is_free(one, day, hour)]
                    _go(make, driver, aboard, day, hour)


def _driver(make: Maker, line: int | None = None) -> Traveller:
    driver = make.traveller(line)
    make.know(driver, replace(make.person(driver), iban=f"iban-{driver.name}"))
    return driver


def _go(make: Maker, driver: Traveller, aboard: Sequence[Traveller], day: int, hour: float) -> None:
    """To work in the morning, home in the evening, with what may happen on the way."""
    if not aboard:
        return
    at = make.local(day, hour + make.draw.gauss(0, 0.1))
    ends = (driver.home, driver.work) if hour < 12 else (driver.work, driver.home)
    if make.draw.random() < ABORTED_PER_CARPOOL:
        _give_up(make, driver, aboard[0], at - timedelta(minutes=20), ends)
    if make.draw.random() < FORGOT_PER_CARPOOL:
        step = ends[0] + (1 if ends[1] > ends[0] else -1)
        for one_way in ((ends[0], step), (step, ends[0])):
            at = make.drive(driver, aboard, at, one_way, whole_way=True).end_at
            at += timedelta(minutes=make.draw.uniform(2, 10))
    make.drive(driver, aboard, at, ends)


def _give_up(make: Maker, driver: Traveller, passenger: Traveller, at: datetime, ends: tuple[int, int]) -> None:
    carpool = make.drive(driver, [passenger], at, ends)
    ride = carpool.rides[0]
    finish = ride.board_at + timedelta(seconds=40)
    here = make.stop_at(driver.line, ends[0])
    way = make.ways[ride.id]
    make.ways[ride.id] = replace(way, start=here, end=here, routed_m=0, routed_s=0)
    short = replace(ride, board_at=at, alight_at=at + timedelta(seconds=40), distance_m=0)
    make.declared_at[carpool.id] = finish + timedelta(minutes=8)
    short = replace(short, evidence=make.evidence(driver, passenger, (here, here), short))
    make.change(carpool, end_at=at + timedelta(seconds=60), rides=(short,))


def _drive_in_turns(make: Maker, n_people: int) -> None:
    """Colleagues: each day another takes the others; a closed group in which everybody drives."""
    crew = [_driver(make)]
    crew += [_driver(make, crew[0].line) for _ in range(n_people - 1)]
    for one in crew:
        one.home, one.work = crew[0].home, crew[0].work
    hour, back = make.draw.gauss(7.2, 0.5), make.draw.gauss(17.0, 0.5)
    for number, day in enumerate(make.workdays()):
        driver = crew[number % n_people]
        there = [one for one in crew if one is not driver and make.draw.random() < 0.85]
        _go(make, driver, there, day, hour)
        _go(make, driver, there, day, back)


def _share_an_account(make: Maker) -> None:
    """A couple with one bank account, on which both are paid: she drives on some days, he on others."""
    one = _driver(make)
    other = _driver(make, one.line)
    other.home, other.work = one.home, one.work
    make.know(other, replace(make.person(other), iban=make.person(one).iban))
    for day in make.draw.sample(make.workdays(), 6):
        driver, passenger = make.draw.choice([(one, other), (other, one)])
        _go(make, driver, [passenger], day, 7.5)
        _go(make, driver, [passenger], day, 17.5)


def _take_children(make: Maker) -> None:
    """A parent and one or two children without telephones, who take codes by SMS on hers."""
    parent = _driver(make)
    children = [make.traveller(parent.line, has_phone=False) for _ in range(make.draw.choice([1, 2]))]
    for child in children:
        child.home, child.work = parent.home, parent.work
    for day in make.workdays():
        if make.draw.random() < 0.5:
            _go(make, parent, children, day, 7.6)
            if make.draw.random() < 0.6:
                _go(make, parent, children, day, 16.8)


def _go_out(make: Maker) -> None:
    """Somebody who takes somebody once, to the other end of a line and back at night."""
    driver, passenger = _driver(make), make.traveller()
    passenger.line = driver.line
    day, last = make.draw.randrange(28), make.last_stop(driver.line)
    make.drive(driver, [passenger], make.local(day, make.draw.uniform(8, 14)), (0, last), whole_way=True)
    make.drive(driver, [passenger], make.local(day, make.draw.uniform(17, 22)), (last, 0), whole_way=True)


def _share_the_wheel(make: Maker) -> None:
    """Two on a Sunday: one drives there, the other back."""
    one = _driver(make)
    other = _driver(make, one.line)
    day = make.draw.choice(make.sundays())
    make.drive(one, [other], make.local(day, 10), (one.home, one.work), whole_way=True)
    make.drive(other, [one], make.local(day, 18), (one.work, one.home), whole_way=True)
