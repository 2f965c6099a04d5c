"""What the service does by itself, as an administrator sees it."""

from datetime import timedelta

import pytest

from mobigo.jobs.handlers import Means, make_handlers
from mobigo.outbound.letters import open_post
from mobigo.security import PERMISSIONS_OF, Permission, Role
from mobigo.services.covoiturage import registrar
from mobigo.store.base import transaction
from mobigo.store.jobs import Lease, claim_next, enqueue, fail, finish
from mobigo.texts import kind_words
from tests.worlds.accounts import NOON

JOBS = "/administration/taches"
LATER = NOON + timedelta(hours=1)


def put(site, key, kind="ledger.seal", due=NOON):
    with transaction(site.people.engine) as session:
        enqueue(session, kind, {}, due, key)


def claim(site, kind="ledger.seal"):
    with transaction(site.people.engine) as session:
        return claim_next(session, [kind], Lease("anna:1", LATER, 3), "token", NOON)


def give_up(site, why, key="a"):
    put(site, key)
    taken = claim(site)
    with transaction(site.people.engine) as session:
        fail(session, taken, why, None, NOON)
    return taken.job_id


@pytest.fixture
def administrator(visit):
    return visit("Alix", Role.ADMINISTRATOR)


def test_only_who_steers_the_service_sees_its_jobs(site, visit):
    may = {role for role in Role if Permission.JOBS_READ in PERMISSIONS_OF[role]}
    assert may == {role for role in Role if Permission.JOBS_STEER in PERMISSIONS_OF[role]} == {Role.ADMINISTRATOR}
    job_id = give_up(site, "no rope")
    browser = visit("Sacha", *(set(Role) - may - {Role.TRAVELLER}))
    token = browser.go("/compte").form("/deconnexion").fields
    assert browser.client.get(JOBS).status_code == 403
    assert browser.client.post(f"{JOBS}/{job_id}/reprise", data=token).status_code == 403
    assert JOBS not in browser.go("/compte").page.text


def test_what_waits_runs_ended_and_failed_is_told_with_the_reason(site, administrator):
    put(site, "tonight", "retention.apply", NOON + timedelta(hours=12))
    put(site, "under way", "people.message")
    claim(site, "people.message")
    put(site, "over")
    done = claim(site)
    with transaction(site.people.engine) as session:
        finish(session, done, NOON)
    give_up(site, "<b>plus de corde</b>")
    page = administrator.go("/compte").go(JOBS).page
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    for sentence in (
        "Prévue le 22\N{NO-BREAK SPACE}novembre 2026 à 01:00",
        "En cours depuis le 21\N{NO-BREAK SPACE}novembre 2026 à 13:00",
        "Faite le 21\N{NO-BREAK SPACE}novembre 2026 à 13:00",
        "Abandonnée le 21\N{NO-BREAK SPACE}novembre 2026 à 13:00",
        "Échec\N{NO-BREAK SPACE}: &lt;b&gt;plus de corde&lt;/b&gt;",
        "par anna:1",
        "Toutes (4)",
        "Effacer ce qui est trop ancien",
    ):
        assert sentence in page.text, sentence
    assert administrator.go(f"{JOBS}?etat=dead").page.text.count("<li id=") == 1


def test_what_was_given_up_is_tried_again_by_a_button_and_the_log_says_who_wished_it(site, administrator, told):
    job_id = give_up(site, "no rope")
    administrator.go(f"{JOBS}?etat=dead").send(f"{JOBS}/{job_id}/reprise")
    assert administrator.page.history[0].status_code == 303
    assert f"La tâche n°\N{NO-BREAK SPACE}{job_id} est relancée." in administrator.page.text
    assert f"{JOBS}/{job_id}/reprise" not in administrator.page.text
    (line,) = told("jobs")
    assert (line.actor, line.action) == (administrator.person.actor, "jobs.retried")
    assert line.facts == {"job_id": job_id, "kind": "ledger.seal"}
    again = claim(site)
    assert (again.job_id, again.number) == (job_id, 2)


def test_a_button_pressed_twice_or_for_a_job_that_is_none_says_so(site, administrator):
    job_id = give_up(site, "no rope")
    token = administrator.go(JOBS).form(f"{JOBS}/{job_id}/reprise").fields
    send = administrator.client.post
    assert send(f"{JOBS}/{job_id}/reprise", data=token).status_code == 303
    for number, status in ((job_id, 409), (999, 404), ("9" * 30, 404), ("-1", 404), ("..%2f..%2fetc", 404)):
        answer = send(f"{JOBS}/{number}/reprise", data=token)
        assert answer.status_code == status, number
    assert 'role="alert"' in send(f"{JOBS}/{job_id}/reprise", data=token).text
    assert send(f"{JOBS}/{job_id}/reprise", data={"jeton": "x"}).status_code == 403


def test_pages_lead_to_the_oldest_job_and_back(site, administrator):
    for number in range(40):
        put(site, f"job {number}")
    path, seen = JOBS, []
    while path:
        page = administrator.client.get(path).text
        seen += [part.split('"', 1)[0] for part in page.split('<li id="tache-')[1:]]
        older = page.split('">Page suivante', 1)[0].rsplit('href="', 1)[1] if "Page suivante" in page else ""
        path = older.replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 40
    assert "Page précédente" in page


@pytest.mark.parametrize(
    "query", ["etat=morte", "page=0", "page=-1", "page=" + "9" * 40, "relancee=<script>", "page=²"]
)
def test_whatever_is_asked_there_is_a_list(site, administrator, query):
    give_up(site, "no rope")
    page = administrator.client.get(f"{JOBS}?{query}")
    assert page.status_code == 200
    assert "<script>" not in page.text.split("</head>")[1]


def test_every_kind_of_job_has_its_words(site, tmp_path):
    means = Means(site.people.engine, site.people.keys, open_post("", "", tmp_path, ""), lambda: NOON)
    kinds = [*make_handlers(means), registrar.LOOK_JOB, registrar.SEND_JOB]  # the latter only where it is set up
    assert [kind for kind in kinds if kind_words(kind) == kind] == []
