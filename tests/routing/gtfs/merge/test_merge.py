import dataclasses

import pytest
from hypothesis import given

from mobigo.texts import finding_sentence
from routing.gtfs.identity.namespaces import Namespaces, StopSpace, guess_namespaces
from routing.gtfs.merge import merge_feeds
from routing.gtfs.read import read_feed
from routing.gtfs.write import render_feed, write_feed
from tests.worlds.examples import random_examples
from tests.worlds.feeds import SOUND, any_feed, codes, read_files, spoilt

UIC_STOPS = """stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding
StopArea:OCE87713040,Dijon,47.3234,5.0272,1,,{wheelchair}
StopPoint:OCE{mode}-87713040,Dijon,47.3234,5.0272,0,StopArea:OCE87713040,
StopPoint:OCE{mode}-87718007,Beaune,47.0233,4.8480,0,,
"""


def rail(tmp_path, source_id, mode, wheelchair=""):
    files = spoilt(
        stops=UIC_STOPS.format(mode=mode, wheelchair=wheelchair),
        stop_times=(
            "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
            f"matin,07:00:00,07:00:00,StopPoint:OCE{mode}-87713040,1\n"
            f"matin,07:20:00,07:20:00,StopPoint:OCE{mode}-87718007,2\n"
            f"soir,17:00:00,17:00:00,StopPoint:OCE{mode}-87718007,1\n"
            f"soir,17:20:00,17:20:00,StopPoint:OCE{mode}-87713040,2\n"
        ),
    )
    return read_files(tmp_path, files, source_id)[0]


def calls(feed):
    trips, stops = feed.tables["trips"]["trip_id"], feed.tables["stops"]["stop_id"]
    return [(trips[trip], stops[stop]) for trip, stop in feed.tables["stop_times"].select("trip", "stop").rows()]


def test_a_national_station_is_there_once_and_trips_stay_apart(tmp_path):
    ter, tgv = rail(tmp_path, "ter", "Train TER"), rail(tmp_path, "tgv", "TGV INOUI", wheelchair="1")
    network, findings = merge_feeds([ter, tgv])
    stops = network.tables["stops"]
    assert stops["stop_id"].to_list() == [
        "StopArea:OCE87713040",
        "StopPoint:OCETrain%20TER-87713040",
        "StopPoint:OCETrain%20TER-87718007",
        "StopPoint:OCETGV%20INOUI-87713040",
        "StopPoint:OCETGV%20INOUI-87718007",
    ]
    assert stops["wheelchair_boarding"][0] == 1  # the second source knows what the first leaves empty
    assert stops["parent_station"].to_list() == [None, stops["stop_id"][0], None, stops["stop_id"][0], None]
    assert calls(network)[3:6] == [
        ("ter:soir", "StopPoint:OCETrain%20TER-87713040"),
        ("tgv:matin", "StopPoint:OCETGV%20INOUI-87713040"),
        ("tgv:matin", "StopPoint:OCETGV%20INOUI-87718007"),
    ]
    assert network.tables["calendar"]["service_id"].to_list() == ["ter:semaine", "tgv:semaine"]
    told = {finding.code: finding.facts["n"] for finding in findings}
    assert told == {"stations_in_common": 1, "services_kept_apart": 1, "trips_kept_apart": 2, "routes_kept_apart": 1}
    assert all(finding_sentence(finding) for finding in findings)


def test_a_station_is_the_same_by_name_and_place(tmp_path):
    there, _ = read_files(tmp_path, SOUND, "val")
    near = SOUND["stops.txt"].replace("gare,Gare,47.00,", "gare,GARE,47.001,")
    far = SOUND["stops.txt"].replace("gare,Gare,47.00,", "gare,Gare,47.002,")
    merged, findings = merge_feeds([there, read_files(tmp_path, spoilt(stops=near), "ville")[0]])
    assert merged.tables["stops"].height == 7
    assert ("station_by_name", "stops.txt", 2) in codes(findings)
    assert set(merged.tables["stops"]["parent_station"].drop_nulls()) == {"val:gare"}
    assert merge_feeds([there, read_files(tmp_path, spoilt(stops=far), "ville")[0]])[0].tables["stops"].height == 8


@pytest.mark.parametrize("station_first", [True, False])
def test_a_stop_joins_the_station_of_another_source_in_either_order(tmp_path, station_first):
    station = read_files(tmp_path, SOUND, "val")[0]
    lone = SOUND["stops.txt"].replace("gare,Gare,47.00,5.00,1,\n", "").replace("5.0001,0,gare", "5.0001,0,")
    stop = read_files(tmp_path, spoilt(stops=lone), "ville")[0]
    merged, findings = merge_feeds([station, stop] if station_first else [stop, station])
    parents = dict(merged.tables["stops"].select("stop_id", "parent_station").rows())
    assert parents["ville:gare-1"] == "val:gare"
    assert ("stop_joins_station", "stops.txt", 2) in codes(findings)


def test_a_code_is_national_however_it_is_written(tmp_path):
    ter = rail(tmp_path, "ter", "Train TER")
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type\n"
        "87713040,Dijon-Ville,47.3240,5.0280,1\ncar-87713040,Gare routière,47.3250,5.0280,\n"
    )
    times = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nmatin,07:00:00,07:00:00,car-87713040,1\n"
    cars = read_files(tmp_path, spoilt(stops=stops, stop_times=times), "cars")[0]
    merged, _ = merge_feeds([ter, cars], {"cars": Namespaces(StopSpace.UIC)})
    frame = merged.tables["stops"]
    assert frame.filter(frame["location_type"] == 1)["stop_id"].to_list() == ["StopArea:OCE87713040"]
    assert dict(frame.select("stop_id", "parent_station").rows())["car-87713040"] == "StopArea:OCE87713040"


def test_stops_of_private_sources_never_melt_into_one(tmp_path):
    one, other = read_files(tmp_path, SOUND, "val")[0], read_files(tmp_path, SOUND, "ville")[0]
    merged, _ = merge_feeds([one, other])
    assert merged.tables["stops"]["stop_id"].to_list() == [
        "val:gare", "val:gare-1", "val:halle", "val:lycee", "ville:gare-1", "ville:halle", "ville:lycee",
    ]  # fmt: skip


def test_every_id_of_every_table_is_scoped(tmp_path):
    files = {
        **SOUND,
        "transfers.txt": "from_stop_id,to_stop_id,from_trip_id,to_trip_id,transfer_type\nhalle,halle,matin,soir,4\n",
        "attributions.txt": "attribution_id,route_id,organization_name\na1,12,Cars du Val\n",
        "areas.txt": "area_id,area_name\nz1,Zone 1\n",
        "stop_areas.txt": "area_id,stop_id\nz1,halle\n",
        "fare_products.txt": "fare_product_id,amount,currency\np,2.50,EUR\n",
        "fare_leg_rules.txt": "leg_group_id,from_area_id,fare_product_id\ng,z1,p\n",
        "fare_transfer_rules.txt": "from_leg_group_id,to_leg_group_id,fare_transfer_type\ng,g,0\n",
        "pathways.txt": "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional\nc,gare-1,halle,1,1\n",
        "translations.txt": (
            "table_name,field_name,language,translation,record_id,record_sub_id\n"
            "stops,stop_name,en,Market,halle,\nstop_times,stop_headsign,en,School,matin,2\nroutes,route_desc,en,x,12,\n"
        ),
        "locations.geojson": '{"type":"FeatureCollection","features":[{"type":"Feature","id":"z","geometry":null}]}',
        "notes.md": "bonjour",
    }
    first, findings = read_files(tmp_path, files, "val")
    assert [code for code, *_ in codes(findings)] == ["unknown_file"]
    merged, _ = merge_feeds([first, read_files(tmp_path, SOUND, "ville")[0]])
    tables = merged.tables
    assert tables["transfers"].row(0)[:4] == ("val:halle", "val:halle", "val:matin", "val:soir")
    assert tables["attributions"].row(0)[:2] == ("val:a1", "val:12")
    assert tables["stop_areas"].row(0)[:2] == ("val:z1", "val:halle")
    assert tables["fare_leg_rules"].select("leg_group_id", "network_id", "from_area_id", "fare_product_id").row(0) == (
        "val:g", "val:all", "val:z1", "val:p",
    )  # fmt: skip
    assert tables["route_networks"].select("network_id", "route_id").rows() == [("val:all", "val:12")]
    assert tables["fare_transfer_rules"].row(0)[:2] == ("val:g", "val:g")
    assert tables["pathways"].row(0)[:3] == ("val:c", "val:gare-1", "val:halle")
    assert tables["translations"]["record_id"].to_list() == ["val:halle", "val:matin", "val:12"]
    assert tables["routes"]["agency_id"].to_list() == ["val:A", "ville:A"]
    assert b'"val:z"' in merged.extra_files["locations.geojson"]
    assert merged.extra_files["val-notes.md"] == b"bonjour"


def test_fares_of_one_source_do_not_reach_the_routes_of_another(tmp_path):
    fares = {
        "fare_products": "fare_product_id,amount,currency\np,2.50,EUR\n",
        "fare_leg_rules": "network_id,fare_product_id\nn,p\n,p\n",
        "networks": "network_id\nn\n",
    }
    one = read_files(tmp_path, spoilt(**fares), "val")[0]
    routes = "route_id,agency_id,route_short_name,route_type,network_id\n12,A,12,3,m\n"
    other = read_files(tmp_path, spoilt(routes=routes), "ville")[0]
    merged, findings = merge_feeds([one, other])
    assert ("fares_without_network", "fare_leg_rules.txt", None) in codes(findings)
    assert merged.tables["networks"]["network_id"].to_list() == ["val:n", "ville:m"]  # in one way for all
    assert merged.tables["route_networks"].select("network_id", "route_id").rows() == [("ville:m", "ville:12")]
    assert "network_id" not in merged.tables["routes"].columns


INFO = "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date\n{},https://x.example,fr,{},{}\n"


def test_each_source_is_named_and_the_time_covered_told_only_when_all_tell(tmp_path):
    one = read_files(tmp_path, {**SOUND, "feed_info.txt": INFO.format("Un", 20261101, 20261201)}, "un")[0]
    two = read_files(tmp_path, {**SOUND, "feed_info.txt": INFO.format("Deux", 20261115, 20270101)}, "deux")[0]
    silent = read_files(tmp_path, SOUND, "muet")[0]
    both = merge_feeds([one, two])[0].tables["feed_info"].row(0, named=True)
    assert both["feed_publisher_name"] == "Un, Deux"
    assert (str(both["feed_start_date"]), str(both["feed_end_date"])) == ("2026-11-01", "2027-01-01")
    merged = merge_feeds([one, silent])[0]
    assert merged.tables["feed_info"]["feed_end_date"][0] is None
    named = merged.tables["attributions"].select("attribution_id", "organization_name", "is_producer").rows()
    assert named == [("un:source", "Un", 1), ("muet:source", "Cars du Val", 1)]


def test_the_order_of_sources_decides_who_is_believed_and_nothing_else(tmp_path):
    feeds = [rail(tmp_path, "ter", "Train TER"), rail(tmp_path, "tgv", "TGV"), read_files(tmp_path, SOUND, "val")[0]]
    one, other = merge_feeds(feeds)[0], merge_feeds(feeds[::-1])[0]
    assert sorted(calls(one)) == sorted(calls(other))
    assert set(one.tables["stops"]["stop_id"]) == set(other.tables["stops"]["stop_id"])
    assert merge_feeds([one])[0].n_rows("stops") == one.n_rows("stops")


def test_merging_is_repeatable_and_reads_back_whole(tmp_path):
    feeds = [rail(tmp_path, "ter", "Train TER"), read_files(tmp_path, SOUND, "val")[0]]
    network, _ = merge_feeds(feeds)
    assert render_feed(network) == render_feed(merge_feeds(feeds)[0])
    write_feed(network, tmp_path / "network.zip")
    again, findings = read_feed(tmp_path / "network.zip", "network")
    assert findings == []
    assert again == network


@pytest.mark.parametrize(
    ("ids", "space"),
    [
        (["StopArea:OCE87713040", "StopPoint:OCECar TER-87713040"], StopSpace.UIC),
        (["FR:21231:ZE:1234:LOC", "FR:2A004:LMO:7:NAO1"], StopSpace.FR_INSEE),
        (["12345678", "87654321"], StopSpace.PRIVATE),
        ([], StopSpace.PRIVATE),
    ],
)
def test_a_namespace_is_shared_only_when_its_ids_are_surely_national(ids, space):
    assert guess_namespaces(ids) == Namespaces(space)


def test_a_declared_namespace_counts_and_foreign_ids_in_it_stay_private():
    declared = Namespaces(StopSpace.UIC)
    assert declared.public_stop_id("ter", "87713040") == "87713040"
    assert declared.public_stop_id("ter", "quai 3, voie B") == "ter:quai%203%2C%20voie%20B"


@random_examples(100)
@given(one=any_feed(), other=any_feed())
def test_any_two_feeds_join_without_losing_a_call(one, other, tmp_path_factory):
    network, findings = merge_feeds([one, dataclasses.replace(other, source_id="ville")])
    assert all(finding_sentence(finding) for finding in findings)
    assert len(set(calls(network))) == len(set(calls(one))) + len(set(calls(other)))
    path = tmp_path_factory.mktemp("feed") / "feed.zip"
    write_feed(network, path)
    assert read_feed(path, network.source_id, max_bad_share=1.0)[0] == network
