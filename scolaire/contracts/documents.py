"""Documents: a TOML document → a `Contract`, every field looked at, or the field that is wrong and why.

    id, title, carrier_id, carrier, valid_from, valid_until, lots, kilometres (driven, loaded), vat_percent
    [[prices]]      lot, vehicle_type, day, km, hour, minimum      in euros, written as text: "207.00"
    [indexation]    revised (never, yearly, monthly), begins, fixed, month, lag_months, decimals, rounding (up, half_up)
    [[indexation.terms]]  index, weight, base
    [[causes]]      code, title, fault (carrier, office, nobody), withheld_percent, penalty
    [[penalties]]   code, title, euros
    penalties_most_percent

Numbers with decimals are text, so that none is ever a float. A contract begins on the first and ends on the last of
a month: a statement is of one version.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeVar

from scolaire.calendar import first_of
from scolaire.contracts.model import (
    E4,
    Cause,
    Contract,
    Fault,
    Indexation,
    Kilometres,
    Penalty,
    Prices,
    Revised,
    Term,
)
from socle.errors import BadInput

E = TypeVar("E", bound=StrEnum)

MAX_BYTES: Final = 200_000
_ID: Final = re.compile(r"(?=.{1,40}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LOT: Final = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_DECIMAL: Final = re.compile(r"\d{1,7}(?:\.\d{1,4})?", re.ASCII)


def read_contract(document: bytes) -> Contract:
    """The contract of a TOML document.

    Raises:
        BadInput: `contract_unreadable`, `contract_field`.
    """
    if len(document) > MAX_BYTES:
        raise BadInput("contract_unreadable", line=0)
    try:
        tree = tomllib.loads(document.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        raise BadInput("contract_unreadable", line=int(found[1]) if found else 0) from None
    return _contract(tree)


def _contract(tree: dict[str, Any]) -> Contract:
    wanted = ("id", "title", "carrier_id", "carrier", "valid_from", "lots", "vat_percent", "prices")
    _only(tree, "", *wanted, "valid_until", "kilometres", "indexation", "causes", "penalties", "penalties_most_percent")
    lots = tree["lots"] if isinstance(tree.get("lots"), list) else []
    if not lots or not all(isinstance(lot, str) and _LOT.fullmatch(lot) for lot in lots):
        _refuse("lots", "list_wanted")
    penalties = tuple(_penalty(one, f"penalties[{i}]") for i, one in enumerate(_objects(tree, "penalties")))
    _once([one.code for one in penalties], "penalties")
    codes = frozenset(one.code for one in penalties)
    causes = tuple(_cause(one, f"causes[{i}]", codes) for i, one in enumerate(_objects(tree, "causes")))
    _once([one.code for one in causes], "causes")
    prices = tuple(_prices(one, f"prices[{i}]", frozenset(lots)) for i, one in enumerate(_objects(tree, "prices")))
    _once([(one.lot, one.type_id) for one in prices], "prices")
    if {one.lot for one in prices} != set(lots):
        _refuse("prices", "price_of_each_lot")
    most = tree.get("penalties_most_percent")
    return Contract(
        id=_text(tree.get("id"), "id", _ID),
        title=_text(tree.get("title"), "title"),
        carrier_id=_text(tree.get("carrier_id"), "carrier_id", _ID),
        carrier=_text(tree.get("carrier"), "carrier"),
        version=hashlib.sha256(_canonical(tree)).hexdigest(),
        valid_from=_first(tree.get("valid_from"), "valid_from"),
        valid_until=_last(tree, tree.get("valid_until")),
        lots=frozenset(lots),
        prices=prices,
        kilometres=_word(Kilometres, tree.get("kilometres", Kilometres.DRIVEN), "kilometres"),
        indexation=_indexation(tree.get("indexation", {"revised": "never"})),
        causes=causes,
        penalties=penalties,
        penalties_most_percent=None if most is None else _whole(most, "penalties_most_percent", 100),
        vat_e4=_vat_e4(tree.get("vat_percent")),
    )


def _vat_e4(value: Any) -> int:
    """A rate in per cent as ten-thousandths of the whole: 5.5 % is 550, so two decimals at most."""
    percent_e4 = _e4(value, "vat_percent")
    if percent_e4 % 100 or percent_e4 > 100 * E4:
        _refuse("vat_percent", "decimal_wanted")
    return percent_e4 // 100


def _prices(tree: dict[str, Any], path: str, lots: frozenset[str]) -> Prices:
    _only(tree, path, "lot", "vehicle_type", "day", "km", "hour", "minimum")
    lot, kind = tree.get("lot"), tree.get("vehicle_type")
    if lot not in lots:
        _refuse(f"{path}.lot", "unknown_kind")
    return Prices(
        lot,
        None if kind is None else _text(kind, f"{path}.vehicle_type", _LOT),
        *(_e4(tree.get(name, "0"), f"{path}.{name}") for name in ("day", "km", "hour", "minimum")),
    )


def _indexation(tree: Any) -> Indexation:
    path = "indexation"
    if not isinstance(tree, dict):
        _refuse(path, "object_wanted")
    _only(tree, path, "revised", "begins", "fixed", "terms", "month", "lag_months", "decimals", "rounding")
    revised = _word(Revised, tree.get("revised"), f"{path}.revised")
    fixed = _e4(tree.get("fixed", "1" if revised is Revised.NEVER else "0"), f"{path}.fixed")
    listed = _objects(tree, "terms")
    terms = tuple(_term(one, f"{path}.terms[{i}]") for i, one in enumerate(listed))
    _once([one.index for one in terms], f"{path}.terms")
    if fixed + sum(one.weight_e4 for one in terms) != E4:
        _refuse(path, "weights_make_one")
    rounding = tree.get("rounding", "half_up")
    if rounding not in ("up", "half_up"):
        _refuse(f"{path}.rounding", "unknown_kind")
    month = _whole(tree.get("month", 1), f"{path}.month", 12)
    if month == 0:
        _refuse(f"{path}.month", "whole_number_wanted")
    begins = "" if revised is Revised.NEVER else _month(tree.get("begins"), f"{path}.begins")
    return Indexation(
        revised,
        begins,
        fixed,
        terms,
        month,
        _whole(tree.get("lag_months", 0), f"{path}.lag_months", 24),
        _whole(tree.get("decimals", 3), f"{path}.decimals", 6),
        rounding == "up",
    )


def _term(tree: dict[str, Any], path: str) -> Term:
    _only(tree, path, "index", "weight", "base")
    base = _e4(tree.get("base"), f"{path}.base")
    if base == 0:
        _refuse(f"{path}.base", "decimal_wanted")
    return Term(_text(tree.get("index"), f"{path}.index", _ID), _e4(tree.get("weight"), f"{path}.weight"), base)


def _cause(tree: dict[str, Any], path: str, penalties: frozenset[str]) -> Cause:
    _only(tree, path, "code", "title", "fault", "withheld_percent", "penalty")
    penalty = tree.get("penalty")
    if penalty is not None and penalty not in penalties:
        _refuse(f"{path}.penalty", "unknown_kind")
    return Cause(
        _text(tree.get("code"), f"{path}.code", _CODE),
        _text(tree.get("title"), f"{path}.title"),
        _word(Fault, tree.get("fault"), f"{path}.fault"),
        _whole(tree.get("withheld_percent"), f"{path}.withheld_percent", 100),
        penalty,
    )


def _penalty(tree: dict[str, Any], path: str) -> Penalty:
    _only(tree, path, "code", "title", "euros")
    e4 = _e4(tree.get("euros"), f"{path}.euros")
    if e4 % 100:
        _refuse(f"{path}.euros", "decimal_wanted")
    return Penalty(_text(tree.get("code"), f"{path}.code", _CODE), _text(tree.get("title"), f"{path}.title"), e4 // 100)


# --- values ---------------------------------------------------------------------------------------


def _canonical(tree: Mapping[str, Any]) -> bytes:
    told = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=date.isoformat)
    return told.encode("utf-8", "backslashreplace")


def _refuse(path: str, problem: str) -> NoReturn:
    raise BadInput("contract_field", field=path, problem=problem)


def _only(tree: Mapping[str, Any], path: str, *names: str) -> None:
    for name in tree:
        if name not in names:
            _refuse(f"{path}.{name[:40]}".lstrip("."), "unknown_field")


def _objects(tree: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = tree.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        _refuse(name, "list_wanted")
    return value


def _once(values: list[Any], path: str) -> None:
    if len(set(values)) < len(values):
        _refuse(path, "said_twice")


def _text(value: Any, path: str, pattern: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        _refuse(path, "text_wanted")
    if pattern is not None and pattern.fullmatch(value) is None:
        _refuse(path, "text_wanted")
    return value


def _word(kind: type[E], value: Any, path: str) -> E:
    if value not in frozenset(kind):
        _refuse(path, "unknown_kind")
    return kind(value)


def _whole(value: Any, path: str, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        _refuse(path, "whole_number_wanted")
    return value


def _e4(value: Any, path: str) -> int:
    """Ten-thousandths of a decimal written as text."""
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        _refuse(path, "decimal_wanted")
    return int(Decimal(value) * E4)


def _month(value: Any, path: str) -> str:
    try:
        return f"{first_of(_text(value, path)):%Y-%m}"
    except BadInput:
        _refuse(path, "month_wanted")


def _first(value: Any, path: str) -> date:
    if type(value) is not date or value.day != 1:
        _refuse(path, "first_of_month")
    return value


def _last(tree: Mapping[str, Any], value: Any) -> date | None:
    if value is None:
        return None
    if type(value) is not date or (value + timedelta(days=1)).day != 1:
        _refuse("valid_until", "last_of_month")
    if value < tree["valid_from"]:
        _refuse("valid_until", "before_start")
    return value
