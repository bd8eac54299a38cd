"""Settlement beside a market: its follower and its worker, done step by step by the test."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import stripe as stripe_sdk

from auction.cursors_postgres import PostgresCursors
from auction.ids import SaleId
from auction.terms import Premium, PremiumTier, Terms
from foundation.database import Pool, acquire, transaction
from foundation.http.routes import Route
from foundation.mail import Mail
from settlement.after_default.room import AfterDefault
from settlement.api_after_default import AfterDefaultApi
from settlement.api_confirmations import ConfirmationsApi
from settlement.confirming import Confirming
from settlement.following import Following
from settlement.ids import AwardId, InvoiceId
from settlement.lives import AwardState, PaymentState
from settlement.operations import SECOND_US, Handler
from settlement.payments.payers import TablePayers
from settlement.rows import AwardRow, InvoiceRow, award_row, hold_invoice, invoice_row
from settlement.steps import Step, Sums, Wanted, after, write
from settlement.story import story_of
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.in_process import InProcess
from settlement.stripe_simulator.store import Store
from settlement.worker import Worker
from softclose.settlement_operations import Means, handlers_of
from tests.builders import EBAY_TERMS, SALE
from tests.market import Market, market

# Cents can be bid, so that a price is what a test wants it to be.
CENTS: Final = msgspec.structs.replace(
    EBAY_TERMS, soft_close=None, premium=Premium((PremiumTier(0, 1_500),))
)


class Mailbox:
    """The mails of a test: everything lies here; ``trouble`` is raised instead, once each."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.trouble: list[Exception] = []

    async def send(self, mail: Mail) -> None:
        """See ``Mailer``."""
        if self.trouble:
            raise self.trouble.pop(0)
        self.mails.append(mail)

    def to(self, name: str) -> list[Mail]:
        """What somebody got, the oldest first."""
        return [mail for mail in self.mails if mail.to == f"{name.lower()}@example.com"]


@dataclass
class Settling:
    """A market, and settlement that does nothing by itself."""

    market: Market
    mailbox: Mailbox
    handlers: dict[str, Handler]
    worker: Worker
    after: AfterDefault
    provider: StripeGateway

    def now_us(self) -> int:
        """Engine time, which settlement goes by."""
        return self.market.clock.now_us()

    async def follow(self) -> int:
        """Take in what the log has; how many events."""
        await self.market.caught_up()
        following = Following(self.now_us)
        cursors = PostgresCursors(self.market.pool)
        taken = 0
        for shard, head in (await self.market.log.heads()).items():
            if head:
                taken += await following.follower(shard, cursors).step()
        return taken

    async def settle(self) -> None:
        """Take in what the log has, and do all that is due within seconds."""
        await self.follow()
        await self.worker.drain()
        self.market.clock.shift_us += 3 * SECOND_US  # invoices look again for their awards
        await self.worker.drain()

    async def passes(self, time_us: int) -> None:
        """So much time passes, and what is due by then is done."""
        self.market.clock.shift_us += time_us
        await self.settle()

    async def again(self, *operations: str) -> None:
        """Have what was done of these kinds done once more, as if nobody knew of it."""
        statement = """
        update settlement_op set state = 'WAITING', due_at_us = 0
        where operation = any($1) and state = 'DONE' returning 1
        """
        assert await self.fetch(statement, list(operations))
        await self.settle()

    async def gives_up(self, invoice_id: InvoiceId, *award_ids: AwardId) -> None:
        """As payments do with what an overdue invoice lacks: these lots, or all, are void."""
        now_us = self.now_us()
        async with transaction(self.market.pool) as connection:
            held = await hold_invoice(connection, invoice_id)
            void = award_ids or tuple(held.awards)
            paid = [award_id for award_id in held.awards if award_id not in void]
            first = Step(
                payments={invoice_id: PaymentState.OVERDUE},
                awards=dict.fromkeys(paid, AwardState.FUNDED),
            )
            await write(connection, held, first, now_us)
            lines = held.invoiced.invoice.lines
            lost_minor = sum(line.total_minor for line in lines if line.award_id in void)
            ends = PaymentState.PAID if paid else PaymentState.DEFAULTED
            step = Step(
                payments={invoice_id: ends},
                awards=dict.fromkeys(void, AwardState.VOID),
                sums={invoice_id: Sums(credited_minor=lost_minor)},
                operations=[Wanted(operation="defaulted", subject=invoice_id)],
            )
            await write(connection, after(held, first), step, now_us)
        await self.settle()

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """Rows of the tables."""
        async with acquire(self.market.pool) as connection:
            return list(await connection.fetch(statement, *values))

    async def awards(self, sale_id: str = SALE) -> dict[AwardId, AwardRow]:
        """The awards of a sale."""
        statement = "select * from award where sale_id = $1 order by award_id"
        rows = [award_row(row) for row in await self.fetch(statement, SaleId(sale_id))]
        return {row.award_id: row for row in rows}

    async def invoices(self, sale_id: str = SALE) -> list[InvoiceRow]:
        """The invoices of a sale, in the order of issue."""
        statement = "select * from invoice where sale_id = $1 order by number"
        return [invoice_row(row) for row in await self.fetch(statement, SaleId(sale_id))]

    async def operations(self) -> dict[str, Mapping[str, Any]]:
        """All operations by their idempotency keys."""
        rows = await self.fetch("select * from settlement_op order by op_id")
        return {row["idempotency_key"]: dict(row) for row in rows}

    async def story(self, *award_ids: AwardId, invoice_id: InvoiceId | None = None) -> list[str]:
        """What is told of them, by kind."""
        async with acquire(self.market.pool) as connection:
            return [told.kind for told in await story_of(connection, invoice_id, award_ids)]


# What other parts do; most tests here leave it undone.
CORE: Final = (
    "award", "invoice", "begin", "mail", "fund", "free", "defaulted", "suspend", "reinstate",
    "next_buyer", "consent_over", "offer_over", "relist", "collect_fee", "fees_from_credit",
)  # fmt: skip


@asynccontextmanager
async def settling(
    database_url: str, kinds: Sequence[str] | None = CORE
) -> AsyncIterator[Settling]:
    """The rooms for the block. ``kinds``: of operations that are done; None: every."""
    async with market(database_url, _routes) as running:
        yield beside(running, kinds)


def _routes(pool: Pool, now_us: Callable[[], int]) -> list[Route]:
    confirming = Confirming(pool, TablePayers(), now_us, lambda: None)
    parts = (AfterDefaultApi(AfterDefault.over(pool, now_us)), ConfirmationsApi(confirming))
    return [route for part in parts for route in part.routes()]


def beside(running: Market, kinds: Sequence[str] | None = CORE) -> Settling:
    """Settlement beside a market that runs; the payment provider goes by the market's clock."""
    mailbox = Mailbox()
    stripe = Engine(Store(), lambda: running.clock.now_us() / SECOND_US)
    http: stripe_sdk.HTTPClient = InProcess(stripe)
    provider = StripeGateway("sk_test_simulator", http_client=http)
    means = Means(
        pool=running.pool,
        log=running.log,
        engine=running.host.engine,
        mailer=mailbox,
        public_url="http://softclose.test",
        accounts=running.people.room,
        now_us=running.clock.now_us,
        provider=provider,
    )
    handlers = handlers_of(means)
    if kinds is not None:
        handlers = {kind: handlers[kind] for kind in kinds}
    worker = Worker(running.pool, handlers, running.clock.now_us)
    over = AfterDefault.over(running.pool, running.clock.now_us)
    return Settling(running, mailbox, handlers, worker, over, provider)


async def taxes(settling: Settling, **rates_ppm: int) -> None:
    """What these states take."""
    async with acquire(settling.market.pool) as connection:
        for region, rate_ppm in rates_ppm.items():
            await connection.execute(
                "update tax_rate set rate_ppm = $2 where region = $1", region, rate_ppm
            )


def terms_with(**changes: Any) -> Terms:
    """`CENTS`, but for the changes."""
    return msgspec.structs.replace(CENTS, **changes)
