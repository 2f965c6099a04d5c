"""The rides of a generated month as open data sees them before anything is hidden."""

from __future__ import annotations

import csv
import io

from covoiturage.carpool import Side
from covoiturage.proof import Refused, judge_proof
from mobigo.demo.facts import read_facts
from mobigo.demo.region import render_places
from mobigo.opendata.carpools import OpenRide
from mobigo.opendata.communes import Communes
from tests.worlds.carpool_month import make_month


def communes():
    facts = read_facts()
    return Communes(csv.DictReader(io.StringIO(render_places(facts.communes, facts).decode())))


def open_rides(seed, n_drivers, where):
    """Honest rides of March 2026; each end is the commune nearest to where the first or last phone was."""
    month = make_month(seed, n_drivers, n_gangs=0, n_rings=0)
    found = []
    for carpool in month.carpools:
        for ride in carpool.rides:
            verdict = judge_proof(carpool, ride)
            places = [
                [one.place for one in ride.evidence if one.side is side and one.place is not None] for side in Side
            ]
            if isinstance(verdict, Refused) or not all(places):
                continue
            ends = where.find_nearest(places[0][0]), where.find_nearest(places[1][-1])
            if None in ends:
                continue
            found.append(
                OpenRide(
                    ride.passenger, carpool.driver, ride.board_at, ride.alight_at, *ends,
                    ride.seats, ride.distance_m, str(verdict), is_paid=True,
                )
            )  # fmt: skip
    return found
