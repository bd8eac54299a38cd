"""What sellers' documents say, read: statements per sale, per consignor and month, payout advices.

What is released is as the ledger booked it; what is not yet, is what the rules would release of it
now. A movement is seen from the payee: what it was paid is negative, since it is owed no more.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

import asyncpg

from auction.catalog.words import restriction_words
from auction.desk.agreements import versions
from auction.ids import LiquidatorId, SaleId
from foundation.database import AnyConnection
from foundation.papers.sizes import paper_of
from settlement.chart import Kind
from settlement.entries import Entry, Purpose
from settlement.ids import EntryKey
from settlement.ledger_reading import read_entries
from settlement.papers.contents import (
    MAX_ROWS,
    ConsignorStatement,
    LiquidatorStatement,
    Moved,
    Party,
    PayoutAdvice,
)
from settlement.papers.house import house_at
from settlement.papers.kinds import PaperRefusal, Refused
from settlement.papers.parties import SaleFacts, party_of, sale_facts
from settlement.papers.seller_lots import (
    Agreed,
    Flows,
    loads,
    of_consignor,
    of_liquidator,
    sold_lots,
)
from settlement.policy import Commission
from settlement.policy_table import commission_at, policy_at
from settlement.rows import AwardRow, award_row
from settlement.statements import month_period

_LOTS: Final = """
select r.sale_id, r.lot_id, r.title, r.outcome, r.reason, r.closed_at_us, r.currency,
    r.liquidator_id, c.consignor_id, c.agreement_id, c.agreement_version, c.pallets,
    coalesce(c.load, '') as load, coalesce(c.purchase_order, '') as purchase_order,
    coalesce(c.rma, '') as rma
from lot_result r left join consigned_lot c using (sale_id, lot_id)
"""
_LOTS_OF_SALE: Final = f"""
{_LOTS} where r.sale_id = $1 order by r.place, r.lot_id limit {MAX_ROWS + 1}
"""
_LOTS_OF_CONSIGNOR: Final = f"""
{_LOTS} where c.consignor_id = $1 and r.closed_at_us >= $2 and r.closed_at_us < $3
order by c.load, r.sale_id, r.place, r.lot_id limit {MAX_ROWS + 1}
"""
_LOTS_OF_AWARDS: Final = f"""
{_LOTS} join award a using (sale_id, lot_id) where a.award_id = any($1)
order by r.sale_id, r.place, r.lot_id
"""
_AWARDS: Final = """
select a.* from award a join unnest($1::text[], $2::text[]) as w (sale_id, lot_id)
using (sale_id, lot_id) order by a.sale_id, a.lot_id, a.generation
"""

# What moved on accounts about awards, a reversal as the taking back of what it reverses.
_FLOWS: Final = """
select f.award_id, coalesce(split_part(t.reverses, ':', 1), t.purpose) as purpose,
    case when t.reverses is null then d.kind else c.kind end as debit,
    case when t.reverses is null then c.kind else d.kind end as credit,
    sum(case when t.reverses is null then f.amount_minor else -f.amount_minor end)::bigint as minor
from ledger_transfer f join ledger_transaction t using (transaction_id)
join ledger_account d on d.account_id = f.debit_account_id
join ledger_account c on c.account_id = f.credit_account_id
where f.award_id = any($1) group by 1, 2, 3, 4
"""

# The lines of a payee's accounts; ``sign``: what it gets is positive.
_MOVED: Final = """
select t.key, t.purpose, t.effective_at_us, t.stripe_ids, t.note, f.award_id, v.sign,
    f.amount_minor
from ledger_account a
cross join lateral (values (1, a.account_id), (-1, a.account_id)) as v (sign, account_id)
join ledger_transfer f on case when v.sign = 1 then f.credit_account_id else f.debit_account_id end
    = v.account_id
join ledger_transaction t using (transaction_id)
where a.name = any($1) and a.currency = $2 and {condition}
order by t.effective_at_us, t.transaction_id, f.place
"""
_MOVED_OF_SALE: Final = _MOVED.format(condition="(t.sale_id = $3 or f.award_id = any($4))")
_MOVED_IN_TIME: Final = _MOVED.format(
    condition="t.effective_at_us >= $3 and t.effective_at_us < $4"
)
_MOVED_OF_AWARDS: Final = _MOVED.format(condition="f.award_id = any($3)")

_CONSIGNOR: Final = """
select c.name, c.contact, c.organisation_id, o.name as liquidator
from consignor c left join organisation o on o.organisation_id = c.liquidator_id
where consignor_id = $1
"""

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

_MONTH: Final = re.compile(r"(.{1,128}):([0-9]{4})-(0[1-9]|1[0-2])")
_FILE: Final = re.compile(r"file:([1-9][0-9]{0,17}):([1-9][0-9]{0,8})")

_WORDS: Final[Mapping[str, str]] = {
    Purpose.TRANSFER: "Sent to your account at Stripe",
    Purpose.TRANSFER_REVERSED: "Taken back from what was sent",
    Purpose.BANK_FILE_PAID: "Sent to your bank",
    Purpose.BANK_FILE_RETURNED: "Sent back by your bank",
    Purpose.CONSIGNOR_PAID: "Paid to you",
    Purpose.CONSIGNOR_CHARGED: "Costs of goods that did not sell",
    Purpose.CLAIM_AFTER_RELEASE: "Credited to the buyer after the release",
    Purpose.CANCELLATION_FEE: "Fee for a cancellation after the hammer",
    Purpose.DISPUTE_LOST_BY_SELLER: "Taken back by the buyer's bank",
    Purpose.WRITE_OFF: "Not collected from you",
    Purpose.ADJUSTMENT: "Adjustment",
}
_PAYMENTS: Final = frozenset({Purpose.TRANSFER, Purpose.BANK_FILE_PAID, Purpose.CONSIGNOR_PAID})


async def liquidator_statement(connection: AnyConnection, sale_id: str) -> LiquidatorStatement:
    """What a sale brought its liquidator. Raises `Refused` NOT_FOUND, TOO_LONG."""
    lots = await connection.fetch(_LOTS_OF_SALE, sale_id)
    if not lots:
        raise Refused(PaperRefusal.NOT_FOUND)
    _bounded(lots)
    liquidator_id, currency = LiquidatorId(lots[0]["liquidator_id"]), lots[0]["currency"]
    sale = await sale_facts(connection, SaleId(sale_id))
    awards = await _awards(connection, lots)
    closed_us = max((row["closed_at_us"] or 0 for row in lots), default=0)
    seller = await _seller(connection, lots, liquidator_id, currency, closed_us)
    flows = await _flows(connection, [award.award_id for award in awards])
    moved = _moved(
        await connection.fetch(
            _MOVED_OF_SALE,
            [f"seller_payable:{liquidator_id}", f"seller_receivable:{liquidator_id}"],
            currency,
            sale_id,
            [award.award_id for award in awards],
        )
    )
    changed = [closed_us, *(award.changed_at_us for award in awards), *(m.at_us for m in moved)]
    as_of_us = max(changed)
    return LiquidatorStatement(
        paper=paper_of(sale.country),
        house=(await house_at(connection, as_of_us)).house,
        number="",
        liquidator=await _liquidator(connection, liquidator_id, sale),
        sale=sale.title,
        currency=currency,
        zone=sale.time_zone,
        as_of_us=as_of_us,
        lots=tuple(sold_lots(lots, awards, flows, seller)),
        moved=moved,
    )


async def consignor_statement(connection: AnyConnection, subject: str) -> ConsignorStatement:
    """What a consignor's goods brought that ended in a month of UTC: ``{consignor}:2026-03``.

    Raises `Refused` NOT_FOUND, TOO_LONG.
    """
    found = _MONTH.fullmatch(subject)
    consignor = await connection.fetchrow(_CONSIGNOR, found[1]) if found else None
    if found is None or consignor is None:
        raise Refused(PaperRefusal.NOT_FOUND)
    consignor_id, month = found[1], date(int(found[2]), int(found[3]), 1)
    period = month_period(month)
    lots = await connection.fetch(_LOTS_OF_CONSIGNOR, consignor_id, period.from_us, period.to_us)
    if not lots:
        raise Refused(PaperRefusal.NOT_FOUND)
    _bounded(lots)
    currency = lots[0]["currency"]
    sale = await sale_facts(connection, SaleId(lots[0]["sale_id"]))
    awards = await _awards(connection, lots)
    liquidator_id = LiquidatorId(lots[0]["liquidator_id"])
    seller = await _seller(connection, lots, liquidator_id, currency, period.from_us)
    flows = await _flows(connection, [award.award_id for award in awards])
    times = (period.from_us, period.to_us)
    accounts = [f"consignor_payable:{consignor_id}"]
    moved = _moved(await connection.fetch(_MOVED_IN_TIME, accounts, currency, *times))
    changed = [*(row["closed_at_us"] for row in lots), *(award.changed_at_us for award in awards)]
    as_of_us = max([*changed, *(one.at_us for one in moved)])
    return ConsignorStatement(
        paper=paper_of(sale.country),
        house=(await house_at(connection, as_of_us)).house,
        number="",
        consignor=await _consignor(connection, consignor_id),
        liquidator=consignor["liquidator"] or sale.seller,
        month=f"{month:%B %Y}",
        currency=currency,
        zone=sale.time_zone,
        as_of_us=as_of_us,
        loads=tuple(loads(lots, awards, flows, seller)),
        moved=moved,
    )


async def payout_advice(connection: AnyConnection, subject: str) -> PayoutAdvice:
    """What a payment was for: an entry of the books, or ``file:{batch}:{place}`` of a bank file.

    Raises `Refused` NOT_FOUND.
    """
    file = _FILE.fullmatch(subject)
    if file is not None:
        return await _of_file(connection, int(file[1]), int(file[2]))
    entry = (await read_entries(connection, [EntryKey(subject)])).get(EntryKey(subject))
    if entry is None or entry.purpose not in _PAYMENTS:
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
    lots = await connection.fetch(_LOTS_OF_AWARDS, list(award_ids))
    awards = [one for one in await _awards(connection, lots) if one.award_id in set(award_ids)]
    liquidator_id = LiquidatorId(lots[0]["liquidator_id"] if lots else payee_id)
    seller = await _seller(connection, lots, liquidator_id, currency, paid_at_us)
    flows = await _flows(connection, list(award_ids))
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
    lines = await connection.fetch(_MOVED_OF_AWARDS, accounts, currency, list(award_ids))
    before = [row for row in lines if row["effective_at_us"] <= paid_at_us]
    moved = list(_moved(before, without=keys, payments=not keys))
    rest = amount_minor - sum(lot.net_minor for lot in shown) - sum(m.amount_minor for m in moved)
    if rest:
        words = "Kept for what you owe, sent before, or still to be sent"
        carried = Moved(at_us=paid_at_us, words=words, reference="", amount_minor=rest)
        moved.append(carried)
    party = (
        await _consignor(connection, payee_id)
        if as_consignor
        else await _liquidator(connection, liquidator_id, sale)
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


# --- What is read beside them ---------------------------------------------------------------------


async def _awards(connection: AnyConnection, lots: Sequence[asyncpg.Record]) -> list[AwardRow]:
    sales, ids = [row["sale_id"] for row in lots], [row["lot_id"] for row in lots]
    return [award_row(row) for row in await connection.fetch(_AWARDS, sales, ids)]


async def _seller(
    connection: AnyConnection,
    lots: Sequence[asyncpg.Record],
    liquidator_id: LiquidatorId,
    currency: str,
    at_us: int,
) -> Agreed:
    policy = await policy_at(connection, currency, at_us)
    none = Commission(0)
    rate = none if policy is None else await commission_at(connection, liquidator_id, policy, at_us)
    keys = [
        (row["agreement_id"], row["agreement_version"])
        for row in lots
        if row["agreement_id"] is not None
    ]
    agreed = await versions(connection, keys) if keys else {}
    return Agreed(rate, {key: one.terms for key, one in agreed.items()})


async def _flows(connection: AnyConnection, award_ids: Sequence[str]) -> dict[str, Flows]:
    rows = await connection.fetch(_FLOWS, list(award_ids))
    flows: dict[str, dict[str, int]] = {}
    for row in rows:
        sums = flows.setdefault(row["award_id"], {})
        purpose, debit, credit, minor = (
            row[name] for name in ("purpose", "debit", "credit", "minor")
        )
        if purpose == Purpose.RELEASE:
            sums["released"] = sums.get("released", 0) + minor
            if credit == Kind.COMMISSION_INCOME:
                sums["commission"] = sums.get("commission", 0) + minor
            if credit == Kind.CONSIGNOR_PAYABLE:
                sums["consignor"] = sums.get("consignor", 0) + minor
        elif debit == Kind.HELD:
            sums["credited"] = sums.get("credited", 0) + minor
    return {
        award_id: Flows(
            sums.get("released", 0) > 0,
            sums.get("credited", 0),
            sums.get("commission", 0),
            sums.get("consignor", 0),
        )
        for award_id, sums in flows.items()
    }


def _moved(
    rows: Iterable[asyncpg.Record],
    without: Iterable[EntryKey] = (),
    *,
    payments: bool = True,
) -> tuple[Moved, ...]:
    """What is beside the releases, an entry a row; what sums to nothing for the payee is left out.

    Netting moves from what is owed to what is due: it changes nothing between the two.
    """
    skipped = set(without)
    sums: dict[str, int] = {}
    first: dict[str, asyncpg.Record] = {}
    for row in rows:
        if row["purpose"] == Purpose.RELEASE or row["key"] in skipped:
            continue
        if not payments and row["purpose"] in _PAYMENTS:
            continue
        first.setdefault(row["key"], row)
        sums[row["key"]] = sums.get(row["key"], 0) + row["sign"] * row["amount_minor"]
    return tuple(
        Moved(
            at_us=row["effective_at_us"],
            words=_WORDS.get(row["purpose"], restriction_words(row["purpose"])),
            reference=", ".join(row["stripe_ids"]) or row["note"] or key,
            amount_minor=sums[key],
        )
        for key, row in first.items()
        if sums[key]
    )


async def _liquidator(
    connection: AnyConnection, liquidator_id: LiquidatorId, sale: SaleFacts
) -> Party:
    party = await party_of(connection, liquidator_id)
    return Party(sale.seller, party.lines) if party.name == liquidator_id and sale.seller else party


async def _consignor(connection: AnyConnection, consignor_id: str) -> Party:
    row = await connection.fetchrow(_CONSIGNOR, consignor_id)
    if row is None:
        return Party(consignor_id)
    if row["organisation_id"] is not None:
        party = await party_of(connection, row["organisation_id"])
        if party.lines:
            return Party(row["name"], party.lines)
    lines = [line.strip() for line in row["contact"].splitlines() if line.strip()]
    return Party(row["name"], tuple(lines[:4]))


def _way(entry: Entry) -> str:
    if any(posting.credit.kind is Kind.STRIPE_BALANCE for posting in entry.postings):
        return "Transfer to your account at Stripe"
    return "Transfer to your bank"


def _bounded(lots: Sequence[asyncpg.Record]) -> None:
    if len(lots) > MAX_ROWS:
        raise Refused(PaperRefusal.TOO_LONG)
