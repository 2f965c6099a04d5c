"""Metrics: what Prometheus may ask of this server, whichever of its processes answers.

With several processes each keeps its numbers in files of one folder, and whichever is
asked adds them up. A label is a route or a kind, never a path or a person.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # read by the library when a number is made
_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

requests = Counter("mobigo_requests", "Requests answered.", ["method", "route", "status"])
request_s = Histogram("mobigo_request_seconds", "Seconds from a request to its answer.", ["route"], buckets=_BUCKETS_S)
under_way = Gauge("mobigo_requests_under_way", "Requests being answered.", multiprocess_mode="livesum")
tries = Counter("mobigo_job_tries", "Tries of jobs.", ["kind", "outcome"])


def share_among_processes(folder: Path) -> None:
    """Have the processes started from now on keep their numbers in `folder`, emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[_FOLDER] = str(folder.absolute())


def render(gauges: Mapping[str, tuple[str, Mapping[str, float]]]) -> bytes:
    """Every number as text; `gauges` are those known from elsewhere: name -> (meaning, value by state)."""
    registry = REGISTRY
    if os.environ.get(_FOLDER):
        _forget_the_dead(Path(os.environ[_FOLDER]))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # has none in the library
    return generate_latest(registry) + generate_latest(_Known(gauges).registry())


def _forget_the_dead(folder: Path) -> None:
    """A process that was killed answers nothing any more; what it had counted before stays counted."""
    for file in folder.glob("gauge_live*.db"):
        pid = file.stem.rpartition("_")[2]
        if not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            file.unlink(missing_ok=True)


class _Known(Collector):
    def __init__(self, gauges: Mapping[str, tuple[str, Mapping[str, float]]]) -> None:
        self._gauges = gauges

    def registry(self) -> CollectorRegistry:
        """A registry that holds these alone."""
        registry = CollectorRegistry()
        registry.register(self)
        return registry

    def collect(self) -> Iterable[Metric]:
        """One family a gauge."""
        for name, (meaning, by_state) in self._gauges.items():
            family = GaugeMetricFamily(name, meaning, labels=["state"])
            for state, value in by_state.items():
                family.add_metric([state], value)
            yield family
