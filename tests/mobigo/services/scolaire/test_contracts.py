"""A carrier's months on both databases: what was run is told, stated, approved by another, and put right afterwards."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.exc import DatabaseError

from mobigo.security import Keys
from mobigo.services.ledger.proving import verify
from mobigo.services.scolaire import contracting, costing, noting, stating
from mobigo.services.scolaire.contracting import import_contract, runs_on
from mobigo.services.scolaire.noting import Teller, take_back, tell_breach, tell_not_run
from mobigo.services.scolaire.stating import approve_month, get_month, prepare_month
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading, transaction
from mobigo.store.ledger.reads import list_balances
from mobigo.store.people.accounts import Identity, add_person
from scolaire.contracts.statements import LineKind
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from tests.worlds.one_run import morning_plan
from tests.worlds.school_office import CARRIER, CIRCUIT, CONTRACT, OF_LOT_A, RUN, publish_a_plan, under_contract

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 4, 12, tzinfo=UTC)
KEYS = Keys.of("k" * 32)
CLERK, OTHER, DRIVER = "person:clerk", "person:other", "person:driver"
OFFICE, COACHES, STRANGERS = Teller(CLERK), Teller(DRIVER, (CARRIER,)), Teller(DRIVER, ("autocars",))
MONDAY = date(2026, 11, 16)


@pytest.fixture
def office(engine):
    under_contract(engine, KEYS, CLERK, NOON)
    return engine


def missed(engine, day=MONDAY, cause="breakdown", by=OFFICE):
    return tell_not_run(engine, KEYS, day, CIRCUIT, RUN, cause, "radiateur percé", by, NOON)


def month(engine, month="2026-10"):
    return get_month(engine, KEYS, CONTRACT, month).now


def close(engine, month, now=NOON):
    prepare_month(engine, KEYS, CONTRACT, month, CLERK, now)
    return approve_month(engine, KEYS, CONTRACT, month, OTHER, now)


@pytest.fixture
def september(office):
    """The first month with coaches, closed."""
    return close(office, "2026-09").shown


def test_a_contract_is_kept_once_and_an_amendment_holds_from_its_month_on(office):
    assert import_contract(office, OF_LOT_A, CLERK, NOON)[1] is False
    dearer = OF_LOT_A.replace(b"2025-09-01", b"2026-11-01").replace(b"150.00", b"160.00", 1)
    assert import_contract(office, dearer, CLERK, NOON)[1] is True
    assert [len(contracting.list_versions(office)), month(office).lines[0].price_e4] == [2, 1_500_000]
    assert month(office, "2026-11").lines[0].price_e4 == 1_600_000
    with pytest.raises(DatabaseError, match="append only"), office.begin() as connection:
        connection.exec_driver_sql("UPDATE school_contract SET carrier_id = 'x'")


def test_two_contracts_do_not_have_the_same_lot_in_the_same_months(office):
    other = OF_LOT_A.replace(b'id = "lot-7-cars-du-haut-doubs"', b'id = "autre"')
    with pytest.raises(Conflict, match="lot_taken"):
        import_contract(office, other, CLERK, NOON)
    earlier = other.replace(b"2025-09-01", b"2024-09-01").replace(b"2029-08-31", b"2025-08-31")
    assert import_contract(office, earlier, CLERK, NOON)[1]
    with pytest.raises(Conflict, match="carrier_changed"):
        import_contract(office, OF_LOT_A.replace(b'carrier_id = "cars', b'carrier_id = "nos'), CLERK, NOON)


def test_the_runs_of_a_day_are_those_of_the_plan_and_of_the_carrier(office):
    (placed,) = runs_on(office, KEYS, MONDAY, (CARRIER,))
    assert (placed.circuit.circuit_id, placed.outing.run_id, placed.missed) == (CIRCUIT, RUN, None)
    assert runs_on(office, KEYS, MONDAY, ("autocars",)) == []
    assert runs_on(office, KEYS, MONDAY + timedelta(days=2)) == []  # a Wednesday
    assert runs_on(office, KEYS, date(2026, 11, 11)) == []  # a public holiday
    event = missed(office, by=COACHES)
    assert runs_on(office, KEYS, MONDAY)[0].missed == event


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"day": MONDAY + timedelta(days=2)}, "run_not_ordered"),
        ({"by": STRANGERS}, "run_not_ordered"),
        ({"cause": "aliens"}, "unknown_cause"),
        ({"day": date(2024, 11, 4)}, "event_day"),
    ],
)
def test_what_cannot_have_happened_is_refused(office, told, code):
    with pytest.raises((BadInput, NotFound), match=code):
        missed(office, **told)
    with pytest.raises(BadInput, match="why_missing"):
        tell_not_run(office, KEYS, MONDAY, CIRCUIT, RUN, "snow", " ", OFFICE, NOON)


def test_a_run_is_told_once_and_taken_back_by_whoever_may(office):
    event = missed(office)
    with pytest.raises(Conflict, match="told_already"):
        missed(office, cause="snow", by=COACHES)
    with pytest.raises(Forbidden, match="told_by_another"):
        take_back(office, event.event_id, "non", COACHES, NOON)
    take_back(office, event.event_id, "elle a roulé", OFFICE, NOON)
    with pytest.raises(Conflict, match="taken_back_already"):
        take_back(office, event.event_id, "encore", OFFICE, NOON)
    missed(office, by=COACHES)
    assert {one.taken_back_by for one in noting.list_told(office, MONDAY, MONDAY)} == {CLERK, None}
    with reading(office) as session:
        lines = list_lines(session, AuditFilter(), limit=3)
        actions = [(one.line.action, one.line.actor, one.line.why) for one in lines]
    assert actions == [
        ("school.not_run_told", DRIVER, "radiateur percé"),
        ("school.event_taken_back", CLERK, "elle a roulé"),
        ("school.not_run_told", CLERK, "radiateur percé"),
    ]


def test_a_month_is_counted_from_the_plan_the_calendar_and_what_was_told(office):
    before = month(office, "2026-11")
    missed(office)
    tell_breach(office, KEYS, MONDAY, CIRCUIT, "late", 2, "vu à la gare", OFFICE, NOON)
    after = month(office, "2026-11")
    assert before.lines[0].quantity == 17  # full days of November with school
    # 150 × 1.037 = 155.55 withheld for the only run of that day.
    assert [line.cents for line in after.lines if line.kind is LineKind.WITHHELD] == [-15_555]
    assert after.penalty_cents == 15_000 + 2 * 4_550


def test_an_extra_service_is_paid_in_its_month(office):
    noting.order_extra(office, date(2026, 11, 21), "BC-1", "A", "car22", 42_000, 5_400, False, "piscine", OFFICE, NOON)
    assert [line.cents for line in month(office, "2026-11").lines if line.about == "BC-1"] == [3_484, 3_111]
    with pytest.raises(NotFound, match="unknown_lot"):
        noting.order_extra(office, MONDAY, "BC-2", "Z", "car22", 1, 1, False, "x", OFFICE, NOON)


def test_one_proposes_another_approves_and_the_books_owe_the_carrier(office, september):
    with pytest.raises(NotFound, match="no_statement"):
        approve_month(office, KEYS, CONTRACT, "2026-10", OTHER, NOON)
    with pytest.raises(Conflict, match="statement_too_early"):
        prepare_month(office, KEYS, CONTRACT, "2026-11", CLERK, NOON)
    missed(office, date(2026, 10, 5))
    prepare_month(office, KEYS, CONTRACT, "2026-10", CLERK, NOON)
    with pytest.raises(Forbidden, match="prepared_by_you"):
        approve_month(office, KEYS, CONTRACT, "2026-10", CLERK, NOON)
    found = approve_month(office, KEYS, CONTRACT, "2026-10", OTHER, NOON)
    assert found.kept.approved_by == OTHER
    for again in (prepare_month, approve_month):
        with pytest.raises(Conflict, match="statement_approved"):
            again(office, KEYS, CONTRACT, "2026-10", OTHER if again is approve_month else CLERK, NOON)
    with reading(office) as session:
        balances = {one.account.code: one.available_cents for one in list_balances(session)}
    assert balances == {
        f"carrier:{CARRIER}:payable": -found.shown.due_cents - september.due_cents,
        "region:school_penalties": -15_000,
        f"region:school_transport:{CONTRACT}": sum(one.net_cents + one.vat_cents for one in (found.shown, september)),
    }
    assert verify(office).findings == ()


def test_a_proposal_that_the_month_left_behind_is_not_approved(office, september):
    prepare_month(office, KEYS, CONTRACT, "2026-10", CLERK, NOON)
    missed(office, date(2026, 10, 5))
    with pytest.raises(Conflict, match="statement_outdated"):
        approve_month(office, KEYS, CONTRACT, "2026-10", OTHER, NOON)
    assert close(office, "2026-10").shown.penalty_cents == 15_000


def test_what_is_told_of_a_closed_month_is_put_right_in_the_next_and_once(office, september):
    closed = close(office, "2026-10").shown
    missed(office, date(2026, 10, 5))
    with pytest.raises(Conflict, match="month_closed"):
        missed(office, date(2026, 10, 6), by=COACHES)
    assert get_month(office, KEYS, CONTRACT, "2026-10").shown == closed
    afresh = month(office, "2026-10")
    november = close(office, "2026-11", DECEMBER).shown
    (line,) = (one for one in november.lines if one.kind is LineKind.CORRECTION)
    assert (line.about, line.cents) == ("2026-10", afresh.net_cents - closed.net_cents)
    assert november.penalty_cents == 15_000
    assert not any(one.kind is LineKind.CORRECTION for one in month(office, "2026-12").lines)
    with pytest.raises(Conflict, match="later_month_closed"):
        prepare_month(office, KEYS, CONTRACT, "2026-09", CLERK, DECEMBER)


def test_no_month_is_closed_while_an_earlier_one_is_open(office):
    for early in (prepare_month, approve_month):
        with pytest.raises((Conflict, NotFound)) as refused:
            early(office, KEYS, CONTRACT, "2026-10", OTHER, NOON)
        if early is prepare_month:
            assert (refused.value.code, refused.value.facts["open"]) == ("earlier_month_open", "2026-09")
    close(office, "2026-09")  # the months before came to nothing: no plan was published in them
    assert close(office, "2026-10").kept.approved_by == OTHER


def test_a_month_that_came_to_nothing_is_passed_over_and_what_is_told_of_it_later_is_paid(office):
    close(office, "2026-09")
    close(office, "2026-10")
    in_summer = date(2026, 7, 20)
    noting.order_extra(office, in_summer, "BC-9", "A", "car22", 42_000, 5_400, False, "camp", OFFICE, NOON)
    with pytest.raises(Conflict, match="later_month_closed"):
        prepare_month(office, KEYS, CONTRACT, "2026-07", CLERK, NOON)
    (line,) = (one for one in close(office, "2026-11", DECEMBER).shown.lines if one.kind is LineKind.CORRECTION)
    # 42 km at 0.80 and an hour and a half at 20.00, before the revision that begins in September
    assert (line.about, line.cents) == ("2026-07", 3_360 + 3_000)
    assert not any(one.kind is LineKind.CORRECTION for one in month(office, "2026-12").lines)


def test_the_last_months_of_a_contract_that_ended_are_listed_and_put_right(engine):
    under_contract(engine, KEYS, CLERK, NOON)
    ends = OF_LOT_A.replace(b"2029-08-31", b"2026-10-31").replace(b"2025-09-01", b"2026-10-01")
    assert import_contract(engine, ends, CLERK, NOON)[1]
    close(engine, "2026-09")
    closed = close(engine, "2026-10").shown

    def listed():
        (one,) = stating.list_standing(engine, KEYS, DECEMBER.date())
        return [(month, kept is not None, one.is_after_end(month)) for month, kept in one.months]

    assert listed() == [("2026-10", True, False)]
    with pytest.raises(Conflict, match="nothing_to_state"):
        prepare_month(engine, KEYS, CONTRACT, "2026-11", CLERK, DECEMBER)
    missed(engine, date(2026, 10, 5))
    assert listed() == [("2026-11", False, True), ("2026-10", True, False)]
    found = close(engine, "2026-11", DECEMBER)
    (line,) = found.shown.lines
    # The only run of a day that was worth its minimum, 200 × 1.037; with it its tax, and the penalty.
    assert (line.kind, line.about, line.cents) == (LineKind.CORRECTION, "2026-10", -20_740)
    assert found.shown.due_cents == -20_740 - 2_074 - 15_000
    assert found.shown.days == ()
    assert verify(engine).findings == ()
    assert listed() == [("2026-11", True, True), ("2026-10", True, False)]
    assert get_month(engine, KEYS, CONTRACT, "2026-10").shown == closed
    with pytest.raises(NotFound, match="unknown_contract"):
        get_month(engine, KEYS, CONTRACT, "2028-12")


def test_an_extra_service_after_the_end_is_not_the_old_contracts(engine):
    under_contract(engine, KEYS, CLERK, NOON)
    ends = OF_LOT_A.replace(b"2029-08-31", b"2026-10-31").replace(b"2025-09-01", b"2026-10-01")
    import_contract(engine, ends, CLERK, NOON)
    follows = OF_LOT_A.replace(b'id = "lot-7-cars-du-haut-doubs"', b'id = "suite"').replace(
        b"2025-09-01", b"2026-11-01"
    )
    import_contract(engine, follows, CLERK, NOON)
    noting.order_extra(engine, MONDAY, "BC-1", "A", "car22", 42_000, 5_400, False, "piscine", OFFICE, NOON)
    assert month(engine, "2026-11").lines == ()
    assert [line.about for line in get_month(engine, KEYS, "suite", "2026-11").now.lines if line.about == "BC-1"]


def test_a_month_whose_index_is_not_published_cannot_be_closed(engine):
    publish_a_plan(engine, KEYS, CLERK, NOON)
    import_contract(engine, OF_LOT_A, CLERK, NOON)
    with pytest.raises(BadInput, match="index_unknown"):
        month(engine)
    rows = b"index,month,value\nsalaires-transport,2026-05,124\ngazole,2026-06,168\n"
    assert contracting.import_indices(engine, rows, CLERK, NOON)[0] == 2
    with pytest.raises(Conflict, match="statement_provisional"):
        prepare_month(engine, KEYS, CONTRACT, "2026-09", CLERK, NOON)
    assert contracting.import_indices(engine, rows + b"salaires-transport,2026-06,125\n", CLERK, NOON)[0] == 1
    prepare_month(engine, KEYS, CONTRACT, "2026-09", CLERK, NOON)


def test_an_invoice_is_held_against_the_month_and_costs_are_shared(office):
    statement = month(office)
    rows = [f"{line.about},{line.kind},{line.cents / 100:.2f}" for line in statement.lines]
    invoice = "\n".join(["circuit_id,kind,amount_euros", *rows, f",vat,{statement.vat_cents / 100:.2f}"]).encode()
    assert stating.check(office, KEYS, CONTRACT, "2026-10", invoice).is_right
    assert not stating.check(office, KEYS, CONTRACT, "2026-10", invoice.replace(b"vat,", b"vat,1")).is_right
    counted = costing.count_costs(office, KEYS, ["2026-10", "2026-11"])
    costs = counted.costs
    assert costs.total.cents == statement.net_cents + month(office, "2026-11").net_cents
    assert [(one.about, one.n_pupils) for one in costs.circuits] == [(CIRCUIT, 2)]
    assert [one.n_pupils for one in costs.schools] == [2]
    for way in (counted.lots, counted.contracts, counted.months, costs.circuits, costs.schools, costs.communes):
        assert sum(one.cents for one in way) == costs.total.cents
    assert [(one.about, one.n_pupils) for one in counted.lots] == [("A", 2)]
    assert [one.about for one in counted.months] == ["2026-10", "2026-11"]
    assert (len(costs.pupils), sum(costs.pupils)) == (2, costs.total.cents)
    n_runs = 10 + 17  # full days with school: 1, 2, 5, 6, 8, 9, 12, 13, 15 and 16 October, and those of November
    assert (
        costing.driven_m(office, KEYS, ["2026-10", "2026-11"])[CIRCUIT]
        == morning_plan("p1", "p2").runs[0].driven_m * n_runs
    )


def test_an_account_acts_for_a_carrier_as_long_as_the_office_says(office):
    with transaction(office) as session:
        person = add_person(session, KEYS, Identity("Dora Car", "dora@exemple.test"), NOON)
    reference = person.reference
    assert contracting.give_carrier(office, reference, CARRIER, CLERK, NOON)
    assert not contracting.give_carrier(office, reference, CARRIER, CLERK, NOON)
    assert contracting.carriers_of(office, person.pseudonym) == (CARRIER,)
    with pytest.raises(NotFound, match="unknown_carrier"):
        contracting.give_carrier(office, reference, "inconnu", CLERK, NOON)
    with pytest.raises(NotFound, match="unknown_reference"):
        contracting.give_carrier(office, "AAAAAAAA", CARRIER, CLERK, NOON)
    assert contracting.take_carrier(office, reference, CARRIER, CLERK, NOON)
    assert contracting.carriers_of(office, person.pseudonym) == ()


def test_a_contract_of_another_day_is_not_known(office):
    with pytest.raises(NotFound, match="unknown_contract"):
        get_month(office, KEYS, CONTRACT, "2025-08")
    with pytest.raises(NotFound, match="unknown_contract"):
        get_month(office, KEYS, "lot-9", "2026-10")
