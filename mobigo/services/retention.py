"""Retention: how long what concerns people is kept, who applies it, and what is older than it should be.

The rules are data (`retention.toml`), dated and with their ground; what they mean stands in
French under `retention.<code>` of the texts. The same rules feed the job, the report and the
public page, so the three cannot disagree.
"""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache, reduce
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Engine

from mobigo.outbound.letters import list_written, remove_written
from mobigo.store.audit import AuditFilter, AuditLine, list_lines, record
from mobigo.store.base import reading, transaction
from mobigo.store.holdings import erase_person
from mobigo.store.people.inactive import count_inactive, lock_inactive
from mobigo.store.retention import Age, Aging, get_age, remove_older
from mobigo.texts import text
from socle.errors import Conflict
from socle.times import local_day

ACTOR = "system:retention"
APPLIED = "retention.applied"
# A clock that jumped ahead would have everything look old. The job runs each day, so a longer silence
# than this is somebody's decision.
LONGEST_PAUSE = timedelta(days=45)
_CLOCKS_DIFFER = timedelta(minutes=10)
_ACCOUNTS = 50  # erased in one transaction, each with a line of its own
_PIECE = 1_000  # rows that go in one transaction, so that whoever writes waits little


class Then(StrEnum):
    """What happens to what a rule speaks of."""

    DELETE = "delete"
    ERASE_ACCOUNT = "erase_account"
    WITH_ACCOUNT = "with_account"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Rule:
    """How long the rows of `table` (those with the values of `only`) are kept; in force from `from_day`.

    Without a table it speaks of the letters that are files of this machine, counted from their writing.
    """

    code: str
    table: str
    then: Then
    from_day: date
    source: str
    counted_from: str = ""
    only: Mapping[str, str] = field(default_factory=dict)
    keep_months: int = 0
    keep_days: int = 0

    @property
    def aging(self) -> Aging | None:
        """The rows whose age counts, if it does."""
        return Aging(self.table, self.counted_from, self.only) if self.counted_from else None

    def limit(self, now: datetime) -> datetime | None:
        """What is older is gone; None when age does not count."""
        if self.then not in {Then.DELETE, Then.ERASE_ACCOUNT}:
            return None
        return months_before(now, self.keep_months) - timedelta(days=self.keep_days)


def months_before(instant: datetime, n: int) -> datetime:
    """The same day and hour `n` months earlier, or the last day of that month where it has no such day."""
    year, month = divmod(instant.year * 12 + instant.month - 1 - n, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return instant.replace(year=year, month=month + 1, day=min(instant.day, last))


@cache
def all_rules() -> Sequence[Rule]:
    """Every rule that ever was or will be, in the order of the file, which is that of deletion."""
    raw = tomllib.loads(files("mobigo.services").joinpath("retention.toml").read_text("utf-8"))
    return tuple(
        Rule(
            code=each["code"],
            table=each.get("table", ""),
            then=Then(each["then"]),
            from_day=each["from"],
            source=each["source"],
            counted_from=each.get("counted_from", ""),
            only=each.get("only", {}),
            keep_months=each.get("keep_months", 0),
            keep_days=each.get("keep_days", 0),
        )
        for each in raw["rule"]
    )


def rules_on(day: date, rules: Sequence[Rule] | None = None) -> Sequence[Rule]:
    """The rules in force on `day`: of each code the newest that has begun."""
    chosen: dict[str, Rule] = {}
    for rule in all_rules() if rules is None else rules:
        older = chosen.get(rule.code)
        if rule.from_day <= day and (older is None or rule.from_day >= older.from_day):
            chosen[rule.code] = rule
    return tuple(chosen.values())


def duration_words(rule: Rule) -> str:
    """How long it is kept, in French."""
    if rule.then in {Then.WITH_ACCOUNT, Then.KEPT}:
        return text(f"retention.duration.{rule.then}")
    years, months = divmod(rule.keep_months, 12)
    parts = (("years", years), ("months", months), ("days", rule.keep_days))
    told = [text(f"retention.duration.{unit}.{'one' if n == 1 else 'other'}", n=n) for unit, n in parts if n]
    whole = reduce(lambda first, second: text("retention.duration.and", first=first, second=second), told)
    return text("retention.duration.erase_account", duration=whole) if rule.then is Then.ERASE_ACCOUNT else whole


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there under a rule: nothing older than `limit`, unless `age` says how many rows are."""

    rule: Rule
    limit: datetime | None
    age: Age | None  # None when the rule counts from no instant


@dataclass(frozen=True, slots=True)
class Report:
    """Nothing older than the rules allow, or where something is; `applied_at` is when they were last applied."""

    kept: Sequence[Kept]
    applied_at: datetime | None

    @property
    def n_older(self) -> int:
        """Rows that should be gone."""
        return sum(each.age.n_older for each in self.kept if each.age)


def report(
    engine: Engine, now: datetime, rules: Sequence[Rule] | None = None, *, letters: Path | None = None
) -> Report:
    """What is kept under each rule in force, how old it is, and whether it is too old; `letters` is their folder."""
    with reading(engine) as session:
        kept = []
        for rule in rules_on(local_day(int(now.timestamp())), rules):
            limit = rule.limit(now)
            age = None
            if limit and rule.then is Then.ERASE_ACCOUNT:
                age = Age(count_inactive(session, limit), None)
            elif limit and not rule.table:
                age = _age_of_letters(letters, limit)
            elif rule.aging:  # what is kept for good is never too old: no row lies before the beginning of time
                age = get_age(session, rule.aging, limit or datetime.min.replace(tzinfo=UTC))
            kept.append(Kept(rule, limit, age))
        last = list_lines(session, AuditFilter(action=APPLIED), limit=1)
    return Report(kept, last[0].line.at if last else None)


def _age_of_letters(folder: Path | None, limit: datetime) -> Age:
    instants = [written for _, written in list_written(folder)] if folder else []
    return Age(sum(written < limit for written in instants), min(instants, default=None))


def apply(
    engine: Engine,
    *,
    after_pause: bool = False,
    rules: Sequence[Rule] | None = None,
    letters: Path | None = None,
    now: datetime,
) -> Mapping[str, int]:
    """Take away what is older than the rules in force allow; how many rows or files went, by the code of the rule.

    It may be killed anywhere and run again: what went stays gone, the rest goes then.

    Raises:
        Conflict: `retention_paused` when it did not run for `LONGEST_PAUSE`, unless `after_pause`;
            `clock_behind` when it last ran in what is now the future.
    """
    with reading(engine) as session:
        last = list_lines(session, AuditFilter(action=APPLIED), limit=1)
    if last:
        silence = now - last[0].line.at
        if silence < -_CLOCKS_DIFFER:
            raise Conflict("clock_behind", last=last[0].line.at.isoformat(timespec="minutes"))
        if silence > LONGEST_PAUSE and not after_pause:
            raise Conflict("retention_paused", days=silence.days, most=LONGEST_PAUSE.days)
    counts: dict[str, int] = {}
    for rule in rules_on(local_day(int(now.timestamp())), rules):
        limit = rule.limit(now)
        if limit and rule.then is Then.ERASE_ACCOUNT:
            counts[rule.code] = _erase_accounts(engine, rule, limit, now)
        elif limit and not rule.table:
            counts[rule.code] = remove_written(letters, limit) if letters else 0
        elif limit and rule.aging:
            counts[rule.code] = _remove(engine, rule.aging, limit)
    with transaction(engine) as session:
        record(session, AuditLine(now, ACTOR, APPLIED, facts=counts))
    return counts


def _erase_accounts(engine: Engine, rule: Rule, limit: datetime, now: datetime) -> int:
    total = 0
    while True:
        with transaction(engine) as session:  # whoever comes back comes before this transaction or after it
            found = lock_inactive(session, limit, _ACCOUNTS)
            for whose in found:
                counts = erase_person(session, whose)
                record(
                    session, AuditLine(now, ACTOR, "personal.erased", whose.name, duration_words(rule), dict(counts))
                )
        total += len(found)
        if len(found) < _ACCOUNTS:
            return total


def _remove(engine: Engine, aging: Aging, limit: datetime) -> int:
    total, gone = 0, _PIECE
    while gone == _PIECE:
        with transaction(engine) as session:
            gone = remove_older(session, aging, limit, _PIECE)
        total += gone
    return total
