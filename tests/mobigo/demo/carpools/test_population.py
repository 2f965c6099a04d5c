"""Who shares cars in the demonstration: the same on every machine, nobody real, and what the press told of."""

from __future__ import annotations

import re
from datetime import date

import pytest

from covoiturage.lines import shipped_lines
from covoiturage.proof import ProofClass, judge_proof
from covoiturage.sepa import check_iban
from mobigo.demo.carpools.population import fictitious_iban, first_day_of, make_population

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def population():
    return make_population(2020, TODAY)


def test_the_same_seed_and_month_give_the_same_carpools_and_another_seed_others():
    few = make_population(2020, TODAY, 12).digest()
    assert make_population(2020, TODAY.replace(day=1), 12).digest() == few
    assert make_population(2021, TODAY, 12).digest() != few


def test_three_months_are_told_and_the_one_of_today(population):
    months = {f"{carpool.end_at:%Y-%m}" for _at, carpool in population.carpools}
    assert months == {"2020-02", "2026-08", "2026-09", "2026-10", "2026-11"}
    assert first_day_of(date(2027, 1, 15)) == date(2026, 10, 1)


def test_all_six_lines_are_ridden_by_many(population):
    ridden = {carpool.line_id for _at, carpool in population.carpools}
    assert ridden == {line.line_id for line in shipped_lines()}
    assert len({carpool.driver for _at, carpool in population.carpools}) >= 150
    assert len(population.people) >= 400
    assert len(population.planted) < 0.06 * len(population.carpools)


def test_nobody_is_real(population):
    for one in population.people.values():
        assert re.fullmatch(r"\w+ [A-Z]\. \(fictif\)", one.name)
        assert one.email.endswith("@exemple.test")
        assert re.fullmatch(r"\+3363998\d{4}", one.phone)  # 06 39 98 xx xx is kept for fiction
        assert not one.iban or re.fullmatch(r"FR\d{2}9999999999\d{13}", one.iban)
    drivers = {carpool.driver for _at, carpool in population.carpools}
    assert all(population.people[name].iban for name in drivers)


@pytest.mark.parametrize("number", [0, 1, 96, 97, 12_345, 99_999_999_999])
def test_bank_accounts_have_valid_keys(number):
    iban = check_iban(fictitious_iban(number))
    # The key of French accounts: bank, branch, account and key are a multiple of 97.
    assert (89 * int(iban[4:9]) + 15 * int(iban[9:14]) + 3 * int(iban[14:25]) + int(iban[25:27])) % 97 == 0


def test_the_ride_of_the_press_is_there_twice_and_proven(population):
    then, now = (
        next(carpool for _at, carpool in population.carpools if carpool.id == one) for one in population.scenario
    )
    assert then.end_at.date() == date(2020, 2, 12)
    assert (now.end_at.year, now.end_at.month) == (2026, 10)
    for carpool in (then, now):
        assert (carpool.measured_m, carpool.line_id, len(carpool.rides)) == (32_000, "CV6", 2)
        assert {judge_proof(carpool, ride) for ride in carpool.rides} == {ProofClass.C}
