"""What notices tell Prometheus: read from the lanes when somebody asks."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bidder_gateway.notices.lanes import Lane


class NoticeFigures(Collector):
    """The figures of a process's lanes."""

    def __init__(self, lanes: Sequence[Lane], registry: CollectorRegistry) -> None:
        self._lanes = lanes
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Today's values."""
        deliveries = CounterMetricFamily(
            "softclose_notice_deliveries",
            "Notices on a way, by what became of them.",
            labels=["way", "urgent", "outcome"],
        )
        retries = CounterMetricFamily(
            "softclose_notice_retries",
            "Tries that failed and are made again.",
            labels=["way", "urgent"],
        )
        for lane in self._lanes:
            way, urgent = lane.way.value, "yes" if lane.urgent else "no"
            figures = lane.figures
            for outcome in ("sent", "dropped", "failed"):
                deliveries.add_metric([way, urgent, outcome], getattr(figures, outcome))
            retries.add_metric([way, urgent], figures.tried_again)
        yield deliveries
        yield retries
