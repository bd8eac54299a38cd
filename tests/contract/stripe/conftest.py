"""The suite's client: of the simulator, and with STRIPE_TEST_KEY of Stripe's test mode too."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import stripe

from settlement.stripe_simulator import Control, Running, simulator
from tests.stripe_places import StillClock, client_of


def key_of_the_test_mode(key: str) -> str:
    """A live key would move real money: it is refused, and never shown."""
    if not key.startswith(("sk_test_", "rk_test_")):
        pytest.exit("STRIPE_TEST_KEY must be a key of the test mode", returncode=2)
    return key


@dataclass
class At:
    """Where the suite runs; ``control`` only at the simulator."""

    client: stripe.StripeClient
    control: Control | None

    @property
    def v1(self) -> stripe.V1Services:
        return self.client.v1


@pytest.fixture
async def at(request: pytest.FixtureRequest) -> AsyncIterator[At]:
    """The simulator, or Stripe."""
    if request.param == "simulator":
        async with simulator(clock=StillClock()) as running, client_of(running.url) as client:
            yield At(client, running.control)
        return
    async with client_of(None, key_of_the_test_mode(os.environ["STRIPE_TEST_KEY"])) as client:
        yield At(client, None)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    """The simulator alone, for what cannot be asked of Stripe."""
    async with simulator(clock=StillClock()) as one:
        yield one


@pytest.fixture
async def client(running: Running) -> AsyncIterator[stripe.StripeClient]:
    """Its client."""
    async with client_of(running.url) as one:
        yield one


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Over both, where both are there."""
    if "at" in metafunc.fixturenames:
        places = ["simulator"] + (["stripe"] if os.environ.get("STRIPE_TEST_KEY") else [])
        metafunc.parametrize("at", places, indirect=True)
