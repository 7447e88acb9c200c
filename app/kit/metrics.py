"""Metrics in Prometheus' form, in a registry of the process' own.

Labels are bounded by the deployment's definition: queues, kinds, ends, routes. Never a tenant, a job or a worker.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST

# Seconds. The first are what an engine adds to a job, the last what a model or a scan takes.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class Meter:
    """What a process tells about itself."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(Standing("homeroom_build_info", "The release that runs.", {"version": version}))

    def render(self) -> bytes:
        return generate_latest(self.registry)


class Tally:
    """One histogram's counts under fixed labels. Counting takes a sixth of a microsecond, since it takes no lock: one
    loop counts, and whoever reads may see a count that is a moment old."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, values: Iterable[float]) -> None:
        counts, bounds = self.counts, self._bounds
        for value in values:
            counts[bisect_left(bounds, value)] += 1
            self.total += value


class Distribution(Collector):
    """A histogram that is fed by the batch; `prometheus_client`'s own takes a lock for each value."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str],
        *,
        registry: CollectorRegistry,
        bounds: Sequence[float] = SECONDS,
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._labels = labels
        self._bounds = bounds
        self._tallies: dict[tuple[str, ...], Tally] = {}
        registry.register(self)

    def of(self, *values: str) -> Tally:
        """The tally under these labels."""
        tally = self._tallies.get(values)
        if tally is None:
            tally = self._tallies[values] = Tally(self._bounds)
        return tally

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        ends = [*(str(bound) for bound in self._bounds), "+Inf"]
        for values, tally in list(self._tallies.items()):
            sums = accumulate(list(tally.counts))
            family.add_metric(values, [(end, float(count)) for end, count in zip(ends, sums, strict=True)], tally.total)
        yield family


class Standing(Collector):
    """A gauge that never changes, by its labels."""

    def __init__(self, name: str, documentation: str, labels: Mapping[str, str]) -> None:
        self._family = GaugeMetricFamily(name, documentation, labels=list(labels))
        self._family.add_metric(list(labels.values()), 1.0)

    def collect(self) -> Iterator[Metric]:
        yield self._family
