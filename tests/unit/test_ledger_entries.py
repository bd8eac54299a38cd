"""An entry's digest tells any other content, and its form never changes."""

from typing import Any

import pytest
from msgspec.structs import replace

from auction.ids import BidderId, LiquidatorId, SaleId
from settlement import postings as p
from settlement.chart import BANK, STRIPE, held
from settlement.entries import Entry, Posting, Purpose, paired
from settlement.ids import AwardId, ConsignorId, EntryKey, InvoiceId, StripeId
from tests.books import LOT, NOON_US, NORTH, about, money

ENTRY = p.capture(
    about(
        "S1~acme",
        sale_id=SaleId("S1"),
        invoice_id=InvoiceId("S1~acme"),
        liquidator_id=NORTH,
        buyer_id=BidderId("acme"),
        stripe_ids=(StripeId("ch_1"), StripeId("txn_1")),
        note="by card",
    ),
    [money(1_000, 100, 90)],
)
FIRST, *REST = ENTRY.postings


def with_first(**change: Any) -> Entry:
    return replace(ENTRY, postings=(replace(FIRST, **change), *REST))


def with_about(**change: Any) -> Entry:
    return replace(ENTRY, about=replace(ENTRY.about, **change))


@pytest.mark.parametrize(
    "other",
    [
        replace(ENTRY, key=EntryKey("capture:S1~acme:2")),
        replace(ENTRY, purpose=Purpose.BANK_FUNDING),
        replace(ENTRY, reverses=EntryKey("capture:S1~acme:0")),
        replace(ENTRY, postings=(*REST, FIRST)),
        replace(ENTRY, postings=ENTRY.postings[1:]),
        with_first(amount_minor=1_001),
        with_first(debit=BANK),
        with_first(credit=held(AwardId("S1~13"))),
        with_first(award_id=None),
        with_about(at_us=NOON_US + 1),
        with_about(currency="EUR"),
        with_about(sale_id=SaleId("S2")),
        with_about(invoice_id=None),
        with_about(liquidator_id=LiquidatorId("south")),
        with_about(consignor_id=ConsignorId(BidderId("target"))),
        with_about(buyer_id=BidderId("other")),
        with_about(stripe_ids=(StripeId("ch_1"),)),
        with_about(note="by bank"),
    ],
)
def test_other_content_has_another_digest(other: Entry) -> None:
    assert other.sha256 != ENTRY.sha256


def test_the_digest_of_what_was_booked_stays_what_it_was() -> None:
    digest = "51486c2b9e86263fb83e346ad56137901a94d124e7957dd0110804f082bd5337"
    assert ENTRY.sha256.hex() == digest


def test_debits_meet_credits_in_order() -> None:
    one, two = held(LOT), held(AwardId("S1~13"))
    assert paired([(one, 5), (two, 3)], [(STRIPE, 6), (BANK, 2)]) == [
        Posting(one, STRIPE, 5),
        Posting(two, STRIPE, 1),
        Posting(two, BANK, 2),
    ]
    with pytest.raises(ValueError, match="debits of 5 are not credits of 6"):
        paired([(one, 5)], [(STRIPE, 6)])
    with pytest.raises(ValueError, match="are not credits"):
        paired([(one, -1)], [(STRIPE, -1)])


def test_what_does_not_fit_an_entry_is_named() -> None:
    with pytest.raises(ValueError, match="freight was paid out"):
        p.claim_after_release(about(), NORTH, money(10, 0, 0, 5), 0)
    with pytest.raises(ValueError, match="a tax credit is of tax alone"):
        p.tax_credited(about(), money(1, 0, 5), STRIPE)
    with pytest.raises(ValueError, match="stripe_ids"):
        about(stripe_ids=("a b",))
