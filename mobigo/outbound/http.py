"""HTTP: fetching what has changed, posting once.

A request goes where the operator's settings say. Where it is sent on to is somebody else's
word: only to the same or a safer scheme, and never from outside to an address of this
machine or its network (the address that was checked is the one connected to). Bodies are
counted, and a whole exchange has its time; nothing is held in memory that could be large.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import getproxies, proxy_bypass

import httpx

from mobigo import __version__
from socle.errors import BadInput, Unavailable

USER_AGENT = f"mobigo/{__version__}"
MOST_BYTES = 2 << 30  # of a feed; the largest of France have 200 MB
MOST_ANSWER_BYTES = 64 << 20  # of what is read into memory
MOST_HOPS = 5
MOST_TRIES = 4
_CHUNK_BYTES = 1 << 20
_SAFER = {"http": {"http", "https"}, "https": {"https"}}  # scheme -> those it may be sent on to
_AGAIN = {429, 502, 503, 504}
_LONGEST_PAUSE_S = 30.0
_SECRET = {"authorization", "x-api-key"}
_SENT_ON = {301, 302, 303, 307, 308}
_HOST = re.compile(r"[a-z0-9._:-]+")  # a name in its ASCII form, or a number


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said a body may be recognised by, to be asked for only when it has changed."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """What came. `is_new` is False when the server says that nothing changed; then there is no body."""

    is_new: bool
    sha256: str
    n_bytes: int
    validators: Validators


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body, seconds of silence, seconds of the whole exchange."""

    n_bytes: int = MOST_BYTES
    silence_s: float = 60.0
    whole_s: float = 1800.0


def fetch(server: str, path: str, parameters: Iterable[tuple[str, str]], timeout_s: float = 60) -> tuple[int, bytes]:
    """Status and body of a GET on a server of ours.

    Raises:
        BadInput: `server` is no web address, or its answer is far too large.
        Unavailable: it does not answer.
    """
    address = f"{server.rstrip('/')}{path}?{urlencode(list(parameters))}"
    said = ask(address, {}, None, Limits(MOST_ANSWER_BYTES, timeout_s, timeout_s))
    return said.status, said.body


@dataclass(frozen=True, slots=True)
class Said:
    """An answer read whole; `retry_after_s`: how long it asks to be left alone."""

    status: int
    content_type: str
    body: bytes
    retry_after_s: float = 0.0


def ask(address: str, headers: Mapping[str, str], form: Mapping[str, str] | None, limits: Limits) -> Said:
    """The answer to a GET or, with a form, to a POST that is sent once: for what must not be tried again.

    Raises:
        BadInput: `bad_server`, `server_refused`, `too_large`, `sent_astray`.
        Unavailable: `server_silent`.
    """
    told = {"Accept": "application/json", **headers}
    body = b""
    if form is not None:
        told["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form).encode()
    with _answer("GET" if form is None else "POST", address, told, limits, body) as (answer, chunks):
        return Said(answer.status_code, answer.headers.get("Content-Type", ""), b"".join(chunks))


def send(method: str, address: str, headers: Mapping[str, str], body: bytes, limits: Limits) -> Said:
    """The answer to a request that is sent once, with what is JSON: for work that a job tries again later.

    Raises:
        BadInput: `bad_server`, `server_refused`, `too_large`, `sent_astray`.
        Unavailable: `server_silent`.
    """
    told = {"Accept": "application/json", **({"Content-Type": "application/json"} if body else {}), **headers}
    with _answer(method, address, told, limits, body) as (answer, chunks):
        kind = answer.headers.get("Content-Type", "")
        return Said(answer.status_code, kind, b"".join(chunks), _retry_after_s(answer))


def download(address: str, into: Path, known: Validators = Validators(), limits: Limits = Limits()) -> Download:
    """Write what a web address gives into the file `into`, unless it is what was `known` already.

    Raises:
        BadInput: `bad_server`, `server_refused` (it has nothing for us there), `too_large`, `sent_astray`.
        Unavailable: `server_silent`: it does not answer, stops in the middle, or takes too long.
        OSError: the file cannot be written.
    """
    headers = {"Accept-Encoding": "identity"}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    with _answer("GET", address, headers, limits) as (answer, chunks):
        validators = Validators(answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""))
        if answer.status_code == 304 and known != Validators():
            return Download(is_new=False, sha256="", n_bytes=0, validators=known)
        _expect_200(answer, address)
        digest, n_bytes = hashlib.sha256(), 0
        with into.open("wb") as file:
            for chunk in chunks:
                n_bytes += len(chunk)
                digest.update(chunk)
                file.write(chunk)
    return Download(is_new=True, sha256=digest.hexdigest(), n_bytes=n_bytes, validators=validators)


def post(
    address: str,
    body: bytes,
    content_type: str,
    key: str,
    headers: Mapping[str, str] | None = None,
    pause: Callable[[float], None] = time.sleep,
    method: str = "POST",
    most_tries: int = MOST_TRIES,
) -> tuple[int, bytes]:
    """Status and body of a POST (or PATCH); one that may not have arrived is sent again under the same key.

    `most_tries` is 1 for what a job sends again by itself.

    Raises:
        BadInput: `bad_server`, `too_large`.
        Unavailable: `server_silent` after some tries.
    """
    sent = {"Content-Type": content_type, "Idempotency-Key": key, **(headers or {})}
    limits = Limits(MOST_ANSWER_BYTES, 30.0, 60.0)
    for n_tries in range(1, most_tries + 1):
        wait_s = 2.0 ** (n_tries - 1)
        try:
            with _answer(method, address, sent, limits, body) as (answer, chunks):
                if answer.status_code not in _AGAIN or n_tries == most_tries:
                    return answer.status_code, b"".join(chunks)
                wait_s = _retry_after_s(answer) or wait_s
        except Unavailable:
            if n_tries == most_tries:
                raise
        pause(min(wait_s, _LONGEST_PAUSE_S))
    raise AssertionError("the last try returns or raises")


def check_server(address: str) -> None:
    """Refuse what is no web address.

    Raises:
        BadInput: `bad_server`.
    """
    _web_address(address)


def _retry_after_s(answer: httpx.Response) -> float:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdigit() else 0.0


def _expect_200(answer: httpx.Response, address: str) -> None:
    if answer.status_code != 200:
        said = f"{answer.status_code} {answer.reason_phrase}"
        if answer.status_code in _AGAIN:
            raise Unavailable("server_busy", server=address, said=said)
        raise BadInput("server_refused", said=f"{said}, {address}")


@contextmanager
def _answer(
    method: str, address: str, headers: Mapping[str, str], limits: Limits, body: bytes = b""
) -> Iterator[tuple[httpx.Response, Iterator[bytes]]]:
    """The answer to a request and the pieces of its body, counted and timed. GET follows where it is sent on."""
    url = _web_address(address)
    ends_at = time.monotonic() + limits.whole_s
    is_private = _is_proxied(url) or any(map(_is_inside, _resolve(url)))
    try:
        for _hop in range(MOST_HOPS):
            with _client(url, limits.silence_s) as client:
                request = _pinned(client, method, url, headers, body, may_be_inside=is_private)
                answer = client.send(request, stream=True)
                try:
                    if method != "GET" or answer.status_code not in _SENT_ON or "Location" not in answer.headers:
                        yield answer, _counted(answer, address, limits.n_bytes, ends_at)
                        return
                    before, url = url, _next_address(url, answer.headers["Location"])
                    if before.netloc != url.netloc:  # a key is for who was asked, not for whom they name
                        headers = {name: value for name, value in headers.items() if name.lower() not in _SECRET}
                finally:
                    answer.close()
        raise BadInput("sent_astray", server=address, to=str(url))
    except httpx.TransportError:  # refused, silent, cut in the middle, an untrusted certificate
        raise Unavailable("server_silent", server=address) from None
    except (httpx.DecodingError, httpx.InvalidURL):
        raise BadInput("server_refused", said=address) from None


def _web_address(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise BadInput("bad_server", server=address) from None
    if url.scheme not in _SAFER or not _has_host(url):
        raise BadInput("bad_server", server=address)
    return url


def _next_address(url: httpx.URL, location: str) -> httpx.URL:
    try:
        to = url.join(location)
    except (httpx.InvalidURL, ValueError):
        raise BadInput("sent_astray", server=str(url), to=location) from None
    if to.scheme not in _SAFER[url.scheme] or not _has_host(to) or to.userinfo:
        raise BadInput("sent_astray", server=str(url), to=location)
    return to


def _has_host(url: httpx.URL) -> bool:
    return _HOST.fullmatch(url.raw_host.decode("ascii")) is not None


def _is_proxied(url: httpx.URL) -> bool:
    """Whether a proxy of the operator connects for us: then it is the one that knows addresses."""
    return url.scheme in getproxies() and not proxy_bypass(url.host) and url.host not in {"localhost", "127.0.0.1"}


def _resolve(url: httpx.URL) -> list[str]:
    if _is_proxied(url):
        return []
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unavailable("server_silent", server=str(url)) from None
    return [str(sockaddr[0]) for *_kind, sockaddr in found]


def _is_inside(address: str) -> bool:
    """Whether an address is one of this machine or its network (or none that the whole world shares)."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return not (mapped or parsed).is_global


@cache
def trust() -> ssl.SSLContext:
    """The authorities of this machine."""
    return ssl.create_default_context()


def _client(url: httpx.URL, silence_s: float) -> httpx.Client:
    return httpx.Client(
        verify=trust(),
        trust_env=_is_proxied(url),
        timeout=silence_s,
        follow_redirects=False,
        headers={"User-Agent": USER_AGENT},
    )


def _pinned(
    client: httpx.Client, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes, *, may_be_inside: bool
) -> httpx.Request:
    """The request, to the very address that was looked at: asked again, a name could give another."""
    if _is_proxied(url):
        return client.build_request(method, url, headers=headers, content=body or None)
    places = [each for each in _resolve(url) if may_be_inside or not _is_inside(each)]
    if not places:
        raise BadInput("sent_astray", server=url.host, to=str(url))
    named = {"Host": url.netloc.decode("ascii"), **headers}
    return client.build_request(
        method,
        url.copy_with(host=places[0]),
        headers=named,
        content=body or None,
        extensions={"sni_hostname": url.host},  # the certificate is that of the name, not of the number
    )


def _counted(answer: httpx.Response, address: str, most_bytes: int, ends_at: float) -> Iterator[bytes]:
    announced = answer.headers.get("Content-Length", "")
    n_bytes = 0
    if announced.isascii() and announced.isdigit() and int(announced) > most_bytes:
        raise BadInput("too_large", server=address, most_mb=most_bytes >> 20)
    for chunk in answer.iter_bytes(_CHUNK_BYTES):
        n_bytes += len(chunk)
        if n_bytes > most_bytes:
            raise BadInput("too_large", server=address, most_mb=most_bytes >> 20)
        if time.monotonic() > ends_at:
            raise Unavailable("server_silent", server=address)
        yield chunk
