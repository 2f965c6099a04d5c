"""A site in which something of everything is there to be harmed, on both databases."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from urllib.parse import urlencode

import pytest

from covoiturage.bookings import BookingState
from covoiturage.carpool import Side
from covoiturage.drives import straight_ways
from covoiturage.standard.bookings import booking_key
from mobigo.security import Role
from mobigo.services.covoiturage import booking, plates, publishing, standard
from mobigo.services.covoiturage.declaring import declare
from mobigo.services.covoiturage.disputing import Reason, open_dispute
from mobigo.services.covoiturage.elsewhere import seal_journey
from mobigo.services.covoiturage.given import Named
from mobigo.services.covoiturage.lines import list_lines
from mobigo.services.covoiturage.outings import Seen, course_of_line, open_outing
from mobigo.services.covoiturage.paying import approve_batch, prepare_batch
from mobigo.services.covoiturage.scanning import board_by_scan, show_code, stamp_scan
from mobigo.services.covoiturage.settling import settle
from mobigo.services.covoiturage.standard import Caller
from mobigo.services.people import administration, api_keys
from mobigo.services.people.administration import Details
from mobigo.services.scolaire import (
    carding,
    contracting,
    deciding,
    families,
    handling,
    messaging,
    noting,
    organising,
    registering,
    stating,
)
from mobigo.services.scolaire.editing import keep
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.searching import Bells
from mobigo.services.scolaire.searching import ask as ask_search
from mobigo.services.scolaire.stopping import ask_for_stop
from mobigo.services.scolaire.studying import add_study, undo
from mobigo.services.scolaire.studying import publish as publish_plan
from mobigo.store.base import reading, transaction
from mobigo.store.covoiturage import own_bookings
from mobigo.store.covoiturage.registry_messages import Kind, Outcome, State, add_message, end_message, find_message
from mobigo.store.jobs import Lease, claim_next, enqueue, fail
from scolaire.planfiles import render_plan
from scolaire.safety.dossier import Dossier
from scolaire.telling import Matter, Scope
from socle.geo import LatLon
from tests.worlds import schooling
from tests.worlds.accounts import NOON
from tests.worlds.carpools import carpool
from tests.worlds.databases import KINDS, empty_database
from tests.worlds.drafts import draft_document
from tests.worlds.hostile import DEVICE, Walk
from tests.worlds.meeting import ANNA, CLEO, DAVID, MONDAY, NOW, SEVEN, WEEKS, ask, book, publish
from tests.worlds.one_run import morning_plan
from tests.worlds.partners import booking as standard_booking
from tests.worlds.partners import driver_journey
from tests.worlds.partners import ends as partner_ends
from tests.worlds.school_office import CARRIER, CIRCUIT, CONTRACT, RUN, SECTOR, under_contract
from tests.worlds.schooling import SCHOOL, school_year
from tests.worlds.sectors import sector_files
from tests.worlds.valley import valley
from tests.worlds.visiting import place

VALMONT, LE_LAC = Named("Valmont", LatLon(47.3020, 5.0005)), Named("Le Lac", LatLon(47.5005, 5.2010))
SEARCH = "/itineraire?de=Valmont&vers=Le+Lac&jour=2026-11-24&heure=07:00"


@pytest.fixture(scope="package")
def world():
    return valley()


@pytest.fixture(scope="package", params=KINDS)
def shared_site(request, world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    with empty_database(request.param, folder) as address, place(world, folder / "data", database_url=address) as site:
        yield site


@pytest.fixture
def site(shared_site):
    """At noon."""
    shared_site.clock.now = NOON
    return shared_site


@pytest.fixture
def new_site(world, tmp_path):
    """Another one, with nobody in it."""
    with place(world, tmp_path) as site:
        yield site


@pytest.fixture(scope="package")
def shared_walk(shared_site):
    """The site walked by somebody who has every role; somebody else is there, and something went wrong."""
    site = shared_site
    people = site.people
    person = people.add("Alix Martin", "alix@exemple.test", roles=[role for role in Role if role is not Role.TRAVELLER])
    other = people.add("Camille Durand", "camille@exemple.test")
    principal = people.let_in(person).principal
    wish = api_keys.KeyWish("Tableau", ["own_account"], 9, 9)
    api_keys.make_key(people.engine, people.keys, principal, wish, NOON)
    suspended = administration.make_person(people.engine, people.keys, principal, Details("Jeanne Roux"), NOON)
    administration.suspend(people.engine, principal, suspended.pseudonym, "essai", NOON)
    with transaction(people.engine) as session:
        enqueue(session, "people.message", {"code_id": "x"}, NOON, "given up")
        claim = claim_next(session, ["people.message"], Lease("w", NOON + timedelta(hours=1), 3), "t", NOON)
        fail(session, claim, "<b>essai</b>", None, NOON)
    add_months_of_carpools(people)
    add_a_study(people)
    add_a_dispute(people, person.pseudonym)
    another = publishing.Author("person:another", "person:another")
    publishing.submit(people.engine, another, draft_document(title="<b>essai</b>"), "essai", NOON)
    found = Walk(site, person)
    yield found.walk(
        SEARCH,
        "/arrets?nom=Valmont",
        f"/personnes/{other.pseudonym}",
        f"/personnes/{suspended.pseudonym}",
        *add_outings(people, person),
        *add_meetings(people, person),
        *add_partners(people, person),
        *add_schooling(people, person),
        *add_pupils(people, person),
    )
    found.close()


def add_a_study(people):
    """A plan of school transport changed twice, once undone, and published."""
    engine, keys, actor = people.engine, people.keys, "person:another"
    import_sector(engine, keys, sector_files(), 2026, "essai", actor, NOON)
    plan = render_plan(morning_plan("p1", "p2"))
    study = add_study(engine, keys, "2026-essai", "<b>essai</b>", plan, actor, "<b>essai</b>", NOON)
    stop = {"kind": "add_stop", "stop_id": "s3", "name": "<b>essai</b>", "lat": 47.2, "lon": 6.3}
    for edit in ({"kind": "change_vehicle", "circuit_id": "C001", "type_id": "coach"}, stop):
        study = keep(engine, keys, study.study_id, study.turn, edit, actor, "essai", NOON)
    study = undo(engine, keys, study.study_id, study.turn, actor, NOON)
    ask_search(engine, study.study_id, study.turn, 10, 1, actor, NOON)
    other = add_study(engine, keys, "2026-essai", "<b>horaires</b>", plan, actor, "", NOON)
    ask_search(engine, other.study_id, other.turn, 10, 1, actor, NOON, Bells(900, ()))
    publish_plan(engine, keys, study.study_id, study.turn, NOON.date(), actor, "essai", NOON)


def add_a_dispute(people, pseudonym):
    """A carpool of that person's, which nobody disputes, and somebody else's, which is disputed."""
    begin = NOON - timedelta(days=2)
    own = carpool("own", driver=pseudonym, passengers=("guest",), at=begin - timedelta(hours=3))
    declare(people.engine, own, "own", "key:app1", begin)
    month = f"{NOON - timedelta(days=3):%m}"
    open_dispute(people.engine, f"p{month}", f"C{month}", Reason.FARE, "", NOON)


def add_outings(people, person):
    """Three cars on their way: one that they drive, one they are in, one they may get in; and plates."""
    engine, keys = people.engine, people.keys
    line = list_lines(engine, NOON.date())[0]
    course, stop = course_of_line(engine, line.line_id, NOON.date()), line.stops[0].stop_id
    seen, device = Seen(NOON, "another telephone"), keys.blind("device", DEVICE)
    own, ridden, free = (
        open_outing(engine, who, course, stop, seen, "k1", "person:another").outing.id
        for who in (person.pseudonym, "driver1", "driver2")
    )
    up = show_code(engine, keys, ridden, "driver1", Side.BOARD, NOON).token
    board_by_scan(engine, keys, person.pseudonym, up, stop, Seen(NOON, device))
    shown = [
        show_code(engine, keys, ridden, "driver1", Side.ALIGHT, NOON),
        show_code(engine, keys, free, "driver2", Side.BOARD, NOON),
    ]
    scans = [stamp_scan(keys, code.token, device, NOON) for code in shown]
    plates.make_plate(engine, person.pseudonym, line.line_id, "person:another", NOON)
    plate = plates.make_plate(engine, "driver3", line.line_id, "person:another", NOON)
    yield from (f"/covoiturage/descendre/{scans[0]}", f"/covoiturage/monter/{scans[1]}")
    yield from (f"/covoiturage/plaque/{plate.code}", f"/covoiturage/trajets/{own}", "/covoiturage/trajet?demande=x")
    yield f"/covoiturage/trajet/nouveau?ligne={line.line_id}"


def add_meetings(people, person):
    """Somebody booked with them and somebody rode, they booked and look for more, and a third offers seats."""
    engine, who = people.engine, person.pseudonym
    soon = NOW + timedelta(hours=1)
    past = publish(engine, who, key="past", leaves=soon).offer
    ridden = book(engine, past.offer_id, CLEO, day=NOW.date(), at=soon + timedelta(minutes=15)).booking
    booking.move(engine, ridden.booking_id, BookingState.CONFIRMED, who, f"person:{who}", NOW)
    publish(engine, who, key="weekly", leaves=WEEKS)
    ask(engine, who, at=SEVEN + timedelta(days=2))
    own = publish(engine, person.pseudonym).offer
    book(engine, own.offer_id)
    other = publish(engine, ANNA).offer
    book(engine, other.offer_id, person.pseudonym, at=SEVEN + timedelta(minutes=10))
    ends = {"origin": VALMONT, "destination": LE_LAC}
    publish(engine, DAVID, leaves=SEVEN + timedelta(days=1), **ends)
    yield f"/covoiturage?de=Valmont&vers=Le+Lac&jour={MONDAY + timedelta(days=1)}&heure=07:00"
    yield from (f"/covoiturage/{page}?de=Valmont&vers=Le+Lac" for page in ("proposer", "attendre"))


def add_partners(people, person):
    """A seat of a partner to book, a passenger of theirs to take along, and a ride that the registry refused."""
    engine, keys, soon = people.engine, people.keys, NOON + timedelta(minutes=30)
    price = {"type": "PAYING", "amount": 2.5, "currency": "EUR"}
    theirs = driver_journey(soon.timestamp(), operator="ailleurs.exemple.test", price=price)
    line = list_lines(engine, NOON.date())[0]
    first, last = line.stops[0], line.stops[-1]
    ends = {"line_id": line.line_id, "from_stop": first.stop_id, "to_stop": last.stop_id}
    offer = publish(engine, person.pseudonym, key="guest", leaves=soon, now=NOON, line=line, **ends).offer
    places = partner_ends(first.at, last.at)
    ours = {"id": offer.offer_id, "operator": "", "alias": ""}
    asked = standard_booking(driver=ours, price={}, passengerPickupDate=soon.timestamp(), **places)
    standard.book(engine, straight_ways, Caller(), "ici.exemple.test", asked, NOON)
    with reading(engine) as session:
        guest = own_bookings.find_of_partner(session, booking_key(asked["id"]))
    booking.move(engine, guest.booking_id, BookingState.CONFIRMED, person.pseudonym, "person:x", NOON)
    begin = NOON - timedelta(hours=5)
    declare(engine, carpool("refused", driver="d9", passengers=("p9",), at=begin), "refused", "key:app1", NOON)
    with transaction(engine) as session:
        add_message(session, "refused-p9", Kind.JOURNEY, NOON)
        message = find_message(session, "refused-p9", Kind.JOURNEY, 1)
        end_message(session, message, Outcome(State.REFUSED, 422, why="expired"), NOON)
    yield f"/covoiturage/reserver-ailleurs?{urlencode({'trajet': seal_journey(keys, theirs, NOON)})}"
    yield from ("/covoiturage/trajet", "/finances/covoiturage/registre")


def add_pupils(people, person):
    """Requests for children of theirs: one begun, one handed in, two decided, one of them contested; a commune."""
    engine, keys = people.engine, people.keys
    school_year(engine, keys, NOON)
    own = schooling.guardian(person.pseudonym)
    asked = [registering.start(engine, keys, own, SCHOOL, NOON) for _ in range(4)]
    for name, one in zip(("Zoé", "Ana", "Ida"), asked[1:], strict=True):
        told = schooling.typed(prenom=name, derogation="option", jeudi="2", responsable_2="Sacha Roy")
        registering.save(engine, keys, own, one, told, NOON)
        registering.submit(engine, keys, own, one, NOON)
    waits, *decided = (registering.read_request(engine, keys, own, one).application for one in asked[1:])
    day = NOON.date() + timedelta(days=9)
    families.declare_absence(engine, keys, own, waits.code, day, day, "all", NOON)
    for one, home in product(decided, (0, 1)):
        deciding.override(engine, keys, schooling.OFFICE, one.id, home, "entitled", "safety", "essai", NOON)
    handling.appeal(engine, keys, own, decided[1].id, "essai", NOON)
    organising.set_scope(engine, schooling.OFFICE, person.reference, "commune", "25701", NOON, given=True)
    dossier = Dossier("<b>essai</b>", LatLon(47.2, 6.3), 3, 50, 80, waiting_area=True, crossing=True, no_reversing=True)
    ask_for_stop(engine, schooling.OFFICE, schooling.SECTOR, "25701", dossier, b"\xff\xd8\xff", NOON)
    yield from (f"/scolaire/demande/{asked[0]}", f"/scolaire/demande/{asked[0]}/verifier")
    yield from (f"/scolaire/eleve/{one.code}" for one in (waits, *decided))
    yield from (f"/scolaire/bureau/demandes/{one.id}" for one in (waits, *decided))
    yield f"/scolaire/bureau/organisateurs?qui={person.reference}"
    yield from add_cards(engine, keys)


def add_cards(engine, keys):
    """Cards of everybody, one of them replaced and to be paid for; a coach that runs on the day of the walk."""
    acting = schooling.OFFICE
    carding.order_missing(engine, keys, acting, SECTOR, NOON)
    carding.deliver(engine, acting, SECTOR, NOON)
    holders = carding.list_cards(engine, keys, acting, SECTOR, "", 9, 0, NOON).holders
    sent = next(one.card for one in holders if one.name == "p1")
    due = carding.replace_card(engine, keys, acting, sent.card_id, NOON)
    import_sector(engine, keys, sector_files(), 2026, "samedi", acting.actor, NOON)
    plan = morning_plan("p1", "p2")
    plan = replace(plan, periods=(replace(plan.periods[0], days=0b111111),))
    study = add_study(engine, keys, "2026-samedi", "<b>essai</b>", render_plan(plan), acting.actor, "", NOON)
    publish_plan(engine, keys, study.study_id, 1, NOON.date(), acting.actor, "", NOON)
    asked = urlencode({"jour": f"{NOON:%Y-%m-%d}", "circuit": "samedi/C001", "course": RUN})
    for halt in range(3):
        yield f"/exploitant/car?{asked}&halte={halt}"
    yield f"/scolaire/bureau/bord/course?{asked}"
    others = [one.card.card_id for one in holders if one.card and one.card.card_id != sent.card_id]
    yield from (f"/scolaire/bureau/cartes/{card}" for card in (due.card_id, *others))
    yield from (f"/scolaire/communes/cartes/{card}" for card in others)


def add_schooling(people, person):
    """A carrier's month with a run that did not take place, one that somebody else proposed, and a message."""
    engine, keys, who = people.engine, people.keys, "person:another"
    under_contract(engine, keys, who, NOON)
    contracting.give_carrier(engine, person.reference, CARRIER, who, NOON)
    day = NOON.date() - timedelta(days=5)
    noting.tell_not_run(engine, keys, day, CIRCUIT, RUN, "snow", "essai", noting.Teller(who), NOON)
    stating.prepare_month(engine, keys, CONTRACT, "2026-09", who, NOON)
    told = messaging.Draft(SECTOR, Matter.SNOW, Scope(day + timedelta(days=7)), "essai")
    message = messaging.send(engine, keys, told, "k", who, NOON)
    yield from (f"/scolaire/contrats/{CONTRACT}/{month}" for month in ("2026-09", "2026-10", "2026-11"))
    yield from (f"/exploitant?jour={day}", f"/exploitant/course?jour={day}", f"/scolaire/messages/{message.message_id}")


def add_months_of_carpools(people):
    """Four months of carpools: one waits, one is decided but for a carpool held, one is proposed, one approved."""
    months = [(NOON - timedelta(days=3 + 31 * back)) for back in range(4)]
    for begin in months:
        given = carpool(f"C{begin:%m}", passengers=(f"p{begin:%m}",), metres=110_000, at=begin)
        declare(people.engine, given, f"C{begin:%m}", "key:app1", begin + timedelta(hours=2))
    held = carpool("held", driver="alone", passengers=("alone",), at=months[1])
    declare(people.engine, held, "held", "key:app1", months[1] + timedelta(hours=2))
    for begin in months[1:]:
        settle(people.engine, f"{begin:%Y-%m}", NOON)
    approved, proposed = f"{months[3]:%Y-%m}", f"{months[2]:%Y-%m}"
    prepare_batch(people.engine, approved, "person:another", NOON)
    approve_batch(people.engine, approved, "person:third", NOON)
    prepare_batch(people.engine, proposed, "person:another", NOON)


@pytest.fixture
def walk(shared_walk, site):
    """At noon."""
    return shared_walk
