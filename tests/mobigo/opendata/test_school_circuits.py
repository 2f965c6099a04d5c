"""School circuits as open data: no place that few use, no number that follows from others."""

import random
from dataclasses import replace
from datetime import date

import pytest

from mobigo.opendata.privacy import Parts, tell_parts
from mobigo.opendata.school_circuits import OpenSector, circuit_tables, pupils_table
from mobigo.opendata.tables import schema_of
from tests.worlds.plans import BACK, OUT, PLAN
from tests.worlds.school_plans import drawn_plan

LEAST = 5
DAY = date(2026, 11, 21)
SECTOR = OpenSector(2026, "haut-doubs", date(2026, 9, 1), PLAN)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({}, Parts({}, 0)),
        ({"a": 5, "b": 12}, Parts({"a": 5, "b": 12}, 17)),
        ({"a": 8, "b": 12, "c": 3}, Parts({"a": None, "b": 12}, 23)),  # 11 less 5 is 6: c may be any of 1 to 4
        ({"a": 5, "b": 5, "c": 1}, Parts({"a": None, "b": None}, None)),  # 11 less 10: c would be 1
        ({"a": 5, "b": 9, "c": 1}, Parts({"a": None, "b": None}, 15)),
        ({"b": 12, "c": 2, "d": 3}, Parts({"b": 12}, 17)),  # 5 for both: 1 and 4, 2 and 3, or the other way round
        ({"b": 12, "c": 2, "d": 2}, Parts({"b": None}, 16)),  # 4 for both: none of them could be 4
        ({"c": 2, "d": 2, "e": 2, "f": 2}, Parts({}, 8)),
        ({"c": 4, "d": 4}, Parts({}, None)),  # 8 of two that are under 5: both are 4
    ],
)
def test_numbers_are_hidden_beside_a_small_one_until_it_may_be_any(parts, told):
    assert tell_parts(parts, LEAST) == told


def possible(parts, told):
    """For each small part, the numbers that fit the total and what is told, with any numbers of the others."""
    small = sorted(name for name, n in parts.items() if n < LEAST)
    hidden = [name for name, n in told.numbers.items() if n is None]
    left = told.total - sum(n for n in told.numbers.values() if n is not None)
    others = range(len(small) - 1, (len(small) - 1) * (LEAST - 1) + 1)
    found = {n for n in range(1, LEAST) for other in others if fits(left - n - other, len(hidden))}
    return dict.fromkeys(small, found)


def fits(rest, n_hidden):
    return rest >= LEAST * n_hidden if n_hidden else rest == 0


def test_from_total_and_told_numbers_every_hidden_small_one_may_be_anything():
    dice = random.Random(5)
    n_totals = 0
    for _ in range(400):
        parts = {f"s{n}": dice.choice((1, 2, 3, 4, 5, 6, 7, 9, 14)) for n in range(dice.randint(1, 6))}
        told = tell_parts(parts, LEAST)
        assert set(told.numbers) == {name for name, n in parts.items() if n >= LEAST}
        assert all(n in {None, parts[name]} for name, n in told.numbers.items())
        if told.total is None:
            assert not any(told.numbers.values())
        else:
            n_totals += 1
            assert told.total == sum(parts.values())
            assert all(numbers == {1, 2, 3, 4} for numbers in possible(parts, told).values())
    assert n_totals > 200


def test_a_circuit_is_told_with_its_places_that_five_use():
    circuits, halts = circuit_tables([SECTOR])
    assert circuits.rows == [
        (
            *("2026-2027", "haut-doubs", "C001", "2026-09-01", "1101100", 2, "07:12:00", "17:17:40", 20, 1),
            190,  # 24.5 and 22.5 km on four days
            "Collège de démonstration",
        )
    ]
    assert [(row[3], row[6], row[8], row[9]) for row in halts.rows] == [
        ("C001-M", 0, "Mairie", "stop"),
        ("C001-M", 1, "Collège de démonstration", "school"),
        ("C001-S", 0, "Collège de démonstration", "school"),
        ("C001-S", 1, "Mairie", "stop"),
    ]
    for table in (circuits, halts):
        assert [field["name"] for field in schema_of(table)["fields"]] == [column.name for column in table.columns]


def test_pupils_are_told_once_a_year_and_the_small_stop_does_not_follow():
    table = pupils_table([SECTOR], [], DAY)
    # Six at the Mairie and one at the Église: with the total, the one would be told whatever is hidden.
    assert table.rows == [
        ("2026-2027", "haut-doubs", "2026-11-21", "C001", None, None),
        ("2026-2027", "haut-doubs", "2026-11-21", "C001", "s1", None),
    ]
    before = [dict(zip([column.name for column in table.columns], map(read, row), strict=True)) for row in table.rows]
    fewer = replace(SECTOR, plan=replace(PLAN, runs=(OUT,)))
    other = replace(SECTOR, code="sud", plan=replace(PLAN, runs=(BACK,)))
    later = pupils_table([fewer, other], before, date(2027, 1, 5))
    assert later.rows == [
        *table.rows,
        ("2026-2027", "sud", "2027-01-05", "C001", None, 6),
        ("2026-2027", "sud", "2027-01-05", "C001", "s1", 6),
    ]


def read(value):
    return "" if value is None else str(value)


def test_nothing_of_a_circuit_that_few_use_is_told():
    few = replace(BACK, halts=tuple(replace(halt, up=halt.up[:4], down=halt.down[:4]) for halt in BACK.halts))
    sector = replace(SECTOR, plan=replace(PLAN, runs=(few,)))
    assert [table.rows for table in (*circuit_tables([sector]), pupils_table([sector], [], DAY))] == [[], [], []]


def test_of_a_drawn_sector_no_hidden_number_follows():
    plan = drawn_plan()
    sector = replace(SECTOR, plan=plan)
    pupils = {rider.pupil_id for rider in plan.riders}
    users = {}
    for run in plan.runs:
        for halt in run.halts:
            if halt.stop is not None:
                key = run.circuit_id, plan.stops[halt.stop].stop_id
                users.setdefault(key, set()).update(halt.up, halt.down)
    rows = pupils_table([sector], [], DAY).rows
    circuits = {circuit for *_of, circuit, stop, _n in rows if stop is None}
    assert circuits
    for circuit in circuits:
        parts = {stop: len(of_it) for (name, stop), of_it in users.items() if name == circuit}
        numbers = {row[4]: row[5] for row in rows if row[3] == circuit}
        told = Parts({stop: n for stop, n in numbers.items() if stop is not None}, numbers[None])
        if told.total is not None:
            assert all(found == {1, 2, 3, 4} for found in possible(parts, told).values())
    assert not any(value in pupils for table in circuit_tables([sector]) for row in table.rows for value in row)
