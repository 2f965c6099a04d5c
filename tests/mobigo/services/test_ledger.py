"""The books proved, exported and checked again, by programs that are not ours."""

import csv
import io
import json
import random
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from beancount import loader
from beancount.core import realization
from beancount.core.data import Transaction
from hypothesis import given
from hypothesis import strategies as st

from mobigo.security import Keys
from mobigo.services.ledger.exporting import COLUMNS, Format, Period, beancount_name, export
from mobigo.services.ledger.proving import prove_days, prove_entry, read_heads, seal_day, verify
from mobigo.services.ledger.rechecking import recheck
from mobigo.store.base import transaction
from mobigo.store.ledger.books import Books, append
from mobigo.store.ledger.reads import list_balances
from socle.accounting import Account, AccountKind, reversal_of
from socle.errors import BadInput, Conflict
from tests.worlds.books import ANNE, BASILE, BUDGET, REGION, RESERVE, decided, granted, reserved

KEYS = Keys.of("k" * 32)
DAYS = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in (4, 5, 6)]
SCRIPT = Path(__file__).parents[3] / "docs" / "check_proof.py"


@pytest.fixture
def full(engine):
    """Three days of books, each sealed in the night after it."""
    per_day = (
        [granted(50_000), *(reserved(f"r{number}", 500) for number in range(5))],
        [decided(f"c{number}", 430 + number, (ANNE, BASILE)[number % 2]) for number in range(7)],
        [reversal_of(decided("c3", 433, BASILE), "c3:undone", DAYS[2]), decided("c3:again", 440, BASILE)],
    )
    with transaction(engine) as session:
        opened = Books(session)
        opened.open(REGION)
        opened.flush()
    for now, entries in zip(DAYS, per_day, strict=True):
        with transaction(engine) as session:
            append(session, entries, now)
        seal_day(engine, KEYS, now.date(), now + timedelta(days=1))
    return engine


def test_a_day_is_sealed_when_it_is_over(engine):
    with pytest.raises(Conflict, match="day_not_over"):
        seal_day(engine, KEYS, date(2026, 3, 4), datetime(2026, 3, 4, 22, 59, tzinfo=UTC))
    assert seal_day(engine, KEYS, date(2026, 3, 4), datetime(2026, 3, 4, 23, tzinfo=UTC)).size == 0


def test_the_books_verify(full):
    checked = verify(full)
    assert (checked.findings, checked.n_entries, len(checked.heads)) == ((), 15, 3)


def checked_by_script(tmp_path, proof, root):
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    command = [sys.executable, "-I", SCRIPT, "proof.json", root]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    return run.returncode == 0 and run.stdout.endswith("\nholds\n")


def test_a_citizen_with_thirty_lines_of_python_finds_out_whether_a_proof_holds(full, tmp_path):
    lines = [line for line in SCRIPT.read_text("utf-8").partition('"""\n\n')[2].splitlines() if line]
    assert len(lines) <= 30
    heads = {head.day: head.root.hex() for head in read_heads(full)}
    for key, day in (("budget", date(2026, 3, 4)), ("r4", date(2026, 3, 5)), ("c3:again", None), ("c2", None)):
        proof = prove_entry(full, key, day)
        assert checked_by_script(tmp_path, proof, heads[day or date(2026, 3, 6)])
        assert not checked_by_script(
            tmp_path, proof | {"entry": proof["entry"].replace("-", "")}, proof["head"]["root"]
        )
        assert not checked_by_script(tmp_path, proof | {"path": proof["path"][1:]}, proof["head"]["root"])
        assert not checked_by_script(tmp_path, proof, "00" * 32)
    for first, second in ((4, 5), (4, 6), (5, 6), (6, 6)):
        proof = prove_days(full, date(2026, 3, first), date(2026, 3, second))
        assert checked_by_script(tmp_path, proof, heads[date(2026, 3, second)])
        earlier = proof["earlier"] | {"root": "00" * 32}
        assert not checked_by_script(tmp_path, proof | {"earlier": earlier}, proof["head"]["root"])


def written(engine, format_, *days):
    return "".join(export(engine, format_, Period(*days)))


def test_csv_has_a_line_for_each_posting(full):
    rows = list(csv.DictReader(io.StringIO(written(full, Format.CSV))))
    assert tuple(rows[0]) == COLUMNS
    sums = Counter()
    for row in rows:
        sums[row["account"]] += int(row["cents"])
    with transaction(full) as session:
        assert sums == {told.account.code: told.available_cents for told in list_balances(session)}
    assert rows[0] == {
        "seq": "1",
        "recorded_at": "2026-03-04T12:00:00Z",
        "effective_at": "2026-03-04T12:00:00Z",
        "kind": "budget_granted",
        "key": "budget",
        "account": BUDGET,
        "cents": "50000",
    }
    one_day = list(csv.DictReader(io.StringIO(written(full, Format.CSV, date(2026, 3, 5), date(2026, 3, 5)))))
    assert {row["key"] for row in one_day} == {f"c{number}" for number in range(7)}


def test_what_is_pending_is_told_beside_what_is_available_and_posted(full):
    with transaction(full) as session:
        stands = {told.account.code: told for told in list_balances(session)}
    budget = stands[BUDGET]
    assert (budget.available_cents, budget.pending_cents, budget.posted_cents) == (47_500, 2_500, 50_000)
    assert (stands[RESERVE].available_cents, stands[RESERVE].pending_cents) == (2_500, 0)


FIFTH = date(2026, 3, 5)


def is_accepted(path):
    command = [Path(sys.executable).with_name("bean-check"), path]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("days", [(), (FIFTH,), (FIFTH, FIFTH), (None, date(2026, 3, 4))])
def test_an_accounting_program_of_others_accepts_the_export_and_finds_the_same_balances(full, tmp_path, days):
    path = tmp_path / "books.beancount"
    path.write_text(written(full, Format.BEANCOUNT, *days))
    run = subprocess.run(
        [Path(sys.executable).with_name("bean-check"), path], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    entries, errors, _options = loader.load_file(path)
    assert errors == []
    known = {entry.meta["hash"] for entry in entries if isinstance(entry, Transaction) and "seq" in entry.meta}
    hashes = [json.loads(line).get("hash") for line in written(full, Format.JSONL).splitlines()][:15]
    assert known == set({(): hashes, (FIFTH,): hashes[6:], (FIFTH, FIFTH): hashes[6:13]}.get(days, hashes[:6]))
    with transaction(full) as session:
        balances = list_balances(session)
    tree = realization.realize(entries)
    if days[1:] == ():  # up to the end of the books
        for told in balances:
            position = realization.get(tree, beancount_name(told.account)).balance
            found = sum(int(amount.units.number * 100) for amount in position)
            assert found == told.available_cents


def test_an_export_that_was_altered_is_refused_by_the_accounting_program(full, tmp_path):
    path = tmp_path / "books.beancount"
    path.write_text(written(full, Format.BEANCOUNT).replace("  4.30 EUR", "  4.31 EUR", 1))
    assert not is_accepted(path)


codes = st.from_regex(r"[a-z0-9]{1,3}([-_:][a-z0-9]{1,3}){0,4}", fullmatch=True)


@given(st.lists(codes, min_size=2, max_size=30, unique=True))
def test_no_two_accounts_have_the_same_name_in_the_accounting_program(some):
    names = [beancount_name(Account(code, AccountKind.ASSETS)) for code in some]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"Assets(:[A-Z0-9][A-Za-z0-9-]*)+", name) for name in names)


def test_names_in_the_accounting_program_can_be_read():
    assert (
        beancount_name(Account("region:subsidy_expense:bfc-lignes", AccountKind.EXPENSES))
        == "Expenses:Region:SubsidyExpense:Bfc-lignes"
    )
    assert beancount_name(Account("zone_2", AccountKind.ASSETS)) == "Assets:Zone-N2"


def test_an_export_is_verified_without_a_database(full):
    lines = written(full, Format.JSONL).encode().splitlines(keepends=True)
    told = recheck(lines)
    assert (told.n_entries, told.n_heads, told.findings, told.first_bad_seq) == (15, 3, [], None)
    with pytest.raises(BadInput, match="period_breaks_chain"):
        written(full, Format.JSONL, date(2026, 3, 4))


def test_every_flipped_byte_of_an_export_is_found_and_located(full):
    lines = written(full, Format.JSONL).encode().splitlines(keepends=True)
    draws = random.Random(5)
    for number, line in enumerate(lines):
        for at in range(0, len(line), 7):
            flipped = line[:at] + bytes([line[at] ^ 1 << draws.randrange(8)]) + line[at + 1 :]
            told = recheck(io.BytesIO(b"".join([*lines[:number], flipped, *lines[number + 1 :]])))
            assert told.findings
            if number < 15:
                assert told.first_bad_seq == number + 1


@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        (lambda lines: lines[:4] + lines[5:], 5),
        (lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]], 5),
        (lambda lines: [*lines[:4], lines[4], *lines[4:]], 6),
        (lambda lines: lines[:14] + lines[15:], 15),
        (lambda lines: lines[:10], 11),
        (lambda lines: lines[:-1], 16),
        (lambda lines: [*lines, lines[-1]], None),
        (lambda _lines: [], 1),
    ],
)
def test_lines_dropped_swapped_doubled_or_cut_off_are_found(full, change, first_bad):
    told = recheck(change(written(full, Format.JSONL).encode().splitlines(keepends=True)))
    assert told.findings
    assert told.first_bad_seq == first_bad
