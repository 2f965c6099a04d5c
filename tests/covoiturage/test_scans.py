"""A code is good for a minute, for one outing and one end of a ride; what is stamped on it, for one device."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covoiturage.carpool import Side
from covoiturage.scans import Refused, Scan, Why, make_token, mark_of, outing_id_of, read_scan, stamp_token
from tests.worlds.outings import SEVEN

KEY = b"k" * 32
OUTING = outing_id_of(bytes(range(10)))
SECOND = timedelta(seconds=1)


def token(at=SEVEN, side=Side.BOARD):
    return make_token(KEY, OUTING, side, at)


@pytest.mark.parametrize("side", list(Side))
def test_a_code_says_its_outing_and_its_side_and_is_scanned_when_it_is_shown(side):
    scan = read_scan(KEY, token(side=side), "phone", SEVEN + 40 * SECOND)
    assert (scan.outing_id, scan.side, scan.at) == (OUTING, side, SEVEN + 40 * SECOND)


@pytest.mark.parametrize(("after_s", "is_read"), [(-31, False), (-30, True), (0, True), (90, True), (91, False)])
def test_a_code_lives_a_minute_and_the_difference_of_two_clocks(after_s, is_read):
    read = read_scan(KEY, token(), "phone", SEVEN + after_s * SECOND)
    assert isinstance(read, Scan) == is_read
    assert is_read or read == Refused(Why.EXPIRED)


def test_a_scan_that_was_stamped_is_of_its_moment_for_ten_minutes_on_the_device_that_made_it():
    stamped = stamp_token(KEY, token(), "phone", SEVEN + 50 * SECOND)
    scan = read_scan(KEY, stamped, "phone", SEVEN + timedelta(minutes=10))
    assert (scan.at, scan.mark) == (SEVEN + 50 * SECOND, mark_of(KEY, token()).mark)
    assert read_scan(KEY, stamped, "another", SEVEN + 60 * SECOND) == Refused(Why.OTHER_DEVICE)
    assert read_scan(KEY, stamped, "phone", SEVEN + timedelta(minutes=12)) == Refused(Why.EXPIRED)
    assert read_scan(KEY, stamped, "phone", SEVEN) == Refused(Why.EXPIRED)  # before it was made


def test_what_is_too_old_or_stamped_already_is_not_stamped():
    assert stamp_token(KEY, token(), "phone", SEVEN + timedelta(minutes=2)) == Refused(Why.EXPIRED)
    stamped = stamp_token(KEY, token(), "phone", SEVEN)
    assert stamp_token(KEY, stamped, "phone", SEVEN) == Refused(Why.UNREADABLE)


def test_two_codes_of_an_outing_are_told_apart_by_moment_and_side():
    drawn = [token(), token(SEVEN + SECOND), token(side=Side.ALIGHT)]
    assert len({mark_of(KEY, one).mark for one in drawn}) == 3


@given(st.integers(0, 2**40 - 1), st.sampled_from(["token", "stamp"]))
def test_whatever_bit_is_turned_the_code_is_none_of_ours(bits, kind):
    good = token() if kind == "token" else stamp_token(KEY, token(), "phone", SEVEN)
    at, letter = bits % len(good), chr(33 + bits % 90)
    changed = good[:at] + letter + good[at + 1 :]
    read = read_scan(KEY, changed, "phone", SEVEN)
    assert changed == good or read in (Refused(Why.UNREADABLE), Refused(Why.OTHER_DEVICE))


@given(st.text(max_size=80))
def test_any_text_is_answered(text):
    assert read_scan(KEY, text, "phone", SEVEN) == Refused(Why.UNREADABLE)
    assert mark_of(KEY, text) is None


def test_the_code_of_another_key_is_none_of_ours():
    assert read_scan(b"x" * 32, token(), "phone", SEVEN) == Refused(Why.UNREADABLE)
