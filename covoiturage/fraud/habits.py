"""Habits: what a month of carpools shows that no single day does: the same again and again, and things of many.

Traffic makes no two trips last the same seconds, no phone errs twice by the same metres, a device
or a bank account belongs to a person or a household.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from covoiturage.carpool import Carpool
from covoiturage.fraud.labels import Code, Known, Label
from covoiturage.fraud.traces import Traces, digest_of

CONSTANT_FROM = 10  # rides of one couple
CONSTANT_PERCENT = 80
_METRES_ALIKE = 10
_SECONDS_ALIKE = 10
DEVICE_PEOPLE = 4  # a family scans with one telephone
IBAN_DRIVERS = 3  # a couple has one account

RideKey = tuple[str, str]  # carpool, ride


class Shown(NamedTuple):
    """A trace that was shown for an outing; `ride_id` is empty for the driver's."""

    at_s: float
    carpool_id: str
    ride_id: str
    digest: int


def shown_by(carpool: Carpool, traces: Traces) -> Iterator[Shown]:
    """The traces of a car that are long enough to be known again."""
    ride_of = {ride.passenger: ride.id for ride in carpool.rides}
    for person, trace in traces.of.items():
        digest = digest_of(trace)
        if digest is not None:
            yield Shown(carpool.end_at.timestamp(), carpool.id, ride_of.get(person, ""), digest)


class Devices:
    """Which devices gave evidence, for whom and in which rides."""

    def __init__(self) -> None:
        self._people: defaultdict[str, set[str]] = defaultdict(set)
        self._rides: defaultdict[str, list[RideKey]] = defaultdict(list)

    def add(self, carpool: Carpool) -> None:
        """Note the evidence of one car."""
        for ride in carpool.rides:
            key: RideKey | None = None
            for device, by in dict.fromkeys((one.device, one.by) for one in ride.evidence):
                if device is not None:
                    self._people[device].add(by)
                    key = key or (carpool.id, ride.id)
                    self._rides[device].append(key)

    def check(self) -> Iterator[Label]:
        """The labels of devices that too many people use."""
        for device, owners in self._people.items():
            if len(owners) >= DEVICE_PEOPLE:
                for carpool_id, ride_id in self._rides[device]:
                    yield Label(Code.DEVICE_OF_MANY, carpool_id, ride_id, {"n_people": len(owners)})


def check_habits(
    carpools: Sequence[Carpool], shown: Iterable[Shown], devices: Devices, known: Known
) -> Iterator[Label]:
    """The labels that these carpools, and the traces and devices shown for them, give rise to together."""
    yield from _check_constant(carpools)
    yield from _check_replays(shown)
    yield from devices.check()
    yield from _check_ibans(carpools, known)


def _check_constant(carpools: Sequence[Carpool]) -> Iterator[Label]:
    couples: defaultdict[tuple[str, str], list[tuple[tuple[int, int], RideKey]]] = defaultdict(list)
    for carpool in carpools:
        for ride in carpool.rides:
            seconds = (ride.alight_at - ride.board_at).total_seconds()
            figures = (round(ride.distance_m / _METRES_ALIKE), round(seconds / _SECONDS_ALIKE))
            couples[carpool.driver, ride.passenger].append((figures, (carpool.id, ride.id)))
    for rides in couples.values():
        if len(rides) < CONSTANT_FROM:
            continue
        (usual, n_usual), *_rest = Counter(figures for figures, _key in rides).most_common(1)
        if n_usual >= CONSTANT_FROM and 100 * n_usual >= CONSTANT_PERCENT * len(rides):
            for figures, (carpool_id, ride_id) in rides:
                if figures == usual:
                    yield Label(Code.CONSTANT, carpool_id, ride_id, {"n_rides": n_usual})


def _check_replays(shown: Iterable[Shown]) -> Iterator[Label]:
    """Traces that were seen before, on another outing: the first one stands."""
    first_of: dict[int, str] = {}
    for one in sorted(shown):
        first = first_of.setdefault(one.digest, one.carpool_id)
        if first != one.carpool_id:
            yield Label(Code.REPLAYED_TRACE, one.carpool_id, one.ride_id or None, {"other": first})


def _check_ibans(carpools: Sequence[Carpool], known: Known) -> Iterator[Label]:
    n_drivers = _drivers_of_ibans({carpool.driver for carpool in carpools}, known)
    for carpool in carpools:
        person = known.people.get(carpool.driver)
        n = n_drivers.get(person.iban, 0) if person and person.iban else 0
        if n >= IBAN_DRIVERS:
            yield Label(Code.IBAN_OF_MANY, carpool.id, None, {"n_people": n})


def _drivers_of_ibans(drivers: set[str], known: Known) -> Mapping[str, int]:
    """Bank account -> how many drivers are paid on it."""
    found: Counter[str] = Counter()
    for driver in drivers:
        person = known.people.get(driver)
        if person and person.iban:
            found[person.iban] += 1
    return found
