"""What the gateway tells Prometheus: read from its own counters when somebody asks."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bidder_gateway.gateway import Gateway


class GatewayFigures(Collector):
    """The figures of one gateway."""

    def __init__(self, gateway: Gateway, registry: CollectorRegistry) -> None:
        self._gateway = gateway
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Today's values."""
        gateway = self._gateway
        hub, following = gateway.hub, gateway.following
        yield GaugeMetricFamily(
            "softclose_live_connections", "Open live connections.", gateway.connections
        )
        yield GaugeMetricFamily(
            "softclose_live_blocked", "Connections that do not read fast enough now.", hub.full
        )
        yield GaugeMetricFamily("softclose_live_sales", "Sales in memory.", hub.sales)
        yield CounterMetricFamily(
            "softclose_live_writes", "Writes of events to connections.", hub.delivered
        )
        yield CounterMetricFamily(
            "softclose_live_stalled", "Connections dropped for not reading.", hub.figures.stalled
        )
        yield CounterMetricFamily(
            "softclose_live_resumed",
            "Subscriptions that went on where they were.",
            following.resumed,
        )
        yield CounterMetricFamily(
            "softclose_live_not_recovered",
            "Subscriptions that asked to go on and got a snapshot.",
            following.not_recovered,
        )
        yield CounterMetricFamily(
            "softclose_live_sales_read", "Sales read from the log.", hub.figures.feeds_read
        )
        yield CounterMetricFamily(
            "softclose_live_bids", "Bids handed to the engine.", gateway.bidding.bids
        )
