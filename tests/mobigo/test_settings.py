import itertools
import json
from pathlib import Path

from mobigo.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_the_example_file_holds_every_setting_with_its_default_and_its_meaning():
    lines = EXAMPLE.read_text("utf-8").splitlines()
    told = {}
    for comment, assignment in itertools.pairwise(lines):
        if assignment.startswith("MOBIGO_"):
            name, _, value = assignment.partition("=")
            told[name.removeprefix("MOBIGO_").lower()] = (comment.removeprefix("# "), value)
    assert list(told) == list(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        comment, value = told[name]
        assert comment == field.description
        written = json.dumps(field.default) if isinstance(field.default, list) else str(field.default)
        assert value == written


def test_the_database_is_a_file_of_the_data_directory_unless_said_otherwise(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Settings(data_dir=Path("d")).database_address() == "sqlite:///d/mobigo.sqlite3"
    monkeypatch.setenv("MOBIGO_DATABASE_URL", "postgresql://x/y")
    assert Settings().database_address() == "postgresql://x/y"


def test_the_configuration_page_tells_every_setting_and_no_other():
    page = (EXAMPLE.parent / "docs" / "configuration.md").read_text("utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `MOBIGO_")]
    told = {name.strip("| `"): (default.strip(" `"), meaning.removesuffix(" |")) for name, default, meaning in rows}
    settings = {
        f"MOBIGO_{name.upper()}": (
            json.dumps(field.default) if isinstance(field.default, list) else str(field.default),
            field.description,
        )
        for name, field in Settings.model_fields.items()
    }
    assert told == settings
    assert len(rows) == len(told)
