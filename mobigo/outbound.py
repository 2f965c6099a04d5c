"""Outbound: the only file that opens a connection to elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from socle.errors import BadInput, Unavailable

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
