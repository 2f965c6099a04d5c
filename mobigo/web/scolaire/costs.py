"""Costs on a page: what a school year costs so far, seen six ways, drawn, as a table and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from mobigo.services.scolaire import costing
from mobigo.services.scolaire.contracting import plan_year
from mobigo.services.scolaire.costing import YearCosts
from mobigo.web import door
from mobigo.web.drawing import Bar, bar_chart
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Link
from mobigo.web.personal.mine import attachment
from mobigo.web.scolaire.contracts import CONTRACTS, Reader
from mobigo.web.scolaire.sheets import NOTHING, Cell, Sheet, Table, send_sheet
from mobigo.web.wording import euros, month_name, number, say
from scolaire.contracts.costs import Cost, render_costs
from socle.errors import BadInput
from socle.times import PARIS

COSTS: Final = "/scolaire/couts"
N_BARS: Final = 20
WAYS: Final = {
    "circuit": "circuits",
    "etablissement": "schools",
    "commune": "communes",
    "lot": "lots",
    "contrat": "contracts",
    "mois": "months",
}
_YEARS: Final = range(2000, 2100)


def months_of(school_year: int, last: str) -> list[str]:
    """The months of a school year that have begun by `last`."""
    found = [f"{school_year}-{month:02}" for month in range(9, 13)]
    found += [f"{school_year + 1}-{month:02}" for month in range(1, 9)]
    return [month for month in found if month <= last]


def _asked(request: Request) -> tuple[int, str]:
    """The school year and the way of an address.

    Raises:
        BadInput: `bad_school_year`.
    """
    today = door.now_of(request).astimezone(PARIS).date()
    typed = request.query_params.get("annee", "") or str(plan_year(today))
    if not (typed.isascii() and typed.isdigit() and len(typed) == 4 and int(typed) in _YEARS):
        raise BadInput("bad_school_year")
    way = request.query_params.get("par", "")
    return int(typed), way if way in WAYS else "circuit"


def _counted(request: Request, school_year: int) -> YearCosts:
    state, today = request.app.state, door.now_of(request).astimezone(PARIS).date()
    return costing.count_costs(state.engine, state.keys, months_of(school_year, f"{today:%Y-%m}"))


def _rows_of(found: YearCosts, way: str) -> Sequence[Cost]:
    values: Mapping[str, Sequence[Cost]] = {
        "circuits": found.costs.circuits,
        "schools": found.costs.schools,
        "communes": found.costs.communes,
        "lots": found.lots,
        "contracts": found.contracts,
        "months": found.months,
    }
    return values[WAYS[way]]


def _name(one: Cost, way: str) -> str:
    if not one.about:
        return say("scolaire.costs.nobodys")
    return month_name(one.about) if way == "mois" else one.about


def _picture(rows: Sequence[Cost], way: str) -> Markup:
    if way != "mois":
        rows = sorted(rows, key=lambda one: -one.cents)[:N_BARS]
    bars = [Bar(_name(one, way), one.cents / 100, euros(one.cents)) for one in rows]
    title = say("scolaire.costs.picture", n=len(bars))
    return Markup(bar_chart(bars, key="couts", title=title, description=say("scolaire.costs.picture_told")))  # noqa: S704  of our own making, every word of it escaped


def _table(rows: Sequence[Cost], way: str, caption: str) -> Table:
    columns = [say(f"scolaire.costs.column.{name}") for name in ("about", "pupils", "euros", "mean")]
    cells = [
        [
            Cell(_name(one, way)),
            Cell(number(one.n_pupils)),
            Cell(euros(one.cents)),
            Cell("" if one.per_pupil_cents is None else euros(one.per_pupil_cents)),
        ]
        for one in rows
    ]
    return Table(caption, columns, cells, frozenset({1, 2, 3}), say("scolaire.costs.none"))


def _sheet(request: Request) -> Sheet:
    school_year, way = _asked(request)
    found = _counted(request, school_year)
    rows, total = _rows_of(found, way), found.costs.total
    name = f"{school_year}-{school_year + 1}"
    mean = total.per_pupil_cents

    def at(path: str, year: int, by: str) -> str:
        return door.with_query(path, annee=str(year), par=by)

    return Sheet(
        title=say("scolaire.costs.title", year=name),
        back=Link(CONTRACTS, say("scolaire.contracts.title")),
        lead=say("scolaire.costs.lead"),
        lines=[
            Line(say("scolaire.costs.total"), euros(total.cents)),
            Line(say("scolaire.costs.pupils"), number(total.n_pupils)),
            Line(say("scolaire.costs.mean"), "" if mean is None else euros(mean)),
            Line(say("scolaire.costs.median"), euros(found.costs.median_cents)),
        ],
        chart=_picture(rows, way) if rows else NOTHING,
        tables=[_table(rows, way, say(f"scolaire.costs.by.{way}"))],
        links=[
            *(Link(at(COSTS, school_year, one), say(f"scolaire.costs.by.{one}")) for one in WAYS if one != way),
            Link(at(f"{COSTS}/fichier.csv", school_year, way), say("scolaire.costs.file")),
            Link(at(COSTS, school_year - 1, way), say("scolaire.costs.before")),
        ],
    )


def make_router(pages: Pages) -> APIRouter:
    """`/scolaire/couts` and its file."""
    router = APIRouter(include_in_schema=False)

    @router.get(COSTS)
    def costs(request: Request, _principal: Reader) -> Response:
        return send_sheet(pages, request, _sheet(request))

    @router.get(f"{COSTS}/fichier.csv")
    def file(request: Request, _principal: Reader) -> Response:
        school_year, way = _asked(request)
        rows = _rows_of(_counted(request, school_year), way)
        name = f"couts-{school_year}-{way}.csv"
        return Response(render_costs(rows), headers=attachment(name, "text/csv; charset=utf-8"))

    return router
