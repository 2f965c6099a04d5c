import json
from dataclasses import replace

import pytest

from mobigo.services.journeys import open_network
from mobigo.services.streets import build_streets, find_generator
from mobigo.store.releases import MANIFEST as RELEASE_MANIFEST
from mobigo.store.releases import find_current
from mobigo.store.streets import find_streets
from routing.journeys.query import JourneyQuery, PointPlace
from tests.worlds.town import STREET, osm_text
from tests.worlds.valley import write_valley

INVENTED = osm_text({1: (0, 0), 2: (100, 0)}, [((1, 2), STREET)]).replace("a test", "mobigo demo")


@pytest.fixture
def served(tmp_path):
    write_valley(tmp_path)
    path = tmp_path / "town.osm"
    path.write_text(osm_text({1: (0, 0), 2: (100, 0)}, [((1, 2), STREET)]), "utf-8")
    build_streets(path, tmp_path)
    return tmp_path


def test_the_network_is_opened_with_the_streets_in_use(served):
    snapshot = open_network(find_current(served), 0, find_streets(served))
    assert snapshot.walks is not None
    assert open_network(find_current(served), 0).walks is None


def test_nobody_is_led_along_invented_streets_in_a_real_network(served):
    (served / "invented.osm").write_text(INVENTED, "utf-8")
    build_streets(served / "invented.osm", served)
    assert find_generator(served) == "mobigo demo"
    manifest = find_current(served) / RELEASE_MANIFEST
    told = json.loads(manifest.read_text("utf-8"))
    for is_demo in (True, False):
        manifest.write_text(json.dumps(told | {"demo": is_demo}), "utf-8")
        snapshot = open_network(find_current(served), 0, find_streets(served))
        assert (snapshot.walks is not None) is is_demo


@pytest.mark.parametrize("harm", ["missing", "cut", "version"])
def test_streets_that_cannot_be_opened_are_told_and_the_network_is_served_without(served, harm, caplog):
    streets = find_streets(served)
    if harm == "missing":
        (streets / "point_lat.npy").unlink()
    elif harm == "cut":
        (streets / "walk" / "edge_ms.npy").write_bytes(b"\x93NUMPY")
    else:
        manifest = json.loads((streets / "manifest.json").read_text())
        (streets / "manifest.json").write_text(json.dumps(manifest | {"schema": 99}))
    snapshot = open_network(find_current(served), 0, streets)
    assert snapshot.walks is None
    assert "streets cannot be opened" in caplog.text
    stop = snapshot.timetable.stop_at(0)
    asked = JourneyQuery(PointPlace(stop), PointPlace(stop), snapshot.timetable.valid[0])
    assert snapshot.search(replace(asked, modes=frozenset())).direct is not None
