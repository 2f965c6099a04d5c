from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from mobigo.security import Keys, Role
from mobigo.services.retention import (
    APPLIED,
    LONGEST_PAUSE,
    Rule,
    Then,
    all_rules,
    apply,
    duration_words,
    months_before,
    report,
    rules_on,
)
from mobigo.store.audit import AuditFilter, AuditLine, list_lines, record
from mobigo.store.base import reading, transaction
from mobigo.store.jobs import Lease, claim_next, enqueue, finish
from mobigo.store.people.access import close_sessions, open_session
from mobigo.store.people.accounts import Identity, add_person, get_person
from mobigo.store.people.roles import give_role, take_role
from mobigo.store.retention import remove_older
from socle.errors import Conflict, NotFound

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
JOBS = Rule("jobs", "job", Then.DELETE, date(2026, 11, 1), "a test", "ended_at", {"state": "done"}, keep_days=90)
AUDIT = Rule("audit", "audit_line", Then.KEPT, date(2026, 11, 1), "a test", "at")


def jobs_done(engine, days_ago, n=1):
    at = NOON - timedelta(days=days_ago)
    with transaction(engine) as session:
        for number in range(n):
            enqueue(session, "mail", {}, at, f"{days_ago}/{number}")
            finish(session, claim_next(session, ["mail"], Lease("w", at + timedelta(hours=1), 3), "t", at), at)


def n_jobs(engine):
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM job")).scalar()


def applied(engine):
    with reading(engine) as session:
        return [
            (one.line.at, dict(one.line.facts)) for one in list_lines(session, AuditFilter(action=APPLIED), limit=9)
        ]


def test_what_is_too_old_goes_once_and_a_second_run_finds_nothing(engine):
    for days_ago in (0, 89, 90, 91, 400):
        jobs_done(engine, days_ago)
    before = report(engine, NOON, [JOBS, AUDIT])
    assert (before.n_older, before.applied_at) == (2, None)
    assert [(each.rule.code, each.age.oldest) for each in before.kept] == [
        ("jobs", NOON - timedelta(days=400)),
        ("audit", None),
    ]
    assert apply(engine, rules=[JOBS, AUDIT], now=NOON) == {"jobs": 2}
    assert n_jobs(engine) == 3
    after = report(engine, NOON, [JOBS, AUDIT])
    assert (after.n_older, after.applied_at) == (0, NOON)
    assert after.kept[0].age.oldest == after.kept[0].limit == NOON - timedelta(days=90)
    assert apply(engine, rules=[JOBS, AUDIT], now=NOON) == {"jobs": 0}
    assert applied(engine) == [(NOON, {"jobs": 0}), (NOON, {"jobs": 2})]


def test_more_than_one_piece_goes_whole(engine, monkeypatch):
    monkeypatch.setattr("mobigo.services.retention._PIECE", 3)
    jobs_done(engine, 100, n=8)
    assert apply(engine, rules=[JOBS], now=NOON) == {"jobs": 8}
    assert n_jobs(engine) == 0


def test_a_run_that_died_between_two_pieces_is_finished_by_the_next(engine):
    jobs_done(engine, 100, n=8)
    with transaction(engine) as session:
        remove_older(session, JOBS.aging, NOON - timedelta(days=90), 3)
    assert apply(engine, rules=[JOBS], now=NOON) == {"jobs": 5}


def test_what_is_kept_is_never_too_old_nor_touched(engine):
    with transaction(engine) as session:
        record(session, AuditLine(NOON - timedelta(days=9_000), "system:clock", "test.long_ago"))
    told = report(engine, NOON, [AUDIT])
    assert (told.n_older, told.kept[0].age.oldest) == (0, NOON - timedelta(days=9_000))
    assert apply(engine, rules=[AUDIT], now=NOON) == {}


def test_a_clock_that_jumps_ahead_erases_nothing(engine):
    jobs_done(engine, 0)
    apply(engine, rules=[JOBS], now=NOON)
    for year in (2028, 2106, 9999):
        with pytest.raises(Conflict, match="retention_paused"):
            apply(engine, rules=[JOBS], now=NOON.replace(year=year))
    assert n_jobs(engine) == 1
    assert applied(engine) == [(NOON, {"jobs": 0})]


def test_a_clock_that_falls_behind_is_said(engine):
    apply(engine, rules=[JOBS], now=NOON)
    apply(engine, rules=[JOBS], now=NOON - timedelta(minutes=9))
    with pytest.raises(Conflict, match="clock_behind"):
        apply(engine, rules=[JOBS], now=NOON - timedelta(days=1))


def test_after_a_long_pause_somebody_says_that_the_date_is_right(engine):
    jobs_done(engine, 80)
    apply(engine, rules=[JOBS], now=NOON)
    later = NOON + LONGEST_PAUSE + timedelta(days=1)
    assert apply(engine, rules=[JOBS], after_pause=True, now=later) == {"jobs": 1}
    assert apply(engine, rules=[JOBS], now=later + LONGEST_PAUSE) == {"jobs": 0}


def test_of_each_code_the_newest_rule_that_has_begun_is_in_force():
    short = replace(JOBS, from_day=date(2027, 1, 1), keep_days=30)
    assert rules_on(date(2026, 10, 31), [JOBS, short]) == ()
    assert rules_on(date(2026, 12, 31), [short, JOBS]) == (JOBS,)
    assert rules_on(date(2027, 1, 1), [short, JOBS]) == (short,)


def test_a_shorter_rule_takes_more_away_from_its_first_day_on(engine):
    jobs_done(engine, 60)
    short = replace(JOBS, from_day=date(2026, 11, 22), keep_days=30)
    assert apply(engine, rules=[JOBS, short], now=NOON) == {"jobs": 0}
    assert apply(engine, rules=[JOBS, short], now=NOON + timedelta(days=1)) == {"jobs": 1}


@pytest.mark.parametrize(
    ("day", "n", "before"),
    [
        (date(2026, 11, 21), 0, date(2026, 11, 21)),
        (date(2026, 11, 21), 36, date(2023, 11, 21)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 12, 31), 13, date(2025, 11, 30)),
    ],
)
def test_months_are_counted_as_the_calendar_does(day, n, before):
    at = datetime.combine(day, NOON.timetz())
    assert months_before(at, n) == datetime.combine(before, NOON.timetz())


def test_the_rules_in_force_apply_to_an_empty_database(engine):
    assert set(apply(engine, now=NOON).values()) == {0}
    told = report(engine, NOON)
    assert (told.n_older, told.applied_at) == (0, NOON)
    assert {each.rule.code for each in told.kept} == {rule.code for rule in all_rules()}


@pytest.mark.parametrize(
    ("months", "days", "words"),
    [
        (12, 0, "1 an"),
        (36, 0, "3 ans"),
        (1, 0, "1 mois"),
        (14, 0, "1 an et 2 mois"),
        (0, 1, "1 jour"),
        (0, 90, "90 jours"),
    ],
)
def test_a_duration_is_told_in_french(months, days, words):
    assert duration_words(replace(JOBS, keep_months=months, keep_days=days)) == words


def test_what_age_does_not_end_is_told_so():
    assert duration_words(AUDIT) == "sans limite, sous pseudonyme"


# --- accounts that nobody uses ---------------------------------------------------------------

ACCOUNTS = Rule("people", "person", Then.ERASE_ACCOUNT, date(2026, 11, 1), "a test", keep_months=36)
LONG_AGO = NOON - timedelta(days=4 * 365)
KEYS = Keys.of("k" * 32)


@pytest.fixture
def camille(engine):
    with transaction(engine) as session:
        return add_person(session, KEYS, Identity("Camille Durand", "camille@exemple.test"), LONG_AGO)


def told(engine, action, actor, subject="", days_ago=1):
    with transaction(engine) as session:
        record(session, AuditLine(NOON - timedelta(days=days_ago), actor, action, subject))


def test_an_account_that_nobody_used_for_three_years_is_erased_and_told(engine, camille):
    assert report(engine, NOON, [ACCOUNTS]).n_older == 1
    assert apply(engine, rules=[ACCOUNTS], now=NOON) == {"people": 1}
    assert report(engine, NOON, [ACCOUNTS]).n_older == 0
    with reading(engine) as session:
        with pytest.raises(NotFound, match="unknown_person"):
            get_person(session, camille.person_id)
        (line,) = list_lines(session, AuditFilter(action="personal.erased"), limit=9)
    assert (line.line.actor, line.line.subject) == ("system:retention", camille.actor)
    assert "3 ans" in line.line.why
    assert apply(engine, rules=[ACCOUNTS], now=NOON) == {"people": 0}


def test_an_account_is_kept_while_its_owner_or_somebody_for_them_uses_it(engine, camille):
    told(engine, "people.signed_in", camille.actor, camille.actor, days_ago=3 * 365)
    assert apply(engine, rules=[ACCOUNTS], now=NOON) == {"people": 0}
    assert apply(engine, rules=[ACCOUNTS], now=NOON + timedelta(days=2)) == {"people": 1}


@pytest.mark.parametrize(
    ("action", "is_use"),
    [("people.changed", True), ("people.read", False), ("personal.exported", False), ("audit.read", False)],
)
def test_what_an_agent_does_for_somebody_is_use_and_reading_is_not(engine, camille, action, is_use):
    told(engine, action, "person:agent7", camille.actor)
    assert apply(engine, rules=[ACCOUNTS], now=NOON) == {"people": 0 if is_use else 1}


def test_a_new_account_an_open_session_and_a_role_at_work_keep_an_account(engine, camille):
    with transaction(engine) as session:
        add_person(session, KEYS, Identity("Alex"), NOON - timedelta(days=30))
        signed_in = add_person(session, KEYS, Identity("Sacha"), LONG_AGO)
        open_session(session, "hash", signed_in.person_id, "password", "", NOON)
        give_role(session, camille.person_id, Role.TRAVELLER, "system:cli", "", LONG_AGO)
        officer = add_person(session, KEYS, Identity("Lou"), LONG_AGO)
        give_role(session, officer.person_id, Role.DATA_OFFICER, "system:cli", "", LONG_AGO)
    assert apply(engine, rules=[ACCOUNTS], now=NOON) == {"people": 1}
    with transaction(engine) as session:
        take_role(session, officer.person_id, Role.DATA_OFFICER, "system:cli", "", NOON)
        close_sessions(session, signed_in.person_id)
    assert apply(engine, rules=[ACCOUNTS], now=NOON) == {"people": 2}


def test_many_accounts_go_in_pieces(engine, monkeypatch):
    monkeypatch.setattr("mobigo.services.retention._ACCOUNTS", 3)
    with transaction(engine) as session:
        for number in range(7):
            add_person(session, KEYS, Identity(f"Personne {number}"), LONG_AGO)
    assert apply(engine, rules=[ACCOUNTS], now=NOON) == {"people": 7}
