"""Labels: how the demonstration says what it is, and who its facts come from."""

from __future__ import annotations

from dataclasses import dataclass

from mobigo.demo.calendar import Window
from mobigo.demo.facts import Facts
from mobigo.demo.tables import Table

SITE_URL = "https://mobigo.exemple.test"
CONTACT_EMAIL = "horaires@exemple.test"
PUBLISHER = "Mobigo, démonstration : horaires fictifs"
REAL_LINE = "Ligne réelle, horaires fictifs"
FICTITIOUS_LINE = "Ligne fictive"
FICTITIOUS_STOP = "Arrêt fictif"


@dataclass(frozen=True, slots=True)
class Edition:
    """What a build is made from; its feeds carry it as their version."""

    facts: Facts
    seed: int
    window: Window

    @property
    def version(self) -> str:
        """The feeds' version."""
        return f"demo-{self.facts.version}-{self.seed}-{self.window.start.isoformat()}"


def fictitious(name: str) -> str:
    """The name of a line that does not exist."""
    return f"{name} (fictif)"


def agency_name(name: str) -> str:
    """The name of an operator in the demonstration."""
    return f"{name} (démonstration)"


def feed_info(edition: Edition) -> Table:
    """The row that says who publishes the feed and for which days."""
    table = Table(
        (
            "feed_publisher_name",
            "feed_publisher_url",
            "feed_lang",
            "feed_start_date",
            "feed_end_date",
            "feed_version",
            "feed_contact_email",
        )
    )
    window = edition.window
    table.add(PUBLISHER, SITE_URL, "fr", window.start, window.end, edition.version, CONTACT_EMAIL)
    return table


_SOURCES = {
    "sncf": ("SNCF open data (ODbL 1.0)", "https://data.sncf.com"),
    "geonames": ("GeoNames (CC BY 4.0)", "https://www.geonames.org"),
    "insee": ("INSEE (Licence Ouverte 2.0)", "https://www.insee.fr"),
    "ign": ("IGN (Licence Ouverte 2.0)", "https://www.ign.fr"),
}


def attributions(*sources: str) -> Table:
    """Whose facts the feed is made from."""
    table = Table(
        ("attribution_id", "organization_name", "is_producer", "is_operator", "is_authority", "attribution_url")
    )
    for source in sources:
        name, url = _SOURCES[source]
        table.add(source, name, 1, 0, 0, url)
    return table
