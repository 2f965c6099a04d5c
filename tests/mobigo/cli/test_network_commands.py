import csv
import json
import socket
import threading
import xml.etree.ElementTree as ET
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from mobigo.cli.sources import source_file
from mobigo.store import releases
from tests.worlds.feeds import SOUND, spoilt, write_zip


def answer(capsys):
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def sound(tmp_path):
    return str(write_zip(tmp_path / "val.zip", SOUND))


def test_a_sound_feed_is_checked_with_code_0(data_dir, sound, capsys):
    assert main(["feed", "check", sound, "--json"]) == ExitCode.OK
    told = answer(capsys)
    assert (told["usable"], told["errors"]) == (True, 0)
    assert main(["feed", "check", sound]) == ExitCode.OK


def test_a_bad_row_is_named_with_its_file_and_line_and_the_code_is_1(data_dir, tmp_path, capsys):
    routes = "route_id,agency_id,route_short_name,route_type\n12,A,12,3\n40,nobody,40,3\n"
    path = str(write_zip(tmp_path / "bad.zip", spoilt(routes=routes)))
    assert main(["feed", "check", path, "--json"]) == ExitCode.NO
    (finding,) = [each for each in answer(capsys)["findings"] if each["severity"] == "ERROR"]
    assert (finding["file"], finding["line"]) == ("routes.txt", 3)
    assert "nobody" in finding["sentence"]
    main(["feed", "check", path])
    assert "routes.txt:3" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_feed_is_refused_by_check_and_by_import(data_dir, tmp_path, capsys, content):
    path = tmp_path / "thing.zip"
    path.write_bytes(content)
    assert main(["feed", "check", str(path)]) == ExitCode.NO
    assert "refusé" in capsys.readouterr().out
    assert main(["feed", "import", str(path)]) == ExitCode.BAD_DATA
    assert "Rien n’a changé" in capsys.readouterr().err
    assert releases.find_current(data_dir) is None


def test_a_licence_is_kept_when_the_network_is_rebuilt(data_dir, sound, capsys):
    assert main(["feed", "import", f"val={sound}", "--licence", "val=etalab-2.0"]) == ExitCode.OK
    assert main(["network", "build"]) == ExitCode.OK
    capsys.readouterr()
    main(["network", "info", "--json"])
    assert answer(capsys)["sources"][0]["licence"] == "etalab-2.0"
    assert main(["feed", "import", f"val={sound}", "--licence", "autre=etalab-2.0"]) == ExitCode.BAD_DATA
    assert "« autre »" in capsys.readouterr().err.replace("\u00a0", " ")


def test_a_feed_that_came_under_another_ending_is_found_again(data_dir, sound, tmp_path):
    (tmp_path / "VAL.ZIP").write_bytes((tmp_path / "val.zip").read_bytes())
    assert main(["feed", "import", f"val={tmp_path / 'VAL.ZIP'}"]) == ExitCode.OK
    assert main(["network", "build"]) == ExitCode.OK


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("timetable/stop_lat.npy", b""),
        ("timetable/stop_lat.npy", None),
        ("timetable/manifest.json", b"{}"),
        ("manifest.json", b"{"),
        ("places.csv", b"x\na\n"),
    ],
)
def test_a_damaged_release_is_said_and_made_again(data_dir, sound, capsys, file, content):
    assert main(["feed", "import", f"val={sound}"]) == ExitCode.OK
    place = releases.find_current(data_dir) / file
    place.unlink()
    if content is not None:
        place.write_bytes(content)
    assert main(["plan", "Gare", "Lycée", "--at", "2026-11-24T07:00"]) == ExitCode.NO_NETWORK
    assert "abîmés" in capsys.readouterr().err
    assert main(["doctor"]) == ExitCode.NO
    assert "abîmés" in " ".join(capsys.readouterr().out.split())
    assert main(["feed", "import", f"val={sound}"]) == ExitCode.OK
    assert main(["place", "Gare"]) == ExitCode.OK


def test_a_feed_is_imported_described_measured_and_rebuilt(data_dir, sound, tmp_path, capsys):
    assert main(["feed", "import", f"val={sound}"]) == ExitCode.OK
    capsys.readouterr()
    assert main(["network", "info", "--json"]) == ExitCode.OK
    first = answer(capsys)
    assert (first["n_trips"], first["sources"][0]["id"]) == (2, "val")
    assert main(["network", "info"]) == ExitCode.OK
    assert first["release"] in capsys.readouterr().out
    assert main(["network", "build", "--json"]) == ExitCode.OK
    assert answer(capsys)["verdict"] == "served"
    main(["network", "info", "--json"])
    assert answer(capsys)["gtfs_sha256"] == first["gtfs_sha256"]
    folder = str(tmp_path / "figures")
    command = ["network", "stats", "--day", "2026-11-23", "--csv", folder, "--svg", folder, "--json"]
    assert main(command) == ExitCode.OK
    told = answer(capsys)
    assert [(line["n_trips"], line["day"]) for line in told["lines"]] == [(2, "2026-11-23")]
    with (tmp_path / "figures" / "lignes.csv").open() as file:
        assert [row["n_trips"] for row in csv.DictReader(file)] == ["2"]
    for chart in ("courses", "heures", "vitesses", "arrets"):
        assert ET.parse(tmp_path / "figures" / f"{chart}.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(("day", "code"), [("demain", ExitCode.USAGE), ("2026-11-22", ExitCode.NO)])
def test_a_day_that_is_none_or_without_service_is_said(data_dir, sound, capsys, day, code):
    assert main(["network", "stats", "--feed", sound, "--day", day]) == code
    assert day in capsys.readouterr().err


@pytest.mark.parametrize("command", [["network", "info"], ["network", "build"], ["network", "stats"]])
def test_without_a_network_the_code_is_3_and_the_sentence_says_what_to_do(data_dir, command, capsys):
    assert main(command) == ExitCode.NO_NETWORK
    assert "mobigo demo" in capsys.readouterr().err


def test_without_a_network_nothing_is_served(data_dir, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert main(["serve", "--port", str(port)]) == ExitCode.NO_NETWORK
    assert "mobigo demo" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_before_anything_starts(data_dir, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == ExitCode.UNAVAILABLE
    assert str(port) in capsys.readouterr().err


def test_a_data_directory_that_cannot_be_written_is_said(data_dir, sound, monkeypatch, capsys):
    monkeypatch.setenv("MOBIGO_DATA_DIR", "/sys/kernel/mobigo")  # where not even root may make a folder
    assert main(["feed", "import", f"val={sound}"]) == ExitCode.CANNOT_WRITE
    told = capsys.readouterr().err
    assert "Impossible d’écrire" in told
    assert len(told.splitlines()) == 1


def test_a_data_directory_that_is_a_file_is_said(data_dir, sound, capsys):
    data_dir.write_text("a file")
    assert main(["feed", "import", f"val={sound}"]) == ExitCode.CANNOT_WRITE
    assert capsys.readouterr().err


def test_a_file_that_is_not_there_is_said(data_dir, tmp_path, capsys):
    assert main(["feed", "import", str(tmp_path / "absent.zip")]) == ExitCode.BAD_DATA
    assert "absent.zip" in capsys.readouterr().err


def test_doctor_says_what_is_missing_then_that_all_is_well(data_dir, sound, capsys):
    assert main(["doctor", "--json"]) == ExitCode.NO
    assert {check["name"]: check["level"] for check in answer(capsys)}["network"] == "error"
    main(["feed", "import", f"val={sound}"])
    capsys.readouterr()
    assert main(["doctor", "--json"]) == ExitCode.OK
    levels = {check["name"]: check["level"] for check in answer(capsys)}
    assert (levels["data_dir"], levels["database"]) == ("good", "good")
    assert levels["network"] in {"good", "warning"}  # the small world does not always hold today


def test_a_source_takes_its_name_from_the_argument_the_file_or_the_folder(tmp_path):
    assert source_file("ter=/x/gtfs.zip").source_id == "ter"
    assert source_file("/x/Cars du Val.ZIP").source_id == "cars-du-val"
    assert source_file("/x/TER 2025/gtfs.zip").source_id == "ter-2025"
    folder = tmp_path / "Réseau"
    folder.mkdir()
    assert source_file(str(folder)).source_id == "reseau"


DECLARED = """
[[source]]
id = "val"
name = "Cars du val"
url = "{url}"
licence = "etalab-2.0"
namespaces = {{ stops = "private" }}
priority = 2

[[source]]
id = "mont"
name = "Cars du mont"
url = "mont.zip"
priority = 1

[[source]]
id = "rail-demo"
url = "demo:rail-demo"
"""


@pytest.fixture
def declared(tmp_path, monkeypatch):
    """Two real sources declared, one of them on a web server, and one of the demonstration."""
    (tmp_path / "www").mkdir()
    write_zip(tmp_path / "www" / "val.zip", SOUND)
    write_zip(tmp_path / "mont.zip", SOUND)
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path / "www")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = tmp_path / "sources.toml"
        file.write_text(DECLARED.format(url=f"http://127.0.0.1:{server.server_port}/val.zip"), "utf-8")
        monkeypatch.setenv("MOBIGO_SOURCES_FILE", str(file))
        settings.cache_clear()
        yield file
        server.shutdown()


def test_declared_sources_are_fetched_named_and_taken_by_priority(data_dir, declared, capsys):
    assert main(["feed", "import"]) == ExitCode.OK
    capsys.readouterr()
    assert main(["network", "info", "--json"]) == ExitCode.OK
    told = [(source["id"], source["name"], source["licence"]) for source in answer(capsys)["sources"]]
    assert told == [("mont", "Cars du mont", ""), ("val", "Cars du val", "etalab-2.0")]


def test_one_declared_source_is_imported_by_its_name_or_with_a_file_of_ours(data_dir, declared, sound, capsys):
    for argument in ("val", f"val={sound}"):
        assert main(["feed", "import", argument, "--release-anyway", "essai"]) == ExitCode.OK
        capsys.readouterr()
        main(["network", "info", "--json"])
        assert [source["name"] for source in answer(capsys)["sources"]] == ["Cars du val"]


@pytest.mark.parametrize(
    ("content", "arguments", "code", "said"),
    [
        (DECLARED, ["rail-demo"], ExitCode.BAD_DATA, "mobigo demo"),
        (DECLARED.format(url="http://127.0.0.1:1/val.zip"), [], ExitCode.UNAVAILABLE, "ne répond pas"),
        ("", [], ExitCode.BAD_DATA, "Aucun jeu réel n’est déclaré"),
        ("[[source]]\nid = 'x'", [], ExitCode.BAD_DATA, "url ?"),
        ("[[source]", [], ExitCode.BAD_DATA, "ne se lit pas"),
        ("[[source]]\nid = 'X y'\nurl = 'a.zip'", [], ExitCode.BAD_DATA, "X y"),
        ("[[source]]\nid = 'x'\nurl = 'a'\nnamespaces = { stops = 'mine' }", [], ExitCode.BAD_DATA, "mine"),
        ("[[source]]\nid = 'x'\nurl = 'a.zip'\n" * 2, [], ExitCode.BAD_DATA, "deux fois"),
    ],
)
def test_what_is_badly_declared_is_said(data_dir, declared, capsys, content, arguments, code, said):
    declared.write_text(content.replace("{{", "{").replace("}}", "}"), "utf-8")
    assert main(["feed", "import", *arguments]) == code
    assert said in " ".join(capsys.readouterr().err.split()).replace("\u00a0", " ")
    assert releases.find_current(data_dir) is None


def test_declared_sources_are_fetched_once_and_told(data_dir, declared, capsys):
    outcomes = []
    for _ in range(2):
        assert main(["feed", "fetch", "--json"]) == ExitCode.OK
        outcomes.append({source["id"]: source["outcome"] for source in answer(capsys)})
    assert outcomes == [
        {"val": "new", "mont": "new", "rail-demo": "demo"},
        {"val": "unchanged", "mont": "unchanged", "rail-demo": "demo"},
    ]
    assert main(["feed", "fetch", "val"]) == ExitCode.OK
    assert "inchangé" in capsys.readouterr().out


def test_a_source_that_does_not_answer_does_not_keep_the_others(data_dir, declared, tmp_path, capsys):
    other = tmp_path / "other.toml"
    other.write_text(DECLARED.format(url="http://127.0.0.1:1/val.zip"), "utf-8")
    assert main(["feed", "fetch", "--json", "--sources", str(other)]) == ExitCode.UNAVAILABLE
    told = {source["id"]: source for source in answer(capsys)}
    assert (told["val"]["outcome"], told["mont"]["outcome"]) == ("failed", "new")
    assert "ne répond pas" in told["val"]["why"].replace("\u00a0", " ")
    assert main(["feed", "fetch", "nobody"]) == ExitCode.BAD_DATA
    assert main(["feed", "fetch", "--sources", str(tmp_path / "absent.toml")]) == ExitCode.BAD_DATA


def test_an_import_takes_what_a_silent_server_gave_last_and_says_so(data_dir, declared, capsys):
    assert main(["feed", "fetch"]) == ExitCode.OK
    text = declared.read_text("utf-8")
    note = data_dir / "network" / "fetched" / "val.json"
    address = json.loads(note.read_text("utf-8"))["address"]
    note.write_text(note.read_text("utf-8").replace(address, "http://127.0.0.1:1/val.zip"), "utf-8")
    declared.write_text(text.replace(address, "http://127.0.0.1:1/val.zip"), "utf-8")
    capsys.readouterr()
    assert main(["feed", "import"]) == ExitCode.OK
    assert "Cars du val" in " ".join(capsys.readouterr().err.split())
