"""A simulator of Stripe: the part of its HTTP API that settlement uses, with state.

It serves the embedded default, the demo and the tests, through the official SDK; with a key of
Stripe's the same code talks to Stripe. Nothing in it is real money::

    async with simulator(folder) as running:
        client = stripe.StripeClient("sk_test_simulator", base_addresses={"api": running.url}, ...)
        await running.control.move(days=5)

``engine`` is the whole of it without a socket; ``server`` adds the socket and the webhooks. What
Stripe has and this has not is refused as an unknown parameter or address, never ignored.
"""

from settlement.stripe_simulator.control import Control, OrderRefused
from settlement.stripe_simulator.deliveries import Mood
from settlement.stripe_simulator.faults import Trouble
from settlement.stripe_simulator.journal import Damaged
from settlement.stripe_simulator.server import Running, simulator

__all__ = ["Control", "Damaged", "Mood", "OrderRefused", "Running", "Trouble", "simulator"]
