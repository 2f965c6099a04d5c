import pytest

from socle.money import render_euros


@pytest.mark.parametrize(
    ("cents", "euros"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (430, "4.30"), (-123_456, "-1234.56")]
)
def test_cents_are_told_in_euros_to_the_cent(cents, euros):
    assert render_euros(cents) == euros
