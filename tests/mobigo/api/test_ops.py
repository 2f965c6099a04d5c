import io
import json
import logging
import re
import sys

import httpx
import pytest
import sqlalchemy

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.logs import JsonLines, without_rows
from mobigo.settings import Settings
from mobigo.store.base import migrate, transaction
from tests.worlds.site import serving

SECRETS = {"fromPlace": "46.90591,6.35471", "toPlace": "47.24731,6.02221", "time": "2026-09-15T05:00:00Z"}


@pytest.fixture
def told(caplog):
    """The lines of the log so far, as they are written."""
    caplog.set_level(logging.DEBUG)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("kept", ["0123456789abcdef", "trace-7.a_b:c", "A" * 64])
def test_a_request_keeps_the_id_it_came_with(client, told, kept):
    answer = client.get("/api/v1/geocode", params={"text": "lac"}, headers={"X-Request-Id": kept})
    assert answer.headers["X-Request-Id"] == kept
    (line,) = [line for line in told() if line["from"] == "mobigo.requests"]
    assert (line["id"], line["route"], line["status"]) == (kept, "/api/v1/geocode", 200)


@pytest.mark.parametrize(
    "forged", ["", "short", "A" * 65, "-dash-first", "a b c d e f", "<script>alert(1)</script>", "é" * 9]
)
def test_an_id_that_is_none_is_replaced(client, forged):
    ids = {
        client.get("/health/live", headers={"X-Request-Id": forged.encode()}).headers["X-Request-Id"] for _ in range(2)
    }
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


@pytest.mark.parametrize("path", ["/api/v6/plan", "/itineraire", "/api/v6/plan/secret-46.90591", "/46.90591"])
def test_no_log_says_where_anybody_goes_nor_who_asks(client, told, path):
    client.get(path, params=SECRETS, headers={"Cookie": "session=s3cr3t", "X-Forwarded-For": "198.51.100.7"})
    lines = [line for line in told() if not line["from"].startswith(("httpx", "httpcore", "asyncio"))]
    assert any(line["from"] == "mobigo.requests" for line in lines)
    written = json.dumps(lines)
    assert not any(secret in written for secret in ("46.9059", "47.2473", "s3cr3t", "198.51.100.7", "127.0.0.1"))


def test_a_line_of_the_log_is_one_line_whatever_it_says():
    record = logging.makeLogRecord({"msg": "a\nb \u2028 \x00 %s", "args": ("é",), "levelname": "INFO", "fact": {1, 2}})
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "a\nb \u2028 \x00 é"


def test_a_fault_of_ours_is_in_the_log_once_by_its_route_and_without_what_was_written(world, tmp_path, told):
    app = make_app(FixedSnapshot(world), Settings(_env_file=None, data_dir=tmp_path))
    migrate(app.state.engine)

    @app.post("/trip/{word}")
    def fall(word: str) -> None:
        with transaction(app.state.engine) as session:
            session.connection().execute(
                sqlalchemy.text("INSERT INTO job (key, kind) VALUES (:who, 'x')"), {"who": word}
            )

    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        answer = client.post("/trip/s3cr3t")
    assert answer.status_code == 500
    errors = [line for line in told() if line["level"] == "error"]
    assert [(line["message"], line["route"], line["id"]) for line in errors] == [
        ("unexpected error", "/trip/{word}", answer.headers["X-Request-Id"])
    ]
    assert "IntegrityError" in errors[0]["trace"]
    assert "s3cr3t" not in json.dumps([line for line in told() if not line["from"].startswith("http")]) + answer.text


def test_a_row_that_postgresql_adds_to_a_fault_is_not_told():
    fault = """(psycopg.errors.NotNullViolation) null value in column "kind"
DETAIL:  Failing row contains (7, s3cr3t,
on two lines).
[SQL: INSERT INTO job]
(Background on this error at: https://sqlalche.me/e/20/gkpj)"""
    assert without_rows(fault).splitlines() == [line for line in fault.splitlines() if line.startswith(("(", "["))]
    try:
        raise ValueError(fault)
    except ValueError:
        record = logging.makeLogRecord({"msg": "fault", "exc_info": sys.exc_info()})
    assert "s3cr3t" not in JsonLines().format(record)


def test_numbers_are_told_by_route_and_not_by_what_was_asked(client):
    def counted(route):
        found = re.search(
            rf'^mobigo_requests_total{{method="GET",route="{route}",status="200"}} (\S+)$',
            client.get("/metrics").text,
            re.MULTILINE,
        )
        return float(found[1]) if found else 0.0

    before = counted("/api/v1/geocode")
    for text in ("lac", "secret-place"):
        client.get("/api/v1/geocode", params={"text": text})
    client.get("/no/such/secret-path")
    assert counted("/api/v1/geocode") == before + 2
    written = client.get("/metrics")
    assert "secret" not in written.text
    assert 'mobigo_jobs{state="dead"} 0.0' in written.text
    assert 'mobigo_database_answers{state=""} 1.0' in written.text
    assert 'route="-",status="404"' in written.text
    assert written.headers["Cache-Control"] == "no-store"
    assert 'route="/health' not in written.text


def test_it_is_ready_when_the_database_is_as_it_should_be_and_alive_in_any_case(world, tmp_path):
    app = make_app(FixedSnapshot(world), Settings(_env_file=None, data_dir=tmp_path / "data"))
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        assert client.get("/health/ready").json()["code"] == "database_old"
        migrate(app.state.engine)
        assert client.get("/health/ready").json() == {"ready": True, "release": "valley-1"}
        app.state.engine.dispose()
        (tmp_path / "data").rename(tmp_path / "gone")
        gone = client.get("/health/ready")
        assert (gone.status_code, gone.headers["Retry-After"]) == (503, "5")
        assert 'mobigo_database_answers{state=""} 0.0' in client.get("/metrics").text
        assert client.get("/health/live").status_code == 200
        assert client.get("/api/v1/geocode", params={"text": "lac"}).status_code == 200
        (tmp_path / "gone").rename(tmp_path / "data")
        assert client.get("/health/ready").status_code == 200
