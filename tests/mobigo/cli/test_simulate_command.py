"""`mobigo covoiturage simulate`, on a file, on a month, and against another policy."""

from __future__ import annotations

import json

import pytest

from mobigo.cli import main

AT = "2026-03-02T07:00:00Z"


def car(number, driver):
    ride = {"ride_id": f"r{number}", "passenger": f"p{number}", "operator_class": "B", "distance_m": 33_000}
    return {
        "carpool_id": f"c{number}",
        "driver": driver,
        "line_id": "L1",
        "start_at": AT,
        "end_at": AT,
        "official_m": 33_000,
        "rides": [{**ride, "board_at": AT, "alight_at": AT}],
    }


@pytest.fixture
def simulate(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MOBIGO_DATA_DIR", str(tmp_path / "var"))
    draft = tmp_path / "draft.json"
    terms = [{"type": "per_km", "cents_per_km": 12}]
    rules = [{"mode": "cumulative", "slices": [{"from_m": 0, "terms": terms}]}]
    draft.write_text(json.dumps({"id": "draft", "level": "vehicle_trip", "amount_rules": rules}), "utf-8")
    file = tmp_path / "cars.jsonl"

    def run(lines, *options):
        file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
        given = ["--policy", str(draft), "--journeys", str(file)] if "--policy" not in options else []
        code = main(["covoiturage", "simulate", *given, *options])
        told = capsys.readouterr()
        return code, told.out, told.err

    run.file = str(file)
    return run


def test_a_draft_against_the_policy_of_today(simulate):
    cars = [car(i, f"d{i}") for i in range(6)]
    code, out, _ = simulate(cars, "--against", "bfc-lignes", "--format", "json", "--budget-cents", "1000")
    told = json.loads(out)
    assert code == 0
    assert (told["policy"], told["total"]["subsidy_cents"], told["total"]["fare_cents"]) == ("draft", 6 * 396, 0)
    assert (told["against"]["total"]["subsidy_cents"], told["against"]["total"]["net_cents"]) == (1_000, 100)
    assert told["budget_ends_on"] == told["against"]["budget_ends_on"] == "2026-03-02"
    # Under the policy of today the budget pays two whole, one in part and three not at all.
    assert told["groups"]["*"] == [
        {"kind": "change", "drivers": 6, "cents": 6 * 396 - 1_000}, {"kind": "same", "drivers": 0, "cents": 0},
    ]  # fmt: skip
    assert told["against"]["break_even"][0] == {"passengers": 1, "metres": 5_000}


def test_tables_tell_the_same_in_words(simulate):
    code, out, _ = simulate([car(i, f"d{i}") for i in range(3)], "--against", "bfc-lignes", "--budget-cents", "9000")
    assert code == 0
    assert "11,88" in out
    assert "Avec 2 passagers, le tarif dépasse la subvention en dessous de 10,0 km." in " ".join(out.split())
    assert "Le budget suffit." in out
    assert "moins de six" in out


def test_couples_of_one_car_in_batches_are_one_carpool(simulate):
    couple = {"datetime": AT, "distance_m": 20_000, "driver": "d", "operator_trip_id": "t"}
    batch = {"defaults": couple, "journeys": [{"passenger": "p"}, {"passenger": "q"}]}
    _, out, _ = simulate([batch], "--format", "json")
    assert json.loads(out)["total"] == {
        "carpools": 1, "paid": 1, "metres": 20_000, "passengers": 2, "subsidy_cents": 240, "fare_cents": 0,
        "net_cents": 240,
    }  # fmt: skip


def test_what_cannot_be_read_is_told_by_its_line(simulate):
    code, out, err = simulate([car(1, "d"), {"rides": 3}, 7], "--format", "json")
    assert (code, json.loads(out)["total"]["carpools"]) == (2, 1)
    assert "Ligne 1" in err
    assert "Ligne 2" in err


def test_a_month_without_carpools_and_an_unknown_policy_are_told(simulate):
    code, _, err = simulate([], "--policy", "bfc-lignes", "--month", "2026-03")
    assert (code, "2026-03" in err) == (2, True)
    code, _, err = simulate([], "--policy", "none", "--journeys", simulate.file)
    assert (code, "none" in err) == (2, True)
    assert simulate([], "--policy", "bfc-lignes")[0] == 64
