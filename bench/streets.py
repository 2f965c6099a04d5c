"""How fast streets are built and travelled: Porto Alegre, against NetworkX, SciPy and Valhalla.

    python bench/streets.py [EXTRACT.osm.pbf]

The extract is `poa-gtfs-and-osm/poa_osm.pbf` of the shared data. Building is timed in a process of its own,
with its peak memory. Searches take thread CPU time, the engines interleaved origin by origin in one process,
the smallest of three rounds; the matrix is that of 500 places by car. NetworkX and SciPy search the very
arrays of our walk profile from the node nearest to the origin, without joining places to streets; ours joins
the origin, and finds seconds and metres to 1,000 places. No time is printed while the costs of the three
differ. Valhalla answers isochrones and matrices on its own tiles of the same extract, with its own speeds:
its answers are not compared, only timed. SciPy and Valhalla are none of our dependencies and left out where
they are not installed (pip install scipy pyvalhalla-weekly).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history import machine, record
from routing.kernels.dijkstra import CLOSED, LENGTH_BITS, NOWHERE, Seeds, forget, make_room, spread
from routing.streets.graph import Streets, make_streets, open_streets, save_streets
from routing.streets.osm import read_extract, street_graph
from routing.streets.profiles import CAR, WALK
from routing.streets.travel import join, reach, travel_matrix

LIMIT_S = 900
ROUNDS = 3
N_ORIGINS, N_TARGETS, N_MATRIX = 200, 1_000, 500


def default_extract() -> Path:
    shared = Path(os.environ.get("MOBIGO_SHARED", Path(__file__).parents[2] / "shared"))
    return shared / "data" / "poa-gtfs-and-osm" / "poa_osm.pbf"


def build(extract: Path, folder: Path) -> None:
    """Build in this process and print what it took."""
    times = [time.process_time()]
    read, _ = read_extract(extract)
    times.append(time.process_time())
    graph = street_graph(read)
    times.append(time.process_time())
    make_streets(graph)  # compiles or loads the kernels
    times.append(time.process_time())
    streets, _ = make_streets(graph)
    times.append(time.process_time())
    save_streets(streets, folder)
    times.append(time.process_time())
    read_s, graph_s, _, compile_s, save_s = np.diff(times).tolist()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps({"read_s": read_s, "graph_s": graph_s, "compile_s": compile_s, "save_s": save_s, "peak_mb": peak_mb})
    )


def places_of(streets: Streets, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Places some tens of metres beside random points of the streets."""
    draw = np.random.default_rng(seed)
    points = draw.integers(0, len(streets.point_lat), n)
    return tuple(e7[points] / 1e7 + draw.normal(0, 2e-4, n) for e7 in (streets.point_lat, streets.point_lon))


def timed(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


Engine = Callable[[int], dict[int, int]]


def edges_of(streets: Streets) -> dict[tuple[int, int], int]:
    """The walk profile's edges: the cheapest where there are several."""
    ways = streets.ways["walk"]
    one = np.repeat(np.arange(streets.n_nodes), np.diff(ways.first_edge))
    cheapest: dict[tuple[int, int], int] = {}
    for a, b, ms in zip(one.tolist(), ways.edge_to.tolist(), ways.edge_ms.tolist(), strict=True):
        if ms != CLOSED:
            cheapest[a, b] = min(ms, cheapest.get((a, b), CLOSED))
    return cheapest


def by_networkx(streets: Streets) -> Engine:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(streets.n_nodes))
    graph.add_weighted_edges_from((a, b, ms) for (a, b), ms in edges_of(streets).items())
    return lambda node: nx.single_source_dijkstra_path_length(graph, node, cutoff=LIMIT_S * 1000)


def by_scipy(streets: Streets) -> Callable[[int], np.ndarray] | None:
    try:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra
    except ImportError:
        return None
    edges = edges_of(streets)
    ends = np.array(list(edges))
    costs = np.array(list(edges.values()), np.float64)  # a zero that is stored is an edge that costs nothing
    matrix = csr_array((costs, (ends[:, 0], ends[:, 1])), (streets.n_nodes, streets.n_nodes))
    return lambda node: dijkstra(matrix, indices=node, limit=LIMIT_S * 1000)


def search_walks(streets: Streets) -> dict[str, float]:
    """One to many within 15 minutes on foot: milliseconds a search of each engine."""
    lat, lon = places_of(streets, N_ORIGINS, 1)
    targets = join(streets, WALK, *places_of(streets, N_TARGETS, 2))
    rows = streets.ways["walk"].forward
    nodes = streets.piece_from[np.maximum(join(streets, WALK, lat, lon).piece, 0)]
    room = make_room(streets.n_nodes, len(rows.edge_to))
    nothing = np.zeros(1, np.int32)
    networkx, scipy = by_networkx(streets), by_scipy(streets)

    def ours(i: int) -> object:
        return reach(join(streets, WALK, lat[i : i + 1], lon[i : i + 1]), targets, LIMIT_S)

    def kernel(i: int) -> int:
        return spread(rows, Seeds(nodes[i : i + 1], nothing, np.zeros(1, np.int64)), LIMIT_S * 1000, 0, room)

    n_reached = []
    for i in range(N_ORIGINS):  # no time before the answers are equal
        n = kernel(i)
        told = {int(node): int(room.weight[node]) >> LENGTH_BITS for node in room.reached[:n]}
        forget(room, n)
        far = scipy(int(nodes[i])) if scipy else None
        same = far is None or told == {int(node): round(far[node]) for node in np.flatnonzero(np.isfinite(far))}
        if told != networkx(int(nodes[i])) or not same:
            sys.exit(f"the engines differ from node {nodes[i]}")
        n_reached.append(n)
        ours(i)
    assert (room.weight == NOWHERE).all()
    engines = {"ours": ours, "kernel": kernel, "networkx": lambda i: networkx(int(nodes[i]))}
    if scipy:
        engines["scipy"] = lambda i: scipy(int(nodes[i]))
    spent = {name: np.full(N_ORIGINS, np.inf) for name in engines}
    for _ in range(ROUNDS):
        for i in range(N_ORIGINS):
            for name, engine in engines.items():
                spent[name][i] = min(spent[name][i], timed(lambda engine=engine, i=i: engine(i)))
                if name == "kernel":
                    forget(room, n_reached[i])
    print(f"15 minutes on foot from {N_ORIGINS} places, {np.mean(n_reached):,.0f} junctions reached on average")
    for name, times in spent.items():
        mean, high = times.mean() * 1000, np.quantile(times, 0.95) * 1000
        print(f"  {name:10} mean {mean:7.3f} ms, 95 % {high:7.3f} ms, {1 / times.mean():10,.0f} a second")
    return {f"walk_15_min_{name}_ms": float(times.mean() * 1000) for name, times in spent.items()}


def search_matrix(streets: Streets) -> dict[str, float]:
    """A square table by car."""
    places = places_of(streets, N_MATRIX, 3)
    spots = join(streets, CAR, *places)
    travel_matrix(spots)
    ours_s = min(timed(lambda: travel_matrix(join(streets, CAR, *places))) for _ in range(ROUNDS))
    join_s = min(timed(lambda: join(streets, CAR, *places)) for _ in range(ROUNDS))
    cells = N_MATRIX * N_MATRIX
    print(f"{N_MATRIX} × {N_MATRIX} by car: {ours_s:.2f} s, {cells / ours_s:,.0f} cells a second")
    print(f"  joining a place to its street: {join_s / N_MATRIX * 1e6:.2f} microseconds")
    return {"matrix_cells_per_s": cells / ours_s, "join_us": join_s / N_MATRIX * 1e6}


def search_valhalla(extract: Path, streets: Streets, folder: Path) -> dict[str, float]:
    """The same questions to Valhalla, when it is installed."""
    try:
        import valhalla
        from valhalla.config import get_config
    except ImportError:
        print("Valhalla: not installed")
        return {}
    (folder / "tiles").mkdir()
    config = get_config(tile_extract="", tile_dir=str(folder / "tiles"), verbose=False)
    config["service_limits"]["auto"]["max_matrix_location_pairs"] = N_MATRIX * N_MATRIX
    (folder / "valhalla.json").write_text(json.dumps(config))
    builder = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
    program = [str(builder), "-c", str(folder / "valhalla.json"), str(extract.resolve())]  # it writes where it stands
    begin = time.monotonic()
    if subprocess.run(program, capture_output=True, check=False, cwd=folder).returncode:
        print("Valhalla: its tiles cannot be built")
        return {}
    built_s = time.monotonic() - begin
    actor = valhalla.Actor(config)
    lat, lon = places_of(streets, N_ORIGINS, 1)
    times = []
    for i in range(N_ORIGINS):
        at = {"lat": float(lat[i]), "lon": float(lon[i])}
        asked = {"locations": [at], "costing": "pedestrian", "contours": [{"time": LIMIT_S / 60}]}
        actor.isochrone(asked)
        times.append(min(timed(lambda asked=asked: actor.isochrone(asked)) for _ in range(ROUNDS)))
    n = 100
    lat, lon = places_of(streets, n, 3)
    places = [{"lat": float(a), "lon": float(b)} for a, b in zip(lat, lon, strict=True)]
    asked = {"sources": places, "targets": places, "costing": "auto"}
    matrix_s = min(timed(lambda: actor.matrix(asked)) for _ in range(ROUNDS))
    spots = join(streets, CAR, lat, lon)
    ours_s = min(timed(lambda: travel_matrix(spots)) for _ in range(ROUNDS))
    print(f"Valhalla {valhalla.__version__}: tiles {built_s:.1f} s, 15-minute isochrone {np.mean(times) * 1000:.2f} ms")
    print(f"  {n} × {n} by car: {matrix_s * 1000:.0f} ms, ours {ours_s * 1000:.0f} ms")
    return {
        "valhalla_build_s": built_s,
        "valhalla_isochrone_15_min_ms": float(np.mean(times) * 1000),
        "valhalla_matrix_100_ms": matrix_s * 1000,
        "matrix_100_ms": ours_s * 1000,
    }


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "--build":
        build(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    extract = Path(sys.argv[1]) if len(sys.argv) > 1 else default_extract()
    if not extract.is_file():
        sys.exit(f"there is no {extract}")
    print(f"{machine()}; {extract.name}; thread CPU time, smallest of {ROUNDS} rounds")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        program = [sys.executable, __file__, "--build", str(extract), str(folder / "streets")]
        built = json.loads(subprocess.run(program, capture_output=True, text=True, check=True).stdout)
        streets = open_streets(folder / "streets")
        n_bytes = sum(path.stat().st_size for path in (folder / "streets").rglob("*") if path.is_file())
        steps = ", ".join(
            f"{name.removesuffix('_s')} {built[name]:.2f}" for name in ("read_s", "graph_s", "compile_s", "save_s")
        )
        whole_s = sum(seconds for name, seconds in built.items() if name.endswith("_s"))
        print(f"{streets.n_nodes:,} junctions, {streets.n_pieces:,} pieces, {n_bytes / 1e6:.1f} MB on disk")
        print(f"built in {whole_s:.2f} s of CPU ({steps}), peak memory {built['peak_mb']:.0f} MB")
        figures = {"build_s": whole_s, "build_peak_mb": built["peak_mb"], "disk_mb": n_bytes / 1e6}
        figures |= search_walks(streets) | search_matrix(streets) | search_valhalla(extract, streets, folder)
    record(f"streets, {extract.stem}", figures)


if __name__ == "__main__":
    main()
