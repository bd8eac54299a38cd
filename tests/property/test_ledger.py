"""Whatever is booked, in any order: the tables are a naive model's, to the minor unit."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auction.ids import BidderId, LiquidatorId
from foundation.database import Connection, connect
from settlement.chart import (
    BANK,
    COMMISSIONS,
    ROUNDING,
    STRIPE,
    Account,
    Side,
    buyer_credit,
    held,
    sales_tax,
    seller_payable,
)
from settlement.entries import About, Entry, Posting, Purpose, entry_key
from settlement.ids import AwardId, TaxPlace
from settlement.ledger import LedgerRefusal, LedgerRefused
from settlement.splits import split_minor
from softclose.embedded_postgres import EmbeddedPostgres
from tests.books import NOON_US, booked, folded, stored
from tests.conftest import TEMPLATE

EXAMPLES = int(os.environ.get("SOFTCLOSE_LEDGER_EXAMPLES", "60"))

ACCOUNTS = [
    STRIPE,
    BANK,
    COMMISSIONS,
    ROUNDING,
    held(AwardId("S1~1")),
    held(AwardId("S1~2")),
    seller_payable(LiquidatorId("north")),
    buyer_credit(BidderId("acme")),
    sales_tax(TaxPlace("US-TX")),
]
# Small, so that overdrafts and exact zeros are common.
AMOUNTS = st.one_of(st.integers(1, 5), st.integers(1, 10**9))


@st.composite
def postings(draw: st.DrawFn) -> Posting:
    debit, credit = draw(st.lists(st.sampled_from(ACCOUNTS), min_size=2, max_size=2, unique=True))
    return Posting(debit, credit, draw(AMOUNTS))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    subject, currency = draw(st.sampled_from("abcdefgh")), draw(st.sampled_from(["USD", "JPY"]))
    made = About(subject=subject, at_us=NOON_US, currency=currency)
    moved = tuple(draw(st.lists(postings(), min_size=1, max_size=4)))
    return Entry(entry_key(Purpose.ADJUSTMENT, subject), Purpose.ADJUSTMENT, made, moved)


class Naive:
    """A ledger of dictionaries: each entry on its own, balances summed anew from all of them."""

    def __init__(self) -> None:
        self.kept: dict[str, Entry] = {}

    def takes(self, call: list[Entry]) -> LedgerRefusal | None:
        tried = dict(self.kept)
        for entry in call:
            if tried.setdefault(entry.key, entry) != entry:
                return LedgerRefusal.KEY_REUSED
        after: dict[str, Entry] = dict(self.kept)
        for entry in call:
            after[entry.key] = entry
            if any(_below_zero(*what) for what in self.balances(after).items()):
                return LedgerRefusal.OVERDRAFT
        self.kept = after
        return None

    @staticmethod
    def balances(kept: dict[str, Entry]) -> dict[tuple[Account, str], tuple[int, int]]:
        debits: Counter[tuple[Account, str]] = Counter()
        credits_: Counter[tuple[Account, str]] = Counter()
        for entry in kept.values():
            for posting in entry.postings:
                debits[posting.debit, entry.about.currency] += posting.amount_minor
                credits_[posting.credit, entry.about.currency] += posting.amount_minor
        return {name: (debits[name], credits_[name]) for name in debits | credits_}


def _below_zero(where: tuple[Account, str], booked: tuple[int, int]) -> bool:
    account, (debits, credits_) = where[0], booked
    if account in (STRIPE, COMMISSIONS, ROUNDING) or account.name.startswith("sales_tax"):
        return False
    return (debits - credits_) * (1 if account.row.side is Side.DEBIT else -1) < 0


@pytest.fixture(scope="module")
def books_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """One database for all examples: each is undone at its end."""

    async def does(statement: str) -> None:
        connection = await connect(postgres.dsn, name="tests")
        await connection.execute(statement)
        await connection.close()

    asyncio.run(does(f"create database ledger_examples template {TEMPLATE}"))
    yield postgres.dsn.rpartition("/")[0] + "/ledger_examples"
    asyncio.run(does("drop database ledger_examples with (force)"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(calls=st.lists(st.lists(entries(), min_size=1, max_size=4), max_size=12))
def test_the_books_are_those_of_a_naive_model(calls: list[list[Entry]], books_url: str) -> None:
    asyncio.run(_compared(calls, books_url))


async def _compared(calls: list[list[Entry]], dsn: str) -> None:
    connection = await connect(dsn, name="test")
    example = connection.transaction()
    await example.start()
    try:
        naive = Naive()
        for call in calls:
            expected = naive.takes(call)
            assert await _answer(connection, call) == expected
            if expected is None:
                assert await booked(connection, *call) == []
            await _same(connection, naive)
    finally:
        await example.rollback()
        await connection.close()


async def _answer(connection: Connection, call: list[Entry]) -> LedgerRefusal | None:
    try:
        await booked(connection, *call)
    except LedgerRefused as refused:
        return refused.refusal
    return None


async def _same(connection: Connection, naive: Naive) -> None:
    expected = {
        (account.name, currency): sums
        for (account, currency), sums in naive.balances(naive.kept).items()
    }
    found = await stored(connection)
    assert found == expected == await folded(connection)
    for currency in ("USD", "JPY"):
        sums = [value for (_, of), value in found.items() if of == currency]
        assert sum(debits - credits_ for debits, credits_ in sums) == 0


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_parts_sum_to_the_whole_and_none_is_a_minor_unit_off(
    amount_minor: int, weights: list[int]
) -> None:
    whole = sum(weights)
    if not whole:
        if amount_minor:
            with pytest.raises(ValueError, match="among nothing"):
                split_minor(amount_minor, weights)
        return
    parts = split_minor(amount_minor, weights)
    assert sum(parts) == amount_minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole - amount_minor * weight) < whole


def test_what_is_left_goes_to_the_largest_remainders() -> None:
    assert split_minor(100, [1, 1, 1]) == [34, 33, 33]
    assert split_minor(10, [3, 3, 1]) == [4, 4, 2]
    assert split_minor(0, [0, 0]) == [0, 0]
    assert split_minor(5, [0, 2]) == [0, 5]
