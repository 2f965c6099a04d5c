"""A month of generated life, with twelve ways to cheat, goes from rides to the bank's file through the pages.

An inspector refuses what the rules hold and lets honest people go, a clerk decides and proposes, another
person approves, the bank's file is right for its schema, a driver reads on their own page what the
transfer says, the books are whole to ourselves and to an accounting program, and the month is open data.
"""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from mobigo.demo.carpools.life import live
from mobigo.demo.carpools.maker import Maker
from mobigo.demo.carpools.population import fictitious_iban
from mobigo.demo.carpools.schemes import DETERMINISTIC
from mobigo.security import Role
from mobigo.services.covoiturage.declaring import write_declared
from mobigo.services.covoiturage.opening import publish_due
from mobigo.services.ledger.exporting import Format, Period, export
from mobigo.services.ledger.proving import verify
from mobigo.store.base import transaction
from mobigo.store.people.accounts import Identity, add_person
from tests.worlds.accounts import NOON, PASSWORD
from tests.worlds.carpool_month import ROADS
from tests.worlds.site import sample_snapshot
from tests.worlds.visiting import place

FIRST, N_DAYS, MONTH = date(2026, 10, 1), 31, "2026-10"  # clocks change on the 25th
FINANCES, CONTROLS = f"/finances/covoiturage/{MONTH}", "/covoiturage/controles"
CLERK, APPROVER, INSPECTOR, DRIVER = (f"{name}@exemple.test" for name in ("claude", "alix", "sacha", "dominique"))
# Ways to cheat that phones and bank accounts show; those that only streets show need streets.
SCHEMES = (
    "alone", "the driver's own phone", "same bank account", "round the block", "flies", "coach", "at home", "copies",
    "glove box", "replays", "two cars", "phone farm",
)  # fmt: skip
XSD = xmlschema.XMLSchema(str(files("sepaxml").joinpath("schemas/pain.001.001.09.xsd")))


class Life:
    """The month: its carpools, which are whose doing, and everybody's pseudonym."""

    def __init__(self, site):
        make = Maker(Random(20_261_001), ROADS, FIRST, N_DAYS)
        live(make, 25)
        self.honest = {carpool.id for carpool in make.carpools}
        self.planted = {name: DETERMINISTIC[name][0](make) for name in SCHEMES}
        # A couple with one account may well be asked: in so small a month they weigh more than in life.
        accounts = {name: one.iban for name, one in make.people.items() if one.iban}
        self.couples = {
            carpool.id
            for carpool in make.carpools
            if any(accounts.get(ride.passenger) == accounts.get(carpool.driver, "") for ride in carpool.rides)
        }
        drives = Counter(carpool.driver for carpool in make.carpools if carpool.id in self.honest)
        # The page tells the last thirty carpools; this driver's are all on it.
        self.driver = max((name for name, n in drives.items() if n <= 25), key=lambda name: (drives[name], name))
        self.carpools = sorted(make.carpools, key=lambda carpool: (carpool.end_at, carpool.id))
        self.n_driven = drives[self.driver]
        ibans = {iban: n for n, iban in enumerate(sorted({one.iban for one in make.people.values() if one.iban}))}
        self.iban = fictitious_iban(ibans[make.people[self.driver].iban])
        self.names = {self.driver: site.people.add("Dominique Petit", DRIVER, roles=[Role.DRIVER]).pseudonym}
        with transaction(site.people.engine) as session:
            for name, one in make.people.items():
                if one.iban and name != self.driver:
                    identity = Identity(f"Personne {name[1:]}", iban=fictitious_iban(ibans[one.iban]))
                    self.names[name] = add_person(session, site.people.keys, identity, NOON).pseudonym
        by_day = defaultdict(list)
        for carpool in self.carpools:
            at = min(make.declared_at[carpool.id], carpool.end_at + timedelta(hours=23))
            by_day[at.date()].append((at, self.named(carpool)))
        for _day, declared in sorted(by_day.items()):
            with transaction(site.people.engine) as session:
                for at, carpool in declared:
                    write_declared(session, carpool, f"app:{carpool.id}", carpool.id, "key:app1", at)

    def named(self, carpool):
        rides = [
            replace(
                ride,
                passenger=self.names.get(ride.passenger, ride.passenger),
                evidence=tuple(replace(one, by=self.names.get(one.by, one.by)) for one in ride.evidence),
            )
            for ride in carpool.rides
        ]
        return replace(carpool, driver=self.names.get(carpool.driver, carpool.driver), rides=tuple(rides))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    (data / "network" / "releases" / "1").mkdir(parents=True)
    snapshot = sample_snapshot(data / "network" / "releases" / "1")
    (data / "network" / "current").symlink_to(data / "network" / "releases" / "1")
    payer = {"payer_name": "Région de démonstration", "payer_iban": fictitious_iban(99_999_999_999)}
    with place(snapshot, data, **payer) as site:
        for name, contact, role in (
            ("Claude Roy", CLERK, Role.FINANCE_CLERK),
            ("Alix Martin", APPROVER, Role.FINANCE_APPROVER),
            ("Sacha Blanc", INSPECTOR, Role.INSPECTOR),
        ):
            site.people.add(name, contact, roles=[role])
        yield site


def listed(inspector):
    """Every carpool that waits, over all pages of the list."""
    found, page = [], 1
    while True:
        links = inspector.go(f"{CONTROLS}?page={page}").links
        here = [link.removeprefix(f"{CONTROLS}/") for link in links if link.startswith(f"{CONTROLS}/")]
        if not here:
            return found
        found += here
        page += 1


def euros(page):
    """The amounts of a page's rows, in cents."""
    told = re.findall(r"<b>(\d+),(\d\d)\N{NO-BREAK SPACE}€</b>", page.text)
    return [int(whole) * 100 + int(cents) for whole, cents in told]


def test_a_month_of_carpools_goes_from_rides_to_the_bank_s_file_through_the_pages(site, tmp_path):
    life = Life(site)
    engine = site.people.engine

    # A driver says where the money goes.
    driver = site.visitor().sign_in(DRIVER)
    driver.go("/compte/versements").send("/compte/versements", iban=life.iban, mot_de_passe=PASSWORD)

    # The clerk decides what nothing is held against.
    clerk = site.visitor().sign_in(CLERK)
    clerk.go(FINANCES).send(f"{FINANCES}/decider")
    assert "Les covoiturages qui pouvaient l’être sont décidés" in clerk.page.text

    # The inspector finds every scheme, and hardly anybody who is honest.
    inspector = site.visitor().sign_in(INSPECTOR)
    held = listed(inspector)
    for name, gang in life.planted.items():
        assert gang <= set(held), name
    innocent = [one for one in held if one in life.honest and one not in life.couples]
    n_rides = sum(len(carpool.rides) for carpool in life.carpools if carpool.id in life.honest)
    n_troubled = sum(len(carpool.rides) for carpool in life.carpools if carpool.id in innocent)
    assert n_troubled <= 0.005 * n_rides
    for one in held:
        verdict, why = ("released", "rien d’anormal") if one in life.honest else ("refused", "fraude établie")
        inspector.go(f"{CONTROLS}/{one}").send(f"{CONTROLS}/{one}", verdict=verdict, motif=why)
    assert "Aucun covoiturage n’attend de décision." in inspector.go(CONTROLS).page.text

    # Who was let go is decided too; then one proposes and another approves.
    assert any(form.action == f"{FINANCES}/decider" for form in clerk.go(FINANCES).forms())
    clerk.send(f"{FINANCES}/decider")
    clerk.go(FINANCES).send(f"{FINANCES}/preparer")
    approver = site.visitor().sign_in(APPROVER)
    approver.go(FINANCES).send(f"{FINANCES}/approuver")
    assert "Les paiements sont approuvés" in approver.page.text

    # The bank's file is right, and holds nobody who cheated.
    order = clerk.go(FINANCES).send(f"{FINANCES}/fichier", holding="nom").page
    XSD.validate(order.text)
    tree = ET.fromstring(order.text)
    space = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
    transfers = {
        one.findtext(".//p:CdtrAcct//p:IBAN", namespaces=space): round(
            float(one.findtext(".//p:InstdAmt", namespaces=space)) * 100
        )
        for one in tree.iterfind(".//p:CdtTrfTxInf", space)
    }
    header = tree.find(".//p:GrpHdr", space)
    assert int(header.findtext("p:NbOfTxs", namespaces=space)) == len(transfers) > 20
    assert header.findtext("p:CtrlSum", namespaces=space) == f"{sum(transfers.values()) / 100:.2f}"

    # What the driver reads is what the transfer says.
    rows = euros(driver.go("/compte/covoiturages").page)
    assert len(rows) >= life.n_driven
    assert sum(rows[-life.n_driven :]) == transfers[life.iban]

    # The bank answers.
    items = re.findall(rf"covoiturage-{MONTH}-\d+", clerk.go(FINANCES).page.text)
    answer = "\n".join(["end_to_end_id,state", *(f"{one},paid" for one in dict.fromkeys(items))])
    clerk.send(f"{FINANCES}/banque", reponse=answer)
    assert "La réponse de la banque est enregistrée" in clerk.page.text

    # The books are whole, to ourselves and to others.
    assert verify(engine).findings == ()
    books = tmp_path / "books.beancount"
    books.write_text("".join(export(engine, Format.BEANCOUNT, Period())))
    run = subprocess.run(
        [Path(sys.executable).with_name("bean-check"), books], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")

    # The month is open data, and whoever has it is told so.
    publish_due(engine, site.app.state.data_dir, "system:jobs", NOON)
    visitor = site.visitor()
    page = visitor.go("/donnees").page
    assert "octobre 2026" in page.text
    address = f"/opendata/covoiturage/carpool-od/{MONTH}/carpool-od.csv"
    assert address in visitor.links
    table = visitor.go(address).page
    told = list(csv.DictReader(io.StringIO(table.text)))
    assert all(int(row["n_rides"]) >= 11 for row in told)
    again = visitor.client.get(address, headers={"If-None-Match": table.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    listing = visitor.go("/opendata/covoiturage").page.json()
    assert address in [file["address"] for file in listing["publications"][0]["files"]]
    head = visitor.client.head(address.replace(MONTH, "latest"))
    assert (head.status_code, head.headers["etag"]) == (200, table.headers["etag"])
    assert visitor.go("/opendata/covoiturage/carpool-od/2026-09/carpool-od.csv").page.status_code == 404
    assert datetime.fromisoformat(listing["publications"][0]["published_at"]) == NOON
