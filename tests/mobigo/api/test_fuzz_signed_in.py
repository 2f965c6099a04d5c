"""Fuzzing by somebody who may do everything, on both databases: their account, people and keys."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.security import Role
from mobigo.services.people import api_keys
from mobigo.settings import Settings
from mobigo.store.base import migrate
from tests.worlds.accounts import NOON, World
from tests.worlds.databases import KINDS, empty_database
from tests.worlds.examples import FACTOR
from tests.worlds.visiting import Clock


class Passing(Clock):
    """Time goes on with each look, so that the key stays within its quota."""

    def __call__(self):
        self.now += timedelta(seconds=0.2)
        return self.now


@pytest.fixture(scope="module", params=KINDS)
def address(request, tmp_path_factory):
    with empty_database(request.param, tmp_path_factory.mktemp("fuzz")) as address:
        yield address


@pytest.fixture(scope="module")
def application(address, world, tmp_path_factory):
    """The application on an empty database, with the key of somebody who may do everything."""
    data = tmp_path_factory.mktemp("data")
    app = make_app(FixedSnapshot(world), Settings(_env_file=None, data_dir=data, database_url=address))
    migrate(app.state.engine)
    people = World(app.state.engine, app.state.keys)
    people.add(roles=list(Role))
    principal = people.sign_in().principal
    wish = api_keys.KeyWish("tout", sorted(principal.permissions), api_keys.MOST_CALLS_PER_MINUTE, 300)
    _, app.state.bearer = api_keys.make_key(people.engine, people.keys, principal, wish, NOON)
    app.state.clock = Passing()
    yield app
    app.state.engine.dispose()


@pytest.fixture(scope="module")
def documented(application):
    schema = schemathesis.openapi.from_asgi("/openapi.json", application)
    return schema.include(path_regex="^/api/v1/(account|people)")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_nothing_documented_can_make_the_server_fail_on_either_database(application, documented, mode):
    seen = Counter()
    for found in documented.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=15 * FACTOR,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case):
            response = case.call(headers={"Authorization": f"Bearer {application.state.bearer}"})
            case.validate_response(response, checks=[not_a_server_error])
            seen[response.status_code] += 1

        with suppress(Unsatisfiable):  # it takes nothing that could be wrong
            ask()
    assert sum(seen.values()) > 50
    assert 429 not in seen


def test_the_key_of_these_tests_opens_the_doors(application):
    schema = schemathesis.openapi.from_asgi("/openapi.json", application)
    case = schema["/api/v1/account"]["GET"].Case()
    assert case.call(headers={"Authorization": f"Bearer {application.state.bearer}"}).status_code == 200
