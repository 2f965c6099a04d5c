"""Drafts of policies for the lines, as a document or read."""

from __future__ import annotations

import json

from covoiturage.policy.documents import read_documents
from covoiturage.policy.language import read_policy


def draft_document(policy_id="bfc-lignes", valid_from="2027-01-01", cents_per_km=12, **more):
    """A policy that pays kilometres only, as text."""
    terms = [{"type": "per_km", "cents_per_km": cents_per_km}]
    rules = [{"mode": "cumulative", "slices": [{"from_m": 0, "terms": terms}]}]
    document = {"id": policy_id, "title": "Essai", "level": "vehicle_trip", "valid_from": valid_from}
    return json.dumps({**document, "amount_rules": rules, **more})


def draft(policy_id="bfc-lignes", valid_from="2027-01-01", cents_per_km=12, **more):
    """The same, read: the policy and its tree."""
    (tree,) = read_documents(draft_document(policy_id, valid_from, cents_per_km, **more).encode()).values()
    return read_policy(tree), tree
