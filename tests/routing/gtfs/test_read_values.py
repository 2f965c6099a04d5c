"""Rows and values: what is set apart, what is ignored, what is only told."""

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mobigo.texts import finding_sentence
from routing.gtfs.feed.values import read_times
from routing.gtfs.merge import merge_feeds
from routing.gtfs.read import FeedRefused, Limits, read_feed
from routing.gtfs.schema import TABLES, Presence
from socle.findings import Finding, Severity
from socle.times import find_gtfs_time_s, render_gtfs_time
from tests.worlds.feeds import SOUND, codes, read_files, spoilt, write_zip

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def lines(name, **changes):
    """The text of a table with some lines (2 is the first row) replaced, or added after the last."""
    rows = SOUND[f"{name}.txt"].splitlines()
    for key, text in changes.items():
        number = int(key.removeprefix("line"))
        rows[number - 1 : number] = [text]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("table", "text", "expected"),
    [
        ("stops", lines("stops", line5="lycee,Lycée,47.02,200,,"), (ERROR, "bad_longitude", 5)),
        ("stops", lines("stops", line5="lycee,Lycée,quarante,5,,"), (ERROR, "bad_latitude", 5)),
        ("stops", lines("stops", line5="lycee,Lycée,nan,5,,"), (ERROR, "bad_latitude", 5)),
        ("stops", lines("stops", line6="lycee,Encore,47,5,,"), (ERROR, "duplicate_key", 6)),
        ("stops", lines("stops", line6="lycee,Lycée,47.02,5.02,,"), (WARNING, "duplicate_row", 6)),
        ("stops", lines("stops", line5="lycee,Lycée,47.02,5.02,9,"), (WARNING, "unexpected_option", 5)),
        ("stops", lines("stops", line5="lycee,Lycée,47.02,5.02,quai,"), (WARNING, "bad_enum", 5)),
        ("stops", lines("stops", line3="gare-1,Gare,47,5,0,ailleurs"), (ERROR, "unknown_reference", 3)),
        ("stops", lines("stops", line6=",Sans nom,47,5,,"), (ERROR, "missing_value", 6)),
        ("stops", lines("stops", line6="stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station"),
         (WARNING, "header_again", 6)),
        ("stops", lines("stops", line6="place,Place,47,5,,,,de trop"), (ERROR, "row_too_long", 6)),
        ("stops", lines("stops", line6="place,Place,47"), (WARNING, "row_too_short", 6)),
        ("stops", lines("stops", line6='place,"Place,47,5,,'), (ERROR, "unclosed_quote", 6)),
        ("stops", lines("stops", line1="stop_id,stop_name,stop_lat,stop_lon,location_type ,parent_station"),
         (INFO, "header_blanks", 1)),
        ("stops", lines("stops", line1="Stop_ID,stop_name,stop_lat,stop_lon,location_type,parent_station"),
         (WARNING, "column_case", 1)),
        ("routes", "route_id,route_short_name,route_type,route_type\n12,12,3,5\n", (WARNING, "column_twice", 1)),
        ("routes", "route_id,,route_type\n12,x,3\n", (WARNING, "column_without_name", 1)),
        ("routes", "route_id,route_type,route_color\n12,3,#FF0000\n", (WARNING, "bad_color", 2)),
        ("routes", "route_id,route_type,route_url\n12,3,javascript:alert(1)\n", (WARNING, "bad_url", 2)),
        ("routes", "route_id,route_type,agency_id\n12,3,B\n", (ERROR, "unknown_reference", 2)),
        ("routes", lines("routes", line3="13,A,13,"), (ERROR, "missing_value", 3)),
        ("agency", lines("agency", line3="B,B,https://b.example,Europe/Dijon"), (ERROR, "bad_timezone", 3)),
        ("agency", "agency_id,agency_name,agency_timezone\nA,A,Europe/Paris\n", (ERROR, "missing_column", 1)),
        ("agency", lines("agency", line3="B,B,https://b.example,Europe/Zurich"), (WARNING, "several_timezones", None)),
        ("calendar", lines("calendar", line3="ete,1,1,1,1,1,0,0,20260230,20260831"), (ERROR, "bad_date", 3)),
        ("calendar", lines("calendar", line3="ete,1,1,1,1,1,0,2,20260701,20260831"), (ERROR, "unexpected_option", 3)),
        ("routes", "route_id,route_type\n12,42\n", (WARNING, "unexpected_option", 2)),
        ("trips", lines("trips", line4="99,semaine,nuit,"), (ERROR, "unknown_reference", 4)),
        ("trips", lines("trips", line4="12,dimanche,nuit,"), (ERROR, "unknown_reference", 4)),
        ("stop_times", lines("stop_times", line8="nuit,01:00:00,01:00:00,halle,1"), (ERROR, "unknown_reference", 8)),
        ("stop_times", lines("stop_times", line3="matin,07:18:00,07:19:00,place,2"), (ERROR, "unknown_reference", 3)),
        ("stop_times", lines("stop_times", line3="matin,7h18,07:19:00,halle,2"), (ERROR, "bad_time", 3)),
        ("stop_times", lines("stop_times", line3="matin,07:18:00,07:19:00,,2"), (ERROR, "missing_value", 3)),
        ("stop_times", lines("stop_times", line3="matin,07:18:00,07:19:00,halle,-2"), (ERROR, "bad_integer", 3)),
        ("stop_times", lines("stop_times", line8="soir,24:11:00,24:11:00,lycee,3"), (WARNING, "duplicate_row", 8)),
        ("stop_times", lines("stop_times", line8="soir,24:15:00,24:15:00,halle,3"), (WARNING, "same_sequence", 8)),
    ],
)  # fmt: skip
def test_each_fault_is_told_once_where_it_is(tmp_path, table, text, expected):
    severity, code, line = expected
    feed, findings = read_feed(write_zip(tmp_path / "val.zip", spoilt(**{table: text})), "val", max_bad_share=0.7)
    told = [finding for finding in findings if finding.code != "blanks_around"]
    assert [(finding.severity, finding.code, finding.file, finding.line) for finding in told] == [
        (severity, code, f"{table}.txt", line)
    ]
    assert all(finding_sentence(finding) for finding in findings)
    assert {"matin", "soir"} == set(feed.tables["trips"]["trip_id"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"line4": "matin,07:05:00,07:31:00,lycee,3"}, "time_goes_back"),
        ({"line3": "matin,07:19:00,07:18:00,halle,2"}, "time_goes_back"),
        ({"line2": "matin,,,gare-1,1"}, "end_without_time"),
    ],
)
def test_a_trip_that_cannot_run_is_set_apart_whole(tmp_path, changes, code):
    path = write_zip(tmp_path / "val.zip", spoilt(stop_times=lines("stop_times", **changes)))
    feed, findings = read_feed(path, "val", max_bad_share=0.6)
    assert [finding.code for finding in findings] == [code]
    assert finding_sentence(findings[0])
    assert feed.tables["trips"]["trip_id"].to_list() == ["soir"]
    assert feed.tables["stop_times"]["trip"].to_list() == [0, 0, 0]


def test_what_refers_to_a_trip_that_was_set_apart_goes_with_it(tmp_path):
    files = spoilt(stop_times=lines("stop_times", line4="matin,07:05:00,07:31:00,lycee,3"))
    files["frequencies.txt"] = "trip_id,start_time,end_time,headway_secs\nmatin,07:00:00,08:00:00,600\n"
    feed, findings = read_feed(write_zip(tmp_path / "val.zip", files), "val", max_bad_share=0.6)
    assert feed.n_rows("frequencies") == 0
    assert ("unknown_reference", "frequencies.txt", 2) in codes(findings)


def test_findings_of_one_kind_are_capped_and_the_rest_counted(tmp_path):
    added = "".join(f"x{n},Loin,95,5,,\n" for n in range(50))
    _, findings = read_files(tmp_path, spoilt(stops=SOUND["stops.txt"] + added))
    assert [finding.code for finding in findings] == ["bad_latitude"] * 20 + ["more_of_the_same"]
    assert findings[-1] == Finding(INFO, "more_of_the_same", "stops.txt", None, {"code": "bad_latitude", "n_more": 30})


def test_stop_times_are_sorted_and_hours_of_one_digit_read(tmp_path):
    rows = SOUND["stop_times.txt"].replace("07:", "7:").splitlines()
    text = "\n".join([rows[0], *reversed(rows[1:])])
    feed, findings = read_files(tmp_path, spoilt(stop_times=text))
    assert findings == []
    assert feed == read_files(tmp_path, SOUND)[0]
    assert feed.tables["stop_times"]["_line"].to_list() == [7, 6, 5, 4, 3, 2]


def test_calendar_dates_alone_are_a_calendar(tmp_path):
    files = spoilt(calendar=None, calendar_dates="service_id,date,exception_type\nsemaine,20261123,1\n")
    feed, findings = read_files(tmp_path, files)
    assert findings == []
    assert str(feed.tables["calendar_dates"]["date"][0]) == "2026-11-23"


def test_header_only_files_are_no_fault(tmp_path):
    files = {**SOUND, "transfers.txt": "from_stop_id,to_stop_id,transfer_type", "shapes.txt": _header("shapes")}
    feed, findings = read_files(tmp_path, files)
    assert findings == []
    assert feed.n_rows("transfers") == 0
    assert feed.tables["shapes"].schema["shape_pt_lat"] == pl.Float64


def _header(name):
    return ",".join(TABLES[name].columns) + "\n"


def test_both_spellings_of_flex_windows_are_read_and_one_is_kept(tmp_path):
    header = SOUND["stop_times.txt"].splitlines()[0] + ",start_pickup_dropoff_window,end_pickup_dropoff_window\n"
    row = "matin,,,halle,1,08:00:00,18:00:00\nsoir,,,halle,1,08:00:00,18:00:00\n"
    feed, findings = read_files(tmp_path, spoilt(stop_times=header + row))
    assert {code for code, *_ in codes(findings)} == {"former_column_name"}
    assert feed.tables["stop_times"]["start_pickup_drop_off_window"].to_list() == [28_800, 28_800]


def test_zones_and_groups_are_places_too(tmp_path):
    files = spoilt(
        stop_times="trip_id,stop_id,location_group_id,location_id,stop_sequence\n"
        "matin,,g,,1\nmatin,,,z,2\nsoir,,g,,1\nsoir,,,nulle part,2\nsoir,halle,,,3\n"
    )
    files["location_groups.txt"] = "location_group_id,location_group_name\ng,Le bourg\n"
    files["location_group_stops.txt"] = "location_group_id,stop_id\ng,halle\n"
    files["locations.geojson"] = '{"features": [{"id": "z"}]}'
    feed, findings = read_files(tmp_path, files)
    assert codes(findings) == [("unknown_reference", "stop_times.txt", 5)]
    assert feed.tables["stop_times"]["stop"].to_list() == [None, None, None, 2]


def test_a_table_without_its_columns_and_zones_that_are_none_are_carried_as_they_are(tmp_path):
    files = {**SOUND, "pathways.txt": "pathway_id,length\nc,3\n", "locations.geojson": '{"features": [{}]}'}
    feed, findings = read_files(tmp_path, files)
    assert {code for code, *_ in codes(findings)} == {"missing_column", "bad_locations"}
    assert "pathways" not in feed.tables
    assert feed.extra_files == {name: files[name].encode() for name in ("pathways.txt", "locations.geojson")}
    merged, _ = merge_feeds([feed, read_files(tmp_path, SOUND, "ville")[0]])
    assert merged.extra_files == {"val-pathways.txt": files["pathways.txt"].encode()}


@pytest.mark.parametrize("piece_bytes", [64, 200, 1000])
def test_pieces_of_any_size_give_the_same_feed(tmp_path, piece_bytes):
    text = SOUND["stop_times.txt"].replace(",halle,", ',"halle",').replace("matin", '"ma\ntin"')
    files = spoilt(stop_times=text, trips=SOUND["trips.txt"].replace("matin", '"ma\ntin"'))
    whole = read_files(tmp_path, files)[0]
    path = write_zip(tmp_path / "val.zip", files)
    pieces, findings = read_feed(path, "val", Limits(piece_bytes=piece_bytes))
    assert findings == []
    assert pieces == whole
    assert pieces.tables["stop_times"]["_line"].equals(whole.tables["stop_times"]["_line"])


@given(st.lists(st.integers(0, 999 * 3600) | st.text("0123456789:/. ", max_size=9)))
def test_times_are_read_like_the_slow_twin_reads_them(values):
    texts = [render_gtfs_time(value) if isinstance(value, int) else value.strip() or None for value in values]
    expected = [None if text is None else find_gtfs_time_s(text) for text in texts]
    assert read_times(pl.Series("t", texts, pl.String)).to_list() == expected


def _read_anything(path):
    """A feed and findings, or a refusal with reasons; anything else is a fault of ours."""
    findings: list[Finding] = []
    feed, reasons = None, ()
    try:
        feed, findings = read_feed(path, "val")
    except FeedRefused as refused:
        findings, reasons = list(refused.findings), refused.reasons
    assert reasons if feed is None else feed.n_rows("stop_times")
    for finding in findings:
        assert finding_sentence(finding)


ANYTHING = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ANYTHING
@given(st.binary(max_size=400))
@example(b"PK\x05\x06" + bytes(18))
def test_any_bytes_are_read_or_refused(tmp_path, content):
    path = tmp_path / "any.zip"
    path.write_bytes(content)
    _read_anything(path)


@ANYTHING
@given(st.data())
def test_a_zip_with_bytes_changed_anywhere_is_read_or_refused(tmp_path, data):
    content = bytearray(write_zip(tmp_path / "any.zip", SOUND).read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "any.zip"
    path.write_bytes(content)
    _read_anything(path)


CELLS = st.text(alphabet='ab1,;"\n\r\t é:-\0' + "\ufeff\u2028", max_size=8) | st.sampled_from(
    ["matin", "halle", "12", "07:00:00", "", "20261121", "47.1", "-1", "9" * 20, "1e400", "NaN", "A"]
)
NAMES = st.sampled_from(sorted({column for table in TABLES.values() for column in table.columns})) | CELLS


@st.composite
def csv_files(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=6))
    rows = draw(st.lists(st.lists(CELLS, max_size=7), max_size=6))
    return "\n".join(",".join(row) for row in [names, *rows])


@ANYTHING
@given(
    changes=st.dictionaries(
        st.sampled_from(sorted(TABLES)), csv_files() | st.binary(max_size=80), min_size=1, max_size=4
    ),
    zones=st.none()
    | st.binary(max_size=40)
    | st.sampled_from(["[]", "{}", '{"features": [1]}', '{"features": [{"id": {}}]}']),
)
def test_tables_full_of_anything_are_read_or_refused(tmp_path, changes, zones):
    files = spoilt(**changes)
    if zones is not None:
        files["locations.geojson"] = zones
    _read_anything(write_zip(tmp_path / "any.zip", files))


@ANYTHING
@given(st.data())
def test_a_sound_feed_with_any_cell_replaced_is_read_or_refused(tmp_path, data):
    files = dict(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        name = data.draw(st.sampled_from(sorted(files)))
        rows = [line.split(",") for line in files[name].splitlines()]
        row = data.draw(st.integers(0, len(rows) - 1))
        rows[row][data.draw(st.integers(0, len(rows[row]) - 1))] = data.draw(CELLS)
        files[name] = "\n".join(",".join(fields) for fields in rows)
    _read_anything(write_zip(tmp_path / "any.zip", files))


def test_the_schema_holds_the_whole_reference():
    assert len(TABLES) == 31
    assert sum(len(table.columns) for table in TABLES.values()) == 218
    for table in TABLES.values():
        assert table.key == ("*",) or all(name in table.columns for name in table.key)
        for column in table.columns.values():
            assert not column.essential or column.presence is Presence.REQUIRED
            assert not column.refers or column.space
