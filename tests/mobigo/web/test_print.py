"""A QR code drawn as SVG is read by a reader that we did not write."""

import re

import numpy as np
import pytest
import zxingcpp

from mobigo.web.print import draw_qr

PIXELS = 6  # of a module


def photographed(svg, *, dirty=False):
    """The drawing as a camera sees it: pixels, dark on light; `dirty` when a corner of its middle is covered."""
    side = int(re.search(r'viewBox="0 0 (\d+)', svg).group(1))
    image = np.full((side, side), 255, np.uint8)
    for x, y, length in re.findall(r"M(\d+) (\d+)\.5h(\d+)", svg):
        image[int(y), int(x) : int(x) + int(length)] = 0
    if dirty:
        image[side // 2 : side // 2 + side // 8, side // 2 : side // 2 + side // 8] = 255
    return np.kron(image, np.ones((PIXELS, PIXELS), np.uint8))


@pytest.mark.parametrize("dirty", [False, True])
@pytest.mark.parametrize(
    "address",
    [
        "https://mobilite.exemple.test/covoiturage/monter/AWJqAbCdEfGhIjKlMnOpQrStUvWxYz012345678",
        "http://127.0.0.1:8000/covoiturage/plaque/x",
        "é",
    ],
)
def test_what_is_drawn_is_what_is_read_even_with_some_dirt_on_it(address, dirty):
    (read,) = zxingcpp.read_barcodes(photographed(draw_qr(address, "un code"), dirty=dirty))
    assert (read.text, read.format) == (address, zxingcpp.BarcodeFormat.QRCode)


def test_a_title_is_no_markup_and_the_drawing_needs_no_style():
    svg = draw_qr("x", '"><script>')
    assert "<script>" not in svg
    assert "style=" not in svg
    assert svg.startswith('<svg class="qr"')
