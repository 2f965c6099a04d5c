"""Money: whole cents, of euros, everywhere. A cent is never divided, and no float ever holds one."""

from __future__ import annotations

from typing import TypeAlias

Cents: TypeAlias = int


def render_euros(cents: Cents) -> str:
    """`cents` in euros with two decimals and a point, as programs read it: -430 is -4.30."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
