import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobigo.services.people.contacts import Contact, read_contact, read_email, read_name, read_phone
from socle.errors import BadInput


@pytest.mark.parametrize(
    ("typed", "email"),
    [
        ("Camille.Durand@Exemple.TEST", "camille.durand@exemple.test"),
        ("  a+b@exemple.test ", "a+b@exemple.test"),
        ("o'neil@exemple.test", "o'neil@exemple.test"),
    ],
)
def test_an_address_is_written_in_lower_case(typed, email):
    assert read_email(typed) == email


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "camille",
        "@exemple.test",
        "camille@",
        "camille@exemple",
        "camille@@exemple.test",
        "cam ille@exemple.test",
        ".camille@exemple.test",
        "camille@-exemple.test",
        "camille@exemple..test",
        "camille@exemple.test\nBcc: tous@exemple.test",
        "camille@exemple.test\r\n",
        "camille\0@exemple.test",
        "cаmille@exemple.test",  # a Cyrillic а
        "ｃamille@exemple.test",  # a full-width c
        "camille@exemplе.test",  # a Cyrillic е
        "camıl@exemple.test",  # a dotless i
        "\u212aamille@exemple.test",  # the sign of Kelvin, whose lower case is k
        "camille@exemple.test\u200b",
        '"camille"@exemple.test',
        "camille@[127.0.0.1]",
        "<camille@exemple.test>",
        f"{'a' * 65}@exemple.test",
        f"a@{'b.' * 130}test",
    ],
)
def test_what_is_no_plain_address_is_refused(typed):
    with pytest.raises(BadInput, match="bad_email"):
        read_email(typed)


@pytest.mark.parametrize(
    "typed",
    ["06 39 98 00 01", "0639980001", "+33 6 39 98 00 01", "0033639980001", "+33 (0)6.39.98.00.01", "06-39-98-00-01"],
)
def test_a_number_is_one_however_it_is_written(typed):
    assert read_phone(typed) == "+33639980001"


def test_a_number_abroad_keeps_its_country():
    assert read_phone("+41 31 322 21 11") == "+41313222111"


@pytest.mark.parametrize(
    "typed", ["", "06", "063998000", "06399800011", "+0639980001", "06 39 98 00 0a", "٠٦٣٩٩٨٠٠٠١", "+33639980001\n"]
)
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(BadInput, match="bad_phone"):
        read_phone(typed)


def test_either_is_known_by_how_it_looks():
    assert read_contact("a@exemple.test") == Contact("email", "a@exemple.test")
    assert read_contact("06 39 98 00 01") == Contact("phone", "+33639980001")
    with pytest.raises(BadInput, match="bad_contact"):
        read_contact("camille")


@given(st.text(max_size=300))
def test_whatever_is_typed_is_read_or_refused(typed):
    for read in (read_email, read_phone, read_contact, read_name):
        try:
            told = read(typed)
        except BadInput:
            continue
        if isinstance(told, str):
            assert read(told) == told


@pytest.mark.parametrize("typed", ["", "   ", "a\0b", "a\u200bb", "a\u202eb", "x" * 101])
def test_what_is_no_name_is_refused(typed):
    with pytest.raises(BadInput, match="bad_name"):
        read_name(typed)


@pytest.mark.parametrize(
    "name", ["Camille Durand", "Zoë d’Arc-Lévêque", "李 明", "<b>Robert</b>'); DROP TABLE person;--", "{{ 7*7 }}"]
)
def test_a_name_is_what_somebody_says_it_is(name):
    assert read_name(name) == name
