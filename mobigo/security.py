"""Security: keys, roles and what each may do, passwords, tokens, and the sealing of identities.

One master key makes every other key (HKDF-SHA-256), one per purpose, so that none can stand in
for another. Nothing here reads a clock or a database. What a role may do is `PERMISSIONS_OF`, the
one table; every endpoint names the permission it asks for, and a test walks all of them.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import threading
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

import argon2
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from socle.errors import BadInput, Unavailable
from socle.ids import pseudonym

# --- who may do what -------------------------------------------------------------------------


class Role(StrEnum):
    """What somebody is for Mobigo; one person may be several."""

    TRAVELLER = "traveller"
    DRIVER = "driver"
    FAMILY = "family"
    AGENT = "agent"
    SCHOOL_OFFICE = "school_office"  # whose clerks register pupils and decide their files
    SCHOOL_PLANNER = "school_planner"
    SCHOOL_ORGANISER = "school_organiser"  # of a commune or a syndicate, which sees to its own pupils and stops
    SCHOOL_CARRIER = "school_carrier"  # who drives school coaches under a contract
    DISPATCHER = "dispatcher"
    FINANCE_CLERK = "finance_clerk"
    FINANCE_APPROVER = "finance_approver"
    INSPECTOR = "inspector"
    OPENDATA_PRODUCER = "opendata_producer"
    CARPOOL_OPERATOR = "carpool_operator"  # whose application accompanies carpools and declares them
    ADMINISTRATOR = "administrator"
    # The law gives the officer a look at everything done with personal data, and independence from those who do it.
    DATA_OFFICER = "data_officer"


# Roles that concern nobody but oneself and one's family; every other role works on what belongs to many.
PRIVATE_ROLES = frozenset({Role.TRAVELLER, Role.DRIVER, Role.FAMILY})


class Permission(StrEnum):
    """One thing that may be allowed."""

    OWN_ACCOUNT = "own_account"  # one's own details, sessions, keys and data
    PEOPLE_READ = "people_read"  # find people and see who they are
    PEOPLE_HELP = "people_help"  # make an account for somebody who calls or stands at the counter, and act for them
    PEOPLE_SUSPEND = "people_suspend"  # close an account to its owner, and open it again
    ROLES_GIVE = "roles_give"  # give and take roles
    AUDIT_READ = "audit_read"  # who did what, when, on whose data, why
    PERSONAL_DATA = "personal_data"  # export and erase somebody's data on their demand
    JOBS_READ = "jobs_read"  # what ran, runs, failed
    JOBS_STEER = "jobs_steer"  # run again, give up
    LEDGER_READ = "ledger_read"  # entries, balances, proofs
    CARPOOL_MONEY_READ = "carpool_money_read"  # the months of the carpool lines, in figures
    CARPOOL_MONEY_PREPARE = "carpool_money_prepare"  # decide a month, propose its payments, enter the bank's answer
    CARPOOL_MONEY_APPROVE = "carpool_money_approve"  # approve what somebody else proposed
    CARPOOL_POLICY_DRAFT = "carpool_policy_draft"  # propose rules for the carpool lines
    CARPOOL_POLICY_APPROVE = "carpool_policy_approve"  # approve or refuse rules that somebody else proposed
    CARPOOL_DECLARE = "carpool_declare"  # declare carpools of others, which an application of one's own accompanied
    CARPOOL_HOLDS = "carpool_holds"  # look at carpools that the fraud rules hold; release or refuse them
    SCHOOL_OFFICE = "school_office"  # the files of pupils: register, decide, answer families, import sectors
    SCHOOL_PLAN = "school_plan"  # the plans of school transport: make, change and publish them
    SCHOOL_MONEY_READ = "school_money_read"  # contracts with carriers, statements, costs
    SCHOOL_MONEY_PREPARE = "school_money_prepare"  # tell what was not run, propose a month
    SCHOOL_MONEY_APPROVE = "school_money_approve"  # approve a month that somebody else proposed
    SCHOOL_CARRY = "school_carry"  # the runs of one's own company: see them, say what was not run
    SCHOOL_ORGANISE = "school_organise"  # the pupils and stops of one's own communes and schools


_EVERYBODY = frozenset({Permission.OWN_ACCOUNT})

PERMISSIONS_OF: Mapping[Role, frozenset[Permission]] = {
    Role.TRAVELLER: _EVERYBODY,
    Role.DRIVER: _EVERYBODY,
    Role.FAMILY: _EVERYBODY,
    Role.AGENT: _EVERYBODY | {Permission.PEOPLE_READ, Permission.PEOPLE_HELP},
    Role.SCHOOL_OFFICE: _EVERYBODY
    | {Permission.SCHOOL_OFFICE, Permission.SCHOOL_MONEY_READ, Permission.SCHOOL_MONEY_PREPARE},
    Role.SCHOOL_PLANNER: _EVERYBODY | {Permission.SCHOOL_PLAN},
    Role.SCHOOL_ORGANISER: _EVERYBODY | {Permission.SCHOOL_ORGANISE},
    Role.SCHOOL_CARRIER: _EVERYBODY | {Permission.SCHOOL_CARRY},
    Role.DISPATCHER: _EVERYBODY,
    Role.FINANCE_CLERK: _EVERYBODY
    | {Permission.LEDGER_READ, Permission.CARPOOL_MONEY_READ, Permission.CARPOOL_MONEY_PREPARE}
    | {Permission.SCHOOL_MONEY_READ, Permission.SCHOOL_MONEY_PREPARE}
    | {Permission.CARPOOL_POLICY_DRAFT},
    Role.FINANCE_APPROVER: _EVERYBODY
    | {Permission.LEDGER_READ, Permission.CARPOOL_MONEY_READ, Permission.CARPOOL_MONEY_APPROVE}
    | {Permission.SCHOOL_MONEY_READ, Permission.SCHOOL_MONEY_APPROVE}
    | {Permission.CARPOOL_POLICY_APPROVE},
    Role.INSPECTOR: _EVERYBODY | {Permission.CARPOOL_HOLDS},
    Role.OPENDATA_PRODUCER: _EVERYBODY,
    Role.CARPOOL_OPERATOR: _EVERYBODY | {Permission.CARPOOL_DECLARE},
    Role.ADMINISTRATOR: _EVERYBODY
    | {
        Permission.PEOPLE_READ,
        Permission.PEOPLE_SUSPEND,
        Permission.ROLES_GIVE,
        Permission.JOBS_READ,
        Permission.JOBS_STEER,
    },
    Role.DATA_OFFICER: _EVERYBODY | {Permission.PEOPLE_READ, Permission.AUDIT_READ, Permission.PERSONAL_DATA},
}


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """What somebody with these roles may do."""
    return frozenset().union(*(PERMISSIONS_OF[role] for role in roles))


# --- keys ------------------------------------------------------------------------------------

LEAST_MASTER_LETTERS = 32
KEY_FILE = "secret.key"
_SEAL_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_OPEN_TO_OTHERS = 0o077


@cache
def _derived(secret: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"mobigo/{purpose}".encode()).derive(secret)


@dataclass(frozen=True)
class _Master:
    """One master key and what is derived from it."""

    secret: bytes = field(repr=False)

    def derive(self, purpose: str) -> bytes:
        return _derived(self.secret, purpose)

    @property
    def key_id(self) -> bytes:
        return self.derive("key id")[:_KEY_ID_BYTES]


class Keys:
    """Every key of one installation. The first master key seals; the older ones still open and find."""

    def __init__(self, masters: tuple[bytes, ...]) -> None:
        self._masters = tuple(_Master(secret) for secret in masters)

    @classmethod
    def of(cls, master: str) -> Keys:
        """The keys made from `master`; several, separated by blanks, while the key is being changed: the new one first.

        Raises:
            BadInput: `secret_key_short`.
        """
        words = master.split()
        if not words or any(len(word) < LEAST_MASTER_LETTERS for word in words):
            raise BadInput("secret_key_short", least=LEAST_MASTER_LETTERS)
        return cls(tuple(word.encode() for word in words))

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose and no other."""
        return self._masters[0].derive(purpose)

    # Identity columns: authenticated encryption, tied to the place where the value stands.

    def seal(self, plain: str, place: str) -> bytes:
        """`plain` encrypted (AES-256-GCM) for `place`, such as `identity.email:<person>`: it opens nowhere else."""
        master = self._masters[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _SEAL_VERSION + master.key_id
        return head + nonce + AESGCM(master.derive("columns")).encrypt(nonce, plain.encode(), head + place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """What was sealed for `place`.

        Raises:
            Unavailable: `sealed_unreadable`: altered, moved from another place, or of a key that is gone.
        """
        start = len(_SEAL_VERSION)
        head = sealed[: start + _KEY_ID_BYTES]
        nonce, body = sealed[len(head) : len(head) + _NONCE_BYTES], sealed[len(head) + _NONCE_BYTES :]
        for master in self._masters:
            if head == _SEAL_VERSION + master.key_id:
                try:
                    return AESGCM(master.derive("columns")).decrypt(nonce, body, head + place.encode()).decode()
                except (InvalidTag, ValueError):
                    break
        raise Unavailable("sealed_unreadable")

    def is_current(self, sealed: bytes) -> bool:
        """Whether the newest key sealed it; if not, it is to be sealed again."""
        return sealed.startswith(_SEAL_VERSION + self._masters[0].key_id)

    def blind(self, kind: str, value: str) -> str:
        """What stands for `value` in a column that is searched for equality: the value cannot be guessed from it."""
        return self.blinds(kind, value)[0]

    def blinds(self, kind: str, value: str) -> tuple[str, ...]:
        """`blind` under every key, the newest first: what to search for while the key is being changed."""
        told = f"{kind}\0{value}".encode()
        return tuple(hmac.digest(master.derive("blind index"), told, "sha256").hex() for master in self._masters)

    def pseudonym(self, person_id: str) -> str:
        """The name under which everything but the identity of a person is kept."""
        return pseudonym(self.derive("pseudonyms"), person_id)

    def token_hash(self, token: str) -> str:
        """What is stored of a session's token or an API key: who reads or writes the table still cannot forge one."""
        return hmac.digest(self.derive("sessions"), token.encode(), "sha256").hex()

    def is_token(self, hashed: str, token: str) -> bool:
        """Whether `hashed` is that of `token`, under any key."""
        digests = [hmac.digest(master.derive("sessions"), token.encode(), "sha256").hex() for master in self._masters]
        return any(hmac.compare_digest(hashed, digest) for digest in digests)

    # Signatures: one pair of keys (Ed25519) for each purpose.

    def sign(self, purpose: str, message: bytes) -> tuple[bytes, bytes]:
        """The public key for `purpose`, and its signature under `message`."""
        private = Ed25519PrivateKey.from_private_bytes(self.derive(f"signatures: {purpose}"))
        return private.public_key().public_bytes_raw(), private.sign(message)

    # CSRF tokens: bound to the browser's cookie, new in each page so that compression betrays nothing.

    def csrf_token(self, binding: str, now: datetime) -> str:
        """A token for the forms of the browser whose cookie is `binding`."""
        head = secrets.token_bytes(8) + int(now.timestamp()).to_bytes(8)
        return base64.urlsafe_b64encode(head + self._csrf_digest(head, binding)).decode().rstrip("=")

    def is_csrf_token(self, token: str, binding: str, now: datetime) -> bool:
        """Whether `token` was made for `binding`, at most `CSRF_LIFE` ago."""
        try:
            raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return False
        head, digest = raw[:16], raw[16:]
        if not hmac.compare_digest(digest, self._csrf_digest(head, binding)):
            return False
        age_s = now.timestamp() - int.from_bytes(head[8:])
        return -CLOCKS_DIFFER.total_seconds() <= age_s <= CSRF_LIFE.total_seconds()

    def _csrf_digest(self, head: bytes, binding: str) -> bytes:
        return hmac.digest(self.derive("csrf"), head + binding.encode(), "sha256")


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` under `message` was made with the private twin of `public_key` (Ed25519)."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


CSRF_LIFE = timedelta(hours=24)
CLOCKS_DIFFER = timedelta(minutes=2)  # between two machines that serve one site


def open_keys(secret_key: str, data_dir: Path) -> Keys:
    """The keys of this installation: of the setting, or of a file of the data directory that is made once.

    Raises:
        BadInput: `secret_key_short`, `secret_key_readable`.
    """
    if secret_key.strip():
        return Keys.of(secret_key)
    path = data_dir / KEY_FILE
    if not path.exists():
        _make_key_file(path)
    if path.stat().st_mode & _OPEN_TO_OTHERS:
        raise BadInput("secret_key_readable", path=str(path))
    return Keys.of(path.read_text("ascii"))


def _make_key_file(path: Path) -> None:
    """Write a new key; of two processes that do so at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


# --- tokens and passwords --------------------------------------------------------------------


def new_token() -> str:
    """A secret nobody can guess: 256 bits, in letters that any header or address takes."""
    return secrets.token_urlsafe(32)


LEAST_PASSWORD_LETTERS = 12  # the CNIL's recommendation of 2022-07-21 where attempts are limited asks for less
MOST_PASSWORD_LETTERS = 256
_LEAST_DIFFERENT_LETTERS = 5
_COST = argon2.PasswordHasher()  # RFC 9106, second recommended option: 64 MiB, three passes, four lanes
_AT_ONCE = threading.BoundedSemaphore(4)  # so that a crowd at the sign-in takes 256 MiB and no more


def check_password(password: str, *not_within: str) -> None:
    """Refuse what is guessed first: short, of few letters, or one of the words in `not_within` (name, address).

    Raises:
        BadInput: `password_short`, `password_long`, `password_plain`.
    """
    if len(password) < LEAST_PASSWORD_LETTERS:
        raise BadInput("password_short", least=LEAST_PASSWORD_LETTERS)
    if len(password) > MOST_PASSWORD_LETTERS:
        raise BadInput("password_long", most=MOST_PASSWORD_LETTERS)
    folded = password.casefold()
    own = (word for text in not_within for word in text.casefold().replace("@", " ").split() if len(word) > 3)
    rest = folded
    for word in own:
        rest = rest.replace(word, "")
    if len(rest) < LEAST_PASSWORD_LETTERS // 2 or len(set(folded)) < _LEAST_DIFFERENT_LETTERS:
        raise BadInput("password_plain")


def hash_password(password: str) -> str:
    """What is stored of a password (argon2id)."""
    with _AT_ONCE:
        return _COST.hash(_spelled(password))


def is_password(hashed: str | None, password: str) -> bool:
    """Whether `password` is the one of `hashed`. Without one the same work is done: the time tells nothing."""
    try:
        with _AT_ONCE:
            _COST.verify(hashed or _nobodys_hash(), _spelled(password[: MOST_PASSWORD_LETTERS + 1]))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return hashed is not None


def is_hash_old(hashed: str) -> bool:
    """Whether the password was hashed at another cost than today's."""
    return _COST.check_needs_rehash(hashed)


def _spelled(password: str) -> bytes:
    """One spelling of accents, whatever the keyboard made of them."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@cache
def _nobodys_hash() -> str:
    return _COST.hash(secrets.token_bytes(32))


CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is mistaken for another, on paper or by telephone
N_CODE_LETTERS = 10  # 49 bits: far beyond the tries that are given


def new_code() -> str:
    """A code to be read and typed by a person: K7QX2-M9RTF."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(N_CODE_LETTERS))
    return f"{letters[:5]}-{letters[5:]}"


def spelled_code(typed: str) -> str:
    """The code as it was made, from what somebody typed: case, blanks and hyphens do not matter."""
    letters = "".join(char for char in typed.upper() if char.isalnum())
    return f"{letters[:5]}-{letters[5:]}"
