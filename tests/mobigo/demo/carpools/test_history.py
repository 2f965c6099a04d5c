"""What the population did goes through the ordinary doors: decided, paid, published, and the books are whole."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, time, timedelta

import pytest

from covoiturage.drives import straight_ways
from covoiturage.lines import shipped_lines
from covoiturage.offers import Wish
from covoiturage.sepa import Debtor
from mobigo.cli.fictitious import PAYER_IBAN
from mobigo.demo.carpools.history import tell_history
from mobigo.demo.facts import read_facts
from mobigo.demo.region import render_places
from mobigo.security import Keys, Role
from mobigo.services.covoiturage.finding import OfferSearch
from mobigo.services.covoiturage.mine import get_own_money
from mobigo.services.covoiturage.paying import approve_batch, get_batch, list_all_months, render_order
from mobigo.services.covoiturage.screening import list_cases
from mobigo.services.ledger.proving import verify
from mobigo.services.people.fictitious import email_of, open_accounts
from mobigo.store import publications
from mobigo.store.base import migrate, open_engine, reading
from mobigo.store.covoiturage.decisions import last_decision
from mobigo.store.people.accounts import find_by_contact
from socle.times import PARIS
from tests.worlds.accounts import NOON

KEYS = Keys.of("k" * 32)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A database and a data directory with the history of a few people."""
    data = tmp_path_factory.mktemp("history")
    release = data / "network" / "releases" / "1"
    release.mkdir(parents=True)
    facts = read_facts()
    (release / "places.csv").write_bytes(render_places(facts.communes, facts))
    (release / "manifest.json").write_text(json.dumps({"release": "1", "demo": True}))
    (data / "network" / "current").symlink_to(release)
    engine = open_engine(f"sqlite:///{data / 'mobigo.sqlite3'}")
    migrate(engine)
    open_accounts(engine, KEYS, NOON)
    told = tell_history(engine, KEYS, data, 2021, NOON, n_commuters=15)
    assert told.n_carpools > 300
    yield engine, data
    engine.dispose()


def decision(engine, carpool_id):
    with reading(engine) as session:
        return last_decision(session, carpool_id)


def pseudonym(engine, role):
    with reading(engine) as session:
        return find_by_contact(session, KEYS, "email", email_of(role)).pseudonym


def test_the_ride_of_the_press_is_worth_4_euros_20_then_and_5_euros_20_today(place):
    engine, _data = place
    then, now = decision(engine, "demo-scenario-2020"), decision(engine, "demo-scenario-now")
    assert (then.policy_id, then.amount_cents, then.fare_cents) == ("bfc-lignes-2020", 420, 300)
    assert (now.policy_id, now.amount_cents, now.fare_cents) == ("bfc-lignes", 520, 300)


def test_each_month_stands_where_a_visitor_can_go_on(place):
    engine, _data = place
    stands = {figures.month: (figures, batch) for figures, batch in list_all_months(engine)}
    assert list(stands) == ["2026-11", "2026-10", "2026-09", "2026-08", "2020-02"]
    assert [bool(batch and batch.approved_by) for _figures, batch in stands.values()] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert stands["2026-10"][1].prepared_by != stands["2026-09"][1].approved_by
    assert stands["2026-11"][0].n_waiting > 0
    assert stands["2026-09"][0].n_cancelled > 0
    states = Counter(str(one.state) for one in get_batch(engine, "2026-09").items)
    assert states["rejected"] == 1
    assert states["paid"] == len(get_batch(engine, "2026-09").items) - 1


def test_the_bank_s_file_can_be_made_and_the_account_paid_from_is_one(place):
    engine, _data = place
    debtor = Debtor("Région de démonstration (fictif)", PAYER_IBAN)
    order = render_order(engine, KEYS, "2026-09", debtor, "person:clerk", NOON)
    assert order["pain001.xml"].count(b"<CdtTrfTxInf>") == len(get_batch(engine, "2026-09").items) > 5
    approve_batch(engine, "2026-10", "person:visitor", NOON)
    assert b"(fictif)" in render_order(engine, KEYS, "2026-10", debtor, "person:clerk", NOON)["mandats.csv"]


def test_somebody_waits_to_be_looked_at_and_nobody_of_long_ago(place):
    engine, _data = place
    n, held = list_cases(engine, 1_000)
    assert n == len(held) > 5
    assert all(one.end_at.month in {10, 11} for one in held)


def test_the_accounts_that_visitors_use_have_drawn_a_life(place):
    engine, _data = place
    driver, rider = (
        get_own_money(engine, pseudonym(engine, Role.DRIVER)),
        get_own_money(engine, pseudonym(engine, Role.TRAVELLER)),
    )
    assert "demo-scenario-2020" in {one.carpool_id for one in driver.carpools}
    assert {520, 420} <= {one.amount_cents for one in driver.carpools}
    assert len(driver.carpools) > 10
    assert driver.owed_cents > 0
    assert rider.owing_cents > 0
    assert not any(one.is_driver for one in rider.carpools)


def test_the_books_are_whole_and_the_months_published(place):
    engine, data = place
    assert verify(engine).findings == ()
    assert publications.list_published_months(data) == ["2026-10", "2026-09", "2026-08", "2020-02"]


def test_it_is_told_once(place):
    engine, data = place
    assert tell_history(engine, KEYS, data, 2021, NOON + timedelta(days=9)) is None


@pytest.mark.parametrize("at", ["2026-11-01T06:00:00+00:00", "2027-01-02T23:30:00+00:00"])
def test_it_may_begin_on_any_day(tmp_path, at):
    engine = open_engine(f"sqlite:///{tmp_path / 'mobigo.sqlite3'}")
    migrate(engine)
    now = datetime.fromisoformat(at)
    assert tell_history(engine, KEYS, tmp_path, 1, now) is None  # nobody has an account
    open_accounts(engine, KEYS, now)
    assert tell_history(engine, KEYS, tmp_path, 1, now, n_commuters=12).n_carpools > 100
    engine.dispose()


def test_who_looks_for_a_ride_on_a_line_finds_somebody_who_drives_it(place):
    engine, _data = place
    line = shipped_lines()[-1]
    monday = NOON.astimezone(PARIS).date() + timedelta(days=7 - NOON.astimezone(PARIS).weekday())
    at = datetime.combine(monday, time(8), PARIS)
    wish = Wish(line.stops[0].at, line.stops[-1].at, int(at.timestamp()), tolerance_s=6 * 3600)
    found = OfferSearch(engine).search(straight_ways, wish, NOON)
    assert found
    assert {match.offer.line_id for match in found} == {line.line_id}
    assert {match.offer.price_cents for match in found} == {150}
