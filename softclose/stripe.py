"""The payment provider of a running host: Stripe with a key, a simulator of its own without.

The simulator keeps what it did in the data folder, so that the house and its payment provider
forget nothing of each other over a restart. It is registered with our own address for its webhooks,
under the secret of before: what it has not delivered yet goes to the address of now.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
import structlog
from msgspec import Struct

from settlement.operations import Refused, Unknown
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator import Running, simulator
from settlement.webhook_inbox import PATH
from softclose.settings import Settings
from softclose.whole_file import whole_file

FOLDER: Final = "stripe"
# The simulator looks at no key; ours says what it is, wherever it turns up.
SIMULATOR_KEY: Final = "sk_test_simulator"

_ENDPOINT: Final = "webhook_endpoint.json"
_LOOPBACK: Final = {"127.0.0.1": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}  # noqa: S104

_logger = structlog.get_logger("softclose.stripe")


class _Endpoint(Struct, frozen=True):
    """Where the simulator sends its webhooks, and how it signs them; it says so only once."""

    endpoint_id: str
    secret: str


@dataclass(frozen=True)
class RunningStripe:
    """What settlement needs of it. ``simulator``: for the demonstration, which plays the world."""

    gateway: StripeGateway
    webhook_secrets: tuple[str, ...]
    simulator: Running | None

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return self.gateway.live

    def __repr__(self) -> str:
        return f"RunningStripe(live={self.live}, simulated={self.simulator is not None})"


@asynccontextmanager
async def running_stripe(
    settings: Settings, address: str, *, clock: Callable[[], float] = time.time
) -> AsyncIterator[RunningStripe]:
    """Stripe for the block. ``address``: where our HTTP is served, for the simulator's webhooks.

    ``clock``: the simulator's seconds since 1970.
    """
    async with AsyncExitStack() as layers:
        key, url = settings.stripe_key, settings.stripe_url
        running = None
        if key is None:
            running = await layers.enter_async_context(
                simulator(settings.data / FOLDER, clock=clock)
            )
            url = running.url
        gateway = StripeGateway(SIMULATOR_KEY if key is None else key.get_secret_value(), url)
        layers.push_async_callback(gateway.close)
        if running is not None:
            secrets = await _registered(gateway, settings.data / FOLDER, address)
            _logger.info("payments_are_simulated", hint="set SOFTCLOSE_STRIPE_KEY for real ones")
        else:
            secrets = settings.webhook_secrets
            if not secrets:
                _logger.warning(
                    "stripe_webhooks_are_refused",
                    hint="set SOFTCLOSE_STRIPE_WEBHOOK_SECRET; until then events are fetched",
                )
        yield RunningStripe(gateway, secrets, running)


@dataclass(frozen=True)
class Seen:
    """What a look at the payment provider finds. ``wrong``: what to mend, in sentences."""

    says: str
    wrong: tuple[str, ...] = ()


async def look(settings: Settings) -> Seen:
    """Whether payments would work with these settings, which have a key; nothing is changed."""
    key = settings.stripe_key
    assert key is not None, "without a key there is nothing to look at"
    gateway = StripeGateway(key.get_secret_value(), settings.stripe_url)
    try:
        interval = await gateway.payout_interval()
    except (Unknown, Refused) as error:
        return Seen("", (f"payments: {error}; look at SOFTCLOSE_STRIPE_KEY and the network",))
    finally:
        await gateway.close()
    faults = []
    if interval != "manual":
        faults.append(
            f"payments: Stripe pays out by itself ({interval}), and with it what is held for "
            "buyers and sellers; set the payout schedule to manual"
        )
    if not settings.webhook_secrets:
        faults.append("payments: no webhook is believed; set SOFTCLOSE_STRIPE_WEBHOOK_SECRET")
    shown = settings.stripe_publishable_key
    if shown is None:
        faults.append("payments: buyers cannot save cards; set SOFTCLOSE_STRIPE_PUBLISHABLE_KEY")
    elif shown.startswith("pk_live_") is not gateway.live:
        faults.append("payments: SOFTCLOSE_STRIPE_PUBLISHABLE_KEY is of another mode than the key")
    mode = "live" if gateway.live else "test"
    return Seen(f"payments: Stripe takes the key, {mode} mode", tuple(faults))


async def _registered(gateway: StripeGateway, folder: Path, address: str) -> tuple[str, ...]:
    """Have the simulator's webhooks come here; returns how it signs them."""
    parts = urlsplit(address)
    host = _LOOPBACK.get(parts.hostname or "")
    if host is None:
        _logger.warning("simulator_sends_no_webhooks", hint="it sends to loopback only")
        return ()
    url = f"http://{host}:{parts.port}{PATH}"
    endpoints = gateway.v1.webhook_endpoints
    known = _known(folder / _ENDPOINT)
    there = {row.id for row in (await endpoints.list_async({"limit": 100})).data}
    if known is not None and known.endpoint_id in there:
        await endpoints.update_async(known.endpoint_id, {"url": url})
        return (known.secret,)
    made = await endpoints.create_async({"url": url, "enabled_events": ["*"], "connect": False})
    endpoint = _Endpoint(made.id, str(made.secret))
    file = folder / _ENDPOINT
    with whole_file(file) as out:
        out.write(msgspec.json.encode(endpoint).decode())
    file.chmod(0o600)
    return (endpoint.secret,)


def _known(file: Path) -> _Endpoint | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Endpoint)
    except (FileNotFoundError, msgspec.DecodeError):
        return None  # then another is made: what waited for the old one is fetched
