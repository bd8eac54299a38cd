"""From the hammer to the invoice, over a real engine, log and catalogue."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from auction.catalog.goods import FreightTerms
from auction.catalog.taxes import Place
from auction.commands import CancelSale, WithdrawalCause
from auction.ids import LotId, SaleId
from foundation.database import acquire
from foundation.mail import MailNotSent
from settlement.ids import award_id_of
from settlement.lives import AwardState, PaymentState
from settlement.operations import HOUR_US, SECOND_US, release
from tests.builders import SALE, STAFF_MEMBER, new_bid_id
from tests.hammered import CENTS, Settling, settling, taxes, terms_with
from tests.market import Reseller, lot_of

DALLAS: dict[str, Any] = {"region": "TX", "city": "Dallas", "postal_code": "75201"}


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[Settling]:
    async with settling(database_url) as running:
        yield running


async def bidders(room: Settling, *names: str) -> list[Reseller]:
    """Resellers who are registered."""
    made = [await room.market.reseller(name) for name in names]
    for one in made:
        await one.registers()
    return made


async def sold_for(room: Settling, *prices_minor: int, **details: object) -> Reseller:
    """Hart wins lots at these prices, which are their opening bids; the sale is closed."""
    await taxes(room, TX=82_500)
    lots = [
        lot_of(str(number), opening_minor=price)
        for number, price in enumerate(prices_minor, start=1)
    ]
    await room.market.opens(*lots, terms=CENTS, **{**DALLAS, **details})
    (hart,) = await bidders(room, "Hart")
    for lot, price in zip(lots, prices_minor, strict=True):
        await room.market.bid(hart, price, lot.lot_id)
    await room.market.closes()
    return hart


async def test_what_is_sold_is_invoiced_with_premium_and_tax_rounded_half_up(
    room: Settling,
) -> None:
    hart = await sold_for(room, 1_237_50)
    await room.settle()
    (invoice,) = await room.invoices()
    (line,) = invoice.invoice.lines
    amounts = (line.hammer_minor, line.premium_minor, line.tax_minor, line.total_minor)
    assert amounts == (1_237_50, 185_63, 117_41, 1_540_54)
    assert (invoice.invoice.total_minor, invoice.payment) == (1_540_54, PaymentState.DUE)
    (award,) = (await room.awards()).values()
    assert (award.state, award.invoice_id) == (AwardState.INVOICED, invoice.invoice_id)
    assert (award.buyer_id, award.generation) == (hart.bidder_id, 1)
    assert award.award_id == award_id_of(SaleId(SALE), LotId("1"))
    assert (award.goods.units, award.goods.pallets, award.goods.retail_minor) == (2, 1, 79_98)
    assert len(award.goods.manifest_sha256) == 64
    operations = await room.operations()
    assert operations[f"collect:{invoice.invoice_id}:1"]["state"] == "WAITING"
    overdue = operations[f"overdue:{invoice.invoice_id}:1"]
    assert overdue["due_at_us"] == invoice.invoice.due_at_us > room.now_us() + 24 * HOUR_US
    (mail,) = room.mailbox.to("Hart")
    assert "$1,540.54" in mail.subject
    told = await room.story(award.award_id, invoice_id=invoice.invoice_id)
    assert told == ["awarded", "invoiced"]


async def test_a_buyer_gets_one_invoice_for_all_lots_of_a_place_in_the_order_of_their_ends(
    room: Settling,
) -> None:
    await sold_for(room, 100_00, 300_00, 200_00)
    await room.settle()
    (invoice,) = await room.invoices()
    assert [line.lot_id for line in invoice.invoice.lines] == ["1", "2", "3"]
    assert invoice.invoice.total_minor == 74_693
    assert sum(line.total_minor for line in invoice.invoice.lines) == 74_693


async def test_whoever_puts_the_cursor_back_makes_nothing_twice(room: Settling) -> None:
    await sold_for(room, 100_00)
    await room.settle()
    before = (await room.operations(), await room.invoices(), await room.awards())
    await room.fetch("update log_cursor set position = 0 where name = 'settlement' returning 1")
    assert await room.follow() > 2
    await room.worker.drain()
    assert (await room.operations(), await room.invoices(), await room.awards()) == before
    # And where somebody forgets that it was done, too.
    await room.again("award", "invoice")
    assert (await room.invoices(), await room.awards()) == before[1:]
    story = await room.story(*before[2], invoice_id=before[1][0].invoice_id)
    assert story == ["awarded", "invoiced"]


async def test_an_award_waits_for_tables_that_are_behind(room: Settling) -> None:
    await sold_for(room, 100_00)
    await room.fetch("create table was as table won_lot")
    await room.fetch("truncate won_lot")
    await room.settle()
    assert await room.awards() == {}
    assert await room.invoices() == []
    await room.fetch("insert into won_lot select * from was")
    await room.passes(5 * SECOND_US)
    await room.passes(5 * SECOND_US)
    assert len(await room.invoices()) == 1


async def test_a_currency_without_a_policy_waits_for_a_person_and_nothing_is_guessed(
    room: Settling,
) -> None:
    await room.market.opens(terms=terms_with(currency="EUR"), currency="EUR")
    (hart,) = await bidders(room, "Hart")
    body = {"amount_minor": 100_00, "currency": "EUR"}
    await hart.does("POST", f"/sales/{SALE}/lots/1/bids", body, Idempotency_Key=new_bid_id())
    await room.market.closes()
    await room.settle()
    assert await room.invoices() == []
    held = (await room.operations())[f"invoice:{SALE}:1"]
    assert (held["state"], "no policy for EUR" in held["note"]) == ("HELD", True)
    async with acquire(room.market.pool) as connection:
        columns = ", ".join(
            row["column_name"]
            for row in await connection.fetch(
                "select column_name from information_schema.columns"
                " where table_name = 'settlement_policy' and column_name <> 'currency'"
            )
        )
        await connection.execute(
            f"insert into settlement_policy (currency, {columns})"  # noqa: S608
            f" select 'EUR', {columns} from settlement_policy"
        )
        assert await release(connection, held["op_id"], room.now_us())
    await room.worker.drain()
    (invoice,) = await room.invoices()
    assert invoice.invoice.currency == "EUR"


async def test_goods_that_are_sent_bear_the_quoted_freight_and_the_tax_of_where_they_go(
    room: Settling,
) -> None:
    await taxes(room, TX=82_500, IL=62_500)
    await room.market.opens(terms=CENTS)  # in Joliet, IL
    (hart,) = await bidders(room, "Hart")  # of Dallas, TX
    path = f"/sales/{SALE}/lots/1/freight-quotes"
    quote = await hart.does("POST", path, {}, status=201)
    await hart.does("POST", path, {"liftgate": True}, status=201)
    assert (await hart.bids(500_00, quote_id=quote["quote_id"]))["accepted"]
    await room.market.closes()
    await room.settle()
    (invoice,) = await room.invoices()
    (line,) = invoice.invoice.lines
    assert line.freight_minor == quote["amount_minor"] > 0
    assert (line.tax.place, line.tax.rate_ppm) == (Place("US", "TX"), 82_500)
    taxed = line.hammer_minor + line.premium_minor + line.freight_minor
    assert line.tax_minor == (taxed * 82_500 + 500_000) // 1_000_000
    (freight,) = await room.fetch("select * from award_freight")
    assert freight["quote_id"] == quote["quote_id"]


async def test_what_the_buyer_fetches_bears_the_tax_of_the_dock(room: Settling) -> None:
    await taxes(room, TX=82_500, IL=62_500)
    await room.market.opens(terms=CENTS, freight_terms=FreightTerms.BUYER_ARRANGED)
    (hart,) = await bidders(room, "Hart")
    quote = await hart.does("POST", f"/sales/{SALE}/lots/1/freight-quotes", {}, status=201)
    assert (await hart.bids(500_00, quote_id=quote["quote_id"]))["accepted"]
    await room.market.closes()
    await room.settle()
    (invoice,) = await room.invoices()
    (line,) = invoice.invoice.lines
    assert (line.freight_minor, line.tax.place) == (0, Place("US", "IL"))
    assert await room.fetch("select * from award_freight") == []


async def test_a_resale_certificate_keeps_the_tax_away_where_it_is_valid(room: Settling) -> None:
    await room.market.opens("1", terms=CENTS, **DALLAS)
    hart, marlow = await bidders(room, "Hart", "Marlow")
    await room.market.certify(hart, "TX")
    await room.market.certify(marlow, "IL")
    await room.market.opens("1", sale_id="S-2", terms=CENTS, **DALLAS)
    await marlow.registers("S-2")
    await room.market.bid(hart, 100_00)
    assert (await marlow.bids(100_00, sale_id="S-2"))["accepted"]
    await room.market.closes()
    await room.market.closes("S-2")
    await room.settle()
    (exempt,) = await room.invoices()
    (taxed,) = await room.invoices("S-2")
    assert exempt.invoice.lines[0].tax_minor == 0
    assert exempt.invoice.lines[0].tax.place == Place("US", "TX")
    assert taxed.invoice.lines[0].tax_minor > 0


async def test_nobody_is_invoiced_before_the_sale_has_closed(room: Settling) -> None:
    early, late = lot_of("1"), lot_of("2", closes_at_us=lot_of("1").closes_at_us + 30 * HOUR_US)
    await room.market.opens(early, late, terms=CENTS, **DALLAS)
    (hart,) = await bidders(room, "Hart")
    await room.market.bid(hart, 100_00)
    await room.market.passes(2 * HOUR_US)
    await room.settle()
    (award,) = (await room.awards()).values()
    assert (award.state, await room.invoices()) == (AwardState.AWARDED, [])
    await room.market.closes()
    await room.settle()
    (invoice,) = await room.invoices()
    # It was won more than a day before: the time to pay begins with the invoice.
    assert invoice.invoice.due_at_us >= invoice.issued_at_us + 48 * HOUR_US


async def test_a_mail_that_was_not_taken_is_sent_later_and_keeps_nothing_back(
    room: Settling,
) -> None:
    room.mailbox.trouble.append(MailNotSent("the server is away"))
    await sold_for(room, 100_00)
    await room.settle()
    assert len(await room.invoices()) == 1
    await room.passes(5 * SECOND_US)
    assert (len(room.mailbox.to("Hart")), room.mailbox.trouble) == (1, [])


async def test_a_lot_that_waits_for_a_person_keeps_its_buyers_invoice_back_and_nobody_elses(
    room: Settling,
) -> None:
    await room.market.opens("1", "2", "3", terms=CENTS, **DALLAS)
    hart, marlow = await bidders(room, "Hart", "Marlow")
    await room.market.bid(hart, 100_00, "1")
    await room.market.bid(marlow, 100_00, "2")
    await room.market.bid(hart, 100_00, "3")
    await room.market.closes()
    # What is published cannot be unpublished: somebody has damaged the catalogue.
    async with acquire(room.market.pool) as connection:
        await connection.execute("alter table lot_listing disable trigger user")
        await connection.execute("update lot_listing set published_at_us = null where lot_id = '1'")
    await room.settle()
    (invoice,) = await room.invoices()
    assert invoice.invoice.buyer_id == marlow.bidder_id
    operations = await room.operations()
    held = operations[f"award:{award_id_of(SaleId(SALE), LotId('1'))}:1"]
    assert (held["state"], "does not have lot 1" in held["note"]) == ("HELD", True)
    assert operations[f"invoice:{SALE}:1"]["due_at_us"] > room.now_us() + 100 * SECOND_US
    async with acquire(room.market.pool) as connection:
        await connection.execute("update lot_listing set published_at_us = 1 where lot_id = '1'")
        assert await release(connection, held["op_id"], room.now_us())
    await room.settle()
    await room.passes(300 * SECOND_US)
    lots = {one.invoice.buyer_id: len(one.invoice.lines) for one in await room.invoices()}
    assert lots == {hart.bidder_id: 2, marlow.bidder_id: 1}


async def test_what_was_sold_before_its_sale_was_cancelled_is_invoiced(room: Settling) -> None:
    early, late = lot_of("1"), lot_of("2", closes_at_us=lot_of("1").closes_at_us + 30 * HOUR_US)
    await room.market.opens(early, late, terms=CENTS, **DALLAS)
    (hart,) = await bidders(room, "Hart")
    await room.market.bid(hart, 100_00, "1")
    await room.market.bid(hart, 100_00, "2")
    await room.market.passes(2 * HOUR_US)
    cancel = CancelSale(
        sale_id=SaleId(SALE), cause=WithdrawalCause.LAW, reason="A court", actor_id=STAFF_MEMBER
    )
    await room.market.submit(cancel)
    await room.market.passes(0)
    await room.settle()
    (invoice,) = await room.invoices()
    assert [line.lot_id for line in invoice.invoice.lines] == ["1"]
