"""Shipped: the dated policies of the Region's lines, one file each, and which of them was in force on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files

from covoiturage.policy.documents import Tree, read_documents
from covoiturage.policy.language import read_policy
from covoiturage.policy.model import Policy


@cache
def shipped_policies() -> Mapping[str, Policy]:
    """The policies of the Region's lines by id."""
    return {policy_id: read_policy(tree) for policy_id, tree in shipped_documents().items()}


@cache
def shipped_documents() -> Mapping[str, Tree]:
    """Their documents by id."""
    found: dict[str, Tree] = {}
    for document in files("covoiturage.policy").joinpath("policies").iterdir():
        found |= read_documents(document.read_bytes(), toml=True)
    return dict(sorted(found.items()))


def find_in_force(policies: Iterable[Policy], day: date) -> Policy | None:
    """The policy in force on a local day: of several the one that began last, of those the one that is given last."""
    valid = [
        (policy.valid_from or date.min, position, policy)
        for position, policy in enumerate(policies)
        if (policy.valid_from is None or policy.valid_from <= day)
        and (policy.valid_until is None or day <= policy.valid_until)
    ]
    return max(valid, key=lambda one: one[:2])[2] if valid else None
