"""A contract as an office writes it, and the circuits that it is paid for."""

from __future__ import annotations

from datetime import date

from scolaire.contracts.documents import read_contract
from scolaire.contracts.orders import Circuit, Order, Outing
from scolaire.pupils import FULL_DAYS, SCHOOL_WEEK

DOCUMENT = """
id = "lot-7-cars-du-haut-doubs"
title = "Lot 7, Haut-Doubs"
carrier_id = "cars-du-haut-doubs"
carrier = "Cars du Haut-Doubs"
valid_from = 2025-09-01
valid_until = 2029-08-31
lots = ["L7"]
kilometres = "driven"
vat_percent = "10"
penalties_most_percent = 20

[[prices]]
lot = "L7"
day = "150.00"
km = "1.2345"
hour = "24.00"
minimum = "200.00"

[[prices]]
lot = "L7"
vehicle_type = "car22"
day = "100.00"
km = "0.8000"
hour = "20.00"

[indexation]
revised = "yearly"
begins = "2026-09"
month = 9
lag_months = 3
fixed = "0.15"
decimals = 3
rounding = "up"

[[indexation.terms]]
index = "salaires-transport"
weight = "0.55"
base = "120.0"

[[indexation.terms]]
index = "gazole"
weight = "0.30"
base = "160.0"

[[causes]]
code = "snow"
title = "Neige : circulation interdite"
fault = "nobody"
withheld_percent = 40

[[causes]]
code = "breakdown"
title = "Panne du car"
fault = "carrier"
withheld_percent = 100
penalty = "not_run"

[[causes]]
code = "school_closed"
title = "Établissement fermé"
fault = "office"
withheld_percent = 0

[[penalties]]
code = "not_run"
title = "Course non effectuée"
euros = "150.00"

[[penalties]]
code = "late"
title = "Retard de plus de 15 minutes"
euros = "45.50"
"""
INDICES = """index,month,value,source
salaires-transport,2026-06,124.8,Insee
gazole,2026-06,168.0,Insee
"""
MORNING = Outing("C1-M", SCHOOL_WEEK, 30_000, 20_000, 3_600)
EVENING = Outing("C1-S", FULL_DAYS, 31_500, 21_000, 3_900)
CIRCUIT = Circuit("haut-doubs/C1", "L7", "car53", (MORNING, EVENING))
ORDER = Order("haut-doubs", date(2026, 9, 1), (CIRCUIT,))


def contract(document: str = DOCUMENT):
    """The contract of a document."""
    return read_contract(document.encode())
