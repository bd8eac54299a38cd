"""docs/ledger.md: the chart of accounts and every entry with an example, made by what books.

``python -m settlement.ledger_page > docs/ledger.md``
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from auction.ids import BidderId, LiquidatorId
from settlement import postings as p
from settlement import postings_house as h
from settlement.chart import BANK, CHART, PREMIUMS, STRIPE, Kind, Of, buyer_credit, sales_tax
from settlement.entries import About, AwardMoney, ConsignedPart, Entry, reversal
from settlement.ids import AwardId, ConsignorId, TaxPlace

_AWARD: Final = AwardId("S1~12")
_SELLER: Final = LiquidatorId("north")
_BUYER: Final = BidderId("acme")
_CONSIGNOR: Final = ConsignorId(BidderId("target"))
_PLACE: Final = TaxPlace("US-TX")
_ABOUT: Final = About(subject=_AWARD, at_us=1_773_144_000_000_000, currency="USD", note="why")


def _money(hammer: int, premium: int = 0, tax: int = 0, freight: int = 0) -> AwardMoney:
    return AwardMoney(
        award_id=_AWARD,
        hammer_minor=hammer,
        premium_minor=premium,
        tax_minor=tax,
        freight_minor=freight,
        tax_place=sales_tax(_PLACE),
    )


_WHOLE: Final = _money(1_000_000, 100_000, 90_750)
_CLAIM: Final = _money(120_000, 12_000, 10_890)
_LEFT: Final = _money(880_000, 88_000, 79_860)

# What books, and with what: in minor units, in the order of an award's life.
EXAMPLES: Final[tuple[tuple[Callable[..., Entry], tuple[Any, ...]], ...]] = (
    (p.capture, ([_WHOLE],)),
    (p.bank_funding, (_BUYER, 1_200_000, [_WHOLE])),
    (p.credit_applied, (_BUYER, [_money(9_000)])),
    (p.processing_fee, (34_562,)),
    (p.fee_refunded, (30,)),
    (p.claim_credit, (_CLAIM,)),
    (p.award_refunded, (_WHOLE,)),
    (p.refund_returned, (_BUYER, 142_890)),
    (p.tax_credited, (_money(0, 0, 79_860), buyer_credit(_BUYER))),
    (p.release, (_SELLER, _LEFT, 44_000)),
    (p.release, (_SELLER, _WHOLE, 50_000, ConsignedPart(_CONSIGNOR, 872_800))),
    (p.transfer_out, (_SELLER, 836_000)),
    (p.bank_file_paid, (_SELLER, 836_000)),
    (p.bank_file_returned, (_SELLER, 836_000)),
    (p.claim_after_release, (_SELLER, _money(10_000, 1_000, 908), 500)),
    (p.chargeback, (1_047_860, 1_500)),
    (p.dispute_won, (1_047_860, 1_500)),
    (p.dispute_lost_by_seller, (_SELLER, _LEFT, 44_000)),
    (p.dispute_lost_by_house, (_LEFT,)),
    (p.dispute_lost_while_held, (_LEFT,)),
    (p.dispute_settled, (buyer_credit(_BUYER), 100_000)),
    (p.transfer_reversed, (_SELLER, 500_000, 836_000)),
    (p.receivable_netted, (_SELLER, 9_500)),
    (p.write_off, (_SELLER, 336_000)),
    (h.deposit_forfeited, (50_000,)),
    (h.relist_fee, (30_500,)),
    (h.storage, (4_200, _AWARD, STRIPE, (_PLACE, 347))),
    (h.missed_appointment, (5_000, _AWARD)),
    (h.cancellation_fee, (_SELLER, 81_000, _AWARD)),
    (h.freight_paid, (_AWARD, 2_600, 2_500)),
    (h.freight_earned, (_AWARD, 300)),
    (h.consignor_charged, (_CONSIGNOR, _SELLER, 7_200)),
    (h.consignor_paid, (_CONSIGNOR, 865_600)),
    (h.payout, (900_000,)),
    (h.payout_returned, (900_000,)),
    (h.credit_refunded, (_BUYER, 9_250)),
    (h.credit_set_aside, (_BUYER, "credit-payout~7", 9_250)),
    (h.wire_identified, (_BUYER, 70_001)),
    (h.tax_remitted, (_PLACE, 79_860)),
    (h.rounding, (BANK, -1)),
    (h.adjustment, (BANK, PREMIUMS, 5)),
)


def examples() -> list[tuple[str, Entry]]:
    """Each entry with what it means, and the taking back of one."""
    made = [(_meaning(books), books(_ABOUT, *given)) for books, given in EXAMPLES]
    wrong = p.transfer_out(_ABOUT, _SELLER, 836_000)
    return [*made, (_meaning(reversal), reversal(wrong, _ABOUT.at_us, "why"))]


def ledger_page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_chart(), _ENTRIES, *_entries()]) + "\n"


def _chart() -> Iterator[str]:
    for kind in Kind:
        row = CHART[kind]
        name = kind.value if row.of is Of.HOUSE else f"{kind.value}:{{{row.of.value}}}"
        below = "yes" if row.may_overdraw else "no"
        yield f"| `{name}` | {row.family.lower()} | {row.side.lower()} | {below} | {row.meaning} |"


def _entries() -> Iterator[str]:
    for meaning, entry in examples():
        debits: dict[str, int] = {}
        credits_: dict[str, int] = {}
        for posting in entry.postings:
            for side, account in ((debits, posting.debit), (credits_, posting.credit)):
                side[account.kind] = side.get(account.kind, 0) + posting.amount_minor
        yield f"| `{entry.purpose}` | {_listed(debits)} | {_listed(credits_)} | {meaning} |"


def _listed(side: dict[str, int]) -> str:
    return "; ".join(f"{name} {amount:,}" for name, amount in side.items())


def _meaning(books: Callable[..., Entry]) -> str:
    """The first paragraph of its docstring."""
    paragraph = (books.__doc__ or "").partition("\n\n")[0]
    return " ".join(paragraph.split()).replace("``", "`")


_INTRODUCTION: Final = """\
# The ledger

Made by `python -m settlement.ledger_page > docs/ledger.md` from what books; do not edit.

## Accounts

Each exists in every currency in which it is used. *Below zero*: whether the books let it have a
balance on its other side.

| account | family | grows by | below zero | meaning |
| --- | --- | --- | --- | --- |"""
_ENTRIES: Final = """
## Entries

The figures are examples in cents. An entry's key is `{purpose}:{subject}:{generation}`, its subject
mostly an award or an invoice.

| purpose | debit | credit | when |
| --- | --- | --- | --- |"""


if __name__ == "__main__":
    sys.stdout.write(ledger_page())
