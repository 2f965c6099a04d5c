"""Sentences: what a policy says, in plain French, field by field; nothing of it is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from babel.dates import format_date
from babel.lists import format_list

from covoiturage.policy.model import AMOUNT, RIDE, SEATS, AmountRule, Condition, LegalCap, Limit, Policy, Slice, Term
from mobigo.services.covoiturage.wording import euros
from mobigo.web.wording import FRENCH, NBSP, moment, say, say_count

_WEEKDAYS = ("dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi")


def money(cents: Fraction | int) -> str:
    """An amount to the last digit that the policy says."""
    return f"{euros(Fraction(cents))}{NBSP}€"


def kilometres(metres: int) -> str:
    """A length as a policy says it, to the metre."""
    whole, rest = divmod(metres, 1000)
    decimals = f",{rest:03d}".rstrip("0") if rest else ""
    return f"{whole}{decimals}{NBSP}km"


def day_words(day: date) -> str:
    """2 janvier 2023, and 1er janvier."""
    told = str(format_date(day, "d MMMM y", locale=FRENCH))
    return told.replace("1 ", "1er ", 1) if day.day == 1 else told


def amounts(policy: Policy) -> list[str]:
    """What a driver gets: rules, then what is done to the sum."""
    told = [sentence for rule in policy.amount_rules for sentence in _rule(rule)]
    for operation in policy.post:
        number = operation.number
        shown = money(number) if operation.type in {"floor", "cap"} else _number(number)
        told.append(_when(operation.when, say(f"covoiturage.rules.post.{operation.type}", number=shown)))
    if policy.level == RIDE:
        return told
    empty = policy.car.empty_run
    if isinstance(empty, int):
        told.append(say("covoiturage.rules.empty.flat", amount=money(empty)))
    else:
        told.append(say(f"covoiturage.rules.empty.{empty}"))
    told.append(say(f"covoiturage.rules.basis.{policy.car.distance_basis}", ratio=_number(policy.car.detour_ratio_max)))
    told.append(say(f"covoiturage.rules.counted.{policy.car.passenger_basis}"))
    return told


def fares(policy: Policy) -> str:
    """What a passenger pays."""
    fare = policy.car.fare
    if fare is None:
        return say("covoiturage.rules.fare.none")
    return say(f"covoiturage.rules.fare.{fare.mode}", amount=money(fare.cents))


def conditions(policy: Policy) -> list[str]:
    """What must hold for the car, and for each ride."""
    told = [_begun(_condition(one)) for one in policy.eligibility]
    for since, operators in policy.operators:
        names = ", ".join(sorted(operators)) or say("covoiturage.rules.nobody")
        told.append(say("covoiturage.rules.operators", since=moment(since), names=names))
    return told + [say("covoiturage.rules.ride", condition=_condition(one)) for one in policy.car.ride_eligibility]


def bounds(policy: Policy) -> list[str]:
    """Limits, the legal cap and the pay-out."""
    told = [_limit(limit) for limit in sorted(policy.limits, key=lambda limit: limit.priority)]
    if policy.car.legal_cap is not None:
        told.append(_legal_cap(policy.car.legal_cap))
    payout = policy.car.payout
    if payout is not None:
        told.append(say("covoiturage.rules.payout", amount=money(payout.threshold_cents)))
    return told


def _rule(rule: AmountRule) -> Iterator[str]:
    if rule.target is not None:
        given = rule.target
        told = say(
            f"covoiturage.rules.target.{given['minus']}",
            target=money(given["target_cents"]),
            most=say("covoiturage.rules.no_most") if given["max_cents"] is None else money(given["max_cents"]),
            extra=money(given["plus_cents_per_rounded_km"]),
            since=kilometres(given["from_m"]),
        )
        yield _when(rule.when, told)
    for part in rule.slices:
        for term in part.terms:
            yield _when(rule.when, _sliced(rule.mode, part, _term(term)))


def _sliced(mode: str, part: Slice, told: str) -> str:
    until = part.to_m if mode == "single" else None
    if until is not None:
        return say("covoiturage.rules.between", since=kilometres(part.from_m), until=kilometres(until), told=told)
    return say("covoiturage.rules.beyond", since=kilometres(part.from_m), told=told) if part.from_m else told


def _term(term: Term) -> str:
    given = term.given
    if "cents_per_km" in given:
        told = say(f"covoiturage.rules.term.{term.type}", rate=money(given["cents_per_km"]))
        if given["offset_m"]:
            told = say("covoiturage.rules.term.after", told=told, since=kilometres(given["offset_m"]))
        if given["limit_m"]:
            told = say("covoiturage.rules.term.up_to", told=told, until=kilometres(given["limit_m"]))
        most = given.get("max_cents_per_seat")
        return told if most is None else say("covoiturage.rules.term.per_seat_at_most", told=told, amount=money(most))
    if term.type == "per_passenger":
        first, most = given["from_passenger"], given["max_passengers"]
        told = say(
            f"covoiturage.rules.term.per_passenger.{'first' if first == 1 else 'later'}",
            n=first,
            rate=money(given["cents"]),
        )
        return told if most is None else say_count("covoiturage.rules.term.at_most", most, told=told)
    return say(f"covoiturage.rules.term.{term.type}", amount=money(given["cents"]))


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _when(condition: Condition | None, told: str) -> str:
    return told if condition is None else say("covoiturage.rules.when", condition=_condition(condition), told=told)


def _condition(condition: Condition) -> str:
    key, given = f"covoiturage.rules.condition.{condition.type}", condition.given
    if condition.type in {"all", "any", "not"}:
        return say(key, parts=" ; ".join(map(_condition, condition.of)) or say("covoiturage.rules.nothing"))
    if condition.type == "distance":
        if given["max_m_exclusive"] is None:
            return say(f"{key}.open", since=kilometres(given["min_m"]))
        return say(f"{key}.closed", since=kilometres(given["min_m"]), until=kilometres(given["max_m_exclusive"] - 1))
    return say(key, **{name: _shown(name, value) for name, value in given.items()})


def _shown(name: str, value: Any) -> str:
    """A parameter of a condition as a sentence tells it."""
    if name == "selector":
        parts = (say(f"covoiturage.rules.level.{level}", codes=", ".join(sorted(codes))) for level, codes in value)
        return " ; ".join(parts)
    if name == "days_sunday0":
        return _list(_WEEKDAYS[day] for day in sorted(value, key=lambda day: (day - 1) % 7))
    if name in {"from", "to"}:
        return f"{value // 3600:02d}:{value % 3600 // 60:02d}"
    if name == "end":
        return say(f"covoiturage.rules.end.{value}")
    if name == "radius_m":
        return kilometres(round(value))
    if name == "classes":
        return str(format_list(list(value), style="or", locale=FRENCH))
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day_words(value)
    return _list(map(str, value)) if isinstance(value, tuple) else str(value)


def _limit(limit: Limit) -> str:
    if limit.max is None:
        most = say("covoiturage.rules.limit.budget")
    elif limit.counter == AMOUNT:
        most = money(limit.max)
    elif limit.counter == SEATS:
        most = say_count("covoiturage.rules.limit.seats", limit.max)
    else:
        most = say_count("covoiturage.rules.limit.trips", limit.max)
    scope, period = (
        say(f"covoiturage.rules.limit.{word}") for word in (f"scope.{limit.scope}", f"period.{limit.period}")
    )
    told = say("covoiturage.rules.limit.told", most=most, scope=scope, period=period)
    return say("covoiturage.rules.limit.unpaid", told=told) if limit.count_unpaid else told


def _legal_cap(cap: LegalCap) -> str:
    told = say("covoiturage.rules.legal_cap", rate=money(cap.cents_per_km))
    if cap.short_m and cap.short_trips_per_day:
        short = say_count("covoiturage.rules.legal_cap_short", cap.short_trips_per_day, until=kilometres(cap.short_m))
        return f"{told} {short}"
    return told


def _list(words: Iterable[str]) -> str:
    return str(format_list(list(words), locale=FRENCH))


def _number(number: Fraction) -> str:
    return f"{float(number):.6g}".replace(".", ",")
