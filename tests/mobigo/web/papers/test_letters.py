"""Letters on paper, read back by a library that did not make them: what shows in the window, and nothing else there."""

import io

import pytest
from pypdf import PdfReader

from mobigo.services.scolaire.posting import PaperLetter, Papers
from mobigo.store.scolaire.messages import Message
from mobigo.web.layout import Operator
from mobigo.web.papers.letters import LINE, LINES, address_lines, render_letters
from scolaire.telling import Matter, Scope
from tests.worlds.accounts import NOON
from tests.worlds.paper import read_paper

SENTENCE = "Transport scolaire, circuit C001, le 23/11/2026 : neige ou verglas."
LETTERS = (
    PaperLetter(0, "p1", "Camille Durand", "3 chemin du Puits", "25578"),
    PaperLetter(
        4, "p2", "Basile #strong[Petit]", "Résidence des Sapins, bâtiment B, escalier 4, appartement 27", "25578"
    ),
    PaperLetter(5, "p3"),
)


MM = 25.4 / 72


def town(_commune):
    return "25800 Valdahon"


def rendered(letters=LETTERS, words="Le car ne monte pas au col."):
    message = Message("m", "2026-doubs", Matter.SNOW, Scope(NOON.date()), words, "person:a", NOON)
    return render_letters(Papers(message, SENTENCE, letters), Operator("Région", "03 39 98 00 01"), town)


def test_there_is_a_page_for_each_letter_tagged_and_in_french():
    paper = read_paper(rendered())
    assert (paper.title, paper.lang, paper.is_tagged) == ("3 courriers aux familles", "fr-FR", True)
    assert (len(paper.pages), paper.width_mm, paper.height_mm) == (3, 210, 297)
    first, second, third = paper.pages
    for words in (
        "Région",
        "03 39 98 00 01",
        "21 novembre 2026",
        SENTENCE,
        "Le car ne monte pas au col.",
        "élève : p1",
    ):
        assert words in first
    assert "Camille Durand 3 chemin du Puits 25800 VALDAHON" in first
    assert "Basile #strong[Petit]" in second
    assert "VALDAHON" not in third


def spots(content):
    """The words of each page with where they begin, in millimetres from the left and the top."""
    for page in PdfReader(io.BytesIO(content)).pages:
        found = []

        def visit(words, page_matrix, text_matrix, _font, _size, found=found, height=float(page.mediabox.height)):
            if words.strip():
                (a, b, c, d, e, f), (*_turned, x, y) = page_matrix, text_matrix
                found.append((words.strip(), (a * x + c * y + e) * MM, (height - b * x - d * y - f) * MM))

        page.extract_text(visitor_text=visit)
        yield found


def test_name_and_address_lie_where_every_window_shows_them_and_nothing_else_does():
    for letter, found in zip(LETTERS, spots(rendered()), strict=True):
        lines = address_lines(letter, town)
        in_window = [(x, y) for _words, x, y in found if x > 95 and 44 < y < 95]
        assert bool(in_window) == bool(lines)
        assert all(100 < x < 112 and 58 <= y <= 79 for x, y in in_window)
        assert not [words for words, _x, y in found if 44 < y < 95 and not any(words in line for line in lines)]


@pytest.mark.parametrize(
    ("letter", "told"),
    [
        (LETTERS[0], ("Camille Durand", "3 chemin du Puits", "25800 VALDAHON")),
        (LETTERS[2], ()),
        (PaperLetter(0, "p", "Camille", "", "25578"), ("Camille",)),
        (PaperLetter(0, "p", "", "3 chemin du Puits", ""), ("3 chemin du Puits", "25800 VALDAHON")),
    ],
)
def test_what_nobody_wrote_down_is_left_white(letter, told):
    assert address_lines(letter, town) == told


def test_however_long_name_and_street_are_they_fit_the_window():
    lines = address_lines(PaperLetter(0, "p", "N" * 200, "rue " * 80, "X"), lambda _commune: "v" * 200)
    assert len(lines) == LINES
    assert max(map(len, lines)) <= LINE


def test_a_letter_without_words_of_the_office_is_whole():
    assert SENTENCE in read_paper(rendered(words="")).pages[0]
