import tomllib
from dataclasses import fields, replace
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mobigo.texts import error_sentence
from scolaire.entitlement.books import COMMON, SAID, read_book
from scolaire.entitlement.conditions import JOINTS, KINDS
from scolaire.entitlement.files import first_day, list_facts, school_year_of
from scolaire.entitlement.judge import Judge, Step, decide_all, find_book, render_decision, wrong_cases
from scolaire.entitlement.model import Decision, Facts, Verdict
from scolaire.entitlement.shipped import authorities_on, shipped_books
from scolaire.entitlement.simulate import simulate
from scolaire.pupils import Level, Regime, SchoolStatus
from scolaire.reading import read_sector
from socle.errors import BadInput
from tests.oracles import entitlement as slow
from tests.worlds.sectors import lines_of, sector_files

DOCUMENTS = {
    file.name.removesuffix(".toml"): file.read_bytes()
    for file in sorted(files("scolaire.entitlement").joinpath("rulebooks").iterdir(), key=lambda file: file.name)
}
# Every word of the language, with joints in one another: the shipped books use only some.
DOCUMENTS["every-word"] = b"""
id = "every-word"
title = "Tous les mots"
departments = ["21"]
valid_from = 2026-09-01
explanation = "Pour les essais."

[[rules]]
code = "first"
verdict = "refused"
says = "{age} {road_km} {straight_km} {school_year}"
when = [
    { type = "any", of = [
        { type = "all", of = [{ type = "straight_below", metres = 900 }, { type = "age_from", years = 14 }] },
        { type = "not", of = { type = "home_in_departments", departments = ["21", "25"] } },
        { type = "same_authority" },
    ] },
]

[[rules]]
code = "second"
verdict = "pays"
says = "Non."
when = [
    { type = "home_outside" },
    { type = "not", of = { type = "any", of = [{ type = "same_commune" }, { type = "age_below", years = 9 }] } },
    { type = "regime_in", regimes = ["day"] },
]

[[rules]]
code = "last"
verdict = "entitled"
says = "Oui."
"""
BOOKS = {name: read_book(document) for name, document in DOCUMENTS.items()}
COMMUNES = ["21001", "21231", "25056", "39001", "68001"]
AUTHORITIES = ["", "242100410", "242500361"]


@st.composite
def known_facts(draw) -> Facts:
    straight_m = draw(st.integers(0, 12_000) | st.sampled_from([899, 900, 999, 1_000, 2_999, 3_000]))
    return Facts(
        school_year=2026,
        level=draw(st.sampled_from(Level)),
        regime=draw(st.sampled_from(Regime)),
        school_status=draw(st.sampled_from(SchoolStatus)),
        home_commune=draw(st.sampled_from(COMMUNES)),
        school_commune=draw(st.sampled_from(COMMUNES)),
        home_authority=draw(st.sampled_from(AUTHORITIES)),
        school_authority=draw(st.sampled_from(AUTHORITIES)),
        birth_year=draw(st.integers(2000, 2026)),
        straight_m=straight_m,
        road_m=straight_m + draw(st.integers(0, 3_000)),
        attends_sector_school=draw(st.booleans()),
        derogation=draw(st.sampled_from(["", "option", "move", "other"])),
    )


MAY_BE_UNKNOWN = [
    "home_commune", "school_commune", "home_authority", "school_authority", "birth_year", "straight_m", "road_m",
]  # fmt: skip
NAMES = st.sampled_from(sorted(BOOKS))


@pytest.mark.parametrize("name", sorted(shipped_books()))
def test_entitlement_cases_of_each_rule_book(name):
    book = shipped_books()[name]
    assert len(book.cases) >= 15
    assert list(wrong_cases(book)) == []
    assert {case.reason for case in book.cases} >= {rule.code for rule in book.rules}, "a rule without a case"


def test_the_books_for_tests_have_every_word():
    def words(conditions):
        for one in conditions:
            yield one.kind
            yield from words(one.of)

    used = {word for book in BOOKS.values() for rule in book.rules for word in words(rule.when)}
    assert used == {*KINDS, *JOINTS}


@given(NAMES, known_facts(), st.sets(st.sampled_from(MAY_BE_UNKNOWN)))
def test_the_judge_is_the_slow_twin(name, facts, unknown):
    facts = replace(facts, **dict.fromkeys(unknown))
    decision = Judge(BOOKS[name]).decide(facts)
    assert (decision.verdict, decision.reason) == slow.decide(DOCUMENTS[name], facts)


@given(NAMES, known_facts(), st.sets(st.sampled_from(MAY_BE_UNKNOWN)))
def test_what_is_decided_without_a_fact_stays_decided_when_it_is_known(name, facts, unknown):
    judge = Judge(BOOKS[name])
    some = judge.decide(replace(facts, **dict.fromkeys(unknown)))
    assume(some.verdict is not Verdict.INCOMPLETE)
    assert judge.decide(facts) == some


@given(NAMES, known_facts(), st.sets(st.sampled_from(MAY_BE_UNKNOWN)))
def test_an_incomplete_file_names_facts_that_are_missing_and_settle_it(name, facts, unknown):
    judge = Judge(BOOKS[name])
    asked: set[str] = set()
    told = replace(facts, **dict.fromkeys(unknown))
    while (decision := judge.decide(told)).verdict is Verdict.INCOMPLETE:
        assert decision.missing
        assert asked.isdisjoint(decision.missing)
        assert all(getattr(told, fact) is None for fact in decision.missing)
        asked |= set(decision.missing)
        told = replace(told, **{fact: getattr(facts, fact) for fact in decision.missing})
    assert judge.decide(facts).verdict is not Verdict.INCOMPLETE


@given(NAMES, known_facts())
def test_stored_facts_and_the_version_of_the_book_give_the_same_bytes(name, facts):
    again = Facts(**{field.name: getattr(facts, field.name) for field in fields(Facts)})
    one, other = Judge(BOOKS[name]), Judge(read_book(DOCUMENTS[name]))
    assert render_decision(one.decide(facts)) == render_decision(other.decide(again))
    assert one.decide(facts).book_version == BOOKS[name].version


@given(NAMES, known_facts())
def test_a_decision_is_explained_by_the_rules_that_were_looked_at(name, facts):
    judge = Judge(BOOKS[name])
    decision, steps = judge.decide(facts), judge.explain(facts)
    assert [step.code for step in steps] == [rule.code for rule in judge.book.rules][: len(steps)]
    assert all(step.held is False for step in steps[:-1])
    assert steps[-1] == Step(decision.reason, True)
    sentence = judge.sentence(facts, decision)
    assert sentence is not None
    assert "{" not in sentence


def test_the_sentence_that_a_family_reads_never_rounds_up_to_the_limit():
    judge = Judge(BOOKS["trois-kilometres-2026"])
    facts = Facts(**{**COMMON, "road_m": 2_999, "straight_m": 2_000})
    assert (judge.sentence(facts, judge.decide(facts)) or "").startswith("Le domicile est à 2,9 km")


def test_an_incomplete_file_has_no_sentence():
    judge = Judge(BOOKS["trois-kilometres-2026"])
    facts = Facts(**{**COMMON, "road_m": None, "straight_m": 2_000})
    decision = judge.decide(facts)
    assert decision.missing == ("road_m",)
    assert judge.sentence(facts, decision) is None


# --- documents --------------------------------------------------------------------------------


def altered(old: str, new: str) -> bytes:
    document = DOCUMENTS["every-word"].decode()
    assert old in document
    return document.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (altered('id = "every-word"', 'id = "Every Word"'), "id"),
        (altered('title = "Tous les mots"', 'titel = "Tous"'), "titel"),
        (altered('departments = ["21"]', "departments = []"), "departments"),
        (altered('departments = ["21"]', 'departments = ["Jura"]'), "departments"),
        (altered("valid_from = 2026-09-01", 'valid_from = "2026"'), "valid_from"),
        (altered("valid_from = 2026-09-01", "valid_from = 2026-09-01\nvalid_until = 2026-08-31"), "valid_until"),
        (altered('verdict = "pays"', 'verdict = "incomplete"'), "rules[1].verdict"),
        (altered('code = "second"', 'code = "first"'), "rules"),
        (altered('code = "second"', 'code = "incomplete"'), "rules[1].code"),
        (altered('says = "Non."', 'says = "{money}"'), "rules[1].says"),
        (altered('says = "Non."', 'says = "{age.real}"'), "rules[1].says"),
        (altered('says = "Non."', 'says = "{age:9999999999}"'), "rules[1].says"),
        (altered('says = "Non."', 'says = "{"'), "rules[1].says"),
        (altered("metres = 900", "metres = 900.5"), "rules[0].when[0].of[0].of[0].metres"),
        (altered("metres = 900", "meters = 900"), "rules[0].when[0].of[0].of[0].meters"),
        (altered('"home_outside"', '"home_nowhere"'), "rules[1].when[0].type"),
        (altered('regimes = ["day"]', 'regimes = ["night"]'), "rules[1].when[2].regimes"),
        (altered('{ type = "same_authority" },', '{ type = "not", of = [] },'), "rules[0].when[0].of[2].of"),
        (DOCUMENTS["every-word"][: DOCUMENTS["every-word"].rindex(b"[[rules]]")], "rules"),
    ],
)
def test_a_document_is_refused_by_the_field_that_is_wrong(document, field):
    with pytest.raises(BadInput) as refusal:
        read_book(document)
    assert refusal.value.code == "rule_book_field"
    assert refusal.value.facts["field"] == field
    assert error_sentence(refusal.value)


@pytest.mark.parametrize("document", [b"\xff", b"id = ", b"a = 1\na = 2", b" " * 300_000, b"x = " + b"[" * 5_000])
def test_what_is_no_toml_is_refused(document):
    with pytest.raises(BadInput, match="rule_book_unreadable") as refusal:
        read_book(document)
    assert error_sentence(refusal.value)


@given(st.binary(max_size=60), st.integers(0, 1_500), st.integers(0, 40))
def test_a_damaged_document_is_read_or_refused(noise, where, cut):
    document = DOCUMENTS["every-word"]
    try:
        book = read_book(document[:where] + noise + document[where + cut :])
    except BadInput as refusal:
        sentence = error_sentence(refusal)
    else:
        sentence = Judge(book).decide(Facts(**COMMON)).verdict
    assert sentence


def test_the_version_does_not_depend_on_the_order_of_keys():
    moved = altered('title = "Tous les mots"\ndepartments = ["21"]', 'departments = ["21"]\ntitle = "Tous les mots"')
    assert read_book(moved).version == BOOKS["every-word"].version
    assert read_book(altered("Tous les mots", "Tous")).version != BOOKS["every-word"].version


def test_a_wrong_case_is_told():
    wrong = DOCUMENTS["trois-kilometres-2026"].replace(b"road_m = 2999", b"road_m = 3999")
    ((case, decision),) = wrong_cases(read_book(wrong))
    assert (case.reason, decision.reason) == ("too_near", "entitled")


def test_every_placeholder_is_filled():
    said = BOOKS["every-word"].rules[0].says
    assert all(f"{{{name}}}" in said for name in SAID)


# --- which book, which facts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("commune", "day", "key"),
    [
        ("21001", date(2026, 8, 31), "trois-kilometres@2025-09-01"),
        ("21001", date(2026, 9, 1), "trois-kilometres@2026-09-01"),
        ("25001", date(2026, 9, 1), "un-kilometre@2026-09-01"),
        ("39001", date(2030, 1, 1), "autre-commune@2026-09-01"),
        ("39001", date(2026, 8, 31), None),
        ("90001", date(2026, 9, 1), None),
        ("2A001", date(2026, 9, 1), None),
        ("", date(2026, 9, 1), None),
    ],
)
def test_the_book_is_the_one_of_the_commune_on_the_day(commune, day, key):
    book = find_book(shipped_books().values(), commune, day)
    assert book == (None if key is None else shipped_books()[key])


def test_the_school_year_of_a_summer_is_the_one_to_come():
    days = [date(2026, 6, 30), date(2026, 7, 1), date(2026, 9, 1), date(2027, 3, 1)]
    assert [school_year_of(day) for day in days] == [2025, 2026, 2026, 2026]
    assert first_day(2026) == date(2026, 9, 1)


def test_two_homes_are_two_files():
    header = "pupil_id,home_lat,home_lon,school_id,level,regime,days,wheelchair,home_commune,birth_year,road_m"
    schools = "school_id,name,lat,lon,bell_am,bell_pm,window_min,window_max,level,commune,status"
    sector, _ = read_sector(
        sector_files(
            pupils=lines_of(
                header,
                "p1,47.16,6.30,c1,college,externe,lu ma,0,25578,2014,6200",
                "p1,47.24,6.02,c1,college,externe,je ve,0,25056,2014,",
            ),
            schools=lines_of(schools, "c1,Collège,47.149,6.345,08:00,17:00,5,15,college,25578,public"),
        )
    )
    (first, one), (second, other) = [
        (number, facts)
        for _pupil, number, facts in list_facts(sector.pupils, sector.schools, 2026, authorities_on(date(2026, 9, 1)))
    ]
    assert (first, second) == (0, 1)
    assert (one.home_commune, one.home_authority, one.road_m, one.straight_m) == ("25578", "", 6_200, 3_615)
    assert (other.home_authority, other.road_m) == ("242500361", None)
    judge = Judge(shipped_books()["un-kilometre@2026-09-01"])
    assert [decision.reason for decision in decide_all(judge, [one, other])] == ["entitled", "urban_authority"]


def test_authorities_are_named_once_per_commune():
    tree = tomllib.loads(files("scolaire.entitlement").joinpath("authorities.toml").read_text("utf-8"))
    communes = [commune for one in tree["authority"] for commune in one["communes"]]
    assert len(communes) == len(set(communes))
    assert authorities_on(date(2026, 9, 1))["21231"] == "242100410"
    assert authorities_on(date(2020, 9, 1)) == {}


# --- a change of rules -----------------------------------------------------------------------------


def test_a_change_of_rules_tells_who_gains_and_who_loses():
    before, after = (Judge(shipped_books()[f"trois-kilometres@{year}-09-01"]) for year in (2025, 2026))
    common = Facts(**COMMON)
    found = simulate(
        [
            ("same", common),
            ("moved", replace(common, attends_sector_school=False, derogation="move")),
            ("boarder", replace(common, regime=Regime.BOARDER, attends_sector_school=False)),
            ("boarder of the sector", replace(common, regime=Regime.BOARDER)),
            ("unknown", replace(common, road_m=None, straight_m=100)),
        ],
        before,
        after,
    )
    assert [change.key for change in found.gains] == ["moved"]
    assert [change.key for change in found.losses] == ["boarder"]
    assert found.others == []
    assert (found.n_files, found.n_unchanged, found.n_other_reason) == (5, 3, 1)
    assert found.counts[Verdict.INCOMPLETE, Verdict.INCOMPLETE] == 1
    assert found.losses[0].after == Decision(Verdict.PAYS, "other_school", after.book.id, after.book.version)


@given(NAMES, st.lists(known_facts(), max_size=5))
def test_no_change_changes_nothing(name, some):
    judge = Judge(BOOKS[name])
    found = simulate([(str(i), facts) for i, facts in enumerate(some)], judge, Judge(BOOKS[name]))
    assert found.n_unchanged == found.n_files == len(some)
    assert found.n_other_reason == 0
