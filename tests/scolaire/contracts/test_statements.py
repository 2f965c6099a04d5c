"""Statements: a month counted by hand, every rule of it, and a slow twin in fractions that agrees to the cent."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scolaire.contracts.indices import Coefficient, coefficient_of, read_indices, values_of
from scolaire.contracts.model import Cause, Contract, Fault, Indexation, Kilometres, Penalty, Prices, Revised, Term
from scolaire.contracts.orders import Breach, Circuit, Extra, NotRun, Order, Outing
from scolaire.contracts.statements import Correction, Facts, LineKind, cents_by_circuit, make_statement
from socle.errors import BadInput
from tests.oracles import school_contracts as oracle
from tests.worlds.school_contracts import CIRCUIT, DOCUMENT, INDICES, ORDER, contract

VALUES = values_of(read_indices(INDICES.encode())[0])
NOVEMBER = "2026-11"  # Monday 2 to Monday 30 with school, Wednesday 11 free: 16 full days, 3 Wednesdays, 4 Saturdays


def cents(statement):
    return [(line.kind, line.quantity, line.cents) for line in (*statement.lines, *statement.penalties)]


def test_a_month_is_what_was_ordered_and_run_at_revised_prices():
    # 0.15 + 0.55 × 124.8 / 120 + 0.30 × 168 / 160 = 0.15 + 0.572 + 0.315 = 1.037
    # days: 20; km: 20 × 30 + 17 × 31.5 = 1135.5; hours: 20 + 17 × 13 / 12 = 38.41666
    statement = make_statement(contract(), NOVEMBER, Facts([ORDER]), VALUES)
    full, wednesdays = 17, 3
    assert len([day for day in statement.days if day.weekday() in (0, 1, 3, 4)]) == full
    assert len([day for day in statement.days if day.weekday() == 2]) == wednesdays
    assert statement.coefficient == Coefficient(
        1_037, 3, (("salaires-transport", "2026-06", 1_248_000), ("gazole", "2026-06", 1_680_000))
    )
    # Wednesdays: 150 + 30 × 1.2345 + 24 = 211.035, above the minimum of 200.
    assert cents(statement) == [
        (LineKind.DAY, 20, 311_100),  # 20 × 150 × 1.037 = 3111.00
        (LineKind.KM, 1_135_500, 145_364),  # 1135.5 × 1.2345 × 1.037 = 1453.6407…
        (LineKind.HOUR, 138_300, 95_611),  # 38.41666 × 24 × 1.037 = 956.114
    ]
    assert (statement.net_cents, statement.vat_cents, statement.due_cents) == (552_075, 55_208, 607_283)
    assert not statement.findings


@pytest.mark.parametrize(
    ("cause", "withheld", "penalties"),
    [
        ("snow", -3_111, []),  # 150 / 2 × 40 % × 1.037 = 31.11
        ("breakdown", -7_777, [15_000]),  # 150 / 2 × 1.037 = 77.775, and half a cent goes upwards
        ("school_closed", None, []),
    ],
)
def test_a_run_that_did_not_take_place_costs_no_kilometres_and_what_its_cause_says(cause, withheld, penalties):
    missed = NotRun(date(2026, 11, 12), CIRCUIT.circuit_id, "C1-S", cause)
    statement = make_statement(contract(), NOVEMBER, Facts([ORDER], [missed]), VALUES)
    by_kind = {line.kind: line for line in statement.lines}
    assert by_kind[LineKind.DAY].quantity == 20
    assert by_kind[LineKind.KM].quantity == 1_135_500 - 31_500
    assert by_kind[LineKind.HOUR].quantity == 138_300 - 3_900
    found = by_kind.get(LineKind.WITHHELD)
    assert (None if found is None else found.cents) == withheld
    assert [line.cents for line in statement.penalties] == penalties


def test_a_day_under_its_minimum_is_paid_the_minimum_when_everything_ran():
    short = Order("s", date(2026, 9, 1), (Circuit("s/C9", "L7", "car53", (Outing("M", 1 << 2, 5_000, 5_000, 900),)),))
    statement = make_statement(contract(), NOVEMBER, Facts([short]), VALUES)
    # A Wednesday earns 150 + 5 × 1.2345 + 0.25 × 24 = 162.1725: 37.8275 short; × 3 × 1.037 = 117.6813
    assert [line.cents for line in statement.lines if line.kind is LineKind.MINIMUM] == [11_768]
    missed = [NotRun(day, "s/C9", "M", "snow") for day in statement.days if day.weekday() == 2]
    without = make_statement(contract(), NOVEMBER, Facts([short], missed), VALUES)
    assert LineKind.MINIMUM not in {line.kind for line in without.lines}


def test_penalties_stop_where_the_contract_says():
    breaches = [Breach(date(2026, 11, 3), CIRCUIT.circuit_id, "late", 30)]
    statement = make_statement(contract(), NOVEMBER, Facts([ORDER], breaches=breaches), VALUES)
    assert [line.cents for line in statement.penalties] == [136_500, 552_075 * 20 // 100 - 136_500]
    assert statement.due_cents == 607_283 - 110_415


def test_what_is_told_of_nothing_ordered_is_remarked_on():
    missed = [
        NotRun(date(2026, 11, 11), CIRCUIT.circuit_id, "C1-M", "snow"),  # a public holiday: not of this month's days
        NotRun(date(2026, 11, 4), CIRCUIT.circuit_id, "C1-S", "snow"),  # a Wednesday: no evening run
        NotRun(date(2026, 11, 5), CIRCUIT.circuit_id, "C1-S", "flood"),
    ]
    breaches = [Breach(date(2026, 11, 5), CIRCUIT.circuit_id, "rude")]
    statement = make_statement(contract(), NOVEMBER, Facts([ORDER], missed, breaches), VALUES)
    assert [one.code for one in statement.findings] == ["not_run_not_ordered", "cause_unknown", "penalty_unknown"]


def test_a_new_plan_takes_over_on_its_day():
    other = Order("haut-doubs", date(2026, 11, 16), ())
    statement = make_statement(contract(), NOVEMBER, Facts([other, ORDER]), VALUES)
    assert statement.lines[0].quantity == 9  # 2 to 13 November, without the 11th; Saturdays are no days of its runs


def test_an_extra_service_is_paid_at_the_prices_of_its_lot():
    sport = Extra(date(2026, 11, 21), "BC-2026-118", "L7", "car22", 42_000, 5_400)
    statement = make_statement(contract(), NOVEMBER, Facts([], extras=[sport]), VALUES)
    assert cents(statement) == [(LineKind.EXTRA_KM, 42_000, 3_484), (LineKind.EXTRA_HOUR, 5_400, 3_111)]
    assert cents_by_circuit(statement) == {"": 6_595}


def test_a_correction_of_a_closed_month_is_a_line_under_the_tax():
    statement = make_statement(contract(), NOVEMBER, Facts([]), VALUES, [Correction("2026-10", -1_000, 15_000)])
    assert (statement.net_cents, statement.vat_cents, statement.penalty_cents) == (-1_000, -100, 15_000)
    assert statement.due_cents == -16_100


def test_prices_are_those_of_the_offer_until_the_first_revision():
    assert coefficient_of(contract(), "2026-08", {}) == Coefficient(1_000, 3)


def test_an_index_that_is_not_published_makes_a_provisional_statement():
    older = {("salaires-transport", "2026-05"): 1_200_000, ("gazole", "2026-06"): 1_680_000}
    statement = make_statement(contract(), NOVEMBER, Facts([ORDER]), older)
    assert statement.is_provisional
    assert statement.coefficient.number == 1_015
    assert [one.code for one in statement.findings] == ["index_not_published"]
    with pytest.raises(BadInput) as refused:
        make_statement(contract(), NOVEMBER, Facts([ORDER]), {})
    assert refused.value.code == "index_unknown"


def test_a_vehicle_without_price_is_named_and_not_paid():
    only_small = DOCUMENT.replace('lot = "L7"\nday', 'lot = "L7"\nvehicle_type = "car9"\nday')
    statement = make_statement(contract(only_small), NOVEMBER, Facts([ORDER]), VALUES)
    assert (statement.due_cents, [one.code for one in statement.findings]) == (0, ["circuit_without_price"])


# --- the slow twin ---------------------------------------------------------------------------------

E4 = st.integers(0, 3_000_000)
DAYS = st.integers(0, 127)
MONTHS = st.sampled_from(["2025-09", "2026-02", "2026-04", "2026-08", "2026-11", "2027-05"])
LOTS, TYPES, RUNS = ["L1", "L2"], ["car22", "car53"], ["M", "N", "S"]
CAUSES = [Cause("snow", "Neige", Fault.NOBODY, 35), Cause("breakdown", "Panne", Fault.CARRIER, 100, "not_run")]


@st.composite
def contracts(draw):
    prices = [
        Prices(lot, type_id, draw(E4), draw(E4), draw(E4), draw(st.integers(0, 20_000_000)))
        for lot in LOTS
        for type_id in (None, "car22")
        if draw(st.booleans())
    ]
    weight = draw(st.integers(0, 10_000))
    terms = (Term("a", weight, draw(st.integers(1, 5_000_000))),)
    how = Indexation(
        draw(st.sampled_from(Revised)),
        draw(st.sampled_from(["2025-09", "2026-09"])),
        10_000 - weight,
        terms,
        draw(st.integers(1, 12)),
        draw(st.integers(0, 5)),
        draw(st.integers(0, 6)),
        draw(st.booleans()),
    )
    return Contract(
        "c",
        "C",
        "k",
        "K",
        "v",
        draw(st.sampled_from([date(2025, 9, 1), date(2026, 11, 1)])),
        draw(st.sampled_from([None, date(2026, 4, 30)])),
        frozenset(draw(st.sets(st.sampled_from(LOTS), min_size=1))),
        tuple(prices),
        draw(st.sampled_from(Kilometres)),
        how,
        tuple(CAUSES),
        (Penalty("not_run", "Non", draw(st.integers(0, 100_000))), Penalty("late", "Tard", 4_550)),
        draw(st.sampled_from([None, 0, 10])),
        draw(st.sampled_from([0, 550, 1_000, 2_000])),
    )


@st.composite
def facts(draw):
    outing = st.builds(
        Outing, st.sampled_from(RUNS), DAYS, st.integers(0, 90_000), st.integers(0, 60_000), st.integers(0, 9_000)
    )
    circuit = st.builds(
        Circuit,
        st.sampled_from(["s/1", "s/2", "s/3"]),
        st.sampled_from(LOTS),
        st.sampled_from(TYPES),
        st.lists(outing, max_size=3, unique_by=lambda one: one.run_id).map(tuple),
    )
    circuits = st.lists(circuit, max_size=3, unique_by=lambda one: one.circuit_id).map(tuple)
    starts = draw(st.lists(st.dates(date(2025, 9, 1), date(2027, 5, 20)), unique=True, max_size=2))
    orders = [Order("s", date(2025, 1, 1), draw(circuits)), *(Order("s", day, draw(circuits)) for day in starts)]
    days = st.dates(date(2026, 11, 1), date(2026, 11, 30)) | st.dates(date(2025, 9, 1), date(2027, 5, 31))
    ids = st.sampled_from(["s/1", "s/2"])
    missed = st.builds(NotRun, days, ids, st.sampled_from(RUNS), st.sampled_from(["snow", "breakdown", "flood"]))
    breach = st.builds(Breach, days, ids, st.sampled_from(["late", "rude"]), st.integers(1, 9))
    extra = st.builds(
        Extra,
        days,
        st.just("BC"),
        st.sampled_from(LOTS),
        st.sampled_from(TYPES),
        st.integers(0, 90_000),
        st.integers(0, 9_000),
        st.booleans(),
    )
    return Facts(
        orders,
        draw(st.lists(missed, max_size=8)),
        draw(st.lists(breach, max_size=3)),
        draw(st.lists(extra, max_size=3)),
    )


@given(contracts(), facts(), MONTHS, st.dictionaries(MONTHS, st.integers(1, 5_000_000)))
def test_a_twin_in_fractions_comes_to_the_same_cents(contract, told, month, published):
    values = {("a", at): value for at, value in published.items()} | {("a", "2024-09"): 1_000_000}
    statement = make_statement(contract, month, told, values)
    found = (statement.net_cents, statement.vat_cents, statement.penalty_cents, statement.due_cents)
    within = [one for one in told.extras if one.lot in contract.lots]
    assert found == oracle.statement(contract, month, Facts(told.orders, told.not_run, told.breaches, within), values)
