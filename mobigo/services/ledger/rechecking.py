"""Rechecking: an export of the books (`jsonl`) verified without any database.

Each line is made again from what it says and compared to the letter, so a changed byte anywhere
is found, and the entry it belongs to is named.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from mobigo.security import is_signed
from mobigo.services.ledger.exporting import entry_line, render_line
from mobigo.store.ledger.chain import GENESIS, entry_hash, next_chain, tree_head
from mobigo.store.ledger.heads import Head
from socle.accounting import read_recorded
from socle.errors import BadInput
from socle.findings import Finding, Severity

_BEFORE, _AFTER = len(entry_line(b"", GENESIS, b"")) - len(',"hash":""}\n'), len(',"hash":""}\n') + 64


@dataclass(slots=True)
class Rechecked:
    """What an export holds, and what is wrong with it: nothing is looked at behind the first entry that is altered."""

    n_entries: int = 0
    n_heads: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def first_bad_seq(self) -> int | None:
        """The number of the first entry that is not as it was."""
        return self.n_entries + 1 if any("seq" in finding.facts for finding in self.findings) else None


def recheck(lines: Iterable[bytes]) -> Rechecked:
    """Verify the lines of an export, each with its end."""
    told, chain, hashes, ended = Rechecked(), GENESIS, list[bytes](), False
    for number, line in enumerate(lines, 1):
        if ended:
            told.findings.append(_wrong("ledger_line", line=number))
            break
        if line.startswith(b'{"chain":"') and not told.n_heads:
            recorded = line[_BEFORE:-_AFTER]
            hashed = entry_hash(recorded)
            chain = next_chain(chain, hashed)
            if not _is_entry(recorded, told.n_entries + 1) or entry_line(recorded, hashed, chain).encode() != line:
                told.findings.append(_wrong("ledger_bytes", seq=told.n_entries + 1))
                return told
            hashes.append(hashed)
            told.n_entries += 1
        elif line == render_line({"end": {"chain": chain.hex(), "size": len(hashes)}}).encode():
            ended = True
        elif _is_head(line, hashes):
            told.n_heads += 1
        else:
            told.findings.append(_wrong("ledger_line", line=number))
    if not ended:
        told.findings.append(_wrong("ledger_cut", seq=told.n_entries + 1))
    return told


def _is_entry(recorded: bytes, seq: int) -> bool:
    try:
        return read_recorded(recorded).seq == seq
    except BadInput:
        return False


def _is_head(line: bytes, hashes: list[bytes]) -> bool:
    """Whether the line is a head of these entries, signed by the key that it names."""
    try:
        told = json.loads(line)["head"]
        values = (bytes.fromhex(told[name]) for name in ("root", "chain", "public_key", "signature"))
        head = Head(date.fromisoformat(told["day"]), told["size"], *values)
    except (ValueError, TypeError, KeyError):
        return False
    return (
        render_line({"head": head.as_dict()}).encode() == line
        and head.root == tree_head(hashes[: head.size])
        and head.size <= len(hashes)
        and is_signed(head.public_key, head.message(), head.signature)
    )


def _wrong(code: str, **facts: int) -> Finding:
    return Finding(Severity.ERROR, code, facts=facts)
