"""Print: what is drawn to be held before a camera or hung in a car: QR codes, as SVG made by the server."""

from __future__ import annotations

import segno
from markupsafe import Markup

_QUIET = 4  # modules of white around the code, as ISO/IEC 18004 asks
BLACK, WHITE = "#000000", "#ffffff"


def draw_qr(content: str, title: str) -> Markup:
    """`content` as a QR code that a quarter of dirt or glare still lets be read; `title` is its text alternative.

    One path of rows of dark modules on white, whatever the page's colours: scanners want dark on light.
    """
    code = segno.make(content, error="q", micro=False, boost_error=False)
    rows = [bytes(row) for row in code.matrix]
    side = len(rows) + 2 * _QUIET
    path = "".join(
        f"M{_QUIET + first} {_QUIET + y + 0.5}h{length}" for y, row in enumerate(rows) for first, length in _runs(row)
    )
    return Markup(
        '<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label="{title}" shape-rendering="crispEdges">'
        '<rect width="{side}" height="{side}" fill="{white}"/><path d="{path}" stroke="{black}"/></svg>'
    ).format(side=side, title=title, white=WHITE, black=BLACK, path=path)


def _runs(row: bytes) -> list[tuple[int, int]]:
    """The runs of dark modules of a row: where each begins, how long it is."""
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if not dark:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs
