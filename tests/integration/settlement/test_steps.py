"""A step is written whole or not at all, by the two tables of lives, and of what is held."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from auction.catalog.goods import Condition, FreightTerms
from auction.ids import LiquidatorId, LotId
from auction.terms import Premium, PremiumTier
from foundation.database import AnyConnection, Pool, acquire, open_pool, transaction
from settlement import postings
from settlement.entries import About
from settlement.ids import AwardId, InvoiceId, award_id_of
from settlement.invoices import Invoice, invoices_of
from settlement.ledger import LedgerRefused
from settlement.lives import AwardState, IllegalMove, PaymentState
from settlement.rows import Goods, Held, NotFound, hold_award, hold_invoice, read_invoice
from settlement.steps import NOTHING, Step, Sums, Wanted, after, write
from settlement.story import Told, story_of
from tests.books import balances_of
from tests.builders import EBAY_TERMS
from tests.settlement_rules import CALENDAR, CLOSED, SALE, award, policy, tax_at

SELLER = LiquidatorId("north")
LATER = CLOSED + 60_000_000
TERMS = msgspec.structs.replace(EBAY_TERMS, premium=Premium((PremiumTier(0, 1_500),)))
AWARDS = [award("1"), award("2", 500_00)]
(INVOICE,) = invoices_of(SALE, TERMS, [(each, tax_at()) for each in AWARDS], policy(), CALENDAR)
ONE, TWO = (each.award_id for each in AWARDS)
GOODS = Goods(
    number="1",
    title="Pallet",
    condition=Condition.NEW,
    freight_terms=FreightTerms.BUYER_ARRANGED,
    pallets=1,
    units=10,
    retail_minor=5_000_00,
    weight_g=None,
    manifest_sha256="0" * 64,
)


async def issue(connection: AnyConnection, invoice: Invoice) -> None:
    """The invoice with its two awards, as they begin."""
    await connection.execute(
        """
        insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body,
            total_minor, zone, country, policy_version, issued_at_us, due_at_us, payment,
            changed_at_us)
        values ($1, $2, $3, $4, 'USD', $5, $6, 'America/Chicago', 'US', 1, $7, $8, 'DUE', $7)
        """,
        invoice.invoice_id, SALE, invoice.buyer_id, SELLER, msgspec.json.encode(invoice).decode(),
        invoice.total_minor, CLOSED, invoice.due_at_us,
    )  # fmt: skip
    for each in AWARDS:
        await connection.execute(
            """
            insert into award (award_id, sale_id, lot_id, generation, buyer_id, liquidator_id,
                invoice_id, currency, hammer_minor, body, goods, state, awarded_at_us,
                changed_at_us)
            values ($1, $2, $3, 1, $4, $5, $6, 'USD', $7, $8, $9, 'INVOICED', $10, $10)
            """,
            each.award_id, SALE, each.lot_id, each.buyer_id, SELLER, invoice.invoice_id,
            each.hammer_minor, msgspec.json.encode(each).decode(),
            msgspec.json.encode(GOODS).decode(), CLOSED,
        )  # fmt: skip


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test", max_connections=4)
    async with transaction(pool) as connection:
        await issue(connection, INVOICE)
    yield pool
    pool.terminate()


async def written(pool: Pool, step: Step, now_us: int = LATER) -> Held:
    """Write it, and what stands then."""
    async with transaction(pool) as connection:
        await write(connection, await hold_invoice(connection, INVOICE.invoice_id), step, now_us)
    return await standing(pool)


async def standing(pool: Pool) -> Held:
    async with acquire(pool) as connection:
        return await read_invoice(connection, INVOICE.invoice_id)


def captured(at_us: int = LATER) -> Step:
    """The whole invoice is paid by card."""
    about = About(
        subject=INVOICE.invoice_id, at_us=at_us, currency="USD", invoice_id=INVOICE.invoice_id
    )
    return Step(
        payments={INVOICE.invoice_id: PaymentState.PAID},
        awards={ONE: AwardState.FUNDED, TWO: AwardState.FUNDED},
        sums={INVOICE.invoice_id: Sums(paid_minor=INVOICE.total_minor)},
        operations=[Wanted(operation="fund", subject=ONE), Wanted(operation="fund", subject=TWO)],
        entries=[postings.capture(about, [line.money for line in INVOICE.lines])],
        story=[Told(kind="paid", invoice_id=INVOICE.invoice_id, facts={"by": "card"})],
        at_us=at_us,
    )


async def test_all_of_a_step_is_written(pool: Pool) -> None:
    held = await written(pool, captured(CLOSED + 5), now_us=LATER)
    invoice, one = held.invoiced, held.awards[ONE]
    assert (invoice.payment, invoice.paid_at_us) == (PaymentState.PAID, CLOSED + 5)
    assert (invoice.paid_minor, invoice.open_minor) == (INVOICE.total_minor, 0)
    assert (one.state, one.funded_at_us, one.changed_at_us) == ("FUNDED", CLOSED + 5, LATER)
    assert (invoice.version, one.version) == (3, 2)
    async with acquire(pool) as connection:
        wanted = await connection.fetch("select idempotency_key, due_at_us from settlement_op")
        assert {row[0]: row[1] for row in wanted} == {
            f"fund:{ONE}:1": LATER,
            f"fund:{TWO}:1": LATER,
        }
        assert (await balances_of(connection))["stripe_balance"] == INVOICE.total_minor
        (told,) = await story_of(connection, INVOICE.invoice_id, [])
        assert (told.kind, told.at_us, told.facts) == ("paid", LATER, {"by": "card"})


@pytest.mark.parametrize(
    "change",
    [
        Step(awards={ONE: AwardState.RELEASED}),
        Step(payments={INVOICE.invoice_id: PaymentState.CAPTURING}, awards={}),
    ],
)
async def test_a_move_that_the_life_has_not_is_refused_with_all_that_came_with_it(
    pool: Pool, change: Step
) -> None:
    before = await standing(pool)
    more = Step(
        story=[Told(kind="told", invoice_id=INVOICE.invoice_id)],
        operations=[Wanted(operation="fund", subject=ONE)],
        sums={INVOICE.invoice_id: Sums(paid_minor=1)},
    )
    with pytest.raises(IllegalMove):
        await written(pool, change + more)
    assert await standing(pool) == before
    async with acquire(pool) as connection:
        assert await connection.fetchval("select count(*) from settlement_op") == 0
        assert not await story_of(connection, INVOICE.invoice_id, [])


async def test_what_the_books_refuse_is_not_written_elsewhere_either(pool: Pool) -> None:
    about = About(subject=ONE, at_us=LATER, currency="USD")
    step = msgspec.structs.replace(captured(), entries=[postings.transfer_out(about, SELLER, 1)])
    with pytest.raises(LedgerRefused):
        await written(pool, step)
    assert (await standing(pool)).invoiced.payment is PaymentState.DUE


async def test_what_came_back_is_taken_off_and_nothing_falls_below_zero(pool: Pool) -> None:
    await written(pool, Step(sums={INVOICE.invoice_id: Sums(paid_minor=100, credited_minor=30)}))
    held = await written(pool, Step(sums={INVOICE.invoice_id: Sums(paid_minor=-40)}))
    assert (held.invoiced.paid_minor, held.invoiced.credited_minor) == (60, 30)
    assert held.invoiced.open_minor == INVOICE.total_minor - 90
    with pytest.raises(Exception, match="paid_minor"):
        await written(pool, Step(sums={INVOICE.invoice_id: Sums(paid_minor=-61)}))


async def test_an_operation_that_nobody_needs_any_more_is_dropped_unless_it_is_done(
    pool: Pool,
) -> None:
    wanted = [
        Wanted(operation="overdue", subject=INVOICE.invoice_id),
        Wanted(operation="a", subject="b"),
        Wanted(operation="held", subject="b"),
    ]
    await written(pool, Step(operations=wanted))
    async with acquire(pool) as connection:
        await connection.execute("update settlement_op set state = 'DONE' where operation = 'a'")
        await connection.execute("update settlement_op set state = 'HELD' where operation = 'held'")
    await written(pool, Step(drops=[each.idempotency_key for each in wanted]))
    async with acquire(pool) as connection:
        rows = await connection.fetch("select operation, state from settlement_op")
    found = {row[0]: row[1] for row in rows}
    assert found == {"overdue": "DROPPED", "a": "DONE", "held": "DROPPED"}


async def test_tries_are_counted(pool: Pool) -> None:
    assert (await written(pool, Step(tried=INVOICE.invoice_id))).invoiced.tries == 1
    assert (await written(pool, Step(tried=INVOICE.invoice_id))).invoiced.tries == 2


async def test_nothing_changes_nothing(pool: Pool) -> None:
    before = await standing(pool)
    assert await written(pool, NOTHING) == before


async def test_the_time_of_the_first_move_into_a_state_stays(pool: Pool) -> None:
    await written(pool, captured(CLOSED + 5))
    await written(pool, Step(awards={ONE: AwardState.HANDED_OVER}, at_us=CLOSED + 6))
    await written(pool, Step(awards={ONE: AwardState.ACCEPTED}, at_us=CLOSED + 7))
    await written(pool, Step(awards={ONE: AwardState.CLAIMED}, at_us=CLOSED + 8))
    held = await written(pool, Step(awards={ONE: AwardState.ACCEPTED}, at_us=CLOSED + 9))
    one = held.awards[ONE]
    times = (one.funded_at_us, one.handed_over_at_us, one.accepted_at_us)
    assert times == (CLOSED + 5, CLOSED + 6, CLOSED + 7)
    await written(pool, Step(payments={INVOICE.invoice_id: PaymentState.DISPUTED}))
    held = await written(pool, Step(payments={INVOICE.invoice_id: PaymentState.PAID}))
    assert held.invoiced.paid_at_us == CLOSED + 5


def test_two_steps_are_one_with_all_of_both() -> None:
    first, second = Step(drops=["a"], at_us=CLOSED), Step(drops=["b"], tried=INVOICE.invoice_id)
    both = first + second
    assert (both.drops, both.tried, both.at_us) == (("a", "b"), INVOICE.invoice_id, CLOSED)
    assert (second + Step(at_us=LATER)).at_us == LATER
    assert (second + Step(at_us=LATER)).tried == INVOICE.invoice_id
    paid = Step(payments={INVOICE.invoice_id: PaymentState.PAID})
    with pytest.raises(AssertionError, match="one move"):
        _ = paid + paid


async def test_what_is_held_after_a_step_is_what_the_tables_then_say(pool: Pool) -> None:
    before = await standing(pool)
    step = captured() + Step(tried=INVOICE.invoice_id)
    expected, found = after(before, step), await written(pool, step)

    def shown(held: Held) -> tuple[object, ...]:
        row = held.invoiced
        states = [each.state for each in held.awards.values()]
        return row.payment, row.paid_minor, row.credited_minor, row.tries, states

    assert shown(found) == shown(expected)


async def test_an_award_is_held_with_its_invoice_and_the_others_on_it(pool: Pool) -> None:
    async with transaction(pool) as connection:
        held = await hold_award(connection, TWO)
        assert list(held.awards) == [ONE, TWO]
        assert held.invoiced.invoice == INVOICE
        with pytest.raises(NotFound):
            await hold_award(connection, award_id_of(SALE, LotId("99")))
        with pytest.raises(NotFound):
            await hold_invoice(connection, InvoiceId("none"))


async def test_two_who_take_the_same_rows_come_one_after_the_other(pool: Pool) -> None:
    async with acquire(pool) as first, acquire(pool) as second:
        mine = first.transaction()
        await mine.start()
        await hold_award(first, AwardId(ONE))
        with pytest.raises(Exception, match="could not obtain lock"):
            async with second.transaction():
                await second.execute("select from invoice for update nowait")
        await mine.rollback()


async def test_sellers_systems_are_told_of_what_they_asked_for_in_the_step_itself(
    pool: Pool,
) -> None:
    async with acquire(pool) as connection:
        for webhook_id, owner, events in (
            ("wh-1", SELLER, ["award.paid", "award.released"]),
            ("wh-2", SELLER, ["lot.sold"]),
            ("wh-3", "rival", ["award.paid"]),
        ):
            await connection.execute(
                """
                insert into webhook (webhook_id, liquidator_id, url, secret, events, active,
                    note, since_us, version, changed_at_us, changed_by)
                values ($1, $2, 'https://example.com/', '\\x00', $3, true, '', 0, 1, 0, 'kim')
                """,
                webhook_id, owner, events,
            )  # fmt: skip
    await written(pool, captured())
    async with acquire(pool) as connection:
        told = await connection.fetch("select * from webhook_delivery order by lot_id")
    assert [(one["webhook_id"], one["type"], one["lot_id"]) for one in told] == [
        ("wh-1", "award.paid", "1"),
        ("wh-1", "award.paid", "2"),
    ]
    assert msgspec.json.decode(told[0]["payload"])["hammer_minor"] == 1_237_50
    with pytest.raises(IllegalMove):
        await written(pool, Step(awards={ONE: AwardState.RELEASED}))
    async with acquire(pool) as connection:
        assert await connection.fetchval("select count(*) from webhook_delivery") == 2
