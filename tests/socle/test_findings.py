import json

from socle.findings import Finding, Severity, count_errors


def test_a_finding_says_where_and_becomes_plain_json():
    finding = Finding(Severity.WARNING, "stop_without_place", "stops.txt", 812, {"stop_id": "S1"})
    assert json.loads(json.dumps(finding.as_dict())) == {
        "severity": "WARNING",
        "code": "stop_without_place",
        "file": "stops.txt",
        "line": 812,
        "facts": {"stop_id": "S1"},
    }


def test_only_errors_are_counted_as_errors():
    findings = [Finding(severity, "x") for severity in (*Severity, Severity.ERROR)]
    assert count_errors(findings) == 2
