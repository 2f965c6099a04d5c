"""Contacts: names, e-mail addresses and telephone numbers as people type them, in one spelling each.

No folding of look-alikes: an address with a letter that is not plain ASCII is refused, for
`ｃamille@…` must not become somebody else's `camille@…`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from socle.errors import BadInput

MOST_NAME_LETTERS = 100
_MOST_EMAIL_LETTERS = 254  # RFC 5321, 4.5.3.1.3
_MOST_LOCAL_LETTERS = 64
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
_BETWEEN_DIGITS = str.maketrans("", "", " .-()/\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")  # E.164


@dataclass(frozen=True, slots=True)
class Contact:
    """Where somebody is reached, and by which they sign in: `kind` is email or phone."""

    kind: str
    value: str


def read_email(typed: str) -> str:
    """An e-mail address in lower case.

    Raises:
        BadInput: `bad_email`.
    """
    email = typed.strip(" ")
    local = email.partition("@")[0]
    if len(email) > _MOST_EMAIL_LETTERS or len(local) > _MOST_LOCAL_LETTERS or _EMAIL.fullmatch(email) is None:
        raise BadInput("bad_email")
    return email.lower()


def read_phone(typed: str) -> str:
    """A telephone number as E.164 has it; without a country, it is of France.

    Raises:
        BadInput: `bad_phone`.
    """
    digits = typed.translate(_BETWEEN_DIGITS)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    elif digits.startswith("0"):
        digits = f"+33{digits[1:]}"
    if digits.startswith("+330"):  # +33 (0)6 …
        digits = f"+33{digits[4:]}"
    if _PHONE.fullmatch(digits) is None or (digits.startswith("+33") and len(digits) != len("+33639980001")):
        raise BadInput("bad_phone")
    return digits


def read_contact(typed: str) -> Contact:
    """An e-mail address or a telephone number, whichever was typed.

    Raises:
        BadInput: `bad_contact`.
    """
    for kind, read in (("email", read_email), ("phone", read_phone)):
        try:
            return Contact(kind, read(typed))
        except BadInput:
            continue
    raise BadInput("bad_contact")


def read_name(typed: str) -> str:
    """A name in one spelling of its accents and blanks.

    Raises:
        BadInput: `bad_name`: empty, too long, or with characters that are no writing.
    """
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if not name or len(name) > MOST_NAME_LETTERS or any(unicodedata.category(char)[0] == "C" for char in name):
        raise BadInput("bad_name", most=MOST_NAME_LETTERS)
    return name
