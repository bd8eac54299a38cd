"""Compares engine time with the log's clock."""

import asyncio

import structlog

from auction.liveness import Liveness
from auction.ports import Clock, EventLog, OutcomeUnknown

EVERY_S = 10.0
WARN_US = 50_000  # more than a well-kept clock drifts between two looks
PAUSE_US = 250_000  # more than a bidder should gain or lose at an end

_logger = structlog.get_logger(__name__)


async def watch_clock(log: EventLog, clock: Clock, liveness: Liveness) -> None:
    """Log a skew, and have the writer recover from a large one: that takes over the log's clock."""
    while True:
        await asyncio.sleep(EVERY_S)
        asked_us = clock.monotonic_us()
        try:
            log_us = await log.clock_us()
        except OutcomeUnknown:
            continue  # the writer notices by itself
        took_us = clock.monotonic_us() - asked_us
        skew_us = abs(clock.skew_us(log_us)) - took_us
        if skew_us > WARN_US:
            _logger.warning("clock_skew", skew_us=skew_us)
        if skew_us > PAUSE_US:
            liveness.pause()
