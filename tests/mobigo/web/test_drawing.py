import re
from xml.etree import ElementTree as ET

import pytest

from mobigo.web.drawing import MAP_HEIGHTS, MAP_WIDTH, Bar, Layer, Mark, bar_chart, chart_table, draw_map
from socle.geo import LatLon

DIJON = LatLon(47.3234, 5.0271)
BEAUNE = LatLon(47.0228, 4.8494)
CHALON = LatLon(46.7816, 4.8433)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(layers, marks):
    svg = draw_map(layers, marks, key="essai", title="Carte & titre", description="Du nord au sud")
    return svg, ET.fromstring(svg)


def numbers(path):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", path)]


def test_a_map_is_one_path_per_layer_with_a_title_and_a_description():
    svg, tree = drawn(
        [Layer("train", [[DIJON, BEAUNE], [BEAUNE, CHALON]]), Layer("walk", [[CHALON, LatLon(46.79, 4.85)]])],
        [Mark(DIJON, "Dijon-Ville", "end")],
    )
    assert tree.get("role") == "img"
    assert tree.get("aria-labelledby") == "essai-title essai-desc"
    assert tree.find("title").text == "Carte & titre"
    assert tree.find("desc").text == "Du nord au sud"
    lines = [path for path in tree.findall("path") if path.get("class").startswith("map-line")]
    assert [path.get("class") for path in lines] == ["map-line map-look-train", "map-line map-look-walk"]
    assert "style=" not in svg


def test_north_is_up_and_everything_lies_in_the_frame():
    _, tree = drawn([Layer("train", [[DIJON, BEAUNE, CHALON]])], [Mark(DIJON, "A", "end"), Mark(CHALON, "B", "end")])
    _, _, width, height = numbers(tree.get("viewBox"))
    assert width == MAP_WIDTH
    assert MAP_HEIGHTS[0] <= height <= MAP_HEIGHTS[1]
    marks = {circle.get("cy"): circle for circle in tree.findall("circle")}
    ys = sorted(float(y) for y in marks)
    path = numbers(next(p for p in tree.findall("path") if "map-look-train" in p.get("class")).get("d"))
    assert path[1] == ys[0]  # Dijon, the northern end, is drawn first and on top
    assert all(0 <= x <= width for x in path[::2])
    assert all(0 <= y <= height for y in path[1::2])


def test_coordinates_have_one_decimal_at_most():
    svg, _ = drawn([Layer("coach", [[DIJON, BEAUNE, CHALON]])], [Mark(BEAUNE, "Beaune", "change")])
    assert re.search(r"\d\.\d\d", re.sub(r'viewBox="[^"]*"', "", svg)) is None


def test_one_place_alone_is_drawn_and_no_place_is_no_map():
    svg, _ = drawn([], [Mark(DIJON, "Dijon", "end")])
    assert "Dijon" in svg
    assert draw_map([], [], key="k", title="t", description="d") == ""


def test_the_network_around_never_widens_the_frame():
    near, _ = drawn([Layer("train", [[DIJON, BEAUNE]])], [])
    far = LatLon(43.3, 5.4)
    with_far, _ = drawn([Layer("network", [[DIJON, far]]), Layer("train", [[DIJON, BEAUNE]])], [])
    view = re.compile(r'viewBox="[^"]*"')
    assert view.search(near).group() == view.search(with_far).group()


def test_names_are_escaped_and_never_overlap():
    marks = [
        Mark(DIJON, "<Dijon>", "end"),
        Mark(LatLon(47.3235, 5.0272), "Place Darcy", "change"),
        Mark(CHALON, "C", "end"),
    ]
    svg, tree = drawn([], marks)
    assert "<Dijon>" not in svg
    texts = [text for text in tree.findall("text") if text.get("class") == "map-label"]
    assert "<Dijon>" in [text.text for text in texts]
    spots = [(text.get("x"), text.get("y")) for text in texts]
    assert len(spots) == len(set(spots))


def test_a_bar_chart_is_a_file_of_its_own_and_its_table_says_the_same():
    bars = [
        Bar("TER Dijon – Besançon", 24, "24 courses"),
        Bar("Car D12", 6, "6 courses"),
        Bar("Navette", 0, "0 course"),
    ]
    tree = ET.fromstring(bar_chart(bars, key="k", title="Courses par ligne", description="Un mardi"))
    assert tree.tag == f"{SVG}svg"
    widths = [float(bar.get("width")) for bar in tree.findall(f"{SVG}rect")]
    assert widths[0] == pytest.approx(4 * widths[1], abs=0.2)
    assert widths[2] == 0
    table = ET.fromstring(chart_table(bars, caption="Un mardi", label_heading="Ligne", value_heading="Courses"))
    assert [cell.text for cell in table.iter("td")] == ["24 courses", "6 courses", "0 course"]
    assert [cell.get("scope") for cell in table.iter("th")] == ["col", "col", "row", "row", "row"]


def test_an_empty_chart_is_still_a_drawing():
    ET.fromstring(bar_chart([], key="k", title="Rien", description="Rien"))


@pytest.mark.parametrize(
    "label",
    [
        "CENTRO ADMINISTRATIVO REGIONAL EXTREMO-SUL",
        "T1 Franois – Gare – Centre-ville",
        "Saint-Apollinaire, Place du Général-de-Gaulle",
    ],
)
def test_no_label_leaves_the_chart(label):
    """DejaVu Sans, the widest usual face, has 8.8 units a capital at this size and 7.7 a small letter."""
    tree = ET.fromstring(bar_chart([Bar(label, 1, "1")], key="k", title="t", description="d"))
    text = next(node for node in tree.iter() if node.get("class") == "chart-label")
    shown = text.text or ""
    width = sum(8.8 if letter.isupper() else 7.7 for letter in shown)
    assert width <= float(text.get("x", "0"))
    assert shown == label or shown.endswith("…")
