"""`mobigo scolaire contracts`."""

import json
from datetime import UTC, datetime

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode, settings
from mobigo.security import open_keys
from mobigo.store.base import migrate, open_engine
from tests.worlds.school_contracts import INDICES
from tests.worlds.school_office import CARRIER, CIRCUIT, CONTRACT, OF_LOT_A, publish_a_plan

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    data = tmp_path / "var"
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(data))
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    engine = open_engine(settings().database_url or f"sqlite:///{data / 'mobigo.sqlite3'}")
    migrate(engine)
    publish_a_plan(engine, open_keys("", data), "person:planner", NOON)
    engine.dispose()
    (tmp_path / "lot.toml").write_bytes(OF_LOT_A)
    (tmp_path / "indices.csv").write_text(INDICES)
    yield tmp_path
    settings.cache_clear()


def run(*arguments, code=ExitCode.OK):
    assert main(["scolaire", "contracts", *arguments]) == code


def test_a_month_is_stated_invoiced_and_shared(capsys, folder):
    run("import", "lot.toml", "indices.csv")
    assert f"Contrat gardé\N{NO-BREAK SPACE}: {CONTRACT}" in capsys.readouterr().out
    run("statement", CONTRACT, "2026-10", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["coefficient"] == 1.037
    assert [line["kind"] for line in told["lines"]] == ["day", "km", "hour", "minimum"]
    lines = [f"{line['about']},{line['kind']},{line['cents'] / 100:.2f}" for line in told["lines"]]
    invoice = ["circuit_id,kind,amount_euros", *lines, f",tva,{told['vat_cents'] / 100:.2f}"]
    (folder / "facture.csv").write_text("\n".join(invoice))
    run("check-invoice", CONTRACT, "2026-10", "facture.csv")
    (folder / "facture.csv").write_text("\n".join(invoice[:-1]))
    run("check-invoice", CONTRACT, "2026-10", "facture.csv", "--json", code=ExitCode.NO)
    assert json.loads(capsys.readouterr().out.split("\n", 1)[1])["differences"][0]["kind"] == "vat"
    run("costs", "2026-10", "--json")
    assert json.loads(capsys.readouterr().out) == [{"about": CIRCUIT, "pupils": 2, "cents": told["net_cents"]}]
    run("costs", "2026-10", "--public", "circuits.csv")
    assert (folder / "circuits.csv").read_text() == "circuit,n_circuits,km,pupils,euros\n"
    run("costs", "2026-10", "--by", "school")
    run("statement", CONTRACT, "2026-10", "--prepare", code=ExitCode.BAD_DATA)
    assert "2026-09" in capsys.readouterr().err  # the first month with coaches is still open
    run("statement", CONTRACT, "2026-09", "--prepare")
    assert "à payer" in capsys.readouterr().out


def test_what_is_no_contract_is_refused_by_its_field(capsys, folder):
    (folder / "lot.toml").write_bytes(OF_LOT_A.replace(b'vat_percent = "10"', b"vat_percent = 10"))
    run("import", "lot.toml", code=ExitCode.BAD_DATA)
    assert "vat_percent" in capsys.readouterr().err
    run("carrier", "AAAAAAAA", CARRIER, code=ExitCode.BAD_DATA)
