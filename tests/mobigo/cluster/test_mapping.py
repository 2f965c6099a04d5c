"""Work in pieces: the same on each engine, with what it tells, stopped when asked, and a failing piece by its name."""

from __future__ import annotations

import itertools
import os
import signal
import time
from importlib.util import find_spec

import pytest

from mobigo.cluster import Engine, Piece, PieceFailed, map_pieces
from mobigo.services.scolaire.regions import Asked, plan_region
from scolaire.generator import draw_region
from socle.errors import BadInput

MOST_S = 60


@pytest.fixture(scope="module")
def two_nodes():
    """A Ray cluster of two nodes on this machine, one core each."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'mobigo[cluster]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    small = {"num_cpus": 1, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    cluster.add_node(**small)
    ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(params=[Engine.SERIAL, Engine.PROCESSES, pytest.param(Engine.RAY, marks=pytest.mark.slow)])
def engine(request):
    if request.param is Engine.RAY:
        request.getfixturevalue("two_nodes")
    return request.param


def square(number, tell):
    """The square; tells the number and then half of the answer."""
    tell(number)
    tell(("half", number * number / 2))
    return number * number


def sulk(number, tell):
    """Fails at 3 and at 5."""
    if number == 3:
        raise ValueError("somebody's name")
    if number == 5:
        raise BadInput("no_such_day", day="5")
    return square(number, tell)


def wait_for_stop(number, tell):
    """Counts until it is told to stop, within a minute; what it has then."""
    end = time.monotonic() + MOST_S
    for count in itertools.count(1):
        if tell((number, count)):
            return number, count
        if time.monotonic() > end:
            return number, -1
    return None


def die(number, tell):
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def say_where(number, tell):
    return os.getpid()


def pieces(numbers):
    return [Piece(f"piece {number}", number) for number in numbers]


def test_every_engine_gives_the_same_in_the_same_order_and_tells_as_much(engine):
    told, ended = {}, {}
    found = map_pieces(
        square,
        pieces([5, 4, 1, 2, 3]),
        engine,
        n_workers=2,
        on_told=lambda index, said: told.setdefault(index, []).append(said),
        on_ended=ended.__setitem__,
    )
    assert found == [25, 16, 1, 4, 9]
    assert ended == dict(enumerate(found))
    assert told == {index: [n, ("half", n * n / 2)] for index, n in enumerate([5, 4, 1, 2, 3])}


def test_a_piece_that_fails_names_itself_after_the_others_are_done(engine):
    ended = {}
    with pytest.raises(PieceFailed) as failure:
        map_pieces(sulk, pieces(range(7)), engine, n_workers=2, on_ended=ended.__setitem__)
    assert failure.value.facts["piece"] == "piece 3"
    assert str(failure.value.facts["reason"]).startswith("ValueError, test_mapping.py:")
    assert "somebody" not in str(failure.value)
    assert ended == {n: n * n for n in (0, 1, 2, 4, 6)}


def test_what_our_own_errors_say_is_said_whole(engine):
    with pytest.raises(PieceFailed, match="no_such_day") as failure:
        map_pieces(sulk, pieces([4, 5]), engine)
    assert failure.value.facts["piece"] == "piece 5"


def test_asked_to_stop_each_piece_gives_what_it_has_and_those_not_begun_do_as_well(engine):
    said = []
    found = map_pieces(
        wait_for_stop,
        pieces([10, 20, 30]),
        engine,
        n_workers=2,
        on_told=lambda _index, each: said.append(each),
        is_stopped=lambda: len(said) >= 20,
    )
    assert [number for number, _ in found] == [10, 20, 30]
    assert all(count > 0 for _, count in found)


def test_nothing_to_do_is_nothing(engine):
    assert map_pieces(square, [], engine) == []


@pytest.mark.parametrize("engine", [Engine.PROCESSES, pytest.param(Engine.RAY, marks=pytest.mark.slow)])
def test_a_worker_that_is_killed_takes_its_piece_alone_with_it(engine, request):
    if engine is Engine.RAY:
        request.getfixturevalue("two_nodes")
    ended = {}
    with pytest.raises(PieceFailed) as failure:
        map_pieces(die, pieces(range(4)), engine, n_workers=1, on_ended=ended.__setitem__)
    assert failure.value.facts["piece"] == "piece 1"
    assert ended == {0: 0, 2: 2, 3: 3}


def test_processes_are_others_and_no_more_than_asked_for():
    where = map_pieces(say_where, pieces(range(6)), Engine.PROCESSES, n_workers=2)
    assert os.getpid() not in where
    assert len(set(where)) <= 2


def test_an_engine_that_is_not_installed_says_what_to_install(monkeypatch):
    from mobigo.cluster import on_ray

    monkeypatch.setattr(on_ray, "find_spec", lambda _name: None)
    with pytest.raises(BadInput, match="engine_missing"):
        map_pieces(square, pieces([1]), Engine.RAY)


@pytest.mark.slow
def test_a_region_is_planned_alike_on_two_nodes_and_here(two_nodes):
    sectors = list(draw_region(5, n_pupils=400, n_sectors=2))
    asked = Asked(mixed=True, seed=1, steps=200, n_pupils=150)
    serial, by_ray = (plan_region(sectors, asked, "région", each) for each in (Engine.SERIAL, Engine.RAY))
    assert by_ray == serial
    assert serial.n_pieces[0] > 2
