import multiprocessing
import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from mobigo.security import (
    CSRF_LIFE,
    PERMISSIONS_OF,
    Keys,
    Permission,
    Role,
    check_password,
    hash_password,
    is_hash_old,
    is_password,
    new_code,
    new_token,
    open_keys,
    permissions_of,
    spelled_code,
)
from socle.errors import BadInput, Unavailable

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OLD, NEW = "a" * 32, "b" * 40
KEYS = Keys.of(OLD)


def test_every_role_has_its_line_in_the_table_and_every_permission_has_somebody():
    assert set(PERMISSIONS_OF) == set(Role)
    assert permissions_of(Role) == set(Permission)
    assert permissions_of([]) == set()


def test_who_prepares_and_who_watches_are_not_who_administers():
    administrator = permissions_of([Role.ADMINISTRATOR])
    assert Permission.AUDIT_READ not in administrator
    assert Permission.LEDGER_READ not in administrator
    assert Permission.ROLES_GIVE not in permissions_of(set(Role) - {Role.ADMINISTRATOR})


def test_keys_for_two_purposes_have_nothing_in_common_and_are_the_same_tomorrow():
    assert KEYS.derive("csrf") == Keys.of(OLD).derive("csrf")
    assert len({KEYS.derive("csrf"), KEYS.derive("sessions"), Keys.of(NEW).derive("csrf")}) == 3


def test_the_derivation_is_hkdf_as_rfc_5869_says():
    import hashlib
    import hmac

    extracted = hmac.digest(bytes(32), OLD.encode(), hashlib.sha256)
    assert KEYS.derive("csrf") == hmac.digest(extracted, b"mobigo/csrf\x01", hashlib.sha256)


@pytest.mark.parametrize("master", ["", "short", f"{OLD} short"])
def test_a_master_key_that_could_be_guessed_is_refused(master):
    with pytest.raises(BadInput, match="secret_key_short"):
        Keys.of(master)


def test_keys_do_not_show_themselves():
    assert OLD not in repr(KEYS) + repr(vars(KEYS))


# --- sealed columns ---


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_what_is_sealed_opens_in_its_place_alone(plain):
    sealed = KEYS.seal(plain, "identity.email:1")
    assert KEYS.open(sealed, "identity.email:1") == plain
    assert sealed != KEYS.seal(plain, "identity.email:1")
    with pytest.raises(Unavailable, match="sealed_unreadable"):
        KEYS.open(sealed, "identity.email:2")


def test_no_byte_of_what_is_sealed_can_be_changed():
    sealed = KEYS.seal("Camille", "identity.name:1")
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(Unavailable, match="sealed_unreadable"):
            KEYS.open(bytes(altered), "identity.name:1")
    for length in range(len(sealed)):
        with pytest.raises(Unavailable, match="sealed_unreadable"):
            KEYS.open(sealed[:length], "identity.name:1")


def test_a_new_key_seals_while_the_old_one_still_opens_and_finds():
    old = KEYS.seal("Camille", "identity.name:1")
    both = Keys.of(f"{NEW} {OLD}")
    assert both.open(old, "identity.name:1") == "Camille"
    assert not both.is_current(old)
    new = both.seal("Camille", "identity.name:1")
    assert both.is_current(new)
    assert Keys.of(NEW).open(new, "identity.name:1") == "Camille"
    with pytest.raises(Unavailable, match="sealed_unreadable"):
        Keys.of(NEW).open(old, "identity.name:1")
    assert both.blinds("email", "a@b.fr") == (Keys.of(NEW).blind("email", "a@b.fr"), KEYS.blind("email", "a@b.fr"))


def test_the_seal_is_aes_gcm_that_others_can_open():
    sealed = KEYS.seal("Camille", "identity.name:1")
    opened = AESGCM(KEYS.derive("columns")).decrypt(sealed[5:17], sealed[17:], sealed[:5] + b"identity.name:1")
    assert opened == b"Camille"


def test_an_index_of_one_column_says_nothing_of_another():
    assert KEYS.blind("email", "x") == KEYS.blind("email", "x")
    assert len({KEYS.blind("email", "x"), KEYS.blind("phone", "x"), KEYS.blind("email", "y")}) == 3


# --- the key file ---


def test_the_key_file_is_made_once_and_is_nobody_elses(tmp_path):
    keys = open_keys("", tmp_path / "data")
    path = tmp_path / "data" / "secret.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_keys("", tmp_path / "data").derive("x") == keys.derive("x")
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["secret.key"]
    path.chmod(0o640)
    with pytest.raises(BadInput, match="secret_key_readable"):
        open_keys("", tmp_path / "data")
    assert open_keys(OLD, tmp_path / "data").derive("x") == KEYS.derive("x")


def _key_of(folder):
    return open_keys("", folder).derive("x")


def test_processes_that_start_together_agree_on_the_key(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_key_of, [tmp_path] * 8))) == 1


# --- passwords, tokens, codes ---


def test_a_password_is_known_by_its_hash_alone():
    hashed = hash_password("une phrase assez longue")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert is_password(hashed, "une phrase assez longue")
    assert not is_password(hashed, "une phrase assez longue ")
    assert not is_password(None, "une phrase assez longue")
    assert not is_password("nonsense", "une phrase assez longue")
    assert not is_hash_old(hashed)
    assert is_hash_old("$argon2id$v=19$m=19456,t=2,p=1$YWJjZGVmZ2g$iOvMAH0yvmFXyF3jcLHQYjGJdyJg6sGJ3gUy7XZ9mEo")


def test_one_accent_typed_in_two_ways_is_one_password():
    assert is_password(hash_password("café au lait noir"), "café au lait noir".replace("é", "e\u0301"))


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("court", "password_short"),
        ("a" * 257, "password_long"),
        ("aaaaaaaaaaaaaaaa", "password_plain"),
        ("abababababababab", "password_plain"),
        ("camille.durand", "password_plain"),
        ("Camille.Durand1", "password_plain"),
        ("exemple.test 12", "password_plain"),
    ],
)
def test_passwords_that_are_guessed_first_are_refused(password, code):
    with pytest.raises(BadInput, match=code):
        check_password(password, "camille.durand@exemple.test", "Camille")


def test_a_phrase_is_a_password():
    check_password("trois petits chats gris", "camille@exemple.test", "Camille")
    check_password("🌧" * 3 + "pluie fine", "camille@exemple.test")


def test_tokens_do_not_repeat_and_are_stored_as_something_else():
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch(r"[\w-]{43}", token) for token in tokens)
    token = tokens.pop()
    assert KEYS.token_hash(token) == KEYS.token_hash(token)
    assert KEYS.token_hash(token) != Keys.of(NEW).token_hash(token)


def test_codes_are_read_as_people_type_them():
    code = new_code()
    assert re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{5}-[2-9A-HJKMNP-TV-Z]{5}", code)
    assert spelled_code(f" {code.lower().replace('-', ' ')} ") == code


# --- CSRF ---


def test_a_form_token_is_of_one_browser_and_one_day():
    token = KEYS.csrf_token("browser", NOON)
    assert KEYS.is_csrf_token(token, "browser", NOON)
    assert KEYS.is_csrf_token(token, "browser", NOON + CSRF_LIFE)
    assert not KEYS.is_csrf_token(token, "browser", NOON + CSRF_LIFE + timedelta(seconds=1))
    assert not KEYS.is_csrf_token(token, "another", NOON)
    assert not Keys.of(NEW).is_csrf_token(token, "browser", NOON)
    assert token != KEYS.csrf_token("browser", NOON)


def test_a_form_token_holds_when_the_clock_steps_back_a_little_and_not_more():
    token = KEYS.csrf_token("browser", NOON)
    assert KEYS.is_csrf_token(token, "browser", NOON - timedelta(minutes=1))
    assert not KEYS.is_csrf_token(token, "browser", NOON - timedelta(minutes=10))


@given(st.text(max_size=80))
def test_what_is_no_form_token_is_refused_without_fault(token):
    assert not KEYS.is_csrf_token(token, "browser", NOON)


def test_no_letter_of_a_form_token_can_be_changed():
    token = KEYS.csrf_token("browser", NOON)
    for position in range(len(token) - 1):  # the last letter has bits that mean nothing
        altered = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert not KEYS.is_csrf_token(altered, "browser", NOON)
