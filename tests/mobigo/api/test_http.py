"""Errors, headers, versions of paths, and the OpenAPI document."""

from __future__ import annotations

import csv

import httpx
import pytest

from mobigo.api.journeys import params
from mobigo.api.journeys.routes import ENDPOINTS
from mobigo.api.reference import list_schemas
from mobigo.app import make_app
from mobigo.settings import Settings
from socle.errors import Unavailable
from tests.worlds.site import serving


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code"),
    [
        ("v6/plan", {}, 400, "missing_parameter"),
        ("v6/plan", {"fromPlace": "x", "toPlace": "y"}, 404, "unknown_stop"),
        ("v6/plan", {"fromPlace": "99,5", "toPlace": "bfc_lac"}, 400, "bad_coordinates"),
        ("v6/plan", {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "time": "demain"}, 400, "bad_parameter"),
        ("v6/plan", {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "arriveBy": "oui"}, 400, "bad_parameter"),
        ("v6/plan", {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "transitModes": "TELEPORT"}, 400, "bad_parameter"),
        ("v6/plan", {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "pageCursor": "x"}, 400, "bad_page_cursor"),
        ("v6/plan", {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "numItineraries": 300}, 422, "over_limit"),
        ("v6/plan", {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "searchWindow": 400_000}, 422, "over_limit"),
        ("v6/plan", {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "via": "a,b,c"}, 422, "too_many_vias"),
        ("v6/plan", {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "minTransferTime": 2**31}, 400, "bad_parameter"),
        ("v6/plan", {"fromPlace": "bfc_gare", "toPlace": "bfc_lac", "pedestrianSpeed": 1e-9}, 400, "bad_parameter"),
        ("v6/map/trips", {"min": "1", "max": "2"}, 400, "missing_parameter"),
        ("v6/nowhere", {}, 404, "unknown_path"),
        ("v7/plan", {}, 404, "unknown_path"),
    ],
)
def test_errors_have_error_code_and_a_french_sentence(client, path, parameters, status, code):
    answer = client.get(f"/api/{path}", params=parameters)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["error"] == problem["detail"] == problem["title"]
    assert problem["error"].endswith((".", "»."))


def test_what_was_sent_is_not_told_back_by_the_page(client):
    answer = client.get("/api/v6/stop", params={"stopId": "x" * 5000})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_stop")
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    "most", [{"transferTimeFactor": 100}, {"minTransferTime": 10_080}, {"maxTravelTime": 2**31}, {"maxTransfers": 0}]
)
def test_the_most_that_may_be_asked_is_answered(client, most):
    question = {"fromPlace": "bfc_hopital", "toPlace": "bfc_lac", "time": "2026-11-24T06:00Z"}
    assert client.get("/api/v6/plan", params=question | most).status_code == 200


def test_a_repeated_scalar_is_contradictory_unless_it_says_the_same(client):
    question = [("fromPlace", "bfc_gare"), ("toPlace", "bfc_lac"), ("time", "2026-11-24T06:00Z")]
    assert client.get("/api/v6/plan", params=[*question, ("toPlace", "bfc_lac")]).status_code == 200
    assert client.get("/api/v6/plan", params=[*question, ("toPlace", "bfc_col")]).status_code == 400


def test_parameters_nobody_knows_are_ignored(client):
    assert client.get("/api/v1/geocode", params={"text": "lac", "utm_source": "x"}).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/geocode?text=lac", "/api/v6/plan", "/openapi.json"])
def test_data_is_open_to_other_people_s_pages(client, path):
    headers = client.get(path).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["link"] == '<https://opendatacommons.org/licenses/odbl/1-0/>; rel="license"'
    assert "content-security-policy" not in headers


def test_browsers_may_ask_before_they_post(client):
    answer = client.options(
        "/api/v6/plan", headers={"Origin": "https://exemple.test", "Access-Control-Request-Method": "POST"}
    )
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_the_demonstration_says_so(client):
    assert client.get("/api/v1/geocode", params={"text": "lac"}).headers["x-mobigo-dataset"] == "demo"


def test_head_is_answered_like_get_without_a_body(client):
    get, head = (client.request(method, "/api/v1/map/initial") for method in ("GET", "HEAD"))
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == get.headers["etag"]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/api/v6/stoptimes", {"stopId": "bfc_gare", "n": 9, "time": "2026-11-24T06:00Z"}),
        ("/api/v6/map/stops", {"min": "47,4", "max": "48,6"}),
        ("/arret/gare", {"jour": "2026-11-24", "heure": "07:00"}),
        ("/openapi.json", {}),
    ],
)
def test_what_many_ask_alike_is_kept_for_a_moment_and_asked_again_by_its_tag(client, path, parameters):
    first = client.get(path, params=parameters)
    assert first.headers["cache-control"] == "public, max-age=15, stale-while-revalidate=600"
    again = client.get(path, params=parameters, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_long_answers_are_compressed_when_the_client_takes_it(client):
    url, question = "/api/v6/stoptimes", {"stopId": "bfc_gare", "n": 20, "time": "2026-11-24T06:00Z"}
    assert client.get(url, params=question).headers["content-encoding"] == "gzip"
    plain = client.get(url, params=question, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == client.get(url, params=question).json()


def test_health(client):
    assert client.get("/health/live").json() == {"live": True}
    assert client.get("/health/ready").json() == {"ready": True, "release": "valley-1"}
    assert client.get("/api/v1/health").json() == {}


class Broken:
    def current(self):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("path", "header"),
    [("/api/v1/geocode?text=lac", "access-control-allow-origin"), ("/", "content-security-policy")],
)
def test_a_fault_of_ours_is_told_in_french_under_the_headers_of_its_path(tmp_path, caplog, path, header):
    app = make_app(Broken(), Settings(_env_file=None, data_dir=tmp_path))
    with serving(app, lifespan="off") as address, httpx.Client(base_url=address) as client:
        answer = client.get(path)
        assert answer.status_code == 500
        assert header in answer.headers
        assert "ZeroDivisionError" not in answer.text
        assert client.get("/health/live").status_code == 200  # on the same connection
    assert "ZeroDivisionError" in caplog.text


class NoNetwork:
    def current(self):
        raise Unavailable("no_network")


def test_without_a_network_the_server_lives_and_says_what_to_do(tmp_path):
    app = make_app(NoNetwork(), Settings(_env_file=None, data_dir=tmp_path))
    with serving(app) as address, httpx.Client(base_url=address) as client:
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503
        assert client.get("/api/v1/health").status_code == 400
        refused = client.get("/api/v1/geocode", params={"text": "lac"})
        assert (refused.status_code, refused.json()["code"]) == (503, "no_network")
        assert refused.headers["retry-after"]


def test_every_version_has_its_path(client):
    for endpoint in ENDPOINTS:
        for version in range(1, 7):
            answer = client.get(f"/api/v{version}/{endpoint.path}")
            known = answer.status_code != 404 or answer.json()["code"] != "unknown_path"
            assert known is (version in endpoint.versions), (endpoint.path, version)
    assert client.get("/api/v1/map/rentals").status_code == 200


# --- the OpenAPI document


def test_the_document_shows_the_latest_version_of_each_path(client):
    paths = client.get("/openapi.json").json()["paths"]
    shown = {
        path for path, methods in paths.items() if any("journeys" in one.get("tags", ()) for one in methods.values())
    }
    assert shown == {f"/api/v{max(one.versions)}/{one.path}" for one in ENDPOINTS} | {"/api/v1/health"}
    assert set(paths["/api/v6/plan"]) == {"get", "post"}


def test_every_reference_of_the_document_resolves(client):
    document = client.get("/openapi.json").json()
    known = document["components"]["schemas"]

    def references(value):
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    wanted = set(references(document))
    assert wanted
    assert {one.removeprefix("#/components/schemas/") for one in wanted} <= known.keys()


def test_every_field_and_parameter_has_its_french_label(client):
    document = client.get("/openapi.json").json()
    fields = [
        (owner, name)
        for owner, schema in list_schemas().items()
        for name, field in schema.get("properties", {}).items()
        if "description" not in field
    ]
    parameters = [
        (path, parameter["name"])
        for path, methods in document["paths"].items()
        if path.startswith("/api/")
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if "description" not in parameter
    ]
    assert (fields, parameters) == ([], [])


STRUCTS = {
    "plan": params.PlanParams, "trip": params.TripParams, "stoptimes": params.StoptimesParams,
    "stop": params.StopParams, "refresh-itinerary": params.RefreshParams, "geocode": params.GeocodeParams,
    "reverse-geocode": params.ReverseGeocodeParams, "map/stops": params.MapStopsParams,
    "map/trips": params.MapTripsParams, "map/levels": params.MapLevelsParams, "rentals": params.RentalsParams,
}  # fmt: skip


@pytest.mark.shared
def test_parameters_are_those_of_the_table(shared):
    with shared("design/journey-api.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["kind"] == "param" and row["owner"] in STRUCTS]
    for owner, struct in STRUCTS.items():
        wanted = {row["name"] for row in rows if row["owner"] == owner}
        assert set(struct.__struct_encode_fields__) == wanted, owner


@pytest.mark.shared
def test_fields_and_what_is_required_are_those_of_the_table(shared):
    schemas = list_schemas()
    with shared("design/journey-api.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["kind"] == "field" and row["owner"] in schemas]
    assert {"Leg", "Place", "StopTime", "Itinerary", "Match"} <= {row["owner"] for row in rows}
    for owner in {row["owner"] for row in rows}:
        known = {row["name"] for row in rows if row["owner"] == owner}
        required = {row["name"] for row in rows if row["owner"] == owner and row["required"] == "yes"}
        ours = schemas[owner]
        assert set(ours["properties"]) - {"mobigo"} <= known, owner
        assert required <= set(ours.get("required", ())), owner
