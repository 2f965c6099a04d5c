"""Door: who visits a page, forms that only our own pages can send, and the one cookie.

The cookie holds a session's token (`s.`), or for who is not signed in a random word that forms
are bound to (`f.`), set only with a page that has a form. It is `__Host-` and Secure on https.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from starlette.exceptions import HTTPException

from mobigo.security import Keys, Permission, new_token
from mobigo.services.people.principal import PRIVATE_LIFE, Principal, find_by_token
from mobigo.services.people.signing import Where
from socle.errors import BadInput, Forbidden, LimitExceeded, NotSignedIn

SIGN_IN = "/connexion"
TOKEN_FIELD = "jeton"  # noqa: S105  the name of a form's field
_MOST_FORM_BYTES = 64 * 1024
_MOST_UPLOAD_BYTES = 4 * 1024 * 1024
_MOST_FIELDS = 100
_FORM = "application/x-www-form-urlencoded"
_FORM_WITH_FILES = "multipart/form-data"
_SIGNED_IN, _VISITOR = "s.", "f."
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


async def open_to_all() -> None:
    """Nothing is asked of who visits."""


PUBLIC = Depends(open_to_all)


class Needs:
    """Gives who visits when they may do what the page is for; others are led to the sign-in or refused."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, request: Request) -> Principal:
        """Who visits.

        Raises:
            NotSignedIn: `sign_in_first`.
            Forbidden: `not_allowed`.
        """
        principal = find_visitor(request)
        if principal is None:
            raise NotSignedIn("sign_in_first")
        principal.require(self.permission)
        return principal


def find_visitor(request: Request) -> Principal | None:
    """Who is signed in with this browser."""
    token = token_of(request)
    if not token:
        return None
    state = request.app.state
    principal = find_by_token(state.engine, state.keys, token, now_of(request))
    request.state.principal = principal
    return principal


def token_of(request: Request) -> str:
    """The session's token that the browser shows, empty when none."""
    value = _cookie(request)
    return value.removeprefix(_SIGNED_IN) if value.startswith(_SIGNED_IN) else ""


def now_of(request: Request) -> datetime:
    """The present instant, by the application's clock."""
    now: datetime = request.app.state.clock()
    return now


def where_of(request: Request) -> Where:
    """From where somebody visits: the address, and the browser in two words."""
    agent = request.headers.get("user-agent", "")
    names = [next((name for sign, name in known if sign in agent), "") for known in (_BROWSERS, _SYSTEMS)]
    return Where(request.client.host if request.client else "", " · ".join(filter(None, names)))


# --- forms -----------------------------------------------------------------------------------


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form that one of our pages sent from this browser.

    Raises:
        BadInput: `bad_form`.
        LimitExceeded: `body_too_large`.
        Forbidden: `form_too_old`: its token is missing, too old, or of another browser.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise BadInput("bad_form")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM_BYTES:
            raise LimitExceeded("body_too_large", limit=_MOST_FORM_BYTES)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict", separator="&"
        )
    except ValueError:
        raise BadInput("bad_form") from None
    fields = dict(pairs)
    if any("\0" in value for value in fields.values()):  # PostgreSQL stores none
        raise BadInput("bad_form")
    _check_ours(request, fields)
    return fields


async def read_upload(request: Request) -> Mapping[str, str]:
    """The fields of a form that may hold files, as text; a file that was chosen stands in its field as its text.

    Raises:
        BadInput: `bad_form`; `file_no_text` when a file is no text in UTF-8.
        LimitExceeded: `body_too_large`.
        Forbidden: as `read_form`.
    """
    given = await read_files(request)
    try:
        files = {name: content.decode("utf-8-sig") for name, content in given.files.items()}
    except UnicodeDecodeError:
        raise BadInput("file_no_text") from None
    if any("\0" in content for content in files.values()):
        raise BadInput("bad_form")
    return {**given.fields, **files}


@dataclass(frozen=True, slots=True)
class Given:
    """What a form with files held: its fields as text, and the bytes of each file that was chosen."""

    fields: Mapping[str, str]
    files: Mapping[str, bytes]


async def read_files(request: Request) -> Given:
    """The fields and the files of a form that one of our pages sent from this browser.

    Raises:
        BadInput: `bad_form`.
        LimitExceeded: `body_too_large`.
        Forbidden: as `read_form`.
    """
    length = request.headers.get("content-length", "")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM:
        return Given(await read_form(request), {})
    if kind != _FORM_WITH_FILES:
        raise BadInput("bad_form")
    if not length.isdecimal() or len(length) > 9 or int(length) > _MOST_UPLOAD_BYTES:
        raise LimitExceeded("body_too_large", limit=_MOST_UPLOAD_BYTES)
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    try:
        async with request.form(max_files=4, max_fields=_MOST_FIELDS, max_part_size=_MOST_UPLOAD_BYTES) as form:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    fields[name] = value
                else:
                    files[name] = await value.read()
    except HTTPException:  # what is no form of this kind
        raise BadInput("bad_form") from None
    if any("\0" in value for value in fields.values()):
        raise BadInput("bad_form")
    _check_ours(request, fields)
    return Given(fields, files)


def _check_ours(request: Request, fields: dict[str, str]) -> None:
    """Refuse a form that none of our pages sent from this browser, and take its token out."""
    keys: Keys = request.app.state.keys
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
    binding = _cookie(request)
    if foreign or not binding or not keys.is_csrf_token(fields.pop(TOKEN_FIELD, ""), binding, now_of(request)):
        raise Forbidden("form_too_old")


def token_field(request: Request) -> Markup:
    """The hidden field that lets a form of this page come back."""
    keys: Keys = request.app.state.keys
    token = keys.csrf_token(binding_of(request), now_of(request))
    return Markup('<input type="hidden" name="{}" value="{}">').format(TOKEN_FIELD, token)


def binding_of(request: Request) -> str:
    """What only this browser shows: its cookie, or the one that it gets with this answer (`give_cookie`)."""
    binding: str = _cookie(request) or getattr(request.state, "new_cookie", "")
    if not binding:
        binding = request.state.new_cookie = _VISITOR + new_token()
    return binding


# --- the cookie ------------------------------------------------------------------------------


def is_secure(request: Request) -> bool:
    """Whether the site is visited over https."""
    public_url: str = request.app.state.settings.public_url
    return request.url.scheme == "https" or public_url.startswith("https:")


def _cookie_name(request: Request) -> str:
    return "__Host-mobigo" if is_secure(request) else "mobigo"


def _cookie(request: Request) -> str:
    return request.cookies.get(_cookie_name(request), "")


def give_cookie(request: Request, response: Response) -> None:
    """Set the cookie that this answer is bound to, if it is new."""
    value = getattr(request.state, "new_cookie", "")
    if value:
        _set_cookie(request, response, value)


def give_session(request: Request, response: Response, token: str) -> None:
    """Have the browser show this session's token from now on, in place of whatever it had."""
    _set_cookie(request, response, _SIGNED_IN + token, int(PRIVATE_LIFE.at_most.total_seconds()))


def take_session(request: Request, response: Response) -> None:
    """Have the browser forget the session."""
    response.delete_cookie(_cookie_name(request), path="/", secure=is_secure(request), httponly=True, samesite="lax")


def _set_cookie(request: Request, response: Response, value: str, max_age: int | None = None) -> None:
    response.set_cookie(
        _cookie_name(request),
        value,
        max_age=max_age,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )


# --- ways ------------------------------------------------------------------------------------


def own_path(wish: str, instead: str) -> str:
    """`wish` when it is an address within this site, else `instead`."""
    parts = urlsplit(wish) if wish.isprintable() and "\\" not in wish else None
    is_ours = parts is not None and not parts.scheme and not parts.netloc and wish.startswith("/")
    return wish if is_ours and not wish.startswith("//") and wish.isascii() else instead


def with_query(path: str, **values: str) -> str:
    """`path` with a query."""
    return f"{path}?{urlencode(values)}"


def go(path: str) -> RedirectResponse:
    """After a form: look at `path`, so that the form is not sent again."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})


def go_sign_in(request: Request) -> RedirectResponse:
    """To the sign-in, and back here afterwards."""
    path = request.url.path if request.method in {"GET", "HEAD"} else "/compte"
    query = f"?{request.url.query}" if request.url.query and path != "/compte" else ""
    return go(f"{SIGN_IN}?suite={quote(path + query, safe='/')}")
