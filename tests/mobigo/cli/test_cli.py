import pytest

from mobigo import __version__
from mobigo.cli import main
from mobigo.cli.frame import ExitCode


@pytest.mark.parametrize("arguments", [["--nimporte"], ["nimporte"]])
def test_a_badly_written_command_is_one_sentence_and_code_64(arguments, capsys):
    assert main(arguments) == ExitCode.USAGE == 64
    told = capsys.readouterr()
    assert told.out == ""
    assert "commande mal écrite" in told.err
    assert len(told.err.splitlines()) == 1


def test_version_is_told(capsys):
    assert main(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out == f"mobigo {__version__}\n"


def test_a_group_without_a_command_shows_its_help_and_no_error(capsys):
    assert main(["feed"]) == ExitCode.USAGE
    told = capsys.readouterr()
    assert "import" in told.out
    assert told.err == ""


@pytest.mark.parametrize("command", [[], ["plan"], ["covoiturage", "lines"]])
def test_help_speaks_french_to_the_last_option(command, capsys):
    assert main([*command, "--help"]) == ExitCode.OK
    told = capsys.readouterr().out
    assert "Montre cette aide." in told
    assert "Show" not in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nimporte"], "la commande « nimporte » n’existe pas"),
        (["plan", "A", "B", "--nimporte"], "l’option « --nimporte » n’existe pas"),
        (["serve", "--port", "0"], "la valeur de --port ne convient pas"),
        (["feed", "check"], "il manque path"),
    ],
)
def test_what_is_badly_written_is_said_in_french(arguments, said, capsys):
    assert main(arguments) == ExitCode.USAGE
    assert said in capsys.readouterr().err.replace("\u00a0", " ")
