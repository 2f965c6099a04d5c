"""Calendar: a journey as an iCalendar file (RFC 5545) that any agenda opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

MEDIA_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Appointment:
    """What the agenda shows; instants in UTC seconds."""

    uid: str
    title: str
    where: str
    begins: int
    ends: int
    lines: tuple[str, ...]  # the description, one sentence a line
    href: str


def _stamp(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    """`text` as a value of type TEXT (RFC 5545, 3.3.11)."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def _folded(line: str) -> str:
    """`line` in pieces of at most 75 octets, never cut within a character (RFC 5545, 3.1)."""
    pieces: list[str] = []
    piece = ""
    room = 75
    for char in line:
        if len((piece + char).encode()) > room:
            pieces.append(piece)
            piece, room = "", 74  # the blank that begins a continuation counts
        piece += char
    return "\r\n ".join([*pieces, piece])


def render_calendar(appointment: Appointment, stamped: int) -> bytes:
    """The file, with one event that was made at the instant `stamped`."""
    rows = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Mobigo//Mobigo//FR",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_escaped(appointment.uid)}",
        f"DTSTAMP:{_stamp(stamped)}",
        f"DTSTART:{_stamp(appointment.begins)}",
        f"DTEND:{_stamp(appointment.ends)}",
        f"SUMMARY:{_escaped(appointment.title)}",
        f"LOCATION:{_escaped(appointment.where)}",
        f"DESCRIPTION:{_escaped(chr(10).join(appointment.lines))}",
        f"URL:{appointment.href}",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(row)}\r\n" for row in rows).encode()
