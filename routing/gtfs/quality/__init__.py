"""Quality: what is to be said of a dataset that was read, before anything is mended."""

from __future__ import annotations

from datetime import date

from routing.gtfs.feed import Feed
from routing.gtfs.quality import gtfs, pan
from routing.gtfs.read.notes import Notes
from socle.findings import Finding

__all__ = ["judge_feed"]


def judge_feed(feed: Feed, today: date) -> list[Finding]:
    """Findings on `feed` as its producer wrote it; `today` tells which calendars are over."""
    notes = Notes()
    gtfs.judge(feed, today, notes)
    pan.judge(feed, notes)
    return notes.findings()
