"""SHA-256 of many messages side by side, against the library's of each."""

import random
from hashlib import sha256

import numpy as np
import pytest

from mobigo.store.ledger.abreast import BLOCK, hash_all, pad, put


def hashes(messages):
    """The hashes, by `hash_all`."""
    padded = np.full(sum(len(message) // BLOCK * BLOCK + 2 * BLOCK for message in messages), 0xAA, np.uint8)
    first, at = [0], 0
    for message in messages:
        at = pad(padded, at, put(padded, at, np.frombuffer(message, np.uint8), 0, len(message)))
        first.append(at // BLOCK)
    made = np.empty(len(messages) * 8, np.uint32)
    hash_all(padded.view(np.uint32), np.array(first), len(messages), made)
    return [made.tobytes()[at : at + 32] for at in range(0, len(messages) * 32, 32)]


@pytest.mark.parametrize(
    "lengths",
    [range(1, 200), [55, 56, 63, 64, 119, 120], [3], [0], [9_000, *[1] * 40, 70, 9_001], [200] * 64, [300] * 33],
)
def test_hashes_are_those_of_the_library(lengths):
    draws = random.Random(sum(lengths))
    messages = [draws.randbytes(length) for length in lengths]
    assert hashes(messages) == [sha256(message).digest() for message in messages]


def test_the_hash_of_the_standard_is_made():
    # FIPS 180-4's own example.
    assert hashes([b"abc"])[0].hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
