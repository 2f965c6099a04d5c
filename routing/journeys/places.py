"""Places: from what somebody typed to stops, stations and communes, and back from a point.

Names are folded (no accents, no case, `St` is `saint`) and cut into words. A typed
word meets a word of a name exactly, or with one slip per four letters (adjacent
letters swapped count as one slip), and the last word, which may still be on its
way, also by its beginning. Every typed word must meet a word of the name or of the
areas around it, so that a whole label typed back ("Dijon Ville, Bourgogne-Franche-
Comté") finds its place. Words are matched against the vocabulary once (thousands
of distinct words); what they are worth is then carried to all places by three array
operations, so that the time of a search hardly depends on what is typed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from routing.journeys.gazetteer import Commune, Kind, NamedPlace, NamedStop, list_places
from routing.journeys.words import SMALL_WORDS, folded_words, typed_words
from socle.geo import Box, LatLon, distance_m, distances_m

# What a typed word is worth when it meets a word: 1 exactly, less by the beginning or with slips.
_PREFIX_WORTH = 0.90
_SLIP_WORTH = 0.22  # lost for each slip
_SLIPPED_PREFIX_WORTH = 0.80
_AREA_WORTH = 0.75  # of a word met in the areas around instead of the name
_FORGOTTEN_BELOW = 0.62  # share of the typed letters that must be met
_LETTERS_PER_SLIP = 4

# Shares of the score: typed words met, words of the name met, importance, and nearness when asked.
_MET, _COVERED, _IMPORTANT, _NEAR = 0.62, 0.16, 0.12, 0.15
_WHOLE = 0.10  # when the text begins with the whole name, by the share of the text that the name is
_LABEL = 0.25  # more, when the whole name stands before a comma: the label of a place typed back
_JOINED_WORTH = 0.95  # "la roche" for "Laroche"
_NEAR_M = 20_000

_RAIL = frozenset({"HIGHSPEED_RAIL", "LONG_DISTANCE", "NIGHT_RAIL", "REGIONAL_RAIL", "SUBURBAN"})


@dataclass(frozen=True, slots=True)
class Found:
    """A place found, best first: `spans` are [start, length] in the typed text, `score` is at most about 1."""

    place: NamedPlace
    score: float
    spans: tuple[tuple[int, int], ...] = ()
    matched_areas: frozenset[int] = frozenset()
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which places are wanted, and near what; `near_weight` 1 is the ordinary pull of nearness."""

    n: int = 10
    kinds: frozenset[Kind] = frozenset(Kind)
    modes: frozenset[str] | None = None
    box: Box | None = None
    near: LatLon | None = None
    near_weight: float = 1.0


ANY = Wanted()


def _weight(word: str) -> float:
    return 0.5 if word in SMALL_WORDS else float(min(len(word), 8))


def _slips(word: str, others: Sequence[str], at_most: int) -> NDArray[np.float32]:
    """Slips between `word` and each other (insert, drop, change, swap); more than `at_most` is told as one more."""
    told: NDArray[np.float32] = process.cdist(
        [word], others, scorer=OSA.distance, score_cutoff=at_most, dtype=np.float32
    )[0]
    return told


def _words_around(place: NamedPlace) -> tuple[str, ...]:
    """Words that name the surroundings; a station on rails is also a « gare SNCF », and often said « -Ville »."""
    words = [word for area in place.areas for word in folded_words(area.name)]
    if not _RAIL.isdisjoint(place.modes):
        words += ["gare", "sncf", "ville"]
    return tuple(words)


class _Texts:
    """Words of many texts in one row: text i has words[first[i]:first[i + 1]]."""

    def __init__(self, texts: Sequence[Sequence[str]], word_index: dict[str, int]) -> None:
        # An empty text holds the empty word, which nothing meets, so that no slice is empty.
        filled = [text or ("",) for text in texts]
        self.first: NDArray[np.int64] = np.cumsum([0] + [len(text) for text in filled])[:-1]
        words = [word for text in filled for word in text]
        self.words: NDArray[np.int32] = np.array([word_index[word] for word in words], np.int32)
        self.weights: NDArray[np.float32] = np.array([_weight(word) if word else 0.0 for word in words], np.float32)
        self.total: NDArray[np.float32] = np.maximum(np.add.reduceat(self.weights, self.first), np.float32(0.5))

    def best(self, worth_of_word: NDArray[np.float32]) -> NDArray[np.float32]:
        """For each text, the most that one of its words is worth."""
        best: NDArray[np.float32] = np.maximum.reduceat(worth_of_word[self.words], self.first)
        return best


class PlaceIndex:
    """All that can be typed, and where it is. Built once per release, then only read."""

    def __init__(self, places: Sequence[NamedPlace]) -> None:
        self.places = tuple(places)
        names = [folded_words(place.name) for place in self.places]
        around: dict[tuple[str, ...], int] = {}
        self._around_of_place = np.array(
            [around.setdefault(_words_around(place), len(around)) for place in self.places], np.int32
        )
        self._words = sorted({word for words in (*names, *around) for word in words} | {""})
        self._index = {word: at for at, word in enumerate(self._words)}
        self._names, self._around = _Texts(names, self._index), _Texts(list(around), self._index)
        self._by_name: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, name in enumerate(names):
            self._by_name[tuple(name)].append(at)
        by_length: defaultdict[int, list[int]] = defaultdict(list)
        for at, word in enumerate(self._words):
            by_length[len(word)].append(at)
        self._by_length = {length: np.array(ats, np.int32) for length, ats in by_length.items()}
        self._beginnings: dict[int, tuple[list[str], NDArray[np.int32], NDArray[np.int32]]] = {}
        self._lat = np.array([place.at.lat for place in self.places], np.float64)
        self._lon = np.array([place.at.lon for place in self.places], np.float64)
        self._importance = np.array([place.importance for place in self.places], np.float32)
        self._kind = np.array([place.kind == Kind.STOP for place in self.places], np.bool_)

    def list_found(self, text: str, wanted: Wanted = ANY) -> list[Found]:
        """Places that `text` may mean, best first."""
        typed = typed_words(text)[:12]
        if not typed or not self.places:
            return []
        met = np.zeros(len(self.places), np.float32)
        covered = np.zeros(len(self._names.words), np.float32)
        worths: list[NDArray[np.float32]] = []
        for at, (word, _, _) in enumerate(typed):
            worth = self._worth_of_words(word, is_last=at == len(typed) - 1)
            for joined in (
                typed[at - 1][0] + word if at else "",
                word + typed[at + 1][0] if at + 1 < len(typed) else "",
            ):
                if joined in self._index:
                    worth[self._index[joined]] = max(worth[self._index[joined]], _JOINED_WORTH)
            worths.append(worth)
            by_area = self._around.best(worth)[self._around_of_place] * np.float32(_AREA_WORTH)
            met += np.maximum(self._names.best(worth), by_area) * np.float32(_weight(word))
            np.maximum(covered, worth[self._names.words], out=covered)
        all_typed = np.float32(sum(_weight(word) for word, _, _ in typed))
        met /= all_typed
        cover = np.add.reduceat(covered * self._names.weights, self._names.first) / self._names.total
        score = _MET * met + _COVERED * cover + _IMPORTANT * self._importance
        for whole, is_label in self._begin_text(text, typed):
            score[whole] += _WHOLE * self._names.total[whole] / all_typed + _LABEL * is_label
        metres = None
        if wanted.near is not None:
            metres = self._metres_from(wanted.near)
            score += (_NEAR * wanted.near_weight * _NEAR_M / (_NEAR_M + metres)).astype(np.float32)
        score[met < _FORGOTTEN_BELOW] = -1.0
        score[~self._are_wanted(wanted)] = -1.0
        best = self._best_first(score, wanted.n)
        return [
            Found(
                self.places[at],
                round(float(score[at]), 4),
                self._spans(at, typed, worths),
                self._matched_areas(at, worths),
                None if metres is None else float(metres[at]),
            )
            for at in best
        ]

    def list_near(self, at: LatLon, wanted: Wanted = ANY) -> list[Found]:
        """Places nearest to `at`, nearest first."""
        if not self.places:
            return []
        metres = self._metres_from(at)
        nearness = (_NEAR_M / (_NEAR_M + metres)).astype(np.float64)
        nearness[~self._are_wanted(wanted)] = -1.0
        return [
            Found(self.places[place], round(float(nearness[place]), 6), distance_m=float(metres[place]))
            for place in self._best_first(nearness, wanted.n)
        ]

    def find_commune(self, insee_code: str) -> NamedPlace | None:
        """The commune with this code, if it is known."""
        return next((place for place in self.places if place.insee_code == insee_code), None)

    def _metres_from(self, at: LatLon) -> NDArray[np.float64]:
        return distances_m(at.lat, at.lon, self._lat, self._lon)

    def _are_wanted(self, wanted: Wanted) -> NDArray[np.bool_]:
        keep = np.ones(len(self.places), np.bool_)
        if Kind.STOP not in wanted.kinds:
            keep &= ~self._kind
        if Kind.COMMUNE not in wanted.kinds:
            keep &= self._kind
        if wanted.box is not None:
            keep &= (self._lat >= wanted.box.south) & (self._lat <= wanted.box.north)
            keep &= (self._lon >= wanted.box.west) & (self._lon <= wanted.box.east)
        if wanted.modes is not None:
            modes = wanted.modes
            keep &= ~self._kind | np.array([not modes.isdisjoint(place.modes) for place in self.places], np.bool_)
        return keep

    def _best_first(self, score: NDArray[np.floating], n: int) -> list[int]:
        """The n best positions; equal scores in the order of the places."""
        n_good = int(np.count_nonzero(score >= 0))
        n = min(n, n_good)
        if n <= 0:
            return []
        edge = np.partition(score, len(score) - n)[len(score) - n]
        among = np.flatnonzero(score >= edge)
        order = np.argsort(-score[among], kind="stable")
        return [int(at) for at in among[order][:n]]

    def _begin_text(self, text: str, typed: Sequence[tuple[str, int, int]]) -> Iterator[tuple[list[int], bool]]:
        """Places whose whole name begins the text, and whether a comma says that the name ends there."""
        for n_words in range(1, len(typed) + 1):
            named = self._by_name.get(tuple(word for word, _, _ in typed[:n_words]))
            if named:
                end = typed[n_words - 1][1] + typed[n_words - 1][2]
                until = typed[n_words][1] if n_words < len(typed) else len(text)
                yield named, "," in text[end:until] or (n_words == len(typed) and "," in text)

    def _worth_of_words(self, word: str, *, is_last: bool) -> NDArray[np.float32]:
        """For each word of the vocabulary, what meeting it with the typed `word` is worth."""
        worth = np.zeros(len(self._words), np.float32)
        n_slips = len(word) // _LETTERS_PER_SLIP
        for length in range(len(word) - n_slips, len(word) + n_slips + 1):
            among = self._by_length.get(length)
            if among is not None:
                slips = _slips(word, [self._words[at] for at in among], n_slips)
                near = slips <= n_slips
                worth[among[near]] = 1.0 - _SLIP_WORTH * slips[near]
        if is_last and word:
            beginnings, at_beginning, at_word = self._words_by_beginning(len(word))
            slips = _slips(word, beginnings, n_slips)[at_beginning]
            share = np.float32(len(word)) / np.array([len(self._words[at]) for at in at_word], np.float32)
            slipped = _SLIPPED_PREFIX_WORTH - _SLIP_WORTH * (slips - 1)
            begun = np.where(slips == 0, _PREFIX_WORTH + (1 - _PREFIX_WORTH) * share, slipped)
            begun[slips > n_slips] = 0.0
            worth[at_word] = np.maximum(worth[at_word], begun.astype(np.float32))
        return worth

    def _words_by_beginning(self, length: int) -> tuple[list[str], NDArray[np.int32], NDArray[np.int32]]:
        """Beginnings of that length, and for each longer word its beginning; kept after the first time."""
        known = self._beginnings.get(length)
        if known is None:
            longer = [at for at, word in enumerate(self._words) if len(word) > length]
            index: dict[str, int] = {}
            of_word = [index.setdefault(self._words[at][:length], len(index)) for at in longer]
            known = self._beginnings[length] = (list(index), np.array(of_word, np.int32), np.array(longer, np.int32))
        return known

    def _spans(
        self, place: int, typed: Sequence[tuple[str, int, int]], worths: Sequence[NDArray[np.float32]]
    ) -> tuple[tuple[int, int], ...]:
        words = self._words_of(self._names, place)
        return tuple(
            (start, length) for (_, start, length), worth in zip(typed, worths, strict=True) if worth[words].max() > 0
        )

    def _matched_areas(self, place: int, worths: Sequence[NDArray[np.float32]]) -> frozenset[int]:
        """Positions of the areas that a typed word met better than the name."""
        words = self._words_of(self._names, place)
        matched = set()
        for at, area in enumerate(self.places[place].areas):
            telling = [self._index[word] for word in folded_words(area.name) if word not in SMALL_WORDS]
            if any(worth[telling].max() > worth[words].max() for worth in worths if telling):
                matched.add(at)
        return frozenset(matched)

    @staticmethod
    def _words_of(texts: _Texts, at: int) -> NDArray[np.int32]:
        end = texts.first[at + 1] if at + 1 < len(texts.first) else len(texts.words)
        return texts.words[texts.first[at] : end]


def build_index(stops: Iterable[NamedStop], communes: Sequence[Commune]) -> PlaceIndex:
    """The index of all stops and communes."""
    return PlaceIndex(list_places(stops, communes))


# Two places whose scores differ by less may both be meant; two of one name this near are one place to a traveller.
_CLEAR_BY = 0.05
_ONE_PLACE_M = 5_000


def find_meant(found: Sequence[Found]) -> NamedPlace | None:
    """The place that is clearly meant among those found, best first; None when somebody has to choose."""
    clear = find_clear([(one.place.name, one.score, one.place.at) for one in found])
    return None if clear is None else found[clear].place


def find_clear(found: Sequence[tuple[str, float, LatLon]]) -> int | None:
    """Which of the names, scores and points found, best first, is clearly meant: the first one, or none.

    A commune and its station are one place; so whoever asks by any door is asked the same.
    """
    if not found:
        return None
    best_name, best_score, best_at = found[0]
    for name, score, at in found[1:]:
        if best_score - score >= _CLEAR_BY:
            break
        if folded_words(best_name) != folded_words(name) or distance_m(best_at, at) > _ONE_PLACE_M:
            return None
    return 0
