"""Notes: the findings of one reading, few examples of each kind and a count of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from socle.errors import BadInput, Fact
from socle.findings import Finding, Severity

EXAMPLES = 20  # findings told one by one, per file and code
_LONGEST_VALUE = 80  # characters of a producer's value worth showing


class FeedRefused(BadInput):
    """The dataset is unusable. `reasons` say why, `findings` are all that was seen before giving up."""

    def __init__(self, source_id: str, reasons: Iterable[Finding], findings: Iterable[Finding] = ()) -> None:
        self.reasons = tuple(reasons)
        self.findings = (*findings, *self.reasons)
        first = self.reasons[0]
        super().__init__("feed_refused", source_id=source_id, reason=first.code, n_reasons=len(self.reasons))


class Notes:
    """Collects findings; past `EXAMPLES` of one kind in one file it only counts."""

    def __init__(self) -> None:
        self._told: list[Finding] = []
        self._counts: dict[tuple[Severity, str, str], int] = {}

    def add(self, severity: Severity, code: str, file: str = "", line: int | None = None, **facts: Fact) -> None:
        """One finding."""
        self.add_rows(severity, code, file, [(line, facts)], 1)

    def add_rows(
        self,
        severity: Severity,
        code: str,
        file: str,
        rows: Iterable[tuple[int | None, Mapping[str, Fact]]],
        n_rows: int,
    ) -> None:
        """Findings of one kind: `n_rows` of them, of which `rows` gives at least the first `EXAMPLES`."""
        key = (severity, file, code)
        before = self._counts.get(key, 0)
        self._counts[key] = before + n_rows
        for _, (line, facts) in zip(range(EXAMPLES - before), rows, strict=False):
            short = {name: shorten(value) if isinstance(value, str) else value for name, value in facts.items()}
            self._told.append(Finding(severity, code, file, line, short))

    def count(self, code: str, file: str) -> int:
        """How many findings of `code` there are in `file`, told or not."""
        return sum(n for (_, its_file, its_code), n in self._counts.items() if (its_file, its_code) == (file, code))

    def findings(self) -> list[Finding]:
        """All that was noted, gravest first, then by file and line as they came, then the counts of the rest."""
        rest = [
            Finding(Severity.INFO, "more_of_the_same", file, None, {"code": code, "n_more": n - EXAMPLES})
            for (_, file, code), n in self._counts.items()
            if n > EXAMPLES
        ]
        order = list(Severity)
        return sorted([*self._told, *rest], key=lambda finding: order.index(finding.severity))


def shorten(value: str) -> str:
    """`value` cut to what is worth showing."""
    return value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"
