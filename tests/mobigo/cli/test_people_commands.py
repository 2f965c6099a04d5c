"""The first administrator, roles and closed accounts, at the machine."""

import getpass
import io
import json

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from mobigo.security import PERMISSIONS_OF, open_keys
from mobigo.store.base import open_engine
from tests.worlds.accounts import PASSWORD, World

CAMILLE = "camille@exemple.test"


@pytest.fixture
def run(data_dir, capsys, monkeypatch):
    def run(*arguments, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["people", *arguments])
        told = capsys.readouterr()
        return code, json.loads(told.out) if "--json" in arguments and told.out else told.err + told.out

    return run


@pytest.fixture
def people(data_dir):
    """The accounts of the run, looked at when there are some."""
    engine = open_engine(settings().database_address())
    yield lambda: World(engine, open_keys("", data_dir))
    engine.dispose()


def test_the_first_administrator_comes_to_be_and_signs_in(run, people):
    made = run("add", "Camille Durand", "--email", CAMILLE, "--role", "administrator", "--json", typed=f"{PASSWORD}\n")
    assert made[0] == ExitCode.OK
    code, listed = run("list", "--json")
    assert code == ExitCode.OK
    assert listed == [
        {
            "pseudonym": made[1]["pseudonym"],
            "reference": made[1]["reference"],
            "name": "Camille Durand",
            "email": CAMILLE,
            "phone": "",
            "roles": ["administrator", "traveller"],
        }
    ]
    assert people().sign_in().principal.pseudonym == made[1]["pseudonym"]
    assert "Camille Durand" in run("list")[1]
    assert people().told("people.made")[0].actor == f"system:cli.{getpass.getuser()}"


def test_roles_are_given_and_taken_with_a_reason(run, people):
    run("add", "Camille Durand", "--email", CAMILLE, typed=f"{PASSWORD}\n")
    code, told = run("give", CAMILLE, "school-planner", "--why", "embauche", "--json")
    assert (code, told["done"]) == (ExitCode.OK, "given")
    assert run("give", CAMILLE, "school_planner", "--why", "embauche")[0] == ExitCode.BAD_DATA
    code, said = run("take", CAMILLE, "school_planner", "--why", "départ")
    assert (code, "est reprise" in said) == (ExitCode.OK, True)
    assert [line.why for line in people().told() if "role" in line.action] == ["", "embauche", "départ"]
    assert run("give", CAMILLE, "agent")[0] == ExitCode.USAGE
    code, said = run("give", CAMILLE, "king", "--why", "x")
    assert (code, "king" in said, "school_planner" in said) == (ExitCode.BAD_DATA, True, True)


def test_an_account_is_closed_opened_and_signed_out(run, people):
    run("add", "Camille Durand", "--email", CAMILLE, typed=f"{PASSWORD}\n")
    people().sign_in()
    assert run("disconnect", CAMILLE, "--why", "téléphone perdu", "--json")[1]["n_sessions"] == 1
    people().sign_in()
    assert run("suspend", CAMILLE, "--why", "plainte", "--json")[1]["done"] == "suspended"
    assert run("disconnect", CAMILLE, "--why", "x", "--json")[1]["n_sessions"] == 0
    assert "rouvert" in run("restore", CAMILLE, "--why", "plainte retirée")[1]
    people().sign_in()
    assert run("suspend", "personne@exemple.test", "--why", "x")[0] == ExitCode.BAD_DATA


def test_a_password_that_is_guessed_first_makes_no_account(run, people):
    assert run("add", "Camille Durand", "--email", CAMILLE, typed="court\n")[0] == ExitCode.BAD_DATA
    assert run("list", "--json")[1] == []


def test_what_each_role_allows_is_the_one_table(run):
    code, told = run("roles", "--json")
    assert code == ExitCode.OK
    assert told == {role: sorted(allowed) for role, allowed in PERMISSIONS_OF.items()}
    assert "finance_approver" in run("roles")[1]
