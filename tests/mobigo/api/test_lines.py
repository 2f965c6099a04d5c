"""The carpool lines through HTTP: as JSON, as pages, as files."""

from __future__ import annotations

import io
import zipfile

from socle.geo import LatLon, distance_m


def test_the_six_lines_are_told(ask):
    lines = ask("covoiturage/lines", on="2026-11-23")["lines"]
    assert [line["id"] for line in lines] == ["CV1", "CV2", "CV3", "CV4", "CV5", "CV6"]
    assert [line["length_m"] for line in lines] == [53_000, 110_000, 80_000, 30_000, 51_000, 33_000]
    assert all(line["demonstration_stops"] for line in lines)
    assert ask("covoiturage/lines", on="2019-11-27")["lines"] == []


def test_one_line_has_its_course_and_what_comes_next(ask):
    line = ask("covoiturage/lines/CV6", on="2026-11-23")
    assert line["course"]["type"] == "LineString"
    assert [LatLon(stop["lat"], stop["lon"]) for stop in line["stops"]] == [
        LatLon(lat, lon) for lon, lat in line["course"]["coordinates"]
    ]
    assert line["hours"][0] == {"from": "06:30", "until": "09:00", "cars_per_hour": 3, "expected_wait_s": 1200}
    assert line["next_hours"]
    first, last = (LatLon(stop["lat"], stop["lon"]) for stop in (line["stops"][0], line["stops"][-1]))
    assert distance_m(first, last) < line["length_m"]


def test_what_is_no_line_or_no_day_is_refused(client):
    assert client.get("/api/covoiturage/lines/CV7").json()["code"] == "unknown_line"
    assert client.get("/api/covoiturage/lines", params={"on": "demain"}).json()["code"] == "bad_day"


def test_the_pages_of_the_lines(client):
    page = client.get("/covoiturage/lignes").text
    assert "/covoiturage/lignes/CV6" in page
    assert "Arrêts de démonstration" in page
    one = client.get("/covoiturage/lignes/CV6").text.replace("\N{NO-BREAK SPACE}", " ")
    for said in ("Baume-les-Dames", "Bremondans", "1,50 €", "4,30 €", "<svg", "de 6 h 30 à 9 h 00"):
        assert said in one.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert client.get("/covoiturage/lignes/CV7").status_code == 404


def test_the_lines_are_public_files(client):
    feed = client.get("/opendata/covoiturage/lignes/lignes.gtfs.zip")
    assert "frequencies.txt" in zipfile.ZipFile(io.BytesIO(feed.content)).namelist()
    again = client.get("/opendata/covoiturage/lignes/lignes.gtfs.zip", headers={"If-None-Match": feed.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/opendata/covoiturage/lignes/lieux.csv").text.startswith("id_lieu,nom_lieu")
    assert client.get("/opendata/covoiturage/lignes/autre").status_code == 404
