"""The buyer's bank takes money back: it is booked, frozen, and borne by whom it should be."""

from collections.abc import AsyncIterator

import pytest

from accounts.audit import Actor
from accounts.ids import PersonId
from foundation.database import transaction
from settlement.entries import AwardMoney
from settlement.ids import AwardId, InvoiceId
from settlement.ledger import post
from settlement.lives import AwardState, PaymentState
from settlement.payments.dispute_words import Fault
from settlement.payments.handlers_dispute import DisputeRefused, answer_dispute, set_fault
from settlement.postings import release, transfer_out
from settlement.releases import HeldBack, keeps_from_release
from settlement.steps import Wanted, want
from settlement.stripe_simulator import disputes
from tests.books import about
from tests.settling import NORTH, Settling, card_cap, settling

_P, _A = PaymentState, AwardState
WHOLE, FEE = 1_190_750, 34_562
STAFF = Actor(person_id=PersonId("carol"), address="192.0.2.1")


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as room:
        async with transaction(room.pool) as connection:
            await card_cap(connection, 99_999_999)
        yield room


async def paid(room: Settling, *hammers_minor: int) -> InvoiceId:
    await room.buyer()
    invoice_id = await room.invoice(*(hammers_minor or (1_000_000,)), rate_bps=1_000)
    await room.drain()
    return invoice_id


async def opens(room: Settling, amount_minor: int | None = None, *, inquiry: bool = False) -> str:
    """The buyer's bank disputes the charge."""
    charge = room.rows("charge")[0]["id"]
    row = room.engine.run(
        lambda work: disputes.opened(work, charge, "fraudulent", amount_minor, inquiry=inquiry)
    )
    await room.hears()
    return str(row["id"])


async def ends(room: Settling, dispute_id: str, *, won: bool) -> None:
    room.engine.run(lambda work: disputes.decided(work, dispute_id, won=won))
    await room.hears()


async def agrees(room: Settling) -> dict[str, int]:
    balances = await room.balances()
    assert balances.get("stripe_balance", 0) == room.at_stripe_minor()
    assert await room.waiting() == []
    return balances


async def claimed_and_released(room: Settling, invoice_id: InvoiceId) -> None:
    """As in the worked example: a claim of 12 %, then the release; and the seller is paid."""
    arguments = {
        "invoice_id": invoice_id,
        "award_id": "S1~1",
        "amount_minor": 142_890,
        "reason": "CLAIM",
        "hammer_minor": 120_000,
        "premium_minor": 12_000,
        "tax_minor": 10_890,
    }
    async with transaction(room.pool) as connection:
        wanted = Wanted(operation="refund", subject="claim-1", arguments=arguments)
        await want(connection, [wanted], room.now_us())
    await room.drain()
    kept = AwardMoney(award_id=AwardId("S1~1"), hammer_minor=880_000, premium_minor=88_000)
    its = about("S1~1", room.now_us(), award_id=AwardId("S1~1"))
    async with transaction(room.pool) as connection:
        await connection.execute("update award set state = 'PAID_OUT'")
        await post(
            connection, [release(its, NORTH, kept, 44_000), transfer_out(its, NORTH, 836_000)]
        )


async def test_a_dispute_freezes_the_release_and_is_won(room: Settling) -> None:
    invoice_id = await paid(room)
    dispute_id = await opens(room)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DISPUTED
    assert keeps_from_release(_A.ACCEPTED, _P.DISPUTED) is HeldBack.DISPUTED
    balances = await agrees(room)
    assert (balances["disputes_pending"], balances["dispute_fees"]) == (WHOLE, 1_500)
    await ends(room, dispute_id, won=True)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    balances = await agrees(room)
    assert "disputes_pending" not in balances
    assert balances["stripe_balance"] == WHOLE - FEE - 1_500


async def test_a_dispute_that_is_lost_while_the_money_is_held_is_borne_by_it(
    room: Settling,
) -> None:
    invoice_id = await paid(room)
    await ends(room, await opens(room), won=False)
    held = await room.held(invoice_id)
    assert held.invoiced.payment is _P.REFUNDED
    assert [award.state for award in held.awards.values()] == [_A.VOID]
    assert await agrees(room) == {
        "dispute_fees": 1_500,
        "stripe_balance": -FEE - 1_500,
        "stripe_fees": FEE,
    }


async def test_the_seller_misdescribed_and_bears_what_was_released(room: Settling) -> None:
    invoice_id = await paid(room)
    await claimed_and_released(room, invoice_id)
    dispute_id = await opens(room)
    async with transaction(room.pool) as connection:
        await set_fault(connection, dispute_id, Fault.SELLER, STAFF, room.now_us())
    await ends(room, dispute_id, won=False)
    balances = await room.balances()
    assert balances["seller_receivable:north"] == 836_000
    (back,) = await room.pool.fetch(
        "select * from settlement_op where operation = 'reverse_transfer'"
    )
    assert (back["subject"], '"amount_minor": 836000' in back["arguments"]) == ("S1~1", True)
    assert {"commission_income", "premium_income", "sales_tax:US-TX"}.isdisjoint(balances)
    assert (await room.held(invoice_id)).invoiced.payment is _P.REFUNDED
    assert "disputes_pending" not in balances


async def test_where_nobody_said_whose_fault_it_is_the_house_bears_it(room: Settling) -> None:
    await claimed_and_released(room, await paid(room))
    await ends(room, await opens(room), won=False)
    balances = await room.balances()
    assert balances["bad_debt"] == 968_000
    assert (balances["commission_income"], balances["premium_income"]) == (44_000, 88_000)
    assert "sales_tax:US-TX" not in balances


async def test_a_dispute_of_a_part_is_divided_among_the_lots(room: Settling) -> None:
    invoice_id = await paid(room, 1_000_000, 1_000_000)
    await ends(room, await opens(room, 200_001), won=False)
    held = await room.held(invoice_id)
    assert held.invoiced.payment is _P.PAID
    assert held.invoiced.credited_minor == 200_001
    assert [award.state for award in held.awards.values()] == [_A.FUNDED, _A.FUNDED]
    balances = await agrees(room)
    assert balances["held:S1~1"] + balances["held:S1~2"] < 2_000_000


async def test_a_bank_that_only_asks_takes_nothing(room: Settling) -> None:
    invoice_id = await paid(room)
    dispute_id = await opens(room, inquiry=True)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    await ends(room, dispute_id, won=False)
    assert "dispute_fees" not in await agrees(room)


async def test_events_that_come_twice_and_late_book_a_dispute_once(room: Settling) -> None:
    await paid(room)
    charge = room.rows("charge")[0]["id"]
    row = room.engine.run(
        lambda work: disputes.opened(work, charge, "fraudulent", None, inquiry=False)
    )
    room.engine.run(lambda work: disputes.decided(work, row["id"], won=False))
    await room.hears(shuffled=lambda events: events.reverse())
    await room.moves(hours=8)
    assert set(await agrees(room)) == {"dispute_fees", "stripe_balance", "stripe_fees"}


async def test_nothing_is_refunded_while_a_dispute_is_open(room: Settling) -> None:
    invoice_id = await paid(room)
    await opens(room)
    arguments = {
        "invoice_id": invoice_id,
        "award_id": "S1~1",
        "amount_minor": 5,
        "reason": "CLAIM",
    }
    async with transaction(room.pool) as connection:
        wanted = Wanted(operation="refund", subject="claim-1", arguments=arguments)
        await want(connection, [wanted], room.now_us())
    await room.drain()
    assert room.rows("refund") == []
    assert "to be decided" in (await room.waiting())[0][1]


async def test_evidence_is_handed_over_and_the_bank_believes_it(room: Settling) -> None:
    invoice_id = await paid(room)
    dispute_id = await opens(room)
    async with transaction(room.pool) as connection:
        evidence = {"uncategorized_text": "winning_evidence"}
        await answer_dispute(connection, dispute_id, evidence, STAFF, room.now_us())
    await room.drain()
    await room.hears()
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    async with transaction(room.pool) as connection:
        with pytest.raises(DisputeRefused):
            await set_fault(connection, dispute_id, Fault.SELLER, STAFF, room.now_us())
    await agrees(room)


async def test_what_is_released_does_not_go_back_as_if_it_were_held(room: Settling) -> None:
    invoice_id = await paid(room)
    await claimed_and_released(room, invoice_id)
    arguments = {
        "invoice_id": invoice_id,
        "award_id": "S1~1",
        "amount_minor": 100,
        "reason": "CANCELLED",
    }
    async with transaction(room.pool) as connection:
        wanted = Wanted(operation="refund", subject="late", arguments=arguments)
        await want(connection, [wanted], room.now_us())
    await room.drain()
    assert [row["amount"] for row in room.rows("refund")] == [142_890]
    assert "was it released?" in (await room.waiting())[0][1]


async def test_a_claim_after_the_release_goes_back_and_the_seller_owes_its_part(
    room: Settling,
) -> None:
    invoice_id = await paid(room)
    await claimed_and_released(room, invoice_id)
    arguments = {
        "invoice_id": invoice_id,
        "award_id": "S1~1",
        "amount_minor": 11_908,
        "reason": "CLAIM",
        "hammer_minor": 10_000,
        "premium_minor": 1_000,
        "tax_minor": 908,
        "after_release": True,
        "commission_minor": 500,
        "claim_id": "C1",
    }
    async with transaction(room.pool) as connection:
        wanted = Wanted(operation="refund", subject="C1", arguments=arguments)
        await want(connection, [wanted], room.now_us())
    await room.drain()
    balances = await room.balances()
    assert balances["seller_receivable:north"] == 9_500
    assert balances["commission_income"] == 43_500
    assert await room.waiting() == []
