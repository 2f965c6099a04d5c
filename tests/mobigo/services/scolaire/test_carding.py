"""Cards on both databases: ordered, handed on to the next year, blocked, replaced once, charged, paid, waived."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mobigo.security import Keys
from mobigo.services.ledger.proving import verify
from mobigo.services.scolaire import boarding, boards, carding, deciding, families, linking, registering
from mobigo.services.scolaire.coaches import find_coach
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.noting import Teller
from mobigo.services.scolaire.registering import Acting
from mobigo.services.scolaire.studying import add_study, publish
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading
from mobigo.store.ledger.reads import list_balances
from scolaire.boarding import Why
from scolaire.cards import CardState, Fee
from scolaire.planfiles import render_plan
from scolaire.registration.model import Deed, State
from socle.errors import BadInput, Conflict, Forbidden, NotFound
from tests.mobigo.services.scolaire.test_boarding import MONDAY, MORNING
from tests.worlds.one_run import morning_plan
from tests.worlds.school_office import CIRCUIT, RUN
from tests.worlds.schooling import JULY, OFFICE, SCHOOL, SECTOR, guardian, school_year, typed
from tests.worlds.sectors import sector_files

KEYS = Keys.of("k" * 32)
CAMILLE, BASILE, DORA = guardian("camille"), guardian("basile"), guardian("dora")
SHARED = {"jeudi": "2", "vendredi": "2", "responsable_2": "Basile Petit", "adresse_2": "2 rue Haute"}
MEASURED = {"commune_2": "25702", "route_m_1": "6200", "route_m_2": "7100", "arret_2": "s1"}
ELSEWHERE = Acting("person:maire", "maire", places=(("25999",), ()))
HERE = Acting("person:maire", "maire", places=(("25702",), ()))


@pytest.fixture
def code(engine):
    """The code of the request for Zoé, whose guardians share her days and whose card was sent."""
    school_year(engine, KEYS)
    asked = registering.start(engine, KEYS, CAMILLE, SCHOOL, JULY)
    registering.save(engine, KEYS, OFFICE, asked, typed(**SHARED, **MEASURED), JULY)
    registering.submit(engine, KEYS, OFFICE, asked, JULY)
    one = deciding.decide(engine, KEYS, OFFICE, asked, JULY)
    assert one.state is State.DECIDED
    linking.use_link(engine, KEYS, BASILE, linking.make_link(engine, KEYS, OFFICE, asked, 1, JULY), JULY)
    assert carding.order_missing(engine, KEYS, OFFICE, SECTOR, JULY) == (3, 0)
    assert carding.order_missing(engine, KEYS, OFFICE, SECTOR, JULY) == (0, 0)
    assert carding.deliver(engine, OFFICE, SECTOR, JULY) == 3
    return one.code


def card_of(engine, code, acting=CAMILLE):
    return families.read_child(engine, KEYS, acting, code, JULY).card


def balances(engine):
    with reading(engine) as session:
        return {one.account.code: one.available_cents for one in list_balances(session) if one.available_cents}


def test_both_guardians_read_where_the_card_is_and_nobody_else(engine, code):
    assert card_of(engine, code) == card_of(engine, code, BASILE)
    assert card_of(engine, code).state is CardState.DELIVERED
    with pytest.raises(NotFound, match="unknown_application"):
        card_of(engine, code, DORA)


def test_a_duplicate_is_asked_for_once_charged_once_and_ends_the_old_card(engine, code):
    old = card_of(engine, code)
    new = carding.replace_own(engine, KEYS, CAMILLE, code, old.card_id, JULY)
    assert carding.replace_own(engine, KEYS, CAMILLE, code, old.card_id, JULY) == new
    assert (new.state, new.fee, new.fee_cents, new.replaces) == (CardState.ORDERED, Fee.DUE, 1_500, old.card_id)
    assert new.number != old.number
    assert balances(engine) == {"family:camille:receivable": 1_500, "region:school_card_fees": -1_500}
    with pytest.raises(Conflict, match="card_state"):
        carding.replace_own(engine, KEYS, CAMILLE, code, new.card_id, JULY)
    steps = families.read_child(engine, KEYS, CAMILLE, code, JULY).steps
    assert Deed.CARD in {step.deed for step in steps}
    assert verify(engine).findings == ()


def test_what_is_owed_is_paid_under_a_reference_or_taken_back_for_a_reason(engine, code):
    new = carding.replace_own(engine, KEYS, CAMILLE, code, card_of(engine, code).card_id, JULY)
    with pytest.raises(BadInput, match="reference_missing"):
        carding.settle_fee(engine, KEYS, OFFICE, new.card_id, JULY, reference=" ")
    with pytest.raises(Forbidden, match="not_allowed"):
        carding.settle_fee(engine, KEYS, CAMILLE, new.card_id, JULY, waiver="theft")
    carding.settle_fee(engine, KEYS, OFFICE, new.card_id, JULY, reference="chèque 12")
    with pytest.raises(Conflict, match="card_fee"):
        carding.settle_fee(engine, KEYS, OFFICE, new.card_id, JULY, waiver="theft")
    assert balances(engine) == {"bank:school_receipts": 1_500, "region:school_card_fees": -1_500}
    carding.deliver(engine, OFFICE, SECTOR, JULY)
    again = carding.replace_card(engine, KEYS, OFFICE, new.card_id, JULY)
    assert balances(engine)["region:school_card_receivable"] == 1_500  # on paper: nobody's account
    carding.settle_fee(engine, KEYS, OFFICE, again.card_id, JULY, waiver="defect")
    assert balances(engine) == {"bank:school_receipts": 1_500, "region:school_card_fees": -1_500}
    assert verify(engine).findings == ()


def test_an_office_waives_for_a_reason_of_the_list_and_a_family_never(engine, code):
    old = card_of(engine, code)
    with pytest.raises(Forbidden, match="not_allowed"):
        carding.replace_card(engine, KEYS, CAMILLE, old.card_id, JULY, waiver="theft")
    with pytest.raises(BadInput, match="unknown_waiver"):
        carding.replace_card(engine, KEYS, OFFICE, old.card_id, JULY, waiver="pitié")
    new = carding.replace_card(engine, KEYS, OFFICE, old.card_id, JULY, waiver="theft")
    assert (new.fee, new.fee_reason, balances(engine)) == (Fee.WAIVED, "theft", {})


def test_who_blocks_a_card_says_why_and_no_state_is_skipped(engine, code):
    card = card_of(engine, code)
    with pytest.raises(BadInput, match="why_missing"):
        carding.set_state(engine, KEYS, OFFICE, card.card_id, "blocked", " ", JULY)
    with pytest.raises(BadInput, match="unknown_card_state"):
        carding.set_state(engine, KEYS, OFFICE, card.card_id, "replaced", "", JULY)
    carding.set_state(engine, KEYS, OFFICE, card.card_id, "blocked", "usage par un autre", JULY)
    with pytest.raises(Conflict, match="card_state"):
        carding.set_state(engine, KEYS, OFFICE, card.card_id, "delivered", "", JULY)
    with reading(engine) as session:
        (line,) = list_lines(session, AuditFilter(action="school.card_state"), limit=9)
    assert (line.line.why, line.line.facts["state"]) == ("usage par un autre", "blocked")


def test_an_organiser_sees_to_the_cards_of_its_communes_alone(engine, code):
    card = card_of(engine, code)
    assert carding.list_cards(engine, KEYS, HERE, SECTOR, "", 9, 0, JULY).holders[0].name == "Zoé Durand-Petit"
    assert carding.list_cards(engine, KEYS, ELSEWHERE, SECTOR, "", 9, 0, JULY).n == 0
    assert carding.read_card(engine, KEYS, HERE, card.card_id, JULY).card == card
    with pytest.raises(NotFound, match="unknown_card"):
        carding.read_card(engine, KEYS, ELSEWHERE, card.card_id, JULY)
    for ask in (carding.order_missing, lambda *given: carding.deliver(given[0], *given[2:])):
        with pytest.raises(Forbidden, match="not_allowed"):
            ask(engine, KEYS, HERE, SECTOR, JULY)
    with pytest.raises(Forbidden, match="not_allowed"):
        carding.list_cards(engine, KEYS, CAMILLE, SECTOR, "", 9, 0, JULY)


def test_next_year_the_same_child_keeps_its_card(engine, code):
    before = {
        one.name: one.card.number for one in carding.list_cards(engine, KEYS, OFFICE, SECTOR, "", 9, 0, JULY).holders
    }
    later = JULY + timedelta(days=360)
    import_sector(engine, KEYS, sector_files(), 2027, "haut-doubs", "person:clerk", later)
    assert carding.order_missing(engine, KEYS, OFFICE, "2027-haut-doubs", later) == (0, 2)
    after = {
        one.name: one.card.number
        for one in carding.list_cards(engine, KEYS, OFFICE, "2027-haut-doubs", "", 9, 0, later).holders
    }
    assert after == {name: number for name, number in before.items() if name in {"p1", "p2"}}


def test_on_the_days_of_one_guardian_an_absence_of_the_other_takes_nobody_off_the_list(engine, code):
    """Camille has Monday to Wednesday, Basile Thursday and Friday."""
    pupil = families.read_child(engine, KEYS, CAMILLE, code, JULY).application.pupil
    plan = render_plan(morning_plan(pupil))
    study = add_study(engine, KEYS, SECTOR, "Rentrée", plan, "person:clerk", "", JULY)
    publish(engine, KEYS, study.study_id, 1, MONDAY.replace(day=1, month=9), "person:clerk", "", JULY)
    friday = MONDAY + timedelta(days=4)
    families.declare_absence(engine, KEYS, CAMILLE, code, MONDAY, friday, "out", MORNING - timedelta(days=1))
    away = [
        find_coach(engine, KEYS, day, CIRCUIT, RUN, Teller("person:clerk")).expected[0].is_away
        for day in (MONDAY, MONDAY + timedelta(days=3), friday)
    ]
    assert away == [True, False, False]
    coach = find_coach(engine, KEYS, MONDAY, CIRCUIT, RUN, Teller("person:clerk"))
    number = card_of(engine, code).number
    told = boarding.validate_number(engine, KEYS, coach, number, "s1", "event-01", Teller("person:driver"), MORNING)
    assert (told.why, told.label) == (Why.ANNOUNCED_AWAY, replace(told, label=told.label).label)
    board = boards.open_board(engine, KEYS, MONDAY, CIRCUIT, RUN, Teller("person:clerk"), MORNING)
    assert [one.label for one in board.halts[0].up] == ["Zoé D."]
