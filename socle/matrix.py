"""Matrix: seconds and metres between places, as every domain that plans vehicles reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

NEVER: Final = 1 << 29
"""Seconds and metres where there is no way: more than any, and the sum of two is still an int32."""


@dataclass(frozen=True, slots=True, eq=False)
class TravelMatrix:
    """What it takes to go from place `i` to place `j`; the way there need not be the way back.

    Both arrays hold NEVER where there is no way, and a place is at no distance from itself when
    origins and destinations are the same places.
    """

    seconds: NDArray[np.int32]  # [n_origins, n_destinations]
    metres: NDArray[np.int32]  # likewise, along the way that takes these seconds

    def __post_init__(self) -> None:
        if self.seconds.shape != self.metres.shape or self.seconds.ndim != 2:
            raise ValueError("seconds and metres are two tables of one shape")
        if self.seconds.dtype != np.int32 or self.metres.dtype != np.int32:
            raise ValueError("seconds and metres are whole")
        if self.seconds.size and (self.seconds.min() < 0 or self.metres.min() < 0):
            raise ValueError("nobody arrives before leaving")
        if not np.array_equal(self.seconds >= NEVER, self.metres >= NEVER):
            raise ValueError("where there is no way there are no metres")

    @property
    def is_reached(self) -> NDArray[np.bool_]:
        """Where there is a way."""
        return self.seconds < NEVER
