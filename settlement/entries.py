"""What a ledger entry is: postings that cannot be out of balance, and what they are about. Pure.

A posting has both sides and one positive amount. An entry has one currency and a key, which is a
pure function of what happened, so that whoever books it again books the same; its digest tells
when somebody books something else under that key. So everything in an entry is a fact (a time is
the one at Stripe, or the one that was stored with the operation), never the clock at the try.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from auction.ids import BidderId, LiquidatorId, SaleId
from auction.money import EXPONENTS, MAX_MINOR
from settlement.chart import Account, Kind
from settlement.ids import AwardId, ConsignorId, EntryKey, InvoiceId, StripeId

# Stripe takes no longer idempotency key, and ours are made alike.
MAX_KEY: Final = 255
# An invoice of so many lots with premium, tax and freight; what is more is several entries.
MAX_POSTINGS: Final = 10_000
MAX_NOTE: Final = 500
MAX_STRIPE_IDS: Final = 50
# 1970 to 2100: a time in other units is out of it.
MAX_AT_US: Final = 4_102_444_800_000_000

# What can stand in a key, a file and a URL: a reversal's is the key of what it takes back.
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~\-]{0,239}")


class Purpose(StrEnum):
    """What happened in business: the first part of an entry's key."""

    CAPTURE = "capture"
    BANK_FUNDING = "bank_funding"
    CREDIT_APPLIED = "credit_applied"
    PROCESSING_FEE = "processing_fee"
    FEE_REFUNDED = "fee_refunded"
    CLAIM_CREDIT = "claim_credit"
    CLAIM_AFTER_RELEASE = "claim_after_release"
    AWARD_REFUNDED = "award_refunded"
    REFUND_RETURNED = "refund_returned"
    TAX_CREDITED = "tax_credited"
    RELEASE = "release"
    TRANSFER = "transfer"
    TRANSFER_REVERSED = "transfer_reversed"
    RECEIVABLE_NETTED = "receivable_netted"
    WRITE_OFF = "write_off"
    CHARGEBACK = "chargeback"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST_BY_SELLER = "dispute_lost_by_seller"
    DISPUTE_LOST_BY_HOUSE = "dispute_lost_by_house"
    DISPUTE_LOST_WHILE_HELD = "dispute_lost_while_held"
    DISPUTE_SETTLED = "dispute_settled"
    DEPOSIT_FORFEITED = "deposit_forfeited"
    RELIST_FEE = "relist_fee"
    STORAGE = "storage"
    MISSED_APPOINTMENT = "missed_appointment"
    CANCELLATION_FEE = "cancellation_fee"
    FREIGHT_PAID = "freight_paid"
    FREIGHT_EARNED = "freight_earned"
    CONSIGNOR_CHARGED = "consignor_charged"
    CONSIGNOR_PAID = "consignor_paid"
    BANK_FILE_PAID = "bank_file_paid"
    BANK_FILE_RETURNED = "bank_file_returned"
    PAYOUT = "payout"
    PAYOUT_RETURNED = "payout_returned"
    CREDIT_REFUNDED = "credit_refunded"
    CREDIT_SET_ASIDE = "credit_set_aside"
    WIRE_IDENTIFIED = "wire_identified"
    TAX_REMITTED = "tax_remitted"
    ROUNDING = "rounding"
    ADJUSTMENT = "adjustment"
    REVERSAL = "reversal"


class Posting(Struct, frozen=True):
    """An amount from one account to another, and the award that it is about, if it is one's."""

    debit: Account
    credit: Account
    amount_minor: int
    award_id: AwardId | None = None

    def __post_init__(self) -> None:
        if self.debit == self.credit:
            raise ValueError(f"{self.debit.name}: a posting has two accounts")
        if not 1 <= self.amount_minor <= MAX_MINOR:
            raise ValueError(
                f"{self.debit.name} to {self.credit.name}: {self.amount_minor} is not an amount "
                f"from 1 to {MAX_MINOR}"
            )

    def reversed(self) -> "Posting":
        return Posting(self.credit, self.debit, self.amount_minor, self.award_id)


class About(Struct, frozen=True, kw_only=True):
    """The facts around an entry: what it is about, when it took effect, which objects tell of it.

    ``subject`` and ``generation`` make its key: an invoice's or award's id, and a number that grows
    where the same may happen to it again (a second part payment, a second claim). ``award_id``: the
    award that postings are about which name none.
    """

    subject: str
    generation: int = 1
    at_us: int
    currency: str
    sale_id: SaleId | None = None
    award_id: AwardId | None = None
    invoice_id: InvoiceId | None = None
    liquidator_id: LiquidatorId | None = None
    consignor_id: ConsignorId | None = None
    buyer_id: BidderId | None = None
    stripe_ids: tuple[StripeId, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not _WORD.fullmatch(self.subject):
            raise ValueError(f"subject: {self.subject[:40]!r} is not a word")
        if not all(_WORD.fullmatch(stripe_id) for stripe_id in self.stripe_ids):
            raise ValueError("stripe_ids: one is not a word")
        if self.generation < 1:
            raise ValueError(f"generation: {self.generation} is not 1 or more")
        if not 0 < self.at_us < MAX_AT_US:
            raise ValueError(f"at_us: {self.at_us} is no time in microseconds")
        if self.currency not in EXPONENTS:
            raise ValueError(f"currency: {self.currency!r} is not one that sales are held in")
        if len(self.stripe_ids) > MAX_STRIPE_IDS:
            raise ValueError(f"stripe_ids: {len(self.stripe_ids)} are more than {MAX_STRIPE_IDS}")
        if len(self.note) > MAX_NOTE or "\0" in self.note:
            raise ValueError(f"note: it has a NUL or more than {MAX_NOTE} characters")


class Entry(Struct, frozen=True):
    """One business event in the books: all of its postings are booked, or none."""

    key: EntryKey
    purpose: Purpose
    about: About
    postings: tuple[Posting, ...]
    reverses: EntryKey | None = None

    def __post_init__(self) -> None:
        if len(self.key) > MAX_KEY:
            raise ValueError(f"{self.key[:60]}...: a key has at most {MAX_KEY} characters")
        if not 1 <= len(self.postings) <= MAX_POSTINGS:
            raise ValueError(
                f"{self.key}: {len(self.postings)} postings are not from 1 to {MAX_POSTINGS}"
            )

    @property
    def sha256(self) -> bytes:
        """The digest of all that is booked: the form is part of it and never changes."""
        about = self.about
        content = [
            1, self.key, self.purpose, about.currency, about.at_us, self.reverses,
            [[p.debit.name, p.credit.name, p.amount_minor, p.award_id] for p in self.postings],
            about.sale_id, about.invoice_id, about.liquidator_id, about.consignor_id,
            about.buyer_id, about.stripe_ids, about.note,
        ]  # fmt: skip
        return hashlib.sha256(msgspec.msgpack.encode(content)).digest()


class AwardMoney(Struct, frozen=True, kw_only=True):
    """What an award's money is made of; also the part of it that is given back.

    ``tax_minor`` is all of the award's tax, that on premium and freight too, due in ``tax_place``.
    """

    award_id: AwardId
    hammer_minor: int
    premium_minor: int = 0
    tax_minor: int = 0
    freight_minor: int = 0
    tax_place: Account | None = None

    def __post_init__(self) -> None:
        amounts = (self.hammer_minor, self.premium_minor, self.tax_minor, self.freight_minor)
        if any(amount < 0 for amount in amounts):
            raise ValueError(f"{self.award_id}: {amounts} has a negative amount")
        if self.tax_minor and (self.tax_place is None or self.tax_place.kind is not Kind.SALES_TAX):
            raise ValueError(f"{self.award_id}: tax is due in a place")

    @property
    def total_minor(self) -> int:
        return self.hammer_minor + self.premium_minor + self.tax_minor + self.freight_minor


class ConsignedPart(Struct, frozen=True):
    """What of a release is a consignor's (`auction.consignment.Share.consignor_minor`)."""

    consignor_id: ConsignorId
    amount_minor: int


def entry_key(purpose: Purpose, subject: str, generation: int = 1) -> EntryKey:
    return EntryKey(f"{purpose}:{subject}:{generation}")


def entry(purpose: Purpose, about: About, postings: Iterable[Posting | None]) -> Entry:
    """An entry of the postings that move something."""
    kept = tuple(
        posting
        if posting.award_id or not about.award_id
        else msgspec.structs.replace(posting, award_id=about.award_id)
        for posting in postings
        if posting is not None
    )
    return Entry(entry_key(purpose, about.subject, about.generation), purpose, about, kept)


def moved(
    debit: Account, credit: Account, amount_minor: int, award_id: AwardId | None = None
) -> Posting | None:
    """A posting, or nothing where there is nothing to move."""
    return Posting(debit, credit, amount_minor, award_id) if amount_minor else None


def paired(
    debits: Sequence[tuple[Account, int]],
    credits: Sequence[tuple[Account, int]],  # noqa: A002 - the word of bookkeeping
    award_id: AwardId | None = None,
) -> list[Posting]:
    """The postings of a compound entry: debits meet credits in order; they have to be as much."""
    given = sum(amount for _, amount in debits)
    taken = sum(amount for _, amount in credits)
    if given != taken or any(amount < 0 for _, amount in (*debits, *credits)):
        raise ValueError(f"debits of {given} are not credits of {taken}")
    postings: list[Posting] = []
    waiting = [(account, amount) for account, amount in credits if amount]
    for debit, owed in debits:
        left = owed
        while left:
            credit, open_minor = waiting[0]
            amount = min(left, open_minor)
            postings.append(Posting(debit, credit, amount, award_id))
            left -= amount
            waiting[:1] = [(credit, open_minor - amount)] if amount < open_minor else []
    return postings


def named(key: EntryKey) -> tuple[Purpose, str, int]:
    """What `entry_key` made a key of."""
    purpose, _, rest = key.partition(":")
    subject, _, generation = rest.rpartition(":")
    return Purpose(purpose), subject, int(generation)


def reversal(wrong: Entry, at_us: int, note: str) -> Entry:
    """The entry that takes another back, whole: in the open month, since its own may be closed."""
    about = msgspec.structs.replace(
        wrong.about, subject=wrong.key, generation=1, at_us=at_us, note=note
    )
    return Entry(
        entry_key(Purpose.REVERSAL, wrong.key),
        Purpose.REVERSAL,
        about,
        tuple(posting.reversed() for posting in wrong.postings),
        wrong.key,
    )
