"""Load: travellers asking a running server, as named scenarios at given rates.

    locust -f bench/locustfile.py --headless --host http://127.0.0.1:8000 \
        --users 40 --spawn-rate 40 --run-time 30s Mixed

Each user asks five times a second, so 40 users are 200 requests a second if the
server keeps up. `bench/load.py` starts the server, runs every scenario and
prints the table. The places are real communes; draws are seeded per user.
"""

from __future__ import annotations

import os
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import quote

import gevent
from locust import FastHttpUser, constant_throughput, task

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import carpool_rides, carpool_search

# The time of a run counts from the loop's clock, which stood still during the imports: seconds on a busy machine.
gevent.get_hub().loop.update_now()

TOWNS = (
    "Dijon", "Besançon", "Belfort", "Chalon-sur-Saône", "Nevers", "Auxerre", "Mâcon", "Sens", "Le Creusot",
    "Montbéliard", "Dole", "Lons-le-Saunier", "Montceau-les-Mines", "Vesoul", "Autun", "Pontarlier", "Beaune",
    "Avallon", "Saulieu", "Semur-en-Auxois", "Montbard", "Tonnerre", "Gray", "Lure", "Luxeuil-les-Bains", "Morteau",
    "Valdahon", "Champagnole", "Saint-Claude", "Arbois", "Clamecy", "Cosne-Cours-sur-Loire", "Decize", "Louhans",
    "Cluny", "Charolles", "Paray-le-Monial", "Joigny", "Migennes", "Baume-les-Dames",
)  # fmt: skip
REQUESTS_PER_S = 5

_numbers = count()


@cache
def region() -> carpool_rides.Region:
    """The region that is served, read once for all users."""
    return carpool_rides.Region(Path(os.environ["MOBIGO_DATA_DIR"]))


class Traveller(FastHttpUser):
    """What all scenarios share: stops to ask for, and a stream of draws of one's own."""

    abstract = True
    wait_time = constant_throughput(REQUESTS_PER_S)

    def on_start(self) -> None:
        """Draw this user's stops by asking for towns, as an app would."""
        self.draws = random.Random(next(_numbers))
        self.day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self.stops = []
        while len(self.stops) < 6:
            town = self.draws.choice(TOWNS)
            answer = self.client.get(f"/api/v1/geocode?text={quote(town)}&type=STOP", name="(start)")
            self.stops += [match["id"] for match in answer.json()[:1]]

    def ask_plan(self) -> None:
        """A trip between two stops, at any hour of tomorrow."""
        origin, destination = self.draws.sample(self.stops, 2)
        at = self.day + timedelta(minutes=self.draws.randrange(5 * 60, 21 * 60))
        self.client.get(
            f"/api/v6/plan?fromPlace={quote(origin)}&toPlace={quote(destination)}&time={at:%Y-%m-%dT%H:%MZ}",
            name="plan",
        )

    def ask_departures(self) -> None:
        """The next ten departures of a stop."""
        at = self.day + timedelta(minutes=self.draws.randrange(5 * 60, 21 * 60))
        stop = quote(self.draws.choice(self.stops))
        self.client.get(f"/api/v6/stoptimes?stopId={stop}&n=10&time={at:%Y-%m-%dT%H:%MZ}", name="stoptimes")

    def ask_place(self) -> None:
        """The beginning of a town's name, as typed."""
        town = self.draws.choice(TOWNS)
        typed = quote(town[: self.draws.randrange(3, len(town) + 1)])
        self.client.get(f"/api/v1/geocode?text={typed}", name="geocode")


class Search(Traveller):
    """Trips only."""

    plan = task(Traveller.ask_plan)


class Departures(Traveller):
    """Boards only."""

    departures = task(Traveller.ask_departures)


class Geocode(Traveller):
    """Names only."""

    geocode = task(Traveller.ask_place)


class Mixed(Traveller):
    """What an app does: of ten requests three trips, three boards, four names."""

    plan = task(3)(Traveller.ask_plan)
    departures = task(3)(Traveller.ask_departures)
    geocode = task(4)(Traveller.ask_place)


class Alone(FastHttpUser):
    """Somebody who asks so often on average, whenever it is: people do not ask in step with each other.

    The instants are a Poisson process that does not wait for answers: who is late asks again at once.
    """

    abstract = True

    def on_start(self) -> None:
        """Draw when this user asks first."""
        self.draws = random.Random(next(_numbers))
        self.next_at = time.monotonic()
        gevent.sleep(self.wait_time())

    def wait_time(self) -> float:
        """Seconds until this user asks again."""
        self.next_at += self.draws.expovariate(REQUESTS_PER_S)
        return max(0.0, self.next_at - time.monotonic())


class Carpools(Alone):
    """An operator that searches for carpools with its key, one question of a traveller after the other."""

    def on_start(self) -> None:
        """Draw this user's questions."""
        self.places = carpool_search.places()
        self.headers = {"X-API-Key": os.environ["MOBIGO_BENCH_KEY"]}
        super().on_start()

    def ask(self, route: str, when: str) -> None:
        """From one place to another, within 5 km and an hour."""
        (lat, lon), (to_lat, to_lon) = self.draws.sample(self.places, 2)
        question = f"departureLat={lat}&departureLng={lon}&arrivalLat={to_lat}&arrivalLng={to_lon}&{when}"
        radii = "departureRadius=5&arrivalRadius=5&timeDelta=3600"
        address = f"/standard-covoiturage/v1/{route}?{question}&{radii}"
        self.client.get(address, headers=self.headers, name=route)

    @task
    def ask_journeys(self) -> None:
        """Journeys at an instant."""
        at = carpool_search.FIRST_AT + self.draws.randrange(carpool_search.WEEK_S)
        self.ask("driver_journeys", f"departureDate={at}")

    @task
    def ask_trips(self) -> None:
        """Regular trips at a time of day."""
        self.ask("driver_regular_trips", f"departureTimeOfDay={self.draws.randrange(5, 21):02}:30:00")


class Rides(Alone):
    """Travellers of ours who look for a driver to go along with."""

    def on_start(self) -> None:
        """Draw this user's questions."""
        self.region = region()
        super().on_start()
        self.today = datetime.now(UTC).date()

    @task
    def ask(self) -> None:
        """From one commune to another."""
        self.client.get(carpool_rides.draw_question(self.region, self.draws, self.today), name="search")
