"""Money of an unknown sender is booked as nobody's until a person says whose it is."""

from collections.abc import AsyncIterator, Awaitable
from datetime import date
from typing import Any

import pytest

from foundation.database import Pool, acquire, open_pool
from settlement.entries import reversal
from settlement.ids import EntryKey, InvoiceId
from settlement.ledger import close_month
from settlement.reconciliation.statement_file import BadStatement
from settlement.reconciliation.wires import Wires
from settlement.reconciliation.words import BooksRefusal, BooksRefused, WireState
from tests.books import NOON_US, balances_of, booked
from tests.house_people import ADA, BEN, house_people
from tests.reconciling import BUYER, capture, payout

TITLES = "date,amount,currency,sender,reference,bank id\n"
FIRST = "2026-03-09,1540.54,USD,Acme Resale LLC,INV 1,A-1\n"
SECOND = "2026-03-10,20.00,USD,Jo,thanks,A-2\n"
NOBODYS = "buyer_credit:unidentified"


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test")
    async with acquire(pool) as connection:
        await house_people(connection)
    yield pool
    pool.terminate()


@pytest.fixture
def wires(pool: Pool) -> Wires:
    return Wires(pool, lambda: NOON_US)


async def imported(wires: Wires, text: str, currency: str = "USD") -> tuple[int, int, int]:
    made = await wires.import_statement(ADA, "march.csv", text.encode(), currency)
    return made.new, made.payouts, made.known


async def balances(pool: Pool) -> dict[str, int]:
    async with acquire(pool) as connection:
        return await balances_of(connection)


async def refusal(doing: Awaitable[Any]) -> BooksRefusal:
    with pytest.raises(BooksRefused) as raised:
        await doing
    return raised.value.refusal


async def an_invoice(pool: Pool, invoice_id: str = "I1", total: int = 154_054) -> InvoiceId:
    async with acquire(pool) as connection:
        await connection.execute(
            "insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body, "
            "total_minor, zone, country, policy_version, issued_at_us, due_at_us, payment, "
            "changed_at_us) values ($1, 'S1', 'acme', 'north', 'USD', $2, $3, 'UTC', 'US', 1, $4, "
            "$4, 'AWAITING_FUNDS', $4)",
            invoice_id,
            BODY.replace("I1", invoice_id),
            total,
            NOON_US,
        )
    return InvoiceId(invoice_id)


BODY = (
    '{"invoice_id": "I1", "sale_id": "S1", "buyer_id": "acme", "currency": "USD", "due_at_us": 1, '
    '"ship_from": {"company": "", "street": "", "city": "", "region": "TX", "postal_code": "", '
    '"country": "US"}, "lines": [{"award_id": "S1~1", "lot_id": "1", "closed_at_us": 1, '
    '"hammer_minor": 154054, "premium_minor": 0, "freight_minor": 0, "tax_minor": 0, "tax": '
    '{"place": {"country": "US", "region": "TX"}, "rate_ppm": 0, "premium_taxed": false, '
    '"freight_taxed": false}}]}'
)


async def test_a_statement_is_taken_in_and_booked_as_nobodys_once(pool: Pool, wires: Wires) -> None:
    assert await imported(wires, TITLES + FIRST) == (1, 0, 0)
    assert await imported(wires, TITLES + FIRST) == (0, 0, 1)
    # The next file overlaps.
    assert await imported(wires, TITLES + FIRST + SECOND) == (1, 0, 1)
    assert await balances(pool) == {"bank": 156_054, NOBODYS: 156_054}
    first, second = await wires.unknown()
    assert (first.sender, first.received_on, first.state) == (
        "Acme Resale LLC",
        date(2026, 3, 9),
        WireState.UNKNOWN,
    )
    assert second.bank_id == "A-2"


async def test_of_a_bad_file_nothing_is_imported(pool: Pool, wires: Wires) -> None:
    with pytest.raises(BadStatement, match="Line 3"):
        await imported(wires, TITLES + FIRST + "bad\n")
    assert await imported(wires, TITLES + FIRST) == (1, 0, 0)
    changed = FIRST.replace("1540.54", "1540.55")
    with pytest.raises(BadStatement, match="Line 3: A-1 was here with another amount"):
        await imported(wires, TITLES + SECOND + changed)
    assert await balances(pool) == {"bank": 154_054, NOBODYS: 154_054}
    assert await refusal(imported(wires, TITLES + FIRST, "XXX")) is BooksRefusal.INVALID


async def test_a_payout_of_ours_that_arrived_is_no_unknown_money(pool: Pool, wires: Wires) -> None:
    async with acquire(pool) as connection:
        await booked(connection, capture(1, 90_000), payout(7777, 5_000), payout(8888, 6_000))
    rows = (
        "2026-03-09,50.00,USD,STRIPE,ST-X po_7777 TRANSFER,S-1\n"
        "2026-03-09,50.00,USD,STRIPE,ST-X po_8888 TRANSFER,S-2\n"
    )
    assert await imported(wires, TITLES + rows) == (1, 1, 0)
    (unknown,) = await wires.unknown()
    assert unknown.bank_id == "S-2"
    (known,) = await wires.decided()
    assert (known.state, known.known_as) == (WireState.KNOWN, "payout:S1~b7777:1")
    assert (await balances(pool))["bank"] == 16_000


async def test_a_wire_is_identified_to_an_invoice_and_pays_it(pool: Pool, wires: Wires) -> None:
    invoice_id = await an_invoice(pool)
    await imported(wires, TITLES + FIRST + SECOND)
    first, second = await wires.unknown()
    _, candidates = await wires.read(first.wire_id)
    assert [(one.invoice_id, one.exact, one.named) for one in candidates] == [("I1", True, True)]
    assert (await wires.read(second.wire_id))[1] == []
    await wires.take(ADA, first.wire_id, 1)
    assert await refusal(wires.take(BEN, first.wire_id, 2)) is BooksRefusal.NOT_YOURS
    stale = wires.identify(ADA, first.wire_id, 1, invoice_id=invoice_id)
    assert await refusal(stale) is BooksRefusal.CHANGED_MEANWHILE
    await wires.identify(ADA, first.wire_id, 2, invoice_id=invoice_id)
    again = wires.identify(ADA, first.wire_id, 3, invoice_id=invoice_id)
    assert await refusal(again) is BooksRefusal.DECIDED
    found = await balances(pool)
    assert found == {"bank": 156_054, "buyer_credit:acme": 154_054, NOBODYS: 2_000}
    async with acquire(pool) as connection:
        operation = await connection.fetchrow("select * from settlement_op")
        told = await connection.fetchval("select kind from story_line where invoice_id = 'I1'")
    assert operation is not None
    assert (operation["operation"], operation["subject"]) == ("use_credit", "wire-1")
    assert '"acme"' in operation["arguments"]
    assert told == "wire_identified"


async def test_a_wire_is_never_given_to_what_does_not_fit(pool: Pool, wires: Wires) -> None:
    await an_invoice(pool, "I2")
    async with acquire(pool) as connection:
        await connection.execute("update invoice set paid_minor = total_minor")
    await imported(wires, TITLES + FIRST)
    for asked, why in (
        ({"invoice_id": "nobody"}, BooksRefusal.NOT_FOUND),
        ({"invoice_id": "I2"}, BooksRefusal.NOTHING_LEFT),
        ({"buyer_id": "house"}, BooksRefusal.NOT_FOUND),
        ({}, BooksRefusal.NOT_FOUND),
    ):
        assert await refusal(wires.identify(ADA, 1, 1, **asked)) is why  # type: ignore[arg-type]
    euros = TITLES + FIRST.replace("USD", "EUR").replace("A-1", "E-1")
    await an_invoice(pool, "I3")
    await imported(wires, euros, "EUR")
    other = wires.identify(ADA, 2, 1, invoice_id=InvoiceId("I3"))
    assert await refusal(other) is BooksRefusal.OTHER_CURRENCY
    assert (await balances(pool))[NOBODYS] == 154_054
    await wires.identify(ADA, 1, 1, buyer_id=BUYER)
    assert (await balances(pool))["buyer_credit:acme"] == 154_054


async def test_a_wire_is_returned_or_turns_out_to_be_known(pool: Pool, wires: Wires) -> None:
    async with acquire(pool) as connection:
        await booked(connection, capture(1, 90_000), payout(7, 2_000))
    await imported(wires, TITLES + FIRST + SECOND)
    assert await refusal(wires.return_(ADA, 1, 1, "")) is BooksRefusal.NO_REASON
    await wires.return_(ADA, 1, 1, "sent back by the bank")
    paid = EntryKey("payout:S1~b7:1")
    for wrong in ("payout:none:1", "capture:S1~b1:1", "bank_funding:wire-2:1"):
        asked = wires.known(ADA, 2, 1, EntryKey(wrong), "ours")
        assert await refusal(asked) is BooksRefusal.INVALID
    await wires.known(ADA, 2, 1, paid, "our payout")
    found = await balances(pool)
    assert (found["bank"], found.get(NOBODYS)) == (2_000, None)
    assert await wires.unknown() == []


async def test_an_entry_is_one_row_of_the_statement(pool: Pool, wires: Wires) -> None:
    async with acquire(pool) as connection:
        await booked(connection, capture(1, 90_000), payout(7777, 2_000))
    twice = "2026-03-10,20.00,USD,STRIPE,po_7777,A-{0}\n"
    assert await imported(wires, TITLES + twice.format(1) + twice.format(2)) == (1, 1, 0)
    assert await imported(wires, TITLES + twice.format(3) + twice.format(4)) == (2, 0, 0)
    same = EntryKey("payout:S1~b7777:1")
    second, third, fourth = [one.wire_id for one in await wires.unknown()]
    assert await refusal(wires.known(ADA, second, 1, same, "ours")) is BooksRefusal.INVALID
    # One of two may be the other; then the other is not the first, which was taken back.
    await wires.known(ADA, third, 1, EntryKey(f"bank_funding:wire-{fourth}:1"), "the same")
    back = wires.known(ADA, fourth, 1, EntryKey(f"bank_funding:wire-{third}:1"), "the same")
    assert await refusal(back) is BooksRefusal.INVALID
    assert (await balances(pool))["bank"] == 2_000 + 4_000


async def test_a_payout_that_was_taken_back_is_no_row_of_the_statement(
    pool: Pool, wires: Wires
) -> None:
    async with acquire(pool) as connection:
        paid = payout(7777, 2_000)
        await booked(connection, capture(1, 90_000), paid, reversal(paid, NOON_US, "wrong"))
    row = "2026-03-10,20.00,USD,STRIPE,po_7777,A-1\n"
    assert await imported(wires, TITLES + row) == (1, 0, 0)
    asked = wires.known(ADA, 1, 1, paid.key, "ours")
    assert await refusal(asked) is BooksRefusal.INVALID


async def test_a_row_is_entered_by_hand_once(pool: Pool, wires: Wires) -> None:
    row: dict[str, Any] = {
        "bank_id": "A-1", "amount_minor": 154_054, "currency": "USD",
        "received_on": date(2026, 3, 9), "sender": "Acme Resale LLC", "reference": "INV 1",
    }  # fmt: skip
    assert await wires.enter(ADA, **row) == await wires.enter(BEN, **row) == 1
    assert await imported(wires, TITLES + FIRST) == (0, 0, 1)
    for change in (
        {"amount_minor": 5}, {"amount_minor": 0, "bank_id": "B"}, {"bank_id": ""},
        {"currency": "XXX", "bank_id": "B"}, {"received_on": date(2029, 1, 1), "bank_id": "B"},
        {"sender": "x\0", "bank_id": "B"}, {"amount_minor": 2**53 + 1, "bank_id": "B"},
    ):  # fmt: skip
        asked = wires.enter(ADA, **(row | change))
        assert await refusal(asked) is BooksRefusal.INVALID
    assert await balances(pool) == {"bank": 154_054, NOBODYS: 154_054}
    largest = row | {"amount_minor": 2**53}
    for number in range(1_023):
        await wires.enter(ADA, **(largest | {"bank_id": f"L{number}"}))
    assert await refusal(wires.enter(ADA, **(largest | {"bank_id": "L"}))) is BooksRefusal.INVALID


async def test_a_row_of_a_closed_month_is_booked_in_the_next(pool: Pool, wires: Wires) -> None:
    async with acquire(pool) as connection:
        await close_month(connection, "USD", date(2026, 2, 1), "ada", NOON_US)
        await imported(wires, TITLES + FIRST.replace("2026-03-09", "2026-02-20"))
        month = await connection.fetchval("select month from ledger_transaction")
    assert month == date(2026, 3, 1)
