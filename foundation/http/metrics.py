"""What is counted, for Prometheus at /metrics.

A room makes its own counters on the registry of the application (`Metrics.registry`); names
begin with ``softclose_``, units are seconds and bytes, labels have few values and never an id.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from foundation.http.client_address import Network, is_one_of
from foundation.http.problems import NOT_FOUND

# The loop is asked this often how late it is.
LAG_EVERY_S: Final = 0.5
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """One registry, and what the HTTP kit itself counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Counter(
            "softclose_http_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "softclose_http_request_seconds",
            "From the head of a request to the end of its answer.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._lag = Histogram(
            "softclose_event_loop_lag_seconds",
            "How late the event loop ran a timer.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._lag_now = Gauge(
            "softclose_event_loop_lag_last_seconds",
            "How late the event loop ran its last timer.",
            registry=self.registry,
        )

    def observe(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count one request; an unusual method is counted as OTHER."""
        method = method if method in _METHODS else "OTHER"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(took_s)

    async def watch_loop(self) -> None:
        """Measure the event loop's lag until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            lag_s = max(0.0, loop.time() - due)
            self._lag.observe(lag_s)
            self._lag_now.set(lag_s)


METRICS: Final = web.AppKey("metrics", Metrics)
METRICS_CLIENTS: Final[web.AppKey[Sequence[Network]]] = web.AppKey("metrics_clients")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


async def answer_metrics(request: web.Request) -> web.Response:
    """GET /metrics, for the machines that may; others are told that there is nothing."""
    if not is_one_of(request, request.config_dict[METRICS_CLIENTS]):
        raise NOT_FOUND()
    return web.Response(
        body=generate_latest(request.config_dict[METRICS].registry),
        headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4},
    )
