"""What each table holds about people is declared, exported, erased and limited in time."""

import importlib
import pkgutil
import re

import pytest
from sqlmodel import SQLModel

import mobigo.store
from mobigo.services.retention import Then, all_rules
from mobigo.store.base import UtcDateTime
from mobigo.store.holdings import ABOUT_NOBODY, HOLDINGS
from mobigo.store.people.holdings import HOLDINGS as OF_PEOPLE
from mobigo.texts import all_texts

for module in pkgutil.walk_packages(mobigo.store.__path__, "mobigo.store."):
    if ".migrations" not in module.name:
        importlib.import_module(module.name)

TABLES = SQLModel.metadata.tables
BY_TABLE = {holding.table: holding for holding in HOLDINGS}
# Columns that are about somebody, by their names; what such a column holds is declared or named otherwise.
PERSONAL = re.compile(
    r"(^|_)(person|people|pseudonym|actor|subject|owner|user|holder|name|mail|email|phone|mobile|iban|birth|born|"
    r"identity|address|ip|contact|login|password|traveller|driver|passenger|pupil|payload)(_|$)"
)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_table_says_what_it_holds_about_people_or_that_it_holds_nothing(table):
    assert (table in BY_TABLE) != (table in ABOUT_NOBODY), f"declare {table} in mobigo/store/holdings.py, once"
    declared = BY_TABLE[table].columns if table in BY_TABLE else ()
    looks_personal = {name for name in TABLES[table].columns.keys() if PERSONAL.search(name)}  # noqa: SIM118  it is no dict
    assert looks_personal <= set(declared), f"{table} has columns about people that are not declared"


@pytest.mark.parametrize("table", sorted(TABLES))
def test_only_the_room_of_people_knows_who_is_behind_a_pseudonym(table):
    of_people = {holding.table for holding in OF_PEOPLE}
    refers = {key.column.table.name for key in TABLES[table].foreign_keys} & of_people
    assert table in of_people or not refers
    assert table in of_people or "person_id" not in TABLES[table].columns


@pytest.mark.parametrize("table", sorted(ABOUT_NOBODY & set(TABLES)))
def test_what_belongs_to_a_row_that_is_erased_is_no_table_about_nobody(table):
    erased = {holding.table for holding in HOLDINGS if holding.erase}
    assert not {key.column.table.name for key in TABLES[table].foreign_keys} & erased


@pytest.mark.parametrize("holding", HOLDINGS, ids=lambda each: each.table)
def test_what_is_declared_exists(holding):
    assert set(holding.columns) <= set(TABLES[holding.table].columns.keys())
    assert set(TABLES) >= ABOUT_NOBODY


@pytest.mark.parametrize("holding", HOLDINGS, ids=lambda each: each.table)
def test_every_table_about_people_has_a_rule_that_limits_it(holding):
    assert [rule for rule in all_rules() if rule.table == holding.table]


OF_FILES = {"letter_files"}


@pytest.mark.parametrize("rule", all_rules(), ids=lambda each: f"{each.code}-{each.from_day}")
def test_every_rule_has_a_ground_and_words(rule):
    assert rule.source
    assert {f"retention.{rule.code}.what", f"retention.{rule.code}.why"} <= set(all_texts())
    assert bool(rule.table) != (rule.code in OF_FILES)
    if rule.then is Then.DELETE:
        assert rule.keep_months + rule.keep_days > 0


@pytest.mark.parametrize(
    "rule", [rule for rule in all_rules() if rule.table], ids=lambda each: f"{each.code}-{each.from_day}"
)
def test_every_rule_speaks_of_a_table_about_people_and_of_an_instant_in_it(rule):
    assert rule.table in BY_TABLE
    if rule.counted_from:
        assert isinstance(TABLES[rule.table].c[rule.counted_from].type, UtcDateTime)
    assert set(rule.only) <= set(TABLES[rule.table].columns.keys())
    if rule.then is Then.DELETE:
        assert rule.counted_from
    if rule.then is Then.ERASE_ACCOUNT:
        assert rule.keep_months > 0
    if rule.then is Then.WITH_ACCOUNT:
        assert BY_TABLE[rule.table].erase, "nothing would take it away"
    if rule.then is Then.KEPT:
        assert BY_TABLE[rule.table].erase is None
