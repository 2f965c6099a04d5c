"""Pieces made ahead by another process: in order, not too far ahead, begun anew, and never waited for in vain."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mobigo.cluster import Ahead
from mobigo.cluster.ahead import MOST_AHEAD


def count(first, last, start):
    """Whole numbers; each told with how many were used when it was asked for."""
    n_used = 0
    for number in range(first + start, last):
        n_used = yield number, n_used


def fail(start):
    yield start
    raise ValueError("somebody's name")


def tell_who(start):
    while True:
        yield os.getpid()


def test_pieces_come_in_their_order_and_then_none():
    with Ahead(count, (10, 15), 2) as ahead:
        for wanted in (12, 13, 14):
            assert ahead.take()[0] == wanted
            ahead.tell_used()
        assert ahead.take() is None
        assert ahead.take() is None


def test_no_more_are_made_than_may_wait():
    with Ahead(count, (0, 50), 0) as ahead:
        for number in range(20):
            made, n_used = ahead.take()
            assert made == number
            assert number < n_used + MOST_AHEAD
            ahead.tell_used()


def test_what_was_made_before_it_begins_anew_is_never_seen():
    with Ahead(count, (0, 1_000), 0) as ahead:
        assert ahead.take() == (0, 0)
        ahead.tell_used()
        ahead.begin(500)
        assert ahead.take() == (500, 0)
        ahead.begin(7)
        ahead.begin(998)
        assert [ahead.take(), ahead.take(), ahead.take()] == [(998, 0), (999, 0), None]


def test_what_goes_wrong_there_goes_to_the_log_without_its_words(caplog):
    with Ahead(fail, (), "first") as ahead, caplog.at_level(logging.WARNING):
        assert ahead.take() == "first"
        assert ahead.take() is None
    (line,) = caplog.records
    assert line.reason == "ValueError"


def test_a_process_that_is_gone_is_not_waited_for(caplog):
    with Ahead(tell_who, (), None) as ahead, caplog.at_level(logging.WARNING):
        os.kill(ahead.take(), signal.SIGKILL)
        while ahead.take() is not None:
            ahead.tell_used()
        ahead.tell_used()
        ahead.begin(None)
        assert ahead.take() is None
    assert "gone" in caplog.records[-1].reason


BEGIN_AND_WAIT = """
import sys
from mobigo.cluster import Ahead
from tests.mobigo.cluster.test_ahead import tell_who
if __name__ == "__main__":
    ahead = Ahead(tell_who, (), None)
    print(ahead.take(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_who_began_it(how):
    began = [sys.executable, "-c", BEGIN_AND_WAIT]
    with subprocess.Popen(began, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        other = int(process.stdout.readline())
        process.send_signal(how)
        process.wait()
        assert is_gone_within(other, 20)


def is_gone_within(pid, most_s):
    """Whether a process of nobody here ends; a dead one that nobody has buried counts as gone."""
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
    return False
