import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.errors import BadInput
from socle.ids import check_source_id, pseudonym, safe_id, scoped_id, split_id


@given(st.text())
def test_any_object_id_survives_and_never_breaks_a_list(object_id):
    public_id = scoped_id("ter", object_id)
    assert split_id(public_id) == ("ter", object_id)
    assert not set(",; \n\t") & set(public_id)


def test_a_comma_is_encoded_and_an_accent_is_not():
    assert safe_id("Saône, gare") == "Saône%2C%20gare"


@pytest.mark.parametrize("source_id", ["", "TER", "ter:x", "-ter", "a b"])
def test_a_source_has_a_plain_name(source_id):
    with pytest.raises(BadInput, match="bad_source_id"):
        check_source_id(source_id)


def test_an_id_without_source_is_refused():
    with pytest.raises(BadInput, match="id_without_source"):
        split_id("87713040")


def test_a_pseudonym_is_the_same_for_the_same_key_and_tells_nothing_without_it():
    assert pseudonym(b"k" * 32, "p1") == pseudonym(b"k" * 32, "p1")
    assert len({pseudonym(b"k" * 32, "p1"), pseudonym(b"k" * 32, "p2"), pseudonym(b"l" * 32, "p1")}) == 3
    assert re.fullmatch(r"[a-z2-7]{26}", pseudonym(b"k" * 32, "p1"))
