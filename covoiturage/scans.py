"""Scans: the short-lived codes that a driver shows and a passenger scans, and what a scan is worth afterwards.

A token says which outing, which end of a ride and when it was drawn, signed with a keyed hash
(HMAC-SHA-256 cut to 96 bits): it is good for a minute, so that a picture of it sent to somebody who
is not there comes too late. Whoever scans it may have to sign in and to choose a stop first; so the
moment of the scan is stamped on it, for the device that scanned, and only for some minutes.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from covoiturage.carpool import Side

TOKEN_LIFE = timedelta(seconds=60)
CLOCKS_DIFFER = timedelta(seconds=30)  # between the machines of one service, and the way to the phone
STAMP_LIFE = timedelta(minutes=10)
N_ID_BYTES = 10
_VERSION = b"\x01"
_MAC_BYTES = 12
_INSTANT_BYTES = 4  # whole seconds, until 2106
_SIDES = {Side.BOARD: b"b", Side.ALIGHT: b"a"}
_SIDE_OF = {letter: side for side, letter in _SIDES.items()}
_HEAD_BYTES = len(_VERSION) + 1 + _INSTANT_BYTES + N_ID_BYTES
_TOKEN_BYTES = _HEAD_BYTES + _MAC_BYTES
TOKEN_LETTERS = -(-_TOKEN_BYTES * 4 // 3)
_STAMPED_BYTES = _TOKEN_BYTES + _INSTANT_BYTES + _MAC_BYTES


class Why(StrEnum):
    """Why a code says nothing."""

    UNREADABLE = "unreadable"  # none of ours, or altered
    EXPIRED = "expired"
    OTHER_DEVICE = "other_device"  # stamped for a device that is not the one showing it


@dataclass(frozen=True, slots=True)
class Refused:
    """The code says nothing."""

    why: Why


@dataclass(frozen=True, slots=True)
class Scan:
    """A code of an outing, scanned at an instant; two scans of the same code have the same `mark`."""

    outing_id: str
    side: Side
    at: datetime
    mark: str


def outing_id_of(secret: bytes) -> str:
    """The id of an outing from `N_ID_BYTES` bytes: 16 small letters and digits, as addresses and books take them."""
    return base64.b32encode(secret).decode().lower()


def make_token(key: bytes, outing_id: str, side: Side, now: datetime) -> str:
    """The code of this moment for one end of the rides of an outing."""
    head = _VERSION + _SIDES[side] + _seconds(now) + base64.b32decode(outing_id.upper())
    return _written(head + _mac(key, b"token", head))


def stamp_token(key: bytes, token: str, device: str, now: datetime) -> str | Refused:
    """The code with the moment at which `device` scanned it, which is now."""
    raw = _read_raw(key, token)
    if raw is None or len(raw) != _TOKEN_BYTES:
        return Refused(Why.UNREADABLE)
    if not _is_fresh(raw, now):
        return Refused(Why.EXPIRED)
    body = raw + _seconds(now)
    return _written(body + _mac(key, b"stamp", body + device.encode()))


def read_scan(key: bytes, token: str, device: str, now: datetime) -> Scan | Refused:
    """What a code says that `device` shows: scanned now, or at the moment stamped on it."""
    raw = _read_raw(key, token)
    if raw is None:
        return Refused(Why.UNREADABLE)
    if len(raw) == _TOKEN_BYTES:
        return _scan(raw, now) if _is_fresh(raw, now) else Refused(Why.EXPIRED)
    body = raw[: _TOKEN_BYTES + _INSTANT_BYTES]
    if not hmac.compare_digest(raw[len(body) :], _mac(key, b"stamp", body + device.encode())):
        return Refused(Why.OTHER_DEVICE)
    scanned_at = _instant(body[_TOKEN_BYTES:])
    if not -CLOCKS_DIFFER <= now - scanned_at <= STAMP_LIFE:
        return Refused(Why.EXPIRED)
    return _scan(raw, scanned_at)


def mark_of(key: bytes, token: str) -> Scan | None:
    """What a code of ours says, however old it is: to know again what was done with it already."""
    raw = _read_raw(key, token)
    return None if raw is None else _scan(raw, _instant(raw[2 : 2 + _INSTANT_BYTES]))


def _read_raw(key: bytes, token: str) -> bytes | None:
    """The bytes of a token or of a stamped one when its signature is ours; the stamp is not looked at."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    head, mac = raw[:_HEAD_BYTES], raw[_HEAD_BYTES:_TOKEN_BYTES]
    if len(raw) not in {_TOKEN_BYTES, _STAMPED_BYTES} or not hmac.compare_digest(mac, _mac(key, b"token", head)):
        return None
    return raw if _written(raw) == token else None  # one spelling of each


def _is_fresh(raw: bytes, now: datetime) -> bool:
    drawn_at = _instant(raw[2 : 2 + _INSTANT_BYTES])
    return -CLOCKS_DIFFER <= now - drawn_at <= TOKEN_LIFE + CLOCKS_DIFFER


def _scan(raw: bytes, at: datetime) -> Scan:
    outing = raw[2 + _INSTANT_BYTES : _HEAD_BYTES]
    return Scan(outing_id_of(outing), _SIDE_OF[raw[1:2]], at, raw[_HEAD_BYTES:_TOKEN_BYTES].hex())


def _mac(key: bytes, use: bytes, told: bytes) -> bytes:
    return hmac.digest(key, use + b"\0" + told, "sha256")[:_MAC_BYTES]


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _seconds(instant: datetime) -> bytes:
    return int(instant.timestamp()).to_bytes(_INSTANT_BYTES)


def _instant(raw: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(raw), UTC)
