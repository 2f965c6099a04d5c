"""Zones: the areas of demand-responsive service, GeoJSON beside the tables."""

from __future__ import annotations

import json
from typing import Any


def read_zones(content: bytes) -> list[dict[str, Any]]:
    """The features of a `locations.geojson`, each with an id.

    Raises:
        ValueError: not a GeoJSON collection of features that have ids.
    """
    try:
        collection = json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list):
        raise ValueError("no features")
    for feature in features:
        if not isinstance(feature, dict) or not isinstance(feature.get("id"), str | int):
            raise ValueError("feature without id")
    return features
