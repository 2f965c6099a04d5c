"""Deciding: the office's requests: listed, judged by the book in force, decided, overridden with a reason, appealed.

What the book says and what the office says in its place are both kept; each look at a file and each word of the
office is a line of the audit log, which names the reason by its code and holds nothing that is said about a child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from mobigo.security import Keys
from mobigo.services.scolaire.acting import acting_for_office, check_may, note, visible
from mobigo.services.scolaire.entitling import Book, open_books
from mobigo.services.scolaire.registering import Acting, FormWrong
from mobigo.store.audit import AuditLine, read_why, record
from mobigo.store.base import Session, reading, transaction
from mobigo.store.scolaire.application_steps import KeptStep, add_step, list_papers, list_steps
from mobigo.store.scolaire.applications import (
    KeptApplication,
    count_applications,
    count_states,
    get_application,
    list_applications,
    put_application,
    with_home,
)
from mobigo.store.scolaire.applications import Wanted as Wanted  # doors name it
from mobigo.store.scolaire.cards import Card, find_of_pupil
from mobigo.store.scolaire.decisions import add_decisions, find_standing, keep_book, take_turn_of_year
from mobigo.store.scolaire.registered import (
    PlacedSchool,
    find_school,
    get_school,
    has_wheelchair_places,
    list_schools,
    list_stops,
    put_pupil,
    remove_pupil,
)
from scolaire.entitlement.files import facts_of, first_day
from scolaire.entitlement.judge import Judge, Step, find_book
from scolaire.entitlement.model import Decision, Facts, Verdict
from scolaire.entitlement.shipped import authorities_on
from scolaire.pupils import Pupil, School, Stop
from scolaire.reading import Seating
from scolaire.registration.model import MAY, Application, Deed, State
from scolaire.registration.typed import Basis, Problem, identity_key, read_typed
from socle.errors import BadInput, Fact, NotFound

NO_BOOK: Final = "no_book"
NOT_ENTITLED: Final = "pupil_not_entitled"
OVERRIDE_REASONS: Final = ("appeal", "hardship", "health", "mistake", "no_other_way", "safety")
RULINGS: Final = (Verdict.ENTITLED, Verdict.PAYS, Verdict.REFUSED)
_AT_ONCE: Final = 100  # files of one transaction


@dataclass(frozen=True, slots=True)
class Judged:
    """What the book in force says of one home; no decision where no book holds."""

    number: int
    facts: Facts
    decision: Decision | None
    sentence: str | None
    steps: Sequence[Step]
    book_title: str


@dataclass(frozen=True, slots=True)
class File:
    """A request as the office sees it: what was asked, what the book says now, what was decided, what was done."""

    application: KeptApplication
    school: School | None
    stops: Mapping[str, Stop]
    problems: Sequence[Problem]
    judged: Sequence[Judged]
    standing: Mapping[int, tuple[Decision, Facts]]
    card: Card | None  # the one that is not replaced
    papers: Mapping[str, datetime | None]
    steps: Sequence[KeptStep]
    may: frozenset[Deed]


@dataclass(frozen=True, slots=True)
class Listed:
    """The requests of a page of the list, how many there are in all, and the schools to filter by."""

    n: int
    rows: Sequence[KeptApplication]
    schools: Sequence[PlacedSchool]


def list_files(
    engine: Engine, keys: Keys, acting: Acting, wanted: Wanted, limit: int, offset: int, now: datetime
) -> Listed:
    """A page of the list; that somebody looked is a line of the audit log about each guardian whose child is on it."""
    wanted = replace(wanted, places=None if acting.is_office else acting.places)
    with transaction(engine) as session:
        rows = list_applications(session, keys, wanted, limit, offset)
        guardians = {home.guardian for row in rows for home in row.homes if home.guardian}
        for guardian in sorted(guardians) or [""]:
            subject = f"person:{guardian}" if guardian else ""
            facts: dict[str, Fact] = {"school_year": wanted.school_year, "files": len(rows)}
            record(session, AuditLine(now, acting.actor, "school.listed", subject, facts=facts))
        schools = list_schools(session, wanted.school_year)
        return Listed(count_applications(session, wanted), rows, schools)


def count_files(engine: Engine, school_year: int) -> Mapping[str, int]:
    """How many requests of a year stand where."""
    with reading(engine) as session:
        return count_states(session, school_year)


def read_file(engine: Engine, keys: Keys, acting: Acting, application_id: str, now: datetime) -> File:
    """A request with all that the office decides by; that somebody looked is a line of the audit log.

    Raises:
        NotFound: `unknown_application`.
    """
    with transaction(engine) as session:
        one = visible(session, keys, application_id, acting)
        note(session, "school.file_read", one, acting, now)
        return _file(session, keys, one)


def _file(session: Session, keys: Keys, one: KeptApplication) -> File:
    school = find_school(session, one.sector_id, one.school_id)
    stops = {stop.stop_id: stop for stop in list_stops(session, one.sector_id)}
    application, problems = _read(one, stops)
    judged = () if application is None or school is None else judge(one, application, school, open_books())
    return File(
        application=one,
        school=school,
        stops=stops,
        problems=problems,
        judged=judged,
        standing=find_standing(session, keys, one.sector_id, one.pupil),
        card=find_of_pupil(session, keys, one.sector_id, one.pupil),
        papers=list_papers(session, one.id),
        steps=list_steps(session, keys, one.id),
        may=MAY[one.state],
    )


def _read(one: KeptApplication, stops: Mapping[str, Stop]) -> tuple[Application | None, tuple[Problem, ...]]:
    communes = {home.typed.get(f"commune_{home.number + 1}", ""): home.commune for home in one.homes}
    basis = Basis(one.school_year, one.school_id, stops, lambda name: communes.get(name) or None, is_known=True)
    return read_typed(one.typed, basis)


def judge(one: KeptApplication, application: Application, school: School, books: Sequence[Book]) -> list[Judged]:
    """What the books in force on the first day of the school year say of each home."""
    pupil, day = application.as_pupil(one.code), first_day(one.school_year)
    found = []
    for number, home in enumerate(pupil.homes):
        facts = facts_of(pupil, home, school, one.school_year, authorities_on(day))
        book = find_book([each.book for each in books], facts.home_commune, day)
        if book is None:
            found.append(Judged(number, facts, None, None, (), ""))
            continue
        judge_of = Judge(book)
        decision = judge_of.decide(facts)
        sentence = judge_of.sentence(facts, decision)
        found.append(Judged(number, facts, decision, sentence, judge_of.explain(facts), book.title))
    return found


# --- decided ---------------------------------------------------------------------------------------


def decide(engine: Engine, keys: Keys, acting: Acting, application_id: str, now: datetime) -> KeptApplication:
    """Decide a request by the book in force; where a fact or a book is missing it is incomplete, and says so.

    Raises:
        NotFound: `unknown_application`; `unknown_school`.
        Conflict: `application_state`.
        FormWrong: it cannot be read.
    """
    acting_for_office(acting)
    with transaction(engine) as session:
        take_turn_of_year(session, visible(session, keys, application_id, acting).school_year)
        one = visible(session, keys, application_id, acting, locked=True)
        return _decide(session, keys, one, acting, open_books(), now)


def decide_ready(engine: Engine, keys: Keys, acting: Acting, school_year: int, now: datetime) -> tuple[int, int]:
    """Decide every request that was handed in with all its papers: how many were decided, how many are incomplete.

    One that somebody decided otherwise than the book, or that is contested, waits for somebody to look at it again.
    """
    acting_for_office(acting)
    books = open_books()
    wanted = Wanted(school_year, state=str(State.SUBMITTED))
    n_decided = n_incomplete = offset = 0
    while True:
        with transaction(engine) as session:
            take_turn_of_year(session, school_year)
            rows = list_applications(session, keys, wanted, _AT_ONCE, offset)
            for row in rows:
                one = get_application(session, keys, row.id, locked=True)
                is_looked_at = one.has_appeal or any(home.is_overridden for home in one.homes)
                if one.state is not State.SUBMITTED or is_looked_at or not all(list_papers(session, one.id).values()):
                    offset += one.state is State.SUBMITTED
                    continue
                try:
                    done = _decide(session, keys, one, acting, books, now)
                except (FormWrong, NotFound):  # it is looked at by somebody
                    offset += 1
                    continue
                n_decided += done.state is State.DECIDED
                n_incomplete += done.state is State.INCOMPLETE
        if len(rows) < _AT_ONCE:
            return n_decided, n_incomplete


def _decide(
    session: Session, keys: Keys, one: KeptApplication, acting: Acting, books: Sequence[Book], now: datetime
) -> KeptApplication:
    check_may(one, Deed.DECIDED)
    application, problems = _read(one, {stop.stop_id: stop for stop in list_stops(session, one.sector_id)})
    if application is None:
        raise FormWrong(problems)
    one = _judged(session, keys, one, application, books, now)
    return _finish(session, keys, one, application, acting, Deed.DECIDED, now)


def _judged(
    session: Session,
    keys: Keys,
    one: KeptApplication,
    application: Application,
    books: Sequence[Book],
    now: datetime,
    *,
    but: int | None = None,
) -> KeptApplication:
    """The request as the book in force decides it, which is kept; with `but`, only homes without verdict but one."""
    judged = judge(one, application, get_school(session, one.sector_id, one.school_id), books)
    if but is not None:
        judged = [each for each in judged if each.number != but and one.homes[each.number].verdict is None]
    used = {each.decision.book_version for each in judged if each.decision}
    for book in books:
        if book.book.version in used:
            keep_book(session, book.book.version, book.book.id, book.book.valid_from, book.document, now)
    decided = [((one.pupil, each.number), each.facts, each.decision) for each in judged if each.decision]
    add_decisions(session, keys, one.sector_id, one.school_year, decided, now, only=one.pupil)
    for each in judged:
        home = one.homes[each.number]
        verdict = None if each.decision is None else str(each.decision.verdict)
        reason = NO_BOOK if each.decision is None else each.decision.reason
        one = with_home(one, replace(home, verdict=verdict, reason=reason, is_overridden=False))
    return one


def _finish(
    session: Session,
    keys: Keys,
    one: KeptApplication,
    application: Application,
    acting: Acting,
    deed: Deed,
    now: datetime,
    *,
    home: int | None = None,
    about: str = "",
    words: str = "",
) -> KeptApplication:
    """Keep what was decided, and have the child be a pupil of the sector where it may go by coach."""
    verdicts = [each.verdict for each in one.homes]
    settled = all(verdict in RULINGS for verdict in verdicts)
    one = replace(one, state=State.DECIDED if settled else State.INCOMPLETE, changed_at=now)
    put_application(session, keys, one, identity_key(one.typed))
    _seat(session, keys, one, application)
    told = about or ",".join(str(verdict or NO_BOOK) for verdict in verdicts)
    add_step(session, keys, one, deed, acting.actor, now, home=home, about=told, words=words)
    note(session, f"school.application_{deed}", one, acting, now, verdict=told)
    return one


def _seat(session: Session, keys: Keys, one: KeptApplication, application: Application) -> None:
    verdicts = {home.number: home.verdict for home in one.homes}
    served = (Verdict.ENTITLED, Verdict.PAYS)
    if not any(verdict in served for verdict in verdicts.values()):
        remove_pupil(session, one.id)
        return
    pupil: Pupil = application.as_pupil(one.code)
    schools = {pupil.school_id: get_school(session, one.sector_id, one.school_id)}
    stops = {stop.stop_id: stop for stop in list_stops(session, one.sector_id)}
    seating = Seating(schools, stops, has_wheelchair_places(session, one.sector_id))
    barred: dict[int, str] = {}
    for number, home in enumerate(pupil.homes):
        codes = [code for code, bars in seating.obstacles(pupil, home) if bars]
        if verdicts[number] not in served:
            barred[number] = NOT_ENTITLED
        elif codes:
            barred[number] = codes[0]
    guardians = [home.guardian for home in one.homes]
    put_pupil(session, keys, one.sector_id, one.school_year, one.id, one.pupil, pupil, guardians, barred)


def override(
    engine: Engine,
    keys: Keys,
    acting: Acting,
    application_id: str,
    number: int,
    verdict: str,
    reason: str,
    words: str,
    now: datetime,
) -> KeptApplication:
    """Decide one home otherwise than the book, for one of the named reasons and in words that the family reads.

    A home beside it about which nothing holds yet, or nothing any more since the child moved, is decided by the book.

    Raises:
        NotFound: `unknown_application`; `unknown_school`.
        BadInput: `unknown_school_verdict`, `unknown_override_reason`, `why_missing`.
        Conflict: `application_state`.
        FormWrong: it cannot be read.
    """
    acting_for_office(acting)
    if verdict not in {str(each) for each in RULINGS}:
        raise BadInput("unknown_school_verdict")
    if reason not in OVERRIDE_REASONS:
        raise BadInput("unknown_override_reason")
    said = read_why(words)
    with transaction(engine) as session:
        take_turn_of_year(session, visible(session, keys, application_id, acting).school_year)
        one = visible(session, keys, application_id, acting, locked=True)
        check_may(one, Deed.OVERRIDDEN)
        application, problems = _read(one, {stop.stop_id: stop for stop in list_stops(session, one.sector_id)})
        if application is None:
            raise FormWrong(problems)
        if not 0 <= number < len(one.homes):
            raise NotFound("unknown_application")
        if any(home.verdict is None and home.number != number for home in one.homes):
            one = _judged(session, keys, one, application, open_books(), now, but=number)
        home = replace(one.homes[number], verdict=verdict, reason=reason, is_overridden=True)
        one = with_home(one, home)
        about = f"{verdict}:{reason}"
        return _finish(
            session, keys, one, application, acting, Deed.OVERRIDDEN, now, home=number, about=about, words=said
        )
