"""Trials: a simulation as tables, and as one chart with the table of its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from babel.numbers import format_decimal
from markupsafe import Markup

from covoiturage.policy.simulate import ALL_LINES, OTHER_LINES, Group, Simulation, Tally
from mobigo.services.covoiturage.simulating import Simulated, band_end
from mobigo.web.covoiturage.sentences import day_words
from mobigo.web.drawing import Bar, bar_chart, chart_table
from mobigo.web.wording import FRENCH, distance, euros, month_name, say, say_count
from socle.money import Cents


@dataclass(frozen=True, slots=True)
class TallyRow:
    """Carpools counted, in words."""

    name: str
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class TallyTable:
    """One policy's figures."""

    key: str
    caption: str
    rows: Sequence[TallyRow]
    budget: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Drivers whom the change concerns alike."""

    line: str
    kind: str
    drivers: str
    change: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a simulation says."""

    tables: Sequence[TallyTable]
    groups: Sequence[GroupRow]
    chart: Markup
    chart_table: Markup


def tell_trial(simulated: Simulated, budget_cents: Cents | None) -> Trial:
    """The simulation in words and in one chart."""
    both = [("draft", simulated.under)]
    if simulated.against is not None:
        both.append(("current", simulated.against))
    bars = list(_bars(both))
    told = {name: say(f"covoiturage.drafts.chart.{name}") for name in ("title", "description", "label", "value")}
    drawn = bar_chart(bars, key="cout", title=told["title"], description=told["description"])
    table = chart_table(bars, caption=told["title"], label_heading=told["label"], value_heading=told["value"])
    return Trial(
        [_table(name, one, budget_cents) for name, one in both],
        list(_groups(simulated)),
        Markup(drawn),  # noqa: S704  made by us, every word escaped
        Markup(table),  # noqa: S704  likewise
    )


def _bars(both: Sequence[tuple[str, Simulation]]) -> Iterator[Bar]:
    for band in sorted({band for _, one in both for band in one.by_band}):
        for name, one in both:
            cents = one.by_band[band].subsidy_cents if band in one.by_band else 0
            label = say(f"covoiturage.drafts.chart.{name}", band=_band(band))
            yield Bar(label, cents / 100, euros(cents))


def _table(name: str, simulation: Simulation, budget_cents: Cents | None) -> TallyTable:
    rows = [_row(say("covoiturage.drafts.total"), simulation.total)]
    rows += [_row(_line(line), tally) for line, tally in sorted(simulation.by_line.items())]
    rows += [_row(month_name(month), tally) for month, tally in sorted(simulation.by_month.items())]
    rows += [_row(_band(band), tally) for band, tally in sorted(simulation.by_band.items())]
    ends_on = simulation.budget_ends_on
    budget = ""
    if budget_cents is not None:
        budget = say("covoiturage.drafts.budget_lasts")
        if ends_on is not None:
            budget = say("covoiturage.drafts.budget_ends", day=day_words(ends_on))
    caption = say(f"covoiturage.drafts.caption.{name}", title=simulation.policy.title or simulation.policy.id)
    return TallyTable(name, caption, rows, budget)


def _row(name: str, tally: Tally) -> TallyRow:
    return TallyRow(
        name,
        (
            _number(tally.carpools),
            _number(tally.paid),
            distance(tally.metres),
            _number(tally.passengers),
            euros(tally.subsidy_cents),
            euros(tally.fare_cents),
            euros(tally.net_cents),
        ),
    )


def _groups(simulated: Simulated) -> Iterator[GroupRow]:
    for line, groups in simulated.groups.items():
        for group in groups:
            if group.drivers != 0:
                yield GroupRow(
                    _line(line), say(f"covoiturage.drafts.kind.{group.kind}"), _drivers(group), _change(group)
                )


def _drivers(group: Group) -> str:
    return say("covoiturage.drafts.few") if group.drivers is None else _number(group.drivers)


def _change(group: Group) -> str:
    return "" if group.cents is None else f"{'+' if group.cents > 0 else ''}{euros(group.cents)}"


def _line(line: str) -> str:
    keys = {"": "no_line", ALL_LINES: "all_lines", OTHER_LINES: "other_lines"}
    return say(f"covoiturage.drafts.{keys[line]}") if line in keys else line


def _band(band: int) -> str:
    until = band_end(band)
    if until is None:
        return say("covoiturage.drafts.last_band", since=band // 1000)
    return say_count("covoiturage.drafts.band", until // 1000, since=band // 1000)


def _number(number: int) -> str:
    return str(format_decimal(number, locale=FRENCH))
