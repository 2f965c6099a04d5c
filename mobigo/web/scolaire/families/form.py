"""The form of a request, the same for a family and for whoever copies a paper form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mobigo.services.scolaire.registering import Acting, ChangedSince, FindCommune, Request, look_of
from mobigo.texts import error_sentence
from mobigo.web.layout import Pages
from mobigo.web.people.forms import Choice, Field, Link
from mobigo.web.wording import moment, say
from scolaire.pupils import Level, Regime
from scolaire.registration.model import Kind
from scolaire.registration.typed import DAYS, DEROGATIONS, Problem, of_home
from socle.errors import BadInput, MobigoError, Unavailable

_YES = "oui"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Part:
    """Questions that belong together."""

    id: str
    title: str
    lead: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class RequestPage:
    """The form of one request."""

    title: str
    problems: Sequence[Link]
    said: str
    lead: str
    action: str
    seen: str
    parts: Sequence[Part]
    submit: str
    draft: str  # the button that keeps what is there, as it is
    back: Link


def communes_of(pages: Pages) -> FindCommune:
    """The code of a commune by its name, from the places of the network; none is found while there is no network."""

    def find(name: str) -> str | None:
        try:
            places = pages.site.current().places
        except Unavailable:
            return None
        wanted = name.casefold().replace("-", " ")
        found = {
            each.place.insee_code
            for each in places.list_found(name)
            if each.place.insee_code and each.place.name.casefold().replace("-", " ") == wanted
        }
        return found.pop() if len(found) == 1 else None

    return find


def seen_of(form: Mapping[str, str]) -> str:
    """What a form says that it was shown.

    Raises:
        BadInput: `form_shown_nothing`: nobody could tell whether it writes over somebody else's answers.
    """
    seen = form.get("vu", "")
    if not seen:
        raise BadInput("form_shown_nothing")
    return seen


def problem_sentence(problem: Problem) -> str:
    """What is wrong with a field, in French."""
    return say(f"school.problem.{problem.code}")


def _choices(family: str, values: Sequence[str], *, none: str = "") -> list[Choice]:
    first = [Choice("", none)] if none else []
    return [*first, *(Choice(value, say(f"school.{family}.{value}")) for value in values)]


def request_parts(request: Request, acting: Acting, typed: Mapping[str, str]) -> list[Part]:
    """The questions that somebody may answer, with what was answered."""
    may = frozenset(request.fields)
    parts = []
    if "prenom" in may:
        parts += [Part("enfant", say("school.form.child"), "", _child_fields()), _days_part(typed)]
    for number in (0, 1):
        fields = [field for field in _home_fields(request, number) if field.name in may]
        if fields:
            lead = "" if acting.for_others or number == 0 or len(fields) > 3 else say("school.form.other_home")
            parts.append(Part(f"foyer-{number + 1}", say(f"school.form.home_{number + 1}"), lead, fields))
    return [replace(part, fields=[_filled(field, typed) for field in part.fields]) for part in parts]


def _filled(field: Field, typed: Mapping[str, str]) -> Field:
    return replace(field, value=typed.get(field.name, field.value))


def _child_fields() -> list[Field]:
    choose = say("school.form.choose")
    return [
        Field("prenom", say("school.form.first_name"), most=_LONGEST),
        Field("nom_eleve", say("school.form.last_name"), most=_LONGEST),
        Field("naissance", say("school.form.born_on"), hint=say("school.form.born_hint"), most=10),
        Field("niveau", say("school.form.level"), "select", choices=_choices("level", list(Level), none=choose)),
        Field("classe", say("school.form.class"), required=False, most=40),
        Field("regime", say("school.form.regime"), "select", choices=_choices("regime", list(Regime), none=choose)),
        Field(
            "derogation",
            say("school.form.derogation"),
            "select",
            choices=_choices("derogation", DEROGATIONS, none=say("school.form.sector_school")),
        ),
        Field("fauteuil", say("school.form.wheelchair"), "select", choices=_yes_no()),
        Field("genre", say("school.form.kind"), "select", choices=_choices("kind", list(Kind))),
        Field("fin", say("school.form.until"), hint=say("school.form.until_hint"), required=False, most=10),
    ]


def _yes_no() -> list[Choice]:
    return [Choice("", say("school.form.no")), Choice(_YES, say("school.form.yes"))]


def _days_part(typed: Mapping[str, str]) -> Part:
    homes = [
        Choice("1", say("school.form.day_1")),
        Choice("2", say("school.form.day_2")),
        Choice("", say("school.form.day_0")),
    ]
    is_new = not any(typed.get(day) for day in DAYS)
    fields = [
        Field(day, say(f"school.day.{day}"), "select", "1" if is_new and day != DAYS[-1] else "", choices=homes)
        for day in DAYS
    ]
    return Part("jours", say("school.form.days"), say("school.form.days_lead"), fields)


def _home_fields(request: Request, number: int) -> list[Field]:
    def name(field: str) -> str:
        return of_home(field, number)

    stops = [Choice("", say("school.form.any_stop")), *(Choice(stop.stop_id, stop.name) for stop in request.stops)]
    return [
        Field(name("responsable"), say("school.form.guardian"), required=number == 0, most=100),
        Field(name("telephone_foyer"), say("school.form.phone"), "tel", required=False, most=30),
        Field(name("courriel_foyer"), say("school.form.email"), "email", required=False),
        Field(name("accueil"), say("school.form.host"), "select", choices=_yes_no()),
        Field(name("adresse"), say("school.form.address"), required=number == 0, most=_LONGEST),
        Field(
            name("commune"),
            say("school.form.commune"),
            hint=say("school.form.commune_hint"),
            required=number == 0,
            most=60,
        ),
        Field(name("arret"), say("school.form.stop"), "select", choices=stops),
        Field(
            name("position"),
            say("school.form.position"),
            hint=say("school.form.position_hint"),
            required=False,
            most=40,
        ),
        Field(name("route_m"), say("school.form.road"), required=False, inputmode="numeric", most=7),
    ]


def request_page(
    request: Request,
    acting: Acting,
    action: str,
    back: Link,
    *,
    typed: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
    error: MobigoError | None = None,
    said: str = "",
) -> RequestPage:
    """The form, with what was typed and what is wrong with it."""
    one = request.application
    wrong = {problem.field: problem_sentence(problem) for problem in problems}
    meanwhile = error.kept if isinstance(error, ChangedSince) else {}
    parts = [
        replace(part, fields=[_told_wrong(field, wrong, meanwhile) for field in part.fields])
        for part in request_parts(request, acting, {**one.typed, **(typed or {})})
    ]
    shown = {field.name for part in parts for field in part.fields}
    links = [
        Link(f"#{problem.field}" if problem.field in shown else "#formulaire", problem_sentence(problem))
        for problem in problems
    ]
    if isinstance(error, ChangedSince):
        links = [Link("#formulaire", _changed(request, acting, error)), *_differences(parts, meanwhile)]
    elif error is not None and not links:
        links = [Link("#formulaire", error_sentence(error))]
    school = request.school.name if request.school else one.school_id
    return RequestPage(
        title=say("school.form.title", school=school, year=year_name(one.school_year)),
        problems=links,
        said=said,
        lead=say("school.form.lead_office" if acting.for_others else "school.form.lead"),
        action=action,
        seen=look_of(one, acting),
        parts=parts,
        submit=say("school.form.continue"),
        draft=say("school.form.draft") if str(one.state) == "draft" else "",
        back=back,
    )


def _told_wrong(field: Field, wrong: Mapping[str, str], meanwhile: Mapping[str, str]) -> Field:
    """A field with what is wrong with it, or with what somebody else wrote there meanwhile."""
    if field.name not in meanwhile:
        return replace(field, problem=wrong.get(field.name, ""))
    return replace(field, problem=say("school.form.meanwhile", value=_shown(field, meanwhile[field.name])))


def _shown(field: Field, value: str) -> str:
    named = {choice.value: choice.name for choice in field.choices}
    return named.get(value, value) or say("school.form.nothing")


def _differences(parts: Sequence[Part], meanwhile: Mapping[str, str]) -> list[Link]:
    return [
        Link(f"#{field.name}", f"{field.label} : {field.problem}")
        for part in parts
        for field in part.fields
        if field.name in meanwhile
    ]


def _changed(request: Request, acting: Acting, error: ChangedSince) -> str:
    """Who wrote meanwhile, and when."""
    guardians = {home.guardian for home in request.application.homes if home.guardian}
    who = "family" if error.by.removeprefix("person:") in guardians else "office"
    who = "yourself" if error.by == acting.actor else who
    return say("school.form.changed", who=say(f"school.form.by_{who}"), when=moment(error.at))


def year_name(school_year: int) -> str:
    """2026-2027."""
    return f"{school_year}-{school_year + 1}"


def answers(request: Request, acting: Acting) -> list[tuple[str, Sequence[tuple[str, str, str]]]]:
    """What was answered, part by part: the question, the answer, and the field to change it."""
    told: list[tuple[str, Sequence[tuple[str, str, str]]]] = []
    for part in request_parts(request, acting, request.application.typed):
        lines = []
        for field in part.fields:
            named = {choice.value: choice.name for choice in field.choices}
            value = named.get(field.value, field.value)
            if value:
                lines.append((field.label, value, field.name))
        told.append((part.title, lines))
    return told
