"""After each sale of the open house its simulated winners pay, fetch, claim and accept.

They do it at the pace of life, by the same services as the pages; what a visitor has won is left to
the visitor. Nobody waits for claims windows to pass: who is content accepts at once, so that the
seller is sent its money while one looks on. That somebody does not pay takes days, and is seen in
``demo --fast``.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from accounts.audit import OPERATOR, Actor
from accounts.clock import DAY_US
from accounts.identity import Role
from accounts.team import make_person
from auction.ids import SaleId
from foundation.database import acquire, transaction
from settlement.ids import AwardId
from settlement.lives import AwardState, PaymentState
from settlement.payouts.onboarding import Onboarding
from settlement.payouts.payees import Payees
from settlement.rows import AwardRow, InvoiceRow, award_row, invoice_row
from settlement.stripe_simulator.accounts import onboarded
from settlement.stripe_simulator.engine import Engine
from softclose.demo.acting import People, Staff
from softclose.demo.catalogue import LIQUIDATOR
from softclose.demo.people import YOU
from softclose.demo.people import People as Everybody
from softclose.demo.settled import Settled, added_up, take_cards
from softclose.house import House

# Each step takes a second or two; who looks on may see them come.
LOOK_S: Final = 0.5
PATIENCE_S: Final = 150.0
# The seller's account was made with the house; it is played that it has had it for this long, since
# nothing is sent to an account that is younger than the policy says.
LONG_AGO_US: Final = 30 * DAY_US
ADDRESS: Final = "127.0.0.1"

_LONG_AGO: Final = "update payee set changed_at_us = $2 where payee_id = $1"
_ORGANISATION: Final = "select organisation_id from person where person_id = $1"
_BEING_INVOICED: Final = """
select count(*) from settlement_op where operation in ('award', 'invoice')
and (subject = $1 or subject like $1 || '~%') and state = 'WAITING'
"""
_UNSENT: Final = """
select count(*) from payable join award using (award_id)
where award.sale_id = $1 and buyer_id <> 'your-resale-business' and kind = 'LIQUIDATOR'
and payable.state not in ('SENT', 'NETTED')
"""


class StillWaiting(Exception):
    """What was waited for did not come; the house goes on without it."""


class Winners:
    """They act in the open house. ``stripe`` is its simulator."""

    def __init__(self, house: House, stripe: Engine, people: Everybody) -> None:
        self._house, self._stripe, self._everybody = house, stripe, people
        self._people: People

    async def furnish(self) -> None:
        """A second person of staff, cards for the simulated resellers, the seller's account."""
        self._people = People(
            self._house.resources.pool,
            self._house.settlement,
            self._stripe,
            await self._staff(),
            self._house.host.clock.now_us,
        )
        pool, gateway = self._house.resources.pool, self._house.stripe.gateway
        now_us = self._people.now_us
        seller = Actor(self._everybody.seller, ADDRESS)
        async with transaction(pool) as connection:
            await take_cards(connection)
        payees = Payees(pool, now_us, self._house.settlement.ring)
        await payees.connect(seller, LIQUIDATOR, email="liquidator@example.com")
        account_id = await self._account(payees)
        self._stripe.run(lambda work: onboarded(work, account_id))
        await Onboarding(pool, gateway, now_us).refresh(LIQUIDATOR)
        for buyer_id in self._everybody.tokens:
            await self._people.save_card(buyer_id)

    async def settle(self, sale_id: SaleId) -> Settled:
        """See a sale through, as far as its simulated winners can. Raises `StillWaiting`."""
        async with acquire(self._house.resources.pool) as connection:
            await connection.execute(_LONG_AGO, LIQUIDATOR, self._people.now_us() - LONG_AGO_US)
        invoices = await self._until_invoiced(sale_id)
        for row in invoices:
            if row.payment is PaymentState.AWAITING_FUNDS:
                await self._people.send_money(row)
        await self._until(sale_id, AwardState.FUNDED)
        claimed: AwardId | None = None
        for buyer_id in sorted({row.invoice.buyer_id for row in invoices}):
            for dock_id, awards in (await self._people.ready(buyer_id)).items():
                pickup = await self._people.book(buyer_id, dock_id, awards)
                await self._people.load(pickup)
                if claimed is None:
                    claimed = await self._people.claim(pickup)
        await self._accept(sale_id)
        await self._until(sale_id, AwardState.RELEASED)
        await self._until_sent(sale_id)
        return await self._agreed()

    async def _agreed(self) -> Settled:
        """What it came to, once Stripe's own books of it are here too."""
        async for _ in self._looks():
            settled = await added_up(self._house.resources.pool)
            if settled.balanced:
                break
        return settled

    async def _staff(self) -> Staff:
        """The person whom a visitor may be, and another, whom nobody is."""
        room = self._house.resources.accounts
        async with transaction(room.pool) as connection:
            organisation_id = await connection.fetchval(_ORGANISATION, self._everybody.staff)
            chief = await make_person(
                connection, organisation_id,
                mail="chief@example.com", name="Demo chief (simulated)", zone="America/Chicago",
                roles=frozenset({Role.SETTLEMENT}), password_hash=None,
                actor=OPERATOR, now_us=room.clock(),
            )  # fmt: skip
        return Staff(clerk=Actor(self._everybody.staff, ADDRESS), chief=Actor(chief, ADDRESS))

    async def _account(self, payees: Payees) -> str:
        async for _ in self._looks():
            shown = await payees.read(LIQUIDATOR)
            if shown.connected is not None and shown.connected.account_id is not None:
                return str(shown.connected.account_id)
        raise StillWaiting("the seller has no account")

    async def _until_invoiced(self, sale_id: SaleId) -> list[InvoiceRow]:
        """Invoices that are paid by card or ask for a transfer."""
        async for _ in self._looks():
            async with acquire(self._house.resources.pool) as connection:
                waiting = await connection.fetchval(_BEING_INVOICED, sale_id)
            rows = await self._invoices(sale_id)
            begun = (PaymentState.PAID, PaymentState.AWAITING_FUNDS)
            if rows and not waiting and all(row.payment in begun for row in rows):
                return rows
        raise StillWaiting("an invoice is not being paid")

    async def _until(self, sale_id: SaleId, state: AwardState) -> None:
        """Until each award has come so far, or is where it stays."""
        order = list(AwardState)
        async for _ in self._looks():
            rows = await self._awards(sale_id)
            if all(order.index(row.state) >= order.index(state) for row in rows):
                return
        raise StillWaiting(f"an award is not {state}")

    async def _until_sent(self, sale_id: SaleId) -> None:
        """Until the seller has its money; a consignor is paid later, by what was agreed."""
        async for _ in self._looks():
            async with acquire(self._house.resources.pool) as connection:
                if not await connection.fetchval(_UNSENT, sale_id):
                    return
        raise StillWaiting("the seller was not sent its money")

    async def _accept(self, sale_id: SaleId) -> None:
        """Everybody is content with what is not claimed."""
        for row in await self._awards(sale_id):
            if row.state is AwardState.HANDED_OVER:
                await self._house.settlement.acceptances.accept(
                    row.buyer_id, OPERATOR, row.award_id
                )

    async def _looks(self) -> AsyncIterator[None]:
        for _ in range(int(PATIENCE_S / LOOK_S)):
            yield
            await asyncio.sleep(LOOK_S)

    async def _invoices(self, sale_id: SaleId) -> list[InvoiceRow]:
        async with acquire(self._house.resources.pool) as connection:
            rows = await connection.fetch(
                "select * from invoice where sale_id = $1 and buyer_id <> $2", sale_id, YOU
            )
        return [invoice_row(row) for row in rows]

    async def _awards(self, sale_id: SaleId) -> list[AwardRow]:
        async with acquire(self._house.resources.pool) as connection:
            rows = await connection.fetch(
                "select * from award where sale_id = $1 and buyer_id <> $2", sale_id, YOU
            )
        return [award_row(row) for row in rows]
