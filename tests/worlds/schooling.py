"""A sector with a collège that families may ask for, and what they type."""

from __future__ import annotations

from datetime import UTC, datetime

from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.registering import Acting
from tests.worlds.sectors import lines_of, sector_files

JULY = datetime(2026, 7, 1, 10, tzinfo=UTC)  # of the campaign, in time
AUTUMN = datetime(2026, 11, 21, 12, tzinfo=UTC)  # late
SECTOR = "2026-haut-doubs"
SCHOOL = f"{SECTOR}/c1"
OFFICE = Acting("person:clerk", "clerk", is_office=True)
SCHOOLS = "school_id,name,lat,lon,bell_am,bell_pm,window_min,window_max,level,commune"
WEEK = dict.fromkeys(("lundi", "mardi", "mercredi", "jeudi", "vendredi"), "1")


def guardian(name: str) -> Acting:
    """Somebody who looks after a child."""
    return Acting(f"person:{name}", name)


def typed(**instead: str) -> dict[str, str]:
    """A collégienne who lives 6 km from her school, where the book of the Doubs says that one is enough."""
    return {
        "prenom": "Zoé",
        "nom_eleve": "Durand-Petit",
        "naissance": "2014-03-09",
        "niveau": "college",
        "classe": "6e B",
        "regime": "half_board",
        "genre": "ordinary",
        "responsable_1": "Camille Durand",
        "adresse_1": "3 chemin du Puits",
        "commune_1": "25701",
        "arret_1": "s1",
        **WEEK,
        **instead,
    }


def school_year(engine, keys, now=JULY) -> None:
    """Import the sector."""
    schools = lines_of(SCHOOLS, "c1,Collège,47.149,6.345,08:00,17:00,5,15,college,25578")
    import_sector(engine, keys, sector_files(schools=schools), 2026, "haut-doubs", "person:clerk", now)
