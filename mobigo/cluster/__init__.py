"""Cluster: the one door to other processes and machines.

`map_pieces` is for work in independent pieces, wherever each of them is done; `Ahead` for work whose pieces come
one after another, each resting on the ones before.
"""

from mobigo.cluster.ahead import Ahead
from mobigo.cluster.mapping import Engine, map_pieces
from mobigo.cluster.watching import Piece, PieceFailed, Tell

__all__ = ["Ahead", "Engine", "Piece", "PieceFailed", "Tell", "map_pieces"]
