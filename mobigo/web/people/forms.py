"""Forms: fields with their problems, and the page that is one form, sent again when something was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import Depends, Request, Response

from mobigo.security import Permission
from mobigo.services.people.principal import Principal
from mobigo.texts import error_sentence, is_for_operators
from mobigo.web.door import Needs, read_form
from mobigo.web.layout import Pages
from mobigo.web.wording import say
from socle.errors import Conflict, Forbidden, MobigoError, NotFound, TooOften, Unavailable

Fields = Annotated[Mapping[str, str], Depends(read_form)]
SENT_BY_US = Depends(read_form)  # where the fields do not matter
OWNER = Depends(Needs(Permission.OWN_ACCOUNT))
Owner = Annotated[Principal, OWNER]

# Error code -> the field it speaks of; a page without that field tells it at its top.
_FIELD_OF = {
    "bad_clock": "heure",
    "bad_contact": "contact",
    "bad_day": "jour",
    "event_day": "jour",
    "message_day": "jour",
    "message_scope": "circuits",
    "posted_day": "jour",
    "posted_numbers": "sauf",
    "posted_unread": "sauf",
    "run_not_ordered": "course",
    "told_already": "course",
    "unknown_cause": "cause",
    "unknown_penalty": "penalite",
    "event_times": "fois",
    "reference_missing": "reference",
    "extra_amounts": "distance",
    "unknown_lot": "lot",
    "bad_detour": "detour",
    "bad_email": "courriel",
    "bad_iban": "iban",
    "bad_name": "nom",
    "bad_phone": "telephone",
    "bad_price": "prix",
    "bad_key_days": "jours",
    "bad_quota": "appels",
    "bad_scope": "droits",
    "bad_seats": "places",
    "contact_missing": "courriel",
    "ends_before_first_day": "fin",
    "ends_too_near": "descente",
    "message_empty": "texte",
    "message_long": "texte",
    "no_weekday": "jours",
    "not_understood": "compris",
    "offer_in_past": "jour",
    "offer_too_far": "jour",
    "password_long": "mot_de_passe",
    "password_plain": "mot_de_passe",
    "password_short": "mot_de_passe",
    "price_above_cost": "prix",
    "unknown_line_stop": "montee",
    "why_missing": "motif",
    "why_names_somebody": "motif",
    "why_too_long": "motif",
    "wrong_code": "code",
    "wrong_old_password": "ancien",
}
_STATUS_OF: tuple[tuple[type[MobigoError], int], ...] = (
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooOften, 429),
    (Unavailable, 503),
)


@dataclass(frozen=True, slots=True)
class Link:
    """Where one may go on."""

    href: str
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One box to tick."""

    value: str
    name: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form. `kind` is that of HTML's input, `choices` (boxes), `select` (one of them) or `area`."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    hint: str = ""
    problem: str = ""
    autocomplete: str = "off"
    required: bool = True
    most: int = 254
    inputmode: str = ""
    choices: Sequence[Choice] = ()

    @property
    def is_secret(self) -> bool:
        """Whether what was typed is not shown again."""
        return self.kind == "password" or self.name == "code"


@dataclass(frozen=True, slots=True)
class Fictitious:
    """The accounts that let anybody try the demonstration."""

    lead: str
    emails: Sequence[tuple[str, str]]  # the role in words, and what is typed


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page that is one form; `problems` stand at its top, each leading to its field."""

    title: str
    action: str
    submit: str
    fields: Sequence[Field]
    lead: str = ""
    note: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)
    links: Sequence[Link] = ()
    problems: Sequence[Link] = ()
    provider: Link | None = None
    fictitious: Fictitious | None = None
    back: Link | None = None

    def refused(self, error: MobigoError, typed: Mapping[str, str]) -> FormPage:
        """The same form with what was typed, and what was wrong with it."""
        sentence = error_sentence(error)
        named = _FIELD_OF.get(error.code, "")
        at = named if any(each.name == named for each in self.fields) else (self.fields[0].name if self.fields else "")
        fields = [
            replace(
                each,
                value="" if each.is_secret else typed.get(each.name, each.value),
                problem=sentence if each.name == named else "",
                choices=[replace(one, chosen=f"{each.name}_{one.value}" in typed) for one in each.choices],
            )
            for each in self.fields
        ]
        return replace(self, fields=fields, problems=[Link(f"#{at}", sentence)])


def status_of(error: MobigoError) -> int:
    """The HTTP status of a form that was refused.

    Raises:
        Unavailable: no form was refused: something of ours fails, which is told on a page of its own.
    """
    if is_for_operators(error):
        raise error
    return next((status for kind, status in _STATUS_OF if isinstance(error, kind)), 400)


def send_form(pages: Pages, request: Request, page: FormPage) -> Response:
    """A page that is one form."""
    return pages.send(request, "people/form.html", cache="no-store", page=page)


def send_refused(
    pages: Pages, request: Request, page: FormPage, error: MobigoError, typed: Mapping[str, str]
) -> Response:
    """The form again, with what was wrong."""
    answer = pages.send(
        request, "people/form.html", status=status_of(error), cache="no-store", page=page.refused(error, typed)
    )
    if isinstance(error, TooOften):
        answer.headers["Retry-After"] = str(error.wait_s)
    return answer


def ask_code(title: str, action: str, code_id: str, *more: Field, submit: str = "") -> FormPage:
    """The form into which a code is copied."""
    return FormPage(
        title=title,
        action=action,
        submit=submit or say("people.code.submit"),
        fields=(
            Field(
                "code", say("people.code.label"), hint=say("people.code.hint"), autocomplete="one-time-code", most=20
            ),
            *more,
        ),
        lead=say("people.code.lead"),
        note=say("people.code.note"),
        hidden={"demande": code_id},
    )


def new_password(label: str = "") -> Field:
    """The question for a password that is not known yet."""
    return Field(
        "mot_de_passe",
        label or say("people.password"),
        "password",
        hint=say("people.password_hint"),
        autocomplete="new-password",
        most=256,
    )
