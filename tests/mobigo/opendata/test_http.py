import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobigo.opendata.http import Download, decide, render_body, takes_gzip

FILE = Download(1000, "abc", "application/zip", datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC), 60)
BEFORE, AT, AFTER = (f"Sat, 21 Nov 2026 {hour}:00:00 GMT" for hour in (11, 12, 13))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": '"abc"'}, 304),
        ({"if-none-match": 'W/"abc"'}, 304),
        ({"if-none-match": '"x", "abc"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"x"'}, 200),
        ({"if-none-match": '"x"', "if-modified-since": AFTER}, 200),  # the tag wins over the date
        ({"if-modified-since": AT}, 304),
        ({"if-modified-since": BEFORE}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-match": '"x"'}, 412),
        ({"if-match": 'W/"abc"'}, 412),  # a weak tag never matches strongly
        ({"if-match": '"abc"'}, 200),
        ({"if-match": "*"}, 200),
        ({"if-unmodified-since": BEFORE}, 412),
        ({"if-unmodified-since": AT}, 200),
        ({"range": "bytes=0-9"}, 206),
        ({"range": "bytes=0-9", "if-range": '"abc"'}, 206),
        ({"range": "bytes=0-9", "if-range": '"x"'}, 200),
        ({"range": "bytes=0-9", "if-range": AT}, 206),
        ({"range": "bytes=0-9", "if-range": BEFORE}, 200),
        ({"range": "bytes=0-9,20-29"}, 200),
        ({"range": "lines=0-9"}, 200),
        ({"range": "bytes=-"}, 200),
        ({"range": "bytes=9-2"}, 200),
        ({"range": "bytes=1000-"}, 416),
        ({"range": "bytes=-0"}, 416),
        ({"range": f"bytes={'9' * 5000}-"}, 416),  # more digits than Python turns into a number
        ({"range": "bytes=٣-"}, 200),
        ({"range": "bytes=0-9", "if-none-match": '"abc"'}, 304),
    ],
)
def test_the_status_follows_the_preconditions_in_their_order(headers, status):
    assert decide(FILE, "GET", headers).status == status


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=990-", 990, 1000),
        ("bytes=990-5000", 990, 1000),
        ("bytes=-10", 990, 1000),
        ("bytes=-5000", 0, 1000),
    ],
)
def test_a_range_says_which_bytes_it_is(asked, start, stop):
    reply = decide(FILE, "GET", {"range": asked})
    assert (reply.status, reply.start, reply.stop) == (206, start, stop)
    assert reply.headers["Content-Range"] == f"bytes {start}-{stop - 1}/1000"
    assert reply.headers["Content-Length"] == str(stop - start)


def test_a_number_of_many_digits_is_beyond_the_end_unless_they_are_zeros():
    assert decide(FILE, "GET", {"range": f"bytes=0-{'9' * 5000}"}).stop == 1000
    assert decide(FILE, "GET", {"range": f"bytes={'0' * 5000}7-"}).start == 7


@pytest.mark.parametrize(
    ("said", "takes"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("x-gzip", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("br, *;q=0", False),
    ],
)
def test_gzip_is_sent_to_those_who_take_it(said, takes):
    assert takes_gzip(said) is takes


LONG = b"x" * 5000


def test_a_tag_names_the_bytes_that_are_sent():
    _, plain, body = render_body(LONG, {}, tagged=True)
    _, zipped, packed = render_body(LONG, {"accept-encoding": "gzip"}, tagged=True)
    assert body == LONG
    assert gzip.decompress(packed) == LONG
    assert plain["ETag"] != zipped["ETag"]
    assert render_body(LONG, {"if-none-match": plain["ETag"]}, tagged=True)[0::2] == (304, b"")
    assert render_body(LONG, {"if-none-match": f'"x", W/{plain["ETag"]}'}, tagged=True)[0] == 304
    assert render_body(LONG, {"if-none-match": zipped["ETag"]}, tagged=True)[0] == 200
    assert "ETag" not in render_body(LONG, {"if-none-match": "*"})[1]


def test_head_tells_the_length_and_sends_nothing():
    reply = decide(FILE, "HEAD", {"range": "bytes=0-9"})
    assert (reply.status, reply.headers["Content-Length"], reply.start, reply.stop) == (200, "1000", 0, 0)


@given(
    st.sampled_from(["GET", "HEAD"]),
    st.dictionaries(
        st.sampled_from(["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"]),
        st.one_of(st.text(max_size=30), st.from_regex(r"bytes=\d{0,4}-\d{0,4}", fullmatch=True)),
    ),
)
def test_no_header_breaks_it_and_the_bytes_are_always_in_the_file(method, headers):
    reply = decide(FILE, method, headers)
    assert reply.status in {200, 206, 304, 412, 416}
    assert 0 <= reply.start <= reply.stop <= 1000
    assert reply.headers["ETag"] == '"abc"'
