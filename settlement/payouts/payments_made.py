"""What is owed to payees and what they were sent, for people: lists, read alone."""

from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec import Struct
from msgspec.structs import astuple

from foundation.database import Pool, acquire
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.payouts.words import PayableState, PayeeKind, Way

# On a page.
MAX_SHOWN: Final = 500

_OWED: Final = """
select p.payable_id, p.award_id, p.invoice_id, p.sale_id, p.payee_id, p.kind, p.currency,
    p.amount_minor, p.netted_minor, p.sent_minor, p.due_at_us, p.state, p.note, p.made_at_us,
    e.way, a.goods ->> 'number' as lot, a.goods ->> 'title' as title,
    coalesce(o.name, c.name, p.payee_id) as payee_name
from payable p join payee e using (payee_id) join award a using (award_id)
left join organisation o on o.organisation_id = p.payee_id
left join consignor c on c.consignor_id = p.payee_id
where p.state not in ('SENT', 'NETTED') and ($1::text[] is null or p.payee_id = any($1))
    and (p.due_at_us, p.payable_id) > ($3::bigint, $4::text)
order by p.due_at_us, p.payable_id limit $2
"""

# Transfers and items of bank files, as the payee sees them.
_MADE: Final = """
select * from (
    select p.payee_id, p.currency, t.amount_minor, t.sent_at_us as at_us, 'CONNECT' as way,
        t.transfer_id, t.reversed_minor, null::bigint as batch_id, null::integer as place,
        '' as last4, '' as trace, '' as return_code, array[p.award_id] as award_ids,
        t.transfer_id as made_id
    from payout_transfer t join payable p using (payable_id)
    where t.state = 'SENT' and ($1::text[] is null or p.payee_id = any($1))
    union all
    select i.payee_id, b.currency, i.amount_minor, b.released_at_us, 'BANK', null, 0, i.batch_id,
        i.place, n.last4, i.trace, i.return_code, (
            select array_agg(p.award_id order by p.award_id)
            from payout_batch_payable l join payable p using (payable_id)
            where l.batch_id = i.batch_id and l.place = i.place
        ), i.batch_id || '-' || i.place
    from payout_batch_item i join payout_batch b using (batch_id)
    join payee_bank_account n using (bank_account_id)
    where i.state in ('SENT', 'RETURNED') and ($1::text[] is null or i.payee_id = any($1))
) as made where (at_us, made_id) < ($3::bigint, $4::text)
order by at_us desc, made_id desc limit $2
"""


class Owed(Struct, frozen=True, kw_only=True):
    """What is owed to a payee of a lot. ``note``: what keeps it; ``due_at_us``: not sent before."""

    payable_id: str
    award_id: AwardId
    invoice_id: InvoiceId
    sale_id: str
    lot: str
    title: str
    payee_id: str
    payee_name: str
    kind: PayeeKind
    way: Way | None
    currency: str
    amount_minor: int
    netted_minor: int
    sent_minor: int
    due_at_us: int
    state: PayableState
    note: str
    made_at_us: int

    @property
    def left_minor(self) -> int:
        return self.amount_minor - self.netted_minor - self.sent_minor


class Made(Struct, frozen=True, kw_only=True):
    """A payment to a payee: a transfer, of which a part may have been taken back, or an item of a
    bank file, which the bank may have sent back with a code."""

    payee_id: str
    currency: str
    amount_minor: int
    at_us: int
    way: Way
    transfer_id: StripeId | None
    reversed_minor: int
    batch_id: int | None
    place: int | None
    last4: str
    trace: str
    return_code: str
    award_ids: Sequence[AwardId]


class OwedKey(Struct, frozen=True):
    """The place of what is owed in the list of it."""

    due_at_us: int
    payable_id: str


class MadeKey(Struct, frozen=True):
    """The place of a payment in the list of them."""

    at_us: int
    made_id: str


class PaymentsMade:
    """Lists for staff (``payee_ids`` None: all) and for payees."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def owed(self, payee_ids: Sequence[str] | None = None) -> Sequence[Owed]:
        """What is not sent yet, the longest due first."""
        return (await self._owed(OwedKey(-1, ""), MAX_SHOWN, payee_ids)).items

    async def made(self, payee_ids: Sequence[str] | None = None) -> Sequence[Made]:
        """What was sent, the latest first."""
        return (await self._made(MadeKey(2**62, ""), MAX_SHOWN, payee_ids)).items

    async def page_owed(
        self, paging: Paging, payee_ids: Sequence[str] | None = None
    ) -> Listing[Owed]:
        """`owed`, page by page. Raises `Problem` 422 for a foreign cursor."""
        key = key_of_cursor(paging.cursor, OwedKey) or OwedKey(-1, "")
        return await self._owed(key, paging.limit, payee_ids)

    async def page_made(
        self, paging: Paging, payee_ids: Sequence[str] | None = None
    ) -> Listing[Made]:
        """`made`, page by page. Raises `Problem` 422 for a foreign cursor."""
        key = key_of_cursor(paging.cursor, MadeKey) or MadeKey(2**62, "")
        return await self._made(key, paging.limit, payee_ids)

    async def _owed(
        self, after: OwedKey, limit: int, payee_ids: Sequence[str] | None
    ) -> Listing[Owed]:
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_OWED, payee_ids, limit + 1, *astuple(after))
        return listing(
            rows, limit, _owed_row, lambda row: OwedKey(row["due_at_us"], row["payable_id"])
        )

    async def _made(
        self, before: MadeKey, limit: int, payee_ids: Sequence[str] | None
    ) -> Listing[Made]:
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_MADE, payee_ids, limit + 1, *astuple(before))
        return listing(rows, limit, _made_row, lambda row: MadeKey(row["at_us"], row["made_id"]))


def _owed_row(row: asyncpg.Record) -> Owed:
    kind, state = PayeeKind(row["kind"]), PayableState(row["state"])
    way = Way(row["way"]) if row["way"] else None
    return Owed(**{**row, "kind": kind, "state": state, "way": way})


def _made_row(row: asyncpg.Record) -> Made:
    fields = {name: row[name] for name in Made.__struct_fields__}
    return Made(**(fields | {"way": Way(row["way"])}))
