"""The demonstration's school year: entered once, with requests in every state, none where no year is open."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from mobigo.demo.school_plan import school_files
from mobigo.demo.school_requests import N_DRAFTS, N_INCOMPLETE, N_REFUSED, N_WAITING, N_WITHDRAWN
from mobigo.demo.school_year import FOLDER, tell_school_year
from mobigo.security import Keys, Role
from mobigo.services.people.fictitious import email_of, open_accounts
from mobigo.services.scolaire.coaches import list_runs
from mobigo.services.scolaire.contracting import carriers_of
from mobigo.services.scolaire.deciding import Wanted, count_files, list_files
from mobigo.services.scolaire.filling import fill
from mobigo.services.scolaire.noting import Teller
from mobigo.services.scolaire.organising import acting_of_organiser
from mobigo.services.scolaire.registering import list_own
from mobigo.store.base import reading
from mobigo.store.people.accounts import find_by_contact
from scolaire.registration.model import State
from tests.worlds.demo import demo_region

KEYS = Keys.of("k" * 32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    build = tmp_path_factory.mktemp("build")
    (build / FOLDER).mkdir()
    for path, content in school_files(demo_region().sector).items():
        (build / path).write_bytes(content)
    return build / FOLDER


def test_the_office_finds_requests_in_every_state_and_nobody_without_a_seat(engine, folder):
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    open_accounts(engine, KEYS, now)
    told = tell_school_year(engine, KEYS, folder, now)
    kinds = {"draft": N_DRAFTS, "submitted": N_WAITING + 1, "incomplete": N_INCOMPLETE}  # one of the family's own
    assert count_files(engine, 2026) == kinds | {"decided": N_REFUSED, "withdrawn": N_WITHDRAWN}
    assert told.n_requests == Counter(kinds).total() + N_REFUSED + N_WITHDRAWN
    family, organiser = _account(engine, Role.FAMILY), _account(engine, Role.SCHOOL_ORGANISER)
    (own,) = list_own(engine, KEYS, family.pseudonym)
    assert own.state is State.SUBMITTED
    local = acting_of_organiser(engine, organiser.actor, organiser.pseudonym)
    assert list_files(engine, KEYS, local, Wanted(2026), 50, 0, now).n > 0
    assert (told.n_cards, told.n_boardings > 3_000) == (told.n_pupils, True)
    carrier = _account(engine, Role.SCHOOL_CARRIER)
    by = Teller(carrier.actor, carriers_of(engine, carrier.pseudonym))
    runs = list_runs(engine, KEYS, date(2026, 11, 20), by, now)
    assert [sum(one.is_overdue for one in runs), len(runs) > 50] == [1, True]
    found = fill(engine, KEYS, "2026-haut-doubs", date(2026, 11, 2), date(2026, 11, 20), now).fill
    assert {"stop_never_used", "pupils_never_seen"} <= {one.code for one in found.findings}
    assert tell_school_year(engine, KEYS, folder, now) is None


def _account(engine, role):
    with reading(engine) as session:
        return find_by_contact(session, KEYS, "email", email_of(role))


def test_a_year_that_cannot_be_asked_for_yet_has_no_requests(engine, folder):
    now = datetime(2031, 11, 21, 12, tzinfo=UTC)
    open_accounts(engine, KEYS, now)
    assert tell_school_year(engine, KEYS, folder, now).n_requests == 0
