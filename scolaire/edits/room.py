"""Room: where in a run riders of one stop and one school may get on and off, and the driving that each place adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Place = tuple[int, int, int, int]
"""The halts where they get on and off, -1 for a halt of their own; before which halts those of their own come."""


@dataclass(frozen=True, slots=True)
class Room:
    """The gaps of one run, and the halts `onto` and `off` that are there already.

    `ahead[i]` is what a halt of their own for getting on adds before halt i, in seconds, `behind[i]` one for getting
    off, `both[i]` both of them one after the other.
    """

    ahead: Sequence[int]
    behind: Sequence[int]
    both: Sequence[int]
    onto: Sequence[int]
    off: Sequence[int]

    @property
    def least_s(self) -> int:
        """No place adds fewer seconds."""
        found = [0, min(self.ahead)] if self.off else []
        if not (self.off and self.onto):
            found += [min(self.ahead) + min(self.behind), min(self.both)]
            if self.onto:
                found.append(min(self.behind))
        return min(found)

    def places(self) -> Iterator[tuple[int, Place]]:
        """Every place, with the seconds of driving that it adds."""
        for end in self.off:
            yield from ((0, (begin, end, 0, 0)) for begin in self.onto if begin < end)
            yield from ((self.ahead[begin], (-1, end, begin, 0)) for begin in range(end + 1))
        if self.off and self.onto:
            return
        for end, behind in enumerate(self.behind):
            yield from ((behind, (begin, -1, 0, end)) for begin in self.onto if begin < end)
            yield from ((self.ahead[begin] + behind, (-1, -1, begin, end)) for begin in range(end))
            yield self.both[end], (-1, -1, end, end)
