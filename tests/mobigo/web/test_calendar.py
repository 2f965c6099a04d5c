from mobigo.web.journeys.calendar import Appointment, render_calendar

TRIP = Appointment(
    uid="1.abc@mobigo",
    title="Dijon-Ville → Besançon-Viotte",
    where="Gare de Dijon-Ville; quai 3, côté ville",
    begins=1_795_502_400,
    ends=1_795_506_000,
    lines=("07:40 Train P10, direction Besançon-Viotte.", "Descendez à Besançon-Viotte à 08:40, " + "é" * 80),
    href="https://exemple.test/trajet/1.abc",
)


def unfolded(body):
    return body.decode().replace("\r\n ", "").split("\r\n")


def test_an_event_has_its_instants_in_utc():
    rows = unfolded(render_calendar(TRIP, 1_795_002_400))
    assert rows[0] == "BEGIN:VCALENDAR"
    assert rows[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTART:20261124T064000Z" in rows
    assert "DTEND:20261124T074000Z" in rows
    assert "DTSTAMP:20261118T114640Z" in rows


def test_commas_semicolons_and_lines_are_escaped():
    rows = unfolded(render_calendar(TRIP, 0))
    assert "LOCATION:Gare de Dijon-Ville\\; quai 3\\, côté ville" in rows
    described = next(row for row in rows if row.startswith("DESCRIPTION:"))
    assert "Besançon-Viotte.\\nDescendez" in described


def test_no_line_is_longer_than_75_octets_and_no_character_is_cut():
    for row in render_calendar(TRIP, 0).split(b"\r\n"):
        assert len(row) <= 75
        row.decode()
