"""A sector with a published plan of one run a day, the contract that pays for it, and published indices."""

from __future__ import annotations

from datetime import date

from mobigo.services.scolaire.contracting import import_contract, import_indices
from mobigo.services.scolaire.importing import import_sector
from mobigo.services.scolaire.studying import add_study, publish
from scolaire.planfiles import render_plan
from tests.worlds.one_run import morning_plan
from tests.worlds.school_contracts import DOCUMENT, INDICES
from tests.worlds.sectors import sector_files

SECTOR = "2026-haut-doubs"
CONTRACT = "lot-7-cars-du-haut-doubs"
CARRIER = "cars-du-haut-doubs"
CIRCUIT, RUN = "haut-doubs/C001", "C001-M"
OF_LOT_A = DOCUMENT.replace('"L7"', '"A"').encode()


def publish_a_plan(engine, keys, actor, now):
    """Two pupils whom one coach of lot A fetches on full days from September on."""
    import_sector(engine, keys, sector_files(), 2026, "haut-doubs", actor, now)
    study = add_study(engine, keys, SECTOR, "Rentrée", render_plan(morning_plan("p1", "p2")), actor, "", now)
    publish(engine, keys, study.study_id, 1, date(2026, 9, 1), actor, "", now)


def under_contract(engine, keys, actor, now):
    """The same, paid for."""
    publish_a_plan(engine, keys, actor, now)
    import_contract(engine, OF_LOT_A, actor, now)
    import_indices(engine, INDICES.encode(), actor, now)
