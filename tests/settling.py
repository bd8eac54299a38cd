"""Settlement's tests: real rows of invoices and awards, and a provider in the same process.

`an_invoice` writes what following a sale writes: the awards, their invoice, and its first two
operations. `Settling` is a worker over real tables with the official SDK on a simulator, both on
one clock that stands until it is moved.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import stripe

from auction.catalog.goods import Condition, FreightTerms
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from auction.terms import Confirmation
from foundation.database import AnyConnection, Pool, acquire, open_pool, transaction
from settlement.confirming import ask_seller
from settlement.due import Calendar, payment_due_us
from settlement.ids import AwardId, InvoiceId, StripeId, award_id_of, invoice_id_of
from settlement.invoices import Award, Invoice, line_of
from settlement.operations import Handler
from settlement.payment_objects import Event, MethodKind
from settlement.payments.asking import collect_now
from settlement.payments.payers import TablePayers
from settlement.payments.readers import readers_of
from settlement.payments.room import payment_operations
from settlement.policy_table import policy_at
from settlement.ports import PaymentProvider
from settlement.rows import Goods, Held, hold_invoice, policy_of, read_invoice
from settlement.steps import Wanted, want
from settlement.story import story_of
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.in_process import InProcess
from settlement.stripe_simulator.store import Store
from settlement.webhook_inbox import WebhookHandler, keep_event
from settlement.worker import Worker
from tests.books import balances_of
from tests.settlement_rules import CHICAGO, DALLAS, at_us, premium_of, tax_at

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
SALE, BUYER, NORTH = SaleId("S1"), BidderId("buyer"), LiquidatorId("north")
# A Friday: invoices are due on the next Tuesday at the same time.
CLOSED = at_us("2026-03-06 17:00")

_AWARD = """
insert into award (award_id, sale_id, lot_id, generation, buyer_id, liquidator_id, consignor_id,
    invoice_id, currency, hammer_minor, body, goods, state, awarded_at_us, changed_at_us)
values ($1, $2, $3, 1, $4, $5, null, $6, $11, $7, $8::jsonb, $9::jsonb, 'INVOICED', $10, $10)
"""
_INVOICE = """
insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body, total_minor,
    zone, country, policy_version, issued_at_us, due_at_us, payment, changed_at_us)
values ($1, $2, $3, $4, $11, $5::jsonb, $6, $7, 'US', $8, $9, $10, 'DUE', $9)
"""
_CUSTOMER = """
insert into buyer_customer (buyer_id, customer_id, email, name, began_at_us, made_at_us)
values ($1, $2, $3, $1, $4, $4)
on conflict (buyer_id) do nothing
"""
_METHOD = """
insert into saved_method (method_id, buyer_id, kind, brand, last4, expires, is_default, saved_at_us)
values ($1, $2, $3, 'visa', '4242', '2034-12', false, $4)
"""
_CARD_CAP = """
insert into settlement_policy
select (jsonb_populate_record(p, jsonb_build_object('version', p.version + 1,
    'valid_from_us', p.valid_from_us + 1, 'card_cap_minor', $1::bigint))).*
from settlement_policy p where currency = 'USD' order by version desc limit 1
"""


async def an_invoice(
    connection: AnyConnection,
    *hammers_minor: int,
    sale_id: SaleId = SALE,
    buyer_id: BidderId = BUYER,
    liquidator_id: LiquidatorId = NORTH,
    rate_bps: int = 1_500,
    freight_minor: int = 0,
    at_us: int = CLOSED,
    number: int = 1,
    lots_from: int = 1,
    currency: str = "USD",
) -> InvoiceId:
    """Write an invoice for lots of these hammer prices in Dallas, lot 1 the earliest closed; at
    15 % premium and 8.25 % tax; a lot of 1,237.50 without more said."""
    awards = [
        Award(
            award_id=award_id_of(sale_id, LotId(str(lot))),
            lot_id=LotId(str(lot)),
            buyer_id=buyer_id,
            ship_from=DALLAS,
            closed_at_us=at_us - (len(hammers_minor or (1,)) - place) * SECOND_US,
            hammer_minor=hammer_minor,
            freight_minor=freight_minor,
        )
        for place, (lot, hammer_minor) in enumerate(
            enumerate(hammers_minor or (1_237_50,), lots_from), 1
        )
    ]
    policy = await policy_at(connection, currency, at_us)
    assert policy is not None
    invoice = Invoice(
        invoice_id=invoice_id_of(
            sale_id, buyer_id, msgspec.structs.astuple(DALLAS), currency, number
        ),
        sale_id=sale_id,
        buyer_id=buyer_id,
        ship_from=DALLAS,
        currency=currency,
        due_at_us=payment_due_us(policy, Calendar(CHICAGO), at_us),
        lines=tuple(line_of(award, premium_of(rate_bps), tax_at()) for award in awards),
    )
    await connection.execute(
        _INVOICE, invoice.invoice_id, sale_id, buyer_id, liquidator_id,
        msgspec.json.encode(invoice).decode(), invoice.total_minor, CHICAGO, policy.version,
        at_us, invoice.due_at_us, currency,
    )  # fmt: skip
    for award in awards:
        await connection.execute(
            _AWARD, award.award_id, sale_id, award.lot_id, buyer_id, liquidator_id,
            invoice.invoice_id, award.hammer_minor, msgspec.json.encode(award).decode(),
            msgspec.json.encode(_goods(award.lot_id)).decode(), at_us, currency,
        )  # fmt: skip
    subject = invoice.invoice_id
    overdue = Wanted(operation="overdue", subject=subject, due_at_us=invoice.due_at_us)
    await want(connection, [Wanted(operation="collect", subject=subject), overdue], at_us)
    return invoice.invoice_id


async def asks_seller(
    connection: AnyConnection,
    invoice_id: InvoiceId,
    now_us: int,
    rule: Confirmation = Confirmation.ELSE_SOLD,
) -> None:
    """The terms of an invoice's sale ask the seller."""
    held = await hold_invoice(connection, invoice_id)
    policy = await policy_of(connection, held.invoiced)
    await ask_seller(connection, held, rule, policy, now_us)


async def card_cap(connection: AnyConnection, cap_minor: int) -> None:
    """From the beginning on cards are taken up to so much."""
    await connection.execute(_CARD_CAP, cap_minor)


def _goods(lot_id: LotId) -> Goods:
    return Goods(
        number=str(lot_id),
        title=f"Lot {lot_id}",
        condition=Condition.NEW,
        freight_terms=FreightTerms.BUYER_ARRANGED,
        pallets=1,
        units=10,
        retail_minor=5_000_00,
        weight_g=None,
        manifest_sha256="0" * 64,
    )


class Funding:
    """Stands for whoever tells the engine: notes which awards it was told to."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def call(self, op: Any) -> object:
        return None

    async def settle(self, connection: AnyConnection, op: Any, answer: object, now_us: int) -> None:
        self.told.append(op.subject)


class Settling:
    """Payments over real tables and a simulator, on one clock."""

    def __init__(
        self,
        pool: Pool,
        engine: Engine,
        gateway: StripeGateway,
        more: Mapping[str, Handler] | None = None,
    ) -> None:
        self.pool, self.engine, self.gateway = pool, engine, gateway
        self.funding, self.defaulting = Funding(), Funding()
        self._heard: set[str] = set()
        self.operations: dict[str, Handler] = {
            "webhook": WebhookHandler(pool, gateway, readers_of(TablePayers())),
            **payment_operations(
                gateway, TablePayers(), lambda subject: f"https://x.test/{subject}"
            ),
            "fund": self.funding,
            "defaulted": self.defaulting,
            **(more or {}),
        }
        self.worker = Worker(pool, self.operations, self.now_us)

    def now_us(self) -> int:
        """The time, by the simulator's clock."""
        return self.engine.now * SECOND_US

    async def buyer(
        self,
        card: str | None = "pm_card_visa",
        *,
        debit: str | None = None,
        buyer_id: BidderId = BUYER,
    ) -> StripeId:
        """A buyer with a customer and what it saved; returns the customer's id."""
        made = await self.gateway.create_customer(
            f"customer:{buyer_id}:1", email=f"{buyer_id}@x.test", name=buyer_id
        )
        async with acquire(self.pool) as connection:
            await connection.execute(
                _CUSTOMER, buyer_id, made.customer_id, made.email, self.now_us()
            )
        for kind, name in (("card", card), ("us_bank_account", debit)):
            if name is not None:
                await self.saves(made.customer_id, name, kind, buyer_id=buyer_id)
        return made.customer_id

    async def saves(
        self, customer_id: str, name: str, kind: str = "card", *, buyer_id: BidderId = BUYER
    ) -> StripeId:
        """The buyer saves a test card or bank account."""
        if kind == "card":
            method = await self.gateway.v1.payment_methods.attach_async(
                name, {"customer": customer_id}
            )
            method_id = StripeId(method.id)
        else:
            key = f"setup:{customer_id}:{name}"
            asked = await self.gateway.start_setup(
                key, customer_id=StripeId(customer_id), kind=MethodKind(kind)
            )
            saved = await self.gateway.confirm_setup(
                f"{key}:2",
                asked.setup_id,
                method_id=StripeId(name),
                address="192.0.2.1",
                user_agent="a browser",
            )
            assert saved.method_id is not None
            method_id = saved.method_id
        async with acquire(self.pool) as connection:
            await connection.execute(_METHOD, method_id, buyer_id, kind, self.now_us())
        return method_id

    async def invoice(self, *hammers_minor: int, **more: Any) -> InvoiceId:
        """As `an_invoice`, in a transaction of its own."""
        async with transaction(self.pool) as connection:
            return await an_invoice(connection, *hammers_minor, **more)

    async def drain(self) -> None:
        """Do all that is due."""
        await self.worker.drain()

    async def moves(self, *, hours: float = 0, days: float = 0, seconds: float = 0) -> None:
        """Time passes, and all that is due then is done."""
        self.engine.move(int(days * 86_400 + hours * 3_600 + seconds))
        await self.drain()

    async def patiently(self, rounds: int = 60) -> None:
        """Do all that is due, with the pauses after answers that were lost."""
        for _ in range(rounds):
            await self.moves(seconds=100)

    async def collects(self, invoice_id: InvoiceId) -> None:
        """Somebody says that something may go on, and it does."""
        async with transaction(self.pool) as connection:
            await collect_now(connection, invoice_id, TablePayers(), self.now_us())
        await self.drain()

    async def hears(self, *, shuffled: Callable[[list[Event]], None] | None = None) -> None:
        """Every event of the simulator that was not heard yet comes in, and is followed.

        ``shuffled`` may change their order, and take some out: those are heard another time.
        """
        rows: list[Event] = []
        after: StripeId | None = None
        while True:
            page = await self.gateway.events(after=after)
            rows, after = [*rows, *page.rows], page.next_after
            if after is None:
                break
        events = [event for event in reversed(rows) if event.event_id not in self._heard]
        if shuffled is not None:
            shuffled(events)
        self._heard |= {event.event_id for event in events}
        for event in events:
            async with transaction(self.pool) as connection:
                await keep_event(connection, event, None, self.now_us())
        await self.drain()

    async def held(self, invoice_id: InvoiceId) -> Held:
        """The invoice and its awards as they stand."""
        async with acquire(self.pool) as connection:
            return await read_invoice(connection, invoice_id)

    async def story(self, invoice_id: InvoiceId) -> list[str]:
        """What was told, in short."""
        async with acquire(self.pool) as connection:
            return [line.kind for line in await story_of(connection, invoice_id, [])]

    async def waiting(self) -> list[tuple[str, str]]:
        """Operations that a person looks at, with their words."""
        async with acquire(self.pool) as connection:
            rows = await connection.fetch(
                "select operation, note from settlement_op where state = 'HELD' order by op_id"
            )
        return [(row["operation"], row["note"]) for row in rows]

    async def balances(self) -> dict[str, int]:
        """Every balance of the books that is not zero."""
        async with acquire(self.pool) as connection:
            return await balances_of(connection)

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """The simulator's objects of a kind, the oldest first."""
        return list(self.engine.store.oldest_first(kind))

    def at_stripe_minor(self) -> int:
        """What its books say that we have: the sum of all nets."""
        return sum(row["net"] for row in self.rows("balance_transaction"))


@asynccontextmanager
async def settling(
    database_url: str,
    more: Callable[[Pool, PaymentProvider], Mapping[str, Handler]] | None = None,
) -> AsyncIterator[Settling]:
    """A worker on a simulator that begins when the sale of `an_invoice` ends."""
    pool = await open_pool(database_url, name="test", max_connections=8)
    engine = Engine(Store(), lambda: CLOSED / SECOND_US)
    http: stripe.HTTPClient = InProcess(engine)
    gateway = StripeGateway("sk_test_simulator", http_client=http)
    try:
        yield Settling(pool, engine, gateway, more(pool, gateway) if more else None)
    finally:
        pool.terminate()


def named(*award_ids: str) -> Sequence[AwardId]:
    return [AwardId(award_id) for award_id in award_ids]
