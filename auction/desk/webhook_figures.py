"""What webhooks tell Prometheus: read from the lane when somebody asks."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from auction.desk.webhook_sending import WebhookLane


class WebhookFigures(Collector):
    """The figures of a process's lane."""

    def __init__(self, lane: WebhookLane, registry: CollectorRegistry) -> None:
        self._lane = lane
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Today's values."""
        figures = self._lane.figures
        deliveries = CounterMetricFamily(
            "softclose_webhook_deliveries",
            "Webhooks' deliveries, by what became of them.",
            labels=["outcome"],
        )
        for outcome in ("delivered", "failed"):
            deliveries.add_metric([outcome], getattr(figures, outcome))
        yield deliveries
        yield CounterMetricFamily(
            "softclose_webhook_retries",
            "Tries that failed and are made again.",
            value=figures.tried_again,
        )
        yield GaugeMetricFamily(
            "softclose_webhook_deliveries_waiting",
            "Deliveries that wait to be sent, at endpoints that are switched on.",
            value=figures.waiting,
        )
