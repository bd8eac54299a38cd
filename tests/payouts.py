"""Awards whose goods are with the buyer, paid by a real charge at the simulator, and the house that
pays out for them."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from accounts.audit import Actor
from accounts.ids import PersonId
from auction.consignment import AgreementTerms, CommissionTier
from auction.desk.agreements import Agreement, add_version
from auction.ids import ActorId, BidderId, LiquidatorId, LotId
from foundation.database import Pool, acquire, transaction
from foundation.mail import Mail
from settlement import postings as p
from settlement.accepting import Acceptances
from settlement.chart import sales_tax
from settlement.entries import About, AwardMoney, Entry
from settlement.ids import AwardId, ConsignorId, StripeId, TaxPlace
from settlement.invoices import invoices_of
from settlement.ledger import post
from settlement.lives import AwardState, PaymentState
from settlement.operations import Handler
from settlement.payouts.handlers import payout_handlers, payout_readers
from settlement.payouts.house_bank import HouseBankWords
from settlement.payouts.onboarding import Onboarding
from settlement.payouts.payee_rows import BankDetails
from settlement.payouts.payees import Payees
from settlement.rows import AwardRow, InvoiceRow, read_award
from settlement.steps import Wanted, want
from settlement.stripe_gateway import StripeGateway
from settlement.webhook_inbox import Readers
from tests.books import balances_of
from tests.paid_lots import goods
from tests.settlement_rules import CALENDAR, CHICAGO, SALE, award, policy, premium_of, tax_at
from tests.stripe_house import HouseClock, StripeHouse, stripe_house

NORTH = LiquidatorId("north")
TARGET = ConsignorId(BidderId("target"))
OWNER = Actor(PersonId("person-owner"), "198.51.100.9")
CLERK = Actor(PersonId("person-clerk"), "192.0.2.7")
CHIEF = Actor(PersonId("person-chief"), "192.0.2.8")
DRIVER = Actor(PersonId("person-buyer"), "198.51.100.4")
DAY_US = 24 * 3_600_000_000
# Wells Fargo's and Bank of America's, which everybody may know.
BANK = BankDetails(holder="North Salvage LLC", routing="121000248", account="000123456789")
OTHER_BANK = BankDetails(holder="North Salvage LLC", routing="026009593", account="44556677")

WORDS = HouseBankWords(
    bank_name="Wells Fargo",
    destination="121000248",
    origin="1234567890",
    company_name="Softclose",
    company_id="1987654321",
)

_INVOICE = """
insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body, total_minor,
    zone, country, policy_version, issued_at_us, due_at_us, payment, paid_minor, paid_at_us,
    changed_at_us)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'US', 1, $9, $9, 'PAID', $7, $9, $9)
"""
_AWARD = """
insert into award (award_id, sale_id, lot_id, generation, buyer_id, liquidator_id, consignor_id,
    invoice_id, currency, hammer_minor, body, goods, state, awarded_at_us, funded_at_us,
    handed_over_at_us, changed_at_us)
values ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11, 'HANDED_OVER', $12, $12, $12, $12)
"""


@dataclass
class Mailbox:
    """The mails that were sent."""

    mails: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        """See ``Mailer``."""
        self.mails.append(mail)


@dataclass
class PayoutHouse:
    """What runs, with its services."""

    house: StripeHouse
    mailbox: Mailbox

    @property
    def pool(self) -> Pool:
        return self.house.pool

    @property
    def clock(self) -> HouseClock:
        return self.house.clock

    @property
    def stripe(self) -> StripeGateway:
        return self.house.stripe

    @property
    def acceptances(self) -> Acceptances:
        return Acceptances(self.pool, self.clock, lambda: None)

    @property
    def payees(self) -> Payees:
        return Payees(self.pool, self.clock, lambda: None)

    @property
    def onboarding(self) -> Onboarding:
        return Onboarding(self.pool, self.stripe, self.clock)

    async def drain(self) -> None:
        """All that is due now."""
        while await self.house.worker.drain():
            pass

    async def passes(self, *, days: int = 0, hours: int = 0, seconds: int = 0) -> None:
        """Time passes, here and at Stripe, and what came due is done."""
        await self.house.move(days=days, hours=hours, seconds=seconds)
        await self.drain()

    async def award(self, award_id: AwardId) -> AwardRow:
        async with acquire(self.pool) as connection:
            return (await read_award(connection, award_id)).awards[award_id]

    async def invoice(self, award_id: AwardId) -> InvoiceRow:
        async with acquire(self.pool) as connection:
            return (await read_award(connection, award_id)).invoiced

    async def balances(self) -> dict[str, int]:
        async with acquire(self.pool) as connection:
            return await balances_of(connection)

    async def fetch(self, statement: str, *values: object) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.pool.fetch(statement, *values)]

    async def books(self, *entries: Entry) -> None:
        async with transaction(self.pool) as connection:
            await post(connection, list(entries))

    async def wants(self, *operations: Wanted) -> None:
        async with transaction(self.pool) as connection:
            await want(connection, operations, self.clock())

    async def told(self, award_id: AwardId) -> list[str]:
        rows = await self.fetch(
            "select kind from story_line where award_id = $1 order by story_id", award_id
        )
        return [row["kind"] for row in rows]

    async def transferred(self) -> list[tuple[str, int, int]]:
        """At Stripe: to whom, how much, and what of it was taken back; the oldest first."""
        rows = await self.stripe.v1.transfers.list_async({"limit": 100})
        made = [(str(row.destination), row.amount, row.amount_reversed) for row in rows.data]
        return list(reversed(made))

    async def stripe_net_minor(self) -> int:
        """What Stripe's own books sum to."""
        rows = await self.stripe.v1.balance_transactions.list_async({"limit": 100})
        return sum([row.net async for row in rows.auto_paging_iter()])

    async def paid(
        self,
        lot: str = "12",
        hammer_minor: int = 1_000_000,
        *,
        consignor: str | None = None,
        rate_bps: int = 1_000,
        charge: bool = True,
    ) -> AwardId:
        """A lot of the worked example: paid by card and fetched by its buyer."""
        sold = award(lot, hammer_minor)
        bear = [(sold, tax_at())]
        (made,) = invoices_of(SALE, premium_of(rate_bps), bear, policy(), CALENDAR, int(lot))
        now_us, json = self.clock(), msgspec.json.encode
        ids = await self.charged(made.total_minor) if charge else ()
        async with transaction(self.pool) as connection:
            await connection.execute(
                *(_INVOICE, made.invoice_id, SALE, made.buyer_id, NORTH, made.currency),
                *(json(made).decode(), made.total_minor, CHICAGO, now_us),
            )
            await connection.execute(
                *(_AWARD, sold.award_id, SALE, sold.lot_id, sold.buyer_id, NORTH, consignor),
                *(made.invoice_id, made.currency, hammer_minor, json(sold).decode()),
                *(json(goods(lot)).decode(), now_us),
            )
            about = self.about(made.invoice_id, invoice_id=made.invoice_id, stripe_ids=ids)
            await post(connection, [p.capture(about, [line.money for line in made.lines])])
        return sold.award_id

    def about(self, subject: str, **more: Any) -> About:
        return About(subject=subject, at_us=self.clock(), currency="USD", **more)

    async def commission(self, rate_bps: int) -> None:
        """What the house takes of this liquidator."""
        await self.pool.execute(
            "insert into liquidator_commission values ($1, 'USD', 0, $2, 0, 0, 'test')",
            NORTH,
            rate_bps,
        )

    async def payment_is(self, award_id: AwardId, state: PaymentState) -> None:
        """What the part that sees to payments would have come to."""
        row = await self.award(award_id)
        await self.pool.execute(
            "update invoice set payment = $2 where invoice_id = $1", row.invoice_id, state
        )

    async def award_is(self, award_id: AwardId, state: AwardState) -> None:
        """What another part would have come to."""
        await self.pool.execute(
            "update award set state = $2, version = version + 1 where award_id = $1",
            award_id,
            state,
        )

    async def connected(self, payee_id: str = NORTH) -> StripeId:
        """An account at Stripe that takes transfers, and is not frozen any more."""
        await self.payees.connect(OWNER, payee_id, email="pay@example.com")
        await self.drain()
        shown = await self.payees.read(payee_id)
        assert shown.connected is not None and shown.connected.account_id is not None
        await self.house.running.control.onboard(shown.connected.account_id)
        await self.onboarding.refresh(payee_id)
        await self.passes(days=2)
        return shown.connected.account_id

    async def has_bank(self, payee_id: str = NORTH, details: BankDetails = BANK) -> None:
        """A bank account that is not frozen any more."""
        await self.payees.set_bank(OWNER, payee_id, details)
        await self.passes(days=2)

    async def consigns(self, lot: str, pallets: int = 4, **changes: Any) -> None:
        """The lot's goods are the consignor's, under an agreement of 12 % and 18.00 a pallet."""
        async with transaction(self.pool) as connection:
            known = await connection.fetchval(
                "select true from consignor where consignor_id = $1", TARGET
            )
            if not known:
                await connection.execute(
                    "insert into consignor (consignor_id, liquidator_id, name, contact, note,"
                    " version, created_at_us, changed_at_us, changed_by, organisation_id)"
                    " values ($1, $2, 'Target Stores', '', '', 1, 0, 0, 'test', null)",
                    TARGET,
                    NORTH,
                )
            agreed = Agreement(
                agreement_id=f"agreement-{lot}",
                version=1,
                consignor_id=TARGET,
                name="Agreement",
                valid_from=date(2020, 1, 1),
                terms=_terms(**changes),
                note="",
                made_at_us=0,
                made_by=ActorId("test"),
            )
            await add_version(connection, agreed)
            await connection.execute(
                "insert into consigned_lot values ($1, $2, $3, $4, 1, $5, '', '', '')",
                SALE,
                LotId(lot),
                TARGET,
                agreed.agreement_id,
                pallets,
            )

    async def charged(self, amount_minor: int) -> tuple[StripeId, ...]:
        """A card is charged."""
        intent = await self.stripe.v1.payment_intents.create_async(
            {
                "amount": amount_minor,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "confirm": True,
            }
        )
        return (StripeId(str(intent.latest_charge)),)


def part(award_id: AwardId, hammer: int, premium: int, tax: int) -> AwardMoney:
    """A part of an award's money, taxed where the award's goods lie."""
    return AwardMoney(
        award_id=award_id,
        hammer_minor=hammer,
        premium_minor=premium,
        tax_minor=tax,
        tax_place=sales_tax(TaxPlace("US-TX")),
    )


def _terms(**changes: Any) -> AgreementTerms:
    """12 % of everything, and 18.00 a pallet."""
    settings: dict[str, Any] = {"fee_per_pallet_minor": 18_00} | changes
    return AgreementTerms(commission=(CommissionTier(0, 1_200),), **settings)


async def liquidator(pool: Pool) -> None:
    """A liquidator with its owner, and the people who act."""
    async with transaction(pool) as connection:
        await connection.execute(
            "insert into organisation (organisation_id, kind, name, currency, created_at_us)"
            " values ($1, 'LIQUIDATOR', 'North Salvage', 'USD', 0)",
            NORTH,
        )
        await connection.execute(
            "insert into person (person_id, organisation_id, mail, name, time_zone,"
            " created_at_us) values ($1, $2, 'owner@example.com', 'Olive Owner', 'UTC', 0)",
            OWNER.person_id,
            NORTH,
        )
        await connection.execute(
            "insert into membership (person_id, role) values ($1, 'admin')", OWNER.person_id
        )
        for staff, name in ((CLERK, "clerk"), (CHIEF, "chief"), (DRIVER, "driver")):
            await connection.execute(
                "insert into person (person_id, organisation_id, mail, name, time_zone,"
                " created_at_us) values ($1, $2, $3, $3, 'UTC', 0)",
                *(staff.person_id, NORTH, f"{name}@example.com"),
            )


@asynccontextmanager
async def payout_house(database_url: str) -> AsyncIterator[PayoutHouse]:
    """The house for the block, with a liquidator and its owner."""
    mailbox = Mailbox()

    def parts(
        pool: Pool, stripe: StripeGateway, clock: HouseClock
    ) -> tuple[Mapping[str, Handler], Readers]:
        handlers = payout_handlers(pool, stripe, mailbox, "https://softclose.example", clock)
        return handlers, {kind: [reader] for kind, reader in payout_readers().items()}

    async with stripe_house(
        database_url, parts, webhooks=False, live=False, wall_s=time.time
    ) as house:
        await liquidator(house.pool)
        yield PayoutHouse(house, mailbox)
