"""Places: the stops of carpool lines as carpool places, in the national schema.

Schema: etalab/schema-lieux-covoiturage 0.2.0. A commune's places are numbered in the order of lines; two lines that
stop at one spot have one place there.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

from covoiturage.lines import Line, LineStop

COLUMNS = (
    *("id_lieu", "nom_lieu", "ad_lieu", "com_lieu", "insee", "type", "date_maj", "ouvert", "source", "Xlong", "Ylat"),
    *("nbre_pl", "nbre_pmr", "duree", "horaires", "proprio", "lumiere", "comm"),
)


def render_places(lines: Sequence[Line]) -> bytes:
    """The places as CSV."""
    spots: dict[tuple[str, float, float], tuple[LineStop, list[Line]]] = {}
    for line in lines:
        for stop in line.stops:
            spots.setdefault((stop.insee_code, *stop.at), (stop, []))[1].append(line)
    written, numbers = io.StringIO(), Counter[str]()
    table = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    for stop, its_lines in spots.values():
        numbers[stop.insee_code] += 1
        names = " et ".join(line.line_id for line in its_lines)
        fictitious = any(line.fictitious for line in its_lines)
        table.writerow(
            {
                "id_lieu": f"{stop.insee_code}-C-{numbers[stop.insee_code]:03}",
                "nom_lieu": f"{stop.name}, arrêt de covoiturage",
                "com_lieu": stop.name,
                "insee": stop.insee_code,
                "type": "Auto-stop",
                "date_maj": max(line.valid_from for line in its_lines).isoformat(),
                "ouvert": "true",
                "Xlong": stop.at.lon,
                "Ylat": stop.at.lat,
                "comm": f"Ligne {names}" + (" (arrêt de démonstration)" if fictitious else ""),
            }
        )
    return written.getvalue().encode()
