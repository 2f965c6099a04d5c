"""Checks: every rule over a month of carpools, as the labels of each, the same for the same carpools."""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterable, Iterator

from covoiturage.carpool import Carpool, Ride
from covoiturage.fraud.car import check_car
from covoiturage.fraud.crossings import check_crossings, local_day_of
from covoiturage.fraud.groups import Couple, check_groups
from covoiturage.fraud.habits import Devices, Shown, check_habits, shown_by
from covoiturage.fraud.labels import Known, Label
from covoiturage.fraud.traces import traces_of


def find_labels(carpools: Iterable[Carpool], known: Known, due: Container[str] | None = None) -> tuple[Label, ...]:
    """What the rules say about these carpools, each thing once, in their order.

    With `due`, only those of these ids are looked at by themselves; the others were, and stand beside them.
    Carpools may come one by one, and what is known of one with it: their evidence is not kept.
    """
    found: dict[tuple[str, str, str], Label] = {}

    def note(labels: Iterable[Label]) -> None:
        for label in labels:
            found.setdefault((label.carpool_id, label.code, label.ride_id or ""), label)

    kept: list[Carpool] = []
    shown: list[Shown] = []
    devices = Devices()
    declared_s = array("d")  # when each was declared, as far as that is known
    for carpool in carpools:
        traces = traces_of(carpool)
        if due is None or carpool.id in due:
            note(check_car(carpool, traces, known))
        shown.extend(shown_by(carpool, traces))
        devices.add(carpool)
        kept.append(_without_evidence(carpool))
        declared_s.append(known.declared_at.get(carpool.id, carpool.end_at).timestamp())
    note(check_crossings(kept, declared_s))
    note(check_habits(kept, shown, devices, known))
    note(check_groups(couples_of(kept)))
    labelled = {carpool_id for carpool_id, _code, _ride_id in found}
    place = {carpool.id: i for i, carpool in enumerate(kept) if carpool.id in labelled}
    return tuple(sorted(found.values(), key=lambda one: (place[one.carpool_id], one.code, one.ride_id or "")))


def couples_of(carpools: Iterable[Carpool]) -> Iterator[Couple]:
    """The rides of these carpools as the pair graph sees them."""
    for carpool in carpools:
        day = local_day_of(carpool)
        for ride in carpool.rides:
            yield Couple(carpool.id, ride.id, carpool.driver, ride.passenger, day)


def _without_evidence(carpool: Carpool) -> Carpool:
    """The car as rules over many of them see it: evidence is most of its weight."""
    rides = [
        Ride(ride.id, ride.passenger, ride.seats, ride.board_at, ride.alight_at, ride.distance_m)
        for ride in carpool.rides
    ]
    return Carpool(carpool.id, carpool.driver, carpool.start_at, carpool.end_at, tuple(rides))
