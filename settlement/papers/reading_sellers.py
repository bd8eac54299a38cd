"""What sellers' statements say, read: per sale for its liquidator, per month for a consignor.

What is released is as the ledger booked it; what is not yet, is what the rules would release of it
now. A movement is seen from the payee: what it was paid is negative, since it is owed no more.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

import asyncpg
from msgspec import Struct

from auction.ids import LiquidatorId, SaleId
from foundation.database import AnyConnection
from foundation.papers.sizes import paper_of
from settlement.papers.contents import MAX_ROWS, ConsignorStatement, LiquidatorStatement
from settlement.papers.house import house_at
from settlement.papers.kinds import PaperRefusal, Refused
from settlement.papers.parties import sale_facts
from settlement.papers.seller_books import (
    LOTS_OF_CONSIGNOR,
    LOTS_OF_SALE,
    MOVED_OF_SALE,
    agreed_with,
    awards_of,
    consignor_party,
    flows_of,
    liquidator_party,
    moved_for_consignor,
    moved_of,
)
from settlement.papers.seller_lots import loads, sold_lots
from settlement.statements import month_period

_SOLD_BY: Final = """
select o.name as liquidator from consignor c
left join organisation o on o.organisation_id = c.liquidator_id where consignor_id = $1
"""
_MONTH: Final = re.compile(r"(.{1,128}?):([0-9]{4})-(0[1-9]|1[0-2])(?::([A-Z]{3}))?")


class MonthOf(Struct, frozen=True):
    """Of which a consignor's statement is. ``currency`` None: of the month's only one."""

    consignor_id: str
    month: date
    currency: str | None


def month_of(subject: str) -> MonthOf | None:
    """A statement's subject, read: ``{consignor}:2026-03``, or with ``:EUR`` behind it."""
    found = _MONTH.fullmatch(subject)
    return found and MonthOf(found[1], date(int(found[2]), int(found[3]), 1), found[4])


async def liquidator_statement(connection: AnyConnection, sale_id: str) -> LiquidatorStatement:
    """What a sale brought its liquidator. Raises `Refused` NOT_FOUND, TOO_LONG."""
    lots = await connection.fetch(LOTS_OF_SALE, sale_id)
    if not lots:
        raise Refused(PaperRefusal.NOT_FOUND)
    _bounded(lots)
    liquidator_id, currency = LiquidatorId(lots[0]["liquidator_id"]), lots[0]["currency"]
    sale = await sale_facts(connection, SaleId(sale_id))
    awards = await awards_of(connection, lots)
    closed_us = max((row["closed_at_us"] or 0 for row in lots), default=0)
    seller = await agreed_with(connection, lots, liquidator_id, currency, closed_us, awards)
    flows = await flows_of(connection, [award.award_id for award in awards])
    moved = moved_of(
        await connection.fetch(
            MOVED_OF_SALE,
            [f"seller_payable:{liquidator_id}", f"seller_receivable:{liquidator_id}"],
            currency,
            [award.award_id for award in awards],
            sale_id,
        )
    )
    changed = [closed_us, *(award.changed_at_us for award in awards), *(m.at_us for m in moved)]
    as_of_us = max(changed)
    return LiquidatorStatement(
        paper=paper_of(sale.country),
        house=(await house_at(connection, as_of_us)).house,
        number="",
        liquidator=await liquidator_party(connection, liquidator_id, sale),
        sale=sale.title,
        currency=currency,
        zone=sale.time_zone,
        as_of_us=as_of_us,
        lots=tuple(sold_lots(lots, awards, flows, seller)),
        moved=moved,
    )


async def consignor_statement(connection: AnyConnection, subject: str) -> ConsignorStatement:
    """What a consignor's goods brought that ended in a month of UTC: see `month_of`. Amounts of two
    currencies have no sum, so that a month with several has a statement for each.

    Raises `Refused` NOT_FOUND, TOO_LONG.
    """
    of = month_of(subject)
    consignor = await connection.fetchrow(_SOLD_BY, of.consignor_id) if of else None
    if of is None or consignor is None:
        raise Refused(PaperRefusal.NOT_FOUND)
    consignor_id, month = of.consignor_id, of.month
    period = month_period(month)
    lots = await connection.fetch(LOTS_OF_CONSIGNOR, consignor_id, period.from_us, period.to_us)
    _bounded(lots)
    currencies = {row["currency"] for row in lots}
    if (len(currencies) > 1) is not (of.currency is not None):
        raise Refused(PaperRefusal.NOT_FOUND)
    currency = of.currency or "".join(currencies)
    lots = [row for row in lots if row["currency"] == currency]
    if not lots:
        raise Refused(PaperRefusal.NOT_FOUND)
    sale = await sale_facts(connection, SaleId(lots[0]["sale_id"]))
    awards = await awards_of(connection, lots)
    liquidator_id = LiquidatorId(lots[0]["liquidator_id"])
    seller = await agreed_with(connection, lots, liquidator_id, currency, period.from_us, awards)
    flows = await flows_of(connection, [award.award_id for award in awards])
    moved = await moved_for_consignor(connection, consignor_id, currency, awards)
    changed = [*(row["closed_at_us"] for row in lots), *(award.changed_at_us for award in awards)]
    as_of_us = max([*changed, *(one.at_us for one in moved)])
    return ConsignorStatement(
        paper=paper_of(sale.country),
        house=(await house_at(connection, as_of_us)).house,
        number="",
        consignor=await consignor_party(connection, consignor_id),
        liquidator=consignor["liquidator"] or sale.seller,
        month=f"{month:%B %Y}",
        currency=currency,
        zone=sale.time_zone,
        as_of_us=as_of_us,
        loads=tuple(loads(lots, awards, flows, seller)),
        moved=moved,
    )


def _bounded(lots: Sequence[asyncpg.Record]) -> None:
    if len(lots) > MAX_ROWS:
        raise Refused(PaperRefusal.TOO_LONG)
