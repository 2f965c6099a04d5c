"""Closed groups: who is tied to whom, and which of the groups that keep to themselves are held."""

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from covoiturage.fraud.groups import LARGEST, TIED_FROM, Couple, UnionFind, check_groups, closed_components
from tests.worlds.examples import random_examples

PAIRS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40)


@given(PAIRS)
@random_examples(100)
def test_union_find_gathers_the_connected_components(pairs):
    groups = UnionFind(20)
    for one, other in pairs:
        groups.union(one, other)
    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(20))
    found = {frozenset(i for i in range(20) if groups.find(i) == root) for root in {groups.find(i) for i in range(20)}}
    assert found == {frozenset(component) for component in nx.connected_components(graph)}


def test_only_rides_together_again_and_again_tie_and_crowds_are_no_group():
    ties = {(0, 1): TIED_FROM, (1, 2): TIED_FROM - 1, (3, 4): TIED_FROM + 9}
    assert sorted(closed_components(ties, 6).values()) == [[0, 1], [3, 4]]
    crowd = {(i, i + 1): TIED_FROM for i in range(LARGEST)}
    assert closed_components(crowd, 20) == {}
    del crowd[LARGEST - 1, LARGEST]
    assert list(closed_components(crowd, 20).values()) == [list(range(LARGEST))]


def life(*outings):
    """Days of outings written `driver:passengers`, as couples."""
    couples = []
    for day, told in enumerate(outings):
        for number, outing in enumerate(told.split()):
            driver, passengers = outing.split(":")
            couples += [Couple(f"c{day}-{number}", f"c{day}-{number}-{who}", driver, who, day) for who in passengers]
    return couples


def codes(couples):
    return {str(label.code) for label in check_groups(couples)}


def test_three_who_take_each_other_all_day_are_held():
    assert codes(life(*["a:bc b:ca c:ab a:bc"] * 6)) == {"closed_group"}


def test_colleagues_who_drive_in_turns_are_not():
    assert codes(life(*["a:bc a:bc", "b:ca b:ca", "c:ab c:ab"] * 7)) == set()


def test_two_who_take_each_other_all_day_are_held_and_a_couple_that_shares_the_car_is_not():
    assert codes(life(*["a:b b:a a:b b:a"] * 6)) == {"closed_group"}
    assert codes(life(*["a:b a:b", "b:a b:a"] * 11)) == set()


def test_a_ride_with_an_outsider_now_and_then_hides_nobody():
    ring = ["a:bc b:ca c:ab a:bc"] * 8
    assert codes(life(*ring, "x:a", "b:y")) == {"closed_group"}


def test_a_few_days_tell_nothing():
    assert codes(life(*["a:bc b:ca c:ab"] * 3)) == set()


def test_a_driver_with_full_days_and_passengers_of_his_own_is_held():
    assert codes(life(*["a:bcd a:bcd a:bcd a:bcd"] * 5)) == {"captive_passengers"}


def test_a_driver_who_goes_to_work_with_neighbours_is_not():
    assert codes(life(*["a:bcd a:bcd"] * 22)) == set()


def test_passengers_who_ride_with_others_too_are_nobody_s():
    assert codes(life(*["a:bc a:bc a:bc z:b z:c"] * 8)) == set()


def test_facts_say_how_many_and_how_full_their_days_are():
    label = next(iter(check_groups(life(*["a:bc b:ca c:ab a:bc"] * 6))))
    assert dict(label.facts) == {"n_people": 3, "n_carpools": 24, "n_both": 3, "a_day": 4.0}
