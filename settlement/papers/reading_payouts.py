"""What the advice of a payout says, read: the lots that it pays, and what was kept of them."""

import re
from collections.abc import Sequence
from typing import Final

from auction.ids import LiquidatorId, SaleId
from foundation.database import AnyConnection
from foundation.papers.sizes import paper_of
from settlement.chart import Kind
from settlement.entries import Entry
from settlement.ids import EntryKey
from settlement.ledger_reading import read_entries
from settlement.papers.contents import Moved, PayoutAdvice
from settlement.papers.house import house_at
from settlement.papers.kinds import PaperRefusal, Refused
from settlement.papers.parties import sale_facts
from settlement.papers.seller_books import (
    LOTS_OF_AWARDS,
    MOVED_OF_AWARDS,
    PAYMENTS,
    agreed_with,
    awards_of,
    consignor_party,
    flows_of,
    liquidator_party,
    moved_of,
)
from settlement.papers.seller_lots import of_consignor, of_liquidator

_FILE_ITEM: Final = """
select i.payee_id, i.method, i.amount_minor, i.trace, b.released_at_us, b.pays_on, b.currency,
    y.kind
from payout_batch_item i join payout_batch b using (batch_id) join payee y using (payee_id)
where i.batch_id = $1 and i.place = $2 and b.state = 'RELEASED'
"""
_FILE_PAYABLES: Final = """
select p.award_id from payout_batch_payable b join payable p using (payable_id)
where b.batch_id = $1 and b.place = $2 order by p.award_id
"""

_FILE: Final = re.compile(r"file:([1-9][0-9]{0,17}):([1-9][0-9]{0,8})")


async def payout_advice(connection: AnyConnection, subject: str) -> PayoutAdvice:
    """What a payment was for: an entry of the books, or ``file:{batch}:{place}`` of a bank file.

    Raises `Refused` NOT_FOUND.
    """
    file = _FILE.fullmatch(subject)
    if file is not None:
        return await _of_file(connection, int(file[1]), int(file[2]))
    entry = (await read_entries(connection, [EntryKey(subject)])).get(EntryKey(subject))
    if entry is None or entry.purpose not in PAYMENTS:
        raise Refused(PaperRefusal.NOT_FOUND)
    debit = entry.postings[0].debit
    awards = [posting.award_id for posting in entry.postings if posting.award_id]
    return await _advice(
        connection,
        debit.subject,
        awards,
        as_consignor=debit.kind is Kind.CONSIGNOR_PAYABLE,
        currency=entry.about.currency,
        paid_at_us=entry.about.at_us,
        way=_way(entry),
        references=[*entry.about.stripe_ids, entry.key],
        amount_minor=sum(posting.amount_minor for posting in entry.postings),
        keys={entry.key},
    )


async def _of_file(connection: AnyConnection, batch_id: int, place: int) -> PayoutAdvice:
    item = await connection.fetchrow(_FILE_ITEM, batch_id, place)
    if item is None:
        raise Refused(PaperRefusal.NOT_FOUND)
    rows = await connection.fetch(_FILE_PAYABLES, batch_id, place)
    references = [f"file {batch_id}", item["trace"], f"to be credited on {item['pays_on']}"]
    return await _advice(
        connection,
        item["payee_id"],
        [row["award_id"] for row in rows],
        as_consignor=item["kind"] == "CONSIGNOR",
        currency=item["currency"],
        paid_at_us=item["released_at_us"],
        way="Wire to your bank" if item["method"] == "WIRE" else "Transfer to your bank (ACH)",
        references=[one for one in references if one],
        amount_minor=item["amount_minor"],
        keys=set(),
    )


async def _advice(
    connection: AnyConnection,
    payee_id: str,
    award_ids: Sequence[str],
    *,
    as_consignor: bool,
    currency: str,
    paid_at_us: int,
    way: str,
    references: Sequence[str],
    amount_minor: int,
    keys: set[EntryKey],
) -> PayoutAdvice:
    """The advice: its lots, what was kept of them, and what makes them come to the amount."""
    lots = await connection.fetch(LOTS_OF_AWARDS, list(award_ids))
    awards = [one for one in await awards_of(connection, lots) if one.award_id in set(award_ids)]
    liquidator_id = LiquidatorId(lots[0]["liquidator_id"] if lots else payee_id)
    seller = await agreed_with(connection, lots, liquidator_id, currency, paid_at_us, awards)
    flows = await flows_of(connection, list(award_ids))
    sale = await sale_facts(connection, SaleId(lots[0]["sale_id"] if lots else ""))
    make = of_consignor if as_consignor else of_liquidator
    rows = {(row["sale_id"], row["lot_id"]): row for row in lots}
    shown = [
        make(rows[award.sale_id, award.lot_id], award, flows, seller)
        for award in awards
        if (award.sale_id, award.lot_id) in rows
    ]
    sides = ("consignor_payable",) if as_consignor else ("seller_payable", "seller_receivable")
    accounts = [f"{side}:{payee_id}" for side in sides]
    lines = await connection.fetch(MOVED_OF_AWARDS, accounts, currency, list(award_ids))
    before = [row for row in lines if row["effective_at_us"] <= paid_at_us]
    moved = list(moved_of(before, without=keys, payments=bool(keys)))
    rest = amount_minor - sum(lot.net_minor for lot in shown) - sum(m.amount_minor for m in moved)
    if rest:
        words = "Kept for what you owe, sent before, or still to be sent"
        carried = Moved(at_us=paid_at_us, words=words, reference="", amount_minor=rest)
        moved.append(carried)
    party = (
        await consignor_party(connection, payee_id)
        if as_consignor
        else await liquidator_party(connection, liquidator_id, sale)
    )
    return PayoutAdvice(
        paper=paper_of(sale.country),
        house=(await house_at(connection, paid_at_us)).house,
        number="",
        payee=party,
        currency=currency,
        zone=sale.time_zone,
        paid_at_us=paid_at_us,
        way=way,
        references=tuple(references),
        lots=tuple(shown),
        moved=tuple(moved),
        amount_minor=amount_minor,
    )


def _way(entry: Entry) -> str:
    if any(posting.credit.kind is Kind.STRIPE_BALANCE for posting in entry.postings):
        return "Transfer to your account at Stripe"
    return "Transfer to your bank"
