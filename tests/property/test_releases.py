"""Whatever was sold, credited and agreed: a release gives away what is held, to the minor unit."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from auction.consignment import AgreementTerms, Bearer, CommissionTier, share_of
from auction.ids import BidderId
from settlement.chart import Kind
from settlement.entries import AwardMoney
from settlement.ids import ConsignorId, InvoiceId
from settlement.invoices import invoices_of
from settlement.lives import AwardState, PaymentState
from settlement.payouts.deciding import parts_of
from settlement.payouts.words import PayeeKind
from settlement.policy import Commission
from settlement.releasing import Charge, Facts, OfConsignor, Released, released
from settlement.rows import AwardRow, Held, InvoiceRow
from tests.paid_lots import goods
from tests.payouts import NORTH, TARGET
from tests.settlement_rules import (
    CALENDAR,
    CHICAGO,
    CLOSED,
    SALE,
    award,
    policy,
    premium_of,
    tax_at,
)

_AGREED = st.builds(
    AgreementTerms,
    commission=st.integers(0, 10_000).map(lambda bps: (CommissionTier(0, bps),)),
    fee_per_lot_minor=st.integers(0, 50_000),
    fee_per_pallet_minor=st.integers(0, 50_000),
    guarantee_minor=st.integers(0, 400_000),
    claims=st.sampled_from(Bearer),
)


def held_of(hammer_minor: int) -> tuple[Held, AwardRow]:
    sold = award("12", hammer_minor)
    (made,) = invoices_of(SALE, premium_of(), [(sold, tax_at())], policy(), CALENDAR)
    facts: dict[str, Any] = dict.fromkeys(AwardRow.__struct_fields__)
    facts |= {
        "award": sold,
        "sale_id": SALE,
        "generation": 1,
        "liquidator_id": NORTH,
        "invoice_id": InvoiceId(made.invoice_id),
        "currency": "USD",
        "goods": goods("12"),
        "state": AwardState.ACCEPTED,
        "accepted_at_us": CLOSED,
        "version": 4,
    }
    row = AwardRow(**facts)
    invoiced: dict[str, Any] = dict.fromkeys(InvoiceRow.__struct_fields__)
    invoiced |= {"invoice": made, "zone": CHICAGO, "payment": PaymentState.PAID}
    return Held(InvoiceRow(**invoiced), {sold.award_id: row}), row


def of(terms: AgreementTerms, open_minor: int) -> OfConsignor:
    earlier = Charge(charge_id="S0~1", liquidator_id=NORTH, open_minor=open_minor, parts=0)
    charges = (earlier,) if open_minor else ()
    return OfConsignor(
        consignor_id=ConsignorId(BidderId(TARGET)), terms=terms, pallets=4, charges=charges
    )


def moved(done: Released, kind: Kind) -> int:
    """What the entries put on the credit side of a kind of accounts, less on its debit side."""
    total = 0
    for entry in done.step.entries:
        for posting in entry.postings:
            total += posting.amount_minor * (posting.credit.kind is kind)
            total -= posting.amount_minor * (posting.debit.kind is kind)
    return total


@given(
    hammer=st.integers(1, 1_000_000),
    kept=st.data(),
    rate_bps=st.integers(0, 10_000),
    agreed=st.none() | _AGREED,
    open_minor=st.integers(0, 200_000),
)
def test_what_is_held_is_given_away_and_nothing_else(
    hammer: int,
    kept: st.DataObject,
    rate_bps: int,
    agreed: AgreementTerms | None,
    open_minor: int,
) -> None:
    held, row = held_of(hammer)
    left = kept.draw(st.integers(0, hammer))
    premium = kept.draw(st.integers(0, 100_000))
    consignor = None if agreed is None else of(agreed, open_minor)
    if consignor is not None:
        row = msgspec.structs.replace(row, consignor_id=consignor.consignor_id)
    facts = Facts(
        kept=AwardMoney(award_id=row.award_id, hammer_minor=left, premium_minor=premium),
        commission=Commission(rate_bps),
        calendar=CALENDAR,
        consignor=consignor,
    )
    done = released(held, row, facts, CLOSED)
    assert moved(done, Kind.HELD) == -left
    assert moved(done, Kind.DEFERRED_FEES) == -premium
    owed = {each.kind: each.amount_minor for each in done.payables}
    assert all(minor > 0 for minor in owed.values())
    assert owed.get(PayeeKind.LIQUIDATOR, 0) == moved(done, Kind.SELLER_PAYABLE)
    assert owed.get(PayeeKind.CONSIGNOR, 0) == moved(done, Kind.CONSIGNOR_PAYABLE)
    assert moved(done, Kind.COMMISSION_INCOME) == Commission(rate_bps).of_minor(left)
    assert moved(done, Kind.PREMIUM_INCOME) == premium
    if agreed is not None:
        share = share_of(agreed, hammer, 4, hammer - left).consignor_minor
        taken = sum(minor for _, minor in done.taken)
        assert owed.get(PayeeKind.CONSIGNOR, 0) + taken - done.charge_minor == share
        assert taken == min(open_minor, max(0, share))


@given(st.integers(1, 10**12))
def test_parts_sum_to_the_whole_and_each_can_be_sent(minor: int) -> None:
    parts = parts_of(minor)
    assert sum(parts) == minor
    assert all(0 < part <= 99_999_999 for part in parts)
