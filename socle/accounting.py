"""Accounting: double entry in whole cents. An entry that does not balance cannot be built.

A posting is one leg of an entry: so many cents on one account, debit above zero,
credit below. The postings of an entry sum to zero, so all accounts together do,
always. A mistake is never edited: it is reversed, and entered anew.

What is promised and not yet spent is *pending*: it stands on an account of its own
(`pending_of` names the account it was taken from), so a promise obeys the same
arithmetic as a payment and no amount is counted twice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from socle.errors import BadInput
from socle.money import Cents

MAX_POSTING_CENTS: Final = 10**15
"""Ten thousand billion euros: beyond it a posting is a slip, and sums of thousands still fit 64 bits."""
MAX_POSTINGS: Final = 500
_FIRST, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)  # a fact outside of it is a slip
REVERSAL: Final = "reversal"

_CODE = re.compile(r"[a-z0-9]+(?:[-_:][a-z0-9]+)*")
_KEY = re.compile(r"[!#-\[\]-~]{1,200}")  # visible ASCII but `"` and `\`: every JSON writer gives the same bytes
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_CODE = 150
_ACCOUNT = itemgetter(0)  # of a posting
_RECORDED_AT, _REVERSES, _SEQ = b',"recorded_at":"', b',"reverses":', b',"seq":'
_N_RECORDED_AT = len(b',"recorded_at":"2026-03-04T07:10:00Z"')


class Unbalanced(BadInput):
    """The postings are no entry: they do not sum to zero, or are too few, or one is empty or said twice."""


class AccountKind(StrEnum):
    """What an account stands for; the names are those that every accounting program knows."""

    ASSETS = "assets"
    LIABILITIES = "liabilities"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSES = "expenses"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the books; once opened it never changes.

    `code` is its name, from the general to the particular (`driver:d1:payable`): lower case
    letters and digits, with single hyphens and underscores between them, parted by colons. The
    balance may never go below `min_balance_cents`; None leaves it free. `pending_of` is the
    account whose pending amount stands here.

    Raises:
        BadInput: `bad_account`.
    """

    code: str
    kind: AccountKind
    min_balance_cents: Cents | None = None
    pending_of: str | None = None

    def __post_init__(self) -> None:
        if not _is_code(self.code) or self.pending_of == self.code:
            raise BadInput("bad_account", account=self.code)
        if self.min_balance_cents is not None and abs(self.min_balance_cents) > MAX_POSTING_CENTS:
            raise BadInput("bad_account", account=self.code)


class Posting(NamedTuple):
    """One leg of an entry: `cents` on `account`, debit above zero, credit below."""

    account: str
    cents: Cents


@dataclass(frozen=True, slots=True)
class Entry:
    """A balanced fact, as it is handed to the books.

    `key` names it once and for all: the same key with the same content is the same entry however
    often it is sent. `effective_at` is when the fact took place, kept in UTC and whole seconds.
    `reverses` is the key of the entry that a reversal undoes. `facts_sha256` is the hash of what
    the entry rests on, kept elsewhere. Postings are kept in the order of their accounts.

    Raises:
        Unbalanced: `unbalanced_entry`, `too_few_postings`, `zero_posting`, `account_twice`.
        BadInput: `bad_entry` names the field that is malformed.
    """

    key: str
    kind: str
    effective_at: datetime
    postings: tuple[Posting, ...]
    reverses: str | None = None
    facts_sha256: str | None = None

    def __post_init__(self) -> None:
        self._check_words()
        postings = sorted(self.postings, key=_ACCOUNT)
        if len(postings) < 2:
            raise Unbalanced("too_few_postings", key=self.key)
        total, before = 0, ""
        for account, cents in postings:
            if type(cents) is not int:
                raise BadInput("bad_entry", key=self.key, field="postings")
            if cents == 0:
                raise Unbalanced("zero_posting", key=self.key, account=account)
            if account == before:
                raise Unbalanced("account_twice", key=self.key, account=account)
            if not -MAX_POSTING_CENTS <= cents <= MAX_POSTING_CENTS or not _is_code(account):
                raise BadInput("bad_entry", key=self.key, field="postings")
            total += cents
            before = account
        if total != 0:
            raise Unbalanced("unbalanced_entry", key=self.key, off_by_cents=total)
        object.__setattr__(self, "postings", tuple(postings))
        if self.effective_at.tzinfo is not UTC or self.effective_at.microsecond:
            object.__setattr__(self, "effective_at", self.effective_at.astimezone(UTC).replace(microsecond=0))

    def _check_words(self) -> None:
        if _KEY.fullmatch(self.key) is None:
            raise BadInput("bad_entry", key=self.key[:200], field="key")
        if self.effective_at.tzinfo is None or not _FIRST <= self.effective_at < _END:
            raise BadInput("bad_entry", key=self.key, field="effective_at")
        if not _is_kind(self.kind) or (self.kind == REVERSAL) is not (self.reverses is not None):
            raise BadInput("bad_entry", key=self.key, field="kind")
        if self.reverses is not None and _KEY.fullmatch(self.reverses) is None:
            raise BadInput("bad_entry", key=self.key, field="reverses")
        if self.facts_sha256 is not None and _SHA256.fullmatch(self.facts_sha256) is None:
            raise BadInput("bad_entry", key=self.key, field="facts_sha256")
        if len(self.postings) > MAX_POSTINGS:
            raise BadInput("bad_entry", key=self.key, field="postings")


def reversal_of(entry: Entry, key: str, effective_at: datetime, facts_sha256: str | None = None) -> Entry:
    """The entry that undoes `entry`: its negation, under a key of its own."""
    negated = tuple(Posting(posting.account, -posting.cents) for posting in entry.postings)
    return Entry(key, REVERSAL, effective_at, negated, entry.key, facts_sha256)


def render_body(entry: Entry) -> bytes:
    """What makes it the same entry when it is sent again, as JSON, sorted keys, no spaces, UTF-8."""
    # No field can hold a character that JSON escapes. A test compares with the JSON of the library.
    postings = ",".join([f'["{account}",{cents}]' for account, cents in entry.postings])
    return (
        f'{{"effective_at":"{render_utc(entry.effective_at)}","facts_sha256":{_quoted(entry.facts_sha256)},'
        f'"key":"{entry.key}","kind":"{entry.kind}","postings":[{postings}],"reverses":{_quoted(entry.reverses)}}}'
    ).encode()


def record_body(body: bytes, seq: int, recorded_at: datetime) -> bytes:
    """The canonical bytes of the entry of that body, recorded as number `seq`: two fields more, in their place."""
    cut = body.rindex(_REVERSES)
    return b'%b,"recorded_at":"%b"%b,"seq":%d}' % (body[:cut], render_utc(recorded_at).encode(), body[cut:-1], seq)


def body_of(recorded: bytes) -> bytes:
    """The body of the entry with these canonical bytes: `record_body` undone.

    Raises:
        ValueError: they are not those of an entry.
    """
    begin = recorded.rindex(_RECORDED_AT)
    return recorded[:begin] + recorded[begin + _N_RECORDED_AT : recorded.rindex(_SEQ)] + b"}"


@lru_cache(maxsize=1_000)  # the entries of a car share theirs, and all that is recorded at once shares one
def render_utc(instant: datetime) -> str:
    """`instant` as 2026-03-04T07:10:00Z; parts of a second are left out."""
    return f"{instant.astimezone(UTC).isoformat()[:19]}Z"


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """An entry as the books hold it: its number, from 1 and without gap, and when it was recorded."""

    seq: int
    recorded_at: datetime
    entry: Entry


def read_recorded(recorded: bytes) -> RecordedEntry:
    """The entry that was recorded as these canonical bytes.

    Raises:
        BadInput: `bad_entry` when the bytes are not those of a recorded entry, to the letter.
    """
    try:
        read = json.loads(recorded)
        postings = tuple(Posting(account, cents) for account, cents in read["postings"])
        effective_at, recorded_at = (datetime.fromisoformat(read[name]) for name in ("effective_at", "recorded_at"))
        entry = Entry(read["key"], read["kind"], effective_at, postings, read["reverses"], read["facts_sha256"])
        found = RecordedEntry(read["seq"], recorded_at, entry)
        same = record_body(render_body(entry), found.seq, recorded_at) == recorded
    except (ValueError, TypeError, KeyError, AttributeError, BadInput):
        same = False
    if not same:
        raise BadInput("bad_entry", key="", field="bytes")
    return found


def _quoted(word: str | None) -> str:
    return "null" if word is None else f'"{word}"'


@lru_cache(maxsize=1_000)  # there are few
def _is_kind(kind: str) -> bool:
    return _KIND.fullmatch(kind) is not None


@lru_cache(maxsize=100_000)  # the accounts of a month come some forty times each
def _is_code(code: str) -> bool:
    return len(code) <= _MAX_CODE and _CODE.fullmatch(code) is not None
