"""Ids: how an object of one source is named inside and outside Mobigo.

Inside, an object is `source:object`, so that two feeds can use the same string
for two things. Outside, an id may stand in lists separated by commas and in
addresses, so the characters that would break those are percent-encoded. A person
is named by a keyed pseudonym.
"""

from __future__ import annotations

import base64
import hmac
import re
from urllib.parse import unquote

from socle.errors import BadInput

_SOURCE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_UNSAFE = re.compile(r"[,;%\s\x00-\x1f\x7f]")


def check_source_id(source_id: str) -> str:
    """`source_id` itself when it may name a source: lower case letters, digits, hyphens.

    Raises:
        BadInput: `bad_source_id` otherwise.
    """
    if _SOURCE.fullmatch(source_id) is None:
        raise BadInput("bad_source_id", source_id=source_id)
    return source_id


def scoped_id(source_id: str, object_id: str) -> str:
    """The id of `object_id` of `source_id`, safe in lists and addresses."""
    return f"{source_id}:{safe_id(object_id)}"


def safe_id(object_id: str) -> str:
    """`object_id` with commas, semicolons, percent signs and blanks percent-encoded as UTF-8."""
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), object_id)


def split_id(public_id: str) -> tuple[str, str]:
    """The source and the object of a scoped id; `safe_id` undone on the object.

    Raises:
        BadInput: `id_without_source` when there is no colon.
    """
    source_id, colon, object_id = public_id.partition(":")
    if not colon:
        raise BadInput("id_without_source", id=public_id)
    return source_id, unquote(object_id)


def pseudonym(key: bytes, person_id: str) -> str:
    """The name of a person outside their identity: 26 letters that tell nothing without `key`.

    HMAC-SHA-256 cut to 128 bits, in lower-case base 32, so that it stands in addresses, tables and accounts.
    """
    digest = hmac.digest(key, b"person\0" + person_id.encode(), "sha256")[:16]
    return base64.b32encode(digest).decode().rstrip("=").lower()
