"""Deposits held on cards: promised, renewed before they end, given back, kept; never twice."""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from accounts.audit import Actor
from accounts.ids import PersonId
from auction.ids import BidderId, SaleId
from foundation.database import AnyConnection, Pool, transaction
from settlement.buyer_operations import buyer_operations
from settlement.buyers import Buyers, NoSuchMethod
from settlement.deposit_life import Deposit, DepositState, deposit_subject
from settlement.deposit_operations import deposit_operations, deposit_readers
from settlement.deposit_rules import AskFor
from settlement.deposits import Deposits, entry_id_of
from settlement.ids import StripeId
from settlement.payment_objects import IntentStatus, MethodKind
from settlement.payments.dispute_bearing import bear
from settlement.payments.dispute_words import Bearer
from settlement.payments.handlers_dispute import DisputeReader
from settlement.payments.payers import TablePayers
from settlement.saved_methods import buyer_readers
from settlement.steps import Wanted, want
from settlement.stripe_gateway import StripeGateway
from settlement.stripe_simulator import Mood, Trouble
from tests.books import balances_of
from tests.integration.settlement.test_buyers import contact
from tests.stripe_house import HouseClock, StripeHouse, stripe_house

SALE, ACME = SaleId("S1"), BidderId("acme")
AMOUNT = 50_000
FIRST = entry_id_of("deposit~S1~acme", 1)
BACK = entry_id_of("deposit~S1~acme", 1, back=True)
PURSE = "buyer_credit:deposit~S1~acme"
_D = DepositState


@dataclass
class Book:
    """The book by which bidders are admitted, as far as it was told."""

    entries: dict[str, tuple[int, str | None]] = field(default_factory=dict)

    async def __call__(self, connection: AnyConnection, **told: Any) -> None:
        self.entries.setdefault(told["entry_id"], (told["amount_minor"], told["corrects"]))

    @property
    def sum_minor(self) -> int:
        return sum(amount for amount, _ in self.entries.values())


@dataclass
class Room:
    """What a test acts on."""

    house: StripeHouse
    buyers: Buyers
    deposits: Deposits
    book: Book

    async def saved(self, card: str = "pm_card_visa") -> StripeId:
        begun = await self.buyers.begin(ACME, MethodKind.CARD)
        done = await self.buyers.confirm(
            ACME, begun.setup_id, StripeId(card), return_url="https://a.example/back",
            address="192.0.2.1", user_agent="tests",
        )  # fmt: skip
        if done.status is IntentStatus.REQUIRES_ACTION:
            await self.house.running.control.authenticate(begun.setup_id)
            done = await self.buyers.finish(ACME, begun.setup_id)
        assert done.method_id is not None
        return done.method_id

    async def ask(self, method_id: StripeId) -> Deposit:
        return await self.deposits.ask(
            AskFor(
                sale_id=SALE,
                buyer_id=ACME,
                amount_minor=AMOUNT,
                currency="USD",
                method_id=method_id,
                return_url="https://a.example/deposit",
            )
        )

    async def held(self, card: str = "pm_card_visa") -> StripeId:
        method_id = await self.saved(card)
        await self.ask(method_id)
        await self.house.settled()
        assert await self.state() is _D.HELD
        return method_id

    async def now(self) -> Deposit:
        deposit = await self.deposits.of(SALE, ACME)
        assert deposit is not None
        return deposit

    async def state(self) -> DepositState:
        return (await self.now()).state

    async def release(self) -> None:
        async with transaction(self.house.pool) as connection:
            await self.deposits.release(connection, SALE, ACME)
        await self.house.settled()

    async def forfeit(self, amount_minor: int | None = None) -> int:
        async with transaction(self.house.pool) as connection:
            kept = await self.deposits.forfeit(connection, SALE, ACME, amount_minor)
        await self.house.settled()
        return kept

    async def payments(self) -> list[tuple[IntentStatus, int]]:
        """All that this buyer's deposits ever were at the provider, the newest first."""
        customer_id = await self.buyers.ensure_customer(ACME)
        rows = await self.house.stripe.v1.payment_intents.list_async({"customer": customer_id})
        return [(IntentStatus(row.status), row.amount_received or 0) for row in rows.data]

    async def held_back(self) -> list[str]:
        rows = await self.house.rows("select note from settlement_op where state = 'HELD'")
        return [row["note"] for row in rows]

    async def over(self) -> None:
        """The sale has ended, and is invoiced."""
        now_us = self.house.clock()
        async with transaction(self.house.pool) as connection:
            await want(connection, [Wanted(operation="invoice", subject=SALE)], now_us)
            await connection.execute(
                "update settlement_op set state = 'DONE' where operation = 'invoice'"
            )

    async def won(
        self, payment: str, state: str = "INVOICED", paid_at_us: int | None = None
    ) -> None:
        """An invoice of the buyer for one lot."""
        pool, now_us = self.house.pool, self.house.clock()
        await pool.execute(
            """
            insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body,
                total_minor, zone, country, policy_version, issued_at_us, due_at_us, payment,
                changed_at_us)
            values ('I1', $1, $2, 'north', 'USD', '{}', 1, 'UTC', 'US', 1, $3, $3, $4, $3)
            on conflict (invoice_id) do update set payment = excluded.payment
            """,
            SALE, ACME, now_us, payment,
        )  # fmt: skip
        await pool.execute(
            """
            insert into award (award_id, sale_id, lot_id, generation, buyer_id, liquidator_id,
                invoice_id, currency, hammer_minor, body, goods, state, awarded_at_us,
                changed_at_us, funded_at_us)
            values ('A1', $1, '1', 1, $2, 'north', 'I1', 'USD', 1, '{}', '{}', $4, $3, $3, $5)
            on conflict (award_id) do update set state = excluded.state
            """,
            SALE, ACME, now_us, state, paid_at_us,
        )  # fmt: skip

    async def balances(self) -> Mapping[str, int]:
        async with self.house.pool.acquire() as connection:
            return await balances_of(connection)

    async def stripe_difference(self) -> int:
        """Our balance at Stripe by our books, less that by Stripe's."""
        there = await self.house.stripe.balance()
        theirs = there.available_minor.get("USD", 0) + there.pending_minor.get("USD", 0)
        return (await self.balances()).get("stripe_balance", 0) - theirs


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Room]:
    made: list[Room] = []

    def parts(pool: Pool, stripe: StripeGateway, clock: HouseClock) -> Any:
        buyers, book = Buyers(pool, stripe, clock, contact), Book()
        deposits = Deposits(pool, stripe, clock, book)
        made.append(Room(None, buyers, deposits, book))  # type: ignore[arg-type]
        return (
            {**buyer_operations(buyers, stripe), **deposit_operations(deposits, stripe, pool)},
            {
                **buyer_readers(),
                **deposit_readers(deposits),
                "dispute": [DisputeReader(TablePayers())],
            },
        )

    async with stripe_house(database_url, parts, live=False, wall_s=time.time) as house:
        (one,) = made
        one.house = house
        yield one


async def test_a_deposit_is_promised_by_the_bank_and_counts(room: Room) -> None:
    await room.held()
    deposit = await room.now()
    assert deposit.capture_before_us is not None
    assert deposit.held_payment_id is not None
    payment = await room.house.stripe.payment(deposit.held_payment_id)
    assert (payment.status, payment.capturable_minor) == (IntentStatus.REQUIRES_CAPTURE, AMOUNT)
    assert room.book.entries == {FIRST: (AMOUNT, None)}
    assert await room.balances() == {}, "a promise is no entry"


async def test_who_asks_twice_has_one_promise(room: Room) -> None:
    method_id = await room.held()
    assert (await room.ask(method_id)).state is _D.HELD
    await room.house.settled()
    assert len(await room.payments()) == 1


@pytest.mark.parametrize("method_id", ["pm_of_another", "pm_card_visa"])
async def test_only_a_saved_card_of_ones_own_is_asked(room: Room, method_id: str) -> None:
    await room.saved()
    with pytest.raises(NoSuchMethod):
        await room.ask(StripeId(method_id))


async def test_a_declined_deposit_does_not_count_and_another_card_may_be_tried(room: Room) -> None:
    bad = await room.saved("pm_card_chargeCustomerFail")
    await room.ask(bad)
    await room.house.settled()
    deposit = await room.now()
    assert (deposit.state, deposit.declined) == (_D.DECLINED, "generic_decline")
    assert room.book.sum_minor == 0
    good = await room.saved()
    await room.ask(good)
    await room.house.settled()
    assert await room.state() is _D.HELD
    assert room.book.sum_minor == AMOUNT
    statuses = [status for status, _ in await room.payments()]
    assert statuses == [IntentStatus.REQUIRES_CAPTURE, IntentStatus.CANCELED]


async def test_the_bank_asks_the_buyer_who_answers(room: Room) -> None:
    await room.ask(await room.saved("pm_card_authenticationRequired"))
    await room.house.settled()
    assert await room.state() is _D.ACTION_REQUIRED
    asked = await room.deposits.question(SALE, ACME)
    assert asked.action is not None
    assert asked.action.url is not None
    await room.house.running.control.authenticate(asked.payment_id)
    await room.deposits.question(SALE, ACME)
    assert await room.state() is _D.HELD
    assert room.book.sum_minor == AMOUNT


async def test_a_buyer_that_does_not_come_back_is_told_of_by_an_event(room: Room) -> None:
    await room.ask(await room.saved("pm_card_authenticationRequired"))
    await room.house.settled()
    payment_id = (await room.now()).payment_id
    await room.house.running.control.authenticate(str(payment_id))
    await room.house.settled()
    assert await room.state() is _D.HELD


async def test_a_question_that_is_not_answered_ends_in_a_day(room: Room) -> None:
    await room.ask(await room.saved("pm_card_authenticationRequired"))
    await room.house.settled()
    for _ in range(50):
        await room.house.move(seconds=1_800)
        await room.house.drain()
    assert await room.state() is _D.DECLINED
    assert [status for status, _ in await room.payments()] == [IntentStatus.CANCELED]


async def test_a_promise_is_renewed_before_it_ends_and_only_then_given_up(room: Room) -> None:
    await room.held()
    first = await room.now()
    assert first.capture_before_us is not None
    # The first promise is of a buyer who is there: seven days; the next ones are shorter.
    for _ in range(20 * 24):
        await room.house.move(hours=1)
        await room.house.drain()
        statuses = [status for status, _ in await room.payments()]
        held = statuses.count(IntentStatus.REQUIRES_CAPTURE)
        assert held == 1, "it is held at any moment, and once"
    after = await room.now()
    assert after.state is _D.HELD
    assert after.tries >= 4
    assert room.book.entries == {FIRST: (AMOUNT, None)}
    assert await room.held_back() == []


async def test_where_the_bank_does_not_promise_again_the_old_promise_is_taken(room: Room) -> None:
    method_id = await room.held()
    await room.house.running.control.decline(method_id, times=1)
    for _ in range(7 * 24):
        await room.house.move(hours=1)
        await room.house.drain()
    deposit = await room.now()
    assert (deposit.state, deposit.taken_minor) == (_D.TAKEN, AMOUNT)
    assert room.book.sum_minor == AMOUNT, "it still counts"
    assert await room.balances() == {
        PURSE: AMOUNT,
        "stripe_balance": AMOUNT - 1_480,
        "stripe_fees": 1_480,
    }
    assert await room.stripe_difference() == 0
    await room.release()
    assert await room.state() is _D.RELEASED
    assert await room.balances() == {"stripe_balance": -1_480, "stripe_fees": 1_480}
    assert await room.stripe_difference() == 0
    assert room.book.sum_minor == 0


async def test_a_loser_gets_it_back_and_no_money_moves(room: Room) -> None:
    await room.held()
    await room.release()
    assert await room.state() is _D.RELEASED
    assert await room.payments() == [(IntentStatus.CANCELED, 0)]
    assert room.book.entries[BACK] == (-AMOUNT, FIRST)
    await room.release()
    assert await room.held_back() == []
    assert await room.balances() == {}


@pytest.mark.parametrize(
    ("asked_minor", "kept"), [(None, AMOUNT), (30_000, 30_000), (10**9, AMOUNT)]
)
async def test_who_does_not_pay_loses_it(room: Room, asked_minor: int | None, kept: int) -> None:
    await room.held()
    assert await room.forfeit(asked_minor) == kept
    deposit = await room.now()
    assert (deposit.state, deposit.forfeited_minor) == (_D.FORFEITED, kept)
    assert await room.payments() == [(IntentStatus.SUCCEEDED, kept)]
    assert (await room.balances())["forfeits"] == kept
    assert await room.stripe_difference() == 0
    assert await room.forfeit(asked_minor) == kept, "once"
    assert (await room.balances())["forfeits"] == kept
    assert room.book.sum_minor == 0


@pytest.mark.parametrize(("asked_minor", "kept"), [(None, AMOUNT), (30_000, 30_000)])
async def test_a_deposit_that_was_taken_is_kept_and_the_rest_goes_back(
    room: Room, asked_minor: int | None, kept: int
) -> None:
    method_id = await room.held()
    await room.house.running.control.decline(method_id)
    for _ in range(7 * 24):
        await room.house.move(hours=1)
        await room.house.drain()
    assert await room.forfeit(asked_minor) == kept
    assert await room.state() is _D.FORFEITED
    assert await room.forfeit(asked_minor) == kept, "once"
    balances = await room.balances()
    assert balances["forfeits"] == kept
    assert PURSE not in balances
    assert await room.stripe_difference() == 0


async def test_a_promise_that_ended_unseen_is_lost_and_counts_no_more(room: Room) -> None:
    await room.held()
    payment_id = (await room.now()).held_payment_id
    await room.house.stripe.cancel_payment("elsewhere", StripeId(str(payment_id)))
    await room.house.settled()
    assert await room.state() is _D.LOST
    assert room.book.sum_minor == 0
    assert await room.forfeit() == 0


async def test_a_forfeit_that_meets_an_ended_promise_keeps_nothing(room: Room) -> None:
    await room.held()
    await room.house.running.control.mood(Mood(held=True))
    payment_id = (await room.now()).held_payment_id
    await room.house.stripe.cancel_payment("elsewhere", StripeId(str(payment_id)))
    async with transaction(room.house.pool) as connection:
        assert await room.deposits.forfeit(connection, SALE, ACME) == AMOUNT
    await room.house.drain()
    assert await room.state() is _D.LOST
    assert await room.balances() == {}


async def test_a_release_overtakes_an_answer_that_is_under_way(room: Room) -> None:
    await room.ask(await room.saved())
    await room.release()
    assert await room.state() is _D.RELEASED
    statuses = [status for status, _ in await room.payments()]
    assert IntentStatus.REQUIRES_CAPTURE not in statuses
    assert room.book.sum_minor == 0
    assert await room.held_back() == []


async def test_a_renewal_that_is_under_way_is_given_up_with_the_rest(room: Room) -> None:
    await room.held()
    await room.house.move(days=6, hours=13)
    await room.house.running.control.mood(Mood(held=True))
    await room.house.running.control.fault(Trouble.NO_EFFECT, "POST /v1/payment_intents")
    await room.house.worker.drain()
    assert await room.state() is _D.RENEWING
    await room.house.running.control.mood(Mood())
    await room.release()
    assert await room.state() is _D.RELEASED
    assert {status for status, _ in await room.payments()} == {IntentStatus.CANCELED}


async def test_after_the_sale_who_won_nothing_gets_it_back(room: Room) -> None:
    await room.held()
    await room.house.move(hours=1)
    await room.house.drain()
    assert await room.state() is _D.HELD, "the sale goes on"
    await room.over()
    await room.house.move(hours=1)
    await room.house.settled()
    assert await room.state() is _D.RELEASED


async def test_who_won_gets_it_back_once_all_is_paid(room: Room) -> None:
    await room.held()
    await room.over()
    for payment in ("DUE", "AWAITING_FUNDS", "OVERDUE"):
        await room.won(payment)
        await room.house.move(hours=1)
        await room.house.drain()
        assert await room.state() is _D.HELD
    await room.won("PAID", "FUNDED", 1)
    await room.house.move(hours=1)
    await room.house.settled()
    assert await room.state() is _D.RELEASED


async def test_it_is_kept_of_who_defaulted(room: Room) -> None:
    await room.held()
    await room.over()
    await room.won("DEFAULTED", "VOID")
    await room.house.move(hours=1)
    await room.house.settled()
    assert await room.state() is _D.FORFEITED
    assert (await room.balances())["forfeits"] == AMOUNT


async def test_an_award_that_is_still_under_way_keeps_it(room: Room) -> None:
    await room.held()
    await room.over()
    async with transaction(room.house.pool) as connection:
        await want(
            connection,
            [Wanted(operation="award", subject="S1~1", arguments={"sale_id": SALE})],
            room.house.clock(),
        )
    await room.house.move(hours=1)
    await room.house.drain()
    assert await room.state() is _D.HELD


async def test_another_amount_than_ours_is_parked_and_not_guessed(room: Room) -> None:
    await room.ask(await room.saved())
    await room.house.pool.execute("update deposit set amount_minor = amount_minor - 1")
    await room.house.settled()
    assert await room.state() is _D.ASKED
    assert any("holds 50000 USD, not 49999 USD" in note for note in await room.held_back())


TROUBLES = (
    Trouble.LOST_ANSWER, Trouble.NO_EFFECT, Trouble.TRUNCATED, Trouble.CONFLICT,
    Trouble.RATE_LIMITED, Trouble.SERVER_ERROR_AFTER_EFFECT,
)  # fmt: skip
OPERATIONS = {
    "POST /v1/payment_intents": "held",
    "POST /v1/payment_intents/{id}/confirm": "held",
    "POST /v1/payment_intents/{id}/capture": "forfeit",
    "POST /v1/payment_intents/{id}/cancel": "release",
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_whatever_answer_is_lost_it_is_done_once(
    room: Room, trouble: Trouble, operation: str
) -> None:
    await room.house.running.control.mood(Mood(seed=1, repeat_per_mille=500, shuffled=True))
    method_id = await room.saved()
    await room.house.running.control.fault(trouble, operation)
    await room.ask(method_id)
    await room.house.settled()
    assert await room.state() is _D.HELD
    if OPERATIONS[operation] == "forfeit":
        assert await room.forfeit() == AMOUNT
        assert await room.payments() == [(IntentStatus.SUCCEEDED, AMOUNT)]
        assert (await room.balances())["forfeits"] == AMOUNT
    else:
        assert await room.payments() == [(IntentStatus.REQUIRES_CAPTURE, 0)]
        await room.release()
        assert await room.payments() == [(IntentStatus.CANCELED, 0)]
    assert await room.stripe_difference() == 0
    assert room.book.sum_minor == 0
    assert await room.held_back() == []


async def test_a_lost_answer_of_a_refund_gives_back_once(room: Room) -> None:
    method_id = await room.held()
    await room.house.running.control.decline(method_id)
    await room.house.move(days=6, hours=13)
    await room.house.settled()
    assert await room.state() is _D.TAKEN
    await room.house.running.control.fault(Trouble.SERVER_ERROR_AFTER_EFFECT, "POST /v1/refunds")
    await room.release()
    assert await room.state() is _D.RELEASED
    assert await room.stripe_difference() == 0
    assert PURSE not in await room.balances()


async def test_all_that_the_provider_tells_of_a_deposit_is_somebodys(room: Room) -> None:
    method_id = await room.held()
    await room.house.running.control.decline(method_id)
    await room.house.move(days=6, hours=13)
    await room.house.settled()
    await room.release()
    waiting = await room.house.rows("select type from stripe_event where outcome = 'WAITING'")
    assert waiting == []
    assert await room.held_back() == []


async def test_what_a_bank_takes_of_a_deposit_is_booked_at_once(room: Room) -> None:
    await room.held("pm_card_createDispute")
    await room.forfeit()
    await room.house.move(seconds=2)
    await room.house.settled()
    assert await room.held_back() == []
    (dispute,) = await room.house.rows("select * from payment_dispute")
    assert (dispute["deposit"], dispute["buyer_id"], dispute["state"]) == (
        deposit_subject(SALE, ACME), ACME, "OPEN",
    )  # fmt: skip
    assert (await room.balances())["disputes_pending"] == AMOUNT
    assert await room.stripe_difference() == 0


@pytest.mark.parametrize("kept", [True, False])
async def test_a_deposit_that_a_bank_took_back_is_borne_by_what_it_was(
    room: Room, kept: bool
) -> None:
    method_id = await room.held()
    await room.house.running.control.decline(method_id)
    await room.house.move(days=6, hours=13)
    await room.house.settled()
    assert await room.state() is _D.TAKEN
    if kept:
        await room.forfeit()
    (charge,) = await room.house.rows("select charge_id from deposit")
    control = room.house.running.control
    dispute_id = await control.open_dispute(charge["charge_id"])
    await control.decide_dispute(dispute_id, won=False)
    await room.house.settled()
    assert await room.state() is (_D.FORFEITED if kept else _D.LOST)
    assert room.book.sum_minor == 0
    bearer = Bearer.HOUSE if kept else Bearer.BUYER
    async with transaction(room.house.pool) as connection:
        row = await connection.fetchrow("select version from payment_dispute")
        assert row is not None
        await bear(
            connection, TablePayers(), dispute_id, bearer,
            Actor(person_id=PersonId("carol"), address="192.0.2.1"), room.house.clock(),
            version=row["version"],
        )  # fmt: skip
    balances = await room.balances()
    assert {"disputes_pending", "forfeits", PURSE}.isdisjoint(balances)
    assert await room.stripe_difference() == 0


async def test_without_any_webhook_all_of_it_works(room: Room) -> None:
    await room.house.running.control.mood(Mood(lose_per_mille=1_000))
    method_id = await room.held()
    await room.house.running.control.decline(method_id)
    await room.house.move(days=6, hours=13)
    await room.house.settled()
    assert await room.state() is _D.TAKEN
    await room.release()
    assert await room.state() is _D.RELEASED
