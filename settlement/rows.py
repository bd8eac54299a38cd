"""Invoices and awards as they stand in the tables, read or held.

Whoever changes one holds it: the invoice first, then all of its awards in the order of their ids,
so that nobody waits for anybody in a circle. A person, the sweep and an event from Stripe take the
same locks and find the same rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from auction.catalog.goods import Condition, FreightTerms
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from foundation.database import AnyConnection
from settlement.due import Calendar
from settlement.ids import AwardId, ConsignorId, InvoiceId
from settlement.invoices import Award, Invoice
from settlement.lives import AwardState, PaymentState
from settlement.policy import Policy
from settlement.policy_table import holidays_of, policy_of_version

_INVOICES: Final = "select * from invoice where invoice_id = any($1) order by invoice_id"
_HOLD_INVOICES: Final = f"{_INVOICES} for update"
_AWARDS: Final = "select * from award where invoice_id = any($1) order by award_id"
_HOLD_AWARDS: Final = f"{_AWARDS} for update"
_AWARD: Final = "select * from award where award_id = $1"
_HOLD_AWARD: Final = f"{_AWARD} for update"
_INVOICE_OF: Final = "select invoice_id from award where award_id = $1"


class Goods(Struct, frozen=True, kw_only=True):
    """What was sold, as it was published. ``units`` and ``retail_minor``: of the manifest."""

    number: str  # the lot's, as people know it
    title: str
    condition: Condition
    freight_terms: FreightTerms
    pallets: int
    units: int
    retail_minor: int
    weight_g: int | None
    manifest_sha256: str


class InvoiceRow(Struct, frozen=True, kw_only=True):
    """An invoice and where its payment stands."""

    invoice: Invoice
    number: int
    liquidator_id: LiquidatorId
    zone: str
    country: str
    policy_version: int
    issued_at_us: int
    payment: PaymentState
    paid_minor: int
    credited_minor: int
    tries: int
    paid_at_us: int | None
    changed_at_us: int
    version: int
    open_disputes: int = 0

    @property
    def invoice_id(self) -> InvoiceId:
        return self.invoice.invoice_id

    @property
    def standing(self) -> PaymentState:
        """The payment for whoever lets something of it go: disputed while any dispute is open,
        also where the rest of the money is still to come."""
        return PaymentState.DISPUTED if self.open_disputes else self.payment

    @property
    def open_minor(self) -> int:
        """What is still to be paid of it."""
        return max(0, self.invoice.total_minor - self.credited_minor - self.paid_minor)


class AwardRow(Struct, frozen=True, kw_only=True):
    """An award and where it stands. ``invoice_id`` None: not invoiced yet; ``lost_at_us``: when a
    payer's bank took all of its money for good."""

    award: Award
    sale_id: SaleId
    generation: int
    liquidator_id: LiquidatorId
    consignor_id: ConsignorId | None
    invoice_id: InvoiceId | None
    currency: str
    goods: Goods
    state: AwardState
    awarded_at_us: int
    funded_at_us: int | None
    handed_over_at_us: int | None
    accepted_at_us: int | None
    released_at_us: int | None
    paid_out_at_us: int | None
    ended_at_us: int | None
    changed_at_us: int
    version: int
    lost_at_us: int | None = None

    @property
    def award_id(self) -> AwardId:
        return self.award.award_id

    @property
    def lot_id(self) -> LotId:
        return self.award.lot_id

    @property
    def buyer_id(self) -> BidderId:
        return self.award.buyer_id


class Held(Struct, frozen=True):
    """An invoice with its awards; ``invoice`` None: the one award has none yet."""

    invoice: InvoiceRow | None
    awards: Mapping[AwardId, AwardRow]

    @property
    def invoiced(self) -> InvoiceRow:
        """The invoice, where there has to be one."""
        assert self.invoice is not None, "what is paid, handed over or released was invoiced"
        return self.invoice


class NotFound(LookupError):
    """There is no such invoice or award."""


async def hold_invoice(connection: AnyConnection, invoice_id: InvoiceId) -> Held:
    """The invoice and its awards, held until the caller's transaction ends; else `NotFound`."""
    return await _invoice_with_awards(connection, invoice_id, _HOLD_INVOICES, _HOLD_AWARDS)


async def hold_award(connection: AnyConnection, award_id: AwardId) -> Held:
    """The award with its invoice and the others on it, held until the transaction ends."""
    invoice_id = await connection.fetchval(_INVOICE_OF, award_id)
    if invoice_id is not None:
        return await hold_invoice(connection, invoice_id)
    row = await connection.fetchrow(_HOLD_AWARD, award_id)
    if row is None:
        raise NotFound(award_id)
    if row["invoice_id"] is not None:  # invoiced since we looked
        return await hold_invoice(connection, row["invoice_id"])
    return Held(None, {award_id: award_row(row)})


async def read_invoice(connection: AnyConnection, invoice_id: InvoiceId) -> Held:
    """The invoice and its awards as they stand now; else `NotFound`."""
    return await _invoice_with_awards(connection, invoice_id, _INVOICES, _AWARDS)


async def read_award(connection: AnyConnection, award_id: AwardId) -> Held:
    """The award with its invoice and the others on it, as they stand now; else `NotFound`."""
    row = await connection.fetchrow(_AWARD, award_id)
    if row is None:
        raise NotFound(award_id)
    if row["invoice_id"] is not None:
        return await read_invoice(connection, row["invoice_id"])
    return Held(None, {award_id: award_row(row)})


async def calendar_of(connection: AnyConnection, row: InvoiceRow) -> Calendar:
    """By which the days of an invoice are counted."""
    return Calendar(row.zone, await holidays_of(connection, row.country))


async def policy_of(connection: AnyConnection, row: InvoiceRow) -> Policy:
    """By which an invoice was issued, and so all that follows from it: the version that it keeps,
    also where another one was in force by the time that it was issued."""
    currency = row.invoice.currency
    return await policy_of_version(connection, currency, row.policy_version, row.issued_at_us)


def invoice_row(row: asyncpg.Record) -> InvoiceRow:
    """The struct of a row of ``invoice``."""
    return InvoiceRow(
        invoice=msgspec.json.decode(row["body"], type=Invoice),
        payment=PaymentState(row["payment"]),
        **_fields(row, InvoiceRow, without={"invoice", "payment"}),
    )


def award_row(row: asyncpg.Record) -> AwardRow:
    """The struct of a row of ``award``."""
    return AwardRow(
        award=msgspec.json.decode(row["body"], type=Award),
        goods=msgspec.json.decode(row["goods"], type=Goods),
        state=AwardState(row["state"]),
        **_fields(row, AwardRow, without={"award", "goods", "state"}),
    )


def _fields(row: asyncpg.Record, of: type[Struct], without: set[str]) -> dict[str, Any]:
    names: Sequence[str] = of.__struct_fields__
    return {name: row[name] for name in names if name not in without}


async def _invoice_with_awards(
    connection: AnyConnection, invoice_id: InvoiceId, of_invoice: str, of_awards: str
) -> Held:
    row = await connection.fetchrow(of_invoice, [invoice_id])
    if row is None:
        raise NotFound(invoice_id)
    awards = [award_row(each) for each in await connection.fetch(of_awards, [invoice_id])]
    return Held(invoice_row(row), {award.award_id: award for award in awards})
