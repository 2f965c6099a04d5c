import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobigo.store.ledger.chain import (
    EMPTY_TREE,
    GENESIS,
    consistency_proof,
    entry_hash,
    inclusion_proof,
    next_chain,
    node_hash,
    subtrees_of,
    tree_head,
    verify_consistency,
    verify_inclusion,
)

DECIDED = (
    b'{"effective_at":"2026-03-02T07:10:00Z","facts_sha256":null,"key":"carpool:C1:decision:1","kind":"carpool_decided",'
    b'"postings":[["driver:d1:payable",-430],["region:subsidy_expense:bfc-lignes",430]],'
    b'"recorded_at":"2026-03-04T07:10:00Z","reverses":null,"seq":1}'
)
FARE = (
    b'{"effective_at":"2026-03-02T07:10:00Z","facts_sha256":null,"key":"ride:R1:fare","kind":"ride_fare",'
    b'"postings":[["passenger:p1:receivable",150],["region:fare_revenue",-150]],'
    b'"recorded_at":"2026-03-04T07:10:00Z","reverses":null,"seq":2}'
)


def test_the_two_rules_give_the_published_hashes():
    first, second = entry_hash(DECIDED), entry_hash(FARE)
    chain = next_chain(GENESIS, first)
    assert first.hex() == "3f4fa4816bbe16791fb770385414b31c4c745bd6aa2d1e70a15c29137fb3df66"
    assert chain.hex() == "ffa72b02ece809b843720b77f60d36714cc3f5031d246442e9db675893efbe42"
    assert second.hex() == "34a7ea311e8b7eb328f1c866275c7d7d360e365ad5a902e1c088aede284b92d3"
    assert next_chain(chain, second).hex() == "6d9f0364fbddce581ee4ed8cb97f616af6b257a80d11b5f32e8ef45199353043"
    assert tree_head([first, second]).hex() == "7d2b631ea331895bee829fa6df629cc710169f8e3ef71f6f709f57e42b7af353"
    assert EMPTY_TREE.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


# The leaves and the heads over the first 1 to 8 of them that implementations of RFC 6962 are tested with.
PUBLISHED_LEAVES = [
    bytes.fromhex(told)
    for told in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
PUBLISHED_HEADS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_heads_are_those_that_implementations_of_the_standard_agree_on():
    leaves = [entry_hash(leaf) for leaf in PUBLISHED_LEAVES]
    assert [tree_head(leaves[:size]).hex() for size in range(1, 9)] == PUBLISHED_HEADS


def head_by_definition(leaves):
    """RFC 6962, section 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return node_hash(head_by_definition(leaves[:cut]), head_by_definition(leaves[cut:]))


def leaves_of(size):
    return [entry_hash(b"%d" % number) for number in range(size)]


def test_every_proof_about_every_small_tree_holds_and_no_other():
    for size in range(1, 34):
        leaves = leaves_of(size)
        head, subtree = tree_head(leaves), subtrees_of(leaves)
        assert head == head_by_definition(leaves)
        for leaf in range(size):
            path = inclusion_proof(subtree, leaf, size)
            held = [
                (beside, at)
                for beside in range(size)
                for at in range(size)
                if verify_inclusion(leaves[beside], at, size, path, head)
            ]
            assert held == [(leaf, leaf)]
        for first in range(1, size + 1):
            path = consistency_proof(subtree, first, size)
            held = [
                earlier
                for earlier in range(1, size + 1)
                if verify_consistency(first, size, tree_head(leaves[:earlier]), head, path)
            ]
            assert held == [first]


@given(st.integers(2, 3000), st.data())
def test_a_proof_with_one_flipped_bit_or_a_step_more_or_less_is_refused(size, data):
    leaves = leaves_of(size)
    head, subtree = tree_head(leaves), subtrees_of(leaves)
    leaf, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    inclusion, consistency = inclusion_proof(subtree, leaf, size), consistency_proof(subtree, first, size)
    earlier = tree_head(leaves[:first])
    assert verify_inclusion(leaves[leaf], leaf, size, inclusion, head)
    assert verify_consistency(first, size, earlier, head, consistency)

    def spoilt(path):
        step, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        flipped = (int.from_bytes(path[step]) ^ 1 << bit).to_bytes(32)
        yield [*path[:step], flipped, *path[step + 1 :]]
        yield [*path[:step], *path[step + 1 :]]
        yield [*path, head]
        yield [*path[:step], path[step], *path[step:]]

    assert not any(verify_inclusion(leaves[leaf], leaf, size, path, head) for path in spoilt(inclusion))
    assert not any(verify_consistency(first, size, earlier, head, path) for path in spoilt(consistency))


def test_a_tree_grows_by_addition_alone():
    heads = [(size, tree_head(leaves_of(size))) for size in (1, 2, 3, 7, 8, 100)]
    subtree = subtrees_of(leaves_of(100))
    for (first, earlier), (second, later) in pairwise(heads):
        assert verify_consistency(first, second, earlier, later, consistency_proof(subtree, first, second))


@pytest.mark.parametrize(("leaf", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(leaf, size):
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(subtrees_of(leaves_of(size)), leaf, size)
    assert not verify_inclusion(leaves_of(1)[0], leaf, size, [], tree_head(leaves_of(size)))


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3)])
def test_there_is_no_proof_from_nothing_or_backwards(first, second):
    with pytest.raises(ValueError, match="no proof"):
        consistency_proof(subtrees_of(leaves_of(second)), first, second)
    assert not verify_consistency(first, second, EMPTY_TREE, tree_head(leaves_of(second)), [])
