"""Exceptions have an age, an owner and an end; an adjustment takes two people."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from foundation.database import Pool, acquire, open_pool
from settlement.reconciliation.adjustments import Adjustments
from settlement.reconciliation.exceptions import ExceptionRow, Exceptions
from settlement.reconciliation.matching import BreakKind
from settlement.reconciliation.words import BooksRefusal, BooksRefused
from tests.books import balances_of, booked
from tests.house_people import ADA, BEN, EVE, house_people
from tests.reconciling import (
    LATER_US,
    broken,
    capture,
    left_open,
    read_until,
    reconciled,
    taken,
    txn,
)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test")
    async with acquire(pool) as connection:
        await house_people(connection)
    yield pool
    pool.terminate()


@pytest.fixture
def exceptions(pool: Pool) -> Exceptions:
    return Exceptions(pool, lambda: LATER_US)


@pytest.fixture
def adjustments(pool: Pool) -> Adjustments:
    return Adjustments(pool, lambda: LATER_US)


async def found(pool: Pool, exceptions: Exceptions) -> ExceptionRow:
    """One exception: Stripe has 10.00 that nobody booked."""
    async with acquire(pool) as connection:
        await taken(connection, txn(1, amount=1_000))
        await reconciled(connection)
    (row,) = await exceptions.open()
    return row


async def propose(adjustments: Adjustments, row: ExceptionRow, amount: int = 1_000) -> int:
    return await adjustments.propose(
        ADA,
        debit="stripe_balance",
        credit="buyer_credit:unidentified",
        amount_minor=amount,
        currency="USD",
        note="nobody knows whose it is",
        exception=(row.exception_id, row.version),
    )


async def refusal(doing: object) -> BooksRefusal:
    with pytest.raises(BooksRefused) as raised:
        await doing  # type: ignore[misc]
    return raised.value.refusal


async def test_an_exception_is_taken_noted_given_back_and_assigned(
    pool: Pool, exceptions: Exceptions
) -> None:
    row = await found(pool, exceptions)
    assert (row.kind, row.difference_minor) == (BreakKind.MISSING_IN_LEDGER, -1_000)
    assert row.age_us(LATER_US) == 15 * 60 * 1_000_000
    its = row.exception_id
    await exceptions.take(ADA, its, row.version)
    assert await refusal(exceptions.take(BEN, its, row.version + 1)) is BooksRefusal.NOT_YOURS
    assert await refusal(exceptions.give_back(BEN, its, 2)) is BooksRefusal.NOT_YOURS
    await exceptions.note(BEN, its, 2, " asked the bank ")
    await exceptions.give_back(ADA, its, 3)
    await exceptions.assign(ADA, its, 4, BEN.person_id)  # type: ignore[arg-type]
    assert await refusal(exceptions.take(ADA, its, 4)) is BooksRefusal.CHANGED_MEANWHILE
    wrong = exceptions.assign(ADA, its, 5, EVE.person_id)  # type: ignore[arg-type]
    assert await refusal(wrong) is BooksRefusal.INVALID
    detail = await exceptions.read(its)
    assert (detail.row.owner_name, detail.row.note) == ("Ben", "asked the bank")
    assert [(act.act, act.actor_name) for act in detail.acts] == [
        ("FOUND", None),
        ("TAKEN", "Ada"),
        ("NOTED", "Ben"),
        ("GIVEN_BACK", "Ada"),
        ("ASSIGNED", "Ada"),
    ]
    assert [its.transaction_id for its in detail.transactions] == ["txn_1"]
    assert await exceptions.staff() == [("ada", "Ada"), ("ben", "Ben")]
    async with acquire(pool) as connection:
        acts = await connection.fetch("select act from audit_event order by audit_id")
    assert [act["act"] for act in acts][:2] == ["EXCEPTION_TAKEN", "EXCEPTION_NOTED"]


async def test_it_ends_by_itself_when_the_entry_comes(pool: Pool, exceptions: Exceptions) -> None:
    row = await found(pool, exceptions)
    async with acquire(pool) as connection:
        await booked(connection, capture(1))
        await reconciled(connection)
    assert await exceptions.open() == []
    (ended,) = await exceptions.resolved()
    assert ended.resolution == "It is capture:S1~b1:1."
    taking = exceptions.take(ADA, row.exception_id, ended.version)
    assert await refusal(taking) is BooksRefusal.RESOLVED


async def test_an_adjustment_is_booked_by_another_person_only(
    pool: Pool, exceptions: Exceptions, adjustments: Adjustments
) -> None:
    row = await found(pool, exceptions)
    made = await propose(adjustments, row)
    assert await refusal(propose(adjustments, row)) is BooksRefusal.PROPOSED_ALREADY
    assert await refusal(adjustments.approve(ADA, made, 1)) is BooksRefusal.SAME_PERSON
    assert await refusal(adjustments.reject(ADA, made, 1, "no")) is BooksRefusal.SAME_PERSON
    assert await refusal(adjustments.withdraw(BEN, made, 1)) is BooksRefusal.NOT_YOURS
    async with acquire(pool) as connection:
        assert await balances_of(connection) == {}
    assert await refusal(adjustments.approve(BEN, made, 2)) is BooksRefusal.CHANGED_MEANWHILE
    key = await adjustments.approve(BEN, made, 1)
    assert await refusal(adjustments.approve(BEN, made, 1)) is BooksRefusal.DECIDED
    async with acquire(pool) as connection:
        balances = await balances_of(connection)
        assert balances == {"buyer_credit:unidentified": 1_000, "stripe_balance": 1_000}
        assert await left_open(connection) == ([], [])
    (ended,) = await exceptions.resolved()
    assert ended.resolution == f"It is {key}."
    (adjustment,) = (await exceptions.read(row.exception_id)).adjustments
    assert (adjustment.proposed_by_name, adjustment.decided_by_name) == ("Ada", "Ben")


async def test_the_table_takes_no_decision_by_who_proposed_it(
    pool: Pool, exceptions: Exceptions, adjustments: Adjustments
) -> None:
    made = await propose(adjustments, await found(pool, exceptions))
    decide = (
        "update ledger_adjustment set state = $2, decided_by = $3, decided_at_us = 1 "
        "where adjustment_id = $1"
    )
    async with acquire(pool) as connection:
        with pytest.raises(asyncpg.CheckViolationError, match="takes_two"):
            await connection.execute(decide, made, "REJECTED", "ada")
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute("update ledger_adjustment set proposed_by = 'eve'")
        await connection.execute(decide, made, "REJECTED", "ben")
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(decide, made, "WITHDRAWN", "ada")


async def test_a_proposal_is_rejected_or_withdrawn(
    pool: Pool, exceptions: Exceptions, adjustments: Adjustments
) -> None:
    row = await found(pool, exceptions)
    made = await propose(adjustments, row)
    assert await refusal(adjustments.reject(BEN, made, 1, " ")) is BooksRefusal.NO_REASON
    await adjustments.reject(BEN, made, 1, "ask the bank first")
    made = await propose(adjustments, row)
    await adjustments.withdraw(ADA, made, 1)
    assert await adjustments.open() == []
    async with acquire(pool) as connection:
        assert await balances_of(connection) == {}


async def test_an_approval_of_what_changed_meanwhile_books_nothing(
    pool: Pool, exceptions: Exceptions, adjustments: Adjustments
) -> None:
    row = await found(pool, exceptions)
    made = await propose(adjustments, row)
    async with acquire(pool) as connection:
        await booked(connection, capture(1, 900))
        await reconciled(connection)
        assert await broken(connection) == {"txn_1": "AMOUNT"}
    assert (await adjustments.read(made)).is_stale
    assert await refusal(adjustments.approve(BEN, made, 1)) is BooksRefusal.STALE_PROPOSAL
    async with acquire(pool) as connection:
        await reconciled(connection)
        assert (await balances_of(connection))["stripe_balance"] == 900
    await adjustments.withdraw(ADA, made, 1)
    (row,) = await exceptions.open()
    made = await propose(adjustments, row, 100)
    await adjustments.approve(BEN, made, 1)
    assert await exceptions.open() == []


async def test_an_entry_that_stripe_does_not_know_is_mended(
    pool: Pool, exceptions: Exceptions, adjustments: Adjustments
) -> None:
    async with acquire(pool) as connection:
        await booked(connection, capture(1))
        await read_until(connection, LATER_US)
        await reconciled(connection)
    (row,) = await exceptions.open()
    assert row.kind is BreakKind.MISSING_AT_STRIPE
    made = await adjustments.propose(
        ADA, debit="held:S1~1", credit="stripe_balance", amount_minor=1_000, currency="USD",
        note="it never came", exception=(row.exception_id, row.version),
    )  # fmt: skip
    await adjustments.approve(BEN, made, 1)
    assert await exceptions.open() == []
    async with acquire(pool) as connection:
        assert await balances_of(connection) == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"debit": "cash"}, "debit"),
        ({"credit": "held"}, "credit"),
        ({"credit": "stripe_balance"}, "credit"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"amount_minor": 2**53 + 1}, "amount_minor"),
        ({"currency": "XXX"}, "currency"),
        ({"note": "  "}, "note"),
        ({"note": "x" * 501}, "note"),
    ],
)
async def test_what_can_be_no_entry_is_refused_by_its_field(
    adjustments: Adjustments, change: dict[str, object], field: str
) -> None:
    given: dict[str, object] = {
        "debit": "stripe_balance", "credit": "rounding", "amount_minor": 1, "currency": "USD",
        "note": "a cent",
    }  # fmt: skip
    with pytest.raises(BooksRefused) as raised:
        await adjustments.propose(ADA, **(given | change))  # type: ignore[arg-type]
    assert raised.value.field == field
    assert await adjustments.open() == []


async def test_an_overdraft_is_refused_and_nothing_is_decided(adjustments: Adjustments) -> None:
    made = await adjustments.propose(
        ADA, debit="rounding", credit="bank", amount_minor=1, currency="USD", note="a cent"
    )
    assert await refusal(adjustments.approve(BEN, made, 1)) is BooksRefusal.INVALID
    assert [one.adjustment_id for one in await adjustments.open()] == [made]
