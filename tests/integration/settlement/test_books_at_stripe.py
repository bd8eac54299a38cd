"""Random money at the simulator, booked with planted differences: just those are found, and when
they are mended the books are Stripe's to the cent."""

from random import Random

import pytest

from auction.ids import BidderId, LiquidatorId
from foundation.database import Pool, acquire, open_pool, transaction
from settlement import postings as p
from settlement import postings_house as h
from settlement.chart import BANK, STRIPE, buyer_credit, consignor_payable
from settlement.entries import About, Entry, reversal
from settlement.ids import ConsignorId, StripeId
from settlement.ledger import post
from settlement.payment_objects import BalanceTransaction, MethodKind
from settlement.reconciliation.matching import GRACE_US, BreakKind
from settlement.reconciliation.reconcile import reconcile
from settlement.reconciliation.room import FOR_EVER, books_operations
from settlement.reconciliation.standing import standing
from settlement.steps import want
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator.accounts import onboarded
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.faults import Trouble, Weather
from settlement.stripe_simulator.in_process import InProcess
from settlement.stripe_simulator.store import Store
from settlement.worker import Worker
from tests.books import NOON_US, booked
from tests.reconciling import broken, left_open

BUYER, CONSIGNOR = BidderId("acme"), ConsignorId(BidderId("target"))
MUCH = 1_000_000_000
K = BreakKind
PLANTED = (None, None, None, K.MISSING_IN_LEDGER, K.MISSING_AT_STRIPE, K.AMOUNT, K.FEE, K.CURRENCY)


class Money:
    """What happens at Stripe."""

    def __init__(self, seed: int) -> None:
        self.rng, self.engine = Random(seed), Engine(Store(), lambda: NOON_US / 1_000_000)
        self.gateway = StripeGateway("sk_test_simulator", http_client=InProcess(self.engine))
        self._keys = 0

    def now_us(self) -> int:
        return self.engine.now * 1_000_000

    def key(self) -> str:
        self._keys += 1
        return f"k:{self._keys}:1"

    async def happens(self) -> None:
        """Charges by three cards, one of which is disputed, refunds, transfers and payouts."""
        charges = [charge for card in CARDS for charge in await self._charged(card)]
        account = await self.gateway.create_account(self.key(), email="s@example.com")
        self.engine.run(lambda work: onboarded(work, account.account_id))
        for charge_id, amount in charges:
            if self.rng.random() < 0.6:
                await self.gateway.refund(
                    self.key(), charge_id=charge_id, amount_minor=amount // 4, currency="USD"
                )
            if self.rng.random() < 0.6:
                sent = await self.gateway.transfer(
                    self.key(), account_id=account.account_id, amount_minor=amount // 4,
                    currency="USD", source_charge_id=charge_id,
                )  # fmt: skip
                if self.rng.random() < 0.5:
                    await self.gateway.reverse(
                        self.key(), sent.transfer_id, amount_minor=amount // 9
                    )
            self.engine.move(self.rng.randrange(1, 90_000))
        self.engine.move(5 * 86_400)
        await self.gateway.pay_out(self.key(), amount_minor=1_000, currency="USD")

    async def _charged(self, card: str) -> list[tuple[StripeId, int]]:
        buyer = await self.gateway.create_customer(self.key(), email="b@example.com", name="B")
        begun = await self.gateway.start_setup(
            self.key(), customer_id=buyer.customer_id, kind=MethodKind.CARD
        )
        saved = await self.gateway.confirm_setup(
            self.key(), begun.setup_id, method_id=StripeId(card)
        )
        assert saved.method_id is not None
        found = []
        for _ in range(self.rng.randrange(2, 6)):
            amount = self.rng.choice((5_000, 5_000, self.rng.randrange(5_000, 90_000)))
            made = await self.gateway.create_payment(
                self.key(), amount_minor=amount, currency="USD", customer_id=buyer.customer_id,
                kind=MethodKind.CARD,
            )  # fmt: skip
            await self.gateway.confirm_payment(
                self.key(), made.payment_id, method_id=saved.method_id
            )
            taken = await self.gateway.capture_payment(self.key(), made.payment_id)
            assert taken.charge_id is not None
            found.append((taken.charge_id, amount))
        return [] if card == DISPUTED else found  # what is disputed cannot be refunded

    async def rows(self) -> list[BalanceTransaction]:
        """All of Stripe's rows, the oldest first."""
        rows: list[BalanceTransaction] = []
        after: StripeId | None = None
        while True:
            page = await self.gateway.balance_transactions(
                since_us=0, before_us=self.now_us() + 1_000_000, after=after
            )
            rows += page.rows
            after = page.next_after
            if after is None:
                return rows[::-1]


DISPUTED = "pm_card_createDispute"
CARDS = ("pm_card_visa", "pm_card_mastercard", DISPUTED)


def true_entries(number: int, row: BalanceTransaction, **change: int | str) -> list[Entry]:
    """What books a row of Stripe's, but for the change."""
    amount = int(change.get("amount", abs(row.amount_minor)))
    about = About(
        subject=f"E{number}",
        generation=int(change.get("generation", 1)),
        at_us=row.made_at_us,
        currency=str(change.get("currency", row.currency)),
        stripe_ids=(StripeId(row.source_id or ""),),
    )
    fee = int(change.get("fee", row.fee_minor))
    match row.category:
        case "charge":
            fees = [p.processing_fee(about, fee)] if fee and number % 2 else []
            return [p.bank_funding(about, BUYER, amount), *fees]
        case "refund":
            return [h.credit_refunded(about, BUYER, amount)]
        case "transfer":
            return [h.consignor_paid(about, CONSIGNOR, amount, STRIPE)]
        case "transfer_reversal":
            return [p.transfer_reversed(about, LiquidatorId("north"), amount, 0)]
        case "payout":
            return [h.payout(about, amount)]
        case "dispute":
            return [p.chargeback(about, amount, fee)]
    raise AssertionError(row.category)


def planted(
    number: int, row: BalanceTransaction, plant: BreakKind | None
) -> tuple[list[Entry], dict[str, str], list[Entry], list[Entry]]:
    """The entries with a difference, the break that it is, those that are wrong, and those that
    are missing."""
    right = true_entries(number, row)
    again = true_entries(number, row, generation=2)
    its = {str(row.transaction_id): str(plant)}
    if plant is K.MISSING_IN_LEDGER:
        return [], its, [], right
    if plant is K.MISSING_AT_STRIPE and len(right) == 1 and row.category != "charge":
        return [*right, *again], {again[0].key: str(plant)}, again, []
    if plant is K.AMOUNT:
        wrong = true_entries(number, row, amount=abs(row.amount_minor) + 700)
        return wrong, its, wrong[:1], again[:1]
    if plant is K.FEE and row.fee_minor and number % 2:
        wrong = true_entries(number, row, fee=row.fee_minor + 9)
        fees = slice(1, 2) if row.category == "charge" else slice(0, 1)
        return wrong, its, wrong[fees], again[fees]
    if plant is K.CURRENCY and row.category == "charge":
        wrong = true_entries(number, row, currency="EUR")
        return wrong, its, wrong, again
    return right, {}, [], []


@pytest.fixture
async def pool(database_url: str) -> Pool:
    return await open_pool(database_url, name="test")


@pytest.mark.parametrize("seed", range(4))
async def test_just_the_planted_differences_are_found_and_mended(pool: Pool, seed: int) -> None:
    stripe = Money(seed)
    await stripe.happens()
    rows = await stripe.rows()
    assert {row.category for row in rows} >= {"charge", "dispute", "payout", "transfer"}
    expected: dict[str, str] = {}
    wrong: list[Entry] = []
    missing: list[Entry] = []
    async with transaction(pool) as connection:
        start = About(subject="start", at_us=NOON_US, currency="USD")
        own = About(subject="own", at_us=NOON_US, currency="USD", note="what is owed to them")
        credit, owed = buyer_credit(BUYER), consignor_payable(CONSIGNOR)
        await post(
            connection,
            [
                p.bank_funding(start, BUYER, MUCH, into=BANK),
                h.adjustment(own, credit, owed, MUCH // 2),
            ],
        )
        for number, row in enumerate(rows):
            entries, breaks, bad, left = planted(number, row, stripe.rng.choice(PLANTED))
            await post(connection, entries)
            expected |= breaks
            wrong += bad
            missing += left
    await _reconciled(pool, stripe, seed)
    async with acquire(pool) as connection:
        assert await broken(connection) == expected
        now = await standing(connection, "USD")
        assert now.stripe_minor == sum(row.net_minor for row in rows)
        assert now.on_its_way_minor == 0
        assert bool(now.exceptions) == bool(expected)
        await booked(
            connection,
            *(reversal(entry, stripe.now_us(), "it was wrong") for entry in wrong),
            *missing,
        )
        async with connection.transaction():
            await reconcile(connection, stripe.now_us())
        assert await broken(connection) == {}
        assert await left_open(connection) == ([], [])
        assert (await standing(connection, "USD")).agrees
    pool.terminate()


async def _reconciled(pool: Pool, stripe: Money, seed: int) -> None:
    """Taken in by the worker while answers are lost, until all is known."""
    async with transaction(pool) as connection:
        await want(connection, FOR_EVER, stripe.now_us())
    worker = Worker(pool, books_operations(pool, stripe.gateway), stripe.now_us)
    trouble = {Trouble.LOST_ANSWER: 200, Trouble.NO_EFFECT: 200, Trouble.SERVER_ERROR: 100}
    stripe.engine.faults.set_weather(Weather(seed, trouble))
    for _ in range(20):
        await worker.drain()
        stripe.engine.move(60)
    stripe.engine.faults.clear()
    for _ in range(3):
        stripe.engine.move(GRACE_US // 1_000_000)
        await worker.drain()
