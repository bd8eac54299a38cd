"""A house of which only the tables and the payment provider live on: its processes die.

A process opens connections of its own, delivers what webhooks wait, and works until nothing is due
soon. When its life is over its connections are cut: what was sent may have taken effect or not. The
next process begins when the leases of the dead one have run out. Between them people act, and time
passes for the house and its provider together.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import stripe

from accounts.audit import Actor
from accounts.ids import PersonId
from foundation.database import Pool, acquire, open_pool, transaction
from foundation.mail import Mail
from settlement.after_default.fees import fee_handlers
from settlement.claiming.refunding import claim_handlers
from settlement.ids import StripeId
from settlement.operations import LEASE_US, SECOND_US, Handler
from settlement.payment_objects import Event
from settlement.payouts.handlers import payout_handlers, payout_readers
from settlement.payouts.onboarding import Onboarding
from settlement.payouts.payees import Payees
from settlement.steps import want
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator.accounts import onboarded
from settlement.stripe_simulator.deliveries import Deliveries
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.in_process import InProcess
from settlement.stripe_simulator.store import Store
from settlement.stripe_simulator.work import Work
from settlement.webhook_inbox import SWEEP, Inbox, MissedEvents, WebhookHandler
from tests.crashing import Life
from tests.settling import CLOSED, Funding, Settling, card_cap

_SELLER: Final = (
    "insert into organisation (organisation_id, kind, name, currency, created_at_us)"
    " values ('north', 'LIQUIDATOR', 'North Salvage', 'USD', 0)",
    "insert into person (person_id, organisation_id, mail, name, time_zone, created_at_us)"
    " values ('person-owner', 'north', 'owner@example.com', 'Olive Owner', 'UTC', 0)",
    "insert into membership (person_id, role) values ('person-owner', 'admin')",
)
ENDPOINT: Final = "http://127.0.0.1:1/webhooks"
# What comes due then or later is waited for by who plays the life.
SOON_US: Final = 3_600 * SECOND_US
# Pauses after lost answers double up to minutes; where a day is to pass, hours pass at a time.
PATIENT_ROUNDS: Final = 20
STEP_S: Final = 3_600
MOST_ROUNDS: Final = 120
MOST_DEATHS: Final = 500
CONNECTIONS: Final = 6


class Restless(AssertionError):
    """It never comes to rest, or gets nowhere between its deaths."""


class NoMail:
    """Nobody reads it."""

    async def send(self, mail: Mail) -> None:
        """See ``Mailer``."""


@dataclass
class Mortal:
    """When processes die: at await ``next_at`` of a life, and again each ``every`` awaits."""

    next_at: int | None
    every: int = 1_000_000
    awaits: int = 0
    deaths: int = 0

    def life(self) -> Life:
        """Of the next process."""
        return Life(None if self.next_at is None else self.next_at - self.awaits)

    def lived(self, life: Life) -> bool:
        """Take a life that is over into account; whether it came to its own end."""
        self.awaits += life.awaits
        if life.over and self.next_at is not None:
            self.next_at += self.every
            self.deaths += 1
        return not life.over


class Hasty(InProcess):
    """The SDK's own retries come at once: here time passes by other means."""

    async def sleep_async(self, secs: float) -> None:
        """See ``InProcess``."""
        await asyncio.sleep(0)


class World:
    """``people`` act on connections that live; who watches looks after each process."""

    def __init__(self, dsn: str, pool: Pool, engine: Engine) -> None:
        self._dsn, self.engine = dsn, engine
        self.deliveries = Deliveries(engine)
        self.gateway = StripeGateway("sk_test_simulator", http_client=InProcess(engine))
        more = payout_handlers(pool, self.gateway, NoMail(), "https://x.test", self.now_us)
        self.people = Settling(pool, engine, self.gateway, more)
        self.funded: list[str] = []
        self._spare: list[Pool] = []
        # What the seller owed when the last life was over, by the provider's transfers.
        self.owed_minor = 0
        self.keeps = False
        # What of the house's payouts was for a bank file, by which sellers are paid.
        self.for_files_minor = 0
        # Operations of lives that are over, at which a person has to look.
        self.left: set[str] = set()
        self.watch: Callable[[], Awaitable[None]] | None = None

    def now_us(self) -> int:
        """The time of all."""
        return self.engine.now * SECOND_US

    def ends(self) -> None:
        """Cut all connections."""
        self.people.pool.terminate()
        for pool in self._spare:
            pool.terminate()

    async def work(self, mortal: Mortal) -> None:
        """Process after process, until nothing is due soon."""
        played = 0
        while played < MOST_ROUNDS:
            life = mortal.life()
            await life.lived(lambda life=life: self._process(life))  # type: ignore[misc]
            if not mortal.lived(life):
                self.engine.move(LEASE_US // SECOND_US + 1)
                if mortal.deaths >= MOST_DEATHS:
                    raise Restless("it gets nowhere between its deaths")
                continue
            if self.watch is not None:
                await self.watch()
            played += 1
            due_us = await self._next_due_us()
            if due_us is None or due_us >= self.now_us() + SOON_US:
                return
            least_s = 1 if played < PATIENT_ROUNDS else STEP_S
            self.engine.move(max(least_s, -(-(due_us - self.now_us()) // SECOND_US)))
        raise Restless("it never comes to rest")

    async def once(self, change: Callable[[dict[str, Handler]], None] | None = None) -> None:
        """One process, which does what is due now and nothing later; ``change``: how it does it."""
        await self._process(Life(), change)

    async def _process(
        self, life: Life, change: Callable[[dict[str, Handler]], None] | None = None
    ) -> None:
        if self._spare:
            pool = self._spare.pop()
        else:
            pool = await open_pool(self._dsn, name="mortal", max_connections=CONNECTIONS)
        life.shuts(pool.terminate)

        async def turn() -> None:
            life.check()
            await asyncio.sleep(0)
            life.check()

        http: stripe.HTTPClient = Hasty(self.engine, turn)
        gateway = StripeGateway("sk_test_simulator", http_client=http)
        more = payout_handlers(pool, gateway, NoMail(), "https://x.test", self.now_us)
        more |= {**claim_handlers(), **fee_handlers()}
        more |= {"free": Funding(), "mail": Funding()}  # nobody is told
        more["missed_events"] = MissedEvents(pool, gateway, self.now_us)
        room = Settling(pool, self.engine, gateway, more)
        room.funding.told = self.funded
        webhooks = room.operations["webhook"]
        assert isinstance(webhooks, WebhookHandler)
        for kind, reader in payout_readers().items():
            webhooks._readers = {**webhooks._readers, kind: [reader]}  # of the test's own making
        if change is not None:
            change(room.operations)
        inbox = Inbox(pool, [], live=False, wall_s=lambda: self.engine.now, now_us=self.now_us)
        while await room.worker.drain() or await self._deliver(inbox):
            life.check()
        # Who came to its own end leaves its connections to the next one: opening them takes longer
        # than most of them live. Of the dead nobody inherits.
        if life.over:
            pool.terminate()
        else:
            self._spare.append(pool)

    async def _deliver(self, inbox: Inbox) -> int:
        """Hand over the webhooks that are due; how many."""
        handed = 0
        while (delivery := self.deliveries.take()) is not None:
            taken = False
            try:
                await inbox.keep(_event(delivery.body), delivery.body)
                taken = True
            finally:  # who is dead by now has answered nothing
                self.deliveries.settled(delivery, taken=taken)
            handed += 1
        return handed

    async def _next_due_us(self) -> int | None:
        async with acquire(self.people.pool) as connection:
            due: int | None = await connection.fetchval(
                "select min(due_at_us) from settlement_op"
                " where state = 'WAITING' and operation <> 'missed_events'"
            )
        waiting = [row["at"] for row in self.engine.store.oldest_first("delivery")]
        return min(
            [*([due] if due is not None else []), *(at * SECOND_US for at in waiting)], default=None
        )

    async def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Rows of the tables."""
        async with acquire(self.people.pool) as connection:
            return [dict(row) for row in await connection.fetch(statement, *values)]


async def house(world: World, *, keeps: bool = False) -> None:
    """The seller, who can be paid: an account at Stripe that was not changed lately.

    ``keeps``: what it is sent stays in its balance, so that it can be taken back.
    """
    async with acquire(world.people.pool) as connection:
        for statement in _SELLER:
            await connection.execute(statement)
    owner = Actor(PersonId("person-owner"), "198.51.100.9")
    payees = Payees(world.people.pool, world.now_us, lambda: None)
    await payees.connect(owner, "north", email="pay@example.com")
    await world.people.drain()
    shown = await payees.read("north")
    assert shown.connected is not None and shown.connected.account_id is not None
    account_id = str(shown.connected.account_id)
    world.engine.run(lambda work: onboarded(work, account_id))
    world.keeps = keeps
    if keeps:
        world.engine.run(lambda work: _keeps(work, account_id))
    await Onboarding(world.people.pool, world.gateway, world.now_us).refresh("north")
    async with transaction(world.people.pool) as connection:
        await card_cap(connection, 99_999_999)
        await want(connection, [SWEEP], world.now_us())
    world.engine.move(3 * 86_400)


def _keeps(work: Work, account_id: str) -> None:
    account = work.edit("account", account_id)
    payouts = account["settings"]["payouts"]
    payouts = payouts | {"schedule": payouts["schedule"] | {"interval": "manual"}}
    account["settings"] = account["settings"] | {"payouts": payouts}


def _event(body: bytes) -> Event:
    told = msgspec.json.decode(body)
    about = told["data"]["object"]
    customer = about.get("customer")
    return Event(
        event_id=StripeId(told["id"]),
        type=told["type"],
        object_kind=about["object"],
        object_id=StripeId(about["id"]) if about.get("id") else None,
        customer_id=StripeId(customer) if isinstance(customer, str) else None,
        account_id=None,
        made_at_us=told["created"] * SECOND_US,
        live=False,
    )


@asynccontextmanager
async def world(dsn: str) -> AsyncIterator[World]:
    """A house on these tables, which are new, for the block."""
    pool = await open_pool(dsn, name="people", max_connections=4)
    made = World(dsn, pool, Engine(Store(), lambda: CLOSED / SECOND_US))
    try:
        await made.gateway.v1.webhook_endpoints.create_async(
            {"url": ENDPOINT, "enabled_events": ["*"]}
        )
        yield made
    finally:
        made.ends()
        gc.collect()  # what the dead leave behind warns of itself here, and not in a later test
