from datetime import date

import pytest

from mobigo.web import wording

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 min"),
        (20, "1 min"),
        (90, "2 min"),
        (3569, "59 min"),
        (3570, "1 h 00"),
        (5580, "1 h 33"),
        (86_400, "24 h 00"),
    ],
)
def test_durations_are_minutes_and_never_nothing(seconds, said):
    assert wording.duration(seconds) == said.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("metres", "said"),
    [(4, "0 m"), (447, "450 m"), (994, "990 m"), (995, "1 km"), (1234, "1,2 km"), (123_456, "123 km")],
)
def test_distances_are_rounded_to_what_a_walker_can_use(metres, said):
    assert wording.distance(metres) == said.replace(" ", NBSP)


@pytest.mark.parametrize(("grams", "said"), [(0, "0 g"), (850, "850 g"), (1000, "1,0 kg"), (2612, "2,6 kg")])
def test_grams_become_kilograms_with_a_comma(grams, said):
    assert wording.mass(grams) == said.replace(" ", NBSP)


def test_clocks_are_those_of_paris_in_winter_and_summer():
    assert wording.clock(1_795_502_400) == "07:40"  # 2026-11-24T06:40:00Z
    assert wording.clock(1_783_000_000) == "15:46"  # 2026-07-02T13:46:40Z


def test_days_are_written_out():
    assert wording.long_day(date(2026, 11, 24)) == f"mardi{NBSP}24 novembre 2026"
    assert wording.short_day(date(2026, 11, 24)) == f"mar.{NBSP}24{NBSP}nov."


def test_counts_follow_the_french_plural():
    assert wording.say_count("changes", 0) == "Direct"
    assert wording.say_count("changes", 1) == "1 correspondance"
    assert wording.say_count("changes", 2) == "2 correspondances"
    assert wording.say_count("results.count", 0) == "0 trajet"
    assert wording.say_count("about.status.trips", 1_000_000) == "1\u202f000\u202f000 courses"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("+33639980001", "06 39 98 00 01"),
        ("+41791234567", "+41791234567"),
        ("06 39", "06 39"),
        ("+33 6 39", "+33 6 39"),
        ("", ""),
    ],
)
def test_telephone_numbers_are_read_two_digits_at_a_time(number, said):
    assert wording.spelled_phone(number) == (said.replace(" ", NBSP) if number.startswith("+336") else said)
