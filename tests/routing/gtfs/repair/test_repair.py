import polars as pl
import pytest
from hypothesis import given

from mobigo.texts import finding_sentence
from routing.gtfs.feed.names import fold_name
from routing.gtfs.read import read_feed
from routing.gtfs.repair import ALL, RULES, repair_feed
from routing.gtfs.write import write_feed
from socle.errors import BadInput
from socle.geo import LatLon, distance_m
from socle.times import find_gtfs_time_s, render_gtfs_time
from tests.worlds.examples import random_examples
from tests.worlds.feeds import SOUND, any_feed, read_files, spoilt

TIMES = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"


def mended(tmp_path, *rules, **changes):
    """The feed after `rules`, and (code, facts) of what they told."""
    feed, _ = read_files(tmp_path, spoilt(**changes))
    after, findings = repair_feed(feed, rules)
    assert all(finding_sentence(finding) for finding in findings)
    assert repair_feed(after, rules)[0] == after  # mending twice changes nothing more
    return after, [(finding.code, dict(finding.facts)) for finding in findings]


def clocks(feed, column="arrival_time"):
    return [None if value is None else render_gtfs_time(value) for value in feed.tables["stop_times"][column]]


def test_a_sound_feed_with_its_times_is_left_alone(tmp_path):
    times = SOUND["stop_times.txt"].replace("soir,,", "soir,24:00:00,24:00:00")
    feed, told = mended(tmp_path, *ALL, stop_times=times)
    assert told == []
    assert feed == read_files(tmp_path, spoilt(stop_times=times))[0]


def test_rules_are_switched_one_by_one_and_unknown_ones_refused(tmp_path):
    feed, _ = read_files(tmp_path, SOUND)
    assert repair_feed(feed, [])[0] == feed
    with pytest.raises(BadInput, match="unknown_repair"):
        repair_feed(feed, ["places.everything"])
    assert set(RULES) == ALL


# --- places -----------------------------------------------------------------------------------


def test_a_stop_at_zero_takes_the_place_of_its_station_or_none(tmp_path):
    stops = SOUND["stops.txt"].replace("47.0001,5.0001", "0,0").replace("47.02,5.02", "0.0,0.0")
    feed, told = mended(tmp_path, "places.zero", stops=stops)
    assert feed.tables["stops"]["stop_lat"].to_list() == [47.0, 47.0, 47.01, None]
    assert told == [
        ("places.zero", {"stop": "gare-1", "before": "0.000000, 0.000000", "after": "47.000000, 5.000000"}),
        ("places.zero.lost", {"stop": "lycee", "before": "0.000000, 0.000000"}),
    ]


def test_exchanged_coordinates_are_exchanged_back(tmp_path):
    feed, told = mended(tmp_path, "places.swapped", stops=SOUND["stops.txt"].replace("47.02,5.02", "5.02,47.02"))
    assert feed.tables["stops"].select("stop_lat", "stop_lon").row(3) == (47.02, 5.02)
    assert [code for code, _ in told] == ["places.swapped"]


def test_a_stop_that_no_train_could_reach_is_left_out(tmp_path):
    feed, told = mended(tmp_path, "places.outlier", stops=SOUND["stops.txt"].replace("47.01,5.01", "57.01,5.01"))
    assert feed.tables["stops"]["stop_lat"].to_list() == [47.0, 47.0001, None, 47.02]
    assert [code for code, _ in told] == ["places.outlier.lost"]


def test_a_plane_may_be_fast(tmp_path):
    stops = SOUND["stops.txt"].replace("47.01,5.01", "57.01,5.01")
    assert mended(tmp_path, "places.outlier", stops=stops, routes="route_id,route_type\n12,1100\n")[1] == []


# --- modes ------------------------------------------------------------------------------------

SNCF_STOPS = """stop_id,stop_name,stop_lat,stop_lon
StopPoint:OCETrain TER-87713040,Dijon,47.32,5.03
StopPoint:OCETrain TER-87718007,Beaune,47.02,4.85
StopPoint:OCECar TER-87713040,Dijon,47.32,5.03
StopPoint:OCECar TER-87718007,Beaune,47.02,4.85
"""


def calls(trip, mode):
    return (
        f"{trip},07:00:00,07:00:00,StopPoint:OCE{mode}-87713040,1\n"
        f"{trip},07:30:00,07:30:00,StopPoint:OCE{mode}-87718007,2\n"
    )


def test_coaches_of_a_train_line_get_a_route_of_their_own(tmp_path):
    feed, told = mended(
        tmp_path,
        "modes.from_stop_id",
        stops=SNCF_STOPS,
        routes="route_id,agency_id,route_short_name,route_type\n12,A,12,2\n",
        stop_times=TIMES + calls("matin", "Train TER") + calls("soir", "Car TER"),
    )
    assert feed.tables["routes"].select("route_id", "route_short_name", "route_type").rows() == [
        ("12", "12", 2),
        ("12:coach", "12", 3),
    ]
    assert feed.tables["trips"]["route_id"].to_list() == ["12", "12:coach"]
    assert told == [("modes.from_stop_id", {"route": "12", "before": 2, "after": 3, "n_trips": 1})]


def test_a_line_of_coaches_only_changes_its_type(tmp_path):
    feed, _ = mended(
        tmp_path,
        "modes.from_stop_id",
        stops=SNCF_STOPS,
        routes="route_id,agency_id,route_short_name,route_type\n12,A,12,106\n",
        stop_times=TIMES + calls("matin", "Car TER") + calls("soir", "Car TER"),
    )
    assert feed.tables["routes"].select("route_id", "route_type").rows() == [("12", 3)]


# --- structure --------------------------------------------------------------------------------


def test_stops_of_one_name_close_to_each_other_get_a_station(tmp_path):
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon\ngare-1,Gare,47,5\nhalle,Pl. de la Halle,47.01,5.01\n"
        "halle-2,PLACE DE LA HALLE,47.0105,5.0105\nhalle-3,Place de la Halle,47.1,5.01\nlycee,Lycée,47.02,5.02\n"
    )
    feed, told = mended(tmp_path, "structure.parent", stops=stops)
    frame = feed.tables["stops"]
    assert frame["parent_station"].to_list() == [None, "station:halle", "station:halle", None, None, None]
    assert frame.row(5, named=True) | {"_line": 0} == {
        "stop_id": "station:halle", "stop_name": "PLACE DE LA HALLE", "stop_lat": 47.01025, "stop_lon": 5.01025,
        "location_type": 1, "parent_station": None, "_line": 0,
    }  # fmt: skip
    assert told == [("structure.parent", {"station": "PLACE DE LA HALLE", "n_stops": 2})]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gare de St-Vit", "SAINT VIT"),
        ("Besançon-Viotte", "besancon viotte"),
        ("L’Isle", "L'Isle"),
        ("Œuilly", "OEUILLY"),
    ],
)
def test_names_fold_to_their_words(one, other):
    assert fold_name(one) == fold_name(other)


def test_a_station_called_gare_keeps_its_name():
    assert fold_name("Gare") == "gare"
    assert fold_name("Gare SNCF") == "gare sncf"
    assert fold_name(None) == ""


def test_what_nothing_uses_is_left_out_with_what_refers_to_it(tmp_path):
    feed, told = mended(
        tmp_path,
        "structure.orphans",
        stops=SOUND["stops.txt"] + "seul,Seul,47.5,5.5,,\nporte,Porte,47,5,2,gare\n",
        routes=SOUND["routes.txt"] + "99,A,99,3\n",
        trips=SOUND["trips.txt"].replace("12,semaine,matin", "12,semaine,vide,\n12,semaine,matin"),
        calendar=SOUND["calendar.txt"] + "ete,1,1,1,1,1,0,0,20260701,20260831\n",
        transfers="from_stop_id,to_stop_id,transfer_type\nseul,halle,0\nhalle,lycee,0\n",
    )
    assert feed.tables["stops"]["stop_id"].to_list() == ["gare", "gare-1", "halle", "lycee", "porte"]
    assert feed.tables["transfers"]["to_stop_id"].to_list() == ["lycee"]
    assert feed.tables["trips"]["trip_id"].to_list() == ["matin", "soir"]
    assert feed.tables["stop_times"]["trip"].to_list() == [0, 0, 0, 1, 1, 1]
    assert [facts["id"] for _, facts in told] == ["vide", "99", "ete", "seul"]


def test_a_train_number_as_headsign_gives_way_to_the_last_station(tmp_path):
    feed, told = mended(tmp_path, "structure.headsign", trips=SOUND["trips.txt"].replace("matin,Lycée", "matin,889512"))
    assert feed.tables["trips"].select("trip_headsign", "trip_short_name").rows() == [
        ("Lycée", "889512"),
        ("Lycée", None),
    ]
    assert told == [("structure.headsign", {"before": "889512", "after": "Lycée"})]


def test_names_that_say_nothing_are_replaced_by_what_is_known(tmp_path):
    feed, told = mended(
        tmp_path,
        "structure.names",
        agency=SOUND["agency.txt"] + "B,OCEdefault,https://b.example,Europe/Paris\n",
        routes="route_id,agency_id,route_short_name,route_long_name,route_type\n12,A,INCONNU, -,3\n",
    )
    assert feed.tables["routes"].select("route_short_name", "route_long_name").row(0) == (None, "Gare – Lycée")
    assert feed.tables["agency"]["agency_name"].to_list() == ["Cars du Val", "Cars du Val"]
    assert [facts["before"] for _, facts in told] == ["INCONNU -", "OCEdefault"]


def test_agencies_without_a_column_of_names_stay_without(tmp_path):
    feed, told = mended(tmp_path, "structure.names", agency="agency_id,agency_url,agency_timezone\nA,,Europe/Paris\n")
    assert "agency_name" not in feed.tables["agency"].columns
    assert told == []


# --- times ------------------------------------------------------------------------------------


def test_empty_times_lie_between_the_others_by_distance(tmp_path):
    feed, told = mended(tmp_path, "times.interpolate")
    gare, halle, lycee = LatLon(47.0001, 5.0001), LatLon(47.01, 5.01), LatLon(47.02, 5.02)
    share = distance_m(gare, halle) / (distance_m(gare, halle) + distance_m(halle, lycee))
    expected = find_gtfs_time_s("23:50:00") + round(share * 21 * 60)
    assert feed.tables["stop_times"]["arrival_time"][4] == feed.tables["stop_times"]["departure_time"][4] == expected
    assert told == [("times.interpolate", {"trip": "soir", "before": "", "after": render_gtfs_time(expected)})]


@pytest.mark.parametrize(
    ("shape", "at"),
    [
        # there and back: the school is reached at its first passage, at 0.02 degrees
        ([(47, 5), (47, 5.03), (47, 5.02)], "07:20:00"),
        # a detour of 0.02 degrees of latitude first, as long as 0.0293 of longitude: 40 min x 0.0393 / 0.0493
        ([(47, 5), (47.01, 5), (47, 5), (47, 5.02)], "07:31:53"),
        # one long segment holds all stops
        ([(47, 4.9), (47, 5.1)], "07:20:00"),
    ],
)
def test_empty_times_follow_the_shape_of_the_trip(tmp_path, shape, at):
    points = "".join(f"d,{lat},{lon},{rank}\n" for rank, (lat, lon) in enumerate(shape))
    stops = "stop_id,stop_name,stop_lat,stop_lon\ngare-1,Gare,47,5\nhalle,Halle,47,5.01\nlycee,Lycée,47,5.02\n"
    times = TIMES + "matin,07:00:00,07:00:00,gare-1,1\nmatin,,,halle,2\nmatin,07:40:00,07:40:00,lycee,3\n"
    feed, _ = mended(
        tmp_path,
        "times.interpolate",
        stops=stops,
        stop_times=times,
        trips="route_id,service_id,trip_id,shape_id\n12,semaine,matin,d\n12,semaine,soir,d\n",
        shapes="shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n" + points,
    )
    assert clocks(feed)[1] == at


def test_the_producers_distances_are_believed_before_any_other(tmp_path):
    times = TIMES.replace("\n", ",shape_dist_traveled\n")
    times += "matin,07:00:00,07:00:00,gare-1,1,0\nmatin,,,halle,2,9\nmatin,07:40:00,07:40:00,lycee,3,10\n"
    feed, _ = mended(tmp_path, "times.interpolate", stop_times=times)
    assert clocks(feed)[1] == "07:36:00"


def test_one_time_alone_counts_for_both(tmp_path):
    times = TIMES + "matin,,07:00:00,gare-1,1\nmatin,07:40:00,,lycee,3\n"
    feed, told = mended(tmp_path, "times.interpolate", stop_times=times)
    assert clocks(feed) == clocks(feed, "departure_time") == ["07:00:00", "07:40:00"]
    assert told == []


def test_stops_of_one_minute_are_spread_over_it_and_the_end_keeps_its_time(tmp_path):
    stops = SOUND["stops.txt"] + "place,Place,47.005,5.005,,\n"
    times = TIMES + (
        "matin,07:10:00,07:10:00,gare-1,1\nmatin,07:10:00,07:10:00,place,2\nmatin,07:11:00,07:11:00,halle,3\n"
        "matin,07:11:00,07:11:00,lycee,4\nsoir,07:10:00,07:10:00,gare-1,1\nsoir,07:10:00,07:12:00,place,2\n"
    )
    feed, told = mended(tmp_path, "times.zero_hop", stops=stops, stop_times=times)
    assert clocks(feed)[0] == "07:10:00"
    assert "07:10:25" < clocks(feed)[1] < "07:10:35"
    assert clocks(feed)[2:] == ["07:11:00", "07:11:00", "07:10:00", "07:10:00"]
    assert [facts["before"] for _, facts in told] == ["07:10:00"]


def test_a_feed_that_counts_seconds_is_believed(tmp_path):
    times = SOUND["stop_times.txt"].replace("07:18:00,07:19:00", "07:10:00,07:10:00").replace("23:50:00", "23:50:30")
    assert mended(tmp_path, "times.zero_hop", stop_times=times)[1] == []


def test_all_rules_together_keep_a_feed_whole(tmp_path):
    feed, _ = mended(tmp_path, *ALL)
    times = feed.tables["stop_times"]
    assert times["trip"].max() < feed.n_rows("trips")
    assert times["stop"].max() < feed.n_rows("stops")
    assert times["arrival_time"].null_count() == 0
    assert feed.tables["stops"].schema["location_type"] == pl.Int16


@random_examples(100)
@given(feed=any_feed())
def test_what_is_mended_is_a_feed_without_a_broken_reference(feed, tmp_path_factory):
    after, findings = repair_feed(feed)
    assert all(finding_sentence(finding) for finding in findings)
    assert after.n_rows("stop_times") == feed.n_rows("stop_times")
    path = tmp_path_factory.mktemp("feed") / "feed.zip"
    write_feed(after, path)
    again, told = read_feed(path, "val", max_bad_share=1.0)
    assert again == after
    assert "unknown_reference" not in {finding.code for finding in told}
