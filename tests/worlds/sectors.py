"""Sectors: the four files of a small school sector, typed as text."""

from collections.abc import Mapping

PUPILS = "pupil_id,home_lat,home_lon,school_id,level,regime,days,wheelchair,stop_id"
SCHOOLS = "school_id,name,lat,lon,bell_am,bell_pm,window_min,window_max,level"
STOPS = "stop_id,name,lat,lon,status"
VEHICLES = "type_id,seats,wheelchair_places,cost_per_day,cost_per_km,cost_per_hour,count,depot_lat,depot_lon,lot"


def lines_of(header: str, *rows: str) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def sector_files(**instead: bytes) -> Mapping[str, bytes]:
    """Two pupils, one school, two stops, one kind of coach near Valdahon; `pupils=…` and so on replace a file."""
    files = {
        "pupils": lines_of(
            PUPILS,
            "p1,47.16,6.30,c1,college,half_board,1111100,0,s1",
            "p2,47.17,6.36,c1,college,externe,lu ma je ve,0,",
        ),
        "schools": lines_of(SCHOOLS, "c1,Collège de démonstration,47.149,6.345,08:00,17:00,5,15,college"),
        "stops": lines_of(STOPS, "s1,Mairie,47.161,6.301,validated", "s2,Église,47.171,6.361,requested"),
        "vehicles": lines_of(VEHICLES, "coach,53,0,207.50,1.20,30,,47.15,6.34,A"),
    }
    return {f"{name}.csv": content for name, content in (files | instead).items()}
