from mobigo.demo.facts import check_facts, read_facts


def test_the_tables_that_are_shipped_have_no_fault():
    assert check_facts(read_facts()) == []


def test_the_tables_have_the_rows_that_their_readme_counts():
    facts = read_facts()
    assert sum(commune.rank != "village" for commune in facts.communes) == 335
    assert len(facts.communes) == 946
    assert len({commune.insee_code for commune in facts.communes}) == 946
    assert len(facts.epcis) == 116
    assert len({commune.epci_siren for commune in facts.communes}) == 114
    assert len(facts.departments) == 8
    assert len(facts.stations) == 256
    assert len(facts.patterns) == 133
    assert len({segment.ends for segment in facts.segments.values()}) == 343
    assert len(facts.carpool_lines) == 6
    assert len(facts.coach_relations) == 14
    assert len(facts.fares) == 25
    assert len(facts.school_holidays) == 23
