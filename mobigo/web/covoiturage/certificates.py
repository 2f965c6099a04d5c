"""Certificates: a year of carpooling on paper, the public page that checks its code, and receipts of payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal
from fastapi import APIRouter, Request, Response

from mobigo.services.covoiturage import certifying
from mobigo.services.covoiturage.certifying import Certificate
from mobigo.services.people import accounts
from mobigo.web import door
from mobigo.web.door import PUBLIC
from mobigo.web.layout import Pages
from mobigo.web.people.account import Line
from mobigo.web.people.forms import Link, Owner
from mobigo.web.wording import FRENCH, euros, month_name, say
from socle.errors import BadInput
from socle.times import PARIS

CARPOOLS = "/compte/covoiturages"
CERTIFICATE = "/compte/attestation"
CHECK = "/attestation"
RECEIPTS = "/compte/recus"


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """What somebody did as a driver, or as a passenger."""

    role: str
    trips: str
    kilometres: str
    amount: str


@dataclass(frozen=True, slots=True)
class CertificatePage:
    """A certificate: `name` stands on its owner's page only."""

    title: str
    lead: str
    name: str
    rows: Sequence[CertificateRow]
    note: str
    address: str
    code: str
    years: Sequence[Link]
    back: Link | None


@dataclass(frozen=True, slots=True)
class ReceiptsPage:
    """Every payment that was made to somebody."""

    title: str
    name: str
    receipts: Sequence[Sequence[Line]]
    back: Link


def _rows(one: Certificate) -> list[CertificateRow]:
    told = [
        (say("covoiturage.certificate.driver"), one.driver_trips, one.driver_metres, one.driver_cents),
        (say("covoiturage.certificate.passenger"), one.passenger_trips, one.passenger_metres, one.passenger_cents),
    ]
    return [
        CertificateRow(role, str(trips), str(format_decimal(metres / 1000, "#,##0.0", locale=FRENCH)), euros(cents))
        for role, trips, metres, cents in told
    ]


def _day(iso: str) -> str:
    return str(format_date(date.fromisoformat(iso), "d MMMM y", locale=FRENCH))


def make_router(pages: Pages) -> APIRouter:
    """`/compte/attestation/{year}`, `/attestation/{code}`, `/compte/recus`."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{CERTIFICATE}/{{year}}")
    def certificate(request: Request, principal: Owner, year: str) -> Response:
        state, now = request.app.state, door.now_of(request)
        if not (year.isascii() and year.isdigit() and len(year) == len("2026")):
            raise BadInput("bad_year", first=certifying.FIRST_YEAR, last=now.year)
        made = certifying.certify(state.engine, principal.pseudonym, int(year), now)
        code = certifying.render_code(state.keys, made)
        others = [made.year - 1, made.year + 1]
        page = CertificatePage(
            title=say("covoiturage.certificate.title", year=made.year),
            lead=say("covoiturage.certificate.lead"),
            name=accounts.get_account(state.engine, state.keys, principal).identity.name,
            rows=_rows(made),
            note=say("covoiturage.certificate.note", day=_day(made.made_on)),
            address=f"{state.settings.site_address().rstrip('/')}{CHECK}/{code}",
            code=code,
            years=[
                Link(f"{CERTIFICATE}/{each}", str(each))
                for each in others
                if certifying.FIRST_YEAR <= each <= now.astimezone(PARIS).year
            ],
            back=Link(CARPOOLS, say("covoiturage.mine.title")),
        )
        return pages.send(request, "covoiturage/certificate.html", cache="no-store", page=page)

    @router.get(f"{CHECK}/{{code}}", dependencies=[PUBLIC])
    def check(request: Request, code: str) -> Response:
        made = certifying.read_code(request.app.state.keys, code)
        page = CertificatePage(
            title=say("covoiturage.certificate.genuine", year=made.year),
            lead=say("covoiturage.certificate.genuine_lead"),
            name="",
            rows=_rows(made),
            note=say("covoiturage.certificate.note", day=_day(made.made_on)),
            address="",
            code="",
            years=(),
            back=None,
        )
        return pages.send(request, "covoiturage/certificate.html", cache="no-store", page=page)

    @router.get(RECEIPTS)
    def receipts(request: Request, principal: Owner) -> Response:
        state = request.app.state
        told = [
            [
                Line(say("covoiturage.receipts.reference"), one.reference),
                Line(say("covoiturage.receipts.month"), month_name(one.month)),
                Line(say("covoiturage.receipts.amount"), euros(one.cents)),
                Line(say("covoiturage.receipts.day"), _day(one.execute_on.isoformat()) if one.execute_on else ""),
                Line(say("covoiturage.receipts.state"), say(f"covoiturage.finances.item.{one.state}")),
            ]
            for one in certifying.list_receipts(state.engine, principal.pseudonym)
        ]
        page = ReceiptsPage(
            title=say("covoiturage.receipts.title"),
            name=accounts.get_account(state.engine, state.keys, principal).identity.name,
            receipts=told,
            back=Link(CARPOOLS, say("covoiturage.mine.title")),
        )
        return pages.send(request, "covoiturage/receipts.html", cache="no-store", page=page)

    return router
