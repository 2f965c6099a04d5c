"""Holdings: every table that holds something about people, and every table that does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlmodel import Session

from mobigo.store import audit, consents, jobs
from mobigo.store.covoiturage.holdings import HOLDINGS as OF_COVOITURAGE
from mobigo.store.covoiturage.outings import HOLDINGS as OF_OUTINGS
from mobigo.store.covoiturage.own_holdings import HOLDINGS as OF_MEETING
from mobigo.store.covoiturage.partner_holdings import HOLDINGS as OF_PARTNERS
from mobigo.store.covoiturage.policies import HOLDINGS as OF_POLICIES
from mobigo.store.ledger.reads import HOLDINGS as OF_LEDGER
from mobigo.store.people.holdings import HOLDINGS as OF_PEOPLE
from mobigo.store.personal import Holding, OpensSealed, Row, Whose
from mobigo.store.scolaire.family_holdings import HOLDINGS as OF_FAMILIES
from mobigo.store.scolaire.holdings import HOLDINGS as OF_SCOLAIRE
from mobigo.store.scolaire.stop_cases import HOLDINGS as OF_STOPS

# In the order of erasure: what refers to a row goes before it.
HOLDINGS: Sequence[Holding] = (
    *(consents.HOLDING, *OF_OUTINGS, *OF_COVOITURAGE, *OF_PARTNERS, *OF_MEETING, *OF_POLICIES, *OF_SCOLAIRE),
    *OF_FAMILIES,
    *OF_STOPS,
    *OF_PEOPLE,
    *(jobs.HOLDING, audit.HOLDING, *OF_LEDGER),
)
ABOUT_NOBODY = frozenset(
    {
        *("source_version", "finding", "release", "job_try", "posting", "balance", "tree_head", "tree_node"),
        *("school_sector", "school", "school_stop", "school_vehicle_type", "school_finding", "school_rule_book"),
        *("partner_key", "partner", "partner_offer_version", "line_version", "carpool_change"),
    }
)


def export_person(session: Session, whose: Whose, keys: OpensSealed) -> Mapping[str, Sequence[Row]]:
    """Everything held about a person, by table."""
    return {holding.table: list(holding.export(session, whose, keys)) for holding in HOLDINGS}


def names_somebody(rows: Mapping[str, Sequence[Row]]) -> bool:
    """Whether what is held is more than lines under a pseudonym that names nobody any more."""
    return any(rows[holding.table] for holding in HOLDINGS if holding.erase)


def erase_person(session: Session, whose: Whose) -> Mapping[str, int]:
    """Take away everything that names a person; how many rows went, by table.

    What stays holds the pseudonym alone, and nothing is left that leads from it to somebody.
    """
    counts = {holding.table: holding.erase(session, whose) for holding in HOLDINGS if holding.erase}
    return {table: n for table, n in counts.items() if n}
