"""Two Mobigos of two regions that are each other's partners, over HTTP: the drivers of one, the passengers of both."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from mobigo.jobs.handlers import Means, make_handlers
from mobigo.jobs.worker import Worker
from mobigo.services.covoiturage import partnership
from mobigo.services.covoiturage.booking import list_own_bookings
from mobigo.services.covoiturage.elsewhere import book_elsewhere, open_journey, seal_journey
from mobigo.services.covoiturage.finding import find_partners
from mobigo.services.covoiturage.standard import OfferBoards
from mobigo.services.jobs import overview
from mobigo.store.jobs import JobState
from tests.worlds.databases import empty_database
from tests.worlds.meeting import BESANCON, NOW, VESOUL, wish
from tests.worlds.operators import make
from tests.worlds.site import serving
from tests.worlds.valley import valley

HERE, THERE = "ici.exemple.test", "ailleurs.exemple.test"
PREFIX = "/standard-covoiturage/v1"


@dataclass
class Site:
    """One of the two: its application and engine, its name, and where it answers."""

    app: object
    operator: str
    address: str = ""
    now: object = NOW

    @property
    def engine(self):
        return self.app.state.engine

    @property
    def keys(self):
        return self.app.state.keys

    def work(self):
        """Do all that is due, also what comes of it; the states of the jobs that tell partners."""
        means = Means(self.engine, self.keys, None, lambda: self.now, f"https://{self.operator}")
        handlers = {kind: one for kind, one in make_handlers(means).items() if kind == "covoiturage.tell"}
        Worker(self.engine, handlers, (), lambda: self.now, "w").run_due()
        jobs = overview(self.engine, list(JobState)).jobs
        return [(job.payload["what"], job.state) for job in reversed(jobs) if job.kind == "covoiturage.tell"]

    def mine(self, who):
        """The bookings of somebody."""
        return list_own_bookings(self.engine, who, self.now)

    def find(self, passenger, at=None):
        """What partners offer a passenger from Vesoul to Besançon."""
        asked = wish(passenger, origin=VESOUL, destination=BESANCON, **({} if at is None else {"at": at}))
        return find_partners(self.engine, self.keys, OfferBoards(self.engine), asked, self.now)

    def book_elsewhere(self, passenger, key="k1", journey=None):
        """Book the first seat that partners offer."""
        found = journey or self.find(passenger).journeys[0].document
        shown = open_journey(self.keys, seal_journey(self.keys, found, self.now), self.now)
        names = (VESOUL.name, BESANCON.name)
        return book_elsewhere(self.engine, shown, passenger, self.operator, names, key, self.now)


@contextmanager
def two_sites(kind, folder):
    """Both of them, each with a key of the other."""
    with ExitStack() as stack:
        sites = []
        for operator in (HERE, THERE):
            own = folder / operator
            own.mkdir()
            address = stack.enter_context(empty_database(kind, own))
            app = make(valley(), address, own, public_url=f"https://{operator}")
            app.state.clock = lambda: NOW
            site = Site(app, operator, stack.enter_context(serving(app)))
            stack.callback(app.state.engine.dispose)
            sites.append(site)
        for one, other in (sites, sites[::-1]):
            _, shown = partnership.make_key(other.engine, other.keys, one.operator, "system:test", NOW)
            server = f"{other.address}{PREFIX}"
            partnership.add_partner(
                one.engine, one.keys, other.operator, server, shown, "system:test", NOW, takes_bookings=True
            )
        yield sites
