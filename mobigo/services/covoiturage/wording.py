"""Wording: the steps of a decision, and what a fraud rule saw, as sentences that people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from string import Formatter

from covoiturage.policy.explain import Step
from mobigo.texts import all_texts, text
from socle.errors import Fact

_MILLIONTHS = 10_000  # of a euro in a cent


def step_sentence(step: Step) -> str:
    """The step in French: « 33,0 km × 0,10 € »."""
    key = _key_of(step)
    facts: dict[str, Fact] = {}
    for name in _named_in(key):  # what the sentence does not name is not made ready for it
        fact = step.facts.get(name)
        if fact is not None:
            facts[name] = _SHOWN[name](fact) if name in _SHOWN else fact
        elif name == "euros" and step.exact is not None:
            facts[name] = euros(step.exact)
    if step.step == "limit":
        facts |= {"period": text(f"policy_steps.period.{step.facts['period']}")}
        facts |= {"scope": text(f"policy_steps.scope.{step.facts['scope']}")}
        if step.type == "amount_cents":
            facts |= {name: euros(Fraction(int(step.facts[name] or 0))) for name in ("max", "used")}
    sentence = text(key, **facts)
    missing = step.facts.get("missing")
    if missing is not None:
        sentence = text("policy_steps.unknown", sentence=sentence, missing=missing)
    if step.type == "left_out":
        sentence = text("policy_steps.ride.left_out", ride=step.facts["ride"], reason=sentence)
    return sentence


def _key_of(step: Step) -> str:
    """Which sentence says it."""
    told = step.facts.get
    n = told("n")
    return _key(step.step, step.type, told("type"), told("most") is not None, n is None or n in {0, 1})


@lru_cache(maxsize=1_000)
def _key(step: str, kind: str, condition: Fact, is_at_most: bool, is_one: bool) -> str:
    key = f"policy_steps.{step}.{kind}" if condition is None else f"policy_steps.condition.{condition}"
    if is_at_most:
        key += "_at_most"
    return f"{key}.{'one' if is_one else 'other'}" if f"{key}.one" in all_texts() else key


@lru_cache(maxsize=1_000)
def _named_in(key: str) -> tuple[str, ...]:
    """The facts that a sentence names."""
    return tuple({name for _before, name, _format, _conversion in Formatter().parse(all_texts()[key]) if name})


def euros(cents: Fraction) -> str:
    """`cents` in euros: two decimals, or as many as it takes to be exact, six at most: 0,125."""
    numerator, denominator = cents.as_integer_ratio()
    if denominator == 1:
        whole, rest = divmod(abs(numerator), 100)
        return f"{'-' if numerator < 0 else ''}{whole},{rest:02d}"
    exact = _MILLIONTHS % denominator == 0
    millionths = numerator * (_MILLIONTHS // denominator) if exact else round(cents * _MILLIONTHS)
    whole, rest = divmod(abs(millionths), 1_000_000)
    decimals = f"{rest:06d}".rstrip("0")
    return f"{'-' if millionths < 0 else ''}{whole},{decimals:0<2}"


def kilometres(metres: int) -> str:
    """`metres` in kilometres with one decimal, or as many as it takes to be exact: 33,0 and 12,345."""
    whole, rest = divmod(metres, 1000)
    decimals = f"{rest:03d}".rstrip("0")
    return f"{whole},{decimals:0<1}"


@lru_cache(maxsize=1_000)  # a policy has a few
def _rate(fact: Fact) -> str:
    return euros(Fraction(str(fact)))


def _kilometres(fact: Fact) -> str:
    return kilometres(int(str(fact)))


# How a fact of a step is shown, by its name; the others as they are.
_SHOWN: Mapping[str, Callable[[Fact], Fact]] = {
    "rate": _rate,
    "most": _rate,
    "metres": _kilometres,
    "measured_m": _kilometres,
    "official_m": _kilometres,
    "number": lambda fact: str(fact).replace(".", ","),
}


def label_sentence(code: str, facts: Mapping[str, Fact]) -> str:
    """What a label of the fraud rules rests on, in French: its figures as people read them."""
    shown = dict(facts)
    for name in ("metres", "routed_m"):
        if name in shown and code != "too_short":
            shown[name] = kilometres(int(round(float(shown[name] or 0), -2)))
    if "a_day" in shown:
        shown["a_day"] = str(shown["a_day"]).replace(".", ",")
    return text(f"fraud.evidence.{code}", **shown)
