"""Privacy: the only way by which counts about people leave, so that no row and no difference of rows is about one.

Everything published is one partition: each unit (a ride, an entry of the books) is counted in one
cell, told as finely as `k` different people in each of its parts allow. What is too fine goes, with
what is hidden beside it, into a coarser cell; what is too fine at the coarsest is dropped and counted.

A cell that is hidden must not follow from totals either. Where some cells of a coarser one are
shown, what is hidden in it is at least two cells and as large as one that may be shown, else the
smallest shown one is hidden with it. So it is where all totals together, taken as linear
equations, give a hidden cell. Since several tables of a publication are made from one
partition, subtracting one from another gives nothing that was not told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Key = tuple[str, ...]
# What stands in the place of a detail that too few share.
WITHHELD = ""
_ZERO = 1e-9


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing to be counted.

    `subjects` are those whom it concerns, one for each part they have in it (who rides, whose car):
    each part is counted by itself. `levels` are the keys of its cell, the finest first; two units of
    one key have equal keys at every coarser level. `details` are told where enough units share them,
    one after the other. `weight` is summed (cents).
    """

    subjects: Key
    levels: tuple[Key, ...]
    details: Key = ()
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One published cell: its level, its key, the details of each of its units, and the sum of their weights."""

    level: int
    key: Key
    rows: tuple[Key, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Suppression:
    """What became of the units: how many are told at each level, how many were dropped."""

    k: int
    k_details: int
    n_units: int
    n_told: tuple[int, ...]
    n_dropped: int


@dataclass(frozen=True, slots=True)
class Released:
    """Cells that may be published. Only `release` makes them; what renders public tables takes nothing else."""

    cells: tuple[Cell, ...]
    suppression: Suppression


Margin = Callable[[Key], Key | None]  # of a cell's key; None: the cell is in no such margin


def release(units: Sequence[Unit], k: int, k_details: int | None = None, margins: Sequence[Margin] = ()) -> Released:
    """The cells of `units` in which each part counts at least `k` people, `k_details` for each row of details.

    `margins` are totals that others may know beside those of the coarser levels, which always count as known.
    """
    fine = k if k_details is None else k_details
    cells: list[Cell] = []
    left = list(units)
    n_levels = len(units[0].levels) if units else 0
    for level in range(n_levels):
        groups = _group(left, level)
        shown = {key for key, members in groups.items() if is_large(members, k)}
        _hide_what_follows(groups, shown, [*_coarser(groups, level), *margins], k)
        left = [unit for key, members in groups.items() if key not in shown for unit in members]
        cells += [_cell(level, key, groups[key], fine) for key in sorted(shown)]
    n_told = [0] * n_levels
    for cell in cells:
        n_told[cell.level] += len(cell.rows)
    return Released(tuple(cells), Suppression(k, fine, len(units), tuple(n_told), len(left)))


def is_large(units: Sequence[Unit], k: int) -> bool:
    """Whether there are `k` units that concern, in each part, `k` different subjects."""
    if len(units) < k:
        return False
    return all(len(set(subjects)) >= k for subjects in zip(*(unit.subjects for unit in units), strict=True))


def _group(units: Iterable[Unit], level: int) -> dict[Key, list[Unit]]:
    groups: defaultdict[Key, list[Unit]] = defaultdict(list)
    for unit in units:
        groups[unit.levels[level]].append(unit)
    return dict(groups)


def _coarser(groups: Mapping[Key, Sequence[Unit]], level: int) -> list[Margin]:
    """The cells of each coarser level that hold a cell, and the one that holds all."""
    n_levels = max((len(members[0].levels) for members in groups.values()), default=0)
    held = [{key: members[0].levels[above] for key, members in groups.items()} for above in range(level + 1, n_levels)]
    return [*(one.__getitem__ for one in held), lambda _key: ()]


def _hide_what_follows(
    groups: Mapping[Key, Sequence[Unit]], shown: set[Key], margins: Sequence[Margin], k: int
) -> None:
    """Take cells out of `shown` until no hidden one follows from totals and the cells shown beside it.

    The first margin is that of the next level, where what is hidden will be told together.
    """
    first, *others = [list(_totals(groups, margin)) for margin in margins]
    totals = [*first, *(keys for one in others for keys in one)]
    while True:
        for keys in first:
            _hide_beside(groups, shown, keys, k)
        followed = _find_what_follows(shown, totals)
        if not followed:
            return
        shown.discard(_choose_beside(groups, shown, min(followed), totals))


def _choose_beside(
    groups: Mapping[Key, Sequence[Unit]], shown: set[Key], followed: Key, totals: Sequence[Sequence[Key]]
) -> Key:
    """The smallest shown cell of the total that says most of a hidden one: where the fewest are hidden."""
    around = [keys for keys in totals if followed in keys and any(key in shown for key in keys)]
    tightest = min(around, key=lambda keys: sum(key not in shown for key in keys))
    return min((key for key in tightest if key in shown), key=lambda key: (len(groups[key]), key))


def _totals(groups: Mapping[Key, Sequence[Unit]], margin: Margin) -> Iterable[list[Key]]:
    members: defaultdict[Key, list[Key]] = defaultdict(list)
    for key in sorted(groups):
        total = margin(key)
        if total is not None:
            members[total].append(key)
    return members.values()


def _hide_beside(groups: Mapping[Key, Sequence[Unit]], shown: set[Key], keys: Sequence[Key], k: int) -> None:
    """In one total: hide the smallest shown cells until what is hidden is nothing, or enough."""
    hidden = [key for key in keys if key not in shown]
    left = sorted((key for key in keys if key in shown), key=lambda key: (len(groups[key]), key))
    while hidden and left and not (len(hidden) > 1 and is_large([one for key in hidden for one in groups[key]], k)):
        smallest = left.pop(0)
        shown.discard(smallest)
        hidden.append(smallest)


def _find_what_follows(shown: set[Key], totals: Sequence[Sequence[Key]]) -> set[Key]:
    """The hidden cells that the totals beside which something is shown give together, as linear equations do.

    Each such total, less its shown cells, is the sum of its hidden ones. A cell follows when all
    solutions agree on it: when its row of a basis of the null space is zero.
    """
    known = [keys for keys in totals if any(key in shown for key in keys)]
    hidden = sorted({key for keys in known for key in keys if key not in shown})
    if not hidden:
        return set()
    place = {key: at for at, key in enumerate(hidden)}
    equations = np.zeros((len(known), len(hidden)))
    for number, keys in enumerate(known):
        equations[number, [place[key] for key in keys if key not in shown]] = 1
    _left, values, basis = np.linalg.svd(equations)
    free = basis[int((values > _ZERO).sum()) :]
    return {key for at, key in enumerate(hidden) if not (np.abs(free[:, at]) > _ZERO).any()}


# --- details ---------------------------------------------------------------------------------


def _cell(level: int, key: Key, units: Sequence[Unit], k: int) -> Cell:
    n_details = len(units[0].details)
    rows: list[Key] = []
    _refine(units, (), n_details, k, rows)
    return Cell(level, key, tuple(sorted(rows)), sum(unit.weight for unit in units))


def _refine(units: Sequence[Unit], told: Key, n_details: int, k: int, rows: list[Key]) -> None:
    """Tell one detail after the other, each to as many as share it; rows are told alike by `k` people at least."""
    at = len(told)
    if at == n_details:
        rows.extend([told] * len(units))
        return
    groups: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        groups[unit.details[at]].append(unit)
    shown = [value for value, members in groups.items() if value != WITHHELD and is_large(members, k)]
    shown.sort(key=lambda value: (-len(groups[value]), value))
    rest = [unit for value, members in groups.items() if value not in shown for unit in members]
    while rest and shown and not is_large(rest, k):
        rest += groups[shown.pop()]  # the smallest is told no longer, so that the rest is as large as any
    for value in shown:
        _refine(groups[value], (*told, value), n_details, k, rows)
    if rest:
        _refine(rest, (*told, WITHHELD), n_details, k, rows)


# --- parts of totals that others know too ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parts:
    """What may be told of a total and its parts: the number of each part, None where it is hidden; so the total."""

    numbers: Mapping[str, int | None]  # of the parts that are not small, which alone are named
    total: int | None


def tell_parts(parts: Mapping[str, int], least: int) -> Parts:
    """Hide every part under `least`, and what must be hidden with it where everybody can see which parts those are.

    Whoever knows the total, the numbers told, that each hidden small part counts 1 to `least` - 1 and every other one
    `least` at least, still finds all of these numbers possible for each small one. Where hiding parts does not come
    to that, no number is told.
    """
    small = [n for n in parts.values() if n < least]
    large = sorted((name for name, n in parts.items() if n >= least), key=lambda name: (parts[name], name))
    n_hidden = 0
    while not _is_open(small, [parts[name] for name in large[:n_hidden]], least):
        if n_hidden == len(large):
            return Parts(dict.fromkeys(sorted(large)), None)
        n_hidden += 1
    hidden = set(large[:n_hidden])
    return Parts({name: None if name in hidden else parts[name] for name in sorted(large)}, sum(parts.values()))


def _is_open(small: Sequence[int], hidden: Sequence[int], least: int) -> bool:
    """Whether the sum of the small parts and the large ones `hidden` with them leaves each small one open."""
    if not small:
        return True
    left = sum(small) + sum(hidden)
    others = len(small) - 1
    may_be_most = left - least * len(hidden) - others >= least - 1
    may_be_one = bool(hidden) or left - 1 <= others * (least - 1)
    return may_be_most and may_be_one


# --- what is checked on every release --------------------------------------------------------


def count_alone(rows: Iterable[Sequence[Any]]) -> int:
    """How many rows are like no other one."""
    n_alike: defaultdict[tuple[Any, ...], int] = defaultdict(int)
    for row in rows:
        n_alike[tuple(row)] += 1
    return sum(n == 1 for n in n_alike.values())
