"""`mobigo covoiturage import`, `keys` and `partners`."""

import io
import json

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from tests.worlds.partners import THEIRS, driver_journey


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def test_a_key_is_told_once_listed_and_ended(capsys):
    assert main(["covoiturage", "keys", "new", "--operator", "Covoit.Exemple.TEST"]) == ExitCode.OK
    shown = capsys.readouterr().out.strip()
    assert main(["covoiturage", "keys", "list", "--json"]) == ExitCode.OK
    listed = capsys.readouterr().out
    (key,) = json.loads(listed)
    assert (key["operator"], key["revoked_at"]) == (THEIRS, None)
    assert shown.startswith(f"partner_{key['id']}_")
    assert shown.removeprefix(f"partner_{key['id']}_") not in listed
    assert main(["covoiturage", "keys", "revoke", key["id"]]) == ExitCode.OK
    assert THEIRS in capsys.readouterr().out
    assert main(["covoiturage", "keys", "list"]) == ExitCode.OK
    assert key["id"] in capsys.readouterr().out
    assert main(["covoiturage", "keys", "list", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)[0]["revoked_at"]


def test_what_is_no_operator_or_key_is_refused(capsys):
    assert main(["covoiturage", "keys", "new", "--operator", "no domain"]) == ExitCode.BAD_DATA
    assert main(["covoiturage", "keys", "revoke", "none"]) == ExitCode.BAD_DATA
    assert "operator" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (json.dumps({"driverJourneys": [driver_journey()]}), 0, ""),
        (json.dumps({"driverJourneys": [driver_journey(), {}], "more": 1}), 1, "driverJourneys[1]"),
        (json.dumps({"driverJourneys": [driver_journey()], "more": 1}), 0, "more"),
        ("[", 2, "JSON"),
        (None, 2, "offers.json"),
    ],
)
def test_a_file_is_kept_and_what_is_set_apart_is_named(folder, capsys, content, code, said):
    if content is not None:
        (folder / "offers.json").write_text(content)
    assert main(["covoiturage", "import", "offers.json"]) == code
    told = capsys.readouterr()
    assert said in told.err
    assert ("1 trajet, " in told.out) == (code < 2)


def test_an_operator_is_registered_asked_and_removed(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("their key\n"))
    assert main(["covoiturage", "partners", "add", THEIRS, "http://127.0.0.1:9", "--with-key"]) == ExitCode.OK
    assert main(["covoiturage", "partners", "add", "b.exemple.test", "http://127.0.0.1:9/"]) == ExitCode.OK
    capsys.readouterr()
    assert main(["covoiturage", "partners", "list", "--json"]) == ExitCode.OK
    assert [(one["server"], one["has_key"]) for one in json.loads(capsys.readouterr().out)] == [
        ("http://127.0.0.1:9", False),
        ("http://127.0.0.1:9", True),
    ]
    assert main(["covoiturage", "partners", "list"]) == ExitCode.OK
    assert THEIRS in capsys.readouterr().out
    asked = ["covoiturage", "partners", "ask", "--from", "47.24,6.02", "--to", "47.35,6.36", "--at", "2026-11-24T07:30"]
    assert main(asked) == ExitCode.NO
    assert THEIRS in capsys.readouterr().err
    assert main(["covoiturage", "partners", "remove", THEIRS]) == ExitCode.OK
    assert main(["covoiturage", "partners", "remove", "b.exemple.test"]) == ExitCode.OK
    assert main(["covoiturage", "partners", "remove", THEIRS]) == ExitCode.BAD_DATA
    capsys.readouterr()
    assert main(asked) == ExitCode.OK
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("wrong", [("--from", "here"), ("--to", "91,0"), ("--at", "tomorrow"), ("--to", "nan,0")])
def test_a_question_that_is_none_is_refused(capsys, wrong):
    asked = {"--from": "47.24,6.02", "--to": "47.35,6.36", "--at": "2026-11-24T07:30"} | dict([wrong])
    words = [word for pair in asked.items() for word in pair]
    assert main(["covoiturage", "partners", "ask", *words]) != ExitCode.OK
    assert wrong[1] in capsys.readouterr().err
