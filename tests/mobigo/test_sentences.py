"""Sentences that count: the word fits its number as French has it."""

import pytest

from mobigo.texts import text


@pytest.mark.parametrize(
    ("n", "words"),
    [(0, "0 feuille"), (1, "1 feuille"), (2, "2 feuilles"), (9_999, "9999 feuilles"), (12_345, "12\u202f345 feuilles")],
)
def test_a_word_fits_its_number(n, words):
    assert text("cli.school_papers.written", n=n, path="a.pdf").startswith(f"{words} de route")
