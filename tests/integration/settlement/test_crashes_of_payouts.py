"""The worker is killed at each await of a release, a transfer, a reversal and a payout: in the end
each was made once at Stripe, and the books say what Stripe says."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from foundation.database import Pool, acquire, open_pool
from settlement import postings as p
from settlement.chart import buyer_credit
from settlement.entries import AwardMoney
from settlement.ids import AwardId
from settlement.ledger_reading import read_stripe_balances
from settlement.lives import AwardState
from settlement.operations import LEASE_US
from settlement.payouts.handlers import payout_handlers
from settlement.payouts.platform import PlatformPayouts
from settlement.payouts.reversals import reversal_wanted
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator.accounts import onboarded
from settlement.stripe_simulator.engine import Engine
from settlement.stripe_simulator.in_process import InProcess
from settlement.stripe_simulator.store import Store
from settlement.worker import Worker
from tests.crashing import Life
from tests.payouts import CLERK, DRIVER, NORTH, OWNER, Mailbox, PayoutHouse, liquidator
from tests.settlement_rules import BUYER
from tests.stripe_house import HouseClock
from tests.stripe_places import KEY

# What is killed leaves coroutines that nobody awaits, and complains to nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

_A = AwardState


@dataclass
class Dying:
    """A house whose workers die; people's connections live."""

    dsn: str
    pool: Pool
    engine: Engine
    house: PayoutHouse

    async def process(self, life: Life) -> None:
        """A worker with connections of its own, until nothing is due."""
        pool = await open_pool(self.dsn, name="dies", max_connections=4)
        life.shuts(pool.terminate)

        def turn() -> Any:
            life.check()
            return _looking(life)

        gateway = StripeGateway(KEY, http_client=InProcess(self.engine, turn), retries=0)
        handlers = payout_handlers(pool, gateway, Mailbox(), "", self.house.clock)
        worker = Worker(pool, handlers, self.house.clock)
        while await worker.drain():
            life.check()
        pool.terminate()

    async def heals(self) -> None:
        """The leases run out, and another process does what is left; what pauses, the next."""
        for _ in range(4):
            self.moves(LEASE_US // 1_000_000 + 1)
            assert await Life().lived(lambda: self.process(Life()))
            if not await self.left():
                return

    async def left(self) -> list[dict[str, Any]]:
        """Operations that are not done, but for those that look again days later."""
        return await self.house.fetch(
            "select idempotency_key, state, note from settlement_op"
            " where state <> 'DONE' and operation not in ('close', 'read_payout')"
        )

    def moves(self, seconds: int) -> None:
        self.engine.move(seconds)
        self.house.clock.now_us = self.engine.now * 1_000_000

    async def killed_at_each_await(
        self,
        begin: Callable[[int], Awaitable[None]],
        check: Callable[[int], Awaitable[None]],
        least: int,
    ) -> None:
        """Begin something, kill the worker at its next await, heal, and look; until it lives."""
        last, lived = 0, False
        while not lived:
            last += 1
            await begin(last)
            life = Life(last)
            lived = await life.lived(lambda life=life: self.process(life))  # type: ignore[misc]
            await self.heals()
            await check(last)
            assert not await self.left(), f"killed at await {last}"
        assert last > least
        assert await self.difference_minor() == 0

    async def difference_minor(self) -> int:
        async with acquire(self.pool) as connection:
            booked = (await read_stripe_balances(connection)).get("USD", 0)
        return booked - await self.house.stripe_net_minor()


async def _looking(life: Life) -> None:
    life.check()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
async def dying(database_url: str) -> AsyncIterator[Dying]:
    """The seller's account takes transfers, and was not changed lately."""
    pool = await open_pool(database_url, name="people", max_connections=4)
    clock = HouseClock(1_790_000_000_000_000)
    engine = Engine(Store(), lambda: 1_790_000_000.0)
    stripe = StripeGateway(KEY, http_client=InProcess(engine))
    handlers = payout_handlers(pool, stripe, Mailbox(), "", clock)
    around = SimpleNamespace(
        pool=pool, clock=clock, stripe=stripe, worker=Worker(pool, handlers, clock)
    )
    house = PayoutHouse(around, Mailbox())  # type: ignore[arg-type]
    await liquidator(pool)
    await house.payees.connect(OWNER, NORTH, email="pay@example.com")
    await house.drain()
    shown = await house.payees.read(NORTH)
    assert shown.connected is not None
    account_id = str(shown.connected.account_id)
    engine.run(lambda work: onboarded(work, account_id))
    await house.onboarding.refresh(NORTH)
    one = Dying(database_url, pool, engine, house)
    one.moves(3 * 86_400)
    try:
        yield one
    finally:
        pool.terminate()


async def charged(dying: Dying, place: int) -> AwardId:
    """A lot that is paid, with the fee in the books."""
    house = dying.house
    award_id = await house.paid(str(place), 100_000)
    rows = await house.stripe.v1.balance_transactions.list_async({"limit": 1, "type": "charge"})
    await house.books(p.processing_fee(house.about(award_id), rows.data[0].fee))
    return award_id


async def test_an_accepted_lot_is_released_and_transferred_once(dying: Dying) -> None:
    house = dying.house
    made: dict[int, AwardId] = {}

    async def begin(place: int) -> None:
        made[place] = await charged(dying, place)
        await house.acceptances.accept(BUYER, DRIVER, made[place])

    async def check(place: int) -> None:
        assert (await house.award(made[place])).state is _A.PAID_OUT

    await dying.killed_at_each_await(begin, check, 60)
    rows = await house.stripe.v1.transfers.list_async({"limit": 100})
    sent = [row.amount async for row in rows.auto_paging_iter()]
    assert sent == [90_000] * len(made)
    assert "seller_payable:north" not in await house.balances()


async def test_what_a_seller_owes_is_taken_back_once(dying: Dying) -> None:
    house = dying.house
    award_id = await charged(dying, 1_000)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    begun: list[int] = []

    async def begin(place: int) -> None:
        begun.append(place)
        await house.books(
            p.claim_after_release(
                house.about(award_id, generation=place),
                NORTH,
                _back(award_id, 100),
                0,
                to=buyer_credit(BUYER),
            )
        )
        await house.wants(reversal_wanted(award_id, place, 100, "claim"))

    async def check(place: int) -> None:
        (transfer,) = await house.transferred()
        assert transfer[2] == 100 * len(begun)

    await dying.killed_at_each_await(begin, check, 30)
    assert "seller_receivable:north" not in await house.balances()


async def test_a_payout_to_the_bank_is_made_once(dying: Dying) -> None:
    house = dying.house
    award_id = await charged(dying, 1_000)
    await house.acceptances.accept(BUYER, DRIVER, award_id)
    await house.drain()
    dying.moves(8 * 86_400)
    payouts = PlatformPayouts(dying.pool, house.stripe, house.clock, lambda: None)
    await payouts.set_manual()
    begun: list[int] = []

    async def begin(place: int) -> None:
        begun.append(place)
        await payouts.ask(CLERK, "USD", 100)

    async def check(place: int) -> None:
        assert (await house.balances())["bank"] == 100 * len(begun)
        rows = await house.stripe.v1.payouts.list_async({"limit": 100})
        assert [row.amount for row in rows.data] == [100] * len(begun)

    await dying.killed_at_each_await(begin, check, 20)


def _back(award_id: AwardId, minor: int) -> AwardMoney:
    return AwardMoney(award_id=award_id, hammer_minor=minor)
