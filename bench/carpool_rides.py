"""What the bench of our own search publishes and asks: 20,000 offers between 600 communes of the demonstration region.

Communes are drawn by how many people live there, the other end is 5 to 80 km away; a third leaves once within
three weeks, the others on some weekdays, mostly in the morning or the evening; most drivers accept a detour of
5, 10 or 15 minutes. A question goes from commune to commune likewise, on a weekday of the next two weeks.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random

from sqlalchemy import Engine

from covoiturage.offers import Halt, Offer, Weekly, Wish, leaving_at
from mobigo.store.base import transaction
from mobigo.store.covoiturage.own_offers import KeptOffer, OfferState, put_offer, take_turn
from routing.streets.graph import open_streets
from routing.streets.profiles import CAR
from routing.streets.travel import spots_at, travel_matrix
from socle.geo import LatLon, distance_m
from socle.matrix import NEVER, TravelMatrix

N_OFFERS = 20_000
N_COMMUNES = 600
NEAREST_M, FARTHEST_M = 5_000, 80_000
RUSH_HOURS = (6, 7, 7, 8, 8, 12, 16, 17, 17, 18, 18, 19)


class Region:
    """Communes of the region served in a data directory, and draws among them."""

    def __init__(self, data_dir: Path) -> None:
        with (data_dir / "network" / "current" / "places.csv").open(encoding="utf-8") as file:
            rows = sorted(csv.DictReader(file), key=lambda row: (-int(row["population"] or 0), row["insee_code"]))
        chosen = rows[:N_COMMUNES]
        self.names = [row["name"] for row in chosen]
        self.places = [LatLon(float(row["lat"]), float(row["lon"])) for row in chosen]
        self._weights = list(accumulate(int(row["population"] or 0) for row in chosen))

    def draw_ends(self, draws: Random) -> tuple[int, int]:
        """Two communes as far apart as people go together."""
        while True:
            one, other = draws.choices(range(len(self.places)), cum_weights=self._weights, k=2)
            if NEAREST_M <= distance_m(self.places[one], self.places[other]) <= FARTHEST_M:
                return one, other


def draw_clock(draws: Random) -> time:
    """An hour at which people go."""
    return time(draws.choice(RUSH_HOURS), draws.randrange(0, 60, 5))


def draw_offers(region: Region, ways: TravelMatrix, today: date) -> Iterator[Offer]:
    """The offers, always the same on a day."""
    draws = Random(3)
    for number in range(N_OFFERS):
        one, other = region.draw_ends(draws)
        while ways.seconds[one, other] >= NEVER:
            one, other = region.draw_ends(draws)
        after_s, along_m = int(ways.seconds[one, other]), int(ways.metres[one, other])
        first = Halt(region.names[one], region.places[one], 0, 0)
        last = Halt(region.names[other], region.places[other], after_s, along_m)
        clock, minutes = draw_clock(draws), draws.choice((0, 5, 5, 10, 10, 15))
        leaves: int | Weekly = leaving_at(today + timedelta(days=draws.randrange(1, 22)), clock)
        if draws.random() < 2 / 3:
            leaves = Weekly(frozenset(draws.sample(range(5), draws.randrange(1, 6))), clock, today)
        detour = (minutes * 60, minutes * 1000)
        yield Offer(f"bench{number}", f"d{number // 2}", (first, last), leaves, draws.randrange(1, 4), *detour)


def publish_all(engine: Engine, data_dir: Path, today: date) -> None:
    """Have the offers in the database, with the ways that the streets tell."""
    region = Region(data_dir)
    ways = travel_matrix(spots_at(open_streets(data_dir / "streets" / "current"), CAR, region.places))
    now = datetime.combine(today, time(), UTC)
    with transaction(engine) as session:
        number = take_turn(session)
        for offer in draw_offers(region, ways, today):
            put_offer(session, KeptOffer(offer, OfferState.OPEN, offer.offer_id, "", now), number)


def draw_wish(region: Region, draws: Random, today: date) -> Wish:
    """What a traveller looks for."""
    one, other = (region.places[end] for end in region.draw_ends(draws))
    day = today + timedelta(days=draws.randrange(1, 15))
    while day.weekday() > 4:
        day += timedelta(days=1)
    return Wish(one, other, leaving_at(day, draw_clock(draws)))


def draw_question(region: Region, draws: Random, today: date) -> str:
    """The address of a search."""
    wish = draw_wish(region, draws, today)
    one, other, at = wish.origin, wish.destination, datetime.fromtimestamp(wish.at, UTC)
    ends = f"from={one.lat:.5f},{one.lon:.5f}&to={other.lat:.5f},{other.lon:.5f}"
    return f"/api/covoiturage/search?{ends}&at={at:%Y-%m-%dT%H:%M:%SZ}&partners=false"
