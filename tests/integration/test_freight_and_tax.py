"""The tables of freight and tax: what a new installation begins with, versions, quotes kept."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from auction.catalog.freight import Destination, NoQuote, Quote, Service
from auction.catalog.freight_table import LOOK_AGAIN_US, BadRates, FreightTable, read_rates
from auction.catalog.goods import FreightTerms
from auction.catalog.listings import LotEntry, read_lot
from auction.catalog.quotes import MOST_QUOTES, keep_quote, read_quote, shipment_of
from auction.catalog.tax_table import bidder_tax, rate_at
from auction.catalog.taxes import Place
from auction.ids import BidderId, LotId, SaleId
from auction.terms import LotKind
from foundation.database import AnyConnection, Pool, connect, open_pool
from tests.builders import a_lot, at
from tests.catalogue import Boarded, a_described_lot, list_lots

S1, ONE, A = SaleId("S-1"), LotId("1"), BidderId("A")
NOW_US = at("12:00")
HOUR_US = 3_600_000_000
ATLANTA = Destination(postal_code="30301")


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AnyConnection]:
    connection = await connect(database_url, name="tests")
    yield connection
    await connection.close()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, name="tests", max_connections=2)
    yield pool
    await pool.close()


async def a_listed_lot(connection: AnyConnection, **changes: Any) -> LotEntry:
    await list_lots(connection, a_described_lot(**changes))
    await Boarded(connection).opens(a_lot("1"))
    lot = await read_lot(connection, S1, ONE)
    assert lot is not None
    return lot


# What a new installation begins with


async def test_every_place_of_the_contiguous_states_is_in_one_zone(
    connection: AnyConnection,
) -> None:
    rates = await read_rates(connection, NOW_US)
    assert rates.fault() is None
    covered = [zip3 for z in rates.zones for zip3 in range(z.first_zip3, z.last_zip3 + 1)]
    assert len(covered) == len(set(covered)) > 880
    towns = {
        "New York": 100, "Boston": 21, "Miami": 331, "Chicago": 606, "Houston": 770,
        "Denver": 802, "Seattle": 981, "Los Angeles": 900, "Fargo": 581, "El Paso": 799,
    }  # fmt: skip
    for town, zip3 in towns.items():
        zone = rates.zone(zip3)
        assert zone is not None and town in zone.name, (town, zone)
    for name, zip3 in {"Alaska": 995, "Hawaii": 967, "Puerto Rico": 9, "Guam": 969}.items():
        assert rates.zone(zip3) is None, name


async def test_zones_do_not_overlap(connection: AnyConnection) -> None:
    with pytest.raises(asyncpg.ExclusionViolationError):
        await connection.execute("insert into freight_zone values (22, 23, 'Boston', 423, -711)")


async def test_the_defaults_say_that_they_are_defaults(connection: AnyConnection) -> None:
    label = await connection.fetchval("select label from freight_policy")
    notes = await connection.fetch("select distinct note from tax_rate")
    assert "Default of a new installation" in label
    assert len(notes) == 1 and "Default of a new installation" in notes[0][0]


async def test_a_pallet_from_joliet_to_atlanta(connection: AnyConnection, pool: Pool) -> None:
    lot = await a_listed_lot(connection)
    quote = await FreightTable(pool).quote(shipment_of(lot), ATLANTA, NOW_US)
    assert isinstance(quote, Quote)
    assert quote.service is Service.LTL
    assert quote.miles is not None and 640 < quote.miles < 760
    # (190 + 120) x 1.10 for class 125, and 18 % fuel
    assert [line.amount_minor for line in quote.lines] == [341_00, 61_38]
    assert quote.expires_at_us == NOW_US + 72 * HOUR_US


async def test_a_truckload_across_the_country(connection: AnyConnection, pool: Pool) -> None:
    lot = await a_listed_lot(connection, kind=LotKind.TRUCKLOAD, pallets=24)
    there = Destination(postal_code="90058")
    quote = await FreightTable(pool).quote(shipment_of(lot), there, NOW_US)
    assert isinstance(quote, Quote) and quote.miles is not None
    assert 1_950 < quote.miles < 2_150
    assert quote.lines[0].amount_minor == quote.miles * 2_15
    home = await FreightTable(pool).quote(
        shipment_of(lot), replace(there, residential=True), NOW_US
    )
    assert isinstance(home, NoQuote)


async def test_a_lot_with_a_price_of_the_sellers_goes_anywhere(
    connection: AnyConnection, pool: Pool
) -> None:
    lot = await a_listed_lot(
        connection, freight_terms=FreightTerms.FIXED, freight_fixed_minor=120_00
    )
    there = Destination(postal_code="96813")
    quote = await FreightTable(pool).quote(shipment_of(lot), there, NOW_US)
    assert isinstance(quote, Quote) and quote.amount_minor == 120_00


# Versions


async def another_version(connection: AnyConnection, from_us: int, *, whole: bool = True) -> None:
    await connection.execute(
        "insert into freight_policy select 2, $1, 'ours', currency, road_bps, least_miles, 0,"
        " ltl_minimum_minor, truckload_minimum_minor, most_ltl_pallets, most_ltl_weight_g,"
        " quote_valid_us from freight_policy where version = 1",
        from_us,
    )
    for table in ("ltl_band", "class_factor", "truckload_band", "surcharge"):
        await connection.execute(f"create temp table copy as table freight_{table}")
        await connection.execute("update copy set version = 2")
        if whole or table != "surcharge":
            await connection.execute(f"insert into freight_{table} select * from copy")  # noqa: S608
        await connection.execute("drop table copy")


async def test_a_version_holds_from_its_time_on_without_a_restart(
    connection: AnyConnection, pool: Pool
) -> None:
    lot, table = await a_listed_lot(connection), FreightTable(pool)
    first = await table.quote(shipment_of(lot), ATLANTA, NOW_US)
    await another_version(connection, NOW_US + HOUR_US)
    before = await table.quote(shipment_of(lot), ATLANTA, NOW_US + HOUR_US - 1)
    after = await table.quote(shipment_of(lot), ATLANTA, NOW_US + HOUR_US + LOOK_AGAIN_US)
    assert isinstance(first, Quote) and isinstance(before, Quote) and isinstance(after, Quote)
    assert before.amount_minor == first.amount_minor
    assert after.amount_minor == 341_00  # without fuel
    assert after.basis.startswith("rate table 2,")


async def test_a_faulty_version_is_named_and_the_one_before_it_stays(
    connection: AnyConnection, pool: Pool
) -> None:
    lot, table = await a_listed_lot(connection), FreightTable(pool)
    await table.quote(shipment_of(lot), ATLANTA, NOW_US)
    await another_version(connection, NOW_US + 1, whole=False)
    with capture_logs() as logs:
        later = await table.quote(shipment_of(lot), ATLANTA, NOW_US + HOUR_US)
    assert isinstance(later, Quote) and later.basis.startswith("rate table 1,")
    assert ["nothing for LIFTGATE" in log["fault"] for log in logs] == [True]
    with pytest.raises(BadRates, match="rate table 2 has nothing for LIFTGATE"):
        await FreightTable(pool).quote(shipment_of(lot), ATLANTA, NOW_US + HOUR_US)


async def test_a_lane_of_the_tables_is_used(connection: AnyConnection, pool: Pool) -> None:
    lot = await a_listed_lot(connection)
    await connection.execute("insert into freight_lane values (1, 604, 303, 10000, 5000)")
    quote = await FreightTable(pool).quote(shipment_of(lot), ATLANTA, NOW_US)
    assert isinstance(quote, Quote)
    assert quote.lines[0].amount_minor == 165_00


# Quotes that were given


async def a_quote(pool: Pool, lot: LotEntry) -> Quote:
    quote = await FreightTable(pool).quote(shipment_of(lot), ATLANTA, NOW_US)
    assert isinstance(quote, Quote)
    return quote


async def test_a_quote_is_kept_for_its_bidder_and_its_lot_until_it_expires(
    connection: AnyConnection, pool: Pool
) -> None:
    lot = await a_listed_lot(connection)
    quote = await a_quote(pool, lot)
    kept = await keep_quote(connection, A, lot, ATLANTA, quote)
    name = kept.quote_id

    async def read(
        bidder: str = "A", sale: str = "S-1", lot_id: str = "1", at_us: int = NOW_US
    ) -> object:
        ids = (BidderId(bidder), SaleId(sale), LotId(lot_id))
        return await read_quote(connection, name, *ids, at_us)

    assert await read() == kept
    assert kept.quote == quote and kept.destination == ATLANTA
    assert await read(at_us=quote.expires_at_us - 1) == kept
    assert await read(at_us=quote.expires_at_us) is None
    assert await read(bidder="B") is None
    assert await read(sale="S-2") is None
    assert await read(lot_id="2") is None


async def test_a_quote_that_was_given_keeps_its_price(
    connection: AnyConnection, pool: Pool
) -> None:
    lot = await a_listed_lot(connection)
    kept = await keep_quote(connection, A, lot, ATLANTA, await a_quote(pool, lot))
    await connection.execute("update freight_ltl_band set per_pallet_minor = 1")
    read = await read_quote(connection, kept.quote_id, A, S1, ONE, NOW_US)
    assert read is not None and read.quote.amount_minor == 341_00 + 61_38


async def test_so_many_quotes_are_kept_for_a_lot_the_latest(
    connection: AnyConnection, pool: Pool
) -> None:
    lot = await a_listed_lot(connection)
    quote = await a_quote(pool, lot)
    names = [
        (
            await keep_quote(
                connection, A, lot, ATLANTA, replace(quote, expires_at_us=NOW_US + number)
            )
        ).quote_id
        for number in range(1, MOST_QUOTES + 4)
    ]
    rows = await connection.fetch("select quote_id, quote from freight_quote")
    assert {row["quote_id"] for row in rows} == set(names[3:])
    assert json.loads(rows[0]["quote"])["currency"] == "USD"


# Tax


async def test_a_rate_is_that_of_the_place_and_the_time(connection: AnyConnection) -> None:
    illinois = Place("US", "IL")
    await connection.execute(
        "insert into tax_rate values ('US', 'IL', $1, 63000, false, true, 'ours')", NOW_US
    )
    before, after = [await rate_at(connection, illinois, at_us) for at_us in (NOW_US - 1, NOW_US)]
    assert before is not None and after is not None
    assert (before.rate_ppm, before.premium_taxable) == (62_500, True)
    assert (after.rate_ppm, after.premium_taxable) == (63_000, False)
    assert await rate_at(connection, Place("CA", "ON"), NOW_US) is None


async def test_every_state_has_a_rate(connection: AnyConnection) -> None:
    rows = await connection.fetch("select region, rate_ppm from tax_rate")
    assert len(rows) == 51
    assert all(0 <= row["rate_ppm"] <= 75_000 for row in rows)
    assert {row["region"] for row in rows if row["rate_ppm"] == 0} == {"AK", "DE", "MT", "NH", "OR"}


async def test_goods_are_taxed_where_they_go_or_where_they_are_collected(
    connection: AnyConnection,
) -> None:
    illinois, texas, oregon = Place("US", "IL"), Place("US", "TX"), Place("US", "OR")

    async def bps(ships_to: Place | None, *certified: Place) -> int:
        tax = await bidder_tax(connection, illinois, ships_to, certified, NOW_US)
        assert tax.exempt is ((ships_to or illinois) in certified)
        return tax.tax_bps

    assert await bps(None) == 625
    assert await bps(texas) == 625
    assert await bps(oregon) == 0
    assert await bps(Place("US", "MN")) == 688
    assert await bps(None, illinois) == 0
    assert await bps(texas, illinois) == 625
    assert await bps(texas, illinois, texas) == 0
    assert await bps(Place("CA", "ON")) == 0
