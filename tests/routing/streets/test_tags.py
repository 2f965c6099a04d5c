import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.streets.tags import allowed, directions, is_limit_known, limits_km_h, read_km_h, slope_percent, width_m
from tests.worlds.examples import random_examples


@pytest.mark.parametrize(
    ("text", "km_h"),
    [
        ("50", 50),
        ("50 km/h", 50),
        ("50 mph", 80.4672),
        ("10 knots", 18.52),
        ("FR:urban", 50),
        ("FR:rural", 80),
        ("FR:motorway", 130),
        ("FR:zone30", 30),
        ("DE:zone:20", 20),
        ("walk", 20),
        ("50;30", 30),
        ("30; 50", 30),
        ("none", None),
        ("signals", None),
        ("0", None),
        ("-50", None),
        ("999", None),
        ("fast", None),
        ("50;fast", None),
        ("", None),
        ("٥٠", 50),
        ("1e3", None),
    ],
)
def test_a_speed_limit_is_read_or_known_to_be_none(text, km_h):
    assert read_km_h(text) == (None if km_h is None else pytest.approx(km_h))


def test_words_for_no_fixed_limit_are_known_and_junk_is_not():
    assert all(map(is_limit_known, ("none", "signals", "variable", "70")))
    assert not any(map(is_limit_known, ("fast", "0", "999", "")))


def test_a_limit_may_differ_by_direction():
    assert limits_km_h({"maxspeed": "80", "maxspeed:forward": "50"}) == (50, 80)
    assert limits_km_h({"maxspeed:backward": "30"}) == (None, 30)


def test_the_most_specific_key_decides_who_may_pass():
    keys = ("foot", "access")
    assert allowed({"access": "no", "foot": "yes"}, keys) is True
    assert allowed({"access": "yes", "foot": "private"}, keys) is False
    assert allowed({"foot": "perhaps", "access": "no"}, keys) is False
    assert allowed({"foot": "perhaps"}, keys) is None


@pytest.mark.parametrize(
    ("value", "ways"),
    [
        ("yes", (True, False)),
        ("-1", (False, True)),
        ("no", (True, True)),
        ("reversible", (False, False)),
        ("sometimes", (True, True)),
    ],
)
def test_one_ways(value, ways):
    assert directions({"oneway": value}, ("oneway",)) == ways
    assert directions({"oneway": value, "oneway:bicycle": "no"}, ("oneway:bicycle", "oneway")) == (True, True)


@pytest.mark.parametrize(
    ("text", "percent"), [("8%", 8), ("-12,5 %", 12.5), ("5°", 8.75), ("up", None), ("steep", None)]
)
def test_slopes(text, percent):
    assert slope_percent({"incline": text}) == percent


@pytest.mark.parametrize(("text", "metres"), [("0.8", 0.8), ("1,2 m", 1.2), ("narrow", None), ("3'", None)])
def test_widths(text, metres):
    assert width_m({"width": text}) == metres


@random_examples(300)
@given(st.text(max_size=20))
def test_whatever_somebody_typed_has_an_answer(text):
    limit = read_km_h(text)
    assert limit is None or 1 <= limit <= 200
    slope_percent({"incline": text})
    width_m({"width": text})
    assert allowed({"access": text}, ("access",)) in {True, False, None}
