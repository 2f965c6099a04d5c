"""Importing: bytes received become a release, or nothing changes.

One import at a time. Bodies are kept under their hash; each is read, judged and
mended; together they are merged and compiled beside the release that is served;
the gate compares the two; only then does the link move. A refusal, a crash or a
full disk anywhere on the way leaves the last good release as it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine

from mobigo import __version__
from mobigo.services.network.sources import LAST
from mobigo.store import releases
from mobigo.store.base import transaction
from mobigo.store.files import building, clear_left_overs, keep_body, keep_folder, only_one, point, publish, sha256_of
from mobigo.store.network import Release, SourceVersion, record_release, record_source_version
from routing.gtfs.feed import Feed
from routing.gtfs.identity.namespaces import Namespaces
from routing.gtfs.merge import merge_feeds
from routing.gtfs.quality import judge_feed
from routing.gtfs.read import FeedRefused, read_feed
from routing.gtfs.repair import repair_feed
from routing.gtfs.write import write_feed
from routing.network.compile import compile_feed
from routing.network.gate import NetworkSummary, Thresholds, judge_candidate, read_summary
from routing.network.search import warm_kernels
from routing.network.timetable import Timetable, open_timetable
from socle.errors import BadInput, Unavailable
from socle.findings import Finding, Severity
from socle.ids import check_source_id

OnStep = Callable[[str, str], None]
"""Told before each step: its name (receive, read, merge, compile, write, serve) and what it works on."""

N_STEPS_A_SOURCE = 2  # receive, read
N_STEPS_BESIDE = 4  # merge, compile, write, serve

DEMO_VERSION = "demo-"  # how a feed_version of the demonstration region begins


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A feed to import: a zip file or a folder, the source that its ids belong to, and what is declared of it.

    `licence` is an SPDX id, empty when unknown; `namespaces` None when they are to be
    seen from the ids. Of two sources that tell the same thing the lowest `priority` is believed.
    """

    source_id: str
    path: Path
    licence: str = ""
    name: str = ""
    namespaces: Namespaces | None = None
    priority: int = LAST


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms feeds become a release.

    `communes` is the table (CSV) that place search knows, kept in the release.
    `let_through` is the reason of the person who serves a network that the gate
    would hold; empty to obey the gate.
    """

    data_dir: Path
    engine: Engine
    communes: bytes
    thresholds: Thresholds
    releases_kept: int = 3
    let_through: str = ""
    on_step: OnStep = lambda _step, _what: None


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of one feed."""

    source_id: str
    sha256: str
    n_bytes: int
    refused: bool
    findings: tuple[Finding, ...]
    licence: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import. `verdict` is served, held or refused.

    `release_id` names the release that was built, also when it is held; None when refused.
    """

    verdict: str
    sources: tuple[SourceReport, ...]
    release_id: str | None = None
    merging: tuple[Finding, ...] = ()
    held: tuple[Finding, ...] = ()


def import_feeds(sources: Sequence[SourceFile], terms: Terms, now: datetime) -> ImportReport:
    """Make a release of exactly these feeds and serve it when the gate lets it through.

    Raises:
        BadInput: `bad_source_id`, or `duplicate_source` when two feeds claim one source.
        Conflict: `already_running` when another import is under way.
        OSError: a file cannot be read, the data directory not written, the disk is full.
    """
    source_ids = [check_source_id(source.source_id) for source in sources]
    for source_id in source_ids:
        if source_ids.count(source_id) > 1:
            raise BadInput("duplicate_source", source_id=source_id)
    sources = sorted(sources, key=lambda source: source.priority)
    with only_one(releases.network_dir(terms.data_dir), "import"):
        for folder in (releases.bodies_dir(terms.data_dir), releases.releases_dir(terms.data_dir)):
            clear_left_overs(folder)
        received = [_receive(source, terms, now) for source in sources]
        reports = tuple(report for report, _feed in received)
        feeds = [feed for _report, feed in received if feed is not None]
        if len(feeds) < len(sources) or not feeds:
            return ImportReport("refused", reports)
        namespaces = {source.source_id: source.namespaces for source in sources if source.namespaces is not None}
        return _make_release(feeds, reports, namespaces, terms, now)


def check_feed(path: Path, today: date, source_id: str = "feed") -> tuple[bool, tuple[Finding, ...]]:
    """Whether the feed at `path` can be used, and everything that is to be said of it on `today`."""
    try:
        feed, findings = read_feed(path, source_id)
    except FeedRefused as refusal:
        return False, tuple(refusal.findings)
    _mended, mends = repair_feed(feed)
    return True, (*findings, *judge_feed(feed, today), *mends)


def _receive(source: SourceFile, terms: Terms, now: datetime) -> tuple[SourceReport, Feed | None]:
    terms.on_step("receive", source.source_id)
    keep = keep_folder if source.path.is_dir() else keep_body
    sha256, kept = keep(releases.bodies_dir(terms.data_dir), source.path)
    terms.on_step("read", source.source_id)
    feed: Feed | None = None
    try:
        as_received, remarks = read_feed(kept, source.source_id)
        feed, mends = repair_feed(as_received)
        findings = (*remarks, *mends)
    except FeedRefused as refusal:
        findings = tuple(refusal.findings)
    verdict = "refused" if feed is None else "accepted"
    reason = ", ".join(sorted({finding.code for finding in findings if finding.severity is Severity.ERROR}))
    report = SourceReport(
        source.source_id, sha256, kept.stat().st_size, feed is None, findings, source.licence, source.name
    )
    with transaction(terms.engine) as session:
        version = SourceVersion(source.source_id, sha256, report.n_bytes, now, verdict, reason if feed is None else "")
        record_source_version(session, version, findings)
    return report, feed


def _make_release(
    feeds: Sequence[Feed],
    reports: tuple[SourceReport, ...],
    namespaces: Mapping[str, Namespaces],
    terms: Terms,
    now: datetime,
) -> ImportReport:
    shelf = releases.releases_dir(terms.data_dir)
    with building(shelf) as built:
        terms.on_step("merge", "")
        network, merging = merge_feeds(feeds, namespaces)
        terms.on_step("compile", "")
        compile_feed(network, built / releases.TIMETABLE)
        warm_kernels()  # so that no traveller waits for a compiler
        terms.on_step("write", "")
        write_feed(network, built / releases.FEED)
        (built / releases.COMMUNES).write_bytes(terms.communes)
        timetable = open_timetable(built / releases.TIMETABLE)
        findings = [*(finding for report in reports for finding in report.findings), *merging]
        candidate = _summarise(timetable, findings)
        manifest = _manifest(feeds, reports, timetable, sha256_of(built / releases.FEED), now)
        release_id = manifest["release"] = _free_name(shelf, str(manifest["release"]))
        served = _find_baseline(terms.data_dir, demo=manifest["demo"])
        held = judge_candidate(candidate, served, timetable.day_of(int(now.timestamp())), terms.thresholds)
        _write_json(built / releases.SUMMARY, candidate.as_dict())
        _write_json(built / releases.FINDINGS, _told(reports, merging, held))
        _write_json(built / releases.MANIFEST, manifest)
        terms.on_step("serve", "")
        publish(built, shelf / release_id)
    verdict = "held" if held and not terms.let_through else "served"
    with transaction(terms.engine) as session:
        record_release(session, _row(manifest, verdict, held, terms.let_through, now))
    if verdict == "served":
        point(releases.current_link(terms.data_dir), f"releases/{release_id}")
        _forget_old_releases(terms)
    return ImportReport(verdict, reports, release_id, tuple(merging), held)


def _find_baseline(data_dir: Path, *, demo: bool) -> NetworkSummary | None:
    """What a candidate is compared with: the served network, but real feeds with no demonstration.

    Nothing when the files of the served one are damaged: the import is what mends that.
    """
    served = releases.find_current(data_dir)
    try:
        if served is None or (not demo and releases.read_manifest(served).get("demo")):
            return None
        return read_summary(_read_json(served / releases.SUMMARY))
    except (Unavailable, ValueError, FileNotFoundError):
        return None


def _free_name(shelf: Path, name: str) -> str:
    """`name`, numbered when the very same input was imported in the very same second."""
    taken = {path.name for path in shelf.iterdir()}
    return next(each for n in count(1) if (each := name if n == 1 else f"{name}-{n}") not in taken)


def _summarise(timetable: Timetable, findings: Sequence[Finding]) -> NetworkSummary:
    n_trips_of_service = np.bincount(timetable.trip_service, minlength=len(timetable.service_days))
    runs = np.unpackbits(timetable.service_days, axis=1, count=timetable.n_days, bitorder="little")
    return NetworkSummary(
        timetable.first_day,
        tuple((n_trips_of_service @ runs).tolist()),
        frozenset(timetable.stop_id.to_list()),
        frozenset(timetable.route_id.to_list()),
        frozenset(finding.code for finding in findings if finding.severity is Severity.ERROR),
    )


def _manifest(
    feeds: Sequence[Feed], reports: Sequence[SourceReport], timetable: Timetable, feed_sha256: str, now: datetime
) -> dict[str, Any]:
    sources = [
        {
            "id": feed.source_id,
            "sha256": report.sha256,
            "name": report.name,
            "licence": report.licence,
            **_feed_info(feed),
        }
        for feed, report in zip(feeds, reports, strict=True)
    ]
    return {
        "release": f"{now:%Y%m%dT%H%M%SZ}-{feed_sha256[:8]}",
        "built_at": now.isoformat(timespec="seconds"),
        "code_version": __version__,
        "valid_from": timetable.first_day.isoformat(),
        "valid_to": timetable.last_day.isoformat(),
        "demo": any(source["version"].startswith(DEMO_VERSION) for source in sources),
        "n_stops": timetable.n_stops,
        "n_routes": timetable.n_routes,
        "n_trips": timetable.n_trips,
        "gtfs_sha256": feed_sha256,
        "sources": sources,
    }


def _feed_info(feed: Feed) -> dict[str, str]:
    frame = feed.tables.get("feed_info")
    row = frame.row(0, named=True) if frame is not None and frame.height else {}
    return {
        "publisher": str(row.get("feed_publisher_name") or ""),
        "publisher_url": str(row.get("feed_publisher_url") or ""),
        "version": str(row.get("feed_version") or ""),
    }


def _told(reports: Sequence[SourceReport], merging: Sequence[Finding], held: Sequence[Finding]) -> dict[str, object]:
    return {
        "sources": {report.source_id: [finding.as_dict() for finding in report.findings] for report in reports},
        "merging": [finding.as_dict() for finding in merging],
        "held": [finding.as_dict() for finding in held],
    }


def _row(manifest: dict[str, Any], verdict: str, held: Sequence[Finding], let_through: str, now: datetime) -> Release:
    return Release(
        id=manifest["release"],
        built_at=now,
        valid_from=datetime.fromisoformat(manifest["valid_from"]).date(),
        valid_to=datetime.fromisoformat(manifest["valid_to"]).date(),
        content_sha256=manifest["gtfs_sha256"],
        inputs={source["id"]: source["sha256"] for source in manifest["sources"]},
        code_version=manifest["code_version"],
        verdict=verdict,
        reason=let_through or ", ".join(finding.code for finding in held),
    )


def _forget_old_releases(terms: Terms) -> None:
    """Remove all but the newest releases; processes that still map one keep their pages until they let go."""
    served = releases.find_current(terms.data_dir)
    shelf = releases.releases_dir(terms.data_dir)
    names = sorted(path.name for path in shelf.iterdir() if not path.name.startswith("."))
    for name in names[: -terms.releases_kept]:
        release = shelf / name
        if served is None or release.resolve() != served:
            shutil.rmtree(release, ignore_errors=True)


def _read_json(path: Path) -> dict[str, object]:
    value: dict[str, object] = json.loads(path.read_text("utf-8"))
    return value


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
