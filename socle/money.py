"""Money: whole cents, of euros, everywhere. A cent is never divided, and no float ever holds one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Cents: TypeAlias = int


def render_euros(cents: Cents) -> str:
    """`cents` in euros with two decimals and a point, as programs read it: -430 is -4.30."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def round_half_up(numerator: int, denominator: int) -> Cents:
    """The cents nearest to `numerator / denominator`, half a cent up: floor(x + 1/2). `denominator` is above zero."""
    return (2 * numerator + denominator) // (2 * denominator)


def share(cents: Cents, weights: Sequence[int]) -> list[Cents]:
    """`cents` cut in whole cents after `weights`, by the largest remainder; a tie goes to the earlier share.

    The shares sum to `cents` exactly. When all weights are zero they count as equal. `cents` and
    weights are not negative, and there is at least one weight.
    """
    total = sum(weights)
    if total == 0:
        weights, total = [1] * len(weights), len(weights)
    shares = [cents * weight // total for weight in weights]
    left = cents - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(cents * weights[i] % total), i))
    for i in by_remainder[:left]:
        shares[i] += 1
    return shares
