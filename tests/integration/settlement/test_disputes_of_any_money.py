"""Disputes of invoices in any state: frozen at once, booked as money moves, ended one by one."""

from collections.abc import AsyncIterator

import pytest

from foundation.database import acquire, transaction
from settlement.accepting import Accept
from settlement.after_default.cancelling import kept_from
from settlement.after_default.words import AfterRefusal
from settlement.ids import InvoiceId, StripeId
from settlement.lives import AwardState, PaymentState
from settlement.operations import Handler
from settlement.payments.backs import refundable
from settlement.payments.dispute_words import Bearer, DisputeState
from settlement.pickups.pickup_table import why_not_handed_over
from settlement.pickups.words import PickupRefusal
from settlement.releasing import Releasing
from settlement.steps import Wanted, want
from settlement.stripe_simulator import disputes
from settlement.stripe_simulator.work import Work
from tests.disputing import (
    accepts,
    agrees,
    bears,
    ends,
    escalates,
    kept,
    moves,
    opens,
    sends,
    states,
)
from tests.settling import Settling, card_cap, settling

_P, _A = PaymentState, AwardState
# Of lots of 2,000.00 and 3,000.00: premium 15 %, tax 8.25 % of both.
TWO_THOUSAND, THREE_THOUSAND = 2_489_75, 3_734_63
FEE = 1_500


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    releases: dict[str, Handler] = {"release": Releasing(), "accept": Accept()}
    async with settling(database_url, lambda *_: releases) as room:
        yield room


async def partly_paid(room: Settling, more_minor: int = 0) -> tuple[InvoiceId, StripeId]:
    """The first of two lots is paid by a transfer, and perhaps a part of the second."""
    customer_id = await room.buyer(card=None)
    invoice_id = await room.invoice(2_000_00, 3_000_00)
    await room.drain()
    await sends(room, customer_id, TWO_THOUSAND + more_minor)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PARTLY_FUNDED
    return invoice_id, customer_id


async def by_card(room: Settling, *hammers_minor: int) -> InvoiceId:
    await room.buyer()
    async with transaction(room.pool) as connection:
        await card_cap(connection, 99_999_999)
    invoice_id = await room.invoice(*hammers_minor)
    await room.drain()
    return invoice_id


async def pallets(room: Settling, award_id: str, gone: int, of: int) -> None:
    """A truck has taken some of a lot's pallets."""
    async with transaction(room.pool) as connection:
        for number in range(1, of + 1):
            await connection.execute(
                "insert into award_pallet (pallet_id, award_id, number, gone_at_us) "
                "values ($1, $2, $3, $4)",
                f"{award_id}-{number}",
                award_id,
                number,
                room.now_us() if number <= gone else None,
            )


async def test_a_dispute_of_a_partly_paid_invoice_freezes_its_lots_while_the_rest_comes(
    room: Settling,
) -> None:
    invoice_id, customer_id = await partly_paid(room)
    dispute_id = await opens(room)
    invoiced = (await room.held(invoice_id)).invoiced
    assert (invoiced.payment, invoiced.standing) == (_P.PARTLY_FUNDED, _P.DISPUTED)
    balances = await agrees(room)
    assert (balances["disputes_pending"], balances["dispute_fees"]) == (TWO_THOUSAND, FEE)
    await accepts(room, "S1~1")
    assert await states(room, invoice_id) == [_A.ACCEPTED, _A.INVOICED]
    await sends(room, customer_id, THREE_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DISPUTED
    assert await states(room, invoice_id) == [_A.ACCEPTED, _A.FUNDED]
    await ends(room, dispute_id, won=True)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    await room.moves(hours=2)
    assert (await states(room, invoice_id))[0] is _A.RELEASED


async def test_while_it_is_open_the_goods_stay_and_nothing_is_taken_back_or_accepted(
    room: Settling,
) -> None:
    invoice_id, _ = await partly_paid(room)
    dispute_id = await opens(room)
    held = await room.held(invoice_id)
    first = next(iter(held.awards.values()))
    assert why_not_handed_over(first, held) is PickupRefusal.DISPUTED
    assert kept_from(first, held) is AfterRefusal.DISPUTED
    async with transaction(room.pool) as connection:
        never_fetched = Wanted(operation="accept", subject=first.award_id)
        await want(connection, [never_fetched], room.now_us())
    given = {"evidence": {"uncategorized_text": "signed for"}}
    room.engine.run(lambda work: disputes.update(work, given, dispute_id))
    await room.moves(days=30)
    assert (await states(room, invoice_id))[0] is _A.FUNDED
    await ends(room, dispute_id, won=True)
    await room.moves(days=1)
    assert (await states(room, invoice_id))[0] in (_A.ACCEPTED, _A.RELEASED)


async def test_won_before_the_rest_has_come_the_invoice_waits_for_it_as_before(
    room: Settling,
) -> None:
    invoice_id, customer_id = await partly_paid(room)
    await ends(room, await opens(room), won=True)
    invoiced = (await room.held(invoice_id)).invoiced
    assert (invoiced.standing, invoiced.open_minor) == (_P.PARTLY_FUNDED, THREE_THOUSAND)
    await sends(room, customer_id, THREE_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    await agrees(room)


async def test_lost_before_the_rest_has_come_the_other_lot_can_still_be_paid(
    room: Settling,
) -> None:
    invoice_id, customer_id = await partly_paid(room)
    await ends(room, await opens(room), won=False)
    invoiced = (await room.held(invoice_id)).invoiced
    assert (invoiced.payment, invoiced.paid_minor) == (_P.PARTLY_FUNDED, 0)
    assert (invoiced.credited_minor, invoiced.open_minor) == (TWO_THOUSAND, THREE_THOUSAND)
    assert await states(room, invoice_id) == [_A.VOID, _A.INVOICED]
    await sends(room, customer_id, THREE_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert await states(room, invoice_id) == [_A.VOID, _A.FUNDED]
    assert (await agrees(room))["held:S1~2"] == 3_000_00


async def test_lost_and_the_rest_never_paid_the_buyer_has_paid_nothing(room: Settling) -> None:
    invoice_id, _ = await partly_paid(room)
    await ends(room, await opens(room), won=False)
    await room.moves(days=8)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DEFAULTED
    assert await states(room, invoice_id) == [_A.VOID, _A.VOID]
    assert "buyer_credit:buyer" not in await agrees(room)


async def test_what_is_kept_for_the_invoice_bears_a_loss_before_its_lots(room: Settling) -> None:
    invoice_id, customer_id = await partly_paid(room, 100_00)
    dispute_id = await opens(room, 150_00)
    await ends(room, dispute_id, won=False)
    balances = await agrees(room)
    assert "buyer_credit:buyer" not in balances
    assert "disputes_pending" not in balances
    invoiced = (await room.held(invoice_id)).invoiced
    assert (invoiced.credited_minor, invoiced.open_minor) == (50_00, THREE_THOUSAND)
    await sends(room, customer_id, THREE_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    await agrees(room)


async def test_a_lot_of_which_pallets_have_left_is_not_void_and_its_rest_stays(
    room: Settling,
) -> None:
    invoice_id = await by_card(room, 2_000_00, 3_000_00)
    await pallets(room, "S1~1", gone=1, of=3)
    await pallets(room, "S1~2", gone=0, of=2)
    await ends(room, await opens(room), won=False)
    held = await room.held(invoice_id)
    assert held.invoiced.payment is _P.REFUNDED
    assert await states(room, invoice_id) == [_A.CLOSED, _A.VOID]
    first = next(iter(held.awards.values()))
    assert why_not_handed_over(first, held) is PickupRefusal.DISPUTED
    assert [words for kind, words in await room.waiting() if kind == "look"] != []
    balances = await room.balances()
    assert balances["stripe_balance"] == room.at_stripe_minor()
    assert set(balances) == {"stripe_balance", "stripe_fees", "dispute_fees"}


async def test_the_rest_of_a_lost_lot_stays_although_other_lots_are_paid(room: Settling) -> None:
    invoice_id, customer_id = await partly_paid(room)
    await pallets(room, "S1~1", gone=2, of=3)
    await ends(room, await opens(room), won=False)
    await sends(room, customer_id, THREE_THOUSAND)
    held = await room.held(invoice_id)
    assert held.invoiced.payment is _P.PAID
    first, second = held.awards.values()
    assert (first.state, second.state) == (_A.CLOSED, _A.FUNDED)
    assert why_not_handed_over(first, held) is PickupRefusal.DISPUTED
    assert why_not_handed_over(second, held) is None


async def test_a_lot_that_was_fetched_and_lost_whole_comes_to_its_end(room: Settling) -> None:
    invoice_id = await by_card(room, 2_000_00)
    dispute_id = await opens(room)
    await accepts(room, "S1~1")
    await ends(room, dispute_id, won=False)
    await room.moves(hours=2)
    assert (await room.held(invoice_id)).invoiced.payment is _P.REFUNDED
    assert await states(room, invoice_id) == [_A.CLOSED]
    await agrees(room)


async def test_several_disputes_keep_an_invoice_until_the_last_is_over(room: Settling) -> None:
    invoice_id = await by_card(room, 2_000_00, 3_000_00)
    first = await opens(room, 100_00)
    second = await opens(room, 200_00)
    assert (await room.held(invoice_id)).invoiced.open_disputes == 2
    assert (await agrees(room))["disputes_pending"] == 300_00
    await ends(room, first, won=True)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DISPUTED
    await ends(room, second, won=False)
    invoiced = (await room.held(invoice_id)).invoiced
    assert (invoiced.payment, invoiced.credited_minor) == (_P.PAID, 200_00)
    assert "disputes_pending" not in await agrees(room)


async def test_disputes_of_parts_that_are_all_lost_leave_nothing_of_the_invoice(
    room: Settling,
) -> None:
    invoice_id = await by_card(room, 2_000_00)
    parts = [await opens(room, minor) for minor in (1_000_00, TWO_THOUSAND - 1_000_00)]
    for dispute_id in parts:
        await ends(room, dispute_id, won=False)
    assert (await room.held(invoice_id)).invoiced.payment is _P.REFUNDED
    assert await states(room, invoice_id) == [_A.VOID]
    assert set(await agrees(room)) == {"stripe_balance", "stripe_fees", "dispute_fees"}


async def test_an_inquiry_takes_nothing_until_it_becomes_a_dispute(room: Settling) -> None:
    invoice_id = await by_card(room, 2_000_00)
    dispute_id = await opens(room, inquiry=True)
    assert (await kept(room, dispute_id)).state is DisputeState.INQUIRY
    await escalates(room, dispute_id)
    assert (await room.held(invoice_id)).invoiced.payment is _P.DISPUTED
    assert (await agrees(room))["disputes_pending"] == TWO_THOUSAND
    await ends(room, dispute_id, won=False)
    assert (await room.held(invoice_id)).invoiced.payment is _P.REFUNDED
    await agrees(room)


async def test_what_comes_back_in_parts_is_booked_in_parts_and_won_once_it_is_all_here(
    room: Settling,
) -> None:
    invoice_id = await by_card(room, 2_000_00)
    dispute_id = await opens(room)
    await moves(room, dispute_id, 1_000_00, "won")
    assert (await kept(room, dispute_id)).state is DisputeState.OPEN
    assert (await room.held(invoice_id)).invoiced.payment is _P.DISPUTED
    assert (await agrees(room))["disputes_pending"] == TWO_THOUSAND - 1_000_00
    await moves(room, dispute_id, TWO_THOUSAND - 1_000_00)
    assert (await kept(room, dispute_id)).state is DisputeState.WON
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert "disputes_pending" not in await agrees(room)


async def test_what_comes_back_twice_is_booked_and_pending_with_the_other_sign(
    room: Settling,
) -> None:
    invoice_id = await by_card(room, 2_000_00)
    dispute_id = await opens(room)
    await ends(room, dispute_id, won=True)
    await moves(room, dispute_id, TWO_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert (await agrees(room))["disputes_pending"] == -TWO_THOUSAND
    assert (await kept(room, dispute_id)).waits_for_bearer
    await moves(room, dispute_id, -TWO_THOUSAND)  # Stripe has noticed
    assert (await room.held(invoice_id)).invoiced.payment is _P.PAID
    assert "disputes_pending" not in await agrees(room)


async def test_a_dispute_that_was_won_and_is_lost_after_all_is_borne(room: Settling) -> None:
    invoice_id = await by_card(room, 2_000_00)
    dispute_id = await opens(room)
    await ends(room, dispute_id, won=True)
    await moves(room, dispute_id, -TWO_THOUSAND, "lost")
    assert (await room.held(invoice_id)).invoiced.payment is _P.REFUNDED
    assert await states(room, invoice_id) == [_A.VOID]
    assert set(await agrees(room)) == {"stripe_balance", "stripe_fees", "dispute_fees"}


async def test_money_of_a_lost_dispute_that_comes_back_waits_for_a_person(room: Settling) -> None:
    invoice_id = await by_card(room, 2_000_00)
    dispute_id = await opens(room)
    await ends(room, dispute_id, won=False)
    await moves(room, dispute_id, TWO_THOUSAND, "won")
    assert (await agrees(room))["disputes_pending"] == -TWO_THOUSAND
    assert (await kept(room, dispute_id)).waits_for_bearer
    assert (await room.held(invoice_id)).invoiced.payment is _P.REFUNDED


async def test_a_dispute_after_a_part_was_refunded_takes_what_is_left(room: Settling) -> None:
    invoice_id = await by_card(room, 2_000_00)
    await refunds(room, invoice_id, 489_75)
    await ends(room, await opens(room), won=False)
    assert (await room.held(invoice_id)).invoiced.payment is _P.REFUNDED
    assert set(await agrees(room)) == {"stripe_balance", "stripe_fees", "dispute_fees"}


async def test_what_a_bank_takes_after_a_full_refund_no_lot_can_bear(room: Settling) -> None:
    invoice_id = await by_card(room, 2_000_00)
    await refunds(room, invoice_id, TWO_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.payment is _P.REFUNDED
    dispute_id = await opens(room, TWO_THOUSAND)
    assert (await room.held(invoice_id)).invoiced.standing is _P.DISPUTED
    await ends(room, dispute_id, won=False)
    assert (await room.held(invoice_id)).invoiced.standing is _P.REFUNDED
    assert (await agrees(room))["disputes_pending"] == TWO_THOUSAND
    assert (await kept(room, dispute_id)).waits_for_bearer


async def test_nothing_is_left_and_a_dispute_is_open_the_invoice_waits_for_it(
    room: Settling,
) -> None:
    invoice_id = await by_card(room, 2_000_00)
    await refunds(room, invoice_id, 489_75)
    whole = await opens(room, 2_000_00)
    rest = await opens(room, 489_75)
    await ends(room, whole, won=False)
    invoiced = (await room.held(invoice_id)).invoiced
    assert (invoiced.payment, invoiced.paid_minor) == (_P.DISPUTED, 0)
    await ends(room, rest, won=True)
    assert (await room.held(invoice_id)).invoiced.payment is _P.REFUNDED
    await agrees(room)


async def test_after_a_part_was_given_back_no_more_is_refunded_than_is_here(
    room: Settling,
) -> None:
    invoice_id = await by_card(room, 2_000_00)
    dispute_id = await opens(room, 1_000_00)
    await ends(room, dispute_id, won=False)
    await moves(room, dispute_id, 400_00, "won")
    async with acquire(room.pool) as connection:
        (charge,) = await refundable(connection, invoice_id)
    assert charge.left_minor == TWO_THOUSAND - 600_00


async def test_what_a_bank_takes_more_of_a_dispute_that_is_lost_is_borne_as_well(
    room: Settling,
) -> None:
    invoice_id = await by_card(room, 2_000_00)
    dispute_id = await opens(room, 100_00)
    await ends(room, dispute_id, won=False)
    await moves(room, dispute_id, -50_00)
    invoiced = (await room.held(invoice_id)).invoiced
    assert (invoiced.payment, invoiced.credited_minor) == (_P.PAID, 150_00)
    assert "disputes_pending" not in await agrees(room)


async def test_in_another_currency_no_lot_bears_it_and_nothing_is_let_go(room: Settling) -> None:
    invoice_id = await by_card(room, 2_000_00)
    charge_id = room.rows("charge")[0]["id"]

    def in_euros(work: Work) -> str:
        row = disputes.opened(work, charge_id, "fraudulent", None, inquiry=False)
        moved = work.edit("dispute", row["id"])["balance_transactions"][0]
        moved |= {"currency": "eur", "amount": -2_000_00}
        return str(row["id"])

    dispute_id = room.engine.run(in_euros)
    await room.hears()
    await ends(room, dispute_id, won=False)
    row = await kept(room, dispute_id)
    assert (row.currency, row.unsettled_minor) == ("EUR", 2_000_00)
    assert row.waits_for_bearer
    assert (await room.held(invoice_id)).invoiced.payment is _P.DISPUTED
    assert await states(room, invoice_id) == [_A.FUNDED]
    await bears(room, dispute_id, Bearer.HOUSE)
    assert (await kept(room, dispute_id)).state is DisputeState.LOST
    invoiced = (await room.held(invoice_id)).invoiced
    assert (invoiced.payment, invoiced.open_disputes) == (_P.PAID, 0)
    assert await room.waiting() == []


async def refunds(room: Settling, invoice_id: InvoiceId, amount_minor: int) -> None:
    arguments = {
        "invoice_id": invoice_id,
        "award_id": "S1~1",
        "amount_minor": amount_minor,
        "reason": "CANCELLED",
    }
    async with transaction(room.pool) as connection:
        wanted = Wanted(operation="refund", subject="back", arguments=arguments)
        await want(connection, [wanted], room.now_us())
    await room.drain()
    await room.hears()
