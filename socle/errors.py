"""Errors: the tree of broken promises, each with a stable code and its facts.

An error is raised; a remark on somebody's data is a `socle.findings.Finding`; a
rule's ordinary "no" is a returned value. Errors carry facts, never prose: the
sentence a person reads is made from code and facts by `mobigo.texts`.

    MobigoError
    ├── BadInput          the caller asked something malformed or contradictory
    │   └── LimitExceeded the caller asked for more than is served
    ├── NotSignedIn       we do not know who the caller is
    ├── Forbidden         we know the caller, who may not do this
    ├── TooOften          the caller may do this, but later
    ├── NotFound          the thing named does not exist
    ├── Conflict          the state does not allow it (now)
    └── Unavailable       we cannot answer, the caller did nothing wrong
"""

from __future__ import annotations

from typing import Final

Fact = str | int | float | bool | None


class MobigoError(Exception):
    """Base of every error of Mobigo. `code` is stable, `facts` fill the sentence."""

    def __init__(self, code: str, **facts: Fact) -> None:
        self.code: Final = code
        self.facts: Final[dict[str, Fact]] = facts
        told = ", ".join(f"{name}={value!r}" for name, value in facts.items())
        super().__init__(f"{code}({told})")


class BadInput(MobigoError):
    """The request is malformed or contradicts itself."""


class LimitExceeded(BadInput):
    """The request is well formed, but larger than what is served."""


class NotSignedIn(MobigoError):
    """Nobody we know: sign in first, or show another key."""


class Forbidden(MobigoError):
    """The caller is known and may not do this."""


class TooOften(MobigoError):
    """Later: the fact `wait_s` says in how many seconds."""

    def __init__(self, code: str, wait_s: int, **facts: Fact) -> None:
        super().__init__(code, wait_s=wait_s, **facts)
        self.wait_s: Final = wait_s


class NotFound(MobigoError):
    """Nothing of that name."""


class Conflict(MobigoError):
    """The state of things does not allow this now."""


class Unavailable(MobigoError):
    """The service cannot answer, through no fault of the caller."""
