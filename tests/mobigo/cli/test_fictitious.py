"""Fictitious accounts are announced; whoever lets others in is warned."""

import pytest

from mobigo.cli.fictitious import say_accounts
from mobigo.security import Role


@pytest.mark.parametrize(
    ("host", "warned"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("mobigo.test", True),
    ],
)
def test_who_serves_known_passwords_to_others_is_warned(capsys, host, warned):
    say_accounts([Role.ADMINISTRATOR], host)
    told = capsys.readouterr().err
    assert "administrator@demo.example" in told
    assert ("Attention" in told) == warned


def test_without_such_accounts_nothing_is_said(capsys):
    say_accounts([], "0.0.0.0")
    assert capsys.readouterr().err == ""
