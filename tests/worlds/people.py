"""A person about whom every table that may hold something holds something."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from covoiturage.boarding import Event, Outing, Step
from covoiturage.bookings import Booking, BookingState
from covoiturage.carpool import Carpool, Evidence, Kind, Ride, Side
from covoiturage.fraud.labels import Code, Label
from covoiturage.offers import Halt, Meeting, Offer, Taken, Wish
from covoiturage.payments import Item, PaymentBatch
from covoiturage.proof import ProofClass
from covoiturage.standard.bookings import Person
from mobigo.security import Keys, Role
from mobigo.services.covoiturage.keeping import kept_booking, kept_message
from mobigo.services.scolaire.entitling import open_books
from mobigo.store.audit import AuditLine, record
from mobigo.store.consents import Answer, record_answer
from mobigo.store.covoiturage import holds, outings, own_bookings, own_offers, registry_messages
from mobigo.store.covoiturage.bookings import add_booking, add_event, add_message, put_user
from mobigo.store.covoiturage.carpools import Declaration, add_carpools, get_carpool
from mobigo.store.covoiturage.decisions import KeptDecision, add_decision, write_counters
from mobigo.store.covoiturage.disputes import Answer as DisputeAnswer
from mobigo.store.covoiturage.disputes import Dispute, Reason, add_dispute
from mobigo.store.covoiturage.offers import KeptOffer, put_offers
from mobigo.store.covoiturage.payouts import add_batch
from mobigo.store.covoiturage.policies import Verdict, add_draft, add_verdict
from mobigo.store.covoiturage.revisions import add_revision
from mobigo.store.jobs import enqueue
from mobigo.store.ledger.books import Books, append
from mobigo.store.people.access import ApiKey, add_key, open_session
from mobigo.store.people.accounts import Identity, add_person, link_outside, set_password
from mobigo.store.people.door import Purpose, TryKind, add_code, add_try
from mobigo.store.people.roles import give_role, take_role
from mobigo.store.personal import Whose
from mobigo.store.scolaire import boardings, cards
from mobigo.store.scolaire import contracts as school_contracts
from mobigo.store.scolaire.absences import add_absence
from mobigo.store.scolaire.application_steps import add_step, ask_papers
from mobigo.store.scolaire.applications import KeptHome, new_application, put_application
from mobigo.store.scolaire.decisions import add_decisions, keep_book
from mobigo.store.scolaire.messages import Addressee, Message, set_language
from mobigo.store.scolaire.messages import Channel as LetterChannel
from mobigo.store.scolaire.messages import add_message as add_school_message
from mobigo.store.scolaire.organisers import add_scope
from mobigo.store.scolaire.publications import add_publication
from mobigo.store.scolaire.searches import add_search
from mobigo.store.scolaire.sectors import KeptSector, load_sector, put_sector
from mobigo.store.scolaire.stop_cases import Opinion, add_case, add_opinion
from mobigo.store.scolaire.studies import add_study
from scolaire.boarding import Act, Why
from scolaire.cards import Fee
from scolaire.contracts.indices import Coefficient, Published
from scolaire.contracts.statements import Statement
from scolaire.entitlement.files import list_facts
from scolaire.entitlement.judge import Judge
from scolaire.planfiles import render_plan
from scolaire.plans import Direction
from scolaire.pupils import SCHOOL_WEEK, Home, Level, Pupil, Regime, School, Sector
from scolaire.registration.model import Channel, Contact, Deed, State
from scolaire.registration.typed import identity_key
from scolaire.safety.dossier import Dossier, Says, Who
from scolaire.telling import Matter, Scope
from socle.accounting import Account, AccountKind
from socle.geo import LatLon
from tests.worlds.books import EXPENSE, decided
from tests.worlds.drafts import draft
from tests.worlds.one_run import morning_plan
from tests.worlds.outings import STOPS
from tests.worlds.partners import OTHERS, booking, message, user

AGENT = "person:agent7"


def add_known_person(session: Session, keys: Keys, word: str, now: datetime) -> Whose:
    """Somebody whose details and rows all contain or come from `word` (letters), known to every store."""
    number = f"+336399{sum(map(ord, word)) % 100_000:05}"
    identity = Identity(f"{word} Durand", f"{word}@exemple.test", number, f"FR76{word}")
    person = add_person(session, keys, identity, now)
    whose = Whose(person.person_id, person.pseudonym)
    set_password(session, person.person_id, f"hash of {word}", now)
    link_outside(session, keys, person.person_id, "https://connexion.exemple.test", word, now)
    give_role(session, person.person_id, Role.DRIVER, AGENT, f"permis de {word}", now)
    take_role(session, person.person_id, Role.DRIVER, AGENT, f"permis de {word} perdu", now)
    open_session(session, keys.token_hash(word), person.person_id, "password", f"Navigateur de {word}", now)
    key = ApiKey(f"k{word}", person.person_id, f"clé de {word}", ("own_account",), 60, now, now + timedelta(30), None)
    add_key(session, key, keys.token_hash(f"key {word}"))
    account = keys.blind("email", identity.email)
    add_try(session, TryKind.SIGN_IN, account, keys.blind("address", "192.0.2.1"), now)
    facts = {"email": identity.email}
    add_code(session, keys, Purpose.CONTACT, word, person.person_id, facts, now, timedelta(minutes=15))
    record_answer(session, person.pseudonym, Answer("surveys", 1, "ab" * 32, True, now, person.actor))
    enqueue(session, "mail", {"person": person.pseudonym}, now, f"mail:{person.pseudonym}")
    record(session, AuditLine(now, AGENT, "people.read", whose.name, "appel"))
    add_dealings_with_partners(session, person.pseudonym, now)
    owed = f"driver:{person.pseudonym}:payable"
    books = Books(session)
    books.open([Account(EXPENSE, AccountKind.EXPENSES), Account(owed, AccountKind.LIABILITIES)])
    books.flush()
    append(session, [decided(f"carpool:{person.pseudonym}", 430, owed)], now)
    _add_carpools(session, person.pseudonym, person.actor, now)
    _add_outings(session, person.pseudonym, word, now)
    _add_meetings(session, keys, person.pseudonym, word, now)
    _add_schooling(session, keys, person.pseudonym, word, now)
    return whose


def _add_carpools(session: Session, name: str, actor: str, now: datetime) -> None:
    """A carpool that they drove and one that they rode in, decided, counted and paid."""
    begin = now - timedelta(hours=1)
    for number, (driver, passenger) in enumerate([(name, "other"), ("other", name)]):
        evidence = Evidence(Kind.QR, Side.BOARD, passenger, begin, f"device{number}{name}", LatLon(47.1, 6.3))
        ride = Ride(f"R{number}{name}", passenger, 1, begin, now, 33_000, evidence=(evidence,))
        carpool = Carpool(f"C{number}{name}", driver, begin, now, (ride,))
        proofs = {ride.id: ProofClass.B}
        terms = ("bfc-lignes", "2026-11", 0)
        kept = Declaration(carpool, proofs, f"key{number}{name}", "ab" * 32, b"{}", "cd" * 32, *terms, now)
        add_carpools(session, [kept])
    session.flush()
    holds.add_holds(session, [Label(Code.TOO_FAST, f"C0{name}", f"R0{name}", {"kmh": 200, "metres": 66_000})], now)
    session.flush()
    holds.decide_holds(session, f"C0{name}", holds.Verdict.RELEASED, AGENT, "trajet confirmé par l’exploitant", now)
    about = ("bfc-lignes", "ef" * 32, "cd" * 32, None, 430, 430, 150, None, [], [{"subject": name}], [], now)
    add_decision(session, KeptDecision(f"C0{name}", 1, *about))
    add_revision(session, get_carpool(session, f"C0{name}"), b"{}", "cd" * 32, AGENT, "appel du passager", now)
    said = "le trajet était plus long"
    add_dispute(
        session,
        Dispute(
            f"D{name}", "k", f"C0{name}", name, Reason.DISTANCE, said, now, 0, DisputeAnswer.REJECTED, "vu", AGENT, now
        ),
    )
    registry_messages.add_message(session, f"R0{name}", registry_messages.Kind.JOURNEY, now)
    write_counters(session, "bfc-lignes", {("trips", "driver", name, "day", "2026-11-21"): 1})
    for number, (drafter, judge) in enumerate([(actor, AGENT), (AGENT, actor)]):
        policy, tree = draft(f"regle-{number}-{name}")
        add_draft(session, policy, tree, drafter, "essai d’une règle", now)
        add_verdict(session, policy.version, Verdict(number == 0, judge, now, "lue et comprise"))
    batch = PaymentBatch(f"covoiturage-{name}", f"2026-{name}", (Item(name, 430, f"e2e-{name}"),), {})
    add_batch(session, batch, actor, now)


def _add_outings(session: Session, name: str, word: str, now: datetime) -> None:
    """An outing that they drove, with where their device was, and the plate of their car."""
    event = Event(Step.OPENED, now, name, "baume", device=f"device{word}", place=LatLon(47.35, 6.36))
    outing = Outing(f"outing{name}", name, STOPS, (event,), "L6")
    outings.add_outing(session, outing, outings.Opening(f"key{name}", "ab" * 32))
    outings.add_plate(session, outings.Plate(f"plate{word}", name, f"code{word}", "L6", now))


def _add_meetings(session: Session, keys: Keys, name: str, word: str, now: datetime) -> None:
    """A ride that they offer, one that they look for, one that they booked, and what was written about it."""
    at, here, there = int(now.timestamp()) + 3600, LatLon(47.1, 6.3), LatLon(47.3, 6.1)
    halts = (Halt(f"Chez {word}", here, 0, 0), Halt("Gare", there, 1800, 30_000))
    offer = Offer(f"O{name}", name, halts, at, 3)
    number = own_offers.take_turn(session)
    kept = own_offers.KeptOffer(offer, own_offers.OfferState.OPEN, "k", "ab" * 32, now)
    own_offers.put_offer(session, kept, number)
    wish = Wish(here, there, at, passenger=name)
    about = ("", own_offers.RequestState.OPEN, "k", "ab" * 32, now, now)
    own_offers.put_request(session, own_offers.KeptRequest(f"W{name}", wish, f"Chez {word}", "Gare", *about))
    taken = Taken(f"B{name}", 1, Meeting(here, at), Meeting(there, at + 1800), (at, at + 1800))
    places, day = (f"Chez {word}", "Gare"), now.date()
    booked = Booking(f"B{name}", "O", day, "other", name, taken, *places, 30_000, 300, BookingState.CONFIRMED)
    own_bookings.put_booking(session, booked, "k", "ab" * 32, now, number)
    sealed = keys.seal(f"Je suis {word}", f"carpool_message:B{name}")
    own_bookings.add_message(session, f"B{name}", name, "k", sealed, now)


def _add_schooling(session: Session, keys: Keys, name: str, word: str, now: datetime) -> None:
    """A child whom they look after, and the decision about its school transport."""
    code = word.casefold()
    school = School("c1", "Collège", LatLon(47.1, 6.3), 28_800, 61_200, 300, 900, Level.COLLEGE, 2_700)
    home = Home(LatLon(47.2, 6.3), SCHOOL_WEEK, commune="25578", guardian="REF", line=2)
    pupil = Pupil(f"enfant de {word}", "c1", Level.COLLEGE, Regime.DAY, (home,), birth_year=2014)
    sector = Sector((pupil,), (school,), (), (), ((0, 0),), ())
    kept = KeptSector(f"2026-{code}", 2026, code, now, 1, 0)
    put_sector(session, keys, kept, sector, [], {"REF": name})
    child = load_sector(session, keys, kept.sector_id).pupils[0].pupil_id
    (book,) = (one for one in open_books() if one.book.id == "un-kilometre")
    keep_book(session, book.book.version, book.book.id, book.book.valid_from, book.document, now)
    ((_, number, facts),) = list_facts((pupil,), (school,), 2026, {})
    decision = Judge(book.book).decide(facts)
    add_decisions(session, keys, kept.sector_id, 2026, [((child, number), facts, decision)], now)
    _add_study(session, keys, kept.sector_id, child, f"person:{name}", now)
    _add_application(session, keys, kept.sector_id, name, word, now)
    _add_school_message(session, keys, kept.sector_id, child, name, now)
    _add_school_contract(session, name, f"person:{name}", now)
    _add_boarding(session, keys, kept.sector_id, child, name, now)


def _add_study(session: Session, keys: Keys, sector_id: str, child: str, actor: str, now: datetime) -> None:
    """A plan that they began, in which the child rides, and published."""
    plan = render_plan(morning_plan(child))
    study = add_study(session, keys, sector_id, "Rentrée", plan, actor, "premier jet", now)
    add_publication(session, study, now.date(), actor, "vu avec le transporteur", now)
    add_search(session, study.study_id, 1, 60, 1, actor, now, now)


def _add_application(session: Session, keys: Keys, sector_id: str, name: str, word: str, now: datetime) -> None:
    """A child for whom they ask, with a step, a paper and an absence; and a commune that they see to."""
    one = new_application(2026, sector_id, "c1", Channel.ONLINE, f"person:{name}", now)
    told = {"prenom": f"Enfant de {word}", "nom_eleve": word, "naissance": "2014-03-09", "niveau": "college"}
    living = KeptHome(0, {"adresse_1": f"Chez {word}"}, Contact(word), "25578", SCHOOL_WEEK, guardian=name)
    one = replace(one, fields=told, homes=(living,), state=State.SUBMITTED)
    put_application(session, keys, one, identity_key(told))
    add_step(session, keys, one, Deed.APPEALED, f"person:{name}", now, words=f"{word} conteste")
    ask_papers(session, one, ["custody"])
    add_absence(session, one, name, (now.date(), now.date()), "all", now)
    add_scope(session, name, "commune", "25578", AGENT, now)
    dossier = Dossier("Le Bourg", LatLon(47.1, 6.3), 4, 200, 80, True, True, True)
    case = add_case(session, sector_id, "25578", dossier, None, f"person:{name}", now)
    add_opinion(session, case, Opinion(Who.COMMUNE, Says.FOR, "", now), f"person:{name}")


def _add_school_message(session: Session, keys: Keys, sector_id: str, child: str, name: str, now: datetime) -> None:
    """What they told families, their own among them, and the language in which they are written to."""
    message_id = f"message{name}"
    told = Message(message_id, sector_id, Matter.SNOW, Scope(now.date()), "Verglas au col", f"person:{name}", now)
    add_school_message(session, keys, told, f"key{name}", [(child, 0)], [Addressee(LetterChannel.EMAIL, name)])
    set_language(session, name, "de", now)


def _add_school_contract(session: Session, name: str, actor: str, now: datetime) -> None:
    """A contract and an index that they kept, what they told of a day and took back, a month that they proposed."""
    day = now.date()
    contract_id = f"lot-{name}"
    school_contracts.add_contract(session, contract_id, "cars", day, "ab" * 32, b"", actor, now)
    school_contracts.add_values(session, [Published(f"gazole-{name}", "2026-06", 10_000, "")], actor, now)
    kind = school_contracts.EventKind.BREACH
    told = ("s/C1", "", "late", "", 1, 0, 0, False, actor, "cars", now, "vu au contrôle")
    school_contracts.add_event(session, school_contracts.Event(f"E{name}", kind, day, *told))
    school_contracts.take_back(session, f"E{name}", actor, "erreur de jour", now)
    amounts = (Coefficient(1_000, 3), (), (), 0, 0, 0, 0, ())
    school_contracts.put_proposal(session, Statement(contract_id, "ab" * 32, "2026-10", (day,), *amounts), actor, now)
    school_contracts.add_carrier_account(session, name, "cars", AGENT, now)


def _add_boarding(session: Session, keys: Keys, sector_id: str, child: str, name: str, now: datetime) -> None:
    """The card of a child whom they look after, a duplicate of it, and a morning on which they drove the child."""
    actor = f"person:{name}"
    cards.order_cards(session, keys, sector_id, 2026, [child], actor, now)
    card = cards.list_standing(session, keys, sector_id)[child]
    cards.add_duplicate(session, keys, card, 2026, (1_500, Fee.DUE, ""), name, actor, now)
    run = boardings.OnRun(sector_id, now.date(), "s/C001", "C001-M", Direction.TO_SCHOOL)
    told = ("C001-M", Act.BOARD, child, sector_id, 0, "s1", Why.EXPECTED, True, actor, now)
    boardings.add_event(session, run, boardings.Kept(f"event-{name}", *told))
    boardings.add_stage(session, run, f"stage-{name}", boardings.Stage.EMPTY, actor, now)


def add_dealings_with_partners(session: Session, pseudonym: str, now: datetime) -> None:
    """An offer, a booking with its event, and a message of somebody whom operators know by pseudonym."""
    ours = user(pseudonym, "mobigo.exemple.test")
    booked = kept_booking(booking(driver=ours), OTHERS)
    owner = Person("mobigo.exemple.test", pseudonym).key
    put_offers(session, [KeptOffer(f"offer of {pseudonym}", "driver_journey", owner, "{}")], now)
    add_booking(session, booked, now)
    add_event(session, f"event of {pseudonym}", booked.key, "ab" * 32, now)
    add_message(session, kept_message(message(ours)), now)
    put_user(session, owner, now)
