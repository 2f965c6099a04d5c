"""`mobigo covoiturage decide` and `check-policy`, as the note on carpooling has them."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from mobigo.cli import main
from mobigo.cli.frame import ExitCode
from socle.times import PARIS
from tests.worlds.carpools import carpool

COUPLES = {
    "id": "couples",
    "amount_rules": [
        {"mode": "cumulative", "slices": [{"from_m": 0, "terms": [{"type": "per_seat", "cents": 120.5}]}]}
    ],
    "limits": [{"counter": "amount", "period": "campaign", "scope": "campaign", "max": "campaign_budget"}],
}
CARS = {
    "id": "cars",
    "level": "vehicle_trip",
    "amount_rules": [
        {
            "mode": "cumulative",
            "slices": [
                {
                    "from_m": 0,
                    "terms": [
                        {"type": "per_km", "cents_per_km": 10},
                        {"type": "per_passenger", "cents": 100, "from_passenger": 1, "max_passengers": 3},
                    ],
                }
            ],
        }
    ],
    "fare": {"mode": "flat", "cents": 150},
}
COUPLE = {"datetime": "2026-03-02T07:10:00Z", "distance_m": 33_000, "driver": "d", "passenger": "p"}


@pytest.fixture
def decide(tmp_path, capsys):
    policies = tmp_path / "policies.json"
    policies.write_text(json.dumps({"policies": {"couples": COUPLES, "cars": CARS}}), "utf-8")

    def run(lines, *options, policy=policies):
        journeys = tmp_path / "journeys.jsonl"
        journeys.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
        code = main(["covoiturage", "decide", "--policy", str(policy), "--journeys", str(journeys), *options])
        told = capsys.readouterr()
        return code, [json.loads(line) for line in told.out.splitlines()], told.err

    return run


def test_a_line_tells_the_amount_and_why(decide):
    code, (told,), _ = decide([COUPLE], "--policy-id", "couples")
    assert code == 0
    assert (told["batch"], told["index"], told["policy"], told["eligible"], told["reason"]) == (
        0,
        0,
        "couples",
        True,
        None,
    )
    assert (told["stateless_cents"], told["amount_cents"], told["limited_by"]) == (121, 121, None)
    assert told["explanation"][0] == {
        "step": "term", "slice": 0, "type": "per_seat", "exact": "120.5", "text": "1 place × 1,205\N{NO-BREAK SPACE}€",
    }  # fmt: skip
    assert [step["text"] for step in told["explanation"][1:]] == [
        "arrondi au centime\N{NO-BREAK SPACE}: 1,21\N{NO-BREAK SPACE}€",
        "Total versé\N{NO-BREAK SPACE}: 1,21\N{NO-BREAK SPACE}€",
    ]


def test_batches_have_their_own_policy_budget_and_counters(decide):
    before = [
        {
            "counter": "amount_cents",
            "scope": "campaign",
            "subject": None,
            "period": "campaign",
            "period_key": None,
            "value": 100,
        }
    ]
    batch = {
        "id": "b1",
        "policy": "couples",
        "budget_cents": 300,
        "counters_before": before,
        "defaults": COUPLE,
        "journeys": [{}, {"seats": 2}],
    }
    code, told, _ = decide([batch], "--brief", "--counters")
    assert code == 0
    assert told[:2] == [
        {"batch": "b1", "index": 0, "stateless_cents": 121, "amount_cents": 121},
        {"batch": "b1", "index": 1, "stateless_cents": 241, "amount_cents": 79},
    ]
    assert told[2] == {"batch": "b1", "counters_after": [{**before[0], "value": 300}]}


def test_amounts_are_compared_with_those_expected(decide):
    batch = {
        "policy": "couples",
        "journeys": [COUPLE, COUPLE],
        "expected_cents": [121, 120],
        "stateless_cents": [121, 121],
    }
    assert decide([batch])[0] == 0
    assert decide([batch], "--check-stateless")[0] == 0
    code, _, said = decide([batch], "--check")
    assert code == 1
    assert "120 centimes attendus, 121 versés" in said.replace("\n", " ")


def test_couples_of_one_car_are_paid_together_and_share(decide):
    couples = [{**COUPLE, "operator_id": 1, "operator_trip_id": "T", "passenger": name} for name in "pq"]
    couples[1]["vehicle_distance_m"] = 40_000
    _, told, _ = decide(couples, "--policy-id", "cars")
    assert [(line["index"], line["amount_cents"], line["fare_cents"], line["paid_m"]) for line in told] == [
        (0, 300, 150, 40_000),
        (1, 300, 150, 40_000),
    ]


def test_lines_come_in_the_order_of_the_journeys_whatever_car_they_belong_to(decide):
    trips = ["T", "U", "T", None]
    couples = [{**COUPLE, "operator_trip_id": trip, "passenger": f"p{i}"} for i, trip in enumerate(trips)]
    _, told, _ = decide([{"policy": "cars", "journeys": couples}], "--brief")
    assert [(line["index"], line["amount_cents"]) for line in told] == [(0, 265), (1, 430), (2, 265), (3, 430)]


def test_what_is_paid_for_a_car_without_passenger_is_told_once(decide, tmp_path):
    policy = tmp_path / "empty.json"
    rules = {"empty_run": "km", "ride_eligibility": [{"type": "class_in", "classes": ["C"]}]}
    policy.write_text(json.dumps({**CARS, **rules}), "utf-8")
    couples = [{**COUPLE, "operator_trip_id": "T", "passenger": name} for name in "pq"]
    _, told, _ = decide(couples, "--brief", policy=policy)
    assert [line["amount_cents"] for line in told] == [330, 0]


def test_lines_on_their_own_are_one_batch_though_batches_stand_between(decide):
    lines = [COUPLE, {"id": "b", "journeys": [COUPLE]}, COUPLE]
    _, told, _ = decide(lines, "--policy-id", "couples", "--budget-cents", "200", "--brief", "--counters")
    assert [(line["batch"], line.get("index"), line.get("amount_cents")) for line in told] == [
        (0, 0, 121), ("b", 0, 121), ("b", None, None), (0, 1, 79), (0, None, None),
    ]  # fmt: skip


def test_lines_are_told_before_the_last_is_read(decide, tmp_path, capsys, monkeypatch):
    """A month does not have to fit into memory: what is piped in is decided as it comes."""
    policy = tmp_path / "one.json"
    policy.write_text(json.dumps(COUPLES), "utf-8")
    seen = []

    class Pipe:
        def __iter__(self):
            for _ in range(3):
                seen.append(len(capsys.readouterr().out.splitlines()))
                yield json.dumps(COUPLE).encode() + b"\n"

    monkeypatch.setattr(sys, "stdin", type("Input", (), {"buffer": Pipe()})())
    assert main(["covoiturage", "decide", "--policy", str(policy), "--journeys", "-", "--brief"]) == 0
    assert seen == [0, 1, 1]


def test_one_policy_that_is_wrong_harms_no_batch_of_the_others(decide, tmp_path):
    policies = tmp_path / "some.json"
    policies.write_text(json.dumps({"policies": {"couples": COUPLES, "broken": {"level": "car"}}}), "utf-8")
    batches = [{"policy": name, "journeys": [COUPLE]} for name in ("broken", "couples")]
    code, told, err = decide(batches, "--brief", policy=policies)
    assert (code, [line["amount_cents"] for line in told]) == (2, [121])
    assert "Politique broken refusée." in " ".join(err.split())


def test_a_policy_without_a_name_is_the_one_that_batches_mean(decide, tmp_path):
    policy = tmp_path / "nameless.json"
    policy.write_text(json.dumps({key: value for key, value in COUPLES.items() if key != "id"}), "utf-8")
    assert decide([{"policy": "campaign", "journeys": [COUPLE]}], "--brief", policy=policy)[1][0]["amount_cents"] == 121


def test_a_file_may_begin_with_a_mark_of_its_encoding(decide):
    assert decide(["\ufeff" + json.dumps(COUPLE)], "--policy-id", "couples", "--brief")[0] == 0


def test_a_car_with_its_rides_is_one_line(decide):
    ride = {
        "ride_id": "R",
        "board_at": "2026-03-02T07:10:00Z",
        "alight_at": "2026-03-02T07:40:00Z",
        "distance_m": 20_000,
    }
    car = {
        "carpool_id": "C",
        "start_at": "2026-03-02T07:00:00Z",
        "end_at": "2026-03-02T08:00:00Z",
        "official_m": 33_000,
        "rides": [ride],
    }
    _, (told,), _ = decide([car], "--policy-id", "cars")
    assert (told["carpool_id"], told["amount_cents"], told["net_cents"], told["shares"]) == ("C", 430, 280, {"R": 430})
    assert [step["text"] for step in told["explanation"] if step["step"] == "term"] == [
        "33,0 km × 0,10\N{NO-BREAK SPACE}€",
        "1 passager × 1,00\N{NO-BREAK SPACE}€",
    ]


def test_in_order_of_ends_the_earlier_journey_takes_the_budget(decide):
    batch = {
        "policy": "couples",
        "budget_cents": 121,
        "journeys": [COUPLE, {**COUPLE, "datetime": "2026-03-02T06:10:00Z"}],
    }
    assert [line["amount_cents"] for line in decide([batch], "--brief")[1]] == [121, 0]
    assert [(line["index"], line["amount_cents"]) for line in decide([batch], "--brief", "--sort")[1]] == [
        (1, 121),
        (0, 0),
    ]
    batch["journeys"][1]["datetime"] = "2026-03-02T07:30:00+01:00"  # 06:30 in Greenwich, though 7 comes after 6
    assert [line["index"] for line in decide([batch], "--brief", "--sort")[1]] == [1, 0]
    batch["journeys"][1]["end_datetime"] = "2026-03-02T09:00:00Z"
    assert [line["index"] for line in decide([batch], "--brief", "--sort")[1]] == [0, 1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "n’est pas un objet JSON"),
        ("[1]", "n’est pas un objet JSON"),
        ({**COUPLE, "distance_m": -1}, "distance_m"),
        ({**COUPLE, "distance_m": "33"}, "distance_m"),
        ({**COUPLE, "distance_m": 10**12}, "distance_m"),
        ({**COUPLE, "datetime": "2026-03-02T07:10:00"}, "datetime"),
        ({**COUPLE, "seats": -2}, "seats"),
        ({**COUPLE, "start": {"com": 21231}}, "start.com"),
        ({"journeys": 3}, "journeys"),
        ({"journeys": [3]}, "journeys"),
        ({"journeys": [], "policy": "none"}, "none"),
        ({"journeys": [], "budget_cents": -5}, "budget_cents"),
        ({"journeys": [], "counters_before": [{"counter": "x"}]}, "compteurs"),
        ({"journeys": [], "territory_selector": {"village": []}}, "village"),
        ({"journeys": [COUPLE], "expected_cents": []}, "expected_cents"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_is_decided(decide, line, said):
    code, told, err = decide([{"journeys": [COUPLE]}, line], "--policy-id", "couples", "--brief")
    assert code == 2
    assert [one["amount_cents"] for one in told] == [121]
    assert said in " ".join(err.split())


def test_journeys_come_from_a_pipe_too(decide, tmp_path, capsys, monkeypatch):
    piped = io.TextIOWrapper(io.BytesIO(json.dumps(COUPLE).encode()))
    monkeypatch.setattr(sys, "stdin", piped)
    policy = tmp_path / "one.json"
    policy.write_text(json.dumps(COUPLES), "utf-8")
    assert main(["covoiturage", "decide", "--policy", str(policy), "--journeys", "-", "--brief"]) == 0
    assert json.loads(capsys.readouterr().out)["amount_cents"] == 121


def test_carpools_are_declared_and_wait_their_48_hours(data_dir, tmp_path, capsys):
    begin = datetime.now(UTC) - timedelta(hours=3)
    lines = [json.dumps(carpool(at=begin)), "[]", json.dumps({**carpool("C2", at=begin), "driver": None})]
    file = tmp_path / "carpools.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    assert main(["covoiturage", "declare", str(file)]) == 2
    told = capsys.readouterr()
    assert [json.loads(line)["carpool_id"] for line in told.out.splitlines()] == ["C1"]
    assert "carpools.jsonl:2 :" in told.err
    assert "driver" in told.err
    assert main(["covoiturage", "declare", str(file)]) == 2
    assert json.loads(capsys.readouterr().out)["replayed"] is True
    month = f"{(begin + timedelta(minutes=40)).astimezone(PARIS):%Y-%m}"
    assert main(["covoiturage", "settle", "--month", month]) == 3
    settled = json.loads(capsys.readouterr().out)
    assert (settled["decided"], settled["pending"], settled["entries"]) == (0, 1, 0)
    assert main(["covoiturage", "pay", "--month", month]) == ExitCode.BAD_DATA
    assert "décidez d’abord" in " ".join(capsys.readouterr().err.split())
    assert main(["covoiturage", "settle", "--month", "2026-13"]) == ExitCode.BAD_DATA


def test_a_month_without_carpools_pays_nobody_and_waits_for_a_second_person(data_dir, capsys):
    assert main(["covoiturage", "pay", "--month", "2020-01"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["total_cents"] == 0
    assert "une autre personne" in " ".join(told.err.split())


def test_several_policies_and_none_named_is_refused(decide):
    code, told, err = decide([COUPLE])
    assert (code, told) == (2, [])
    assert "cars, couples" in err


def test_a_policy_is_checked_and_its_slips_are_told(tmp_path, capsys):
    good, odd, bad = (tmp_path / f"{name}.json" for name in ("good", "odd", "bad"))
    good.write_text(json.dumps(COUPLES), "utf-8")
    odd.write_text(json.dumps({"id": "odd"}), "utf-8")
    bad.write_text(json.dumps({"id": "bad", "valid_from": "2026-06-31"}), "utf-8")
    assert main(["covoiturage", "check-policy", str(good)]) == 0
    assert "le document est correct" in " ".join(capsys.readouterr().out.split())
    assert main(["covoiturage", "check-policy", str(odd), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["findings"][0]["code"] == "policy_pays_nothing"
    assert main(["covoiturage", "check-policy", str(bad)]) == 2
    assert "cette date n’existe pas" in " ".join(capsys.readouterr().err.split())
    assert main(["covoiturage", "check-policy", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
