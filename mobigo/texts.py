"""Texts: every sentence a person reads, by key, from `texts.toml`.

Sentences are French. A sentence is filled with facts by `str.format`; a fact it
does not name is ignored, a fact it names and does not get is a fault of ours
and raises. `locales/` will hold the other languages under the same keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from socle.errors import Fact, MobigoError, Unavailable
from socle.findings import Finding

GROUPED_FROM = 10_000
FACTS_FOR_OPERATORS = frozenset({"directory", "found", "path", "reason", "said", "server", "wanted"})


def _flatten(table: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            flat.update(_flatten(value, f"{key}."))
        else:
            flat[key] = _bind(str(value))
    return flat


def _bind(sentence: str) -> str:
    """French typography: no line may end between a word and its two-part sign."""
    for sign in ("»", ":", ";", "!", "?", "%", "€"):
        sentence = sentence.replace(f" {sign}", f"\N{NO-BREAK SPACE}{sign}")
    return sentence.replace("« ", "«\N{NO-BREAK SPACE}")


@cache
def all_texts() -> Mapping[str, str]:
    """Every text by its dotted key."""
    return _flatten(tomllib.loads(files("mobigo").joinpath("texts.toml").read_text("utf-8")))


class _Whole(int):
    """A whole number in a sentence: `{n}` has five digits and more in groups of three, `{n:car|cars}` is its word."""

    def __format__(self, spec: str) -> str:
        one, is_word, several = spec.partition("|")
        if is_word:
            return one if abs(self) < 2 else several  # French: nothing and one are singular
        if spec or abs(self) < GROUPED_FROM:
            return super().__format__(spec)
        return f"{int(self):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _shown(fact: Fact) -> Fact:
    """Whole numbers as sentences write them; those that name a thing come as text."""
    return _Whole(fact) if isinstance(fact, int) and not isinstance(fact, bool) else fact


def text(key: str, /, **facts: Fact) -> str:
    """The sentence `key` filled with `facts`.

    Raises:
        KeyError: no such key, or a fact that the sentence names is missing.
    """
    return all_texts()[key].format_map({name: _shown(fact) for name, fact in facts.items()})


def error_sentence(error: MobigoError) -> str:
    """What happened and what to do, in French, from the error's code and facts; a `problem` is a text of its own."""
    facts = dict(error.facts)
    if "problem" in facts:
        facts["problem"] = text(f"problems.{facts['problem']}")
    return text(f"errors.{error.code}", **facts)


def is_for_operators(error: MobigoError) -> bool:
    """Whether the sentence of an error tells of our machines: paths, servers, what they said."""
    sentence = all_texts().get(f"errors.{error.code}", "")
    return isinstance(error, Unavailable) and any(f"{{{name}}}" in sentence for name in FACTS_FOR_OPERATORS)


def action_words(action: str) -> str:
    """What an action of the audit log is, in French; the action itself when it is of another version."""
    return all_texts().get(f"actions.{action}", action)


def kind_words(kind: str) -> str:
    """What a kind of job does, in French; the kind itself when it is of another version."""
    return all_texts().get(f"kinds.{kind}", kind)


def finding_sentence(finding: Finding) -> str:
    """The remark in French, from the finding's code and facts."""
    return text(f"findings.{finding.code}", **finding.facts)
