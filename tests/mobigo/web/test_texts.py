"""Every sentence of the pages is used, and every sentence that the pages ask for is written."""

import re
from pathlib import Path

import pytest

from covoiturage.carpool import Kind, Side
from covoiturage.policy.fields import PLACE_LEVELS
from covoiturage.policy.language import _CAR_TERMS, _CONDITIONS, _COUPLE_TERMS, _POSTS
from covoiturage.policy.model import PERIODS, SCOPES
from covoiturage.proof import ProofClass
from mobigo.security import Permission, Role
from mobigo.store.covoiturage.disputes import Answer, Reason
from mobigo.store.covoiturage.payouts import ItemState
from mobigo.store.jobs import JobState, Outcome
from mobigo.store.people.accounts import PersonState
from mobigo.texts import all_texts
from routing.journeys.rank import Label
from routing.network.modes import MODES

WEB = Path(__file__).parents[3] / "mobigo" / "web"
SOURCES = "\n".join(
    path.read_text("utf-8") for path in sorted(WEB.rglob("*")) if path.suffix in (".py", ".html") and path.is_file()
)
WRITTEN = {key.removeprefix("web.") for key in all_texts() if key.startswith("web.")}

# Keys that are put together while running: the beginning, and all that may follow.
PUT_TOGETHER = {
    "mode.": {*MODES, "WALK"},
    "label.": {str(label) for label in Label},
    "look.": {"train", "coach", "bus", "tram", "walk", "other", "network"},
    "card.access_": {"yes", "no", "unknown"},
    "stop.access_": {"yes", "no", "unknown"},
    "journey.at_": {"stop", "station"},
    "journey.walk_to_": {"stop", "station"},
    "journey.change_": {"tight", "fair", "easy", "long"},
    "journey.board": {"_platform"},
    "journey.alight": {"_platform"},
    "form.": {"origin", "destination"},
    "results.choose_": {"origin", "destination"},
    "problem.missing_": {"origin", "destination"},
    "results.sort_": {"time", "walk", "carbon"},
    "people.role.": {str(role) for role in Role},
    "people.permission.": {str(permission) for permission in Permission},
    "people.state.": {str(state) for state in PersonState},
    "covoiturage.code.": {"montee", "descente", "lead_montee", "lead_descente"},
    "covoiturage.outing.side_": {"montee", "descente"},
    "covoiturage.receipt.state_": {"open", "closed", "decided", "cancelled"},
    "covoiturage.receipt.class_": {str(one) for one in ProofClass},
    "covoiturage.mine.": {"owed", "owing"},
    "covoiturage.mine.state.": {"cancelled", "closed"},
    "covoiturage.holds.": {"released", "refused", "driver", "people", "line", "ended", "reserved", "metres"},
    "covoiturage.rules.condition.": {*_CONDITIONS} - {"distance"},
    "covoiturage.rules.condition.distance.": {"closed", "open"},
    "covoiturage.rules.post.": {*_POSTS},
    "covoiturage.rules.target.": {"driver_revenue", "passenger_contribution"},
    "covoiturage.rules.empty.": {"flat", "km", "none"},
    "covoiturage.rules.basis.": {"driver_on_line", "official_line", "passenger_occupied", "per_ride", "trace"},
    "covoiturage.rules.counted.": {"distinct", "peak_occupancy"},
    "covoiturage.rules.fare.": {"flat", "ticketing"},
    "covoiturage.rules.term.": {*_COUPLE_TERMS, *_CAR_TERMS} - {"per_passenger"},
    "covoiturage.rules.term.per_passenger.": {"first", "later"},
    "covoiturage.rules.level.": {*PLACE_LEVELS},
    "covoiturage.rules.end.": {"both", "either", "end", "start"},
    "covoiturage.rules.limit.scope.": {*SCOPES},
    "covoiturage.rules.limit.period.": {*PERIODS},
    "covoiturage.rules.heading.": {"amounts", "bounds", "conditions", "fares"},
    "covoiturage.rules.column.": {"driver", "fares", "net"},
    "covoiturage.finances.payment.": {"driver", "reference", "state"},
    "covoiturage.drafts.": {"all_lines", "no_line", "other_lines"},
    "covoiturage.drafts.caption.": {"current", "draft"},
    "covoiturage.drafts.chart.": {"current", "description", "draft", "label", "title", "value"},
    "covoiturage.drafts.column.": {
        *("carpools", "paid", "metres", "passengers", "subsidy", "fares", "net"),
        *("line", "kind", "drivers", "change"),
    },
    "covoiturage.drafts.kind.": {"change", "gain", "lose", "same"},
    "covoiturage.drafts.stands.": {"approved", "refused", "shipped", "waiting"},
    "covoiturage.drafts.line.": {"drafted_at", "judged_at", "judged_why", "stands", "version", "why"},
    "covoiturage.drafts.done.": {"approuve", "propose", "refuse"},
    "covoiturage.budgets.": {"granted", "left", "promised", "used"},
    "covoiturage.certificate.": {"amount", "kilometres", "trips"},
    "covoiturage.disputes.answer.": {str(answer) for answer in Answer},
    "covoiturage.disputes.by.": {"driver", "passenger"},
    "covoiturage.disputes.choose.": {str(answer) for answer in Answer},
    "covoiturage.disputes.deed.": {"admettre", "laisser", "retablir", "retirer"},
    "covoiturage.disputes.kind.": {str(kind) for kind in Kind},
    "covoiturage.disputes.reason.": {str(reason) for reason in Reason},
    "covoiturage.disputes.side.": {str(side) for side in Side},
    "covoiturage.finances.done.": {"approuve", "banque", "decide", "prepare"},
    "covoiturage.finances.item.": {str(state) for state in ItemState},
    "covoiturage.finances.line.": {
        *("approved_at", "cancelled", "carried_over", "decided", "fares", "net", "prepared_at", "subsidy", "to_pay"),
        "held",
        "waiting",
    },
    "covoiturage.finances.stands.": {"approved", "prepared"},
    "jobs.": {"again", "due", "done", "dead"},
    "jobs.state.": {str(state) for state in JobState},
    "jobs.outcome.": {str(outcome) for outcome in Outcome},
    "personal.": {"yes", "no"},
    "personal.audit.": {"anonymous", "file_csv", "file_json", "key", "person", "system"},
    "personal.consents.": {"given", "withdrawn"},
    "personal.erased.": {"home", "lead", "left", "left_1", "title"},
    "people.how.": {"password", "code"},
    "people.done.": {
        "appareil",
        "cle",
        "compte",
        "coordonnees",
        "fonction",
        "mot-de-passe",
        "suspension",
        "versements",
    },
    "meeting.day.": {"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"},
    "meeting.state.": {"asked", "confirmed", "refused", "cancelled", "aboard", "done", "absent", "question"},
    "meeting.ride.": {"driver", "driver_of", "passenger", "passenger_of", "write_hint", "write_hint_elsewhere"},
    "meeting.step.": {"confirmer", "refuser", "annuler", "absent"},
    "meeting.search.": {"board", "board_there", "alight", "alight_there"},
    "meeting.done.": {
        *("demande", "demande_ailleurs", "monte", "propose", "pris", "cherche", "retire", "repos", "arrete", "ecrit"),
        *("confirmer", "refuser", "annuler", "absent"),
    },
    **{f"error.{status}.": {"title", "sentence", "advice"} for status in (400, 404, 405, 500, 503)},
}
ASKED = (
    set(re.findall(r"""\bt\(\s*["']([a-z_.]+)["']\s*[,)]""", SOURCES))
    | set(re.findall(r"""\bsay\(\s*["']([a-z_.]+)["']\s*[,)]""", SOURCES))
    | set(
        re.findall(
            r"""["'](people\.account\.[a-z_]+|journey\.[a-z_]+|card\.[a-z_]+|problem\.[a-z_]+|results\.[a-z_]+|"""
            r"""map\.[a-z_]+)["']""",
            SOURCES,
        )
    )
    | {f"{beginning}{end}" for beginning, ends in PUT_TOGETHER.items() for end in ends}
)
COUNTED = set(re.findall(r"""say_count\(\s*f?["']([^"']+)["']""", SOURCES))
ASKED -= COUNTED | {"journey.html", "results.html"}  # templates of these names
PLURALS = ("zero", "one", "other")
NO_PLURALS = {"look", "papers.family.why", "scolaire.messages"}  # where "other" is a word among words

# School transport has many words of one family (columns, kinds, states): a key is asked for where it is quoted, or
# the family that it is of, or where it is what a formatted string may come to.
FAMILIES = ("school.", "scolaire.", "papers.")
QUOTED = set(re.findall(r"""["']([a-z_0-9]+(?:\.[a-z_0-9]+)+)\.?["']""", SOURCES))
FORMATTED = [
    re.compile(re.sub(r"\\\{.*?(\\\}|$)", "[A-Za-z_0-9]+", re.escape(one)))
    for one in sorted(set(re.findall(r"""f["']((?:school|scolaire|papers)\.[^"'\n ]*\{[^"'\n]*)["']""", SOURCES)))
]


def is_of_a_family_asked_for(key):
    stem, _, last = key.rpartition(".")
    names = {key, stem} if last in PLURALS else {key}
    return stem in QUOTED or any(name in QUOTED or any(one.fullmatch(name) for one in FORMATTED) for name in names)


def about_keys():
    """Keys of the pages of prose: `{key}.heading` after `key = "about.…"`."""
    about = (WEB / "about.py").read_text("utf-8")
    parts = re.split(r'key = "(about\.[a-z]+)"', about)
    for key, body in zip(parts[1::2], parts[2::2], strict=True):
        for name in re.findall(r'\{key\}\.([a-z_0-9]+)(?=")', body):
            yield f"{key}.{name}"
        for name, numbers in re.findall(r'\{key\}\.([a-z_]+)_\{n\}"\) for n in \(([\d, ]+)\)', body):
            yield from (f"{key}.{name}_{number.strip()}" for number in numbers.split(","))


@pytest.mark.parametrize("key", sorted(ASKED))
def test_every_sentence_asked_for_is_written(key):
    assert key in WRITTEN


def test_every_sentence_written_is_asked_for():
    prose = set(about_keys())
    counted = {
        key
        for key in WRITTEN
        if key.rpartition(".")[2] in PLURALS
        and any(key.rpartition(".")[0].endswith(one.replace("{key}.", "")) for one in COUNTED)
    }
    literal = set(re.findall(r'say\("(about\.[a-z_.]+)"', SOURCES))
    families = {key for key in WRITTEN if key.startswith(FAMILIES) and is_of_a_family_asked_for(key)}
    assert sorted(WRITTEN - ASKED - prose - counted - literal - families) == []


def test_a_key_of_school_transport_that_nobody_asks_for_is_found():
    assert is_of_a_family_asked_for("scolaire.contracts.column.run")
    assert not is_of_a_family_asked_for("scolaire.contracts.nobody_asks")
    assert not is_of_a_family_asked_for("papers.nobody.asks_this")


def test_a_plural_has_both_forms():
    keys = {key.rpartition(".")[0] for key in WRITTEN if key.rpartition(".")[2] in PLURALS} - NO_PLURALS
    assert all({f"{key}.one", f"{key}.other"} <= WRITTEN for key in keys)
