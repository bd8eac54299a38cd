"""Whatever comes in, in whatever parts: no cent is lost, no lot is funded that is not paid."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from auction.catalog.goods import Condition, FreightTerms
from auction.ids import LiquidatorId
from settlement.chart import STRIPE, Kind
from settlement.entries import Entry
from settlement.ids import InvoiceId, StripeId
from settlement.invoices import Invoice
from settlement.lives import AwardState, PaymentState
from settlement.payments.decisions_refund import Refundable, RefundAsked, parts_of
from settlement.payments.funding import lacking_minor, part_of, pay_with, pay_with_credit, without
from settlement.payments.words import Facts, TakenIn, Way
from settlement.rows import AwardRow, Goods, Held, InvoiceRow
from settlement.steps import after
from tests.books import money
from tests.settlement_rules import BUYER, CHICAGO, CLOSED, DALLAS, SALE, award, line, policy

GOODS = Goods(
    number="1",
    title="Lot",
    condition=Condition.NEW,
    freight_terms=FreightTerms.BUYER_ARRANGED,
    pallets=1,
    units=1,
    retail_minor=1,
    weight_g=None,
    manifest_sha256="",
)
ROW: dict[str, Any] = {"changed_at_us": CLOSED, "version": 1}
NONE: dict[str, Any] = dict.fromkeys(
    (
        "consignor_id",
        "funded_at_us",
        "handed_over_at_us",
        "accepted_at_us",
        "released_at_us",
        "paid_out_at_us",
        "ended_at_us",
    )
)
AMOUNTS = st.integers(1, 3_000_00)


def held_of(hammers_minor: list[int], payment: PaymentState = PaymentState.AWAITING_FUNDS) -> Held:
    """An invoice of these lots, in memory."""
    lines = tuple(line(str(n), hammer) for n, hammer in enumerate(hammers_minor, 1))
    invoice_id = InvoiceId("S1~buyer")
    awards = {
        one.award_id: AwardRow(
            award=award(one.lot_id, one.hammer_minor),
            sale_id=SALE,
            generation=1,
            liquidator_id=LiquidatorId("north"),
            invoice_id=invoice_id,
            currency="USD",
            goods=GOODS,
            state=AwardState.INVOICED,
            awarded_at_us=CLOSED,
            **NONE,
            **ROW,
        )
        for one in lines
    }
    row = InvoiceRow(
        invoice=Invoice(
            invoice_id=invoice_id,
            sale_id=SALE,
            buyer_id=BUYER,
            ship_from=DALLAS,
            currency="USD",
            due_at_us=CLOSED + 1,
            lines=lines,
        ),
        number=1,
        liquidator_id=LiquidatorId("north"),
        zone=CHICAGO,
        country="US",
        policy_version=1,
        issued_at_us=CLOSED,
        payment=payment,
        paid_minor=0,
        credited_minor=0,
        tries=0,
        paid_at_us=None,
        **ROW,
    )
    return Held(row, awards)


def taken(amount_minor: int, number: int) -> TakenIn:
    return TakenIn(
        charge_id=StripeId(f"py_{number}"),
        payment_id=StripeId(f"pi_{number}"),
        transaction_id=StripeId(f"txn_{number}"),
        customer_id=StripeId("cus_1"),
        way=Way.TRANSFER,
        amount_minor=amount_minor,
        fee_minor=5,
        made_at_us=CLOSED + number,
    )


def sums(entries: list[Entry]) -> tuple[int, int]:
    """What came to Stripe's balance without fees, and what was added to the buyer's credit."""
    stripe = credit = 0
    for entry in entries:
        for posting in entry.postings:
            if posting.debit == STRIPE:
                stripe += posting.amount_minor
            if posting.credit.kind is Kind.BUYER_CREDIT:
                credit += posting.amount_minor
            if posting.debit.kind is Kind.BUYER_CREDIT:
                credit -= posting.amount_minor
    return stripe, credit


@given(st.lists(AMOUNTS, min_size=1, max_size=4), st.lists(AMOUNTS, min_size=1, max_size=8))
def test_parts_fund_lots_as_they_come_and_the_rest_is_credit(
    hammers: list[int], parts: list[int]
) -> None:
    held, facts, credit = held_of(hammers), Facts(policy=policy()), 0
    total = held.invoiced.invoice.total_minor
    for number, amount in enumerate(parts, 1):
        paid = pay_with(held, facts, taken(amount, number), "movement", number)
        came, more = sums(list(paid.step.entries))
        credit += more
        assert came == amount
        held = _stamped(after(held, paid.step), number)
        facts = structs.replace(facts, earmarked_minor=paid.earmarked_minor)
        funded = sum(
            one.total_minor
            for one in held.invoiced.invoice.lines
            if held.awards[one.award_id].state is AwardState.FUNDED
        )
        assert funded + credit == sum(parts[:number])
        assert held.invoiced.paid_minor == min(total, sum(parts[:number]))
        assert paid.left_minor == total - held.invoiced.paid_minor
        assert paid.earmarked_minor <= credit


@given(st.lists(AMOUNTS, min_size=1, max_size=4), st.integers(0, 9_000_00))
def test_credit_pays_what_it_fills_and_no_more_is_kept_than_lacks(
    hammers: list[int], credit: int
) -> None:
    held = held_of(hammers)
    total = held.invoiced.invoice.total_minor
    paid = pay_with_credit(held, Facts(policy=policy(), credit_minor=credit), CLOSED)
    used = -sums(list(paid.step.entries))[1]
    assert used + paid.earmarked_minor == min(credit, total)
    assert paid.left_minor == max(0, total - credit)
    assert (
        lacking_minor(_stamped(after(held, paid.step), 1), Facts(policy=policy())) == total - used
    )


@given(
    st.tuples(*(st.integers(0, 100_000) for _ in range(4))),
    st.integers(0, 400_000),
)
def test_a_part_of_a_lots_money_and_the_rest_are_the_whole(
    parts: tuple[int, int, int, int], amount: int
) -> None:
    hammer, premium, tax, freight = parts
    whole = money(hammer, premium, tax, freight)
    part = part_of(whole, min(amount, whole.total_minor))
    assert part.total_minor == min(amount, whole.total_minor)
    assert part.total_minor + without(whole, part).total_minor == whole.total_minor


@given(st.lists(st.integers(1, 2_000_00), max_size=5), st.integers(1, 1_540_54))
def test_what_goes_back_is_divided_without_a_cent_more_of_any_charge(
    charges: list[int], amount: int
) -> None:
    held = held_of([1_237_50])
    (award_id,) = held.awards
    funded = structs.replace(held.awards[award_id], state=AwardState.FUNDED)
    held = _stamped(Held(held.invoice, {award_id: funded}), 1)
    rows = [
        Refundable(
            charge_id=StripeId(f"ch_{n}"),
            customer_id=StripeId("cus_1"),
            way=Way.CARD,
            left_minor=left,
        )
        for n, left in enumerate(charges)
    ]
    asked = RefundAsked(
        invoice_id=held.invoiced.invoice_id,
        award_id=award_id,
        amount_minor=amount,
        reason="CANCELLED",
    )
    there = held.invoiced.invoice.lines[0].money
    parts = parts_of(held, Facts(policy=policy()), asked, rows, there)
    assert sum(part.amount_minor for part in parts) == amount
    assert all(part.back and part.back.total_minor == part.amount_minor for part in parts)
    for part in parts:
        assert part.charge is None or part.amount_minor <= part.charge.left_minor
    credited = sum(part.amount_minor for part in parts if part.charge is None)
    assert credited == max(0, amount - sum(charges))


def _stamped(held: Held, number: int) -> Held:
    """As the tables have it: when a lot was funded is kept with its state."""
    awards = {
        award_id: structs.replace(row, funded_at_us=row.funded_at_us or CLOSED + number)
        if row.state is AwardState.FUNDED
        else row
        for award_id, row in held.awards.items()
    }
    return Held(held.invoice, awards)
