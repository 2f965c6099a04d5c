"""Text messages by HTTP, to a gateway that is a process of its own."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mobigo.jobs.handlers import Means, make_handlers
from mobigo.jobs.worker import Worker
from mobigo.outbound.letters import Gateway, open_post, read_gateway
from mobigo.security import Keys
from mobigo.services.jobs import overview
from mobigo.services.people import accounts
from mobigo.services.people.messages import MESSAGE_JOB
from mobigo.store.jobs import JobState
from socle.errors import BadInput, Unavailable
from tests.worlds.accounts import HERE, PASSWORD
from tests.worlds.gateway import gateway

NUMBER, BODY, TOKEN = "+33 6 39 98 01 02", "Votre car part à 8 h 05.", "t0ken-0f-0urs"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = Keys.of("x" * 32)


@pytest.fixture(scope="module")
def process():
    with gateway() as running:
        yield running


@pytest.fixture
def texts(process):
    return read_gateway(process.address, TOKEN)


def test_a_message_is_handed_over_as_json_with_the_token_and_the_same_key_each_time(process, texts):
    process.will_answer(200, 202)
    for _ in range(2):
        texts.send(NUMBER, BODY, "booking:7")
    seen = [process.next_seen() for _ in range(2)]
    for path, headers, body in seen:
        assert (path, json.loads(body)) == ("/sms", {"to": "+33639980102", "body": BODY})
        assert (headers["content-type"], headers["authorization"]) == ("application/json", f"Bearer {TOKEN}")
    keys = {headers["idempotency-key"] for _, headers, _ in seen}
    assert len(keys) == 1
    assert "booking" not in keys.pop()


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_message_that_is_refused_for_good_is_told_so_without_its_words(process, texts, status):
    process.will_answer(status)
    with pytest.raises(BadInput, match="sms_refused") as refusal:
        texts.send(NUMBER, BODY, "k")
    process.next_seen()
    assert refusal.value.facts == {"said": str(status)}


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 500, 503])
def test_a_gateway_that_takes_nothing_now_is_asked_once_and_later_again(process, texts, status):
    process.will_answer(status)
    with pytest.raises(Unavailable, match="sms_silent") as refusal:
        texts.send(NUMBER, BODY, "k")
    process.next_seen()
    assert process.has_seen_all
    assert refusal.value.facts == {"server": "127.0.0.1", "reason": str(status)}


def test_a_gateway_that_is_not_there_is_silent(texts):
    with pytest.raises(Unavailable, match="sms_silent"):
        replace(texts, address="http://127.0.0.1:1/sms").send(NUMBER, BODY, "k")


def test_a_number_that_is_none_reaches_nobody(process, texts):
    with pytest.raises(BadInput, match="bad_number"):
        texts.send("06", BODY, "k")
    assert process.has_seen_all


@pytest.mark.parametrize(
    "url",
    [
        "http://sms.example/send",  # what is sent would be read on the way
        "ftp://sms.example",
        "sms.example",
        "https://user:password@sms.example",
        "https://sms.example/#there",
        "https://[sms",
    ],
)
def test_an_address_that_is_none_for_a_gateway_is_refused_and_not_repeated(url):
    with pytest.raises(BadInput, match="bad_sms_gateway") as refusal:
        read_gateway(url, TOKEN)
    assert refusal.value.facts == {}


def test_a_token_that_would_begin_another_header_is_refused():
    assert TOKEN not in repr(read_gateway("https://sms.example/send", TOKEN))
    with pytest.raises(BadInput, match="bad_sms_token"):
        read_gateway("https://sms.example/send", "a\r\nX: b")


def test_the_post_of_the_settings_sends_text_messages_where_they_say(tmp_path):
    opened = open_post("", "", tmp_path, "", "https://sms.example/send", TOKEN)
    assert opened.texts == Gateway("https://sms.example/send", TOKEN)
    assert list(tmp_path.iterdir()) == []


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


def test_a_code_that_a_gateway_did_not_take_is_sent_again_by_its_job_and_nothing_of_it_is_logged(
    engine, process, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG)
    clock = Clock()
    means = Means(engine, KEYS, open_post("", "", tmp_path, "", process.address, TOKEN), clock)
    worker = Worker(engine, make_handlers(means), (), clock, "w")
    accounts.join(engine, KEYS, "Camille Durand", NUMBER, PASSWORD, HERE, NOON)
    process.will_answer(503)
    worker.run_due()
    clock.now += timedelta(minutes=5)
    process.will_answer(202)
    worker.run_due()
    first, second = (process.next_seen() for _ in range(2))
    assert (first[2], first[1]["idempotency-key"]) == (second[2], second[1]["idempotency-key"])
    assert MESSAGE_JOB in {job.kind for job in overview(engine, [JobState.DONE]).jobs}
    code = json.loads(second[2])["body"]
    logged = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert "sms_silent" in logged
    assert not [secret for secret in ("639980102", TOKEN, code, "refused: ") if secret in logged]


def test_a_code_that_is_refused_for_good_is_not_sent_again(engine, process, tmp_path):
    clock = Clock()
    means = Means(engine, KEYS, open_post("", "", tmp_path, "", process.address, TOKEN), clock)
    accounts.join(engine, KEYS, "Camille Durand", NUMBER, PASSWORD, HERE, NOON)
    process.will_answer(422)
    for _ in range(2):
        Worker(engine, make_handlers(means), (), clock, "w").run_due()
        clock.now += timedelta(minutes=5)
    process.next_seen()
    assert process.has_seen_all
    (job,) = overview(engine, [JobState.DEAD]).jobs
    assert job.kind == MESSAGE_JOB
