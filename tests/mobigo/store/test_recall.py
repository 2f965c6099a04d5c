"""What was read is not read again until something is written, by whomever; and never when it may be another."""

import shutil
import threading

import pytest

from mobigo.store.base import find_file, is_sqlite, migrate, open_engine, reading
from mobigo.store.network import list_source_versions
from mobigo.store.recall import is_known, recall
from socle.errors import Unavailable
from tests.mobigo.store.test_failures import write


class Question:
    """Asks which bodies of a source are known, and counts how often."""

    def __init__(self):
        self.n_asked = 0

    def __call__(self, session, source):
        self.n_asked += 1
        return frozenset(version.sha256 for version in list_source_versions(session, source))


def test_an_answer_stands_until_something_is_written(engine):
    ask = Question()
    assert [recall(engine, ask, "bell") for _ in range(3)] == [frozenset()] * 3
    n_first = ask.n_asked
    assert is_known(engine, ask, "bell") == is_sqlite(engine)
    assert not is_known(engine, ask, "drum")
    assert n_first == (1 if is_sqlite(engine) else 3)
    write(engine, "a")
    assert not is_known(engine, ask, "bell")
    assert recall(engine, ask, "bell") == {"a"}
    assert ask.n_asked == n_first + 1


def test_who_reads_and_writes_elsewhere_changes_the_answer_here(engine, database_address):
    ask, other = Question(), open_engine(database_address)
    assert recall(engine, ask, "bell") == frozenset()
    with reading(other) as session:
        list_source_versions(session, "bell")
    write(other, "a")
    assert recall(engine, ask, "bell") == recall(other, ask, "bell") == {"a"}
    other.dispose()


def test_each_question_and_each_value_has_its_own_answer(engine):
    one, other = Question(), Question()
    write(engine, "a")
    assert recall(engine, one, "bell") == {"a"}
    assert recall(engine, one, "drum") == frozenset()
    assert recall(engine, other, "bell") == {"a"}
    assert other.n_asked == 1


def test_what_is_written_while_one_reads_is_seen_the_next_time(engine):
    def slow(session, source):
        found = frozenset(version.sha256 for version in list_source_versions(session, source))
        if not found:
            writer = threading.Thread(target=write, args=(engine, "meanwhile"))
            writer.start()
            writer.join()
        return found

    assert recall(engine, slow, "bell") == frozenset()
    assert recall(engine, slow, "bell") == {"meanwhile"}


def test_no_more_than_some_answers_are_kept(engine):
    ask = Question()
    for number in range(1_500):
        assert recall(engine, ask, f"source {number}") == frozenset()
    write(engine, "a")
    assert recall(engine, ask, "bell") == {"a"}


def test_after_the_engine_was_closed_it_answers_on(engine):
    ask = Question()
    write(engine, "a")
    recall(engine, ask, "bell")
    engine.dispose()
    assert recall(engine, ask, "bell") == {"a"}


def test_a_file_put_in_the_place_of_another_is_another_database(tmp_path):
    path = tmp_path / "mobigo.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    write(engine, "old")
    ask = Question()
    assert recall(engine, ask, "bell") == {"old"}
    beside = open_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    migrate(beside)
    write(beside, "new")
    beside.dispose()
    shutil.move(path, tmp_path / "away")
    with pytest.raises(Unavailable):
        recall(engine, ask, "bell")
    engine.dispose()
    for left in tmp_path.glob(f"{path.name}*"):
        left.unlink()
    shutil.move(tmp_path / "new.sqlite3", path)
    assert recall(engine, ask, "bell") == {"new"}
    assert find_file(engine) == path
    engine.dispose()


def test_a_database_in_memory_is_asked_each_time():
    engine = open_engine("sqlite://")
    migrate(engine)
    ask = Question()
    assert [recall(engine, ask, "bell") for _ in range(2)] == [frozenset()] * 2
    assert ask.n_asked == 2
    engine.dispose()
