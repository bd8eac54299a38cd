"""The month: ageing, tax with its certificates, gross by payee, and what keeps the books open."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import msgspec
import pytest

from auction.catalog.taxes import BidderTax
from auction.ids import BidderId, LiquidatorId, SaleId
from foundation.database import Pool, acquire, open_pool, transaction
from settlement import postings as p
from settlement import postings_house as h
from settlement.entries import AwardMoney, ConsignedPart
from settlement.ids import AwardId, InvoiceId, StripeId, TaxPlace
from settlement.invoices import Invoice, line_of
from settlement.ledger import LedgerRefusal, LedgerRefused, post
from settlement.month.ageing import Owing, totals_of
from settlement.month.closing import Keep, MonthRefused, Months
from settlement.month.report import Forfeit
from settlement.month.sheets import gross_csv, month_files
from settlement.reconciliation.adjustments import Adjustments
from settlement.reconciliation.matching import GRACE_US
from settlement.reconciliation.wires import Wires
from settlement.reconciliation.words import BooksRefusal, BooksRefused
from settlement.statements import month_period
from settlement.steps import Wanted, want
from tests.books import DAY_US, NOON_US, TARGET, about, balances_of, booked, money
from tests.house_people import ADA, BEN, house_people
from tests.reconciling import capture, read_until, reconciled, taken, txn
from tests.settled import some_goods
from tests.settlement_rules import CHICAGO, OREGON, award, premium_of, tax_at

MARCH = date(2026, 3, 1)
END_US = month_period(MARCH).to_us
BUYER, SELLER = BidderId("acme"), LiquidatorId("north")


class Clock:
    now_us = END_US + DAY_US

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="test")
    async with acquire(pool) as connection:
        await house_people(connection)
    yield pool
    pool.terminate()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def months(pool: Pool, clock: Clock) -> Months:
    return Months(pool, clock)


async def sold(
    pool: Pool,
    lot: str,
    *,
    tax: BidderTax | None = None,
    closed_at_us: int = NOON_US,
    paid_at_us: int | None = NOON_US + DAY_US,
    ended_at_us: int | None = None,
    hammer: int = 1_237_50,
    by_card: bool = True,
    seller: LiquidatorId = SELLER,
) -> AwardMoney:
    """A lot of 1,237.50, its premium of 185.63 and its tax, invoiced at its close."""
    its = award(lot, hammer, closed_at_us=closed_at_us, buyer_id=BUYER)
    line = line_of(its, premium_of(), tax or tax_at())
    invoice_id = InvoiceId(f"I{lot}")
    invoice = Invoice(
        invoice_id=invoice_id, sale_id=SaleId("S1"), buyer_id=BUYER, ship_from=its.ship_from,
        currency="USD", due_at_us=closed_at_us + 2 * DAY_US, lines=(line,),
    )  # fmt: skip
    async with transaction(pool) as connection:
        await connection.execute(
            "insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body, "
            "total_minor, zone, country, policy_version, issued_at_us, due_at_us, payment, "
            "changed_at_us) values ($1, 'S1', 'acme', $2, 'USD', $3, $4, $5, 'US', 1, $6, $6, "
            "'DUE', $6)",
            invoice_id, seller, msgspec.json.encode(invoice).decode(), invoice.total_minor,
            CHICAGO, closed_at_us,
        )  # fmt: skip
        await connection.execute(
            "insert into award (award_id, sale_id, lot_id, generation, buyer_id, liquidator_id, "
            "invoice_id, currency, hammer_minor, body, goods, state, awarded_at_us, funded_at_us, "
            "ended_at_us, changed_at_us) values ($1, 'S1', $2, 1, 'acme', $3, $4, 'USD', $5, $6, "
            "$7, 'INVOICED', $8, $9, $10, $8)",
            line.award_id, lot, seller, invoice_id, hammer, msgspec.json.encode(its).decode(),
            msgspec.json.encode(some_goods(lot)).decode(), closed_at_us, paid_at_us, ended_at_us,
        )  # fmt: skip
        if paid_at_us is not None:
            facts = about(invoice_id, paid_at_us, invoice_id=invoice_id, buyer_id=BUYER)
            if by_card:
                await post(connection, [p.capture(facts, [line.money])])
            else:
                received = line.money.total_minor
                await post(connection, [p.bank_funding(facts, BUYER, received, [line.money])])
    return line.money


async def certificate(pool: Pool, region: str, expires_on: date, state: str = "ACCEPTED") -> None:
    async with acquire(pool) as connection:
        await connection.execute(
            "insert into resale_certificate (certificate_id, organisation_id, region, number, "
            "expires_on, state, created_at_us) values ($1, 'acme', $2, $1, $3, $4, 1)",
            f"{region}-{expires_on:%Y%m%d}-{state}",
            region,
            expires_on,
            state,
        )


async def test_what_buyers_owe_is_aged_from_the_invoice(pool: Pool, months: Months) -> None:
    for lot, days in (("1", 1), ("2", 31), ("3", 61), ("4", 91), ("5", 200)):
        await sold(pool, lot, closed_at_us=END_US - days * DAY_US, paid_at_us=None)
    await sold(pool, "6", closed_at_us=END_US - DAY_US, paid_at_us=END_US)  # paid afterwards
    await sold(pool, "7", closed_at_us=END_US - 30 * DAY_US, paid_at_us=END_US - 1)
    await sold(pool, "8", closed_at_us=END_US, paid_at_us=None)  # of the next month
    await sold(pool, "9", closed_at_us=NOON_US, paid_at_us=None, ended_at_us=END_US - 1)
    await sold(pool, "10", closed_at_us=END_US - 61 * DAY_US, paid_at_us=None, ended_at_us=END_US)
    await sold(pool, "11", closed_at_us=END_US - 31 * DAY_US + 1, paid_at_us=None)
    report = await months.report("USD", MARCH)
    (owes,) = [row for row in report.ageing if row.owing is Owing.BUYER_OWES]
    assert owes.by_age_minor == (3 * 1_540_54, 1_540_54, 2 * 1_540_54, 2 * 1_540_54)
    assert (owes.party, owes.name) == ("acme", "acme")


async def test_a_balance_is_aged_first_in_first_out(pool: Pool, months: Months) -> None:
    async with acquire(pool) as connection:
        for number, (days, received) in enumerate(((100, 900), (70, 500), (40, 300), (1, 200))):
            facts = about(f"wire-{number}", END_US - days * DAY_US)
            await booked(connection, p.bank_funding(facts, BUYER, received))
        back = about("back", END_US - 2 * DAY_US)
        await booked(connection, h.credit_refunded(back, BUYER, 1_000))
        after = about("after", END_US)
        await booked(connection, h.credit_refunded(after, BUYER, 600))
    report = await months.report("USD", MARCH)
    # Of 1,900 the 1,000 that went are the oldest 900 and 100 of the next.
    (credit,) = report.ageing
    assert (credit.owing, credit.by_age_minor) == (Owing.BUYER_CREDIT, (200, 300, 400, 0))
    assert totals_of(report.ageing) == {Owing.BUYER_CREDIT: (200, 300, 400, 0)}


async def test_what_is_owed_to_consignors_and_by_sellers_is_aged(
    pool: Pool, months: Months
) -> None:
    async with acquire(pool) as connection:
        await booked(connection, capture(1, 10_000, at_us=NOON_US - 40 * DAY_US))
        lot = AwardId("S1~1")
        released = about(lot, END_US - 40 * DAY_US)
        part = ConsignedPart(TARGET, 7_000)
        its = money(10_000, award=lot)
        await booked(connection, p.release(released, SELLER, its, 1_000, part))
        await booked(connection, h.cancellation_fee(about("c", NOON_US), SELLER, 500, lot))
    report = await months.report("USD", MARCH)
    found = {row.owing: row.by_age_minor for row in report.ageing}
    assert found == {
        Owing.SELLER_OWES: (500, 0, 0, 0),
        Owing.SELLER_PAYABLE: (0, 2_000, 0, 0),
        Owing.CONSIGNOR_PAYABLE: (0, 7_000, 0, 0),
    }


async def test_tax_by_place_with_the_certificates_relied_on(pool: Pool, months: Months) -> None:
    await certificate(pool, "TX", date(2026, 2, 1))  # too old for the lots of March
    await certificate(pool, "TX", date(2026, 3, 10))
    await certificate(pool, "TX", date(2027, 3, 10), "REFUSED")
    money_1 = await sold(pool, "1")
    # On the evening of the tenth in Chicago, when it is the eleventh in UTC.
    await sold(pool, "2", tax=tax_at(exempt=True), closed_at_us=NOON_US + 14 * 3_600_000_000)
    await sold(pool, "3", tax=tax_at(exempt=True), closed_at_us=NOON_US + DAY_US)
    await sold(pool, "4", tax=BidderTax(OREGON, None, exempt=False))
    await sold(pool, "5", tax=tax_at(premium=False))
    await sold(pool, "6", paid_at_us=END_US)  # of the next month
    async with acquire(pool) as connection:
        back = AwardMoney(
            award_id=money_1.award_id, hammer_minor=123_75, premium_minor=18_56, tax_minor=11_74,
            tax_place=money_1.tax_place,
        )  # fmt: skip
        await booked(connection, p.claim_credit(about("claim", NOON_US + 2 * DAY_US), back))
        await booked(connection, h.payout(about("po", NOON_US + 2 * DAY_US), 50_00))
        place = TaxPlace("US-TX")
        await booked(connection, h.tax_remitted(about("tx", NOON_US + 3 * DAY_US), place, 50_00))
    report = await months.report("USD", MARCH)
    oregon, texas = report.taxes
    assert (oregon.place, oregon.untaxed_minor, oregon.exempt_minor) == ("US-OR", 1_237_50, 0)
    assert texas.place == "US-TX"
    assert texas.taxable_minor == 1_423_13 + 1_237_50
    assert texas.exempt_minor == 1_423_13
    assert texas.untaxed_minor == 1_423_13  # the certificate had expired when lot 3 closed
    assert (texas.collected_minor, texas.credited_minor) == (117_41 + 102_09, 11_74)
    assert (texas.net_minor, texas.remitted_minor) == (207_76, 50_00)
    (relied,) = report.certificates
    assert (relied.number, relied.sales, relied.exempt_minor) == (
        "TX-20260310-ACCEPTED",
        1,
        1_423_13,
    )


async def test_forfeits_wires_and_exceptions_are_as_they_were_at_the_end(
    pool: Pool, months: Months, clock: Clock
) -> None:
    wires = Wires(pool, lambda: NOON_US)
    row: dict[str, Any] = {"currency": "USD", "sender": "=Jo", "reference": ""}
    for number, day in enumerate((9, 10)):
        await wires.enter(
            ADA, bank_id=f"B{number}", amount_minor=100, received_on=date(2026, 3, day), **row
        )
    await wires.identify(ADA, 2, 1, buyer_id=BUYER)
    async with acquire(pool) as connection:
        facts = about("d", NOON_US, buyer_id=BUYER, stripe_ids=(StripeId("ch_7"),))
        await booked(connection, h.deposit_forfeited(facts, 500_00, AwardId("S1~1")))
        await taken(connection, txn(1, amount=1_000), txn(7, amount=500_00))
        await reconciled(connection, NOON_US + GRACE_US)
        await booked(connection, capture(1, 1_000, at_us=NOON_US))
        await reconciled(connection, END_US)
    clock.now_us = END_US
    late = Wires(pool, clock)
    await late.return_(ADA, 1, 1, "nobody knows it")
    report = await months.report("USD", MARCH)
    assert report.forfeits == [
        Forfeit(
            key="deposit_forfeited:d:1", purpose="deposit_forfeited", at_us=NOON_US,
            buyer_id="acme", invoice_id=None, award_id="S1~1", amount_minor=500_00,
        )
    ]  # fmt: skip
    assert [(wire.wire_id, wire.state) for wire in report.wires] == [(1, "RETURNED")]
    (broken,) = report.exceptions
    assert (broken.subject, broken.resolution) == ("txn_1", "It is capture:S1~b1:1.")
    files = month_files(report)
    assert set(files) == {"ageing", "tax", "certificates", "forfeits", "wires", "exceptions"}
    assert files["wires"].decode().splitlines()[1] == "1,2026-03-09,'=Jo,,1.00,RETURNED"
    assert files["forfeits"].decode().splitlines()[1].endswith("acme,,S1~1,500.00")


async def test_gross_by_payee_and_month_is_without_commission_credit_and_tax(
    pool: Pool, months: Months
) -> None:
    its = await sold(pool, "1")
    await sold(pool, "2", by_card=False, paid_at_us=NOON_US + 60 * DAY_US)
    await sold(pool, "3", seller=LiquidatorId("south"), hammer=100_00)
    await sold(pool, "4", paid_at_us=NOON_US - 200 * DAY_US)
    await sold(pool, "5", paid_at_us=None)
    async with acquire(pool) as connection:
        await booked(connection, p.award_refunded(about("1", NOON_US + 2 * DAY_US), its))
    north, south = await months.gross("USD", 2026)
    assert (north.payee_id, north.gross_minor, north.payments) == ("north", 2_475_00, 2)
    assert (north.card_minor, north.bank_minor) == (1_237_50, 1_237_50)
    assert [north.months_minor[place] for place in (1, 2, 4)] == [0, 1_237_50, 1_237_50]
    assert (south.gross_minor, sum(south.months_minor)) == (100_00, 100_00)
    (before,) = await months.gross("USD", 2025)
    assert before.gross_minor == 1_237_50
    assert (
        gross_csv([south], "USD")
        .decode()
        .splitlines()[1]
        .startswith("south,south,2026,1,100.00,100.00,0.00,0.00,0.00,100.00,")
    )


async def test_gross_has_what_a_buyers_credit_paid_for(pool: Pool, months: Months) -> None:
    its = await sold(pool, "1", paid_at_us=None)
    received = p.bank_funding(about("wire", NOON_US), BUYER, its.total_minor)
    async with acquire(pool) as connection:
        await booked(connection, received, p.credit_applied(about("1", NOON_US), BUYER, [its]))
    (north,) = await months.gross("USD", 2026)
    assert (north.card_minor, north.bank_minor, north.payments) == (0, 1_237_50, 1)


async def keeps(months: Months) -> dict[Keep, int]:
    return {one.keep: one.count for one in await months.keeps_open("USD", MARCH)}


async def test_what_keeps_a_month_open_is_said_one_by_one(
    pool: Pool, months: Months, clock: Clock
) -> None:
    clock.now_us = END_US - 1
    assert await keeps(months) == {Keep.NOT_OVER: 1, Keep.STRIPE_NOT_READ: 1}
    with pytest.raises(MonthRefused, match="MONTH_OPEN") as refused:
        await months.close(ADA, "USD", MARCH)
    assert [one.keep for one in refused.value.keeps] == [Keep.NOT_OVER, Keep.STRIPE_NOT_READ]
    clock.now_us = END_US + DAY_US
    async with acquire(pool) as connection:
        await taken(connection, txn(1, amount=1_000), txn(2, made_at_us=END_US))
        await reconciled(connection, NOON_US + GRACE_US)
        await booked(connection, capture(3, 100, at_us=END_US - 1), capture(4, at_us=END_US))
        operations = [
            Wanted(operation="capture", subject="I1", due_at_us=END_US - 1),
            Wanted(operation="capture", subject="I2", due_at_us=END_US),
            Wanted(operation="capture", subject="I3", due_at_us=END_US),
        ]
        await want(connection, operations, END_US - 1)
        await want(connection, [Wanted(operation="capture", subject="I4")], END_US)
        await connection.execute(
            "update settlement_op set state = 'HELD' where subject in ('I3', 'I4')"
        )
    wires = Wires(pool, lambda: NOON_US)
    await wires.enter(
        ADA, bank_id="B1", amount_minor=100, currency="USD", received_on=date(2026, 3, 9),
        sender="Jo", reference="",
    )  # fmt: skip
    adjustments = Adjustments(pool, lambda: NOON_US)
    made = await adjustments.propose(
        ADA, debit="stripe_balance", credit="rounding", amount_minor=1, currency="USD", note="?"
    )
    assert await keeps(months) == {
        Keep.STRIPE_NOT_READ: 1,
        Keep.EXCEPTIONS: 1,
        Keep.UNMATCHED: 2,
        Keep.WIRES: 1,
        Keep.ADJUSTMENTS: 1,
        Keep.HELD_OPERATIONS: 1,
        Keep.WAITING_OPERATIONS: 1,
    }
    with pytest.raises(MonthRefused) as refused:
        await months.close(ADA, "USD", MARCH)
    assert "1 exceptions of it are open. 2 entries or" in refused.value.message
    async with acquire(pool) as connection:
        await booked(connection, capture(1, 1_000))
        await taken(connection, txn(3, amount=100, made_at_us=END_US - 1))
        await reconciled(connection)
        await read_until(connection, END_US + GRACE_US - 1)
        await connection.execute("update settlement_op set state = 'DONE'")
    await wires.return_(ADA, 1, 1, "to its bank")
    await adjustments.reject(BEN, made, 1, "why?")
    assert await keeps(months) == {Keep.STRIPE_NOT_READ: 1}
    async with acquire(pool) as connection:
        await read_until(connection, END_US + GRACE_US)
    assert await keeps(months) == {}


async def test_a_closed_month_is_closed_for_good(pool: Pool, months: Months, clock: Clock) -> None:
    async with acquire(pool) as connection:
        await read_until(connection, END_US + GRACE_US)
    await months.close(ADA, "USD", MARCH)
    with pytest.raises(BooksRefused) as refused:
        await months.close(BEN, "USD", MARCH)
    assert refused.value.refusal is BooksRefusal.ALREADY_CLOSED
    report = await months.report("USD", MARCH)
    assert (report.closed_at_us, report.closed_by) == (END_US + DAY_US, "ada")
    async with acquire(pool) as connection:
        with pytest.raises(LedgerRefused) as booking:
            await booked(connection, capture(1))
        assert booking.value.refusal is LedgerRefusal.MONTH_CLOSED
        assert await balances_of(connection) == {}
        audit = await connection.fetchrow("select act, object_id from audit_event")
        assert audit is not None
        assert tuple(audit) == ("MONTH_CLOSED", "USD 2026-03")


async def test_a_month_that_stays_open_is_not_locked(pool: Pool, months: Months) -> None:
    with pytest.raises(MonthRefused):
        await months.close(ADA, "USD", MARCH)
    async with acquire(pool) as connection:
        assert not await connection.fetchval("select count(*) from ledger_closed_month")
        await booked(connection, capture(1))
