"""Every sentence that the code names exists, and every sentence has a reader."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobigo.texts import all_texts

ROOT = Path(__file__).parents[2]
ROOMS = ("covoiturage", "fleet", "mobigo", "routing", "scolaire", "socle")
ERRORS = {
    "BadInput",
    "NotFound",
    "LimitExceeded",
    "Conflict",
    "Unavailable",
    "NotSignedIn",
    "Forbidden",
    "TooOften",
    "FeedRefused",
    "Unbalanced",
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.func.id, node


def constant(call: ast.Call, position: int) -> str | None:
    if len(call.args) <= position:
        return None
    argument = call.args[position]
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


ERROR_CALLS = [(where, code, call) for where, name, call in calls() if name in ERRORS and (code := constant(call, 0))]
FINDING_CALLS = [
    (where, code, call) for where, name, call in calls() if name == "Finding" and (code := constant(call, 1))
]
AUDIT_CALLS = [(where, code) for where, name, call in calls() if name == "AuditLine" and (code := constant(call, 2))]
TEXT_CALLS = [(where, key, call) for where, name, call in calls() if name == "text" and (key := constant(call, 0))]


def test_there_is_something_to_check():
    assert len(ERROR_CALLS) > 5
    assert len(TEXT_CALLS) > 5


def test_every_error_code_has_its_sentence():
    assert [(where, code) for where, code, _call in ERROR_CALLS if f"errors.{code}" not in all_texts()] == []


def test_every_finding_code_has_its_sentence():
    assert [(where, code) for where, code, _call in FINDING_CALLS if f"findings.{code}" not in all_texts()] == []


def test_every_action_of_the_audit_log_has_its_words():
    assert [(where, code) for where, code in AUDIT_CALLS if f"actions.{code}" not in all_texts()] == []


def facts_of_audit_lines() -> Iterator[tuple[str, str]]:
    """The names of facts, written in the call or in a dict of the same file that bears the name it is given."""
    for path in sorted((ROOT / "mobigo").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        dicts = [
            (target.id, node.value)
            for node in nodes
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
            for target in node.targets
            if isinstance(target, ast.Name)
        ]
        for call in nodes:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "AuditLine":
                given = [*call.args, *(keyword.value for keyword in call.keywords)]
                names = {one.id for one in given if isinstance(one, ast.Name)}
                for told in [*given, *(written for name, written in dicts if name in names)]:
                    for key in told.keys if isinstance(told, ast.Dict) else ():
                        yield f"{path.relative_to(ROOT)}:{call.lineno}", ast.literal_eval(key)


def test_every_fact_of_the_audit_log_has_its_words():
    told = list(facts_of_audit_lines())
    assert len(told) > 8
    assert [(where, name) for where, name in told if f"personal.field.{name}" not in all_texts()] == []


def test_every_text_asked_for_exists():
    assert [(where, key) for where, key, _call in TEXT_CALLS if key not in all_texts()] == []


def fields(sentence: str) -> set[str]:
    return {field for _text, field, _spec, _conversion in string.Formatter().parse(sentence) if field}


@pytest.mark.parametrize("calls", [ERROR_CALLS, TEXT_CALLS], ids=["errors", "texts"])
def test_every_fact_that_a_sentence_names_is_given(calls):
    missing = []
    for where, code, call in calls:
        sentence = all_texts().get(f"errors.{code}" if calls is ERROR_CALLS else code, "")
        given = {keyword.arg for keyword in call.keywords}
        if None not in given and not fields(sentence) <= given:  # None: **facts
            missing.append((where, code, sorted(fields(sentence) - given)))
    assert missing == []


def test_sentences_are_french_and_end_like_sentences():
    for key, sentence in all_texts().items():
        assert sentence == sentence.strip(), key
        assert "'" not in sentence, f"{key}: the apostrophe of French typography is ’"
        if key.startswith(("errors.", "findings.")):
            assert sentence.endswith((".", ")", "…", "}", "»")), key
