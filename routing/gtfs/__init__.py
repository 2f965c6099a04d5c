"""GTFS: datasets of public transport read, mended, merged, judged and written."""
