"""Jobs: what the service does by itself: what ran, runs, failed and why, and another try for what was given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from mobigo.security import Permission
from mobigo.services import jobs
from mobigo.services.jobs import Job, JobState, Outcome, Overview, Try
from mobigo.services.people.principal import Principal
from mobigo.texts import error_sentence, kind_words
from mobigo.web import door
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Fields, Link, status_of
from mobigo.web.people.signing import HOME
from mobigo.web.wording import moment, say, say_count
from socle.errors import MobigoError

JOBS = "/administration/taches"
N_SHOWN = 15
_MOST_PAGES = 10_000
_MOST_JOBS = 2**31 - 1

Reader = Annotated[Principal, Depends(door.Needs(Permission.JOBS_READ))]
Steerer = Annotated[Principal, Depends(door.Needs(Permission.JOBS_STEER))]


@dataclass(frozen=True, slots=True)
class Shown:
    """One choice of what is listed."""

    href: str
    name: str
    n_jobs: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One job: where it stands, what went wrong last, and each try."""

    job_id: int
    name: str
    stands: str
    why: str
    counted: str
    tries: Sequence[str]
    retry: str  # the words of the button; empty where there is none


@dataclass(frozen=True, slots=True)
class JobsPage:
    """Some of the jobs."""

    title: str
    said: str
    problems: Sequence[Link]
    choices: Sequence[Shown]
    rows: Sequence[Row]
    newer: str
    older: str
    back: Link


def _stands(job: Job) -> str:
    if job.state == JobState.WAITING:
        return say("jobs.again" if job.tries else "jobs.due", at=moment(job.next_at))
    if job.state == JobState.RUNNING:
        return say("jobs.since", at=moment(job.tries[-1].began_at))
    return say(f"jobs.{job.state}", at=moment(job.ended_at or job.next_at))


def _outcome(one: Try) -> str:
    return say(f"jobs.outcome.{one.outcome}", why=one.why)


def _row(job: Job, *, may_retry: bool) -> Row:
    last = job.tries[-1] if job.tries else None
    has_failed = last is not None and last.outcome in {Outcome.FAILED, Outcome.LOST}
    return Row(
        job_id=job.job_id,
        name=kind_words(job.kind),
        stands=_stands(job),
        why=_outcome(last) if last and has_failed else "",
        counted=say_count("jobs.tries", len(job.tries)) if job.tries else "",
        tries=[
            say("jobs.try.told", at=moment(one.began_at), worker=one.worker, outcome=_outcome(one)) for one in job.tries
        ],
        retry=say("jobs.retry", job_id=job.job_id) if may_retry and job.state == JobState.DEAD else "",
    )


def _href(state: JobState | None, page: int = 1) -> str:
    fields = ({"etat": str(state)} if state else {}) | ({"page": str(page)} if page > 1 else {})
    return door.with_query(JOBS, **fields) if fields else JOBS


def _jobs_page(
    principal: Principal,
    found: Overview,
    state: JobState | None,
    page: int,
    said: str = "",
    error: MobigoError | None = None,
) -> JobsPage:
    all_jobs = Shown(JOBS, say("jobs.all"), sum(found.counts.values()), state is None)
    may_retry = principal.may(Permission.JOBS_STEER)
    return JobsPage(
        title=say("jobs.title"),
        said=said,
        problems=[Link("#taches", error_sentence(error))] if error else (),
        choices=[
            all_jobs,
            *(Shown(_href(each), say(f"jobs.state.{each}"), found.counts[each], each == state) for each in JobState),
        ],
        rows=[_row(job, may_retry=may_retry) for job in found.jobs],
        newer=_href(state, page - 1) if page > 1 else "",
        older=_href(state, page + 1) if found.has_more else "",
        back=Link(HOME, say("people.account.title")),
    )


def _read_state(typed: str) -> JobState | None:
    return JobState(typed) if typed in set(JobState) else None


def _read_number(typed: str, most: int) -> int:
    """A whole number from 1 on, or 0 for anything else."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 11 and int(typed) <= most else 0


def make_router(pages: Pages) -> APIRouter:
    """`/administration/taches`."""
    router = APIRouter(include_in_schema=False)

    def show(
        request: Request, principal: Principal, page: int = 1, said: str = "", error: MobigoError | None = None
    ) -> Response:
        state = _read_state(request.query_params.get("etat", ""))
        found = jobs.overview(request.app.state.engine, [state] if state else [], page, N_SHOWN)
        shown = _jobs_page(principal, found, state, page, said, error)
        status = status_of(error) if error else 200
        return pages.send(request, "jobs.html", status=status, cache="no-store", page=shown)

    @router.get(JOBS)
    def list_jobs(request: Request, principal: Reader) -> Response:
        typed = request.query_params
        retried = _read_number(typed.get("relancee", ""), _MOST_JOBS)
        said = say("jobs.retried", job_id=str(retried)) if retried else ""
        return show(request, principal, _read_number(typed.get("page", ""), _MOST_PAGES) or 1, said)

    @router.post(f"{JOBS}/{{job_id}}/reprise")
    def retry(request: Request, principal: Steerer, job_id: str, _form: Fields) -> Response:
        number = _read_number(job_id, _MOST_JOBS)
        try:
            jobs.retry(request.app.state.engine, number, principal.actor, door.now_of(request))
        except MobigoError as error:
            return show(request, principal, error=error)
        return door.go(door.with_query(JOBS, relancee=str(number)))

    return router
