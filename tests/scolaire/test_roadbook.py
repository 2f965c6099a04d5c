"""Road-books: what a driver is told of a run, from one drawn by hand."""

from dataclasses import replace

from scolaire.roadbook import Guidance, Hand, Turn, make_roadbook
from tests.worlds.plans import BACK, OUT, PLAN, STOPS, VALDAHON


def test_each_halt_says_who_gets_on_and_off_and_how_many_are_aboard_then():
    book = make_roadbook(PLAN, OUT)
    told = [(step.name, len(step.up), len(step.down), step.n_aboard) for step in book.steps]
    assert told == [
        ("Église d’Étalans", 2, 0, 2),
        ("Mairie", 6, 0, 8),
        ("Maternelle #[fictive]", 0, 1, 7),
        ("Collège de démonstration", 0, 7, 0),
    ]
    assert (book.n_pupils, book.n_fullest, book.n_wheelchairs) == (8, 8, 1)
    assert book.needs_attendant
    assert not make_roadbook(PLAN, BACK).needs_attendant


def test_legs_are_empty_from_the_depot_and_back_to_it():
    book = make_roadbook(PLAN, OUT)
    assert [step.leg.n_aboard for step in book.steps] == [0, 2, 8, 7]
    assert (book.home.n_aboard, book.home.metres, book.driven_m, book.empty_m) == (0, 500, 24_500, 8_500)
    assert (book.begins_s, book.ends_s) == (7 * 3600 - 600, 7 * 3600 + 2_220)


def test_the_runs_of_the_same_coach_before_and_after_are_named_when_they_share_a_day():
    assert [(make_roadbook(PLAN, run).before, make_roadbook(PLAN, run).after) for run in PLAN.runs] == [
        (None, "C001-S"),
        ("C001-M", None),
    ]
    wednesday = replace(PLAN.periods[1], days=1 << 2)
    apart = replace(PLAN, periods=(PLAN.periods[0], wednesday))
    assert make_roadbook(apart, OUT).after is None


def test_legs_are_guided_from_place_to_place_by_who_knows_the_streets():
    asked = []

    def guide(origin, destination):
        asked.append((origin, destination))
        return Guidance((Turn(120, Hand.LEFT, "Grande Rue"),), Hand.RIGHT)

    book = make_roadbook(PLAN, BACK, guide)
    assert asked == [(VALDAHON, VALDAHON), (VALDAHON, STOPS[0].position), (STOPS[0].position, VALDAHON)]
    assert book.steps[1].leg.guidance.turns[0].street == "Grande Rue"
