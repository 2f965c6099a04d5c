"""Entitlement: 125,000 files decided, decided again from stored facts, and a change of rules simulated on them.

    python -m bench.entitlement [--files 125000] [--rounds 3] [--record]

Files are drawn with a fixed seed, one in twenty without one of its facts. The slow twin of the tests decides a
hundredth of them in the same run and must agree.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from dataclasses import replace
from importlib.resources import files
from random import Random

import msgspec

from bench.history import record
from scolaire.entitlement.judge import Judge, decide_all, render_decision
from scolaire.entitlement.model import Facts
from scolaire.entitlement.shipped import authorities_on, shipped_books
from scolaire.entitlement.simulate import simulate
from scolaire.pupils import Level, Regime, SchoolStatus
from tests.oracles import entitlement as slow

N_FILES = 125_000  # pupils of the region
BEFORE, AFTER = "trois-kilometres@2025-09-01", "trois-kilometres@2026-09-01"
ONE_IN = 100


def draw_files(n_files: int) -> list[Facts]:
    """Files, always the same."""
    draws = Random(5)
    book = shipped_books()[AFTER]
    authorities = authorities_on(book.valid_from)
    urban = sorted(authorities)
    found = []
    for _ in range(n_files):
        level = draws.choices(list(Level), (8, 22, 40, 25, 4, 1))[0]
        home = draws.choice(urban) if draws.random() < 0.04 else f"21{draws.randrange(1, 700):03d}"
        school = f"21{draws.randrange(1, 700):03d}"
        straight_m = int(draws.expovariate(1 / 8_000))
        known = Facts(
            school_year=2026,
            level=level,
            regime=draws.choices(list(Regime), (25, 65, 10))[0],
            school_status=draws.choices(list(SchoolStatus), (85, 14, 1))[0],
            home_commune=home,
            school_commune=school,
            home_authority=authorities.get(home, ""),
            school_authority=authorities.get(school, ""),
            birth_year=draws.randrange(2008, 2025),
            straight_m=straight_m,
            road_m=int(straight_m * draws.uniform(1.08, 1.4)),
            attends_sector_school=draws.random() < 0.88,
            derogation=draws.choice(("", "", "option", "move", "no_place")),
        )
        if draws.random() < 0.05:
            missing = draws.choice(("home_commune", "birth_year", "road_m", "straight_m"))
            known = replace(known, **{missing: None})
        found.append(known)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=N_FILES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    books = shipped_books()
    before, after = Judge(books[BEFORE]), Judge(books[AFTER])
    drawn = draw_files(given.files)
    figures: dict[str, float] = {}

    def timed(name, work):
        took = []
        for _ in range(given.rounds):
            begin = time.perf_counter()
            answer = work()
            took.append(time.perf_counter() - begin)
        figures[name] = statistics.median(took)
        return answer

    decisions = timed("decided, s", lambda: decide_all(after, drawn))
    stored = [(msgspec.json.encode(facts), render_decision(one)) for facts, one in zip(drawn, decisions, strict=True)]
    decoder = msgspec.json.Decoder(Facts)
    replayed = timed(
        "replayed from stored facts, s",
        lambda: sum(render_decision(after.decide(decoder.decode(facts))) == told for facts, told in stored),
    )
    assert replayed == given.files, "a replay gave other bytes"
    keyed = [(str(i), facts) for i, facts in enumerate(drawn)]
    change = timed("change of rules simulated, s", lambda: simulate(keyed, before, after))
    document = files("scolaire.entitlement").joinpath("rulebooks", "trois-kilometres-2026.toml").read_bytes()
    some = range(0, given.files, ONE_IN)
    begin = time.perf_counter()
    assert all(slow.decide(document, drawn[i]) == (decisions[i].verdict, decisions[i].reason) for i in some)
    figures["slow twin, us per file"] = (time.perf_counter() - begin) / len(some) * 1e6
    figures["decided, us per file"] = figures["decided, s"] / given.files * 1e6
    told = {
        "files": given.files,
        "figures": figures,
        "verdicts": dict(Counter(str(one.verdict) for one in decisions)),
        "gains": len(change.gains),
        "losses": len(change.losses),
    }
    print(json.dumps(told, indent=2))
    if given.record:
        record("entitlement", {**figures, "files": given.files})


if __name__ == "__main__":
    main()
