"""Tariff: prices as GTFS-Fares, from the table of fares.

Trains and TER coaches are priced by distance: every pair of stations has the product
of its band of rail kilometres (Fares v2, areas), and changes do not break the
journey (join rules). Coaches and cities have one price, valid an hour with changes,
told in Fares v1 too. TGV have no price here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mobigo.demo.facts import Facts
from mobigo.demo.rail import station_id
from mobigo.demo.tables import Table, Tables
from mobigo.demo.urban.plans import BESANCON, DIJON, SATURDAY, SUNDAY, City
from mobigo.demo.urban.tables import service_id
from routing.kernels.dijkstra import UNREACHED, one_to_many

TER, TGV, CAR = "TER", "TGV", "CAR"
ADULT, UNDER_26, CHILD = "plein-tarif", "moins-de-26-ans", "enfant"
_HOUR_S = 3600
_CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Band:
    """A price by distance: from `km_from` to less than `km_below` kilometres."""

    product_id: str
    name: str
    km_from: int
    km_below: int | None
    cents: int


def ter_bands(facts: Facts) -> tuple[Band, ...]:
    """The bands of the full TER fare, the shortest first."""
    rows = [fare for fare in facts.fares if fare.product_id == "ter_single_full"]
    return tuple(
        Band(f"TER-{fare.km_from}", fare.name, fare.km_from or 0, fare.km_below, fare.price_cents or 0) for fare in rows
    )


def band_of(bands: Iterable[Band], hectometres: int) -> Band:
    """The band of a distance, rounded to whole kilometres, half up, and at least one."""
    km = max(1, (hectometres + 5) // 10)
    return next(band for band in bands if band.km_below is None or km < band.km_below)


def rail_distances(facts: Facts) -> Mapping[tuple[str, str], int]:
    """Hectometres by TER between two stations of the region, both ways, along the shortest rails."""
    stations = list(facts.stations)
    at = {uic8: i for i, uic8 in enumerate(stations)}
    hops = sorted({hop for p in facts.patterns if p.mode != "tgv" for hop in pairwise(p.stops)})
    both = sorted({(at[a], at[b]) for a, b in hops} | {(at[b], at[a]) for a, b in hops})
    first_edge = np.searchsorted([edge[0] for edge in both], np.arange(len(stations) + 1)).astype(np.int64)
    costs = [round(10 * facts.segments[stations[a], stations[b]].km) for a, b in both]
    inside = [i for i, uic8 in enumerate(stations) if facts.stations[uic8].in_region]
    found, _ = one_to_many(
        first_edge, np.array([edge[1] for edge in both], np.int32), np.array(costs, np.int64), np.array(inside)
    )
    return {
        (stations[a], stations[b]): int(found[row, b])
        for row, a in enumerate(inside)
        for b in inside
        if a != b and found[row, b] != UNREACHED
    }


def euros(cents: int) -> str:
    """An amount as GTFS writes it."""
    return f"{cents // 100}.{cents % 100:02d}"


def _price(facts: Facts, product_id: str) -> tuple[str, int]:
    fare = next(fare for fare in facts.fares if fare.product_id == product_id)
    return fare.name, fare.price_cents or 0


def _products() -> Table:
    return Table(("fare_product_id", "fare_product_name", "rider_category_id", "amount", "currency"))


def rail_fares(facts: Facts, tables: Tables) -> Tables:
    """The TER tariff for the stations of `tables`."""
    there = set(tables["stops"].texts("stop_id"))
    stations = [s for s in facts.stations.values() if s.in_region and station_id(s.uic8) in there]
    inside = {station.uic8 for station in stations}
    riders = Table(("rider_category_id", "rider_category_name", "is_default_fare_category"))
    riders.add(ADULT, "Plein tarif", 1)
    riders.add(UNDER_26, "Moins de 26 ans", 0)
    riders.add(CHILD, "Enfant de 4 à 11 ans", 0)
    bands, products = ter_bands(facts), _products()
    _, child_cents = _price(facts, "ter_single_child")
    for band in bands:
        half = (band.cents + 1) // 2
        for rider, cents in ((ADULT, band.cents), (UNDER_26, half), (CHILD, child_cents)):
            products.add(band.product_id, band.name, rider, euros(cents), _CURRENCY)
    areas, stop_areas = Table(("area_id", "area_name")), Table(("area_id", "stop_id"))
    for station in stations:
        areas.add(station.uic8, station.name)
        stop_areas.add(station.uic8, station_id(station.uic8))
    rules = Table(("network_id", "from_area_id", "to_area_id", "fare_product_id"))
    for (one, other), hectometres in rail_distances(facts).items():
        if one in inside and other in inside:
            rules.add(TER, one, other, band_of(bands, hectometres).product_id)
    joins = Table(("from_network_id", "to_network_id"))
    joins.add(TER, TER)
    networks, route_networks = _networks({TER: "Trains et cars TER", TGV: "TGV"})
    names = zip(tables["routes"].texts("route_id"), tables["routes"].texts("route_short_name"), strict=True)
    for route, short_name in names:
        route_networks.add(TGV if short_name == TGV else TER, route)
    return {
        "rider_categories": riders,
        "fare_products": products,
        "areas": areas,
        "stop_areas": stop_areas,
        "fare_leg_rules": rules,
        "fare_leg_join_rules": joins,
        "networks": networks,
        "route_networks": route_networks,
    }


def _networks(names: Mapping[str, str]) -> tuple[Table, Table]:
    networks = Table(("network_id", "network_name"))
    for network_id, name in names.items():
        networks.add(network_id, name)
    return networks, Table(("network_id", "route_id"))


def _flat_fares(tables: Tables, network_id: str, network_name: str, name: str, cents: int) -> Tables:
    """One price for an hour on all lines of a feed, in both versions of GTFS-Fares."""
    agency_id = tables["agency"].texts("agency_id")[0]
    networks, route_networks = _networks({network_id: network_name})
    attributes = Table(
        ("fare_id", "price", "currency_type", "payment_method", "transfers", "agency_id", "transfer_duration")
    )
    product_id = f"{network_id}-1H"
    attributes.add(product_id, euros(cents), _CURRENCY, 0, None, agency_id, _HOUR_S)
    fare_rules = Table(("fare_id", "route_id"))
    for route in tables["routes"].texts("route_id"):
        route_networks.add(network_id, route)
        fare_rules.add(product_id, route)
    products = _products()
    products.add(product_id, name, None, euros(cents), _CURRENCY)
    rules = Table(("leg_group_id", "network_id", "from_timeframe_group_id", "fare_product_id", "rule_priority"))
    rules.add(network_id, network_id, None, product_id, 0)
    transfers = Table(
        (
            "from_leg_group_id",
            "to_leg_group_id",
            "transfer_count",
            "duration_limit",
            "duration_limit_type",
            "fare_transfer_type",
        )
    )
    transfers.add(network_id, network_id, -1, _HOUR_S, 1, 0)
    return {
        "fare_attributes": attributes,
        "fare_rules": fare_rules,
        "fare_products": products,
        "fare_leg_rules": rules,
        "fare_transfer_rules": transfers,
        "networks": networks,
        "route_networks": route_networks,
    }


def coach_fares(facts: Facts, tables: Tables) -> Tables:
    """The flat fare of the coaches, the price in force."""
    name, cents = _price(facts, "coach_single_2026")
    return _flat_fares(tables, CAR, "Cars de la région (démonstration)", name, cents)


_CITY_PRODUCTS = {DIJON.source_id: "urban_dijon_single", BESANCON.source_id: "urban_besancon_single"}


def urban_fares(city: City, facts: Facts, tables: Tables) -> Tables:
    """The fare of a city; Besançon is free from Saturday 04:30 to the following night 02:30."""
    name, cents = _price(facts, _CITY_PRODUCTS[city.source_id])
    fares = _flat_fares(tables, city.prefix, f"{city.agency_name} (démonstration)", name, cents)
    if city is BESANCON:
        free, group = f"{city.prefix}-GRATUIT", f"{city.prefix}-SAMEDI"
        timeframes = Table(("timeframe_group_id", "start_time", "end_time", "service_id"))
        timeframes.add(group, 4 * _HOUR_S + _HOUR_S // 2, 24 * _HOUR_S, service_id(city, SATURDAY))
        timeframes.add(group, 0, 2 * _HOUR_S + _HOUR_S // 2, service_id(city, SUNDAY))
        fares["timeframes"] = timeframes
        fares["fare_products"].add(free, "Gratuité du samedi (démonstration)", None, euros(0), _CURRENCY)
        fares["fare_leg_rules"].add(city.prefix, city.prefix, group, free, 1)
    return fares
