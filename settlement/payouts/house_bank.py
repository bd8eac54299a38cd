"""As whom the house sends files to its bank: what the bank has told it, by currency."""

from collections.abc import Callable
from typing import Annotated, Final

import asyncpg
from msgspec import Meta, Struct

from accounts.audit import Act, Actor, record
from foundation.database import AnyConnection, Pool, acquire, transaction
from settlement.payouts.bank_numbers import plain, routing_fault
from settlement.payouts.nacha import Originator
from settlement.payouts.words import PayoutRefusal, PayoutRefused

# Every bank takes these in an ACH file.
_FILE_WORD: Final = r"^[A-Za-z0-9 .,&'/\-]+$"

_READ: Final = "select * from house_bank where currency = $1"
_WRITE: Final = """
insert into house_bank (currency, bank_name, destination, origin, company_name, company_id,
    changed_at_us, changed_by)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (currency) do update set bank_name = excluded.bank_name,
    destination = excluded.destination, origin = excluded.origin,
    company_name = excluded.company_name, company_id = excluded.company_id,
    changed_at_us = excluded.changed_at_us, changed_by = excluded.changed_by,
    version = house_bank.version + 1
"""


class HouseBankWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody enters. ``destination``: the bank's routing number; ``origin`` and
    ``company_id``: what the bank gave the house, often its tax number with a 1 before it."""

    bank_name: Annotated[str, Meta(min_length=1, max_length=23, pattern=_FILE_WORD)]
    destination: Annotated[str, Meta(max_length=20)]
    origin: Annotated[str, Meta(min_length=9, max_length=10, pattern="^[A-Za-z0-9]+$")]
    company_name: Annotated[str, Meta(min_length=1, max_length=16, pattern=_FILE_WORD)]
    company_id: Annotated[str, Meta(min_length=9, max_length=10, pattern="^[A-Za-z0-9]+$")]


class HouseBank:
    """What staff say about it."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def read(self, currency: str) -> Originator | None:
        """What is set; ``None``: nothing yet."""
        async with acquire(self._pool) as connection:
            row = await connection.fetchrow(_READ, currency)
        return None if row is None else _originator(row)

    async def set(self, staff: Actor, currency: str, words: HouseBankWords) -> Originator:
        """Files are made so from now on. Raises `PayoutRefused` BAD_DETAILS."""
        now_us, destination = self._now_us(), plain(words.destination)
        fault = routing_fault(destination)
        if currency != "USD":
            fault = "ACH files are in dollars; wires of other currencies need nothing here"
        if fault is not None:
            detail = f"{fault[0].upper()}{fault[1:]}."
            raise PayoutRefused(PayoutRefusal.BAD_DETAILS, field="destination", detail=detail)
        async with transaction(self._pool) as connection:
            await connection.execute(
                _WRITE,
                currency,
                words.bank_name,
                destination,
                words.origin,
                words.company_name,
                words.company_id,
                now_us,
                staff.person_id,
            )
            await record(connection, Act.HOUSE_BANK_SET, staff, now_us, object_id=currency)
            row = await connection.fetchrow(_READ, currency)
        assert row is not None, "it was written just now"
        return _originator(row)


async def hold_house_bank(connection: AnyConnection, currency: str) -> Originator:
    """What is set, held: numbers of entries rise under it. Raises `PayoutRefused` NO_HOUSE_BANK."""
    row = await connection.fetchrow(f"{_READ} for update", currency)
    if row is None:
        raise PayoutRefused(PayoutRefusal.NO_HOUSE_BANK)
    return _originator(row)


def _originator(row: asyncpg.Record) -> Originator:
    return Originator(**{name: row[name] for name in Originator.__struct_fields__})
