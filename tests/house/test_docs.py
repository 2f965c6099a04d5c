"""The documents tell the truth about targets, commands, exit codes and files."""

import re
from pathlib import Path

import pytest

from mobigo.cli import app
from mobigo.cli.frame import ExitCode

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "data").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))


def commands() -> set[str]:
    """Every command of the Typer application, as it is typed after `mobigo`."""
    found = set()

    def collect(group, prefix):
        for command in group.registered_commands:
            name = command.name or command.callback.__name__.strip("_").replace("_", "-")
            found.add(" ".join([*prefix, name]))
        for sub in group.registered_groups:
            name = sub.name or sub.typer_instance.info.name
            if sub.typer_instance.info.invoke_without_command is True:
                found.add(" ".join([*prefix, name]))
            collect(sub.typer_instance, [*prefix, name])

    collect(app, [])
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_targets_and_files_that_are_named_exist(document):
    text = document.read_text("utf-8")
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)`", text)) <= TARGETS
    for path in re.findall(r"`((?:covoiturage|mobigo|routing|socle|tests|bench|docs|data)/[\w./-]+)`", text):
        assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), path


def test_the_command_line_page_names_every_command_and_no_other():
    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `mobigo ([a-z]+(?: [a-z][a-z-]*){0,2})", page, flags=re.MULTILINE))
    assert documented == commands()


def test_the_command_line_page_names_every_exit_code_and_no_other():
    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, flags=re.MULTILINE)} == set(ExitCode)


def test_the_makefile_explains_every_target():
    lines = (ROOT / "Makefile").read_text("utf-8").splitlines()
    phony = {name for line in lines if line.startswith(".PHONY:") for name in line.split()[1:]}
    explained = {line.partition(":")[0] for line in lines if re.match(r"[a-z-]+:.*## ", line)}
    assert phony == explained
