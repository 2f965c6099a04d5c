"""Fares: rules that mean "everywhere" in their own dataset must not mean it in the merged one.

In fare_leg_rules.txt an empty `network_id` stands for any network. A source whose rules
leave it empty gets one network of all its routes, and those rules name it.
"""

from __future__ import annotations

import polars as pl

from routing.gtfs.feed import LINE, Feed
from routing.gtfs.read.notes import Notes
from socle.findings import Severity

_ALL_ROUTES = "all"


def bound_fares(feed: Feed, notes: Notes) -> Feed:
    """`feed` with leg rules that name a network, when none of its routes has one yet.

    Where some routes have networks an empty one means the others, or any, depending on
    `rule_priority`: such rules are left as they are, and told.
    """
    rules = feed.tables.get("fare_leg_rules")
    if rules is None or not rules.height:
        return feed
    named = rules["network_id"].is_not_null() if "network_id" in rules.columns else pl.Series([False] * rules.height)
    if named.all():
        return feed
    routes = feed.tables["routes"]
    in_routes = "network_id" in routes.columns and routes["network_id"].is_not_null().any()
    if named.any() or in_routes or feed.n_rows("networks"):
        notes.add(Severity.WARNING, "fares_without_network", "fare_leg_rules.txt", source=feed.source_id)
        return feed
    members = routes.select(pl.lit(_ALL_ROUTES).alias("network_id"), "route_id", LINE)
    return feed.replace(
        {
            "fare_leg_rules": rules.with_columns(pl.lit(_ALL_ROUTES).alias("network_id")),
            "networks": pl.DataFrame({"network_id": [_ALL_ROUTES], LINE: pl.Series([2], dtype=pl.Int32)}),
            "route_networks": members,
            "routes": routes.drop("network_id", strict=False),
        }
    )
