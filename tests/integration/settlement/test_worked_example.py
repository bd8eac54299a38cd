"""Every entry of the books with its figures, through the real tables.

A scene is a run of entries; each names what it debits and credits to the minor unit, and the scene
ends with all balances that are not zero.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from auction.consignment import AgreementTerms, Bearer, CommissionTier, share_of
from auction.ids import BidderId
from foundation.database import connect
from settlement import postings as p
from settlement import postings_house as h
from settlement.chart import BANK, PREMIUMS, STRIPE, buyer_credit
from settlement.entries import ConsignedPart, Entry, reversal
from settlement.ids import AwardId
from tests.books import (
    ACME,
    INVOICE,
    LOT,
    NORTH,
    TARGET,
    TEXAS,
    about,
    balances_of,
    booked,
    money,
    sides,
)

WHOLE = money(1_000_000, 100_000, 90_750)
CLAIMED = money(120_000, 12_000, 10_890)
LEFT = money(880_000, 88_000, 79_860)


class Line(NamedTuple):
    """An entry and its figures."""

    entry: Entry
    debits: dict[str, int]
    credits: dict[str, int]


class Scene(NamedTuple):
    """A run of entries and where it ends."""

    name: str
    lines: Sequence[Line]
    ends: dict[str, int]
    currency: str = "USD"


CAPTURED = Line(
    p.capture(about(INVOICE), [WHOLE]),
    {"stripe_balance": 1_190_750},
    {"held:S1~12": 1_000_000, "deferred_fees:S1~12": 100_000, "sales_tax:US-TX": 90_750},
)
UP_TO_CHARGEBACK = [
    CAPTURED,
    Line(
        p.processing_fee(about(INVOICE), 34_562),
        {"stripe_fees": 34_562},
        {"stripe_balance": 34_562},
    ),
    Line(
        p.claim_credit(about(), CLAIMED),
        {"held:S1~12": 120_000, "deferred_fees:S1~12": 12_000, "sales_tax:US-TX": 10_890},
        {"stripe_balance": 142_890},
    ),
    Line(
        p.release(about(), NORTH, LEFT, 44_000),
        {"held:S1~12": 880_000, "deferred_fees:S1~12": 88_000},
        {
            "seller_payable:north": 836_000,
            "commission_income": 44_000,
            "premium_income": 88_000,
        },
    ),
    Line(
        p.transfer_out(about(), NORTH, 836_000),
        {"seller_payable:north": 836_000},
        {"stripe_balance": 836_000},
    ),
    Line(
        p.chargeback(about(INVOICE), 1_047_860, 1_500),
        {"disputes_pending": 1_047_860, "dispute_fees": 1_500},
        {"stripe_balance": 1_049_360},
    ),
]
FREIGHTED = money(10_000, 1_000, 500, 2_500)
FUNDED = Line(
    p.capture(about(INVOICE), [FREIGHTED]),
    {"stripe_balance": 14_000},
    {
        "held:S1~12": 10_000,
        "deferred_fees:S1~12": 1_000,
        "sales_tax:US-TX": 500,
        "freight_payable:S1~12": 2_500,
    },
)
TO_BANK = Line(h.payout(about("po_1"), 5_000), {"bank": 5_000}, {"stripe_balance": 5_000})
TWELVE_PER_CENT = AgreementTerms(
    commission=(CommissionTier(0, 1_200),), fee_per_pallet_minor=1_800, claims=Bearer.SHARED
)
GUARANTEED = AgreementTerms(commission=(CommissionTier(0, 1_200),), guarantee_minor=1_100_000)
CONSIGNED = share_of(TWELVE_PER_CENT, 1_000_000, 4).consignor_minor
TOPPED_UP = share_of(GUARANTEED, 1_000_000, 4).consignor_minor

SCENES = [
    Scene(
        "a dispute that the seller bears",
        [
            *UP_TO_CHARGEBACK,
            Line(
                p.dispute_lost_by_seller(about(), NORTH, LEFT, 44_000),
                {
                    "seller_receivable:north": 836_000,
                    "commission_income": 44_000,
                    "premium_income": 88_000,
                    "sales_tax:US-TX": 79_860,
                },
                {"disputes_pending": 1_047_860},
            ),
            Line(
                p.transfer_reversed(about(), NORTH, 500_000, 836_000),
                {"stripe_balance": 500_000},
                {"seller_receivable:north": 500_000},
            ),
            Line(
                p.write_off(about(), NORTH, 336_000),
                {"bad_debt": 336_000},
                {"seller_receivable:north": 336_000},
            ),
        ],
        {
            "bad_debt": 336_000,
            "dispute_fees": 1_500,
            "stripe_balance": -372_062,
            "stripe_fees": 34_562,
        },
    ),
    Scene(
        "a dispute that the house bears",
        [
            *UP_TO_CHARGEBACK,
            Line(
                p.dispute_lost_by_house(about(), LEFT),
                {"bad_debt": 968_000, "sales_tax:US-TX": 79_860},
                {"disputes_pending": 1_047_860},
            ),
        ],
        {
            "bad_debt": 968_000,
            "commission_income": 44_000,
            "dispute_fees": 1_500,
            "premium_income": 88_000,
            "stripe_balance": -872_062,
            "stripe_fees": 34_562,
        },
    ),
    Scene(
        "a dispute that is won, with its fee",
        [
            *UP_TO_CHARGEBACK,
            Line(
                p.dispute_won(about(), 1_047_860, 1_500),
                {"stripe_balance": 1_049_360},
                {"disputes_pending": 1_047_860, "dispute_fees": 1_500},
            ),
        ],
        {
            "commission_income": 44_000,
            "premium_income": 88_000,
            "sales_tax:US-TX": 79_860,
            "stripe_balance": 177_298,
            "stripe_fees": 34_562,
        },
    ),
    Scene(
        "a dispute that is lost before the release",
        [
            CAPTURED,
            Line(
                p.chargeback(about(INVOICE), 1_190_750, 1_500),
                {"disputes_pending": 1_190_750, "dispute_fees": 1_500},
                {"stripe_balance": 1_192_250},
            ),
            Line(
                p.dispute_lost_while_held(about(), WHOLE),
                {
                    "held:S1~12": 1_000_000,
                    "deferred_fees:S1~12": 100_000,
                    "sales_tax:US-TX": 90_750,
                },
                {"disputes_pending": 1_190_750},
            ),
        ],
        {"dispute_fees": 1_500, "stripe_balance": -1_500},
    ),
    Scene(
        "a claim after the release, netted from the next one",
        [
            *UP_TO_CHARGEBACK[:5],
            Line(
                p.claim_after_release(about(), NORTH, money(10_000, 1_000, 908), 500),
                {
                    "seller_receivable:north": 9_500,
                    "commission_income": 500,
                    "premium_income": 1_000,
                    "sales_tax:US-TX": 908,
                },
                {"stripe_balance": 11_908},
            ),
            Line(
                p.capture(about("S1~acme~2"), [money(20_000, award=AwardId("S1~13"))]),
                {"stripe_balance": 20_000},
                {"held:S1~13": 20_000},
            ),
            Line(
                p.release(about("S1~13"), NORTH, money(20_000, award=AwardId("S1~13")), 1_000),
                {"held:S1~13": 20_000},
                {"seller_payable:north": 19_000, "commission_income": 1_000},
            ),
            Line(
                p.receivable_netted(about("S1~13"), NORTH, 9_500),
                {"seller_payable:north": 9_500},
                {"seller_receivable:north": 9_500},
            ),
        ],
        {
            "commission_income": 44_500,
            "premium_income": 87_000,
            "sales_tax:US-TX": 78_952,
            "seller_payable:north": 9_500,
            "stripe_balance": 185_390,
            "stripe_fees": 34_562,
        },
    ),
    Scene(
        "bank funding in parts, paid too much, the rest refunded",
        [
            Line(
                p.bank_funding(about(INVOICE), ACME, 500_000),
                {"stripe_balance": 500_000},
                {"buyer_credit:acme": 500_000},
            ),
            Line(
                p.bank_funding(about(INVOICE, generation=2), ACME, 700_000),
                {"stripe_balance": 700_000},
                {"buyer_credit:acme": 700_000},
            ),
            Line(
                p.credit_applied(about(INVOICE), ACME, [WHOLE]),
                {"buyer_credit:acme": 1_190_750},
                {
                    "held:S1~12": 1_000_000,
                    "deferred_fees:S1~12": 100_000,
                    "sales_tax:US-TX": 90_750,
                },
            ),
            Line(
                h.credit_refunded(about(ACME), ACME, 9_250),
                {"buyer_credit:acme": 9_250},
                {"stripe_balance": 9_250},
            ),
            Line(
                p.refund_returned(about(ACME), ACME, 9_250),
                {"stripe_balance": 9_250},
                {"buyer_credit:acme": 9_250},
            ),
        ],
        {
            "buyer_credit:acme": 9_250,
            "deferred_fees:S1~12": 100_000,
            "held:S1~12": 1_000_000,
            "sales_tax:US-TX": 90_750,
            "stripe_balance": 1_200_000,
        },
    ),
    Scene(
        "bank funding that fills the award at once and leaves a surplus",
        [
            Line(
                p.bank_funding(about(INVOICE), ACME, 1_200_000, [WHOLE]),
                {"stripe_balance": 1_200_000},
                {
                    "held:S1~12": 1_000_000,
                    "deferred_fees:S1~12": 100_000,
                    "sales_tax:US-TX": 90_750,
                    "buyer_credit:acme": 9_250,
                },
            ),
            Line(
                p.award_refunded(about(), WHOLE, buyer_credit(ACME)),
                {
                    "held:S1~12": 1_000_000,
                    "deferred_fees:S1~12": 100_000,
                    "sales_tax:US-TX": 90_750,
                },
                {"buyer_credit:acme": 1_190_750},
            ),
        ],
        {"buyer_credit:acme": 1_200_000, "stripe_balance": 1_200_000},
    ),
    Scene(
        "a late certificate",
        [
            CAPTURED,
            Line(
                p.tax_credited(about(), money(0, 0, 90_750), STRIPE),
                {"sales_tax:US-TX": 90_750},
                {"stripe_balance": 90_750},
            ),
        ],
        {
            "deferred_fees:S1~12": 100_000,
            "held:S1~12": 1_000_000,
            "stripe_balance": 1_100_000,
        },
    ),
    Scene(
        "non-payment: the deposit is kept, and the relist fee is 10 %",
        [
            Line(
                h.deposit_forfeited(about(), 50_000, LOT),
                {"stripe_balance": 50_000},
                {"forfeits": 50_000},
            ),
            Line(
                h.relist_fee(about(), 30_500, LOT),
                {"stripe_balance": 30_500},
                {"forfeits": 30_500},
            ),
        ],
        {"forfeits": 80_500, "stripe_balance": 80_500},
    ),
    Scene(
        "storage of three pallets for two days with tax, and nobody came",
        [
            Line(
                h.storage(about(), 4_200, LOT, tax=(TEXAS, 347)),
                {"stripe_balance": 4_547},
                {"storage_income": 4_200, "sales_tax:US-TX": 347},
            ),
            Line(
                h.missed_appointment(about(), 5_000, LOT),
                {"stripe_balance": 5_000},
                {"storage_income": 5_000},
            ),
        ],
        {"sales_tax:US-TX": 347, "stripe_balance": 9_547, "storage_income": 9_200},
    ),
    Scene(
        "a seller cancels 4,050.00 after the hammer",
        [
            Line(
                h.cancellation_fee(about(), NORTH, 81_000, LOT),
                {"seller_receivable:north": 81_000},
                {"cancellation_fees": 81_000},
            ),
        ],
        {"cancellation_fees": 81_000, "seller_receivable:north": 81_000},
    ),
    Scene(
        "freight that costs less than was collected",
        [
            FUNDED,
            TO_BANK,
            Line(
                h.freight_paid(about(), LOT, 2_200, 2_500),
                {"freight_payable:S1~12": 2_200},
                {"bank": 2_200},
            ),
            Line(
                h.freight_earned(about(), LOT, 300),
                {"freight_payable:S1~12": 300},
                {"freight_income": 300},
            ),
        ],
        {
            "bank": 2_800,
            "deferred_fees:S1~12": 1_000,
            "freight_income": 300,
            "held:S1~12": 10_000,
            "sales_tax:US-TX": 500,
            "stripe_balance": 9_000,
        },
    ),
    Scene(
        "freight that costs more, and the place's tax",
        [
            FUNDED,
            TO_BANK,
            Line(
                h.freight_paid(about(), LOT, 2_600, 2_500),
                {"freight_payable:S1~12": 2_500, "freight_income": 100},
                {"bank": 2_600},
            ),
            Line(
                h.tax_remitted(about("US-TX.2026-03"), TEXAS, 500),
                {"sales_tax:US-TX": 500},
                {"bank": 500},
            ),
        ],
        {
            "bank": 1_900,
            "deferred_fees:S1~12": 1_000,
            "freight_income": -100,
            "held:S1~12": 10_000,
            "stripe_balance": 9_000,
        },
    ),
    Scene(
        "consigned goods: 12 % and four pallets at 18.00 of 10,000.00",
        [
            CAPTURED,
            Line(
                p.release(about(), NORTH, WHOLE, 50_000, ConsignedPart(TARGET, CONSIGNED)),
                {"held:S1~12": 1_000_000, "deferred_fees:S1~12": 100_000},
                {
                    "consignor_payable:target": 872_800,
                    "seller_payable:north": 77_200,
                    "commission_income": 50_000,
                    "premium_income": 100_000,
                },
            ),
            Line(
                h.consignor_charged(about("S1~14"), TARGET, NORTH, 7_200),
                {"consignor_payable:target": 7_200},
                {"seller_payable:north": 7_200},
            ),
            Line(
                h.consignor_paid(about("target.2026-03"), TARGET, 865_600, STRIPE),
                {"consignor_payable:target": 865_600},
                {"stripe_balance": 865_600},
            ),
        ],
        {
            "commission_income": 50_000,
            "premium_income": 100_000,
            "sales_tax:US-TX": 90_750,
            "seller_payable:north": 84_400,
            "stripe_balance": 325_150,
        },
    ),
    Scene(
        "a guarantee that is more than the lot brought",
        [
            CAPTURED,
            Line(
                p.release(about(), NORTH, WHOLE, 50_000, ConsignedPart(TARGET, TOPPED_UP)),
                {
                    "held:S1~12": 1_000_000,
                    "seller_receivable:north": 150_000,
                    "deferred_fees:S1~12": 100_000,
                },
                {
                    "consignor_payable:target": 1_100_000,
                    "commission_income": 50_000,
                    "premium_income": 100_000,
                },
            ),
        ],
        {
            "commission_income": 50_000,
            "consignor_payable:target": 1_100_000,
            "premium_income": 100_000,
            "sales_tax:US-TX": 90_750,
            "seller_receivable:north": 150_000,
            "stripe_balance": 1_190_750,
        },
    ),
    Scene(
        "a payout that failed, a bank file that came back",
        [
            *UP_TO_CHARGEBACK[:4],
            Line(h.payout(about("po_1"), 900_000), {"bank": 900_000}, {"stripe_balance": 900_000}),
            Line(
                h.payout_returned(about("po_1"), 900_000),
                {"stripe_balance": 900_000},
                {"bank": 900_000},
            ),
            Line(h.payout(about("po_2"), 836_000), {"bank": 836_000}, {"stripe_balance": 836_000}),
            Line(
                p.bank_file_paid(about("file-1"), NORTH, 836_000),
                {"seller_payable:north": 836_000},
                {"bank": 836_000},
            ),
            Line(
                p.bank_file_returned(about("file-1"), NORTH, 836_000),
                {"bank": 836_000},
                {"seller_payable:north": 836_000},
            ),
        ],
        {
            "bank": 836_000,
            "commission_income": 44_000,
            "premium_income": 88_000,
            "sales_tax:US-TX": 79_860,
            "seller_payable:north": 836_000,
            "stripe_balance": 177_298,
            "stripe_fees": 34_562,
        },
    ),
    Scene(
        "a wire of somebody, a difference of a cent, and what two people decided",
        [
            Line(
                p.bank_funding(about("wire-7"), BidderId("unidentified"), 70_001, into=BANK),
                {"bank": 70_001},
                {"buyer_credit:unidentified": 70_001},
            ),
            Line(
                h.wire_identified(about("wire-7"), ACME, 70_001),
                {"buyer_credit:unidentified": 70_001},
                {"buyer_credit:acme": 70_001},
            ),
            Line(h.rounding(about("b-1"), BANK, -1), {"rounding": 1}, {"bank": 1}),
            Line(h.rounding(about("b-2"), BANK, 2), {"bank": 2}, {"rounding": 2}),
            Line(
                h.adjustment(about("b-3", note="bank's interest"), BANK, PREMIUMS, 5),
                {"bank": 5},
                {"premium_income": 5},
            ),
            Line(p.fee_refunded(about("fr-1"), 30), {"stripe_balance": 30}, {"stripe_fees": 30}),
        ],
        {
            "bank": 70_007,
            "buyer_credit:acme": 70_001,
            "premium_income": 5,
            "rounding": -1,
            "stripe_balance": 30,
            "stripe_fees": -30,
        },
    ),
    Scene(
        "yen have no smaller unit",
        [
            Line(
                p.capture(about(INVOICE, currency="JPY"), [money(150_001, 22_500)]),
                {"stripe_balance": 172_501},
                {"held:S1~12": 150_001, "deferred_fees:S1~12": 22_500},
            ),
        ],
        {"deferred_fees:S1~12": 22_500, "held:S1~12": 150_001, "stripe_balance": 172_501},
        "JPY",
    ),
    Scene(
        "dinars have a thousand",
        [
            Line(
                p.capture(about(INVOICE, currency="KWD"), [money(1_237_505, 185_626)]),
                {"stripe_balance": 1_423_131},
                {"held:S1~12": 1_237_505, "deferred_fees:S1~12": 185_626},
            ),
        ],
        {"deferred_fees:S1~12": 185_626, "held:S1~12": 1_237_505, "stripe_balance": 1_423_131},
        "KWD",
    ),
]


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
async def test_every_entry_moves_what_the_example_says(scene: Scene, database_url: str) -> None:
    connection = await connect(database_url, name="test")
    try:
        for line in scene.lines:
            assert sides(line.entry) == (line.debits, line.credits)
            assert await booked(connection, line.entry) == [line.entry.key]
        assert await balances_of(connection, scene.currency) == scene.ends
    finally:
        await connection.close()


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
async def test_taking_back_every_entry_leaves_nothing(scene: Scene, database_url: str) -> None:
    connection = await connect(database_url, name="test")
    try:
        entries = [line.entry for line in scene.lines]
        await booked(connection, *entries)
        at_us = about().at_us + 1
        undone = [reversal(entry, at_us, "all of it") for entry in reversed(entries)]
        await booked(connection, *undone)
        assert await balances_of(connection, scene.currency) == {}
    finally:
        await connection.close()
