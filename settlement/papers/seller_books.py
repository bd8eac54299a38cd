"""What the books, the results and the agreements say of a seller's lots, read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import asyncpg

from auction.catalog.words import restriction_words
from auction.consignment import Bearer
from auction.desk.agreements import versions
from auction.ids import LiquidatorId
from foundation.database import AnyConnection
from settlement.chart import Kind
from settlement.entries import Purpose, named
from settlement.ids import EntryKey
from settlement.papers.contents import MAX_ROWS, Moved
from settlement.papers.kinds import PaperRefusal, Refused
from settlement.papers.letterhead import Party
from settlement.papers.parties import SaleFacts, party_of
from settlement.papers.seller_lots import Agreed, Flows
from settlement.payouts.payment_costs import payment_costs
from settlement.policy import Commission
from settlement.policy_table import commission_at, policy_at
from settlement.rows import AwardRow, award_row

_LOTS: Final = """
select r.sale_id, r.lot_id, r.title, r.outcome, r.reason, r.closed_at_us, r.currency,
    r.liquidator_id, c.consignor_id, c.agreement_id, c.agreement_version, c.pallets,
    coalesce(c.load, '') as load, coalesce(c.purchase_order, '') as purchase_order,
    coalesce(c.rma, '') as rma
from lot_result r left join consigned_lot c using (sale_id, lot_id)
"""
LOTS_OF_SALE: Final = f"""
{_LOTS} where r.sale_id = $1 order by r.place, r.lot_id limit {MAX_ROWS + 1}
"""
LOTS_OF_CONSIGNOR: Final = f"""
{_LOTS} where c.consignor_id = $1 and r.closed_at_us >= $2 and r.closed_at_us < $3
order by c.load, r.sale_id, r.place, r.lot_id limit {MAX_ROWS + 1}
"""
LOTS_OF_AWARDS: Final = f"""
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

# The lines of a payee's accounts among the transfers that are ``touched``, each account's own side
# of them; ``sign``: what the payee gets is positive.
_MOVED: Final = """
with touched as ({touched})
select t.key, t.purpose, t.effective_at_us, t.stripe_ids, t.note, f.award_id, f.amount_minor,
    case when a.account_id = f.credit_account_id then 1 else -1 end as sign
from touched join ledger_transfer f using (transfer_id)
join ledger_transaction t using (transaction_id)
join ledger_account a on a.account_id in (f.debit_account_id, f.credit_account_id)
where a.name = any($1) and a.currency = $2
order by t.effective_at_us, t.transaction_id, f.place limit {most}
"""
# By the indexes of awards and sales: a seller's accounts have all that it ever sold.
_OF_AWARDS: Final = "select transfer_id from ledger_transfer where award_id = any($3)"
_OF_SALE: Final = """
    select f.transfer_id from ledger_transaction t join ledger_transfer f using (transaction_id)
    where t.sale_id = $4 and t.currency = $2
"""
# Each release is a line too, and one lot has some.
_MOST: Final = 4 * MAX_ROWS
MOVED_OF_SALE: Final = _MOVED.format(touched=f"{_OF_AWARDS} union {_OF_SALE}", most=_MOST + 1)
MOVED_OF_AWARDS: Final = _MOVED.format(touched=_OF_AWARDS, most=_MOST + 1)

# What a consignor's goods cost beyond what they brought, taken from what later goods brought.
_TAKEN: Final = """
select t.key, t.effective_at_us, sum(f.amount_minor)::bigint as minor from ledger_account a
join ledger_transfer f on f.debit_account_id = a.account_id
join ledger_transaction t using (transaction_id)
where a.name = $1 and a.currency = $2 and t.purpose = 'consignor_charged'
group by t.transaction_id order by t.transaction_id
"""

_CONSIGNOR: Final = """
select c.name, c.contact, c.organisation_id, o.name as liquidator
from consignor c left join organisation o on o.organisation_id = c.liquidator_id
where consignor_id = $1
"""

_WORDS: Final[Mapping[str, str]] = {
    Purpose.TRANSFER: "Sent to your account at Stripe",
    Purpose.TRANSFER_REVERSED: "Taken back from what was sent",
    Purpose.BANK_FILE_PAID: "Sent to your bank",
    Purpose.BANK_FILE_RETURNED: "Sent back by your bank",
    Purpose.CONSIGNOR_PAID: "Paid to you",
    Purpose.CONSIGNOR_CHARGED: "Costs of goods that brought less",
    Purpose.CLAIM_AFTER_RELEASE: "Credited to the buyer after the release",
    Purpose.CANCELLATION_FEE: "Fee for a cancellation after the hammer",
    Purpose.DISPUTE_LOST_BY_SELLER: "Taken back by the buyer's bank",
    Purpose.WRITE_OFF: "Not collected from you",
    Purpose.ADJUSTMENT: "Adjustment",
}
PAYMENTS: Final = frozenset({Purpose.TRANSFER, Purpose.BANK_FILE_PAID, Purpose.CONSIGNOR_PAID})


async def awards_of(connection: AnyConnection, lots: Sequence[asyncpg.Record]) -> list[AwardRow]:
    sales, ids = [row["sale_id"] for row in lots], [row["lot_id"] for row in lots]
    return [award_row(row) for row in await connection.fetch(_AWARDS, sales, ids)]


async def agreed_with(
    connection: AnyConnection,
    lots: Sequence[asyncpg.Record],
    liquidator_id: LiquidatorId,
    currency: str,
    at_us: int,
    awards: Sequence[AwardRow],
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
    # Most agreements leave the cost of payment to the liquidator, and nobody asks for it.
    bear = [one for one in agreed.values() if one.terms.payment_fees is not Bearer.LIQUIDATOR]
    consigned = [award.award_id for award in awards if bear and award.consignor_id is not None]
    costs = await payment_costs(connection, consigned)
    return Agreed(rate, {key: one.terms for key, one in agreed.items()}, costs)


async def flows_of(connection: AnyConnection, award_ids: Sequence[str]) -> dict[str, Flows]:
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


def moved_of(
    rows: Iterable[asyncpg.Record],
    without: Iterable[EntryKey] = (),
    *,
    payments: bool = True,
) -> tuple[Moved, ...]:
    """What is beside the releases, an entry a row; what sums to nothing for the payee is left out.

    Netting moves from what is owed to what is due: it changes nothing between the two.
    """
    rows = list(rows)
    if len(rows) > _MOST:
        raise Refused(PaperRefusal.TOO_LONG)
    skipped = set(without)
    sums: dict[str, int] = {}
    first: dict[str, asyncpg.Record] = {}
    for row in rows:
        if row["purpose"] == Purpose.RELEASE or row["key"] in skipped:
            continue
        if not payments and row["purpose"] in PAYMENTS:
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


async def moved_for_consignor(
    connection: AnyConnection, consignor_id: str, currency: str, awards: Sequence[AwardRow]
) -> tuple[Moved, ...]:
    """What moved for these goods: what was paid and charged of them, and what others paid for them.

    A charge is booked with the award that bears it and is named after the one that it is for.
    """
    ids, account = [award.award_id for award in awards], f"consignor_payable:{consignor_id}"
    rows = await connection.fetch(MOVED_OF_AWARDS, [account], currency, ids)
    taken = [
        Moved(
            at_us=row["effective_at_us"],
            words="Costs, taken from other goods",
            reference=row["key"],
            amount_minor=row["minor"],
        )
        for row in await connection.fetch(_TAKEN, account, currency)
        if named(EntryKey(row["key"]))[1] in set(ids)
    ]
    return tuple(sorted([*moved_of(rows), *taken], key=lambda one: one.at_us))


async def liquidator_party(
    connection: AnyConnection, liquidator_id: LiquidatorId, sale: SaleFacts
) -> Party:
    party = await party_of(connection, liquidator_id)
    return Party(sale.seller, party.lines) if party.name == liquidator_id and sale.seller else party


async def consignor_party(connection: AnyConnection, consignor_id: str) -> Party:
    row = await connection.fetchrow(_CONSIGNOR, consignor_id)
    if row is None:
        return Party(consignor_id)
    if row["organisation_id"] is not None:
        party = await party_of(connection, row["organisation_id"])
        if party.lines:
            return Party(row["name"], party.lines)
    lines = [line.strip() for line in row["contact"].splitlines() if line.strip()]
    return Party(row["name"], tuple(lines[:4]))
