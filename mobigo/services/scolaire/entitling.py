"""Entitling: the files of a school year are decided by the books in force, again when asked, or by others on trial.

The book of a file is the one of its home's département on the first day of the school year. Decisions are added
and never changed: one that comes out as before, on the same facts and under the same book, is not written again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import reading, transaction
from mobigo.store.scolaire.decisions import (
    Kept,
    Key,
    add_decisions,
    get_documents,
    keep_book,
    list_standing,
    take_turn_of_year,
)
from mobigo.store.scolaire.sectors import KeptSector, list_sectors, load_sector, open_ids
from scolaire.entitlement.books import read_book
from scolaire.entitlement.files import first_day, list_facts
from scolaire.entitlement.judge import Judge, find_book, render_decision, wrong_cases
from scolaire.entitlement.model import Decision, Facts, RuleBook, Verdict
from scolaire.entitlement.shipped import authorities_on, shipped_documents
from scolaire.entitlement.simulate import Simulation, simulate
from scolaire.pupils import Sector
from socle.errors import BadInput, Fact, NotFound

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Book:
    """A book and the document it was read from."""

    book: RuleBook
    document: bytes


@dataclass(slots=True)
class Entitled:
    """What came of the files of a school year."""

    n_files: int = 0
    n_new: int = 0  # decisions that did not stand before
    n_without_book: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # book, verdict, reason


def open_books(documents: Sequence[bytes] = ()) -> list[Book]:
    """The books of these documents, or the shipped ones.

    Raises:
        BadInput: as `read_book`; `rule_book_case` when a case does not come out as its book says.
    """
    books = [Book(read_book(document), document) for document in documents or shipped_documents().values()]
    for one in books:
        for case, decision in wrong_cases(one.book):
            raise BadInput("rule_book_case", case=case.name, wanted=case.reason, found=decision.reason)
    return books


def entitle(
    engine: Engine,
    keys: Keys,
    school_year: int,
    books: Sequence[Book],
    actor: str,
    now: datetime,
    *,
    progress: Progress = lambda _n: None,
) -> Entitled:
    """Decide every file of a school year, a sector to a transaction.

    Raises:
        NotFound: `no_school_year`: no sector was imported for it.
    """
    done = Entitled()
    for sector in _sectors(engine, school_year):
        with transaction(engine) as session:
            take_turn_of_year(session, school_year)
            before = sum(done.verdicts.values())
            decided = list(_decide_sector(load_sector(session, keys, sector.sector_id), school_year, books, done))
            used = {decision.book_version for _key, _facts, decision in decided}
            for one in books:
                if one.book.version in used:
                    keep_book(session, one.book.version, one.book.id, one.book.valid_from, one.document, now)
            n_new = add_decisions(session, keys, sector.sector_id, school_year, decided, now)
            done.n_new += n_new
            n_files = sum(done.verdicts.values()) - before
            counts: dict[str, Fact] = {"sector_id": sector.sector_id, "files": n_files, "decided": n_new}
            record(session, AuditLine(now, actor, "school.decided", facts=counts))
        progress(sector.n_pupils)
    return done


def _sectors(engine: Engine, school_year: int) -> list[KeptSector]:
    with reading(engine) as session:
        sectors = list_sectors(session, school_year)
    if not sectors:
        raise NotFound("no_school_year", school_year=f"{school_year}-{school_year + 1}")
    return sectors


def count_pupils(engine: Engine, school_year: int) -> int:
    """The pupils of a school year, for a progress bar.

    Raises:
        NotFound: `no_school_year`.
    """
    return sum(sector.n_pupils for sector in _sectors(engine, school_year))


def _decide_sector(
    sector: Sector, school_year: int, books: Sequence[Book], done: Entitled
) -> Iterator[tuple[Key, Facts, Decision]]:
    day = first_day(school_year)
    judges = {one.book.version: Judge(one.book) for one in books}
    by_commune: dict[str | None, Judge | None] = {}
    for pupil, home, facts in list_facts(sector.pupils, sector.schools, school_year, authorities_on(day)):
        commune = facts.home_commune
        if commune not in by_commune:
            book = find_book([one.book for one in books], commune, day)
            by_commune[commune] = None if book is None else judges[book.version]
        judge = by_commune[commune]
        done.n_files += 1
        if judge is None:
            done.n_without_book += 1
            continue
        decision = judge.decide(facts)
        done.verdicts[str(decision.verdict)] += 1
        done.reasons[decision.book_id, str(decision.verdict), decision.reason] += 1
        yield (pupil.pupil_id, home), facts, decision


# --- what stands ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """A decision as it is handed to the office: the child by the office's own id, the sentence for the family."""

    pupil_id: str
    home: int
    verdict: Verdict
    reason: str
    sentence: str | None
    missing: tuple[str, ...]


def tell_decisions(engine: Engine, keys: Keys, school_year: int, actor: str, why: str, now: datetime) -> list[Told]:
    """The decisions that hold, under the ids that the office gave; that somebody looked is a line of the audit log.

    Raises:
        NotFound: `no_school_year`.
    """
    told: list[Told] = []
    sectors = _sectors(engine, school_year)
    with transaction(engine) as session:
        judges = _judges(get_documents(session))
        book_ids = {version: judge.book.id for version, judge in judges.items()}
        for sector in sectors:
            ids = open_ids(session, keys, sector.sector_id)
            told += [
                _told(ids[kept.pupil], kept, judges[kept.decision.book_version])
                for kept in list_standing(session, keys, sector.sector_id, book_ids)
                if kept.pupil in ids
            ]
        facts = {"school_year": school_year, "files": len(told)}
        record(session, AuditLine(now, actor, "school.read", "", why, facts))
    return sorted(told, key=lambda one: (one.pupil_id, one.home))


def _told(pupil_id: str, kept: Kept, judge: Judge) -> Told:
    decision = kept.decision
    sentence = judge.sentence(kept.facts, decision)
    return Told(pupil_id, kept.home, decision.verdict, decision.reason, sentence, decision.missing)


def _judges(documents: Mapping[str, bytes]) -> dict[str, Judge]:
    return {version: Judge(read_book(document)) for version, document in documents.items()}


def replay(engine: Engine, keys: Keys, school_year: int) -> tuple[int, int]:
    """Decide anew every decision that holds, on its stored facts and by its stored book: how many, how many differ.

    Raises:
        NotFound: `no_school_year`.
    """
    n_files = n_other = 0
    sectors = _sectors(engine, school_year)
    with reading(engine) as session:
        judges = _judges(get_documents(session))
        book_ids = {version: judge.book.id for version, judge in judges.items()}
        for sector in sectors:
            for kept in list_standing(session, keys, sector.sector_id, book_ids):
                again = judges[kept.decision.book_version].decide(kept.facts)
                n_files += 1
                n_other += render_decision(again) != render_decision(kept.decision)
    return n_files, n_other


def simulate_change(
    engine: Engine, keys: Keys, school_year: int, after: RuleBook, *, progress: Progress = lambda _n: None
) -> list[tuple[str, Simulation]]:
    """What another book does to the files that stand in the départements where it holds, by the book that decided.

    The day of the book does not matter: it is tried on the files of that year. Nothing is written.

    Raises:
        NotFound: `no_school_year`.
    """
    files: dict[str, list[tuple[str, Facts]]] = {}
    with reading(engine) as session:
        judges = _judges(get_documents(session))
        book_ids = {version: judge.book.id for version, judge in judges.items()}
        for sector in list_sectors(session, school_year):
            for kept in list_standing(session, keys, sector.sector_id, book_ids):
                before = judges[kept.decision.book_version].book
                if before.departments & after.departments:
                    key = f"{kept.pupil}/{kept.home}"
                    files.setdefault(before.version, []).append((key, kept.facts))
            progress(sector.n_pupils)
    if not files:
        raise NotFound("no_school_decisions", school_year=f"{school_year}-{school_year + 1}")
    judge = Judge(after)
    return [
        (judges[version].book.title, simulate(some, judges[version], judge)) for version, some in sorted(files.items())
    ]
