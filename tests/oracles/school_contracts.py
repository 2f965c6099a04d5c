"""What a carrier is owed for a month, counted on one's fingers: day by day, run by run, in fractions."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor

from scolaire.calendar import zone_a
from scolaire.contracts.model import Kilometres, Revised
from socle.times import public_holidays


def nearest(amount):
    """Half upwards."""
    return floor(amount + Fraction(1, 2))


def days_of(month):
    year, number = map(int, month.split("-"))
    day, found = date(year, number, 1), []
    while day.month == number:
        free = any(one.first_day <= day <= one.last_day for one in zone_a())
        if day.strftime("%a") != "Sun" and day not in public_holidays(year) and not free:
            found.append(day)
        day += timedelta(days=1)
    return found


def coefficient(contract, month, values):
    how = contract.indexation
    year, number = map(int, month.split("-"))
    if how.revised is Revised.NEVER:
        return Fraction(1)
    if how.revised is Revised.YEARLY:
        if number < how.month_of_year:
            year -= 1
        number = how.month_of_year
    if f"{year:04}-{number:02}" < how.begins:
        return Fraction(1)
    for _ in range(how.lag_months):
        year, number = (year, number - 1) if number > 1 else (year - 1, 12)
    total = Fraction(how.fixed_e4, 10_000)
    for term in how.terms:
        at = (year, number)
        while (term.index, f"{at[0]:04}-{at[1]:02}") not in values:
            at = (at[0], at[1] - 1) if at[1] > 1 else (at[0] - 1, 12)
        value = values[term.index, f"{at[0]:04}-{at[1]:02}"]
        total += Fraction(term.weight_e4, 10_000) * Fraction(value, term.base_e4)
    places = 10**how.decimals
    return Fraction(ceil(total * places) if how.rounds_up else nearest(total * places), places)


def statement(contract, month, facts, values):
    """Cents by what they are for, net, tax, penalties and what is due."""
    factor = coefficient(contract, month, values)
    exact = defaultdict(Fraction)
    single = []
    penalties = []
    for day in days_of(month):
        if not holds(contract, day):
            continue
        for sector in {order.sector for order in facts.orders}:
            begun = [order for order in facts.orders if order.sector == sector and order.from_day <= day]
            newest = max((order.from_day for order in begun), default=None)
            for circuit in [one for order in begun if order.from_day == newest for one in order.circuits]:
                one_day(contract, facts, day, circuit, exact, single, penalties)
    seen = {about for _what, about, _kind in exact}
    for breach in facts.breaches:
        fine = next((one for one in contract.penalties if one.code == breach.penalty), None)
        if breach.day.isoformat()[:7] == month and breach.circuit_id in seen and fine:
            penalties.append(fine.cents * breach.n)
    for extra in facts.extras:
        prices = price_of(contract, extra.lot, extra.type_id)
        if extra.day.isoformat()[:7] == month and prices and holds(contract, extra.day):
            single.append(prices.day_e4 * extra.has_day)
            single.append(Fraction(extra.metres, 1_000) * prices.km_e4)
            single.append(Fraction(extra.seconds, 3_600) * prices.hour_e4)
    lines = [nearest(amount * factor / 100) for amount in [*exact.values(), *single]]
    net = sum(lines)
    vat = nearest(Fraction(net * contract.vat_e4, 10_000))
    taken = sum(penalties)
    if contract.penalties_most_percent is not None:
        taken = min(taken, floor(Fraction(max(net, 0) * contract.penalties_most_percent, 100)))
    return net, vat, taken, net + vat - taken


def holds(contract, day):
    return contract.valid_from <= day and (contract.valid_until is None or day <= contract.valid_until)


def price_of(contract, lot, type_id):
    for wanted in (type_id, None):
        for one in contract.prices:
            if (one.lot, one.type_id) == (lot, wanted):
                return one
    return None


def one_day(contract, facts, day, circuit, exact, single, penalties):
    ordered = [one for one in circuit.outings if f"{one.days:07b}"[::-1][day.weekday()] == "1"]
    if circuit.lot not in contract.lots or not ordered:
        return
    prices, kind = price_of(contract, circuit.lot, circuit.type_id), (circuit.lot, circuit.type_id)
    exact["seen", circuit.circuit_id, ""] += 0
    earned, everything = Fraction(prices.day_e4 if prices else 0), True
    if prices:
        exact["day", circuit.circuit_id, kind] += prices.day_e4
    for run in ordered:
        told = [
            one.cause
            for one in facts.not_run
            if (one.day, one.circuit_id, one.run_id) == (day, circuit.circuit_id, run.run_id)
        ]
        if told:
            everything = False
            cause = next((one for one in contract.causes if one.code == told[0]), None)
            if cause and prices:
                single.append(-Fraction(prices.day_e4, len(ordered)) * Fraction(cause.withheld_percent, 100))
            fine = next((one for one in contract.penalties if cause and one.code == cause.penalty), None)
            if fine:
                penalties.append(fine.cents)
            continue
        if prices:
            metres = run.loaded_m if contract.kilometres is Kilometres.LOADED else run.driven_m
            km, hours = Fraction(metres, 1_000) * prices.km_e4, Fraction(run.duty_s, 3_600) * prices.hour_e4
            exact["km", circuit.circuit_id, kind] += km
            exact["hour", circuit.circuit_id, kind] += hours
            earned += km + hours
    if prices and everything:
        exact["minimum", circuit.circuit_id, kind] += max(Fraction(0), prices.minimum_e4 - earned)
