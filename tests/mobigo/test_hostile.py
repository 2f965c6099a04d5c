"""Whatever is sent to any door: a refusal that says why, never a fault of ours, nothing read that is not served."""

import http.client
import json
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from mobigo.security import Role
from mobigo.services.people import api_keys
from tests.mobigo.test_access import all_routes
from tests.worlds.accounts import NOON
from tests.worlds.valley import valley
from tests.worlds.visiting import place

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
DEEP = 200_000
BODIES = {
    "five megabytes": (JSON, b'{"email": "' + b"x" * 5_000_000 + b'"}'),
    "five megabytes of a form": (FORM, b"x=" + b"y" * 5_000_000),
    "ten thousand fields": (FORM, b"&".join(b"f%d=1" % number for number in range(10_000))),
    "nothing": (JSON, b""),
    "half": (JSON, b'{"email": "a'),
    "deep": (JSON, b"[" * DEEP),
    "deeper in a field": (JSON, b'{"email":' * 1_000),
    "a list": (JSON, b"[]"),
    "not a number": (JSON, b'{"email": NaN}'),
    "twice": (JSON, b'{"email": "a"} {"email": "b"}'),
    "no text": (JSON, b'{"email": "\xff\xfe"}'),
    "half a letter": (JSON, rb'{"email": "\ud800"}'),
    "zero": (JSON, rb'{"email": "\u0000"}'),
    "no letters": (FORM, b"qui=\xff\xfe&jeton=%ff%fe"),
    "a half escape": (FORM, b"qui=%&jeton=%zz"),
    "parts": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=qui\r\n\r\na\r\n--x--"),
    "parts without end": ("multipart/form-data", b"--"),
    "XML": ("application/xml", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
    "text": ("text/plain", b"{}"),
    "packed": (JSON + "\r\n".strip(), b"\x1f\x8b\x08\x00"),
    "no type": ("", b"{}"),
    "a type that is none": ("\xe9/;;;=", b"{}"),
}
ASTRAY = [
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/secret.key",
    "..%2fsecret.key",
    "..%252f..%252fsecret.key",
    "..%c0%af..%c0%afsecret.key",
    "..\\..\\secret.key",
    "..%5c..%5csecret.key",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "secret.key%00.css",
    "%00",
    "~root",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site, with a browser and a key of somebody who may do everything."""
    data = tmp_path_factory.mktemp("data")
    with place(valley(), data, database_url="") as site:
        site.secret = (data / "secret.key").read_text("ascii").strip()
        site.people.add("Alix Martin", "alix@exemple.test", roles=list(Role))
        principal = site.people.sign_in("alix@exemple.test").principal
        wish = api_keys.KeyWish("tout", sorted(principal.permissions), api_keys.MOST_CALLS_PER_MINUTE, 1)
        _, key = api_keys.make_key(site.people.engine, site.people.keys, principal, wish, NOON)
        visitor = site.visitor().sign_in("alix@exemple.test")
        site.cookie = "; ".join(f"{each.name}={each.value}" for each in visitor.client.cookies.jar)
        site.bearer = f"Bearer {key}"
        site.routes = list(all_routes(site.app.routes))
        yield site


def knock(site, method, path, body=None, content_type=None, **headers):
    """The answer to a request that is sent as it is written, and the seconds it took."""
    where = urlsplit(site.address)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
    sent = {"Authorization": site.bearer} if path.startswith("/api/") else {"Cookie": site.cookie}
    if content_type:
        sent["Content-Type"] = content_type
    site.clock.now += timedelta(seconds=0.2)  # the key stays within its quota
    begun = time.monotonic()
    try:
        connection.request(method, path, body, sent | headers)
        answer = connection.getresponse()
        content = answer.read().decode("utf-8", "replace")
    except (BrokenPipeError, ConnectionResetError):  # refused before the end of a large body
        return 413, "", 0.0
    finally:
        connection.close()
    return answer.status, content, time.monotonic() - begun


def named(path, value):
    """A route's path with this value for each part that varies."""
    return "/".join(value if "{" in part else part for part in path.split("/"))


def test_no_body_is_more_than_refused(site):
    wrong, slow = [], []
    for route in site.routes:
        for method in sorted(route.methods & {"POST", "PUT", "PATCH", "DELETE"}):
            for name, (content_type, body) in BODIES.items():
                status, told, taken_s = knock(site, method, named(route.path, "x"), body, content_type)
                # A path that takes no body does not look at it.
                fine = 400 <= status < 500 or (status < 400 and method == "DELETE")
                if not fine or "Traceback" in told or site.secret in told:
                    wrong.append((route.path, method, name, status))
                if taken_s > 5:
                    slow.append((route.path, method, name, taken_s))
    assert wrong == []
    assert slow == []


def test_a_body_that_lies_about_its_length_or_comes_in_drops_is_refused(site):
    def drops():
        for _ in range(2_000):
            yield b"x" * 4_096

    for path in ("/connexion", "/api/v1/account/keys", "/api/v6/plan"):
        status, _, _ = knock(site, "POST", path, drops(), JSON)
        assert 400 <= status < 500, path
        status, _, _ = knock(site, "POST", path, b"{}", JSON, **{"Content-Length": "1"})
        assert 400 <= status < 500, path


def test_no_path_leads_out_of_what_is_served(site):
    wrong = []
    for route in site.routes:
        if "GET" not in route.methods or "{" not in route.path:
            continue
        for value in ASTRAY:
            status, told, _ = knock(site, "GET", named(route.path, value))
            if status >= 500 or "root:" in told or site.secret in told:
                wrong.append((route.path, value, status))
    assert wrong == []


@pytest.mark.parametrize("path", ["/static/", "/opendata/", "/api/", "/", "/journal/fichier?format="])
def test_no_address_leads_to_a_file_beside_those_that_are_served(site, path):
    for value in ASTRAY:
        status, told, _ = knock(site, "GET", path + value)
        assert 400 <= status < 500, value
        assert "root:" not in told
        assert site.secret not in told


QUESTIONS = ("format", "suite", "page", "etat", "avant", "du", "jour", "heure", "de", "vers", "relancee", "fonction")


@pytest.mark.parametrize(
    "value",
    [
        "%00",
        "%ff",
        "..%2f..%2fsecret.key",
        "%27%3B+DROP+TABLE+person%3B--",
        "%7B%7B7*7%7D%7D",
        "%0d%0aX-A:+b",
        "9" * 40,
    ],
)
def test_no_question_is_a_fault_of_ours(site, value):
    together = "&".join(f"{name}={value}" for name in QUESTIONS)
    wrong = []
    for path in (route.path for route in site.routes if "GET" in route.methods and "{" not in route.path):
        status, told, _ = knock(site, "GET", f"{path}?{together}")
        if status >= 500 or "49" in told.partition("<h1")[2].partition("</h1>")[0] or site.secret in told:
            wrong.append((path, value, status))
    assert wrong == []


def test_a_refusal_names_its_code_and_says_it_in_french(site):
    status, told, _ = knock(site, "POST", "/api/v1/account/keys", *reversed(BODIES["XML"]))
    assert (status, json.loads(told)["code"]) == (400, "not_json")
    status, told, _ = knock(site, "POST", "/connexion", *reversed(BODIES["text"]))
    assert status == 400
    assert '<html lang="fr">' in told
