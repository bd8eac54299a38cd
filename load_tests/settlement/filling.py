"""Invoices of three lots each, as following a sale writes them, by the hundred."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from auction.catalog.goods import Condition, FreightTerms
from auction.catalog.taxes import BidderTax, Place, TaxRate
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from auction.terms import Premium, PremiumTier, SoftClose, Terms
from foundation.database import AnyConnection, Pool, transaction
from settlement.chart import sales_tax
from settlement.due import Calendar
from settlement.entries import About, AwardMoney, Entry
from settlement.ids import TaxPlace, award_id_of
from settlement.invoices import Award, Invoice, ShipFrom, invoices_of
from settlement.ledger import post
from settlement.policy import Policy
from settlement.policy_table import policy_at
from settlement.postings import capture, processing_fee, release, transfer_out
from settlement.rows import Goods
from settlement.steps import Wanted, want
from settlement.story import Told, tell

LOTS: Final = 3
# Lots of one sale, of one seller.
A_SALE: Final = 300
SELLERS: Final = 20
BATCH: Final = 200
HAMMER_MINOR: Final = 20_000
ZONE: Final = "America/Chicago"
PLACE: Final = Place("US", "TX")
DALLAS: Final = ShipFrom("Load", "1 Dock Road", "Dallas", "TX", "75201", "US")
TERMS: Final = Terms(
    soft_close=SoftClose(window_us=60_000_000, extension_us=60_000_000),
    premium=Premium((PremiumTier(0, 1_000),)),
)
RATE: Final = TaxRate(
    place=PLACE, rate_ppm=82_500, premium_taxable=True, freight_taxable=True, note=""
)
TAX: Final = BidderTax(PLACE, RATE, exempt=False)

_INVOICES: Final = """
insert into invoice (invoice_id, sale_id, buyer_id, liquidator_id, currency, body, total_minor,
    zone, country, policy_version, issued_at_us, due_at_us, payment, paid_minor, paid_at_us,
    changed_at_us)
select invoice_id, sale_id, buyer_id, liquidator_id, 'USD', body, total_minor, 'America/Chicago',
    'US', 1, $7, due_at_us, $8, case when $8 = 'PAID' then total_minor else 0 end,
    case when $8 = 'PAID' then $7::bigint end, $7
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::bigint[], $9::bigint[])
    as made (invoice_id, sale_id, buyer_id, liquidator_id, body, total_minor, due_at_us)
"""
_AWARDS: Final = """
insert into award (award_id, sale_id, lot_id, generation, buyer_id, liquidator_id, invoice_id,
    currency, hammer_minor, body, goods, state, awarded_at_us, changed_at_us, funded_at_us,
    handed_over_at_us, accepted_at_us, released_at_us, paid_out_at_us, ended_at_us)
select award_id, sale_id, lot_id, 1, buyer_id, liquidator_id, invoice_id, 'USD', $7, body, goods,
    $9, $10, $10, at_us, at_us, at_us, at_us, at_us, at_us
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $8::jsonb[],
    $11::jsonb[]) as made (award_id, sale_id, lot_id, buyer_id, liquidator_id, invoice_id, body,
    goods),
    (select case when $9 = 'CLOSED' then $10::bigint end as at_us) as times
"""


def seller_of(number: int) -> LiquidatorId:
    """Of the sale of this invoice."""
    return LiquidatorId(f"seller-{number * LOTS // A_SALE % SELLERS}")


def invoice_of(number: int, at_us: int, policy: Policy) -> Invoice:
    """Three lots of one sale, won by a buyer of its own."""
    sale_id = SaleId(f"L{number * LOTS // A_SALE}")
    lots = [LotId(str(number * LOTS % A_SALE + lot)) for lot in range(1, LOTS + 1)]
    awards = [
        Award(
            award_id=award_id_of(sale_id, lot_id),
            lot_id=lot_id,
            buyer_id=BidderId(f"buyer-{number}"),
            ship_from=DALLAS,
            closed_at_us=at_us,
            hammer_minor=HAMMER_MINOR,
        )
        for lot_id in lots
    ]
    taxed = [(award, TAX) for award in awards]
    (invoice,) = invoices_of(sale_id, TERMS, taxed, policy, Calendar(ZONE))
    return invoice


async def write_due(pool: Pool, numbers: Sequence[int], at_us: int) -> None:
    """Invoices that are to be collected now."""
    async with transaction(pool) as connection:
        policy = await policy_at(connection, "USD", at_us)
        assert policy is not None, "a new installation has a policy"
        invoices = [invoice_of(number, at_us, policy) for number in numbers]
        await _write(connection, numbers, invoices, at_us, "DUE", "INVOICED")
        wanted = [Wanted(operation="collect", subject=each.invoice_id) for each in invoices]
        await want(connection, wanted, at_us)


async def write_closed(pool: Pool, numbers: Sequence[int], at_us: int) -> int:
    """Invoices whose whole life is over, with their entries and story; how many entries."""
    async with transaction(pool) as connection:
        policy = await policy_at(connection, "USD", at_us)
        assert policy is not None, "a new installation has a policy"
        invoices = [invoice_of(number, at_us, policy) for number in numbers]
        await _write(connection, numbers, invoices, at_us, "PAID", "CLOSED")
        await tell(connection, list(_stories(invoices, at_us)), at_us)
        entries = [
            entry
            for number, invoice in zip(numbers, invoices, strict=True)
            for entry in _entries(invoice, seller_of(number), at_us)
        ]
        return len(await post(connection, entries))


async def _write(
    connection: AnyConnection,
    numbers: Sequence[int],
    invoices: Sequence[Invoice],
    at_us: int,
    payment: str,
    state: str,
) -> None:
    sellers = [seller_of(number) for number in numbers]
    await connection.execute(
        _INVOICES,
        [each.invoice_id for each in invoices],
        [each.sale_id for each in invoices],
        [each.buyer_id for each in invoices],
        sellers,
        [_json(each) for each in invoices],
        [each.total_minor for each in invoices],
        at_us,
        payment,
        [each.due_at_us for each in invoices],
    )
    lines = [
        (line, invoice, seller)
        for invoice, seller in zip(invoices, sellers, strict=True)
        for line in invoice.lines
    ]
    awards = [
        Award(
            award_id=line.award_id,
            lot_id=line.lot_id,
            buyer_id=invoice.buyer_id,
            ship_from=DALLAS,
            closed_at_us=at_us,
            hammer_minor=line.hammer_minor,
        )
        for line, invoice, _ in lines
    ]
    await connection.execute(
        _AWARDS,
        [award.award_id for award in awards],
        [invoice.sale_id for _, invoice, _ in lines],
        [award.lot_id for award in awards],
        [award.buyer_id for award in awards],
        [seller for _, _, seller in lines],
        [invoice.invoice_id for _, invoice, _ in lines],
        HAMMER_MINOR,
        [_json(award) for award in awards],
        state,
        at_us,
        [_json(_goods(award.lot_id)) for award in awards],
    )


def _entries(invoice: Invoice, seller: LiquidatorId, at_us: int) -> Iterator[Entry]:
    about = About(
        subject=invoice.invoice_id,
        at_us=at_us,
        currency="USD",
        sale_id=invoice.sale_id,
        invoice_id=invoice.invoice_id,
        liquidator_id=seller,
        buyer_id=invoice.buyer_id,
    )
    yield capture(about, [line.money for line in invoice.lines])
    yield processing_fee(about, 2_141)
    for line in invoice.lines:
        own = msgspec.structs.replace(about, subject=line.award_id, award_id=line.award_id)
        kept = AwardMoney(
            award_id=line.award_id,
            hammer_minor=line.hammer_minor,
            premium_minor=line.premium_minor,
            tax_place=sales_tax(TaxPlace("US-TX")),
        )
        yield release(own, seller, kept, HAMMER_MINOR // 10)
        yield transfer_out(own, seller, HAMMER_MINOR - HAMMER_MINOR // 10)


def _stories(invoices: Sequence[Invoice], at_us: int) -> Iterator[Told]:
    for invoice in invoices:
        yield Told(kind="paid", invoice_id=invoice.invoice_id, facts={"by": "card"})
        for line in invoice.lines:
            for kind in ("awarded", "handed_over", "accepted", "released", "transferred", "closed"):
                yield Told(kind=kind, award_id=line.award_id, at_us=at_us)


def _goods(lot_id: LotId) -> Goods:
    return Goods(
        number=str(lot_id),
        title=f"Lot {lot_id}",
        condition=Condition.NEW,
        freight_terms=FreightTerms.BUYER_ARRANGED,
        pallets=1,
        units=10,
        retail_minor=100_000,
        weight_g=None,
        manifest_sha256="0" * 64,
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
