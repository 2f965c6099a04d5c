"""Logs: one JSON object a line on standard error, each with the id of the request or job it belongs to.

A line names a route, never what was asked of it: no query, no body, no origin or
destination, no address of a client, no account. What goes into `extra` is as public
to operators as the message.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

REQUEST_ID = "X-Request-Id"
UNKNOWN_ROUTE = "-"  # of what no route answers
current_id: ContextVar[str] = ContextVar("current_id", default="")
"""The id of the request or job under way; threads that answer a request inherit it."""

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}")
_DETAIL = re.compile(r"\nDETAIL: .*?(?=\n(?:HINT: |CONTEXT: |\[SQL: |\n|Traceback |\(Background on)|\Z)", re.DOTALL)
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_QUIET = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "uvicorn": logging.WARNING, "alembic": logging.WARNING}


def request_id(told: str | None) -> str:
    """The id that a proxy or client gave, when it is one; else a new one."""
    return told if told and _SAFE_ID.fullmatch(told) else uuid.uuid4().hex


def route_of(scope: Mapping[str, Any]) -> str:
    """The route that answers a request, as the log and the numbers name it: `/stops/{id}`, never what was asked."""
    return str(getattr(scope.get("route"), "path", UNKNOWN_ROUTE))


def without_rows(fault: str) -> str:
    """What a fault tells, without the row that PostgreSQL adds: what stands there may be about somebody."""
    return _DETAIL.sub("", fault)


class Lines(logging.Formatter):
    """A record in words, its trace without rows of the database."""

    def formatException(self, fault: Any) -> str:  # noqa: N802  its name in the library
        """The trace."""
        return without_rows(super().formatException(fault))


class JsonLines(Lines):
    """A record as one JSON object without line breaks."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        if current_id.get():
            line["id"] = current_id.get()
        line |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _StandardError(logging.Handler):
    """Writes to what standard error is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # closed: there is nowhere to tell it
            self.handleError(record)


def write_logs(level: str, form: str) -> None:
    """Have this process write its log from `level` on, as JSON lines or in plain words."""
    handler = _StandardError()
    plain = Lines("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
    handler.setFormatter(JsonLines() if form == "json" else plain)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, logging.getLogger().level))
