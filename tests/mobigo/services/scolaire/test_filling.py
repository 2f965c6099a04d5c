"""Fill control on both databases: three weeks of mornings in which one of two pupils never comes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from mobigo.security import Keys
from mobigo.services.retention import apply
from mobigo.services.scolaire import boarding, filling
from mobigo.services.scolaire.boarding import tick
from mobigo.services.scolaire.coaches import find_coach
from mobigo.services.scolaire.registering import Acting
from mobigo.store.base import reading
from mobigo.store.scolaire.boardings import oldest_day
from scolaire.calendar import has_school
from socle.errors import BadInput, Forbidden, NotFound
from tests.mobigo.services.scolaire.test_boarding import CLERK, COACHES, KEYS, OFFICE, equip
from tests.worlds.school_office import CIRCUIT, RUN, SECTOR

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FULL_DAYS = [
    day for day in (FIRST + timedelta(days=n) for n in range(19)) if day.weekday() in (0, 1, 3, 4) and has_school(day)
]


@pytest.fixture
def weeks(engine):
    """The pupil of the town hall comes every morning but the last, on which nobody validated."""
    equip(engine)
    for day in FULL_DAYS[:-1]:
        now = datetime(day.year, day.month, day.day, 6, 40, tzinfo=UTC)
        coach = find_coach(engine, KEYS, day, CIRCUIT, RUN, COACHES)
        tick(engine, KEYS, coach, [0], "", f"form-{day}", COACHES, now)
        boarding.end_run(engine, coach, f"end-{day}", COACHES, now, is_empty=True)
    return engine


def fill(engine, first=FIRST, last=LAST, within=None):
    return filling.fill(engine, KEYS, SECTOR, first, last, NOW, within)


def test_a_stop_and_a_pupil_that_nobody_saw_are_proposed_to_a_planner(weeks):
    found = fill(weeks)
    n = len(FULL_DAYS) - 1
    assert (found.fill.n_expected, found.fill.n_seen, found.fill.circuits[0].n_silent) == (2 * n, n, 1)
    assert [(one.name, one.n_seen, one.n_outings) for one in found.fill.stops] == [("s1", n, n), ("s2", 0, n)]
    codes = {one.code: one.facts for one in found.fill.findings}
    assert codes["stop_never_used"]["stop"] == "Église"
    assert set(codes) == {"stop_never_used", "coach_too_large", "pupils_never_seen"}
    assert (found.study_id, found.kept_since) == (f"{SECTOR}-e1", FULL_DAYS[0])


def test_neither_days_before_the_first_boarding_nor_runs_that_may_still_leave_count_as_silent(weeks):
    earlier = fill(weeks, FULL_DAYS[0] - timedelta(days=20)).fill
    assert earlier == fill(weeks, FULL_DAYS[0]).fill
    this_morning = datetime(LAST.year, LAST.month, LAST.day, 4, tzinfo=UTC)
    today = filling.fill(weeks, KEYS, SECTOR, FIRST, LAST, this_morning)
    assert (earlier.circuits[0].n_silent, today.fill.circuits[0].n_silent) == (1, 0)


def test_who_was_never_seen_is_named_to_an_office_alone(weeks):
    found = fill(weeks)
    assert [one.name for one in filling.list_never_seen(weeks, KEYS, OFFICE, found, NOW)] == ["p2"]
    with pytest.raises(Forbidden, match="not_allowed"):
        filling.list_never_seen(weeks, KEYS, Acting(CLERK, "clerk"), found, NOW)


def test_an_organiser_reads_of_the_children_of_its_schools_alone(weeks):
    schools = [Acting(CLERK, "clerk", places=((), (school,))) for school in ("c1", "autre")]
    assert [fill(weeks, within=one).fill.n_expected > 0 for one in schools] == [True, False]


@pytest.mark.parametrize(
    ("first", "last"), [(LAST, FIRST), (FIRST, NOW.date() + timedelta(days=1)), (FIRST - timedelta(days=60), LAST)]
)
def test_days_that_cannot_be_looked_at_are_refused(engine, first, last):
    equip(engine)
    with pytest.raises(BadInput, match="fill_days"):
        fill(engine, first, last)
    with pytest.raises(NotFound, match="unknown_sector"):
        filling.fill(engine, Keys.of("k" * 32), "2026-autre", FIRST, LAST, NOW)


def test_what_the_last_four_weeks_propose_is_told_as_long_as_there_are_boardings_of_them(weeks):
    found = filling.propose(weeks, KEYS, SECTOR, NOW)
    assert (found.first, found.last) == (date(2026, 10, 24), LAST)
    assert found.findings == fill(weeks, found.first, found.last).fill.findings
    assert filling.propose(weeks, KEYS, SECTOR, NOW) is found  # not worked out again within the hour
    assert filling.propose(weeks, KEYS, SECTOR, NOW + timedelta(days=45)) is None
    assert filling.propose(weeks, KEYS, "2025-haut-doubs", NOW) is None


def test_boardings_are_forgotten_after_two_months(weeks):
    assert apply(weeks, now=NOW + timedelta(days=50))["school_boardings"] == sum(
        day <= date(2026, 11, 10) for day in FULL_DAYS
    )
    with reading(weeks) as session:
        assert oldest_day(session, SECTOR) == date(2026, 11, 12)
