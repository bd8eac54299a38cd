"""Lists of invoices and awards: a buyer's, a liquidator's, or all that are still to be paid."""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from auction.ids import SaleId
from foundation.database import Pool, acquire
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.ids import AwardId, InvoiceId
from settlement.lives import PAYMENT_LIFE, AwardState, PaymentState
from settlement.names import NamedSale, organisation_names, sale_names


class ListedInvoice(Struct, frozen=True, kw_only=True):
    """An invoice in a list. ``open_minor``: what is still to be paid of it."""

    invoice_id: InvoiceId
    number: int
    sale_id: SaleId
    sale_title: str
    zone: str
    buyer_id: str
    buyer: str
    payment: PaymentState
    currency: str
    total_minor: int
    open_minor: int
    lots: int
    issued_at_us: int
    due_at_us: int
    paid_at_us: int | None


class ListedAward(Struct, frozen=True, kw_only=True):
    """An award in a list of its buyer or its seller."""

    award_id: AwardId
    invoice_id: InvoiceId | None
    sale_id: SaleId
    sale_title: str
    lot_id: str
    title: str
    state: AwardState
    currency: str
    hammer_minor: int
    awarded_at_us: int


class IssuedKey(Struct, frozen=True):
    """The place of an invoice in a list: the latest first."""

    issued_at_us: int
    invoice_id: str


class DueKey(Struct, frozen=True):
    """The place of an invoice among those that are to be paid: the earliest due first."""

    due_at_us: int
    invoice_id: str


class AwardedKey(Struct, frozen=True):
    """The place of an award in a list: the latest first."""

    awarded_at_us: int
    award_id: str


_OF_BUYER: Final = """
select invoice_id, number, sale_id, zone, buyer_id, payment, currency, total_minor, credited_minor,
paid_minor, jsonb_array_length(body->'lines') as lots, issued_at_us, due_at_us, paid_at_us
from invoice where buyer_id = $1
and (issued_at_us, invoice_id) < ($2::bigint, $3::text)
order by issued_at_us desc, invoice_id desc limit $4
"""

_OPEN: Final = """
select invoice_id, number, sale_id, zone, buyer_id, payment, currency, total_minor, credited_minor,
paid_minor, jsonb_array_length(body->'lines') as lots, issued_at_us, due_at_us, paid_at_us
from invoice where payment not in ('PAID', 'DEFAULTED', 'REFUNDED')
and (due_at_us, invoice_id) > ($1::bigint, $2::text)
and ($3::text is null or payment = $3)
order by due_at_us, invoice_id limit $4
"""

_AWARDS: Final = """
select award_id, invoice_id, sale_id, lot_id, goods->>'title' as title, state, currency,
    hammer_minor, awarded_at_us
from award where {party} = $1 and (awarded_at_us, award_id) < ($2::bigint, $3::text)
order by awarded_at_us desc, award_id desc limit $4
"""

_LATEST: Final = IssuedKey(2**62, "")


class InvoiceLists:
    """Reads lists. Every one takes a `Paging`, and raises `Problem` 422 for a foreign cursor."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_buyer(self, buyer_id: str, paging: Paging) -> Listing[ListedInvoice]:
        """A buyer's, the latest first."""
        after = key_of_cursor(paging.cursor, IssuedKey) or _LATEST
        async with acquire(self._pool) as connection:
            values = (buyer_id, after.issued_at_us, after.invoice_id, paging.limit + 1)
            rows = await connection.fetch(_OF_BUYER, *values)
            buyers = await organisation_names(connection, (row["buyer_id"] for row in rows))
            sales = await sale_names(connection, (row["sale_id"] for row in rows))
        return listing(
            rows,
            paging.limit,
            lambda row: _listed(row, buyers, sales),
            lambda row: IssuedKey(row["issued_at_us"], row["invoice_id"]),
        )

    async def open(self, paging: Paging, state: PaymentState | None) -> Listing[ListedInvoice]:
        """All that are still to be paid, the earliest due first."""
        after = key_of_cursor(paging.cursor, DueKey) or DueKey(-1, "")
        if state is not None and PAYMENT_LIFE.is_over(state):
            return Listing(items=[], next_cursor=None)
        async with acquire(self._pool) as connection:
            values = (after.due_at_us, after.invoice_id, state, paging.limit + 1)
            rows = await connection.fetch(_OPEN, *values)
            buyers = await organisation_names(connection, (row["buyer_id"] for row in rows))
            sales = await sale_names(connection, (row["sale_id"] for row in rows))
        return listing(
            rows,
            paging.limit,
            lambda row: _listed(row, buyers, sales),
            lambda row: DueKey(row["due_at_us"], row["invoice_id"]),
        )

    async def awards_of(self, party: str, party_id: str, paging: Paging) -> Listing[ListedAward]:
        """``party``: buyer_id, liquidator_id or consignor_id."""
        assert party in {"buyer_id", "liquidator_id", "consignor_id"}
        after = key_of_cursor(paging.cursor, AwardedKey) or AwardedKey(2**62, "")
        async with acquire(self._pool) as connection:
            statement = _AWARDS.format(party=party)
            values = (party_id, after.awarded_at_us, after.award_id, paging.limit + 1)
            rows = await connection.fetch(statement, *values)
            sales = await sale_names(connection, (row["sale_id"] for row in rows))
        return listing(
            rows,
            paging.limit,
            lambda row: _listed_award(row, sales),
            lambda row: AwardedKey(row["awarded_at_us"], row["award_id"]),
        )


def _listed(
    row: asyncpg.Record, buyers: Mapping[str, str], sales: Mapping[str, NamedSale]
) -> ListedInvoice:
    sale = sales.get(row["sale_id"])
    return ListedInvoice(
        invoice_id=row["invoice_id"],
        number=row["number"],
        sale_id=row["sale_id"],
        sale_title=row["sale_id"] if sale is None else sale.title,
        zone=row["zone"],
        buyer_id=row["buyer_id"],
        buyer=buyers.get(row["buyer_id"], row["buyer_id"]),
        payment=PaymentState(row["payment"]),
        currency=row["currency"],
        total_minor=row["total_minor"],
        open_minor=max(0, row["total_minor"] - row["credited_minor"] - row["paid_minor"]),
        lots=row["lots"],
        issued_at_us=row["issued_at_us"],
        due_at_us=row["due_at_us"],
        paid_at_us=row["paid_at_us"],
    )


def _listed_award(row: asyncpg.Record, sales: Mapping[str, NamedSale]) -> ListedAward:
    sale = sales.get(row["sale_id"])
    fields: dict[str, object] = dict(row)
    fields["state"] = AwardState(row["state"])
    fields["sale_title"] = row["sale_id"] if sale is None else sale.title
    return ListedAward(**fields)  # type: ignore[arg-type]


def sums_to_pay(invoices: Sequence[ListedInvoice]) -> list[tuple[str, int]]:
    """By currency, what is open of these."""
    sums: dict[str, int] = {}
    for invoice in invoices:
        if not PAYMENT_LIFE.is_over(invoice.payment):
            sums[invoice.currency] = sums.get(invoice.currency, 0) + invoice.open_minor
    return sorted(sums.items())
