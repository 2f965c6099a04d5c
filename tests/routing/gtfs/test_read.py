import zipfile

import pytest

from mobigo.texts import finding_sentence
from routing.gtfs.read import FeedRefused, Limits, read_feed
from socle.findings import Severity
from tests.worlds.feeds import SOUND, codes, read_files, spoilt, write_zip


def reasons(path, **options):
    with pytest.raises(FeedRefused) as refused:
        read_feed(path, "val", **options)
    assert all(finding_sentence(finding) for finding in refused.value.findings)
    return [(reason.code, reason.file) for reason in refused.value.reasons]


def times(feed):
    frame = feed.tables["stop_times"]
    trips, stops = feed.tables["trips"]["trip_id"], feed.tables["stops"]["stop_id"]
    return [
        (trips[trip], stops[stop], arrival, departure)
        for trip, stop, arrival, departure in frame.select("trip", "stop", "arrival_time", "departure_time").rows()
    ]


def test_a_sound_feed_is_read_whole_and_without_a_remark(tmp_path):
    feed, findings = read_files(tmp_path, SOUND)
    assert findings == []
    assert feed.source_id == "val"
    assert times(feed)[1:5] == [
        ("matin", "halle", 26_280, 26_340),
        ("matin", "lycee", 27_060, 27_060),
        ("soir", "gare-1", 85_800, 85_800),
        ("soir", "halle", None, None),
    ]
    assert times(feed)[5][2] == 24 * 3600 + 11 * 60
    assert feed.tables["stops"]["_line"].to_list() == [2, 3, 4, 5]
    assert feed.tables["stop_times"]["_line"].to_list() == [2, 3, 4, 5, 6, 7]


def test_a_folder_reads_like_its_zip(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, content in SOUND.items():
        (folder / name).write_text(content, "utf-8")
    assert read_feed(folder, "val")[0] == read_files(tmp_path, SOUND)[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", ",\n"),
        lambda text: text.replace("\n", " , \n").replace(",", " ,"),
        lambda text: text.replace(",", "\u2003,").replace("\n", "\u00a0\n"),
        lambda text: text + "\n\n",
        lambda text: "".join(",".join(f'"{v}"' for v in line.split(",")) + "\n" for line in text.splitlines()),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace(",", ";"),
        lambda text: text.encode("utf-16"),
    ],
    ids=[
        "crlf",
        "bom",
        "no last break",
        "trailing commas",
        "blanks",
        "odd blanks",
        "blank lines",
        "quotes",
        "cr",
        "semicolons",
        "utf-16",
    ],
)
def test_ways_of_writing_csv_do_not_change_what_is_read(tmp_path, change):
    files = {name: change(content) for name, content in SOUND.items()}
    feed, findings = read_files(tmp_path, files)
    assert feed == read_files(tmp_path, SOUND)[0]
    assert not [finding for finding in findings if finding.severity is Severity.ERROR]


def test_a_quoted_line_break_does_not_shift_the_line_numbers(tmp_path):
    gare = 'gare-1,"La\nGare ""A"", haute",47,5'
    stops = f"stop_id,stop_name,stop_lat,stop_lon\n{gare}\nhalle,Halle,47.1,5.1\nlycee,Lycée,47.2,5.2\n"
    feed, findings = read_files(tmp_path, spoilt(stops=stops))
    assert findings == []
    assert feed.tables["stops"]["stop_name"][0] == 'La\nGare "A", haute'
    assert feed.tables["stops"]["_line"].to_list() == [2, 4, 5]


def test_latin_1_is_read_and_told(tmp_path):
    files = {name: content.encode("latin-1") for name, content in SOUND.items()}
    feed, findings = read_files(tmp_path, files)
    assert feed == read_files(tmp_path, SOUND)[0]
    assert codes(findings) == [("not_utf8", "stops.txt", 5), ("not_utf8", "trips.txt", 2)]


def test_zip_inside_a_zip_and_folders_and_decoys_are_seen_through(tmp_path):
    inner = write_zip(tmp_path / "inner.zip", {f"reseau/{name}": text for name, text in SOUND.items()})
    with zipfile.ZipFile(inner, "a") as archive:
        archive.writestr("__MACOSX/reseau/._stops.txt", b"\0\1")
        archive.writestr("reseau/.DS_Store", b"\0")
    outer = write_zip(tmp_path / "outer.zip", {"lisez-moi.pdf": b"%PDF", "export.zip": inner.read_bytes()})
    feed, findings = read_feed(outer, "val")
    assert feed == read_files(tmp_path, SOUND)[0]
    assert {code for code, _, _ in codes(findings)} == {"zip_in_zip", "sub_folder", "decoys_ignored"}


def test_what_is_not_a_usable_archive_is_refused(tmp_path):
    whole = write_zip(tmp_path / "whole.zip", SOUND).read_bytes()
    (tmp_path / "text.zip").write_text("<html>404</html>")
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "nothing.zip").write_bytes(b"")
    assert reasons(tmp_path / "none.zip") == [("no_such_file", "")]
    assert reasons(tmp_path / "text.zip") == [("not_a_zip", "")]
    assert reasons(tmp_path / "cut.zip") == [("truncated_zip", "")]
    assert reasons(tmp_path / "nothing.zip") == [("not_a_zip", "")]
    assert reasons(write_zip(tmp_path / "empty.zip", {})) == [("no_tables", "")]
    two = {f"{folder}/{name}": text for folder in ("a", "b") for name, text in SOUND.items()}
    assert reasons(write_zip(tmp_path / "two.zip", two)) == [("several_feeds", "")]


def test_a_member_without_a_name_is_passed_over(tmp_path):
    path = write_zip(tmp_path / "val.zip", {**SOUND, "x": b""})
    content = path.read_bytes()
    directory = content.rindex(b"PK\x01\x02")
    path.write_bytes(content[:directory] + content[directory:].replace(b"x", b"\0", 1))
    assert read_feed(path, "val")[1] == []


def test_a_damaged_member_is_refused(tmp_path):
    path = write_zip(tmp_path / "whole.zip", SOUND)
    content = bytearray(path.read_bytes())
    place = content.index(b"stop_times.txt") + 30
    content[place : place + 20] = bytes(20)
    path.write_bytes(content)
    assert reasons(path) == [("unreadable_file", "stop_times.txt")]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    bomb = write_zip(tmp_path / "bomb.zip", {**SOUND, "shapes.txt": b" " * (17 << 20)})
    assert reasons(bomb) == [("zip_bomb", "")]
    big = write_zip(tmp_path / "big.zip", SOUND)
    assert reasons(big, limits=Limits(member_bytes=100)) == [("file_too_big", "")]
    assert reasons(big, limits=Limits(table_bytes=20)) == [("file_too_big", "")]
    assert reasons(big, limits=Limits(total_bytes=500)) == [("feed_too_big", "")]
    assert reasons(big, limits=Limits(n_members=3)) == [("too_many_files", "")]


def test_missing_and_empty_files_are_all_named(tmp_path):
    path = write_zip(tmp_path / "val.zip", spoilt(agency=None, calendar=None))
    assert reasons(path) == [("missing_file", "agency.txt"), ("missing_file", "calendar.txt")]
    path = write_zip(
        tmp_path / "val.zip", spoilt(trips="route_id,service_id,trip_id\n", routes="route_id,route_type\n")
    )
    assert reasons(path) == [("empty_table", "routes.txt"), ("empty_table", "trips.txt")]
    path = write_zip(tmp_path / "val.zip", spoilt(trips="", routes="route_short_name\n12\n"))
    assert reasons(path) == [("unusable_table", "routes.txt"), ("unusable_table", "trips.txt")]


def test_a_feed_with_half_its_trips_broken_is_refused_whole(tmp_path):
    broken = SOUND["stop_times.txt"].replace("matin,07:31:00,07:31:00", "matin,06:31:00,06:31:00")
    path = write_zip(tmp_path / "val.zip", spoilt(stop_times=broken))
    assert ("too_many_bad_rows", "trips.txt") in reasons(path)
    feed, findings = read_feed(path, "val", max_bad_share=0.5)
    assert codes(findings) == [("time_goes_back", "stop_times.txt", 4)]
    assert feed.tables["trips"]["trip_id"].to_list() == ["soir"]
    assert {trip for trip, *_ in times(feed)} == {"soir"}
