"""App: the web application, put together from its doors."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from mobigo import __version__
from mobigo.api import (
    carpool_money,
    carpools,
    ledger,
    lines,
    opendata,
    ops,
    people,
    policies,
    standard_covoiturage,
)
from mobigo.api.access import clock
from mobigo.api.deps import HoldsSnapshot
from mobigo.api.journeys import routes as journeys
from mobigo.api.meeting import bookings, offers, searching
from mobigo.api.middleware import OPEN_PATHS, Faults, HeadAsGet, Headers
from mobigo.api.observing import Named, Observed
from mobigo.api.paths import add_routes
from mobigo.api.problems import add_problem_handlers, on_mobigo_error, on_unexpected, problem_of
from mobigo.api.reference import add_reference
from mobigo.api.standard_covoiturage import Doorkeeper
from mobigo.handover import Answer, BegunAgain, HandOver, Writer
from mobigo.jobs.beside import Beside
from mobigo.jobs.handlers import Means
from mobigo.logs import write_logs
from mobigo.outbound.letters import open_post
from mobigo.security import open_keys
from mobigo.services.covoiturage.answering import Answers
from mobigo.services.covoiturage.finding import OfferSearch
from mobigo.services.covoiturage.lines import lines_edition, open_lines
from mobigo.services.covoiturage.partners import PREFIX
from mobigo.services.covoiturage.registrar import read_registry
from mobigo.services.covoiturage.standard import OfferBoards
from mobigo.services.covoiturage.ways import ways_of
from mobigo.services.journeys import open_network, with_lines
from mobigo.services.network.served import ServedNetwork
from mobigo.services.people.provider import Provider, read_access
from mobigo.settings import Settings
from mobigo.store.base import WritesElsewhere, open_engine, write_only_while
from mobigo.store.streets import find_streets
from mobigo.store.writing import find_seat
from mobigo.texts import text
from mobigo.web.door import go_sign_in
from mobigo.web.layout import Operator, Pages, Site
from mobigo.web.site import make_router
from routing.journeys.snapshot import Snapshot
from socle.errors import MobigoError, NotSignedIn, Unavailable

T = TypeVar("T")
log = logging.getLogger(__name__)
DATA_PATHS = (*OPEN_PATHS, "/health", "/metrics")  # read by programs


def app_of_settings() -> FastAPI:
    """The application of this process, from its settings: what `mobigo serve` starts."""
    settings = Settings()
    write_logs(settings.log_level, settings.log_format)

    engine = open_engine(settings.database_address())

    def open_release(release: Path) -> Snapshot:
        snapshot = open_network(release, int(time.time()), find_streets(settings.data_dir))
        return with_lines(snapshot, *open_lines(engine), settings.site_address())

    network = ServedNetwork(settings.data_dir, open_release, lambda: lines_edition(engine))
    return make_app(network, settings, stays=True)


def make_app(network: HoldsSnapshot, settings: Settings, *, stays: bool = False) -> FastAPI:
    """The application that answers from `network` and the database of the settings.

    One that `stays` takes its part among the processes of a SQLite file: one of them writes, and does the jobs.
    """
    engine = open_engine(settings.database_address())
    seat = find_seat(engine) if stays else None
    keys = open_keys(settings.secret_key, settings.data_dir)
    mail = (settings.mail_url, settings.mail_sender, settings.letters_dir(), settings.site_address())
    post = open_post(*mail, settings.sms_url, settings.sms_token)
    registry = read_registry(settings.registry_url, settings.registry_token, settings.registry_siret)
    folders = (settings.letters_dir(), settings.data_dir)
    jobs = Beside(Means(engine, keys, post, _now, settings.site_address(), *folders, registry))
    writer = None if seat is None else Writer(seat, jobs.start)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if isinstance(network, ServedNetwork):
            await anyio.to_thread.run_sync(network.watch)
        async with AsyncExitStack() as stack:
            if writer is not None:
                write_only_while(engine, lambda: writer.is_here)
                await stack.enter_async_context(writer.taking_part(app))
            if stays:
                await anyio.to_thread.run_sync(_get_ready, app)
            yield
            await anyio.to_thread.run_sync(jobs.stop)
        if isinstance(network, ServedNetwork):
            network.stop()
        engine.dispose()

    app = FastAPI(
        title=text("api.title"),
        summary=text("api.summary"),
        version=__version__,
        openapi_url=None,  # served by `add_reference`
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.network = network
    app.state.engine = engine
    app.state.clock = clock
    app.state.keys = keys
    app.state.provider = find_provider(settings)
    app.state.data_dir = Path(settings.data_dir)
    app.state.settings = settings
    app.state.offer_boards = OfferBoards(engine)
    app.state.offer_search = OfferSearch(engine)
    app.state.standard_answers = Answers(engine, app.state.offer_boards, app.state.offer_search)
    app.state.doorkeeper = Doorkeeper(
        is_open=settings.standard_covoiturage_open,
        calls_per_minute=settings.standard_covoiturage_calls_per_minute,
    )
    app.state.pool = anyio.CapacityLimiter(settings.search_threads)
    add_problem_handlers(app)
    add_reference(app)
    api = (
        ops,
        journeys,
        opendata,
        people,
        lines,
        policies,
        carpools,
        carpool_money,
        ledger,
        searching,
        offers,
        bookings,
        standard_covoiturage,
    )
    add_routes(app, (part.router for part in api))
    pages = _add_pages(app, network, settings)
    app.add_middleware(Faults, answer=partial(_on_error, pages, on_unexpected))
    app.add_middleware(Observed)
    if writer is not None:
        refuse = partial(_on_error, pages, on_mobigo_error)
        app.add_middleware(HandOver, writer=writer, answer=refuse)
        app.add_exception_handler(WritesElsewhere, partial(_begin_again, writer, refuse))
    app.add_middleware(HeadAsGet)
    app.add_middleware(Headers)
    app.add_middleware(Named)
    return app


def _get_ready(app: FastAPI) -> None:
    """Read what searches look at before anybody asks; what is there by then stays, and is not looked over again."""
    try:
        snapshot = app.state.network.current()
    except Unavailable:
        snapshot = None
    try:
        app.state.standard_answers.get_ready(ways_of(snapshot), app.state.clock())
    except Unavailable:
        log.warning("carpool offers could not be read yet; the first search will")
    gc.collect()
    gc.freeze()


def find_provider(settings: Settings) -> Provider | None:
    """The provider that people may sign in by.

    Raises:
        BadInput: `bad_provider`.
    """
    access = read_access(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, settings.oidc_name)
    return Provider(access) if access else None


def _now() -> datetime:
    return datetime.now(UTC)


async def _begin_again(writer: Writer, refuse: Answer, request: Request, _error: Exception) -> Response:
    return BegunAgain(writer, refuse, request)


def _add_pages(app: FastAPI, network: HoldsSnapshot, settings: Settings) -> Pages:
    """Mount the site; what goes wrong on a page is told on a page, what goes wrong with data as a problem document."""

    async def run(function: Callable[..., T], /, *values: Any) -> T:
        return await anyio.to_thread.run_sync(partial(function, *values), limiter=app.state.pool)

    operator = Operator(settings.operator_name, settings.operator_phone, settings.operator_email)
    pages = Pages(Site(network.current, run, operator, settings.public_url))
    add_routes(app, [make_router(pages, app.openapi)])
    for kind in (MobigoError, HTTPException):
        app.add_exception_handler(kind, partial(_on_error, pages, app.exception_handlers[kind]))
    return pages


async def _on_error(pages: Pages, as_problem: Any, request: Request, error: Exception) -> Response:
    if request.url.path.startswith(f"{PREFIX}/"):
        return await standard_covoiturage.respond_error(request, error)
    if isinstance(error, NotSignedIn) and not request.url.path.startswith(DATA_PATHS):
        return go_sign_in(request)
    answer: Response = await as_problem(request, error)
    if request.url.path.startswith(DATA_PATHS):
        return answer
    sentence = problem_of(error).detail if isinstance(error, MobigoError) else ""
    page = pages.send_error(request, answer.status_code, sentence)
    page.headers.update({name: answer.headers[name] for name in ("Retry-After", "Allow") if name in answer.headers})
    return page
