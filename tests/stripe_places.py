"""Where tests meet Stripe: a client as settlement makes it, and a clock for the simulator."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import stripe

from settlement.stripe_gateway import StripeGateway

KEY = "sk_test_simulator"


class StillClock:
    """It stands until the simulator is told to move."""

    def __init__(self) -> None:
        self._at = time.time()

    def __call__(self) -> float:
        return self._at


@asynccontextmanager
async def client_of(url: str | None, key: str = KEY) -> AsyncIterator[stripe.StripeClient]:
    """A client whose connections are closed; without a URL it is of Stripe itself."""
    http = stripe.HTTPXClient(timeout=10)
    try:
        yield stripe.StripeClient(
            key,
            base_addresses={"api": url} if url else {},
            max_network_retries=2,
            http_client=http,
        )
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]
        http.close()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def gateway_of(
    url: str | None, key: str = KEY, retries: int = 0
) -> AsyncIterator[StripeGateway]:
    """Settlement's own calls; without retries, so that trouble is seen."""
    gateway = StripeGateway(key, url, retries=retries)
    try:
        yield gateway
    finally:
        await gateway.close()
