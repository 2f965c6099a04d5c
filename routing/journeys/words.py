"""Words: names and typed text without what people type differently: case, accents, hyphens, `St` for `saint`."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[a-z0-9]+")
_FULL_WORDS = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes", "gde": "grande", "gd": "grand"}
SMALL_WORDS = frozenset({"a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "sous", "sur"})


def fold(text: str) -> str:
    """`text` without case, accents and ligatures; one character may become two or none."""
    text = text.lower().replace("œ", "oe").replace("æ", "ae").replace("ß", "ss")
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def folded_words(text: str) -> list[str]:
    """The words of `text`, folded, abbreviations written out."""
    return [_FULL_WORDS.get(word, word) for word in _WORD.findall(fold(text))]


def typed_words(text: str) -> list[tuple[str, int, int]]:
    """The words of `text` with where each stands in it."""
    folded: list[str] = []
    origin: list[int] = []
    for at, char in enumerate(text):
        told = fold(char)
        folded.append(told)
        origin.extend([at] * len(told))
    return [
        (
            _FULL_WORDS.get(found[0], found[0]),
            origin[found.start()],
            origin[found.end() - 1] + 1 - origin[found.start()],
        )
        for found in _WORD.finditer("".join(folded))
    ]
