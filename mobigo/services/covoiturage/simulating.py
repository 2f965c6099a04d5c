"""Simulating: a policy, or two against each other, on carpools of a month that was or of a file; nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from covoiturage.payments import check_month
from covoiturage.policy.facts import CarFacts, read_car
from covoiturage.policy.model import Policy
from covoiturage.policy.simulate import BANDS_M, Group, Simulation, Tally, compare, simulate
from mobigo.services.covoiturage.deciding import journeys_of_cars, read_car_of
from mobigo.store.base import reading
from mobigo.store.covoiturage.carpools import list_facts_of_month
from socle.errors import BadInput, NotFound
from socle.money import Cents

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outings:
    """Carpools to simulate on, and those of a file that cannot be read, by their positions in it."""

    cars: tuple[CarFacts, ...]
    unreadable: tuple[tuple[int, BadInput], ...] = ()


@dataclass(frozen=True, slots=True)
class Simulated:
    """A policy on these carpools; `against`, and how drivers fare under the first rather than it, by line."""

    under: Simulation
    against: Simulation | None
    groups: Mapping[str, tuple[Group, ...]]


def read_outings(lines: Iterable[tuple[int, Any]]) -> Outings:
    """The carpools of numbered plain objects: cars, couples, batches of either; couples of one car are one carpool."""
    cars: list[CarFacts] = []
    unreadable: list[tuple[int, BadInput]] = []
    for indices, journeys in journeys_of_cars(_apart(lines)):
        _, car = read_car_of(indices, journeys)
        if isinstance(car, BadInput):
            unreadable += ((index, car) for index in indices)
        else:
            cars.append(car)
    return Outings(tuple(cars), tuple(unreadable))


def _apart(lines: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Each journey with the number of its line; those of a batch with its defaults."""
    for position, line in lines:
        if not isinstance(line, dict) or not isinstance(line.get("journeys"), list):
            yield position, line
            continue
        defaults = line.get("defaults")
        for journey in line["journeys"]:
            if isinstance(defaults, dict) and isinstance(journey, dict):
                yield position, defaults | journey
            else:
                yield position, journey


def read_month(engine: Engine, month: str) -> Outings:
    """The carpools that were declared for `month`.

    Raises:
        BadInput: `bad_month`.
        NotFound: `no_carpools`.
    """
    check_month(month)
    with reading(engine) as session:
        cars = tuple(read_car(json.loads(facts)) for facts in list_facts_of_month(session, month))
    if not cars:
        raise NotFound("no_carpools", month=month)
    return Outings(cars)


def simulate_policy(
    policy: Policy,
    against: Policy | None,
    outings: Outings,
    budget_cents: Cents | None = None,
    *,
    progress: Progress = lambda _n: None,
) -> Simulated:
    """What `outings` would cost under `policy`, and who would gain and lose if it took the place of `against`."""
    under = simulate(policy, outings.cars, budget_cents, progress=progress)
    if against is None:
        return Simulated(under, None, {})
    before = simulate(against, outings.cars, budget_cents, progress=progress)
    return Simulated(under, before, compare(before, under))


def as_dict(simulated: Simulated) -> dict[str, Any]:
    """A simulation as plain values; people in groups only."""
    told = _told(simulated.under)
    if simulated.against is not None:
        told["against"] = _told(simulated.against)
        told["groups"] = {
            line: [{"kind": one.kind, "drivers": one.drivers, "cents": one.cents} for one in groups]
            for line, groups in simulated.groups.items()
        }
    return told


def _told(simulation: Simulation) -> dict[str, Any]:
    ends_on = simulation.budget_ends_on
    return {
        "policy": simulation.policy.id,
        "policy_sha256": simulation.policy.version,
        "total": _tally(simulation.total),
        "by_line": {line: _tally(one) for line, one in sorted(simulation.by_line.items())},
        "by_month": {month: _tally(one) for month, one in sorted(simulation.by_month.items())},
        "by_distance": [
            {"from_m": band, "to_m": band_end(band), **_tally(one)} for band, one in sorted(simulation.by_band.items())
        ],
        "not_paid": dict(sorted(simulation.reasons.items())),
        "break_even": [{"passengers": one.passengers, "metres": one.metres} for one in simulation.break_even],
        "budget_ends_on": None if ends_on is None else ends_on.isoformat(),
    }


def band_end(band: int) -> int | None:
    """The metre at which the band of distances that begins at `band` ends; None for the last."""
    return next((metres for metres in BANDS_M if metres > band), None)


def _tally(tally: Tally) -> dict[str, int]:
    return {
        "carpools": tally.carpools,
        "paid": tally.paid,
        "metres": tally.metres,
        "passengers": tally.passengers,
        "subsidy_cents": tally.subsidy_cents,
        "fare_cents": tally.fare_cents,
        "net_cents": tally.net_cents,
    }
