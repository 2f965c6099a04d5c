"""The site while what it stands on fails: a clear answer, told once, nothing lost, nothing leaked."""

import logging
import os
import threading
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import event

from mobigo.store.base import _FAILING
from tests.worlds import postgresql
from tests.worlds.valley import valley
from tests.worlds.visiting import place

CAMILLE = "camille@exemple.test"
DETAILS = "/compte/coordonnees"
SORRY = "Le service ne peut pas répondre en ce moment."


@pytest.fixture(scope="module")
def network():
    return valley()


@pytest.fixture(autouse=True)
def _nothing_fails_yet():
    _FAILING.clear()


@pytest.fixture
def server():
    if postgresql.find_programs() is None or not os.environ.get("MOBIGO_TEST_DATABASE"):
        pytest.skip("MOBIGO_TEST_DATABASE names no PostgreSQL server, or its programs are not here")
    with postgresql.running() as server:
        yield server


def told(caplog):
    """What the log says of the database, and whatever is worse than a warning."""
    return [
        (record.levelname, record.message)
        for record in caplog.records
        if record.name == "mobigo.store.base" or record.levelno >= logging.ERROR
    ]


def wait_for_a_lock(address):
    with psycopg.connect(address, autocommit=True) as watcher:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while watcher.execute(waiting).fetchone() == (0,):
            pass


def test_a_postgresql_that_goes_away_in_the_middle_of_a_request_and_comes_back(network, server, tmp_path, caplog):
    with place(network, tmp_path, database_url=server.address) as site:
        site.people.add("Camille Durand", CAMILLE)
        visitor = site.visitor().sign_in(CAMILLE)
        form = visitor.go(DETAILS).form(DETAILS).fields
        caplog.clear()
        answers = []
        with closing(psycopg.connect(server.address)) as other:
            other.execute("LOCK TABLE person IN ACCESS EXCLUSIVE MODE")
            asking = threading.Thread(target=lambda: answers.append(visitor.client.get("/compte")))
            asking.start()
            wait_for_a_lock(server.address)
            server.stop()
            asking.join()
        answers.append(visitor.client.post(DETAILS, data=form | {"nom": "Dominique Durand"}))
        answers.append(visitor.client.get("/api/v1/account", headers={"Authorization": "Bearer x"}))
        answers.append(visitor.client.get("/health/ready"))
        for answer in answers:
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert SORRY in answer.text
            assert not any(secret in answer.text for secret in ("pg-", "connection", "psycopg", str(tmp_path)))
        for path in ("/health/live", "/metrics", "/", "/api/v1/geocode?text=lac"):
            assert visitor.client.get(path).status_code == 200, path  # who plans a journey needs no database
        server.start()
        assert visitor.go("/compte").title == "Mon compte"
        assert "Camille Durand" in visitor.page.text
        visitor.go(DETAILS).send(DETAILS, nom="Dominique Durand")
        assert "Dominique Durand" in visitor.page.text
        assert told(caplog) == [("ERROR", "the database fails"), ("WARNING", "the database answers again")]


def test_a_full_disk_refuses_what_it_cannot_keep_and_keeps_what_it_said_it_would(network, tmp_path, caplog):
    with place(network, tmp_path / "data") as site:
        most_pages = [2**30]

        @event.listens_for(site.people.engine, "checkout")
        def fill(connection, *_):
            connection.execute(f"PRAGMA max_page_count = {most_pages[0]}")

        site.people.add("Camille Durand", CAMILLE)
        visitor = site.visitor().sign_in(CAMILLE)
        form = visitor.go(DETAILS).form(DETAILS).fields
        most_pages[0] = 1  # no more than there are
        caplog.clear()
        kept = ""
        for number in range(300):
            name = f"Camille {number} " + "x" * 80
            answer = visitor.client.post(DETAILS, data=form | {"nom": name})
            if answer.status_code != 303:
                break
            kept = name
        assert answer.status_code == 503
        assert SORRY in answer.text
        assert str(tmp_path) not in answer.text
        assert visitor.client.get("/").status_code == 200
        assert told(caplog) == [("ERROR", "the database fails")]
        most_pages[0] = 2**30
        assert f'value="{kept or "Camille Durand"}"' in visitor.go(DETAILS).page.text
        visitor.send(DETAILS, nom="Camille Durand")
        assert visitor.title == "Mon compte"
        assert told(caplog)[-1] == ("WARNING", "the database answers again")
