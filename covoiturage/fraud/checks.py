"""Checks: every rule over a month of carpools, as the labels of each, the same for the same carpools."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from covoiturage.carpool import Carpool
from covoiturage.fraud.car import check_car
from covoiturage.fraud.crossings import check_crossings, local_day_of
from covoiturage.fraud.groups import Couple, check_groups
from covoiturage.fraud.habits import Shown, check_habits, shown_by
from covoiturage.fraud.labels import Known, Label
from covoiturage.fraud.traces import traces_of


def find_labels(carpools: Sequence[Carpool], known: Known, due: Container[str] | None = None) -> tuple[Label, ...]:
    """What the rules say about these carpools, each thing once, in their order.

    With `due`, only those of these ids are looked at by themselves; the others were, and stand beside them.
    """
    place = {carpool.id: i for i, carpool in enumerate(carpools)}
    found: dict[tuple[str, str, str], Label] = {}
    for label in _all(carpools, known, due):
        found.setdefault((label.carpool_id, label.code, label.ride_id or ""), label)
    return tuple(sorted(found.values(), key=lambda one: (place[one.carpool_id], one.code, one.ride_id or "")))


def couples_of(carpools: Sequence[Carpool]) -> Iterator[Couple]:
    """The rides of these carpools as the pair graph sees them."""
    for carpool in carpools:
        day = local_day_of(carpool)
        for ride in carpool.rides:
            yield Couple(carpool.id, ride.id, carpool.driver, ride.passenger, day)


def _all(carpools: Sequence[Carpool], known: Known, due: Container[str] | None) -> Iterator[Label]:
    shown: list[Shown] = []
    for carpool in carpools:
        traces = traces_of(carpool)
        if due is None or carpool.id in due:
            yield from check_car(carpool, traces, known)
        shown.extend(shown_by(carpool, traces))
    yield from check_crossings(carpools, known)
    yield from check_habits(carpools, shown, known)
    yield from check_groups(couples_of(carpools))
