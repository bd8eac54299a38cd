"""Statements from the tables are those of the pure folds, for everybody whom they are for."""

from collections.abc import AsyncIterator, Sequence

import pytest
from msgspec.structs import astuple

from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from foundation.database import Connection, connect
from settlement import ledger_reading
from settlement import postings as p
from settlement import postings_house as h
from settlement.chart import Account, Kind
from settlement.entries import About, AwardMoney, ConsignedPart, Entry, reversal
from settlement.ids import AwardId, EntryKey, InvoiceId, StripeId, award_id_of
from settlement.ledger import balances
from settlement.ledger_reading import (
    StatementTooLong,
    after_line,
    keys_of_stripe,
    read_book,
    read_entries,
    read_lines,
    read_position,
    read_statements,
    read_totals,
)
from settlement.statements import (
    Line,
    Period,
    Scope,
    free_to_pay_out_minor,
    statements,
)
from tests.books import ACME, DAY_US, NOON_US, TARGET, TEXAS, about, booked, money, sides
from tests.folded_books import closing_minor, totals_of, trial_balance

SALES = [SaleId("S1"), SaleId("S2")]
SELLERS = [LiquidatorId("north"), LiquidatorId("south")]


def life_of(sale: int, lot: int) -> list[Entry]:
    """An award from the capture to the transfer, a day for each step."""
    sale_id, seller = SALES[sale], SELLERS[sale]
    award_id = award_id_of(sale_id, LotId(str(lot)))
    day = lot % 5

    def of(subject: str, step: int, *stripe_ids: StripeId) -> About:
        return About(
            subject=subject,
            at_us=NOON_US + (day + step) * DAY_US + lot,
            currency="USD",
            sale_id=sale_id,
            award_id=award_id,
            invoice_id=InvoiceId(f"{sale_id}~acme~{lot}"),
            liquidator_id=seller,
            buyer_id=ACME,
            stripe_ids=stripe_ids,
        )

    whole = money(10_000 + lot, 1_000, 907, award=award_id)
    invoice = f"{sale_id}~acme~{lot}"
    entries = [
        p.capture(of(invoice, 0, StripeId(f"pi_{sale}{lot}")), [whole]),
        p.processing_fee(of(invoice, 0, StripeId(f"pi_{sale}{lot}")), 300 + lot),
    ]
    if lot % 3 == 0:
        consigned = ConsignedPart(TARGET, 8_000)
        entries.append(p.release(of(award_id, 3), seller, _left(whole), 500, consigned))
    elif lot % 3 == 1:
        entries.append(p.release(of(award_id, 3), seller, _left(whole), 500))
        entries.append(p.transfer_out(of(award_id, 4), seller, 9_000))
    return entries


def _left(whole: AwardMoney) -> AwardMoney:
    return money(whole.hammer_minor, whole.premium_minor, award=whole.award_id)


ENTRIES = [entry for sale in (0, 1) for lot in range(1, 13) for entry in life_of(sale, lot)] + [
    p.bank_funding(about("w1", NOON_US + 2 * DAY_US, buyer_id=ACME), ACME, 4_000),
    h.credit_refunded(about("w1", NOON_US + 5 * DAY_US, buyer_id=ACME), ACME, 1_500),
    p.capture(about("yen", currency="JPY"), [money(99)]),
]
PERIODS = [
    Period(),
    Period(NOON_US + 3 * DAY_US, NOON_US + 4 * DAY_US),
    Period(NOON_US + 2 * DAY_US, NOON_US + 6 * DAY_US),
    Period(NOON_US + 90 * DAY_US),
    # From the very time of an entry to that of another: the one is in it, the other is not.
    Period(NOON_US + DAY_US + 1, NOON_US + 4 * DAY_US + 1),
]
SCOPES = [
    Scope(),
    Scope(award_id=AwardId("S1~4")),
    Scope(invoice_id=InvoiceId("S2~acme~3")),
    Scope(sale_id=SALES[1]),
    Scope(liquidator_id=SELLERS[0]),
    Scope(consignor_id=TARGET),
    Scope(buyer_id=ACME),
    Scope(buyer_id=BidderId("nobody")),
]


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Connection]:
    connection = await connect(database_url, name="test")
    try:
        await booked(connection, *ENTRIES)
        yield connection
    finally:
        await connection.close()


def lines_of(entries: Sequence[Entry], scope: Scope, until_us: int) -> list[Line]:
    """The lines by the entries alone, in another way than the tables."""
    lines = []
    for number, entry in enumerate(entries):
        facts = entry.about
        for place, posting in enumerate(entry.postings):
            accounts = scope.accounts
            if accounts is not None:
                its = bool(accounts & {posting.debit, posting.credit})
            else:
                its = (
                    scope.award_id in (None, posting.award_id)
                    and scope.invoice_id in (None, facts.invoice_id)
                    and scope.sale_id in (None, facts.sale_id)
                )
            if its and facts.currency == "USD" and facts.at_us < until_us:
                lines.append(
                    Line(
                        order=(number, place),
                        key=entry.key,
                        purpose=entry.purpose,
                        at_us=facts.at_us,
                        debit=posting.debit,
                        credit=posting.credit,
                        amount_minor=posting.amount_minor,
                        award_id=posting.award_id,
                        sale_id=facts.sale_id,
                        invoice_id=facts.invoice_id,
                        liquidator_id=facts.liquidator_id,
                        buyer_id=facts.buyer_id,
                    )
                )
    return lines


@pytest.mark.parametrize("scope", SCOPES, ids=str)
async def test_totals_and_lines_are_those_of_the_folds(books: Connection, scope: Scope) -> None:
    for period in PERIODS:
        known = lines_of(ENTRIES, scope, period.to_us)
        totals = await read_totals(books, scope, "USD", period)
        assert totals == totals_of(known, period, scope)
        opening = {account: its.opening_minor(account) for account, its in totals.items()}
        found = await read_lines(books, scope, "USD", period)
        inside = [line for line in known if line.at_us >= period.from_us]
        made = statements(opening, found, scope)
        assert [(of.account, of.opening_minor, of.closing_minor) for of in made] == [
            (of.account, of.opening_minor, of.closing_minor)
            for of in statements(opening, inside, scope)
        ]
        for statement in made:
            its = totals[statement.account]
            assert statement.closing_minor == closing_minor(statement.account, its)
        assert sorted((line.key, line.debit, line.credit) for line in found) == sorted(
            (line.key, line.debit, line.credit) for line in inside
        )


async def test_a_party_sees_lines_of_its_own_accounts_alone(books: Connection) -> None:
    lines = await read_lines(books, Scope(liquidator_id=SELLERS[0]), "USD", Period())
    made = statements({}, lines, Scope(liquidator_id=SELLERS[0]))
    assert [of.account.name for of in made] == ["seller_payable:north"]
    assert len(lines) == 12
    assert made[0].closing_minor == sum(
        [10_000 + lot - 500 - 9_000 for lot in (1, 4, 7, 10)]
        + [10_000 + lot - 500 - 8_000 for lot in (3, 6, 9, 12)]
    )


async def test_a_statement_is_whole_however_many_pages_it_has(
    books: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope, period = Scope(sale_id=SALES[0]), PERIODS[2]
    whole = await read_statements(books, scope, "USD", period)
    assert len(whole) > 10
    monkeypatch.setattr(ledger_reading, "MAX_LINES", 7)
    assert await read_statements(books, scope, "USD", period) == whole
    monkeypatch.setattr(ledger_reading, "MAX_STATEMENT_LINES", 20)
    with pytest.raises(StatementTooLong):
        await read_statements(books, scope, "USD", period)


async def test_lines_come_in_pages_that_leave_none_out(books: Connection) -> None:
    whole = await read_lines(books, Scope(), "USD", Period())
    paged: list[Line] = []
    while page := await read_lines(
        books, Scope(), "USD", Period(), after_line(paged[-1]) if paged else (0, 0, 0), 7
    ):
        paged += page
    assert paged == whole


async def test_the_whole_book_by_kind_is_that_of_its_accounts(books: Connection) -> None:
    for period in PERIODS:
        totals = await read_totals(books, Scope(), "USD", period)
        book = await read_book(books, "USD", period)
        sums: dict[Kind, list[int]] = {}
        for account, its in totals.items():
            columns = sums.setdefault(account.kind, [0, 0, 0, 0])
            for place, amount in enumerate(astuple(its)):
                columns[place] += amount
        found = {kind: list(astuple(its)) for kind, (its, _) in book.items()}
        assert {kind: its for kind, its in found.items() if any(its)} == sums
        stands = {kind: columns for kind, (_, columns) in book.items() if any(columns)}
        assert stands == trial_balance(totals)
        assert sum(debit for debit, _ in stands.values()) == sum(
            credit for _, credit in stands.values()
        )


async def test_the_position_says_what_is_free_for_a_payout(books: Connection) -> None:
    await booked(books, h.payout(about("po_1"), 5_000))
    await booked(books, h.tax_remitted(about("ahead"), TEXAS, 1_000))
    position = await read_position(books, "USD")
    income = sum(
        -closing_minor(account, its)
        if account.kind is Kind.STRIPE_FEES
        else closing_minor(account, its)
        for account, its in (await read_totals(books, Scope(), "USD", Period())).items()
        if account.kind in (Kind.PREMIUM_INCOME, Kind.COMMISSION_INCOME, Kind.STRIPE_FEES)
    )
    assert position.bank_minor == 4_000
    assert position.owed_minor[Kind.BUYER_CREDIT] == 2_500
    assert position.owed_minor[Kind.SALES_TAX] == 24 * 907 - 1_000
    # All that came in is owed, earned, spent on fees, or was paid out.
    assert free_to_pay_out_minor(position) == income - 4_000
    assert (await read_position(books, "EUR")).all_owed_minor == 0


async def test_entries_are_read_as_they_were_booked(books: Connection) -> None:
    read = await read_entries(books, [entry.key for entry in ENTRIES])
    assert {key: entry.sha256 for key, entry in read.items()} == {
        entry.key: entry.sha256 for entry in ENTRIES
    }
    wrong = read[EntryKey("capture:S1~acme~2:1")]
    await booked(books, reversal(wrong, NOON_US + 40 * DAY_US, "wrong buyer"))
    back = (await read_entries(books, [reversal(wrong, 1, "").key]))[reversal(wrong, 1, "").key]
    assert back.reverses == wrong.key
    assert sides(back) == tuple(reversed(sides(wrong)))
    lines = await read_lines(books, Scope(award_id=AwardId("S1~2")), "USD", Period())
    assert [line.key for line in lines].count(back.key) == 3


async def test_entries_are_found_by_an_id_of_stripe(books: Connection) -> None:
    assert await keys_of_stripe(books, StripeId("pi_02")) == [
        "capture:S1~acme~2:1",
        "processing_fee:S1~acme~2:1",
    ]
    assert await keys_of_stripe(books, StripeId("pi_none")) == []


async def test_balances_of_accounts_that_nobody_used_are_zero(books: Connection) -> None:
    unused = Account(Kind.HELD, "S9~1")
    [its] = (await balances(books, [unused], "USD")).values()
    assert (its.debits_minor, its.credits_minor) == (0, 0)
