"""Which offers take a passenger along, offer by offer, day by day, by driving every order of stops there is."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from math import ceil, inf

from covoiturage.drives import drive
from covoiturage.offers import KEPT_S, WALK_M_S
from socle.geo import distance_m
from socle.times import local_day


def find_all(offers, taken, wish, ways):
    """The best way along with each planned: effort, walk, board, offer, day, halts, alight, most seats free."""
    found = []
    for offer in offers:
        if offer.driver == wish.passenger:
            continue
        for n in range(-2, 3):
            day = local_day(wish.at) + timedelta(days=n)
            leave_at = offer.find_leaving(day)
            if leave_at is not None:
                best = _best(offer, day, leave_at, taken.get((offer.offer_id, day), ()), wish, ways)
                if best is not None:
                    found.append(best)
    return sorted(found)


def _best(offer, day, leave_at, taken, wish, ways):
    plan = _plan(offer, leave_at, taken, ways)
    best = None
    options = []
    for k, stop in enumerate(plan):
        if stop["halt"] is not None:
            options.append(("at", k))
    if offer.detour_s and offer.detour_m:
        options += [("after", k) for k in range(len(plan) - 1)]
    for board in options:
        for alight in options:
            one = _drive(offer, day, plan, board, alight, wish, ways)
            if one is not None and (best is None or one < best):
                best = one
    return best


def _plan(offer, leave_at, taken, ways):
    """The stops of a drive in order: place, planned instant, latest instant, who gets in and out."""
    stops = [
        {"at": h.at, "t": leave_at + h.after_s, "along": h.along_m, "halt": n, "in": 0, "out": 0}
        for n, h in enumerate(offer.halts)
    ]
    for stop in stops:
        stop["latest"] = stop["t"]
    detoured = []
    for one in taken:
        for side, meeting, promised in (("in", one.board, one.promised[0]), ("out", one.alight, one.promised[1])):
            if meeting.halt >= 0:
                stops[meeting.halt][side] += one.seats
            else:
                stop = {"at": meeting.at, "t": meeting.instant, "latest": promised + KEPT_S, "halt": None}
                stop |= {"in": 0, "out": 0, "order": (meeting.instant, side == "out", one.key)}
                stop[side] = one.seats
                detoured.append(stop)
    if detoured:
        stops[1:1] = sorted(detoured, key=lambda stop: stop["order"])
        stops[-1]["t"] = max(stops[-1]["t"], stops[-2]["t"] + _leg(ways, stops[-2]["at"], stops[-1]["at"])[0])
    if offer.detour_s and offer.detour_m:
        latest = leave_at + offer.length_s + offer.detour_s
        for one in taken:
            if one.alight.halt == len(offer.halts) - 1:
                latest = min(latest, one.promised[1] + KEPT_S)
        stops[-1]["latest"] = max(latest, stops[-1]["t"])
    for before, after in pairwise(stops):
        if not detoured:
            after["leg"] = (after["t"] - before["t"], after["along"] - before["along"])
        else:
            after["leg"] = _leg(ways, before["at"], after["at"])
    return stops


def _leg(ways, one, other):
    return drive(ways, [one], [other])[0][0]


def _drive(offer, day, plan, board, alight, wish, ways):
    walks = [
        distance_m(place, plan[k]["at"]) if how == "at" else 0
        for (how, k), place in ((board, wish.origin), (alight, wish.destination))
    ]
    if max(walks) > wish.walk_m:
        return None
    # The order of stops: "P" and "Q" stand in it where the car comes for the passenger.
    order = []
    for k, stop in enumerate(plan):
        order.append(("stop", k, stop))
        if board == ("after", k):
            order.append(("P", None, {"at": wish.origin, "latest": inf}))
        if alight == ("after", k):
            order.append(("Q", None, {"at": wish.destination, "latest": inf}))
    mine_in = next(n for n, (kind, k, _) in enumerate(order) if kind == "P" or (board[0] == "at" and k == board[1]))
    mine_out = next(n for n, (kind, k, _) in enumerate(order) if kind == "Q" or (alight[0] == "at" and k == alight[1]))
    if mine_out <= mine_in:
        return None
    times, lengths = [plan[0]["t"]], [0]
    for (kind_a, _, a), (kind_b, _, b) in pairwise(order):
        plain = kind_a == kind_b == "stop"
        seconds, metres = b["leg"] if plain else _leg(ways, a["at"], b["at"])
        at = times[-1] + seconds
        if kind_b == "stop":
            at = max(at, b["t"])
        if at > b["latest"]:
            return None
        times.append(at)
        lengths.append(lengths[-1] + metres)
    if (board[0] == "after" or alight[0] == "after") and lengths[-1] - offer.length_m > offer.detour_m:
        return None
    free = offer.seats - _most_aboard(order, mine_in, mine_out)
    board_at, alight_at = times[mine_in], times[mine_out]
    met = alight_at if wish.arrive_by else board_at
    if free < wish.seats or abs(met - wish.at) > wish.tolerance_s or board_at < wish.not_before:
        return None
    if alight_at <= board_at:
        return None
    detour = times[-1] - plan[-1]["t"]
    walk_s = round(sum(map(ceil, walks)) / WALK_M_S)
    effort = abs(met - wish.at) + alight_at - board_at + detour + 2 * walk_s
    halts = tuple(plan[k]["halt"] if how == "at" else -1 for how, k in (board, alight))
    return (effort, walk_s, board_at, offer.offer_id, day, *halts, alight_at, -free)


def _most_aboard(order, first, end):
    """The most seats that others hold between two places of the order."""
    most, aboard = 0, 0
    for n, (kind, _, stop) in enumerate(order):
        if kind == "stop":
            aboard += stop["in"] - stop["out"]
        if first <= n < end:
            most = max(most, aboard)
    return most
