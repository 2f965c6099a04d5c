import json
import shutil
import threading

import pytest

from mobigo.services.network.served import ServedNetwork
from mobigo.store import releases
from mobigo.store.files import point
from mobigo.store.streets import MANIFEST, builds_dir, current_link, find_streets
from socle.errors import Unavailable


def publish(data_dir, name, *, broken=False):
    folder = releases.releases_dir(data_dir) / name
    folder.mkdir(parents=True)
    (folder / releases.MANIFEST).write_text("{" if broken else json.dumps({"release": name}))
    point(releases.current_link(data_dir), f"releases/{name}")


def open_release(folder):
    try:
        return releases.read_manifest(folder)["release"]
    except ValueError:
        raise Unavailable("no_timetable", directory=str(folder)) from None


def test_without_a_network_the_service_says_so(tmp_path):
    with pytest.raises(Unavailable, match="no_network"):
        ServedNetwork(tmp_path, open_release).current()


def test_the_first_network_is_served_as_soon_as_it_is_there(tmp_path):
    served = ServedNetwork(tmp_path, open_release)
    publish(tmp_path, "r1")
    assert served.refresh() is True
    assert served.current() == "r1"


def test_a_new_release_is_swapped_in_whole_and_only_once(tmp_path):
    publish(tmp_path, "r1")
    served = ServedNetwork(tmp_path, open_release)
    served.refresh()
    assert served.current() == "r1"
    publish(tmp_path, "r2")
    assert served.current() == "r1"
    assert served.refresh() is True
    assert served.current() == "r2"
    assert served.refresh() is False


def test_a_release_that_cannot_be_opened_leaves_the_last_good_one(tmp_path):
    publish(tmp_path, "r1")
    served = ServedNetwork(tmp_path, open_release)
    served.refresh()
    publish(tmp_path, "r2", broken=True)
    with pytest.raises(Unavailable):
        served.refresh()
    assert served.current() == "r1"


def test_asking_never_waits_for_a_release_that_is_being_opened(tmp_path):
    opening, go_on = threading.Event(), threading.Event()

    def slowly(folder):
        opening.set()
        assert go_on.wait(10)
        return open_release(folder)

    publish(tmp_path, "r1")
    served = ServedNetwork(tmp_path, slowly)
    first = threading.Thread(target=served.refresh)
    first.start()
    assert opening.wait(10)
    with pytest.raises(Unavailable, match="no_network"):
        served.current()
    go_on.set()
    first.join(10)
    assert served.current() == "r1"


@pytest.mark.parametrize("fault", [Unavailable("no_timetable", directory="x"), OSError(5, "I/O"), KeyError("digest")])
def test_no_damaged_release_ends_the_watch(tmp_path, caplog, fault):
    tried, swapped = threading.Event(), threading.Event()

    def damaged(folder):
        if folder.name == "r2":
            tried.set()
            raise fault
        if folder.name == "r3":
            swapped.set()
        return open_release(folder)

    publish(tmp_path, "r1")
    served = ServedNetwork(tmp_path, damaged)
    served.watch(every_s=0.01)
    publish(tmp_path, "r2")
    assert tried.wait(10)
    assert served.current() == "r1"
    publish(tmp_path, "r3")
    assert swapped.wait(10)
    served.stop()
    assert served.current() == "r3"
    assert caplog.text.count("cannot be opened") == 1  # told once, however often it is tried


def test_a_release_that_disappears_goes_on_being_served(tmp_path):
    publish(tmp_path, "r1")
    served = ServedNetwork(tmp_path, open_release)
    served.refresh()
    shutil.rmtree(releases.network_dir(tmp_path))
    assert served.refresh() is False
    assert served.current() == "r1"


def test_requests_go_on_with_the_old_release_while_the_new_one_is_opened(tmp_path):
    opening, go_on = threading.Event(), threading.Event()

    def slowly(folder):
        if folder.name == "r2":
            opening.set()
            assert go_on.wait(10)
        return open_release(folder)

    publish(tmp_path, "r1")
    served = ServedNetwork(tmp_path, slowly)
    served.refresh()
    publish(tmp_path, "r2")
    swap = threading.Thread(target=served.refresh)
    swap.start()
    assert opening.wait(10)
    assert served.current() == "r1"
    go_on.set()
    swap.join(10)
    assert served.current() == "r2"


def test_the_watcher_sees_a_new_release_by_itself(tmp_path):
    swapped = threading.Event()

    def tell(folder):
        if folder.name == "r2":
            swapped.set()
        return open_release(folder)

    publish(tmp_path, "r1")
    served = ServedNetwork(tmp_path, tell)
    served.refresh()
    served.watch(every_s=0.01)
    publish(tmp_path, "r2")
    assert swapped.wait(10)
    served.stop()
    assert served.current() == "r2"


def test_other_streets_are_taken_up_as_another_release_is(tmp_path):
    publish(tmp_path, "r1")
    opened = []
    served = ServedNetwork(tmp_path, lambda _folder: opened.append(find_streets(tmp_path)))
    served.refresh()
    for name in ("s1", "s2"):
        folder = builds_dir(tmp_path) / name
        folder.mkdir(parents=True)
        (folder / MANIFEST).write_text("{}")
        point(current_link(tmp_path), f"builds/{name}")
        assert served.refresh() is True
        assert served.refresh() is False
    assert [path and path.name for path in opened] == [None, "s1", "s2"]
