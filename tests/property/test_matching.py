"""Random histories with planted differences: exactly what was planted is found."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from settlement.entries import Purpose, entry_key
from settlement.ids import StripeId
from settlement.payment_objects import BalanceTransaction
from settlement.reconciliation.matching import GRACE_US, STALE_US, Booked, BreakKind, match
from tests.books import NOON_US
from tests.reconciling import txn

FAR_US = NOON_US + 10 * STALE_US

# A kind at Stripe: its object, the sign of its amount, and the purposes that book it.
KINDS = {
    "charge": ("ch", 1, [Purpose.CAPTURE, Purpose.DEPOSIT_FORFEITED, Purpose.STORAGE]),
    "payment": ("py", 1, [Purpose.BANK_FUNDING, Purpose.RELIST_FEE]),
    "refund": ("re", -1, [Purpose.CLAIM_CREDIT, Purpose.AWARD_REFUNDED, Purpose.CREDIT_REFUNDED]),
    "refund_failure": ("re", 1, [Purpose.REFUND_RETURNED]),
    "transfer": ("tr", -1, [Purpose.TRANSFER, Purpose.CONSIGNOR_PAID]),
    "transfer_refund": ("trr", 1, [Purpose.TRANSFER_REVERSED]),
    "payout": ("po", -1, [Purpose.PAYOUT]),
    "payout_failure": ("po", 1, [Purpose.PAYOUT_RETURNED]),
    "dispute": ("du", -1, [Purpose.CHARGEBACK]),
    "dispute_reversal": ("du", 1, [Purpose.DISPUTE_WON]),
}
WITH_FEE = ("charge", "payment", "dispute")
PLANTED = [
    None,
    None,
    None,
    BreakKind.MISSING_IN_LEDGER,
    BreakKind.MISSING_AT_STRIPE,
    BreakKind.AMOUNT,
    BreakKind.FEE,
    BreakKind.CURRENCY,
    "twice",
    "undone",
    "mended",
]


class Business(Struct):
    """One thing that happened: Stripe's row, our entries, and the breaks that they have to be."""

    rows: list[BalanceTransaction]
    entries: list[Booked]
    breaks: Sequence[tuple[str, BreakKind]]
    fees_due: int = 0


def booked(number: int, purpose: Purpose, amount: int, *ids: str, **more: Any) -> Booked:
    facts: dict[str, Any] = {
        "entry_id": number,
        "key": entry_key(purpose, f"S1~{number}"),
        "purpose": purpose,
        "currency": "USD",
        "at_us": NOON_US,
        "amount_minor": amount,
        "fee_minor": 0,
        "stripe_ids": tuple(StripeId(one) for one in ids),
    }
    return Booked(**(facts | more))


@st.composite
def business(draw: st.DrawFn, number: int) -> Business:
    kind = draw(st.sampled_from(sorted(KINDS)))
    prefix, sign, purposes = KINDS[kind]
    purpose = draw(st.sampled_from(purposes))
    amount = sign * draw(st.integers(1_000, 1_010))
    fee = draw(st.integers(1, 3)) if kind in WITH_FEE else 0
    source = f"{prefix}_{number}"
    dispute = kind.startswith("dispute")
    row = txn(
        number, "adjustment" if dispute else kind, source, amount, fee, category=kind,
        currency=draw(st.sampled_from(["USD", "USD", "EUR"])),
    )  # fmt: skip
    # An entry names its object, often others too (a refund its charge), or Stripe's row itself.
    others = [f"pi_{number}"] if kind == "charge" else [f"ch_{other}" for other in range(1, 10)]
    ids = [source, *draw(st.lists(st.sampled_from(others), max_size=1))]
    ids += draw(st.lists(st.just(row.transaction_id), max_size=1))
    parts = draw(st.integers(1, 3)) if kind == "refund" else 1
    made = _split(number, purpose, amount, parts, ids, row.currency)
    fees_due = 0
    if dispute:
        made[0] = structs.replace(made[0], fee_minor=fee)
    elif fee and draw(st.booleans()):
        made.append(_fee(number, fee, draw(st.sampled_from([source, row.transaction_id])), row))
    elif fee:
        fees_due = fee
    planted = draw(st.sampled_from(PLANTED))
    return _planted(planted, number, row, made, fees_due)


def _split(
    number: int, purpose: Purpose, amount: int, parts: int, ids: list[str], currency: str
) -> list[Booked]:
    of = [amount // parts] * parts
    of[0] += amount - sum(of)
    return [
        booked(number * 10 + place, purpose, part, *ids, currency=currency)
        for place, part in enumerate(of)
    ]


def _fee(number: int, fee: int, name: str, row: BalanceTransaction) -> Booked:
    purpose = Purpose.PROCESSING_FEE
    return booked(number * 10 + 7, purpose, 0, name, fee_minor=fee, currency=row.currency)


def _planted(
    planted: BreakKind | str | None,
    number: int,
    row: BalanceTransaction,
    made: list[Booked],
    fees_due: int,
) -> Business:
    first, rest = made[0], made[1:]
    others = [BreakKind.MISSING_AT_STRIPE] * len(made)
    match planted:
        case BreakKind.MISSING_IN_LEDGER:
            return Business([row], [], [(row.transaction_id, BreakKind.MISSING_IN_LEDGER)])
        case BreakKind.MISSING_AT_STRIPE:
            missing = [(entry.key, kind) for entry, kind in zip(made, others, strict=True)]
            return Business([], made, missing)
        case BreakKind.AMOUNT:
            wrong = structs.replace(first, amount_minor=first.amount_minor + 500)
            return Business([row], [wrong, *rest], [(row.transaction_id, BreakKind.AMOUNT)])
        case BreakKind.FEE if row.fee_minor:
            kept = [entry for entry in made if entry.purpose is not Purpose.PROCESSING_FEE]
            if kept[0].fee_minor:
                kept[0] = structs.replace(kept[0], fee_minor=row.fee_minor + 9)
            else:
                kept.append(_fee(number, row.fee_minor + 9, row.source_id or "", row))
            return Business([row], kept, [(row.transaction_id, BreakKind.FEE)])
        case BreakKind.CURRENCY:
            wrong = structs.replace(first, currency="GBP")
            return Business([row], [wrong, *rest], [(row.transaction_id, BreakKind.CURRENCY)])
        case "twice" if not rest and not fees_due:
            again = structs.replace(
                first, entry_id=number * 10 + 5, key=entry_key(first.purpose, f"again~{number}")
            )
            kept = [first, again]
            return Business([row], kept, [(again.key, BreakKind.MISSING_AT_STRIPE)])
        case "undone":
            back = booked(
                number * 10 + 5, Purpose.REVERSAL, -first.amount_minor, *first.stripe_ids,
                fee_minor=-first.fee_minor, currency=first.currency, corrects=first.key,
            )  # fmt: skip
            if rest:
                return Business([row], made, [], fees_due)
            return Business(
                [row], [first, back], [(row.transaction_id, BreakKind.MISSING_IN_LEDGER)]
            )
        case "mended":
            wrong = structs.replace(first, amount_minor=first.amount_minor + 500)
            mended = booked(
                number * 10 + 5, Purpose.ADJUSTMENT, -500 - fees_due, row.transaction_id,
                currency=row.currency,
            )  # fmt: skip
            return Business([row], [wrong, *rest, mended], [])
    return Business([row], made, [], fees_due)


@st.composite
def histories(draw: st.DrawFn) -> list[Business]:
    return [draw(business(number)) for number in range(1, draw(st.integers(1, 9)))]


@settings(max_examples=600, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_exactly_the_planted_breaks_are_found(history: list[Business], order: Any) -> None:
    rows = [row for each in history for row in each.rows]
    entries = [entry for each in history for entry in each.entries]
    order.shuffle(rows)
    order.shuffle(entries)
    made = match(rows, entries, taken_until_us=FAR_US, now_us=FAR_US)
    expected = sorted(one for each in history for one in each.breaks)
    assert sorted((one.subject, one.kind) for one in made.breaks) == expected
    assert sum(due.fee_minor for due in made.fees) == sum(each.fees_due for each in history)
    # Each row and each entry is in exactly one place.
    of_rows = [one.transaction_id for one in made.matches]
    of_rows += [name for one in made.breaks for name in one.transaction_ids]
    assert sorted(of_rows) == sorted(row.transaction_id for row in rows)
    by_key = {entry.key: entry.entry_id for entry in entries}
    of_entries = [entry_id for one in made.matches for entry_id in one.entry_ids]
    of_entries += [by_key[key] for one in made.breaks for key in one.entry_keys]
    assert sorted([*of_entries, *made.undone]) == sorted(by_key.values())
    # What does not match is all the difference that there is.
    difference = sum(row.net_minor for row in rows)
    difference -= sum(entry.net_minor for entry in entries if entry.currency != "GBP")
    explained = sum(one.stripe_minor - one.booked_minor for one in made.breaks)
    assert difference == explained - sum(due.fee_minor for due in made.fees)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_nothing_is_broken_that_may_be_on_its_way(history: list[Business]) -> None:
    rows = [row for each in history for row in each.rows]
    entries = [entry for each in history for entry in each.entries]
    young = match(
        rows, entries, taken_until_us=NOON_US + GRACE_US - 1, now_us=NOON_US + GRACE_US - 1
    )
    assert not young.breaks
    unread = match(rows, entries, taken_until_us=0, now_us=FAR_US)
    kinds = {one.kind for one in unread.breaks}
    assert BreakKind.MISSING_AT_STRIPE not in kinds
