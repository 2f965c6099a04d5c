"""Trial: another rule book on the files of a year: how many gain and lose, by verdict and by commune."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from mobigo.services.scolaire import entitling
from mobigo.texts import error_sentence
from mobigo.web.door import read_upload
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Choice, Link, status_of
from mobigo.web.scolaire.families.form import year_name
from mobigo.web.scolaire.office.files import OFFICE, Clerk, default_year
from mobigo.web.scolaire.office.hub import TRIAL
from mobigo.web.scolaire.words import verdict_of
from mobigo.web.wording import say
from scolaire.entitlement.shipped import key_of, shipped_books
from scolaire.entitlement.simulate import Simulation, count_by_commune
from socle.errors import BadInput, MobigoError

K: Final = 5  # files; smaller changes of a commune are told with those of others
Uploaded = Annotated[Mapping[str, str], Depends(read_upload)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a book does to the files that one book decided."""

    title: str
    same: str
    changes: Sequence[tuple[str, str, int]]
    gains: int
    losses: int
    others: int
    communes: Sequence[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class TrialPage:
    """The form, and what would come of the book."""

    title: str
    problems: Sequence[Link]
    years: Sequence[Choice]
    books: Sequence[Choice]
    outcomes: Sequence[Outcome]
    note: str
    back: Link


def _outcome(title: str, found: Simulation) -> Outcome:
    changed = sorted(found.counts.items(), key=lambda item: (item[0][0], item[0][1]))
    return Outcome(
        title=say("school.trial.of", title=title, n=found.n_files),
        same=say("school.trial.same", n=found.n_unchanged, reason=found.n_other_reason),
        changes=[(verdict_of(one), verdict_of(other), n) for (one, other), n in changed if one is not other],
        gains=len(found.gains),
        losses=len(found.losses),
        others=len(found.others),
        communes=[
            (one.commune or say("school.trial.elsewhere"), one.n_gains, one.n_losses)
            for one in count_by_commune(found, K)
        ],
    )


def _page(
    request: Request, form: Mapping[str, str], outcomes: Sequence[Outcome] = (), error: MobigoError | None = None
) -> TrialPage:
    year = default_year(request)
    chosen = form.get("annee", str(year))
    return TrialPage(
        title=say("school.trial.title"),
        problems=[Link("#essai", error_sentence(error))] if error else (),
        years=[Choice(str(one), year_name(one), str(one) == chosen) for one in (year - 1, year)],
        books=[
            Choice(key, f"{book.title} ({key})", key == form.get("reglement", ""))
            for key, book in shipped_books().items()
        ],
        outcomes=outcomes,
        note=say("school.trial.k_note", k=K),
        back=Link(OFFICE, say("school.hub.title")),
    )


def _try(request: Request, form: Mapping[str, str]) -> list[Outcome]:
    state = request.app.state
    typed = form.get("annee", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) == 4):
        raise BadInput("bad_school_year")
    document = form.get("fichier", "")
    if document.strip():
        (book,) = (one.book for one in entitling.open_books([document.encode()]))
    else:
        ours = {key_of(one.book): one.book for one in entitling.open_books()}
        if form.get("reglement", "") not in ours:
            raise BadInput("unknown_rule_book", name=form.get("reglement", "")[:80], known=", ".join(ours))
        book = ours[form["reglement"]]
    found = entitling.simulate_change(state.engine, state.keys, int(typed), book)
    return [_outcome(title, one) for title, one in found]


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/bureau/essai`."""
    router = APIRouter(include_in_schema=False)

    def send(request: Request, page: TrialPage, status: int = 200) -> Response:
        return pages.send(request, "scolaire/office/trial.html", status=status, cache="no-store", page=page)

    @router.get(TRIAL)
    def form(request: Request, _principal: Clerk) -> Response:
        return send(request, _page(request, {}))

    @router.post(TRIAL)
    def try_out(request: Request, _principal: Clerk, form: Uploaded) -> Response:
        try:
            outcomes = _try(request, form)
        except MobigoError as error:
            return send(request, _page(request, form, error=error), status_of(error))
        return send(request, _page(request, form, outcomes))

    return router
