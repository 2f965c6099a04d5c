"""A person known to every store: all of it is exported, and all that names them goes."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import inspect, text

from mobigo.security import Keys, Role
from mobigo.services.ledger.proving import prove_entry, seal_day, verify
from mobigo.services.personal import erase, export, render_json
from mobigo.store.base import reading, transaction
from mobigo.store.holdings import HOLDINGS
from mobigo.store.ledger.books import append
from mobigo.store.ledger.reads import list_balances
from mobigo.store.people.access import open_session
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


def test_the_books_of_an_erased_person_are_valid_and_the_proofs_given_before_still_hold(engine, both):
    seal_day(engine, KEYS, NOON.date(), NOON + timedelta(days=1))
    key = f"carpool:{both[0].pseudonym}"
    proof = prove_entry(engine, key)
    erase(engine, both[0], both[0].name, "", NOON)
    checked = verify(engine)
    assert (checked.findings, checked.n_entries, len(checked.heads)) == ((), 2, 1)
    assert prove_entry(engine, key) == proof
    with transaction(engine) as session:
        owed = f"driver:{both[0].pseudonym}:payable"
        append(session, [decided("carpool:after", -430, owed)], NOON + timedelta(days=1))
    with reading(engine) as session:
        assert {one.account.code: one.available_cents for one in list_balances(session)}[owed] == 0


def test_who_is_just_coming_in_is_erased_too(engine, both):
    camille = both[0]
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as session:
            open_session(session, "another", camille.person_id, "password", "", NOON)
            session.flush()
            erased = pool.submit(erase, engine, camille, camille.name, "", NOON)
            if engine.dialect.name == "postgresql":
                wait_until(lambda: n_waiting(engine) > 0)
        assert erased.result(60)["session"] == 2
    assert camille.person_id not in json.dumps(dump(engine), default=str)


def n_waiting(engine):
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one()


def wait_until(true):
    pause = threading.Event()
    for _ in range(2_000):
        if true():
            return
        pause.wait(0.005)
    pytest.fail("it never came")


def dump_of(tables, person_id):
    return [str((table, row)) for table, rows in tables.items() for row in rows if person_id in map(str, row)]
