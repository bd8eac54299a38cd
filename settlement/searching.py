"""Finds awards and invoices by what a person has in hand: a number, a name, an id, an amount."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from auction.money import parse_minor
from foundation.database import AnyConnection, Pool, acquire
from settlement.names import organisation_names, sale_names

# What a person looks through; more is to be asked for more exactly.
MOST: Final = 50
MAX_QUERY: Final = 200


class Found(Struct, frozen=True, kw_only=True):
    """An invoice or, with a lot number, an award."""

    href: str
    what: str
    title: str
    sale: str
    party: str
    state: str
    amount_minor: int
    currency: str
    at_us: int
    why: str


_INVOICES: Final = """
select invoice_id, number, sale_id, buyer_id, payment, total_minor, currency, issued_at_us
from invoice where {condition} order by issued_at_us desc limit 50
"""

_AWARDS: Final = """
select award_id, sale_id, lot_id, buyer_id, state, hammer_minor, currency, awarded_at_us,
    goods->>'title' as title
from award where {condition} order by awarded_at_us desc limit 50
"""

_OF_STRIPE: Final = """
select distinct t.invoice_id, f.award_id
from ledger_transaction t left join ledger_transfer f using (transaction_id)
where t.stripe_ids @> array[$1::text] limit 50
"""


# A name as people type it; organisations are thousands, so a scan of them is milliseconds.
_ORGANISATIONS: Final = """
select organisation_id from organisation where name ilike $1 escape '\\' order by name limit 20
"""

_SALES: Final = """
select sale_id from sale_listing where title ilike $1 escape '\\' order by opens_at_us desc limit 20
"""

_STRIPE: Final = re.compile(r"[a-z]{2,6}_[A-Za-z0-9_]{4,200}")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~\-]{0,199}")


class Searching:
    """Looks."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, text: str) -> Sequence[Found]:
        """What fits, the best reason first; each thing once."""
        text = " ".join(text.split())[:MAX_QUERY]
        if not text:
            return []
        found: dict[str, Found] = {}
        async with acquire(self._pool) as connection:
            for why, kind, condition, value in await _ways(connection, text):
                statement = _INVOICES if kind == "invoice" else _AWARDS
                rows = await connection.fetch(statement.format(condition=condition), value)
                for one in await _shown(connection, kind, why, rows):
                    found.setdefault(one.href, one)
                if len(found) >= MOST:
                    break
        return list(found.values())[:MOST]


Way = tuple[str, str, str, object]


async def _ways(connection: AnyConnection, text: str) -> list[Way]:
    """What the text may mean, each with the condition by which rows are found."""
    ways: list[Way] = []
    plain = text.removeprefix("#").replace(",", "")
    if plain.isascii() and plain.isdigit() and len(plain) < 18:
        ways.append(("invoice number", "invoice", "number = $1::bigint", int(plain)))
    if _ID.fullmatch(text):
        ways += [
            ("invoice", "invoice", "invoice_id = $1", text),
            ("award", "award", "award_id = $1", text),
            ("lot number", "award", "lot_id = $1", text),
            ("sale", "invoice", "sale_id = $1", text),
            ("buyer", "invoice", "buyer_id = $1", text),
        ]
    if _STRIPE.fullmatch(text):
        ways += await _by_stripe(connection, text)
    for minor in _amounts(text):
        ways += [
            ("amount of the invoice", "invoice", "total_minor = $1::bigint", minor),
            ("hammer price", "award", "hammer_minor = $1::bigint", minor),
        ]
    if len(text) >= 2:
        like = f"%{_escaped(text)}%"
        buyers = [row[0] for row in await connection.fetch(_ORGANISATIONS, like)]
        sales = [row[0] for row in await connection.fetch(_SALES, like)]
        if buyers:
            ways.append(("buyer", "invoice", "buyer_id = any($1::text[])", buyers))
        if sales:
            ways.append(("sale", "invoice", "sale_id = any($1::text[])", sales))
    return ways


async def _by_stripe(connection: AnyConnection, text: str) -> list[Way]:
    rows = await connection.fetch(_OF_STRIPE, text)
    invoices = sorted({row["invoice_id"] for row in rows if row["invoice_id"]})
    awards = sorted({row["award_id"] for row in rows if row["award_id"]})
    return [
        ("Stripe id", "invoice", "invoice_id = any($1::text[])", invoices),
        ("Stripe id", "award", "award_id = any($1::text[])", awards),
    ]


def _amounts(text: str) -> list[int]:
    """An amount as typed, in each number of decimals that a currency has."""
    plain = text.removeprefix("$").replace(",", "").strip()
    found = set()
    for currency in ("USD", "JPY", "KWD"):
        try:
            found.add(parse_minor(plain, currency))
        except ValueError:
            continue
    return sorted(found)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def _shown(
    connection: AnyConnection, kind: str, why: str, rows: Sequence[asyncpg.Record]
) -> list[Found]:
    if not rows:
        return []
    buyers = await organisation_names(connection, (row["buyer_id"] for row in rows))
    sales = await sale_names(connection, (row["sale_id"] for row in rows))
    titles = {sale_id: sale.title for sale_id, sale in sales.items()}
    make = _invoice if kind == "invoice" else _award
    return [make(row, why, buyers, titles) for row in rows]


def _invoice(
    row: asyncpg.Record, why: str, buyers: Mapping[str, str], titles: Mapping[str, str]
) -> Found:
    return Found(
        href=f"/settlement/invoices/{row['invoice_id']}",
        what="Invoice",
        title=f"Invoice {row['number']}",
        sale=titles.get(row["sale_id"], row["sale_id"]),
        party=buyers.get(row["buyer_id"], row["buyer_id"]),
        state=row["payment"],
        amount_minor=row["total_minor"],
        currency=row["currency"],
        at_us=row["issued_at_us"],
        why=why,
    )


def _award(
    row: asyncpg.Record, why: str, buyers: Mapping[str, str], titles: Mapping[str, str]
) -> Found:
    return Found(
        href=f"/settlement/awards/{row['award_id']}",
        what="Award",
        title=f"Lot {row['lot_id']} {row['title']}",
        sale=titles.get(row["sale_id"], row["sale_id"]),
        party=buyers.get(row["buyer_id"], row["buyer_id"]),
        state=row["state"],
        amount_minor=row["hammer_minor"],
        currency=row["currency"],
        at_us=row["awarded_at_us"],
        why=why,
    )
