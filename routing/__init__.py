"""Routing: from the bytes of a timetable to the journeys of a traveller."""
