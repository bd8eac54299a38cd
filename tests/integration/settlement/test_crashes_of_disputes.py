"""Killed at each await of a dispute: its money is booked once, and the books are Stripe's."""

import pytest

from auction.ids import BidderId, SaleId
from foundation.database import acquire, transaction
from settlement.ids import InvoiceId
from settlement.lives import PaymentState
from settlement.payments.dispute_words import DisputeState
from settlement.steps import Wanted, want
from settlement.stripe_simulator import disputes
from tests.disputing import sends
from tests.integration.settlement.test_crashes_of_payments import killed_everywhere
from tests.settling import Settling, settling

# What is killed leaves coroutines that nobody awaits, and complains to nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

_P = PaymentState
TWO_THOUSAND = 2_489_75


async def disputed(room: Settling) -> str:
    """The bank disputes the latest charge; nobody has heard of it."""
    charge_id = room.rows("charge")[-1]["id"]
    row = room.engine.run(
        lambda work: disputes.opened(work, charge_id, "fraudulent", None, inquiry=False)
    )
    return str(row["id"])


def won(room: Settling, dispute_id: str) -> None:
    room.engine.run(lambda work: disputes.decided(work, dispute_id, won=True))


async def wanted(room: Settling, operation: str, dispute_id: str, **more: object) -> None:
    arguments = {"dispute_id": dispute_id, **more}
    asked = Wanted(operation=operation, subject=dispute_id, arguments=arguments)
    async with transaction(room.pool) as connection:
        await want(connection, [asked], room.now_us())


async def read(room: Settling) -> None:
    """Whatever happens to the disputes at the simulator is read once more by all of them."""
    async with acquire(room.pool) as connection:
        rows = await connection.fetch("select dispute_id from payment_dispute")
    for row in rows:
        arguments = {"dispute_id": row["dispute_id"]}
        again = Wanted(
            operation="read_dispute", subject=row["dispute_id"], generation=2, arguments=arguments
        )
        async with transaction(room.pool) as connection:
            await want(connection, [again], room.now_us())
    await room.drain()


async def by_card(room: Settling, number: int) -> InvoiceId:
    sale_id = SaleId(f"S{number}")
    invoice_id = await room.invoice(500_00, sale_id=sale_id, at_us=room.now_us())
    await room.drain()
    return invoice_id


async def test_of_one_that_is_lost_when_it_is_first_heard_of(database_url: str) -> None:
    async with settling(database_url) as room:
        await room.buyer()

        async def begins(number: int) -> InvoiceId:
            invoice_id = await by_card(room, number)
            dispute_id = await disputed(room)
            room.engine.run(lambda work: disputes.decided(work, dispute_id, won=False))
            await wanted(room, "read_dispute", dispute_id)
            return invoice_id

        assert await killed_everywhere(room, database_url, begins, _P.REFUNDED, 1) > 20
        before = await room.balances()
        assert set(before) == {"stripe_balance", "stripe_fees", "dispute_fees"}
        await read(room)
        assert await room.balances() == before
        assert await room.waiting() == []


async def test_of_a_partly_paid_invoice(database_url: str) -> None:
    async with settling(database_url) as room:

        async def begins(number: int) -> InvoiceId:
            buyer_id = BidderId(f"buyer{number}")
            customer_id = await room.buyer(card=None, buyer_id=buyer_id)
            invoice_id = await room.invoice(
                2_000_00, 3_000_00, buyer_id=buyer_id, sale_id=SaleId(f"S{number}"),
                at_us=room.now_us(),
            )  # fmt: skip
            await room.drain()
            await sends(room, customer_id, TWO_THOUSAND)
            await wanted(room, "read_dispute", await disputed(room))
            return invoice_id

        last = await killed_everywhere(room, database_url, begins, _P.PARTLY_FUNDED, 3)
        assert last > 20
        rows = await room.pool.fetch("select open_disputes from invoice")
        assert {row["open_disputes"] for row in rows} == {1}
        assert (await room.balances())["disputes_pending"] == len(rows) * TWO_THOUSAND
        for row in room.rows("dispute"):
            won(room, row["id"])
        await read(room)
        assert "disputes_pending" not in await room.balances()
        assert (await room.balances())["stripe_balance"] == room.at_stripe_minor()
        assert await room.waiting() == []


async def test_of_money_that_is_on_no_invoice(database_url: str) -> None:
    async with settling(database_url) as room:
        customer_id = await room.buyer()
        invoice_id = await by_card(room, 1)

        async def begins(number: int) -> InvoiceId:
            await sends(room, customer_id, TWO_THOUSAND)
            await wanted(room, "read_dispute", await disputed(room))
            return invoice_id

        assert await killed_everywhere(room, database_url, begins, _P.PAID, 1) > 10
        count = len(room.rows("dispute"))
        assert (await room.balances())["disputes_pending"] == count * TWO_THOUSAND
        assert await room.waiting() == []


async def test_of_evidence_that_the_bank_believes(database_url: str) -> None:
    async with settling(database_url) as room:
        await room.buyer()

        async def begins(number: int) -> InvoiceId:
            invoice_id = await by_card(room, number)
            dispute_id = await disputed(room)
            await room.hears()
            evidence = {"uncategorized_text": "winning_evidence"}
            await wanted(
                room, "answer_dispute", dispute_id, evidence=evidence, submit=True, answers=0
            )
            return invoice_id

        assert await killed_everywhere(room, database_url, begins, _P.PAID, 2) > 20
        assert {row["state"] for row in await room.pool.fetch("select * from payment_dispute")} == {
            DisputeState.WON
        }
        sent = {row["evidence_details"]["submission_count"] for row in room.rows("dispute")}
        assert sent == {1}
        assert "disputes_pending" not in await room.balances()
        assert await room.waiting() == []


async def test_of_one_that_staff_let_go(database_url: str) -> None:
    async with settling(database_url) as room:
        await room.buyer()

        async def begins(number: int) -> InvoiceId:
            invoice_id = await by_card(room, number)
            dispute_id = await disputed(room)
            await room.hears()
            await wanted(room, "accept_dispute", dispute_id)
            return invoice_id

        assert await killed_everywhere(room, database_url, begins, _P.REFUNDED, 2) > 20
        assert set(await room.balances()) == {"stripe_balance", "stripe_fees", "dispute_fees"}
        assert await room.waiting() == []
