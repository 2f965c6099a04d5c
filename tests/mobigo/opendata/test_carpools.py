"""A generated month of carpools is published and attacked: with known homes and works, and by subtracting tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest

from mobigo.opendata.carpools import (
    LEVELS,
    OpenAmount,
    day_type,
    od_table,
    release_amounts,
    release_rides,
    subsidies_table,
    time_band,
    trips_table,
)
from socle.times import PARIS
from tests.worlds.open_rides import communes, open_rides

MONTH = "2026-03"
PEOPLE, RIDES = 11, 6  # what is promised, whatever the code says


@pytest.fixture(scope="module")
def where():
    return communes()


@pytest.fixture(scope="module")
def rides(where):
    return open_rides(20_260_301, 150, where)


@pytest.fixture(scope="module")
def released(rides):
    return release_rides(rides, MONTH)


@pytest.fixture(scope="module")
def od(released, where):
    table = od_table(released, where.names)
    return [dict(zip((column.name for column in table.columns), row, strict=True)) for row in table.rows]


@pytest.fixture(scope="module")
def trips(released, where):
    return named(trips_table(released, where.names, where.over))


def named(table):
    return [dict(zip((column.name for column in table.columns), row, strict=True)) for row in table.rows]


def kind_of(ride):
    return day_type(ride.board_at.astimezone(PARIS).date())


def told_of(ride, od):
    """The row that a ride is counted in: the finest that is published."""
    for level, start, end in zip(LEVELS, ride.origin, ride.destination, strict=True):
        found = od.get((level, kind_of(ride), start.code, end.code))
        if found is not None:
            return found
    return None


def by_key(od):
    return {(row["level"], row["day_type"], row["origin_code"], row["destination_code"]): row for row in od}


def behind(rides, od):
    """The rides behind each published pair."""
    known, found = by_key(od), defaultdict(list)
    for ride in rides:
        row = told_of(ride, known)
        if row is not None:
            found[row["level"], row["day_type"], row["origin_code"], row["destination_code"]].append(ride)
    return found


def places_of(trip):
    level = LEVELS.index(trip["level"])
    names = ("insee", "towngroup", "department")
    return (level, trip["day_type"], *(trip[f"journey_{end}_{names[level]}"] for end in ("start", "end")))


def fitting(trips):
    """How many published rides may be one, for somebody who knows all of it: their kinds by place and day."""
    found = defaultdict(Counter)
    for trip in trips:
        found[places_of(trip)][trip["time_band"], trip["journey_start_time"]] += 1

    def count(ride):
        at = ride.board_at.astimezone(PARIS)
        band, slot = time_band(at), f"{at.hour:02d}:{at.minute // 10 * 10:02d}"
        n = 0
        for level, (start, end) in enumerate(zip(ride.origin, ride.destination, strict=True)):
            told = (start.name, end.name) if level == 1 else (start.code, end.code)
            kinds = found.get((level, kind_of(ride), *told), {})
            n += sum(many for (b, s), many in kinds.items() if b in {None, band} and s in {None, slot})
        return n

    return count


def test_much_is_told_and_every_ride_once(rides, od, trips, released):
    told = released.suppression
    assert told.n_units == len(rides) > 4_000
    assert sum(row["n_rides"] for row in od) == len(trips) == len(rides) - told.n_dropped
    assert told.n_dropped < 0.05 * len(rides)
    assert sum(row["n_rides"] for row in od if row["level"] == "commune") > 0.1 * len(rides)


def test_every_pair_is_that_of_eleven_passengers_and_eleven_drivers(rides, od):
    for key, members in behind(rides, od).items():
        assert by_key(od)[key]["n_rides"] == len(members)
        assert len({ride.passenger for ride in members}) >= PEOPLE
        assert len({ride.driver for ride in members}) >= PEOPLE


def test_no_published_ride_is_like_no_other(trips):
    """Compared in every column but the ids, which are drawn."""
    alike = Counter(tuple(value for name, value in row.items() if not name.endswith("_id")) for row in trips)
    assert min(alike.values()) >= RIDES


def test_ids_name_one_row_of_one_publication(released, where, trips):
    again = named(trips_table(released, where.names, where.over))
    ids = [row[name] for row in (*trips, *again) for name in ("journey_id", "trip_id")]
    assert len(set(ids)) == len(ids)
    assert [list(row.values())[2:] for row in again] == [list(row.values())[2:] for row in trips]


def test_who_knows_a_home_a_work_and_an_hour_finds_at_least_six_people(rides, trips, od):
    """Everybody's usual ride looked for in the table: nobody's is alone, and the people behind what fits are many."""
    usual = {}
    for ride in rides:
        usual.setdefault((ride.passenger, ride.origin[0].code, ride.destination[0].code), ride)
    count = fitting(trips)
    known, members_of = by_key(od), behind(rides, od)
    n_looked_for = 0
    for ride in usual.values():
        row = told_of(ride, known)
        if row is None:
            continue
        n_looked_for += 1
        assert count(ride) >= RIDES
        group = members_of[row["level"], row["day_type"], row["origin_code"], row["destination_code"]]
        assert len({one.passenger for one in group}) >= PEOPLE
    assert n_looked_for > 500


def test_subtracting_tables_and_known_totals_gives_no_hidden_pair(rides, od):
    """All sums are known: by place and kind of day, by coarser pair, in all; and which pairs are empty."""
    known = by_key(od)
    hidden = Counter()
    for ride in rides:
        row = told_of(ride, known)
        if row is None or row["level"] != "commune":
            hidden[kind_of(ride), ride.origin, ride.destination] += 1
    cells = sorted(hidden, key=lambda cell: (cell[0], cell[1][0].code, cell[2][0].code))
    totals = (
        lambda kind, start, _end: ("from", kind, start[0].code),
        lambda kind, _start, end: ("to", kind, end[0].code),
        lambda kind, start, end: ("epci", kind, start[1].code, end[1].code),
        lambda kind, start, end: ("dept", kind, start[2].code, end[2].code),
        lambda kind, _start, _end: ("kind", kind),
        lambda *_cell: ("all",),
    )
    sums = defaultdict(list)
    for at, cell in enumerate(cells):
        for total in totals:
            sums[total(*cell)].append(at)
    ladders = {one[0].code: one for ride in rides for one in (ride.origin, ride.destination)}
    published = [row for row in od if row["level"] == "commune"]
    # A total of which nothing is published says no more than itself: it is no attack on ours.
    shown = {
        total(row["day_type"], ladders[row["origin_code"]], ladders[row["destination_code"]])
        for row in published
        for total in totals
    }
    known_sums = [members for total, members in sums.items() if total in shown]
    equations = np.zeros((len(known_sums), len(cells)))
    for number, members in enumerate(known_sums):
        equations[number, members] = 1
    _u, values, rows = np.linalg.svd(equations)
    free = rows[(values > 1e-9).sum() :]
    assert len(cells) > 50
    assert [cells[at] for at in range(len(cells)) if np.abs(free[:, at]).max() < 1e-9] == []


def crowd(n, rides):
    """`n` different people, each in a car of somebody else, all on one way at one hour; and as many on another."""
    model = next(ride for ride in rides if ride.origin[0] != ride.destination[0])
    there = [replace(model, passenger=f"p{i}", driver=f"d{i}") for i in range(n)]
    back = [replace(one, origin=one.destination, destination=one.origin) for one in there]
    return there + back


@pytest.mark.parametrize(("n", "k_people", "k_rides"), [(PEOPLE - 1, PEOPLE - 1, RIDES), (RIDES - 1, RIDES - 1, RIDES)])
def test_a_crowd_of_one_fewer_is_hidden_and_a_lower_threshold_would_show_it(rides, n, k_people, k_rides):
    assert all(cell.level > 0 for cell in release_rides(crowd(n, rides), MONTH).cells)
    assert all(cell.level == 0 for cell in release_rides(crowd(n, rides), MONTH, k_people, k_rides).cells)
    assert [cell.level for cell in release_rides(crowd(PEOPLE, rides), MONTH).cells] == [0, 0]


def test_these_tests_tell_fewer_alike_rides(rides, where):
    lower = named(trips_table(release_rides(rides, MONTH, PEOPLE, RIDES - 1), where.names, where.over))
    alike = Counter(tuple(value for name, value in row.items() if not name.endswith("_id")) for row in lower)
    assert min(alike.values()) == RIDES - 1


def test_without_thresholds_people_are_found(rides, where):
    """The attack is one: on a table that hides nothing it succeeds."""
    bare = named(trips_table(release_rides(rides, MONTH, 1, 1), where.names, where.over))
    alike = Counter(tuple(value for name, value in row.items() if not name.endswith("_id")) for row in bare)
    assert sum(n == 1 for n in alike.values()) > 100


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 3, 2), "ouvrable"),
        (date(2026, 3, 7), "samedi"),
        (date(2026, 3, 8), "dimanche_ferie"),
        (date(2026, 4, 6), "dimanche_ferie"),  # Easter Monday
        (date(2026, 8, 15), "dimanche_ferie"),  # a Saturday
    ],
)
def test_kinds_of_days(day, kind):
    assert day_type(day) == kind


@pytest.mark.parametrize(
    ("hour", "band"),
    [
        ("00:00", "nuit"),
        ("05:59", "nuit"),
        ("06:00", "matin"),
        ("09:00", "journee"),
        ("16:00", "soir"),
        ("19:00", "nuit"),
    ],
)
def test_bands_of_the_day(hour, band):
    assert time_band(datetime.fromisoformat(f"2026-03-02T{hour}")) == band


def amounts(line, n_drivers, cents, month=MONTH):
    return [OpenAmount(f"{line}-{month}-{i}", line, month, cents) for i in range(n_drivers)]


def test_euros_by_line_sum_to_what_was_spent_and_few_drivers_are_told_together():
    spent = (
        amounts("CV1", 9, 431) + amounts("CV2", 7, 520) + amounts("CV3", 2, 333) + amounts("CV1", 1, -430, "2026-02")
    )
    table = subsidies_table(release_amounts(spent), MONTH)
    assert table.rows == [(MONTH, None, "autres", "38.76"), (MONTH, MONTH, "CV1", "38.79")]
    assert sum(one.cents for one in spent) == 3_876 + 3_879


def test_nothing_is_told_of_too_few_drivers_in_all():
    assert subsidies_table(release_amounts(amounts("CV1", 5, 431)), MONTH).rows == []
