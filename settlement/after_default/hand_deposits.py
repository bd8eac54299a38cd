"""Deposits that staff had recorded by hand, of buyers that did not pay: kept, or not, by a person.

A card's deposit is kept by itself. One that came as a cheque or a wire is in a book of the
registration's, and where its money lies only people know: at the bank and in no books yet, or as
the buyer's credit, where it was taken in as a wire. So staff are asked, once for a buyer in a sale,
and what they say is booked. Then the deposit counts no more.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Final, Protocol

import asyncpg
from msgspec import Meta, Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.ids import BidderId, SaleId
from auction.money import format_minor
from auction.terms import STORABLE
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.after_default.fees import DAY_US
from settlement.after_default.words import AfterRefusal, Refused
from settlement.chart import BANK, buyer_credit
from settlement.entries import About
from settlement.ids import InvoiceId
from settlement.ledger import post
from settlement.names import organisation_names
from settlement.payments.tables import free_credit_minor, hold_credit
from settlement.pickups.telling import actor_of
from settlement.postings_house import deposit_forfeited
from settlement.queue import QueueItem, Source, Waiting
from settlement.story import Told, tell

MAX_SHOWN: Final = 500
DECIDED_WITHIN_US: Final = 3 * DAY_US

Why = Annotated[str, Meta(min_length=3, max_length=500, pattern=STORABLE)]


class Recorded(Protocol):
    """What a buyer's deposit for a sale comes to that staff have recorded and not taken back."""

    async def __call__(
        self, connection: AnyConnection, sale_id: SaleId, buyer_id: BidderId
    ) -> int: ...


class EndRecorded(Protocol):
    """It counts no more, in the caller's transaction: staff have decided."""

    async def __call__(
        self,
        connection: AnyConnection,
        sale_id: SaleId,
        buyer_id: BidderId,
        *,
        reason: str,
        by: str,
        now_us: int,
    ) -> None: ...


class Fate(StrEnum):
    """What becomes of it."""

    KEPT_AT_BANK = "KEPT_AT_BANK"  # its money is at the bank, and in no books yet
    KEPT_OF_CREDIT = "KEPT_OF_CREDIT"  # its money is the buyer's credit in the books
    NOT_KEPT = "NOT_KEPT"


class HandDeposit(Struct, frozen=True, kw_only=True):
    """A deposit that staff are asked about, or were. ``fate`` null: nobody has said yet."""

    sale_id: SaleId
    buyer_id: BidderId
    invoice_id: InvoiceId
    currency: str
    amount_minor: int
    fate: Fate | None
    why: str
    asked_at_us: int
    decided_at_us: int | None
    decided_by: str | None
    buyer: str = ""


_ASK: Final = """
insert into hand_deposit (sale_id, buyer_id, invoice_id, currency, amount_minor, asked_at_us)
values ($1, $2, $3, $4, $5, $6) on conflict (sale_id, buyer_id) do nothing
"""
_WAITING: Final = """
select * from hand_deposit where fate is null order by asked_at_us, sale_id, buyer_id limit $1
"""
_HOLD: Final = "select * from hand_deposit where sale_id = $1 and buyer_id = $2 for update"
_DECIDE: Final = """
update hand_deposit set fate = $3, why = $4, decided_at_us = $5, decided_by = $6
where sale_id = $1 and buyer_id = $2
"""


async def recorded_nowhere(connection: AnyConnection, sale_id: SaleId, buyer_id: BidderId) -> int:
    """Where staff record none."""
    return 0


async def ends_nowhere(
    connection: AnyConnection,
    sale_id: SaleId,
    buyer_id: BidderId,
    *,
    reason: str,
    by: str,
    now_us: int,
) -> None:
    """The same."""


async def ask_about(
    connection: AnyConnection,
    recorded: Recorded,
    sale_id: SaleId,
    buyer_id: BidderId,
    invoice_id: InvoiceId,
    currency: str,
    now_us: int,
) -> int:
    """Staff are asked, in the caller's transaction, if there is such a deposit; how much it is."""
    amount_minor = await recorded(connection, sale_id, buyer_id)
    if amount_minor > 0:
        values = (sale_id, buyer_id, invoice_id, currency, amount_minor, now_us)
        await connection.execute(_ASK, *values)
    return amount_minor


class HandDeposits:
    """Reading and deciding. ``end``: takes it out of the registration's book."""

    def __init__(
        self, pool: Pool, now_us: Callable[[], int], end: EndRecorded = ends_nowhere
    ) -> None:
        self._pool, self._now_us, self._end = pool, now_us, end

    async def waiting(self) -> list[HandDeposit]:
        """What nobody has decided, the oldest first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_WAITING, MAX_SHOWN)
            names = await organisation_names(connection, [row["buyer_id"] for row in rows])
        return [_row(row, names.get(row["buyer_id"], row["buyer_id"])) for row in rows]

    async def decide(
        self, staff: Actor, sale_id: SaleId, buyer_id: BidderId, fate: Fate, why: Why
    ) -> HandDeposit:
        """Say what becomes of it, once.

        Raises `Refused`: NOT_FOUND, ANSWERED_OTHERWISE, REASON_NEEDED, and TOO_LITTLE_CREDIT where
        it is to be kept of credit and there is less.
        """
        said, now_us, by = why.strip(), self._now_us(), actor_of(staff)
        if len(said) < 3:
            raise Refused(AfterRefusal.REASON_NEEDED, field="why")
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(_HOLD, sale_id, buyer_id)
            if row is None:
                raise Refused(AfterRefusal.NOT_FOUND)
            asked = _row(row)
            if asked.fate is not None:
                raise Refused(AfterRefusal.ANSWERED_OTHERWISE)
            if fate is Fate.KEPT_OF_CREDIT:
                await _refuse_less(connection, asked)
            await connection.execute(_DECIDE, sale_id, buyer_id, fate, said, now_us, by)
            await self._end(connection, sale_id, buyer_id, reason=said, by=by, now_us=now_us)
            await self._tell(connection, staff, asked, fate, said, now_us)
            source = BANK if fate is Fate.KEPT_AT_BANK else buyer_credit(buyer_id)
            if fate is not Fate.NOT_KEPT:
                about = _about(asked, said, now_us)
                await post(
                    connection, [deposit_forfeited(about, asked.amount_minor, source=source)]
                )
            decided = await connection.fetchrow(_HOLD, sale_id, buyer_id)
        assert decided is not None, "it is held"
        return _row(decided)

    async def _tell(
        self,
        connection: AnyConnection,
        staff: Actor,
        asked: HandDeposit,
        fate: Fate,
        why: str,
        now_us: int,
    ) -> None:
        await record(
            connection,
            Act.DEPOSIT_DECIDED,
            staff,
            now_us,
            organisation_id=OrganisationId(asked.buyer_id),
            object_id=asked.invoice_id,
            sale_id=asked.sale_id,
            fate=fate,
            amount_minor=asked.amount_minor,
            currency=asked.currency,
        )
        facts = {"fate": fate, "amount_minor": asked.amount_minor, "why": why}
        told = Told(
            kind="deposit_decided",
            invoice_id=asked.invoice_id,
            actor=actor_of(staff),
            facts=facts,
        )
        await tell(connection, [told], now_us)


async def _refuse_less(connection: AnyConnection, asked: HandDeposit) -> None:
    """Holds the buyer's credit until the caller's transaction ends."""
    whose = (asked.buyer_id, asked.currency)
    await hold_credit(connection, *whose)
    free_minor = await free_credit_minor(connection, *whose)
    if free_minor < asked.amount_minor:
        said = f"The buyer's free credit is {format_minor(free_minor, asked.currency)}."
        raise Refused(AfterRefusal.TOO_LITTLE_CREDIT, field="fate", detail=said)


def _about(asked: HandDeposit, why: str, now_us: int) -> About:
    return About(
        subject=f"hand-deposit~{asked.sale_id}~{asked.buyer_id}",
        at_us=now_us,
        currency=asked.currency,
        sale_id=asked.sale_id,
        invoice_id=asked.invoice_id,
        buyer_id=asked.buyer_id,
        note=why,
    )


def _row(row: asyncpg.Record, buyer: str = "") -> HandDeposit:
    values = {name: row[name] for name in HandDeposit.__struct_fields__ if name != "buyer"}
    fate = None if row["fate"] is None else Fate(row["fate"])
    return HandDeposit(**(values | {"fate": fate, "buyer": buyer}))


_QUEUED: Final = "from hand_deposit where fate is null and $1::bigint is not null"


def _item(row: asyncpg.Record) -> QueueItem:
    return QueueItem(
        kind=Waiting.DEPOSIT,
        subject=row["invoice_id"],
        title="Deposit of who did not pay",
        words="It was recorded by hand: say where its money is, or that it is not kept.",
        deadline_at_us=row["asked_at_us"] + DECIDED_WITHIN_US,
        party=row["buyer_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        href="/settlement/fees",
    )


HAND_DEPOSITS: Final[Sequence[Source]] = (
    Source(
        kind=Waiting.DEPOSIT,
        items=f"select * {_QUEUED} order by asked_at_us limit $2",
        count=f"select count(*) {_QUEUED}",
        item_of=_item,
    ),
)
