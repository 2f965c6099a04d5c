"""`mobigo plan`, `board`, `place`: the journey API in a terminal, on the network on disk or on a server.

Both ways read the same parameters and print the same answer, so `--json` is what HTTP gives.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from mobigo.cli.frame import ExitCode, err, out, say_error, settings
from mobigo.texts import text
from mobigo.web.wording import NBSP, distance, duration, euros, long_day, mass, minute_after
from socle.errors import BadInput, MobigoError
from socle.times import PARIS

Pairs = list[tuple[str, str]]

_HERE_M = 30  # a stop this near is where one stands; a walk this short is the time that a change is given
# The centre of a commune is walked from for longer than a stop or a point chosen by hand.
_COMMUNE_WALK_S = 1_800

_MODES = {
    "TER": "REGIONAL_RAIL",
    "TGV": "HIGHSPEED_RAIL",
    "TRAIN": "RAIL",
    "CAR": "COACH",
    "BUS": "BUS",
    "TRAM": "TRAM",
    "METRO": "SUBWAY",
    "TAD": "ODM",
    "COVOIT": "RIDE_SHARING",
}
_BICYCLE = "VELO"


class Sort(StrEnum):
    """What journeys may be ordered by."""

    TIME = "time"
    PRICE = "price"
    WALK = "walk"
    CARBON = "carbon"


At = Annotated[str, typer.Option("--at", help=text("cli.journeys.at_help"), metavar="AAAA-MM-JJTHH:MM")]
AsJson = Annotated[bool, typer.Option("--json", help=text("cli.json_help"))]
Server = Annotated[str, typer.Option("--server", help=text("cli.journeys.server_help"), metavar="URL")]


class Answers:
    """Answers of the journey API as JSON bytes: from the network on disk, or from a server."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._snapshot: Any = None

    def get(self, name: str, parameters: Pairs) -> bytes:
        """The answer of an endpoint.

        Raises:
            MobigoError: as the endpoint does; what a server refuses is told in its own words.
        """
        return self._from_server(name, parameters) if self._server else self._from_disk(name, parameters)

    def _from_server(self, name: str, parameters: Pairs) -> bytes:
        from mobigo.outbound.http import fetch

        version = 1 if name == "geocode" else 6
        status, body = fetch(self._server, f"/api/v{version}/{name}", parameters)
        if status != 200:
            raise _refusal(status, body)
        return body

    def _from_disk(self, name: str, parameters: Pairs) -> bytes:
        from mobigo.api.journeys import params, places, plan, timetable
        from mobigo.api.journeys.query_string import read_params
        from mobigo.services.journeys import with_lines
        from mobigo.store.releases import get_current
        from mobigo.store.streets import find_streets
        from routing.journeys.snapshot import open_snapshot

        if self._snapshot is None:
            chosen = settings()
            snapshot = open_snapshot(get_current(chosen.data_dir), find_streets(chosen.data_dir))
            self._snapshot = with_lines(snapshot, *_lines_on_disk(), chosen.site_address())
        now = int(time.time())
        value: Any
        if name == "plan":
            asked = read_params(params.PlanParams, parameters)
            value = plan.plan_answer(self._snapshot, asked, 6, now, dict(parameters))
        elif name == "stoptimes":
            value = timetable.stoptimes_answer(self._snapshot, read_params(params.StoptimesParams, parameters), now)
        else:
            value = places.geocode_answer(self._snapshot, read_params(params.GeocodeParams, parameters))
        return msgspec.json.encode(value)


def _lines_on_disk() -> tuple[Any, Any]:
    """The carpool lines and policies of the database; the shipped ones where there is none yet."""
    from covoiturage.lines import shipped_lines
    from covoiturage.policy.shipped import shipped_policies
    from mobigo.services.covoiturage.lines import open_lines
    from mobigo.store.base import open_engine

    address = settings().database_address()
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
        return shipped_lines(), tuple(shipped_policies().values())
    engine = open_engine(address)
    try:
        return open_lines(engine)
    finally:
        engine.dispose()


class _Refusal(msgspec.Struct):
    """What a server answers instead: a problem of ours, or what any server of the journey API says."""

    error: str
    code: str = ""


def _refusal(status: int, body: bytes) -> MobigoError:
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except msgspec.DecodeError:
        refusal = _Refusal(str(status))
    return BadInput("server_refused", said=refusal.error, server_code=refusal.code)


def plan(
    origin: Annotated[str, typer.Argument(metavar="FROM", help=text("cli.journeys.place_help"))],
    destination: Annotated[str, typer.Argument(metavar="TO", help=text("cli.journeys.place_help"))],
    at: At = "",
    arrive_by: Annotated[bool, typer.Option("--arrive-by", help=text("cli.journeys.arrive_by_help"))] = False,
    via: Annotated[list[str] | None, typer.Option("--via", help=text("cli.journeys.via_help"), metavar="STOP")] = None,
    modes: Annotated[str, typer.Option("--modes", help=text("cli.journeys.modes_help"))] = "",
    wheelchair: Annotated[bool, typer.Option("--wheelchair", help=text("cli.journeys.wheelchair_help"))] = False,
    sort: Annotated[Sort, typer.Option("--sort", help=text("cli.journeys.sort_help"))] = Sort.TIME,
    n: Annotated[int, typer.Option("-n", min=1, max=256, help=text("cli.journeys.n_help"))] = 5,
    why: Annotated[bool, typer.Option("--why", help=text("cli.journeys.why_help"))] = False,
    as_json: AsJson = False,
    server: Server = "",
) -> None:
    """Find journeys between two places."""
    answers = Answers(server)
    from_, from_commune = _get_place(answers, origin)
    to, to_commune = _get_place(answers, destination)
    parameters: Pairs = [("fromPlace", from_), ("toPlace", to), ("time", _instant(at)), ("numItineraries", str(n))]
    parameters += [("arriveBy", "true")] if arrive_by else []
    parameters += [("via", _get_place(answers, stop, stops_only=True)[0]) for stop in via or ()]
    parameters += [("pedestrianProfile", "WHEELCHAIR")] if wheelchair else []
    parameters += [("mobigoSort", sort.value)] if sort is not Sort.TIME else []
    parameters += [("maxPreTransitTime", str(_COMMUNE_WALK_S))] if from_commune else []
    parameters += [("maxPostTransitTime", str(_COMMUNE_WALK_S))] if to_commune else []
    parameters += _read_modes(modes)
    began = time.perf_counter()
    body = answers.get("plan", parameters)
    err.print(text("cli.journeys.took", ms=round((time.perf_counter() - began) * 1000)), style="dim", highlight=False)
    answer = msgspec.json.decode(body)
    if as_json:
        _say_body(body)
    else:
        _say_plan(answer, n, why=why)
    if not answer["itineraries"] and not answer["direct"]:
        raise typer.Exit(ExitCode.NO)


def board(
    stop: Annotated[str, typer.Argument(metavar="STOP", help=text("cli.journeys.stop_help"))],
    at: At = "",
    arrivals: Annotated[bool, typer.Option("--arrivals", help=text("cli.journeys.arrivals_help"))] = False,
    n: Annotated[int, typer.Option("-n", min=1, max=1024, help=text("cli.journeys.rows_help"))] = 10,
    as_json: AsJson = False,
    server: Server = "",
) -> None:
    """Show what leaves from a stop."""
    answers = Answers(server)
    stop_id, _ = _get_place(answers, stop, stops_only=True)
    parameters: Pairs = [("stopId", stop_id), ("time", _instant(at)), ("n", str(n))]
    parameters += [("arriveBy", "true"), ("direction", "LATER")] if arrivals else []
    body = answers.get("stoptimes", parameters)
    answer = msgspec.json.decode(body)
    if as_json:
        _say_body(body)
    else:
        _say_board(answer, arrivals=arrivals)
    if not answer["stopTimes"]:
        raise typer.Exit(ExitCode.NO)


def place(
    name: Annotated[str, typer.Argument(metavar="TEXT", help=text("cli.journeys.text_help"))],
    n: Annotated[int, typer.Option("-n", min=1, max=512, help=text("cli.journeys.rows_help"))] = 10,
    as_json: AsJson = False,
    server: Server = "",
) -> None:
    """Find places by name."""
    body = Answers(server).get("geocode", [("text", name), ("numResults", str(n))])
    matches = msgspec.json.decode(body)
    if as_json:
        _say_body(body)
    elif matches:
        out.print(_table_of(matches))
    if not matches:
        say_error(text("cli.journeys.unknown_place", written=name))
        raise typer.Exit(ExitCode.UNKNOWN_PLACE)


def _say_body(body: bytes) -> None:
    out.file.write(body.decode() + "\n")


def _instant(at: str) -> str:
    """`at`, or now, as the API wants it."""
    from mobigo.api.journeys.query_string import read_local_time
    from socle.times import render_instant

    if not at:
        return render_instant(int(time.time()))
    try:
        return render_instant(read_local_time(at))
    except (ValueError, OverflowError):
        raise typer.BadParameter(text("cli.journeys.at_expected"), param_hint="--at") from None


def _get_place(answers: Answers, written: str, *, stops_only: bool = False) -> tuple[str, bool]:
    """What the API takes for a place that somebody wrote, and whether it is a commune; exits when it is not clear."""
    from routing.journeys.naming import TAG, find_point
    from routing.journeys.places import find_clear
    from socle.geo import LatLon

    if written.startswith(TAG):
        return written, False
    if not stops_only and find_point(written) is not None:
        return written, False
    parameters = [("text", written), ("numResults", "8"), *([("type", "STOP")] if stops_only else [])]
    matches = msgspec.json.decode(answers.get("geocode", parameters))
    if not matches:
        _refuse_place(text("cli.journeys.unknown_place", written=written), [])
    meant = find_clear([(match["name"], match["score"], LatLon(match["lat"], match["lon"])) for match in matches])
    if meant is None:
        _refuse_place(text("cli.journeys.ambiguous_place", written=written), matches)
    best = matches[meant]
    if best["type"] == "STOP":
        return best["id"], False
    return f"{best['lat']},{best['lon']}", True


def _refuse_place(sentence: str, candidates: Sequence[Mapping[str, Any]]) -> NoReturn:
    say_error(sentence)
    if candidates:
        err.print(_table_of(candidates))
    raise typer.Exit(ExitCode.UNKNOWN_PLACE)


def _read_modes(written: str) -> Pairs:
    """The parameters of a list such as `TER,CAR,VELO`."""
    words = [word.strip().upper() for word in written.split(",") if word.strip()]
    unknown = [word for word in words if word not in _MODES and word != _BICYCLE]
    if unknown:
        raise typer.BadParameter(text("cli.journeys.bad_modes", modes=", ".join(unknown)), param_hint="--modes")
    transit = ",".join(_MODES[word] for word in words if word in _MODES)
    asked: Pairs = [("transitModes", transit)] if words else []
    if _BICYCLE in words:
        err.print(text("cli.journeys.bicycle_is_not_planned"), highlight=False)
        asked += [("preTransitModes", "WALK,BIKE"), ("postTransitModes", "WALK,BIKE"), ("directModes", "WALK,BIKE")]
    return asked


def _instant_of(told: str) -> int:
    return int(datetime.fromisoformat(told).timestamp())


def _clock(told: str, *, arriving: bool = False) -> str:
    """The hour of an instant; one arrives in the minute that has surely begun, as the pages say it."""
    instant = _instant_of(told)
    return datetime.fromtimestamp(minute_after(instant) if arriving else instant, PARIS).strftime("%H:%M")


def _day(told: str) -> str:
    return _plain(long_day(datetime.fromisoformat(told).astimezone(PARIS).date()))


def _plain(words: str) -> str:
    """`words` without the spaces that keep a number and its unit together: a terminal breaks no lines there."""
    return words.replace(NBSP, " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def _say_plan(answer: Mapping[str, Any], n: int, *, why: bool) -> None:
    day = None
    for itinerary in [*answer["direct"], *answer["itineraries"][:n]]:
        if (its_day := _day(itinerary["startTime"])) != day:
            day = its_day
            out.print(f"[bold]{day}[/]", highlight=False)
        _say_itinerary(itinerary, why=why)
    excluded = answer["mobigo"]["excluded"]
    if not answer["itineraries"] and not answer["direct"] and not excluded:
        out.print(text("cli.journeys.nothing"))
    if why or not answer["itineraries"]:
        for reason in excluded:
            out.print(reason["text"], markup=False, highlight=False)


def _say_itinerary(itinerary: Mapping[str, Any], *, why: bool) -> None:
    told = itinerary["mobigo"]
    parts = [
        f"[bold]{_clock(itinerary['startTime'])} → {_clock(itinerary['endTime'], arriving=True)}[/]",
        _plain(duration(_length_s(itinerary))),
        text("cli.journeys.changes", n=itinerary["transfers"]),
        *([_plain(f"{mass(told['carbon']['legalGrams'])} CO2")] if "carbon" in told else []),
        ", ".join(text(f"cli.journeys.label.{label}") for label in told["labels"]),
    ]
    out.print("   ".join(part for part in parts if part), highlight=False, soft_wrap=True)
    last = len(itinerary["legs"]) - 1
    for position, leg in enumerate(itinerary["legs"]):
        if leg["mode"] == "WALK" and leg["distance"] < _HERE_M and position in (0, last):
            continue  # the point asked for is the stop itself, or lies beside it
        out.print(f"  {_leg_line(leg)}", highlight=False, soft_wrap=True)
        if carpool := leg.get("mobigo", {}).get("carpool"):
            out.print(f"         {_carpool_line(carpool)}", highlight=False, soft_wrap=True)
    for reason in told["explanation"] if why else ():
        out.print(f"  [dim]{escape(reason['text'])}[/]", highlight=False, soft_wrap=True)


def _length_s(itinerary: Mapping[str, Any]) -> int:
    """Door to door, as the clocks shown tell it."""
    return minute_after(_instant_of(itinerary["endTime"])) - _instant_of(itinerary["startTime"]) // 60 * 60


def _leg_line(leg: Mapping[str, Any]) -> str:
    start, length = _clock(leg["startTime"]), duration(leg["duration"])
    if leg["mode"] == "WALK" and leg["distance"] < _HERE_M:
        return _plain(f"{start}  {text('cli.journeys.change', length=length)}")
    if leg["mode"] == "WALK":
        return _plain(f"{start}  {text('cli.journeys.walk', length=length, distance=distance(leg['distance']))}")
    ends = f"{leg['from']['name']} → {leg['to']['name']} {_clock(leg['endTime'])}"
    return escape(f"{start}  {_vehicle(leg)} › {leg['headsign']}   {ends}")


def _carpool_line(carpool: Mapping[str, Any]) -> str:
    """What a ride on a carpool line costs, how long one waits, and what its driver may expect."""
    wait = duration(carpool.get("expectedWaitSeconds", 0))
    said = text("cli.journeys.carpool", wait=wait, fare=euros(carpool["fareCents"]))
    if "driverEstimate" in carpool:
        said += " " + text("cli.journeys.carpool_driver", amount=euros(carpool["driverEstimate"]["cents"]))
    return _plain(said)


def _vehicle(run: Mapping[str, Any]) -> str:
    """The line as travellers call it: "Car D12"; a bus between towns (by its carbon class) is a coach."""
    told = run.get("mobigo", {})
    carbon_class = told.get("carbonClass") or told.get("carbon", {}).get("class")
    is_coach = run["mode"] == "BUS" and carbon_class == "COACH"
    word, name = text(f"cli.journeys.mode.{'COACH' if is_coach else run['mode']}"), run["displayName"]
    return name if name.startswith(word) else f"{word} {name}"


def _say_board(answer: Mapping[str, Any], *, arrivals: bool) -> None:
    table = Table(title=escape(answer["place"]["name"]), title_justify="left")
    for column in ("time", "line", "origin" if arrivals else "headsign", "track"):
        table.add_column(text(f"cli.journeys.column.{column}"))
    day = None
    for row in answer["stopTimes"]:
        told = row["place"].get("arrival" if arrivals else "departure") or row["place"].get("departure")
        if (its_day := _day(told)) != day:
            day = its_day
            table.add_section()
            table.add_row("", f"[bold]{day}[/]")
        ends = row["tripFrom"]["name"] if arrivals else row["headsign"]
        table.add_row(_clock(told), escape(_vehicle(row)), escape(ends), escape(row["place"].get("track", "")))
    if answer["stopTimes"]:
        out.print(table)
    else:
        key = "no_arrivals" if arrivals else "no_departures"
        out.print(text(f"cli.journeys.{key}", name=answer["place"]["name"]), markup=False, highlight=False)


def _table_of(matches: Iterable[Mapping[str, Any]]) -> Table:
    table = Table()
    for column in ("name", "kind", "area", "id"):
        table.add_column(text(f"cli.journeys.column.{column}"), overflow="fold")
    for match in matches:
        areas = [
            area["name"] for area in match["areas"] if area["adminLevel"] in (6, 8) and area["name"] != match["name"]
        ]
        place_id = match["id"] if match["type"] == "STOP" else f"{match['lat']},{match['lon']}"
        kind = text(f"cli.journeys.kind.{match['type']}")
        table.add_row(escape(match["name"]), kind, escape(", ".join(areas)), escape(place_id))
    return table
