"""Fuzzing: whatever is sent to a documented path, by whomever, the server keeps its word and never fails.

Data are asked by nobody in particular, on one database; what is about people is asked by somebody of
each role, on both.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from covoiturage.lines import shipped_lines
from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.security import Role
from mobigo.services.covoiturage.outings import Seen, course_of_line, open_outing
from mobigo.services.people import api_keys
from mobigo.settings import Settings
from mobigo.store.base import migrate
from mobigo.texts import all_texts
from tests.worlds.accounts import NOON, PASSWORD, World
from tests.worlds.databases import KINDS, empty_database
from tests.worlds.examples import FACTOR
from tests.worlds.valley import valley
from tests.worlds.visiting import Clock

CLOSED = "^/api/(v1/(account|people)|covoiturage/carpools)"
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]
# Random text is refused at once; half of the questions get what exists, so that the rest is tried too.
LINE = shipped_lines()[0]
STOP_IDS = [stop.stop_id for stop in LINE.stops]
REAL = {
    "fromPlace": ["bfc_gare", "47.3020,5.0005", "bfc_hopital"],
    "toPlace": ["bfc_lac", "bfc_col", "47.5005,5.2010,0"],
    "stopId": ["bfc_gare", "bfc_lac-1"],
    "center": ["47.3,5.0"],
    "place": ["47.3,5.0"],
    "via": ["bfc_halte"],
    "tripId": ["20261124_07:05_bfc_D1-07"],
    "text": ["valmont", "Saint-Eloi"],
    "time": ["2026-11-24T06:00:00Z"],
    "startTime": ["2026-11-24T06:00:00Z"],
    "endTime": ["2026-11-24T06:05:00Z"],
    "min": ["47,4"],
    "max": ["48,6"],
    "pageCursor": ["LATER|1795500660", "EARLIER|1795500660", ""],
    "contact": ["agent@exemple.test"],
    "password": [PASSWORD],
    "role": [str(role) for role in Role],
    "scopes": [["own_account"], ["people_read", "own_account"]],
    "who": ["camille@exemple.test", "Camille Durand"],
    "email": ["", "jeanne@exemple.test"],
    "phone": ["", "06 39 98 00 01"],
    "callsPerMinute": [1, 600],
    "days": [1, 366],
    "line_id": [LINE.line_id],
    "stop_id": STOP_IDS,
    "rides": [None],
}


def plausible(asked):
    """Half of what is asked, made of what exists."""
    if not isinstance(asked, dict) or len(repr(asked)) % 2:
        return asked
    return {
        name: REAL[name][len(repr(value)) % len(REAL[name])] if name in REAL else value for name, value in asked.items()
    }


class Site:
    """The application on an empty database, a key of somebody of each role, and people to do things to."""

    def __init__(self, folder, address):
        self.app = make_app(FixedSnapshot(WORLD), Settings(_env_file=None, data_dir=folder, database_url=address))
        migrate(self.app.state.engine)
        self.clock = self.app.state.clock = Clock()
        self.keys = [""]
        people = World(self.app.state.engine, self.app.state.keys)
        for role in Role:
            principal = people.let_in(people.add(f"Nom {role}", f"{role}@exemple.test", roles=[role])).principal
            wish = api_keys.KeyWish("Essai", sorted(principal.permissions), 600, 366)
            self.keys.append(api_keys.make_key(people.engine, people.keys, principal, wish, NOON)[1])
            if role is Role.DRIVER:
                course = course_of_line(people.engine, LINE.line_id, NOON.date())
                seen = Seen(self.clock.now, "a telephone")
                begun = open_outing(
                    people.engine, principal.pseudonym, course, STOP_IDS[0], seen, "k1", principal.actor
                )
                self.carpool_id = begun.outing.id
        self.pseudonyms = [people.add("Camille Durand", f"camille{n or ''}@exemple.test").pseudonym for n in range(2)]


@pytest.fixture(scope="module")
def data_site(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("data"), "")


@pytest.fixture(scope="module", params=KINDS)
def people_site(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    with empty_database(request.param, folder) as address:
        site = Site(folder, address)
        yield site
        site.app.state.engine.dispose()


WORLD = valley()
document = make_app(
    FixedSnapshot(WORLD), Settings(_env_file=None, data_dir=Path("/nonexistent"), secret_key="k" * 32)
).openapi()
schema = schemathesis.openapi.from_dict(document)
EXAMPLES = settings(
    max_examples=30 * FACTOR,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schema.hook
def map_query(context, query):
    return plausible(query)


@schema.hook
def map_body(context, body):
    return plausible(body)


def tried(case, site, secret):
    """The answer to a call; a refusal is a problem document with a French sentence."""
    site.clock.now += timedelta(seconds=1)
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    answer = case.call(app=site.app, headers=headers)
    case.validate_response(answer, checks=CHECKS)
    if answer.status_code >= 400:
        told = json.loads(answer.content)
        assert answer.headers["content-type"] == ["application/problem+json"]
        assert f"errors.{told['code']}" in all_texts()
        assert told["detail"] == told["error"]
        assert told["status"] == answer.status_code
    return answer


@schema.exclude(path_regex=CLOSED).parametrize()
@EXAMPLES
def test_nothing_documented_can_make_the_server_fail(case, data_site):
    tried(case, data_site, "")


@schema.include(path_regex=CLOSED).parametrize()
@EXAMPLES
def test_nobody_can_make_the_server_fail_on_people(case, people_site):
    told = repr((case.path_parameters, case.body))
    if "pseudonym" in (case.path_parameters or {}) and len(told) % 4:
        case.path_parameters["pseudonym"] = people_site.pseudonyms[len(told) % 2]
    if "carpool_id" in (case.path_parameters or {}) and len(told) % 4:
        case.path_parameters["carpool_id"] = people_site.carpool_id
    tried(case, people_site, people_site.keys[sum(told.encode()) % len(people_site.keys)])
