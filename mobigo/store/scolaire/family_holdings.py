"""Holdings of registration: what families wrote, what was done with it, and whom local organisers see to.

Erasing a guardian's account takes away how the guardian is reached and the thread from the child's file to the
account. The file itself belongs to the school year and goes with it (`retention.toml`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, select

from mobigo.store.base import change
from mobigo.store.personal import Holding, OpensSealed, Row, Whose, rows_of
from mobigo.store.scolaire.application_steps import opened_words
from mobigo.store.scolaire.applications import opened_fields, opened_home
from mobigo.store.scolaire.family_rows import AbsenceRow, ApplicationRow, HomeRow, OrganiserRow, PaperRow, StepRow


def _applications(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    own = select(HomeRow.application_id).where(HomeRow.guardian == whose.pseudonym)
    rows = select(ApplicationRow).where(col(ApplicationRow.id).in_(own)).order_by(col(ApplicationRow.made_at))
    for row in session.exec(rows):
        fields = opened_fields(keys, row)
        yield {
            "at": row.made_at,
            "school_year": row.school_year,
            "school_id": row.school_id,
            "application_code": row.code,
            "application_state": row.state,
            "child": f"{fields.get('prenom', '')} {fields.get('nom_eleve', '')}".strip(),
            "birth_date": fields.get("naissance", ""),
            "school_level": fields.get("niveau", ""),
            "school_class": fields.get("classe", ""),
            "school_regime": fields.get("regime", ""),
            "wheelchair": fields.get("fauteuil", "") == "oui",
            "derogation": fields.get("derogation", ""),
        }


def _homes(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    rows = select(HomeRow).where(HomeRow.guardian == whose.pseudonym)
    for row in session.exec(rows.order_by(col(HomeRow.application_id), col(HomeRow.number))):
        home = opened_home(keys, row)
        end = f"_{row.number + 1}"
        yield {
            "name": home.contact.name,
            "email": home.contact.email,
            "phone": home.contact.phone,
            "home_address": home.fields.get(f"adresse{end}", ""),
            "commune": home.commune,
            "home_position": home.fields.get(f"position{end}", ""),
            "school_days": home.days,
            "stop_id": home.stop_id,
            "school_verdict": home.verdict or "",
        }


def _steps(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    """What was done with their requests, but for what concerns the other guardian's home alone."""
    rows = (
        select(StepRow, HomeRow.number)
        .join(HomeRow, col(HomeRow.application_id) == col(StepRow.application_id))
        .where(HomeRow.guardian == whose.pseudonym)
        .where(or_(col(StepRow.home).is_(None), col(StepRow.home) == col(HomeRow.number)))
        .order_by(col(StepRow.at), col(StepRow.number))
    )
    for row, _number in session.exec(rows):
        yield {"at": row.at, "school_deed": row.deed, "said_words": opened_words(keys, row)}


def _papers(session: Session, whose: Whose, _keys: OpensSealed) -> Iterator[Row]:
    own = select(HomeRow.application_id).where(HomeRow.guardian == whose.pseudonym)
    for row in session.exec(select(PaperRow).where(col(PaperRow.application_id).in_(own)).order_by(PaperRow.code)):
        yield {"school_paper": row.code, "received_at": row.received_at}


def _let_go(session: Session, whose: Whose) -> int:
    own = col(HomeRow.guardian) == whose.pseudonym
    return change(session, update(HomeRow).where(own).values(guardian=None, sealed_contact=None))


def _erase_organiser(session: Session, whose: Whose) -> int:
    return change(session, delete(OrganiserRow).where(col(OrganiserRow.holder) == whose.pseudonym))


_ABSENCE = {"at": "declared_at", "first_day": "first_day", "last_day": "last_day", "absence_part": "part"}


def _absences(session: Session, whose: Whose, keys: OpensSealed) -> Iterator[Row]:
    for row in rows_of(AbsenceRow, "guardian", "declared_at", _ABSENCE)(session, whose, keys):
        yield {**row, "first_day": str(row["first_day"]), "last_day": str(row["last_day"])}


# Homes come last: by them the other tables are found.
HOLDINGS: Sequence[Holding] = (
    Holding("school_application_step", ("by", "sealed"), _steps),
    Holding("school_application_paper", (), _papers),
    Holding("school_absence", ("guardian",), _absences),
    Holding("school_application", ("pupil", "made_by", "sealed"), _applications),
    Holding("school_application_home", ("guardian", "sealed", "sealed_contact"), _homes, _let_go),
    Holding(
        "school_organiser",
        ("holder",),
        rows_of(OrganiserRow, "holder", "value", {"at": "given_at", "organiser_kind": "kind", "organiser_of": "value"}),
        _erase_organiser,
    ),
)
