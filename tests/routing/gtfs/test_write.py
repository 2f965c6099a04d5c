import io
import zipfile

import pytest
from hypothesis import given

from routing.gtfs.read import read_feed
from routing.gtfs.write import render_feed, render_table, write_feed
from tests.worlds.examples import random_examples
from tests.worlds.feeds import SOUND, any_feed, read_files, spoilt


@random_examples(100)
@given(feed=any_feed())
def test_what_is_written_reads_back_equal_and_writes_the_same_bytes(feed, tmp_path_factory):
    path = tmp_path_factory.mktemp("feed") / "feed.zip"
    write_feed(feed, path)
    again, _ = read_feed(path, "val", max_bad_share=1.0)
    assert again == feed
    assert render_feed(again) == path.read_bytes()


def test_unknown_files_and_columns_survive(tmp_path):
    files = spoilt(routes="route_id,route_type,couleur,route_short_name\n12,3,rouge,12\n")
    feed, _ = read_files(tmp_path, {**files, "horaires.pdf": b"%PDF \0", "sous/notes.txt": "a,b\n"})
    with zipfile.ZipFile(io.BytesIO(render_feed(feed))) as archive:
        assert archive.read("routes.txt").decode() == "route_id,route_short_name,route_type,couleur\n12,12,3,rouge\n"
        assert archive.read("horaires.pdf") == b"%PDF \0"
        assert archive.read("sous/notes.txt") == b"a,b\n"
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_times_past_midnight_and_small_numbers_are_written_as_gtfs_wants_them(tmp_path):
    stops = SOUND["stops.txt"].replace("47.02,5.02", "0.00002,-5.02")
    feed, _ = read_files(tmp_path, spoilt(stops=stops))
    assert b"soir,24:11:00,24:11:00,lycee,3\n" in b"".join(render_table(feed, "stop_times"))
    assert "lycee,Lycée,0.00002,-5.02,,\n".encode() in b"".join(render_table(feed, "stops"))


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path):
    feed, _ = read_files(tmp_path, SOUND)
    broken = feed.replace({"trips": feed.tables["trips"].head(1)})  # stop times of a trip that is gone
    target = tmp_path / "network.zip"
    target.write_bytes(b"last good")
    with pytest.raises(Exception, match="out of bounds"):
        write_feed(broken, target)
    assert target.read_bytes() == b"last good"
    assert not list(tmp_path.glob("*.part"))
