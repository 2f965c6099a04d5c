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
