"""Bodies that are too large, or arrive as none should, sent as they are written: refused soon, at every door."""

import gzip
import http.client
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
BODIES = {
    "five megabytes": (JSON, b'{"email": "' + b"x" * 5_000_000 + b'"}'),
    "five megabytes of a form": (FORM, b"x=" + b"y" * 5_000_000),
    "ten thousand fields": (FORM, b"&".join(b"f%d=1" % number for number in range(10_000))),
    "deep": (JSON, b"[" * 200_000),
    "parts": ("multipart/form-data; boundary=x", b"--x\r\n" + b"y" * 1_000_000),
    "packed": (JSON, gzip.compress(b" " * 50_000_000)),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site, with a browser and a key of somebody who may do everything."""
    data = tmp_path_factory.mktemp("data")
    with place(valley(), data, database_url="") as site:
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


def test_a_large_body_is_refused_soon(site):
    wrong, slow = [], []
    for route in site.routes:
        for method in sorted(route.methods & {"POST", "PUT", "PATCH", "DELETE"}):
            for name, (content_type, body) in BODIES.items():
                status, told, taken_s = knock(site, method, named(route.path, "x"), body, content_type)
                # A path that takes no body does not look at it.
                fine = 400 <= status < 500 or (status < 400 and method == "DELETE")
                if not fine or "Traceback" in told:
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
