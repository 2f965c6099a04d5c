"""A person known to every store: all of it is exported, and all that names them goes."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import inspect, text

from mobigo.security import Keys, Role
from mobigo.services.personal import erase, export, render_json
from mobigo.store.base import reading, transaction
from mobigo.store.holdings import HOLDINGS
from mobigo.store.ledger.books import append
from mobigo.store.ledger.chain import GENESIS, entry_hash, next_chain
from mobigo.store.ledger.reads import each_entry, list_balances
from mobigo.store.people.roles import give_role, take_role
from mobigo.texts import all_texts
from socle.errors import Conflict
from tests.worlds.books import decided
from tests.worlds.people import AGENT, add_known_person

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEYS = Keys.of("k" * 32)


@pytest.fixture
def both(engine):
    with transaction(engine) as session:
        return add_known_person(session, KEYS, "Camille", NOON), add_known_person(session, KEYS, "Dominique", NOON)


def dump(engine):
    with engine.connect() as connection:
        return {
            table: [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{table}"'))]
            for table in inspect(engine).get_table_names()
        }


def test_every_table_about_people_tells_what_it_holds_in_words_we_know(engine, both):
    rows = export(engine, both[0], KEYS, AGENT, "demande écrite", NOON).rows
    assert [table for table, told in rows.items() if not told] == []
    assert set(rows) == {holding.table for holding in HOLDINGS}
    fields = {name for told in rows.values() for row in told for name in row}
    assert {name for name in fields if f"personal.field.{name}" not in all_texts()} == set()
    assert {table for table in rows if f"personal.table.{table}" not in all_texts()} == set()


def test_the_export_opens_what_is_sealed_and_tells_nothing_of_another_nor_any_secret(engine, both):
    told = b"".join(render_json(export(engine, both[0], KEYS, AGENT, "", NOON))).decode()
    (identity,) = json.loads(told)["tables"]["identity"]
    assert identity["email"] == "Camille@exemple.test"
    assert "Dominique" not in told
    assert both[1].pseudonym not in told
    for secret in ("hash of", KEYS.token_hash("Camille"), KEYS.token_hash("key Camille"), "agent7"):
        assert secret not in told


def test_erasure_leaves_nothing_that_leads_to_the_person_and_touches_nobody_else(engine, both):
    camille, dominique = both
    before = dump(engine)
    reference = next(row for row in before["person"] if camille.person_id in row)
    counts = erase(engine, camille, camille.name, "", NOON)
    assert set(counts) == {holding.table for holding in HOLDINGS if holding.erase}
    after = dump(engine)
    left = json.dumps(after, default=str)
    indexes = [KEYS.blind("email", "camille@exemple.test"), KEYS.blind("name", "camille durand")]
    assert camille.pseudonym in left
    for trace in ("Camille", camille.person_id, *(str(each) for each in reference[2:3]), *indexes):
        assert trace not in left
    assert sorted(dump_of(after, dominique.person_id)) == sorted(dump_of(before, dominique.person_id))
    for kept in {holding.table for holding in HOLDINGS if not holding.erase} | {"posting", "balance"}:
        assert after[kept][: len(before[kept])] == before[kept]


def test_who_has_a_role_at_work_is_not_erased_before_it_is_taken(engine, both):
    with transaction(engine) as session:
        give_role(session, both[0].person_id, Role.TRAVELLER, AGENT, "", NOON)
        give_role(session, both[0].person_id, Role.ADMINISTRATOR, AGENT, "", NOON)
    before = dump(engine)
    with pytest.raises(Conflict, match="role_at_work"):
        erase(engine, both[0], both[0].name, "", NOON)
    assert dump(engine) == before
    with transaction(engine) as session:
        take_role(session, both[0].person_id, Role.ADMINISTRATOR, AGENT, "", NOON)
    assert erase(engine, both[0], both[0].name, "", NOON)["person"] == 1


def test_the_books_of_an_erased_person_are_valid_to_the_last_hash(engine, both):
    erase(engine, both[0], both[0].name, "", NOON)
    chain = GENESIS
    with reading(engine) as session:
        for entry in each_entry(session):
            assert entry.hash == entry_hash(entry.recorded)
            chain = next_chain(chain, entry.hash)
            assert entry.chain == chain
            assert sum(posting.cents for posting in entry.read().entry.postings) == 0
    with transaction(engine) as session:
        owed = f"driver:{both[0].pseudonym}:payable"
        append(session, [decided("carpool:after", -430, owed)], NOON)
    with reading(engine) as session:
        assert {one.account.code: one.available_cents for one in list_balances(session)}[owed] == 0


def dump_of(tables, person_id):
    return [str((table, row)) for table, rows in tables.items() for row in rows if person_id in map(str, row)]
