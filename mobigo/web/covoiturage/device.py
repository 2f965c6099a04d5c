"""Device: the cookie that tells the browsers of a driver and of a passenger apart, and where a browser says it is.

It is set when somebody shows or scans a code, for nothing else, and kept only as a keyed hash.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request, Response

from mobigo.security import Keys, new_token
from mobigo.services.covoiturage.outings import Seen
from mobigo.web import door
from socle.geo import LatLon

_LIFE_S = 13 * 30 * 24 * 3600  # 13 months, as the CNIL asks of cookies
_MOST_LETTERS = 100


def cookie_name(request: Request) -> str:
    """Under which name the browser shows it."""
    return "__Host-mobigo-appareil" if door.is_secure(request) else "mobigo-appareil"


def device_of(request: Request) -> str | None:
    """The keyed hash of the browser's cookie, if it shows one."""
    shown = request.cookies.get(cookie_name(request), "")
    keys: Keys = request.app.state.keys
    return keys.blind("device", shown) if 0 < len(shown) <= _MOST_LETTERS and shown.isascii() else None


def give_device(request: Request, response: Response) -> str:
    """Have the browser show a cookie from now on, the one it has or a new one; its keyed hash."""
    known = device_of(request)
    if known is not None:
        return known
    value = new_token()
    secure = door.is_secure(request)
    response.set_cookie(cookie_name(request), value, _LIFE_S, path="/", secure=secure, httponly=True, samesite="lax")
    keys: Keys = request.app.state.keys
    return keys.blind("device", value)


def read_place(typed: str) -> LatLon | None:
    """Where a browser says it is; None when it says nothing that is a place."""
    try:
        lat, lon = (float(part) for part in typed.split(","))
    except ValueError:
        return None
    return LatLon(lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else None


def seen_of(request: Request, form: Mapping[str, str] | None = None) -> Seen:
    """What this request tells of the device that made it."""
    place = read_place((form or {}).get("position", ""))
    return Seen(door.now_of(request), device_of(request), place)
