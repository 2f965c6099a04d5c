"""The route that answers is the one that would be found by trying all, one after the other."""

import anyio
import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Match

from mobigo.api.deps import FixedSnapshot
from mobigo.api.paths import add_routes
from mobigo.app import make_app
from mobigo.settings import Settings
from tests.worlds.hostile import all_routes
from tests.worlds.valley import valley


def small_site():
    router = APIRouter(prefix="/trips")

    @router.get("/today")
    async def today() -> str:
        return "today"

    @router.get("/{word}")
    async def any_word(word: str) -> str:
        return f"any {word}"

    @router.get("/hidden")
    async def hidden() -> str:
        return "never: any word comes first"

    @router.post("/today")
    async def post_today() -> str:
        return "posted"

    app = FastAPI()
    add_routes(app, [router])
    return app


def test_the_first_route_that_answers_is_taken_the_first_time_and_later():
    async def ask():
        transport = httpx.ASGITransport(small_site())
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
            for _ in range(2):
                assert (await client.get("/trips/today")).json() == "today"
                assert (await client.post("/trips/today")).json() == "posted"
                assert (await client.get("/trips/hidden")).json() == "any hidden"
                assert (await client.get("/trips/tomorrow")).json() == "any tomorrow"
                assert (await client.get("/trips")).status_code == 404
                refused = await client.put("/trips/today")
                assert (refused.status_code, refused.headers["allow"]) == (405, "GET")

    anyio.run(ask)


def test_every_path_of_the_application_leads_where_it_led(tmp_path):
    app = make_app(FixedSnapshot(valley()), Settings(_env_file=None, data_dir=tmp_path))
    routes = list(all_routes(app.routes))
    remembered = next(route for route in app.routes if route not in routes)
    for _ in range(2):
        for route in routes:
            for method in route.methods:
                scope = {"type": "http", "path": route.path.replace("{", "").replace("}", ""), "method": method}
                expected = next(one for one in routes if one.matches(scope)[0] is Match.FULL)
                match, found = remembered.matches(scope)
                assert match is Match.FULL
                assert found["endpoint"] is expected.endpoint
                assert found["path_params"] == expected.matches(scope)[1]["path_params"]


def test_a_router_within_a_router_is_refused():
    outer, inner = APIRouter(), APIRouter()

    @inner.get("/")
    async def nothing() -> None:
        return None

    outer.include_router(inner, prefix="/inner")
    with pytest.raises(TypeError):
        add_routes(FastAPI(), [outer])
