"""The ledger's tests: entries in few words, and an own reading of what stands in the tables."""

from collections.abc import Sequence
from typing import Any

from auction.ids import BidderId, LiquidatorId, SaleId
from foundation.database import AnyConnection
from settlement.chart import Account, parse_account, sales_tax, signed_minor
from settlement.entries import About, AwardMoney, Entry
from settlement.ids import AwardId, ConsignorId, EntryKey, InvoiceId, TaxPlace
from settlement.ledger import post

DAY_US = 24 * 3_600 * 1_000_000
# 2026-03-10 12:00 UTC.
NOON_US = 1_773_144_000_000_000

SALE, LOT = SaleId("S1"), AwardId("S1~12")
INVOICE = InvoiceId("S1~acme")
NORTH, ACME = LiquidatorId("north"), BidderId("acme")
TARGET = ConsignorId(BidderId("target"))
TEXAS = TaxPlace("US-TX")


def about(subject: str = LOT, at_us: int = NOON_US, currency: str = "USD", **more: Any) -> About:
    return About(subject=subject, at_us=at_us, currency=currency, **more)


def money(
    hammer: int, premium: int = 0, tax: int = 0, freight: int = 0, award: AwardId = LOT
) -> AwardMoney:
    return AwardMoney(
        award_id=award,
        hammer_minor=hammer,
        premium_minor=premium,
        tax_minor=tax,
        freight_minor=freight,
        tax_place=sales_tax(TEXAS) if tax else None,
    )


def sides(entry: Entry) -> tuple[dict[str, int], dict[str, int]]:
    """What an entry debits and credits, by account."""
    debits: dict[str, int] = {}
    credits_: dict[str, int] = {}
    for posting in entry.postings:
        amount_minor = posting.amount_minor
        debits[posting.debit.name] = debits.get(posting.debit.name, 0) + amount_minor
        credits_[posting.credit.name] = credits_.get(posting.credit.name, 0) + amount_minor
    return debits, credits_


async def booked(connection: AnyConnection, *entries: Entry) -> list[EntryKey]:
    """Book in a transaction of their own."""
    async with connection.transaction():
        return await post(connection, entries)


async def balances_of(connection: AnyConnection, currency: str = "USD") -> dict[str, int]:
    """Every balance that is not zero, positive on its own side; they sum to zero by side."""
    rows = await connection.fetch(
        "select name, debits_minor, credits_minor from ledger_account join ledger_balance "
        "using (account_id) where currency = $1",
        currency,
    )
    assert sum(row["debits_minor"] - row["credits_minor"] for row in rows) == 0
    signed = {row["name"]: _signed(row) for row in rows}
    return {name: balance for name, balance in sorted(signed.items()) if balance}


async def folded(connection: AnyConnection) -> dict[tuple[str, str], tuple[int, int]]:
    """Debits and credits of every account, summed from the transfers."""
    rows = await connection.fetch(
        "select a.name, a.currency, sum(amount_minor) filter (where side = 0)::bigint as debits, "
        "sum(amount_minor) filter (where side = 1)::bigint as credits from ledger_account a join ("
        "select debit_account_id as account_id, amount_minor, 0 as side from ledger_transfer union "
        "all select credit_account_id, amount_minor, 1 from ledger_transfer) t using (account_id) "
        "group by 1, 2"
    )
    return {
        (row["name"], row["currency"]): (row["debits"] or 0, row["credits"] or 0) for row in rows
    }


async def stored(connection: AnyConnection) -> dict[tuple[str, str], tuple[int, int]]:
    """The same as `folded`, as the trigger keeps it."""
    rows = await connection.fetch(
        "select name, currency, debits_minor, credits_minor from ledger_account "
        "join ledger_balance using (account_id) where debits_minor + credits_minor > 0"
    )
    return {
        (row["name"], row["currency"]): (row["debits_minor"], row["credits_minor"]) for row in rows
    }


def _signed(row: Any) -> int:
    account: Account = parse_account(row["name"])
    return signed_minor(account, row["debits_minor"], row["credits_minor"])


def keys_of(entries: Sequence[Entry]) -> list[EntryKey]:
    return [entry.key for entry in entries]
