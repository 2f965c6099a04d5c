"""Outbound: the only file that opens a connection to elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from socle.errors import BadInput, Unavailable

MOST_BYTES = 2 << 30  # of a feed; the largest of France have 200 MB
_CHUNK_BYTES = 1 << 20
_SCHEMES = ("http", "https")


def fetch(server: str, path: str, parameters: Iterable[tuple[str, str]], timeout_s: float = 60) -> tuple[int, bytes]:
    """Status and body of a GET on a server of ours.

    Raises:
        BadInput: `server` is no web address.
        Unavailable: it does not answer.
    """
    parts = urlsplit(server)
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise BadInput("bad_server", server=server)
    address = f"{server.rstrip('/')}{path}?{urlencode(list(parameters))}"
    request = Request(address, headers={"Accept": "application/json"})  # noqa: S310 - the scheme is checked above
    try:
        with urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - likewise
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()
    except (URLError, TimeoutError, OSError):
        raise Unavailable("server_silent", server=server) from None


def download(address: str, into: Path, timeout_s: float = 60) -> None:
    """Write what a web address gives into the file `into`.

    Raises:
        BadInput: `address` is no web address, or the server has nothing for us there, or far too much.
        Unavailable: it does not answer, or stops in the middle.
    """
    parts = urlsplit(address)
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise BadInput("bad_server", server=address)
    n_bytes = 0
    try:
        with urlopen(address, timeout=timeout_s) as answer, into.open("wb") as file:  # noqa: S310 - the scheme is checked
            while chunk := answer.read(_CHUNK_BYTES):
                n_bytes += len(chunk)
                if n_bytes > MOST_BYTES:
                    raise BadInput("server_refused", said=f"> {MOST_BYTES >> 30} GiB")
                file.write(chunk)
    except HTTPError as error:
        raise BadInput("server_refused", said=f"{error.code} {error.reason}, {address}") from None
    except (URLError, TimeoutError, HTTPException):
        raise Unavailable("server_silent", server=address) from None
