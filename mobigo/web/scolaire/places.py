"""Words and addresses that the pages of cards and boarding share."""

from __future__ import annotations

from urllib.parse import quote

from mobigo.services.scolaire.carding import Card
from mobigo.services.scolaire.registering import Acting
from mobigo.web import door
from mobigo.web.wording import euros, say
from scolaire.cards import Fee, spelled

CARDS = "/scolaire/bureau/cartes"
LOCAL_CARDS = "/scolaire/communes/cartes"
FILL = "/scolaire/remplissage"
OFFICE_FILL = "/scolaire/bureau/remplissage"
LOCAL_FILL = "/scolaire/communes/remplissage"
BOARD = "/exploitant/car"
ROADBOOK = "/exploitant/feuille-de-route"
OFFICE_BOARD = "/scolaire/bureau/bord"


def card_href(acting: Acting, card_id: str) -> str:
    """Where a card is looked at by somebody of the office or of a local organiser."""
    return f"{CARDS if acting.is_office else LOCAL_CARDS}/{quote(card_id, safe='')}"


def card_line(card: Card | None) -> str:
    """Where a card is, in a sentence."""
    return say("school.card.none") if card is None else say(f"school.card.{card.state}", number=spelled(card.number))


def fee_line(card: Card) -> str:
    """What became of the price of a duplicate; nothing of a first card."""
    return "" if card.fee is Fee.NONE else say(f"school.card.{card.fee}", price=euros(card.fee_cents))


def board_href(path: str, circuit_id: str, run_id: str, day: str, **more: str) -> str:
    """A page of a run of a day."""
    return door.with_query(path, jour=day, circuit=circuit_id, course=run_id, **more)
