import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mobigo.store.files import building, clear_left_overs, keep_body, only_one, point, publish, sha256_of
from socle.errors import Conflict


def test_a_body_is_kept_once_under_its_hash(tmp_path):
    body = tmp_path / "feed.zip"
    body.write_bytes(b"bytes")
    sha256, kept = keep_body(tmp_path / "bodies", body)
    assert sha256 == hashlib.sha256(b"bytes").hexdigest() == sha256_of(kept)
    assert keep_body(tmp_path / "bodies", body) == (sha256, kept)
    assert [path.name for path in (tmp_path / "bodies").iterdir()] == [f"{sha256}.zip"]


def test_a_body_that_cannot_be_read_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        keep_body(tmp_path / "bodies", tmp_path / "absent.zip")
    assert not (tmp_path / "bodies").exists()


def test_a_folder_is_published_whole_or_not_at_all(tmp_path):
    with building(tmp_path / "releases") as built:
        (built / "deep").mkdir()
        (built / "deep" / "a").write_text("1")
        publish(built, tmp_path / "releases" / "r1")
    with pytest.raises(ZeroDivisionError), building(tmp_path / "releases") as built:
        (built / "half").write_text("2")
        raise ZeroDivisionError
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "releases",
        "releases/r1",
        "releases/r1/deep",
        "releases/r1/deep/a",
    ]


def test_what_a_killed_process_left_is_cleared_and_nothing_else(tmp_path):
    (tmp_path / ".building-left").mkdir()
    (tmp_path / ".building-left" / "half").write_text("x")
    (tmp_path / ".building-body").write_text("x")
    (tmp_path / "r1").mkdir()
    clear_left_overs(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["r1"]
    clear_left_overs(tmp_path / "absent")


@pytest.mark.parametrize("name", ["TER.ZIP", "ter.gtfs", "ter"])
def test_a_body_is_found_by_its_hash_whatever_it_was_called(tmp_path, name):
    (tmp_path / name).write_bytes(b"bytes")
    sha256, kept = keep_body(tmp_path / "bodies", tmp_path / name)
    assert kept.name == f"{sha256}.zip"


def test_what_never_ends_is_no_body(tmp_path):
    os.mkfifo(tmp_path / "pipe.zip")
    for endless in (tmp_path / "pipe.zip", Path("/dev/zero")):
        with pytest.raises(FileNotFoundError):
            keep_body(tmp_path / "bodies", endless)


def test_a_link_moves_in_one_step(tmp_path):
    link = tmp_path / "current"
    for target in ("r1", "r2"):
        (tmp_path / target).mkdir()
        point(link, target)
        assert link.resolve() == (tmp_path / target).resolve()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "r1", "r2"]


def test_two_processes_never_hold_the_same_lock_and_a_dead_one_holds_none(tmp_path):
    program = (
        "import sys, pathlib; from mobigo.store.files import only_one\n"
        "with only_one(pathlib.Path(sys.argv[1]), 'import'): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Conflict, match="already_running"), only_one(tmp_path, "import"):
        pass
    holder.kill()
    holder.communicate()
    with only_one(tmp_path, "import"):
        pass
