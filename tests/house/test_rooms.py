"""Every room of the house is in a contract, in the wheel, and under strict types where it must be."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
BESIDE = {"tests", "bench", "docs", "data", "var", "dist", "build"}


def packages() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/__init__.py")} - BESIDE


def test_every_package_is_under_contract_and_shipped():
    linter = PROJECT["tool"]["importlinter"]
    assert set(linter["root_packages"]) == packages()
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == packages()
    by_name = {contract["name"].partition(":")[0]: contract for contract in linter["contracts"]}
    floors = {room.strip() for layer in by_name["house"]["layers"] for room in layer.split("|")}
    assert floors == packages()
    assert set(by_name["pure"]["source_modules"]) == packages() - {"mobigo"}


def test_socle_and_the_domains_are_strictly_typed():
    assert PROJECT["tool"]["mypy"]["strict"] is True
    assert packages() - {"mobigo"} <= set(PROJECT["tool"]["mypy"]["files"])


def test_no_room_is_empty():
    for package in packages():
        for init in (ROOT / package).rglob("__init__.py"):
            beside = [path for path in init.parent.rglob("*.py") if path != init]
            assert beside or len(init.read_text("utf-8").splitlines()) > 3, f"{init.parent} is an empty room"


def test_socle_keeps_to_its_files():
    files = {path.stem for path in (ROOT / "socle").glob("*.py")} - {"__init__"}
    assert files <= {"errors", "findings", "money", "accounting", "times", "geo", "ids", "matrix"}


def test_every_exception_to_a_rule_says_why():
    """A `noqa` or `type: ignore` names its rule and has its reason beside it."""
    marks = re.compile(
        r"#\s*(?:ruff: )?(?:noqa\b|type: ignore\b)(?P<rule>: ?[A-Z]+\d+(?:, ?[A-Z]+\d+)*|\[[a-z-]+\])?(?P<why>.*)"
    )
    silent = []
    for package in sorted(packages() | {"bench"}):
        for path in sorted((ROOT / package).rglob("*.py")):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                mark = marks.search(line)
                if mark and (not mark["rule"] or len(mark["why"].strip(" -#(")) < 5):
                    silent.append(f"{path.relative_to(ROOT)}:{number}")
    assert silent == []
