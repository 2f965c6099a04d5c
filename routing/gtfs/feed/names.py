"""Names: what stays of a stop's name when only its words matter."""

from __future__ import annotations

import re
import unicodedata

_WORDS = re.compile(r"[a-z0-9]+")
_SHORT = {"st": "saint", "ste": "sainte", "av": "avenue", "pl": "place", "bd": "boulevard", "fg": "faubourg"}
_ARTICLES = {"de", "du", "des", "d", "la", "le", "les", "l"}
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l"})


def fold_name(name: str | None) -> str:
    """The words of `name` without case, accents and punctuation; "Gare de" in front is left out.

    "Gare de St-Vit" and "SAINT VIT" fold to the same; "Gare" alone stays "gare".
    """
    bare = unicodedata.normalize("NFKD", (name or "").casefold().translate(_LIGATURES))
    bare = "".join(char for char in bare if not unicodedata.combining(char))
    words = [_SHORT.get(word, word) for word in _WORDS.findall(bare)]
    rest = words
    if words[:1] == ["gare"]:
        rest = words[1:]
        while rest and rest[0] in _ARTICLES | {"sncf", "routiere"}:
            rest = rest[1:]
    return " ".join(rest or words)
