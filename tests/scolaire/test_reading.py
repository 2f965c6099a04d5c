import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobigo.texts import finding_sentence
from scolaire.cells import read_days, render_days
from scolaire.pupils import FULL_DAYS, SCHOOL_WEEK, WEDNESDAY, Home, LeftOut, Level, Regime, StopStatus
from scolaire.reading import COLUMNS, read_sector
from socle.geo import LatLon
from tests.worlds.sectors import PUPILS, SCHOOLS, STOPS, VEHICLES, lines_of, sector_files


def told(findings, *, file: str = "") -> list[str]:
    """Findings as `line code`, in the order in which they are shown; each has its sentence."""
    assert all(finding_sentence(finding) for finding in findings)
    return [f"{finding.line} {finding.code}" for finding in findings if file in finding.file]


def pupils(*rows: str, header: str = PUPILS):
    return read_sector(sector_files(pupils=lines_of(header, *rows)))


def test_a_sector_is_read_as_it_is_written():
    sector, findings = read_sector(sector_files())
    assert told(findings) == ["3 stop_not_validated"]
    first, second = sector.pupils
    assert (first.level, first.regime, first.wheelchair) == (Level.COLLEGE, Regime.HALF_BOARD, False)
    assert first.homes == (Home(LatLon(47.16, 6.30), SCHOOL_WEEK, "s1"),)
    assert second.homes == (Home(LatLon(47.17, 6.36), FULL_DAYS),)
    (school,) = sector.schools
    assert (school.bell_am_s, school.bell_pm_s) == (8 * 3600, 17 * 3600)
    assert (school.window_min_s, school.window_max_s, school.ride_max_s) == (300, 900, 2700)
    assert [stop.status for stop in sector.stops] == [StopStatus.VALIDATED, StopStatus.REQUESTED]
    (coach,) = sector.vehicle_types
    assert (coach.day_cents, coach.km_cents, coach.hour_cents, coach.count) == (20_750, 120, 3_000, None)
    assert sector.plannable == ((0, 0), (1, 0))
    assert sector.left_out == ()


def test_a_spreadsheet_in_french_is_read_with_a_remark_each():
    content = "pupil_id;home_lat;home_lon;school_id;level;regime;days;wheelchair;stop_id\r\n"
    content += "é1;47,16;6,30;c1;Collège;Demi-pensionnaire;lu ma me je ve;non;s1\r\n"
    sector, findings = read_sector(sector_files(pupils=content.encode("cp1252")))
    assert told(findings, file="pupils") == ["1 table_separator", "2 table_encoding"]
    (pupil,) = sector.pupils
    assert (pupil.pupil_id, pupil.level, pupil.regime) == ("é1", Level.COLLEGE, Regime.HALF_BOARD)
    assert pupil.homes[0].position == LatLon(47.16, 6.30)


@pytest.mark.parametrize(
    ("encoding", "remarks"), [("utf-8-sig", ["1 table_byte_mark"]), ("utf-16", ["1 table_encoding"]), ("utf-8", [])]
)
def test_marks_of_byte_order_are_no_letters(encoding, remarks):
    content = lines_of(PUPILS, "p1,47.16,6.30,c1,college,externe,11111,0,").decode().encode(encoding)
    sector, findings = read_sector(sector_files(pupils=content))
    assert told(findings, file="pupils") == remarks
    assert [pupil.pupil_id for pupil in sector.pupils] == ["p1"]


def test_a_missing_column_is_named_and_the_other_files_are_read():
    sector, findings = pupils("p1,47.16,6.30,c1", header="pupil_id,home_lat,home_lon,school_id")
    missing = [finding.facts["column"] for finding in findings if finding.code == "table_column_missing"]
    assert missing == ["level", "regime", "days", "wheelchair"]
    assert (len(sector.pupils), len(sector.schools)) == (0, 1)


@pytest.mark.parametrize("name", list(COLUMNS))
def test_a_missing_file_and_an_empty_one_are_findings(name):
    files = {file: content for file, content in sector_files().items() if file != name}
    assert "None table_missing" in told(read_sector(files)[1], file=name)
    assert "None table_empty" in told(read_sector(files | {name: b" \n\n"})[1], file=name)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("p9,47.16,6.30,c1,college,externe,11111", "row_width"),
        ("p9;47.16;6.30;c1;college;externe;11111;0;", "row_width"),
        ("p9,47.16,6.30,c1,college,externe,11111,0,,,x", "row_width"),
        ('p9,47.16,6.30,c1,college,externe,11111,0,"s1', "row_broken"),
        ("p9,47.16,6.30,c1,college,externe,11111,0,s\x00", "row_broken"),
        (",47.16,6.30,c1,college,externe,11111,0,", "cell_missing"),
        ("p9,47.16,6.30,,college,externe,11111,0,", "cell_missing"),
        ("p9,47.16,6.30,c1,fac,externe,11111,0,", "cell_no_word"),
        ("p9,47.16,6.30,c1,,externe,11111,0,", "cell_missing"),
        ("p9,47.16,6.30,c1,college,externe,00000,0,", "cell_no_days"),
        ("p9,47.16,6.30,c1,college,externe,,0,", "cell_missing"),
        ("p9,47.16,6.30,c1,college,externe,11111,peut-être,", "cell_no_word"),
        ("p9,47.16,6.30,c9,college,externe,11111,0,", "pupil_school_unknown"),
        ("p1,47.16,6.30,c1,college,externe,11111,0,", "pupil_twice"),
        ("p1,47.20,6.30,c1,lycee,externe,11111,0,", "pupil_contradicts"),
    ],
)
def test_a_row_that_cannot_be_read_is_set_apart_and_the_next_is_read(row, code):
    good = "p1,47.16,6.30,c1,college,externe,11111,0,s1", "p2,47.17,6.36,c1,college,externe,11111,0,"
    sector, findings = pupils(good[0], row, good[1])
    assert told(findings, file="pupils") == [f"3 {code}"]
    assert [pupil.pupil_id for pupil in sector.pupils] == ["p1", "p2"]
    assert sector.plannable == ((0, 0), (1, 0))
    assert all(one.line == 3 for one in sector.left_out)


@pytest.mark.parametrize(
    ("home", "codes"),
    [
        (",", ["home_without_position"]),
        ("quelque part,", ["position_unreadable", "home_without_position"]),
        ("nan,inf", ["position_unreadable", "home_without_position"]),
        ("0,0", ["position_outside", "home_without_position"]),
        ("6.30,47.16", ["position_swapped", "home_without_position"]),
        ("43.60,3.88", ["home_far"]),  # 400 km away
        ("47.80,6.35", ["ride_limit_unmeetable"]),  # 72 km as the crow flies, in 45 minutes
    ],
)
def test_a_home_that_no_coach_can_serve_leaves_the_child_known_and_named(home, codes):
    sector, findings = pupils(f"p1,{home},c1,college,externe,11111,0,", "p2,47.17,6.36,c1,college,externe,11111,0,")
    assert told(findings, file="pupils") == [f"2 {code}" for code in codes]
    assert [pupil.pupil_id for pupil in sector.pupils] == ["p1", "p2"]
    assert sector.plannable == ((1, 0),)
    assert sector.left_out == (LeftOut("p1", 2, codes[-1]),)


def test_a_child_without_position_is_served_at_the_stop_that_is_asked_for():
    sector, findings = pupils("p1,,,c1,college,externe,11111,0,s1")
    assert told(findings, file="pupils") == []
    assert sector.plannable == ((0, 0),)


@pytest.mark.parametrize(
    ("stop", "code"), [("s2", "pupil_stop_not_validated"), ("s9", "pupil_stop_unknown")], ids=["requested", "unknown"]
)
def test_a_stop_that_cannot_be_used_bars_only_who_has_no_position(stop, code):
    rows = f"p1,47.16,6.30,c1,college,externe,11111,0,{stop}", f"p2,,,c1,college,externe,11111,0,{stop}"
    sector, findings = pupils(*rows)
    assert told(findings, file="pupils") == [f"2 {code}", f"3 {code}"]
    assert sector.plannable == ((0, 0),)
    assert sector.left_out == (LeftOut("p2", 3, code),)


def test_a_boarder_may_live_far_away():
    sector, _ = pupils("p1,48.50,6.35,c1,lycee,interne,1,0,", "p2,48.50,6.35,c1,lycee,externe,1,0,")
    assert sector.plannable == ((0, 0),)


def test_a_wheelchair_and_no_vehicle_for_it():
    row = "p1,47.16,6.30,c1,college,externe,11111,oui,s1"
    sector, findings = pupils(row)
    assert told(findings, file="pupils") == ["2 pupil_no_wheelchair_vehicle"]
    assert sector.left_out == (LeftOut("p1", 2, "pupil_no_wheelchair_vehicle"),)
    for count, n_served in (("2", 1), ("0", 0), ("", 1)):
        bus = lines_of(VEHICLES, f"bus,9,1,100,1,20,{count},47.15,6.34,A")
        assert len(read_sector(sector_files(pupils=lines_of(PUPILS, row), vehicles=bus))[0].plannable) == n_served


def test_two_homes_two_days():
    rows = "p1,47.16,6.30,c1,college,externe,lu ma,0,", "p1,47.17,6.36,c1,college,externe,je ve,0,"
    sector, findings = pupils(*rows)
    assert told(findings, file="pupils") == []
    assert [home.days for home in sector.pupils[0].homes] == [0b00011, 0b11000]
    assert sector.plannable == ((0, 0), (0, 1))
    third, findings = pupils(*rows, "p1,47.18,6.36,c1,college,externe,me,0,")
    assert told(findings, file="pupils") == ["4 pupil_three_homes"]
    assert len(third.pupils[0].homes) == 2


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("c2,B,47.149,6.345,,17:00,5,15,college", "school_without_bell"),
        ("c2,B,47.149,6.345,08:00,17:00,15,5,college", "school_window"),
        ("c2,B,47.149,6.345,17:00,08:00,5,15,college", "school_bells"),
        ("c2,B,47.149,6.345,25:00,17:00,5,15,college", "cell_no_time"),
        ("c2,B,,,08:00,17:00,5,15,college", "cell_missing"),
        ("c1,B,47.149,6.345,08:00,17:00,5,15,college", "row_twice"),
    ],
)
def test_a_school_that_cannot_be_served_harms_no_other(row, code):
    first = "c1,A,47.149,6.345,8h00,17:00,5,15,college"
    sector, findings = read_sector(sector_files(schools=lines_of(SCHOOLS, first, row)))
    assert told(findings, file="schools") == [f"3 {code}"]
    assert len(sector.plannable) == 2


def test_pupils_of_a_school_without_bell_are_named():
    schools = lines_of(SCHOOLS, "c1,A,47.149,6.345,,,5,15,college")
    sector, findings = read_sector(sector_files(schools=schools))
    assert told(findings, file="pupils") == ["2 pupil_school_without_bell", "3 pupil_school_without_bell"]
    assert sector.plannable == ()


def test_a_vehicle_without_seats_is_no_vehicle():
    vehicles = lines_of(VEHICLES, "coach,0,0,207.50,1.20,30,,47.15,6.34,A", "bus,9,1,100,1,20,2,47.15,6.34,A")
    sector, findings = read_sector(sector_files(vehicles=vehicles))
    assert told(findings, file="vehicles") == ["2 vehicle_without_seats"]
    assert [kind.type_id for kind in sector.vehicle_types] == ["bus"]


def test_bits_that_a_spreadsheet_shortened_tell_no_days():
    # 0110000 (Tuesday, Wednesday) came back as 110000, which would be Monday and Tuesday.
    rows = "p1,47.16,6.30,c1,college,externe,1111000,0,", "p2,47.16,6.30,c1,college,externe,110000,0,"
    sector, findings = pupils(*rows)
    assert told(findings, file="pupils") == ["3 days_ambiguous"]
    assert [pupil.pupil_id for pupil in sector.pupils] == ["p1"]


@pytest.mark.parametrize(
    ("written", "bits"),
    [
        ("11011", "1101100"),
        ("1245", "1101100"),
        ("1", "1000000"),
        ("lu ma je ve", "1101100"),
        ("lundi, mardi, jeudi, vendredi", "1101100"),
        ("mon|tue|thu|fri", "1101100"),
        ("LM-JV", "1101100"),
        ("Mercredi", "0010000"),
        ("0000010", "0000010"),
    ],
)
def test_days_are_read_as_people_write_them(written, bits):
    assert render_days(read_days(written) or 0) == bits


@pytest.mark.parametrize("written", ["", "0", "00000", "54321", "lu lu", "lundredi", "31", "----- ", "11111111"])
def test_days_that_would_be_guessed_are_not_read(written):
    assert read_days(written) is None


@given(st.integers(1, 127))
def test_days_written_are_days_read(days):
    assert read_days(render_days(days)) == days


def test_wednesday_is_not_tuesday():
    assert read_days("me") == WEDNESDAY != read_days("ma")


LINE = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)


@given(st.dictionaries(st.sampled_from(list(COLUMNS)), st.binary(max_size=300)))
def test_no_bytes_are_too_bad_to_be_read(files):
    sector, findings = read_sector(files)
    assert all(finding_sentence(finding) for finding in findings)
    assert len(findings) >= 4 - len(sector.schools)


@given(
    st.lists(st.one_of(LINE, st.lists(LINE, min_size=9, max_size=9).map(",".join)), max_size=8),
    st.sampled_from(["pupils", "schools", "stops", "vehicles"]),
)
def test_no_row_takes_another_one_with_it(rows, name):
    headers = {"pupils": PUPILS, "schools": SCHOOLS, "stops": STOPS, "vehicles": VEHICLES}
    good = sector_files()[f"{name}.csv"].decode().splitlines()[1]
    content = "\n".join([headers[name], good, *rows, ""]).encode()
    sector, findings = read_sector(sector_files(**{name: content}))
    assert all(finding_sentence(finding) for finding in findings)
    found = {
        "pupils": sector.pupils,
        "schools": sector.schools,
        "stops": sector.stops,
        "vehicles": sector.vehicle_types,
    }
    assert found[name]


@given(st.binary(max_size=40), st.integers(0, 500))
def test_bytes_anywhere_in_a_file_never_raise(noise, where):
    content = sector_files()["pupils.csv"]
    read_sector(sector_files(pupils=content[:where] + noise + content[where:]))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"stops": lines_of(STOPS, "s1,A,47.1,6.3,proposé")},
            "status ne se lit pas : l’un de ces mots est attendu : requested, validated, refused, closed",
        ),
        (
            {"pupils": lines_of(PUPILS, "p1,47.1,6.3,c1,college,externe,11111,bof,")},
            "wheelchair ne se lit pas : l’un de ces mots est attendu : 1, 0",
        ),
        ({"pupils": lines_of(PUPILS, "p1,47.1,6.3,c1,college,externe,hier,0,")}, "days ne se lit pas : des jours"),
        ({"vehicles": lines_of(VEHICLES, "b,53.5,1,100,1,20,,47.15,6.34,A")}, "seats ne se lit pas : un nombre entier"),
        ({"vehicles": lines_of(VEHICLES, "b,53,1,-1,1,20,,47.15,6.34,A")}, "cost_per_day ne se lit pas : un montant"),
        ({"schools": lines_of(SCHOOLS, "c1,A,47.1,6.3,8h,17:00,5,15,college")}, "bell_am ne se lit pas : une heure"),
        (
            {"schools": lines_of(SCHOOLS, "c1,A,47.1,6.3,8h00,17:00,5,900,college")},
            "window_max ne se lit pas : des minutes",
        ),
        (
            {"schools": lines_of(SCHOOLS, "c1,A,47.1,6.3,8h00,17:00,x,9,college")},
            "window_min ne se lit pas : un nombre",
        ),
    ],
)
def test_what_a_cell_should_hold_is_told_and_never_what_it_holds(files, sentence):
    _sector, findings = read_sector(sector_files(**files))
    assert any(sentence in " ".join(finding_sentence(finding).split()) for finding in findings)
