"""Plan: journeys, their alternatives, and an itinerary found again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import UNSET

from mobigo.api.journeys.bodies import PlanOffset, PlanPostBody
from mobigo.api.journeys.extras import tell_reason
from mobigo.api.journeys.interlining import join_interlined
from mobigo.api.journeys.params import (
    MAX_CHANGES,
    PlanParams,
    RefreshParams,
    RefreshPostParams,
    StreetParams,
    transit_modes,
)
from mobigo.api.journeys.shapes import AnswerExtra, Itinerary, Leg, PlanAnswer, Source
from mobigo.api.journeys.shaping import END, START, Drawn, Shaper, echo, shaper_of
from mobigo.services import journeys
from routing.journeys.carbon import get_table
from routing.journeys.journey import Journey
from routing.journeys.naming import get_public_stop
from routing.journeys.pages import PageWish, read_cursor
from routing.journeys.query import MAX_TRAVEL_S, MAX_VIAS, JourneyQuery, StopPlace, Via
from routing.journeys.rank import Sort
from routing.journeys.refresh import LegId
from routing.journeys.snapshot import Snapshot
from routing.journeys.told import Told, tell
from socle.errors import BadInput, LimitExceeded
from socle.times import local_day

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Offsets:
    """Stops and the seconds to walk to (from) each, on both sides."""

    origin: tuple[tuple[int, int], ...] = ()
    destination: tuple[tuple[int, int], ...] = ()


NO_OFFSETS = Offsets()


def read_offsets(snapshot: Snapshot, body: Any) -> Offsets:
    """The offsets of a body; a station stands for its platforms.

    Raises:
        BadInput: the body is not of this shape.
        NotFound: a stop is unknown.
    """
    try:
        told = msgspec.convert(body, PlanPostBody)
    except msgspec.ValidationError:
        raise BadInput("not_json") from None
    return Offsets(_expanded(snapshot, told.from_offsets), _expanded(snapshot, told.to_offsets))


def _expanded(snapshot: Snapshot, offsets: list[PlanOffset]) -> tuple[tuple[int, int], ...]:
    """The least seconds by stop, stations made their platforms."""
    timetable = snapshot.timetable
    seconds: dict[int, int] = {}
    for offset in offsets:
        stop = get_public_stop(timetable, offset.stop_id)
        children = timetable.stop_children[timetable.stop_first_child[stop] : timetable.stop_first_child[stop + 1]]
        for one in children.tolist() or [stop]:
            seconds[one] = min(seconds.get(one, offset.duration), offset.duration)
    return tuple(sorted(seconds.items()))


def plan_answer(
    snapshot: Snapshot,
    params: PlanParams,
    version: int,
    now: int,
    parameters: Mapping[str, str],
    offsets: Offsets = NO_OFFSETS,
) -> PlanAnswer:
    """The answer of plan."""
    query, wish = read_query(snapshot, params, version, now)
    query = replace(query, access=offsets.origin, egress=offsets.destination)
    answer = journeys.plan(
        snapshot,
        query,
        wish,
        direct_walk="WALK" in params.direct_modes,
        fastest_direct_factor=params.fastest_direct_factor,
        sort=Sort(params.mobigo_sort),
    )
    shaper = shaper_of(snapshot)
    return PlanAnswer(
        request_parameters=echo(parameters),
        debug_output={
            "searchMicroseconds": answer.search_us,
            "searches": answer.n_searches,
            "itineraries": len(answer.journeys),
        },
        from_=shaper.place(query.origin, START),
        to=shaper.place(query.destination, END),
        direct=[_itinerary(shaper, told, params) for told in answer.direct],
        itineraries=[_itinerary(shaper, told, params) for told in answer.journeys],
        previous_page_cursor=str(answer.earlier),
        next_page_cursor=str(answer.later),
        mobigo=AnswerExtra(
            release=snapshot.release,
            valid_from=snapshot.timetable.first_day.isoformat(),
            valid_to=snapshot.timetable.last_day.isoformat(),
            sources=list_sources(snapshot),
            carbon_table=get_table(local_day(query.at, snapshot.timetable.zone_infos[0])).name,
            excluded=[tell_reason(reason) for reason in answer.excluded],
            demo=True if snapshot.is_demo else UNSET,
        ),
    )


def list_sources(snapshot: Snapshot) -> list[Source]:
    """The feeds that answers come from, with their licences as far as they are known."""
    return [
        Source(
            id=str(source.get("id", "")),
            licence=str(source["licence"]) if source.get("licence") else UNSET,
            version=str(source["version"]) if source.get("version") else UNSET,
        )
        for source in snapshot.sources
    ]


def read_query(snapshot: Snapshot, params: PlanParams, version: int, now: int) -> tuple[JourneyQuery, PageWish]:
    """What the parameters ask of the search.

    Raises:
        BadInput: they contradict each other or name no place.
        LimitExceeded: they ask for more than is served.
        NotFound: a stop is unknown.
    """
    modes = transit_modes(params.transit_modes)
    max_changes = MAX_CHANGES
    if params.max_transfers is not UNSET:
        counted_once_more = version < 3
        if params.max_transfers > MAX_CHANGES + counted_once_more:
            raise LimitExceeded("over_limit", parameter="maxTransfers", limit=MAX_CHANGES + counted_once_more)
        max_changes = params.max_transfers - counted_once_more
    if max_changes < 0:
        modes, max_changes = frozenset(), 0
    if params.require_car_transport:
        modes = frozenset()  # no vehicle of the network carries cars
    query = JourneyQuery(
        origin=journeys.get_place(snapshot, params.from_place),
        destination=journeys.get_place(snapshot, params.to_place),
        at=now if params.time is UNSET else int(params.time),
        arrive_by=params.arrive_by,
        max_changes=max_changes,
        max_travel_s=None if params.max_travel_time is UNSET else min(params.max_travel_time * MINUTE_S, MAX_TRAVEL_S),
        min_change_s=params.min_transfer_time * MINUTE_S,
        extra_change_s=params.additional_transfer_time * MINUTE_S,
        change_factor=params.transfer_time_factor,
        modes=modes,
        via=_read_vias(snapshot, params),
        wheelchair=params.pedestrian_profile == "WHEELCHAIR",
        bikes=params.require_bike_transport,
        no_booking=params.no_compulsory_reservation,
        walk_speed_m_s=params.pedestrian_speed,
        max_access_s=params.max_pre_transit_time if "WALK" in params.pre_transit_modes else 0,
        max_egress_s=params.max_post_transit_time if "WALK" in params.post_transit_modes else 0,
        max_direct_s=params.max_direct_time,
    )
    wish = PageWish(
        n=params.num_itineraries,
        most=None if params.max_itineraries is UNSET else params.max_itineraries,
        timetable_view=params.timetable_view,
        window_s=params.search_window,
        cursor=read_cursor(params.page_cursor) if params.page_cursor else None,
    )
    return query, wish


def _read_vias(snapshot: Snapshot, params: PlanParams) -> tuple[Via, ...]:
    if len(params.via) > MAX_VIAS:
        raise LimitExceeded("too_many_vias", value=len(params.via), limit=MAX_VIAS)
    if len(params.via_minimum_stay) > max(len(params.via), MAX_VIAS):
        raise BadInput("bad_parameter", parameter="viaMinimumStay", expected=str(len(params.via)))
    stays = (*params.via_minimum_stay, *(0 for _ in params.via))
    return tuple(
        Via(StopPlace(get_public_stop(snapshot.timetable, stop_id)), minutes * MINUTE_S)
        for stop_id, minutes in zip(params.via, stays, strict=False)
    )


def _itinerary(shaper: Shaper, told: Told, params: StreetParams) -> Itinerary:
    """A journey with the alternatives of its rides, when they are asked for."""
    itinerary = shaper.itinerary(told, _drawn(params), joined=False)
    if params.num_leg_alternatives:
        found = journeys.list_alternatives(shaper.snapshot, told.journey, params.num_leg_alternatives)
        for at, ways in found.items():
            itinerary.legs[at].alternatives = [_alternative(shaper, way, params) for way in ways]
    if params.join_interlined_legs:
        itinerary.legs = join_interlined(itinerary.legs)
    return itinerary


def _alternative(shaper: Shaper, way: Journey, params: StreetParams) -> list[Leg]:
    return shaper.legs(tell(shaper.snapshot, way), _drawn(params))


def _drawn(params: StreetParams) -> Drawn:
    transfers = params.detailed_legs if params.detailed_transfers is UNSET else params.detailed_transfers
    return Drawn(params.detailed_legs, transfers)


def refresh_answer(
    snapshot: Snapshot, params: RefreshParams | RefreshPostParams, leg_ids: tuple[LegId, ...] | None = None
) -> Itinerary:
    """The answer of refresh-itinerary."""
    wanted = params.itinerary_id if isinstance(params, RefreshParams) else leg_ids or ()
    answer = journeys.refresh_itinerary(snapshot, wanted, same_name=params.require_display_name_match)
    shaper = shaper_of(snapshot)
    if answer.told is None:
        return shaper.lost_itinerary(answer.refreshed, _drawn(params))
    itinerary = _itinerary(shaper, answer.told, params)
    if answer.refreshed.changes and itinerary.mobigo is not UNSET:
        itinerary.mobigo.changes = [tell_reason(change) for change in answer.refreshed.changes]
    return itinerary
