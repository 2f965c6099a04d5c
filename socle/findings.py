"""Findings: remarks on somebody's data, collected and shown, never raised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from socle.errors import Fact


class Severity(StrEnum):
    """How much a finding matters, gravest first."""

    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark: what (`code`), where (`file`, `line`), and the facts of the case.

    `line` counts from 1 in the file as the producer wrote it, the header being
    line 1; None when the remark is about the whole file or the whole feed.
    """

    severity: Severity
    code: str
    file: str = ""
    line: int | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The finding as plain values, for JSON."""
        return {
            "severity": str(self.severity),
            "code": self.code,
            "file": self.file,
            "line": self.line,
            "facts": dict(self.facts),
        }


def count_errors(findings: Iterable[Finding]) -> int:
    """How many of `findings` are errors."""
    return sum(finding.severity is Severity.ERROR for finding in findings)
