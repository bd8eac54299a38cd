"""Settlement of a sale that runs faster than life: all of its parts, on the sale's own clock.

The worker, the follower of the log and the payment provider's simulator are those of ``softclose
serve``; only time is not life's. It is moved on by hours, and what came due is done, here and at
the provider.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from accounts.room import Room
from auction.cursors_postgres import PostgresCursors
from auction.log_postgres import PostgresLog
from foundation.database import Pool, close_pool, open_pool, transaction
from foundation.follower import LogFollower
from foundation.mail import Mail
from settlement.after_default.room import AfterDefault
from settlement.following import Following
from settlement.payouts.onboarding import Onboarding
from settlement.payouts.payees import Payees
from settlement.payouts.platform import PlatformPayouts
from settlement.room import Settlement
from settlement.steps import want
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator.deliveries import Deliveries
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.in_process import InProcess
from settlement.stripe_simulator.store import Store
from settlement.webhook_inbox import PATH, Inbox
from settlement.worker import Worker
from softclose.accounts_room import running_room
from softclose.followers import FOLLOWINGS, handler_of
from softclose.host import Host
from softclose.settlement_operations import STANDING, Means, handlers_of
from softclose.stripe import SIMULATOR_KEY
from softclose.virtual_clock import VirtualClock

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3_600 * SECOND_US
# What is looked at every some minutes is looked at this often.
STEP_US: Final = 6 * HOUR_US
MAX_CONNECTIONS: Final = 8
PUBLIC_URL: Final = "http://127.0.0.1:8080"


class NoMail:
    """Letters to people who were made up."""

    async def send(self, mail: Mail) -> None:
        """See ``Mailer``."""


@dataclass
class SettlementHouse:
    """What runs. ``stripe`` is the simulator, in which the demonstration plays the world."""

    pool: Pool
    clock: VirtualClock
    log: PostgresLog
    accounts: Room
    stripe: Engine
    gateway: StripeGateway
    deliveries: Deliveries
    inbox: Inbox
    worker: Worker
    services: Settlement

    @property
    def after_default(self) -> AfterDefault:
        """Consents and offers."""
        return AfterDefault.over(self.pool, self.clock.now_us)

    @property
    def payees(self) -> Payees:
        """Who is paid, and how."""
        return Payees(self.pool, self.clock.now_us, self.worker.ring)

    @property
    def onboarding(self) -> Onboarding:
        """Accounts at Stripe."""
        return Onboarding(self.pool, self.gateway, self.clock.now_us)

    @property
    def platform(self) -> PlatformPayouts:
        """The house's own money."""
        return PlatformPayouts(self.pool, self.gateway, self.clock.now_us, self.worker.ring)

    async def settle(self) -> None:
        """Take in what the log has, and do all that is due."""
        following, cursors = Following(self.clock.now_us), PostgresCursors(self.pool)
        for shard, head in (await self.log.heads()).items():
            if head:
                tables = [
                    LogFollower(name, shard, handler_of(keepers), cursors)
                    for name, keepers in FOLLOWINGS.items()
                ]
                for follower in (*tables, following.follower(shard, cursors)):
                    while await follower.step():
                        pass
        while await self._hear() or await self.worker.drain():
            pass

    async def _hear(self) -> int:
        """Take in what the provider tells; how many webhooks."""
        heard = 0
        while (delivery := self.deliveries.take()) is not None:
            signature = delivery.headers(self.stripe.now)["Stripe-Signature"]
            await self.inbox.receive(delivery.body, [signature])
            self.deliveries.settled(delivery, taken=True)
            heard += 1
        return heard

    async def passes(self, *, until_us: int) -> None:
        """Time passes, here and at the provider, and what came due is done."""
        while self.clock.now_us() < until_us:
            self.clock.advance_to(min(until_us, self.clock.now_us() + STEP_US))
            self.stripe.catch_up()
            await self.settle()


@asynccontextmanager
async def settlement_house(
    dsn: str, log: PostgresLog, host: Host, clock: VirtualClock
) -> AsyncIterator[SettlementHouse]:
    """All of it, over the tables of the sale, for the block."""
    async with AsyncExitStack() as layers:
        pool = await open_pool(dsn, name="settlement", max_connections=MAX_CONNECTIONS)
        layers.push_async_callback(close_pool, pool)
        accounts = await layers.enter_async_context(
            running_room(pool, NoMail(), PUBLIC_URL, housekeeping=False)
        )
        stripe = Engine(Store(), lambda: clock.now_us() / SECOND_US)
        gateway = StripeGateway(SIMULATOR_KEY, http_client=InProcess(stripe))
        means = Means(
            pool=pool,
            log=log,
            engine=host.engine,
            mailer=NoMail(),
            public_url=PUBLIC_URL,
            accounts=accounts,
            now_us=clock.now_us,
            provider=gateway,
        )
        worker = Worker(pool, handlers_of(means), clock.now_us)
        services = Settlement.over(pool, clock.now_us, worker.ring, gateway)
        told = await gateway.v1.webhook_endpoints.create_async(
            {"url": f"{PUBLIC_URL}{PATH}", "enabled_events": ["*"]}
        )
        inbox = Inbox(
            pool,
            [str(told.secret)],
            live=False,
            wall_s=lambda: clock.now_us() / SECOND_US,
            now_us=clock.now_us,
        )
        layers.push_async_callback(services.close)
        async with transaction(pool) as connection:
            await want(connection, STANDING, clock.now_us())
        yield SettlementHouse(
            pool, clock, log, accounts, stripe, gateway, Deliveries(stripe), inbox, worker, services
        )
