"""The privacy record is the retention rules in words."""

from datetime import date

from mobigo.services.retention import all_rules, duration_words, rules_on
from mobigo.texts import text
from mobigo.web.about import privacy


def test_every_rule_in_force_is_on_the_page_with_its_reason_duration_and_ground():
    rules = rules_on(date(2026, 12, 1))
    (part,) = [part for part in privacy(rules).parts if part.terms]
    assert [term.name for term in part.terms] == [text(f"retention.{rule.code}.what") for rule in rules]
    for term, rule in zip(part.terms, rules, strict=True):
        assert term.sentences[0] == text(f"retention.{rule.code}.why")
        assert duration_words(rule) in term.sentences[1]
        assert rule.source in term.sentences[1]


def test_the_page_tells_the_rules_of_its_day_and_no_others():
    assert not [part for part in privacy(rules_on(date(2020, 1, 1), all_rules())).parts if part.terms]
