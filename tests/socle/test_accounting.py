import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.accounting import (
    MAX_POSTING_CENTS,
    Account,
    AccountKind,
    Entry,
    Posting,
    Unbalanced,
    body_of,
    read_recorded,
    record_body,
    render_body,
    reversal_of,
)
from socle.errors import BadInput
from socle.times import PARIS

TOOK_PLACE = datetime(2026, 3, 2, 7, 10, tzinfo=UTC)
RECORDED = datetime(2026, 3, 4, 7, 10, tzinfo=UTC)


def entry(*postings, key="ride:R1:fare", kind="ride_fare", effective_at=TOOK_PLACE, **more):
    return Entry(key, kind, effective_at, tuple(Posting(*posting) for posting in postings), **more)


FARE = (("passenger:p1:receivable", 150), ("region:fare_revenue", -150))


@pytest.mark.parametrize(
    ("postings", "code", "facts"),
    [
        ([("a", 1), ("b", -2)], "unbalanced_entry", {"off_by_cents": -1}),
        ([], "too_few_postings", {}),
        ([("a", 1)], "too_few_postings", {}),
        ([("a", 1), ("b", 0), ("c", -1)], "zero_posting", {"account": "b"}),
        ([("a", 1), ("b", -2), ("a", 1)], "account_twice", {"account": "a"}),
    ],
)
def test_an_entry_that_does_not_balance_cannot_be_built(postings, code, facts):
    with pytest.raises(Unbalanced) as refusal:
        entry(*postings)
    assert (refusal.value.code, refusal.value.facts) == (code, {"key": "ride:R1:fare", **facts})


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("key", {"key": ""}),
        ("key", {"key": "k" * 201}),
        ("key", {"key": "two words"}),
        ("key", {"key": 'a"b'}),
        ("key", {"key": "a\\b"}),
        ("key", {"key": "é"}),
        ("key", {"key": "a\n"}),
        ("kind", {"kind": ""}),
        ("kind", {"kind": "Ride"}),
        ("kind", {"kind": "reversal"}),
        ("kind", {"reverses": "ride:R0:fare"}),
        ("reverses", {"kind": "reversal", "reverses": ""}),
        ("effective_at", {"effective_at": TOOK_PLACE.replace(tzinfo=None)}),
        ("effective_at", {"effective_at": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)}),
        ("effective_at", {"effective_at": datetime(3000, 1, 1, tzinfo=UTC)}),
        ("effective_at", {"effective_at": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))}),
        ("facts_sha256", {"facts_sha256": "AB"}),
        ("facts_sha256", {"facts_sha256": "A" * 64}),
    ],
)
def test_a_malformed_field_is_named(field, change):
    with pytest.raises(BadInput) as refusal:
        entry(*FARE, **change)
    assert (refusal.value.code, refusal.value.facts["field"]) == ("bad_entry", field)


@pytest.mark.parametrize(
    "postings",
    [
        [("a", 1.5), ("b", -1.5)],
        [("a", True), ("b", -1)],
        [("a", MAX_POSTING_CENTS + 1), ("b", -MAX_POSTING_CENTS - 1)],
        [("A", 1), ("b", -1)],
        [("a:", 1), ("b", -1)],
        [("a" * 151, 1), ("b", -1)],
        [(f"a{number}", 1) for number in range(500)] + [("b", -500)],
    ],
)
def test_a_posting_is_whole_cents_within_reason_on_a_well_named_account(postings):
    with pytest.raises(BadInput) as refusal:
        entry(*postings)
    assert (refusal.value.code, refusal.value.facts["field"]) == ("bad_entry", "postings")


@pytest.mark.parametrize("code", ["", "Driver", "driver::payable", "driver:", "-a", "a_", "a-_b", "a b", "a" * 151])
def test_an_account_is_named_so_that_every_program_can_write_it(code):
    with pytest.raises(BadInput, match="bad_account"):
        Account(code, AccountKind.ASSETS)


def test_an_account_is_not_pending_of_itself_and_its_bound_is_within_reason():
    for terms in ({"pending_of": "a"}, {"min_balance_cents": MAX_POSTING_CENTS + 1}):
        with pytest.raises(BadInput, match="bad_account"):
            Account("a", AccountKind.ASSETS, **terms)


def test_the_order_of_postings_and_the_zone_of_instants_make_no_other_entry():
    winter = timezone(timedelta(hours=1))
    other = entry(*reversed(FARE), effective_at=datetime(2026, 3, 2, 8, 10, 0, 999_999, winter))
    assert other == entry(*FARE)
    assert render_body(other) == render_body(entry(*FARE))


DECIDED = entry(
    ("region:subsidy_expense:bfc-lignes", 430),
    ("driver:d1:payable", -430),
    key="carpool:C1:decision:1",
    kind="carpool_decided",
)


@pytest.mark.parametrize(
    ("seq", "made", "recorded"),
    [
        (
            1,
            DECIDED,
            (
                b'{"effective_at":"2026-03-02T07:10:00Z","facts_sha256":null,"key":"carpool:C1:decision:1",'
                b'"kind":"carpool_decided","postings":[["driver:d1:payable",-430],'
                b'["region:subsidy_expense:bfc-lignes",430]],"recorded_at":"2026-03-04T07:10:00Z","reverses":null,"seq":1}'
            ),
        ),
        (
            2,
            entry(*FARE),
            (
                b'{"effective_at":"2026-03-02T07:10:00Z","facts_sha256":null,"key":"ride:R1:fare","kind":"ride_fare",'
                b'"postings":[["passenger:p1:receivable",150],["region:fare_revenue",-150]],'
                b'"recorded_at":"2026-03-04T07:10:00Z","reverses":null,"seq":2}'
            ),
        ),
    ],
)
def test_the_canonical_bytes_are_these(seq, made, recorded):
    assert record_body(render_body(made), seq, RECORDED) == recorded
    found = read_recorded(recorded)
    assert (found.seq, found.recorded_at, found.entry) == (seq, RECORDED, made)


keys = st.from_regex(r"[!#-\[\]-~]{1,200}", fullmatch=True)
codes = st.from_regex(r"[a-z0-9]{1,9}([-_:][a-z0-9]{1,9}){0,5}", fullmatch=True)
NAIVE_BOUNDS = datetime(1970, 1, 2), datetime(2999, 12, 30)  # noqa: DTZ001  Hypothesis adds the zone
instants = st.datetimes(*NAIVE_BOUNDS, timezones=st.sampled_from([UTC, PARIS]), allow_imaginary=False)


@st.composite
def entries(draw):
    accounts = draw(st.lists(codes, min_size=2, max_size=6, unique=True))
    cents = draw(st.lists(st.integers(-(10**9), 10**9).filter(bool), min_size=len(accounts), max_size=len(accounts)))
    cents[-1] -= sum(cents)
    postings = tuple(Posting(*pair) for pair in zip(accounts, cents, strict=True) if pair[1])
    if len(postings) < 2:
        postings = (Posting(accounts[0], 1), Posting(accounts[1], -1))
    facts = draw(st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True))
    made = Entry(draw(keys), draw(st.sampled_from(["ride_fare", "k"])), draw(instants), postings, None, facts)
    return reversal_of(made, draw(keys), draw(instants), facts) if draw(st.booleans()) else made


@given(entries(), st.integers(1, 2**62), instants)
def test_the_bytes_are_those_of_any_json_writer_and_come_back_as_the_entry(made, seq, recorded_at):
    body = {
        "effective_at": made.effective_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "facts_sha256": made.facts_sha256,
        "key": made.key,
        "kind": made.kind,
        "postings": [[posting.account, posting.cents] for posting in made.postings],
        "reverses": made.reverses,
    }
    more = {"recorded_at": recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"), "seq": seq}
    recorded = record_body(render_body(made), seq, recorded_at)
    for told, values in ((render_body(made), body), (recorded, body | more)):
        assert told == json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    found = read_recorded(recorded)
    assert (found.entry, found.seq) == (made, seq)
    assert found.recorded_at == recorded_at.astimezone(UTC).replace(microsecond=0)
    assert body_of(recorded) == render_body(made)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"150]", b" 150]"),
        (b",150", b",151"),
        (b"null", b"0"),
        (b"Z", b"+00:00"),
        (b"}", b"}\n"),
        (b'"seq":2', b'"seq":"2"'),
        (b'"key"', b'"clef"'),
        (b"{", b"["),
    ],
)
def test_bytes_that_are_not_canonical_to_the_letter_are_no_entry(old, new):
    recorded = record_body(render_body(entry(*FARE)), 2, RECORDED)
    with pytest.raises(BadInput, match="bad_entry"):
        read_recorded(recorded.replace(old, new))


def test_a_reversal_is_the_negation_and_says_of_what():
    undone = reversal_of(DECIDED, "carpool:C1:reversal", RECORDED)
    assert (undone.kind, undone.reverses, undone.effective_at) == ("reversal", DECIDED.key, RECORDED)
    assert {posting.account: -posting.cents for posting in undone.postings} == {
        posting.account: posting.cents for posting in DECIDED.postings
    }
