import csv
import getpass
import json
from datetime import UTC, datetime, timedelta

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from mobigo.store.audit import AuditLine, record
from mobigo.store.base import migrate, open_engine, transaction
from mobigo.store.jobs import Lease, claim_next, enqueue, finish
from socle.times import PARIS

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def engine(data_dir):
    engine = open_engine(settings().database_address())
    migrate(engine)
    yield engine
    engine.dispose()


def written(engine, action="people.read", subject="person:anne", days_ago=0, why=""):
    with transaction(engine) as session:
        record(session, AuditLine(NOW - timedelta(days=days_ago), "person:agent7", action, subject, why))


def job_done(engine, days_ago):
    at = NOW - timedelta(days=days_ago)
    with transaction(engine) as session:
        enqueue(session, "mail", {}, at, f"job{days_ago}")
        finish(session, claim_next(session, ["mail"], Lease("w", at + timedelta(hours=1), 3), "t", at), at)


def answer(capsys):
    return json.loads(capsys.readouterr().out)


def test_the_log_is_listed_filtered_and_its_reading_is_in_it(engine, capsys):
    written(engine, days_ago=3, why="[bold]appel[/] du soir")
    written(engine, subject="person:basile")
    since = f"{NOW - timedelta(days=10):%Y-%m-%d}"
    command = ["audit", "list", "--subject", "person:anne", "--since", since, "--why", "plainte 12"]
    assert main([*command, "--json"]) == ExitCode.OK
    (line,) = answer(capsys)
    assert (line["actor"], line["why"]) == ("person:agent7", "[bold]appel[/] du soir")
    assert main(["audit", "list", "--action", "audit", "--json"]) == ExitCode.OK
    (line,) = answer(capsys)
    assert (line["action"], line["subject"], line["why"]) == ("audit.read", "person:anne", "plainte 12")
    assert line["actor"] == f"system:cli.{getpass.getuser()}"
    assert main(["audit", "list"]) == ExitCode.OK
    assert "Lecture" in capsys.readouterr().out


def test_the_log_is_exported_to_a_file_or_to_the_standard_output(engine, capsysbinary, tmp_path):
    written(engine)
    assert main(["audit", "export", "-o", str(tmp_path / "log.csv")]) == ExitCode.OK
    (row,) = csv.DictReader((tmp_path / "log.csv").read_text("utf-8").splitlines())
    assert (row["action"], row["subject"]) == ("people.read", "person:anne")
    capsysbinary.readouterr()
    assert main(["audit", "export", "--format", "json"]) == ExitCode.OK
    assert [each["action"] for each in json.loads(capsysbinary.readouterr().out)] == ["people.read", "audit.exported"]


def test_the_last_day_asked_for_is_whole(engine, capsys):
    written(engine, days_ago=2)
    day = f"{(NOW - timedelta(days=2)).astimezone(PARIS):%Y-%m-%d}"
    main(["audit", "list", "--since", day, "--until", day, "--action", "people", "--json"])
    assert len(answer(capsys)) == 1


def test_a_day_that_is_none_is_said(engine, capsys):
    assert main(["audit", "list", "--since", "hier"]) == ExitCode.USAGE
    assert "hier" in capsys.readouterr().err


def test_a_database_that_is_not_there_yet_has_an_empty_log(data_dir, capsys):
    assert main(["audit", "list", "--json"]) == ExitCode.OK
    assert answer(capsys) == []


def test_what_is_too_old_is_reported_then_taken_away(engine, capsys):
    for days_ago in (10, 100, 200):
        job_done(engine, days_ago)
    assert main(["retention", "report", "--json"]) == ExitCode.NO
    told = answer(capsys)
    (jobs,) = [rule for rule in told["rules"] if rule["code"] == "jobs"]
    assert (told["n_older"], jobs["n_older"], told["applied_at"]) == (2, 2, None)
    assert datetime.fromisoformat(jobs["oldest"]) == NOW - timedelta(days=200)
    assert main(["retention", "report"]) == ExitCode.NO
    told = capsys.readouterr().out
    assert "2 lignes" in told
    assert "Rien" in told  # … antérieur au: the day of each limit
    limits = {at - timedelta(days=90) for at in (NOW, datetime.now(UTC))}  # midnight may have passed since
    assert any(f"{limit.astimezone(PARIS):%Y-%m-%d}" in told for limit in limits)
    assert main(["retention", "apply", "--json"]) == ExitCode.OK
    assert answer(capsys)["jobs"] == 2
    assert main(["retention", "apply"]) == ExitCode.OK
    capsys.readouterr()
    assert main(["retention", "report"]) == ExitCode.OK
    assert "Rien n’est gardé plus longtemps" in capsys.readouterr().out


def test_after_a_long_silence_the_command_asks_whether_the_date_is_right(engine, capsys):
    with transaction(engine) as session:
        record(session, AuditLine(NOW - timedelta(days=60), "system:retention", "retention.applied"))
    job_done(engine, 100)
    assert main(["retention", "apply"]) == ExitCode.BAD_DATA
    assert "--after-pause" in capsys.readouterr().err
    assert main(["retention", "apply", "--after-pause", "--json"]) == ExitCode.OK
    assert answer(capsys)["jobs"] == 1
