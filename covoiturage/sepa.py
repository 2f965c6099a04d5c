"""SEPA: a payment batch as pain.001.001.09, the order that a bank executes; the same batch gives the same bytes.

Source: ISO 20022, pain.001.001.09; European Payments Council, EPC115-06 (credit transfer scheme):
amounts in euros with two decimals, names in the Latin set of EPC217-08, identifiers of at most 35
characters, charges shared (SLEV).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from xml.etree import ElementTree as ET

from covoiturage.payments import Payee, PaymentBatch
from socle.errors import BadInput
from socle.money import render_euros

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_MAX_NAME = 70
_MAX_REMITTANCE = 140
# What the scheme's Latin set lacks, and what stands for it.
_SPELLED = str.maketrans(
    {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "’": "'", "–": "-", "—": "-", "&": "+"}
)
_OUTSIDE_LATIN = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]+")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


@dataclass(frozen=True, slots=True)
class Debtor:
    """Who pays: the Region's accountant."""

    name: str
    iban: str
    bic: str | None = None


def latin(words: str, most: int = _MAX_NAME) -> str:
    """`words` in the scheme's character set: accents taken off, anything else left out, no double blanks."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", words.translate(_SPELLED)) if not unicodedata.combining(c))
    return " ".join(_OUTSIDE_LATIN.sub(" ", bare).split())[:most].strip()


def check_iban(iban: str) -> str:
    """`iban` without blanks, in capitals, when its check digits are right.

    Raises:
        BadInput: `bad_iban`; the number itself is not repeated.
    """
    compact = "".join(iban.split()).upper()
    if _IBAN.fullmatch(compact) is None:
        raise BadInput("bad_iban")
    digits = "".join(str(int(c, 36)) for c in compact[4:] + compact[:4])
    if int(digits) % 97 != 1:
        raise BadInput("bad_iban")
    return compact


def render_pain001(
    batch: PaymentBatch, payees: Mapping[str, Payee], debtor: Debtor, execute_on: date, created_at: datetime
) -> bytes:
    """The order to pay `batch`, as XML.

    Raises:
        BadInput: `nothing_to_pay`; `no_payee` for a driver without account; `bad_iban`; `bad_bic`;
            `name_no_bank_writes` when nothing of a name is left in the scheme's characters.
    """
    if not batch.items:
        raise BadInput("nothing_to_pay", month=batch.month)
    n, total = str(len(batch.items)), render_euros(batch.total_cents)
    document = ET.Element("Document", xmlns=NAMESPACE)
    order = _sub(document, "CstmrCdtTrfInitn")
    header = _sub(order, "GrpHdr")
    _sub(header, "MsgId", batch.id)
    _sub(header, "CreDtTm", f"{created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    _sub(header, "NbOfTxs", n)
    _sub(header, "CtrlSum", total)
    _sub(_sub(header, "InitgPty"), "Nm", _name(debtor.name))
    payment = _sub(order, "PmtInf")
    _sub(payment, "PmtInfId", batch.id)
    _sub(payment, "PmtMtd", "TRF")
    _sub(payment, "BtchBookg", "true")
    _sub(payment, "NbOfTxs", n)
    _sub(payment, "CtrlSum", total)
    _sub(_sub(_sub(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _sub(_sub(payment, "ReqdExctnDt"), "Dt", execute_on.isoformat())
    _sub(_sub(payment, "Dbtr"), "Nm", _name(debtor.name))
    _account(payment, "DbtrAcct", debtor.iban)
    _agent(payment, "DbtrAgt", debtor.bic)
    _sub(payment, "ChrgBr", "SLEV")
    remittance = latin(f"Covoiturage {batch.month}", _MAX_REMITTANCE)
    for item in batch.items:
        payee = payees.get(item.driver)
        if payee is None:
            raise BadInput("no_payee", driver=item.driver)
        transfer = _sub(payment, "CdtTrfTxInf")
        _sub(_sub(transfer, "PmtId"), "EndToEndId", item.end_to_end_id)
        _sub(_sub(transfer, "Amt"), "InstdAmt", render_euros(item.cents)).set("Ccy", "EUR")
        if payee.bic is not None:
            _agent(transfer, "CdtrAgt", payee.bic)
        _sub(_sub(transfer, "Cdtr"), "Nm", _name(payee.name))
        _account(transfer, "CdtrAcct", payee.iban)
        _sub(_sub(transfer, "RmtInf"), "Ustrd", remittance)
    rendered: bytes = ET.tostring(document, encoding="utf-8", xml_declaration=True)
    return rendered + b"\n"


def _sub(parent: ET.Element, tag: str, text: str | None = None) -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = text
    return element


def _account(parent: ET.Element, tag: str, iban: str) -> None:
    _sub(_sub(_sub(parent, tag), "Id"), "IBAN", check_iban(iban))


def _agent(parent: ET.Element, tag: str, bic: str | None) -> None:
    """The bank: by its BIC, or as the scheme wants a bank that the IBAN alone names."""
    identification = _sub(_sub(parent, tag), "FinInstnId")
    if bic is None:
        _sub(_sub(identification, "Othr"), "Id", "NOTPROVIDED")
    elif _BIC.fullmatch(bic) is None:
        raise BadInput("bad_bic")
    else:
        _sub(identification, "BICFI", bic)


def _name(name: str) -> str:
    told = latin(name)
    if not told:
        raise BadInput("name_no_bank_writes")
    return told
