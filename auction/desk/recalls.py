"""Recalls: every lot that holds an article, in stock, in a sale, and sold; and out of the sales.

What is still open is withdrawn at once, also after bids and without reserve (rules: withdrawal). Of
what is sold the buyers are listed, for whoever has to tell them.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import asyncpg
import msgspec
from msgspec import Meta, Struct

from accounts.clock import wall_clock
from accounts.ids import new_id
from auction.catalog.goods import is_gtin
from auction.commands import Reason, WithdrawalCause, WithdrawLot
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from auction.ports import Engine, OutcomeUnknown
from auction.rejections import MEANINGS, Rejection
from auction.sale import LotStatus
from auction.terms import STORABLE
from foundation.database import Pool, acquire, transaction

# Articles of one recall; a manufacturer's notice names some dozens.
MAX_NAMED: Final = 500
# Listed, the latest first.
MOST_PAST: Final = 100

Named = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=80, pattern=STORABLE)], ...],
    Meta(max_length=MAX_NAMED),
]


class Recall(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is recalled: a line of a manifest that fits any of these is meant.

    ``gtins`` with all their digits or without leading zeros; ``brands`` in any case of letters.
    """

    gtins: Named = ()
    lpns: Named = ()
    brands: Named = ()


class RecalledLot(Struct, frozen=True, kw_only=True):
    """A lot that holds what is recalled: ``units`` pieces on ``lines`` of its manifest.

    ``draft_id``: it is in stock or in the draft of a sale; else ``sale_id`` and ``lot_id``. All
    three: its sale is just being published. ``buyers``: who won it, once the sale has closed, so
    that nobody learns by it who a paddle is. ``status``: None for what bidders do not see yet.
    """

    draft_id: str | None
    sale_id: SaleId | None
    lot_id: LotId | None
    title: str
    status: LotStatus | None
    lines: tuple[int, ...]
    units: int
    buyers: tuple[BidderId, ...]

    @property
    def is_open(self) -> bool:
        """Whether it has to be withdrawn."""
        return self.status is LotStatus.LIVE or (self.status is None and self.sale_id is not None)


class Withdrawn(Struct, frozen=True, kw_only=True):
    """What became of an open lot: ACCEPTED, or the code of the engine's refusal."""

    sale_id: SaleId
    lot_id: LotId
    code: str
    message: str


class PastRecall(Struct, frozen=True, kw_only=True):
    """What was recalled, and what became of each lot that was open then."""

    recall_id: str
    named: Recall
    withdrawn: tuple[Withdrawn, ...]
    reason: str
    made_at_us: int


_KEEP: Final = """
insert into recall (recall_id, liquidator_id, named, withdrawn, reason, made_at_us, made_by)
values ($1, $2, $3::jsonb, $4::jsonb, $5, $6, $7)
"""

_PAST: Final = """
select recall_id, named, withdrawn, reason, made_at_us from recall
where liquidator_id = $1 order by made_at_us desc, recall_id limit $2
"""

# Published lots hold it in the catalogue, which is frozen; their drafts are passed over.
_HOLDS: Final = """
(m.gtin <> '' and ltrim(m.gtin, '0') = any($2)) or (m.lpn <> '' and m.lpn = any($3))
or lower(m.brand) = any($4)
"""

_PUBLISHED: Final = f"""
select m.sale_id, m.lot_id, l.title, b.status, array_agg(m.line order by m.line) as lines,
    sum(m.quantity)::bigint as units,
    case when o.closed_at_us is null then '{{}}' else coalesce(r.winner_ids, '{{}}') end as buyers
from manifest_line m
join lot_listing l using (sale_id, lot_id)
join sale_listing s using (sale_id)
join lot_board b using (sale_id, lot_id)
left join lot_result r using (sale_id, lot_id)
left join sale_result o using (sale_id)
where s.liquidator_id = $1 and ({_HOLDS})
group by m.sale_id, m.lot_id, l.title, b.status, r.winner_ids, o.closed_at_us, l.place
order by m.sale_id, l.place
"""  # noqa: S608 - the condition above

# Also what is being published, and what the board has not heard of yet: a recall overlooks nothing.
_DRAFTED: Final = f"""
select d.draft_id, d.draft ->> 'title' as title, array_agg(m.line order by m.line) as lines,
    sum(m.quantity)::bigint as units, case when s.state <> 'DRAFT' then d.sale_id end as sale_id,
    case when s.state <> 'DRAFT' then d.number end as number
from lot_draft_line m
join lot_draft d using (draft_id)
left join sale_draft s on s.sale_id = d.sale_id
where d.liquidator_id = $1 and d.removed_at_us is null
and not exists (select from lot_board b where b.sale_id = d.sale_id and b.lot_id = d.number)
and ({_HOLDS})
group by d.draft_id, s.state
order by d.draft_id
"""  # noqa: S608


class Recalls:
    """Finds and withdraws. ``now_us`` is the wall clock."""

    def __init__(self, pool: Pool, engine: Engine, now_us: Callable[[], int] = wall_clock) -> None:
        self._pool, self._engine, self._now_us = pool, engine, now_us

    async def find(self, liquidator_id: LiquidatorId, recall: Recall) -> list[RecalledLot]:
        """Every lot of the liquidator that holds it, published ones first.

        Raises `Refused` NOTHING_NAMED, BAD_GTIN.
        """
        wanted = (liquidator_id, *_wanted(recall))
        async with acquire(self._pool) as connection:
            # In this order: what comes onto the board in between is found twice, not overlooked.
            drafted = await connection.fetch(_DRAFTED, *wanted)
            published = await connection.fetch(_PUBLISHED, *wanted)
        listed = {(row["sale_id"], row["lot_id"]) for row in published}
        new = (row for row in drafted if (row["sale_id"], row["number"]) not in listed)
        return [*map(_published, published), *map(_drafted, new)]

    async def withdraw(self, seller: Seller, recall: Recall, reason: str) -> Sequence[Withdrawn]:
        """Take every open lot that holds it out of its sale; what became of each.

        To be sent again for those that were not withdrawn. Raises as ``find``.
        """
        found = await self.find(seller.liquidator_id, recall)
        withdrawn = [
            await self._withdrawn(seller, lot.sale_id, lot.lot_id, reason)
            for lot in found
            if lot.is_open and lot.sale_id is not None and lot.lot_id is not None
        ]
        await self._keep(seller, recall, withdrawn, reason)
        return withdrawn

    async def past(self, liquidator_id: LiquidatorId) -> Sequence[PastRecall]:
        """What was recalled before, the latest first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_PAST, liquidator_id, MOST_PAST)
        return [_past(row) for row in rows]

    async def _keep(
        self, seller: Seller, recall: Recall, withdrawn: Sequence[Withdrawn], reason: Reason
    ) -> None:
        """Behind the withdrawals: a crash in between leaves lots withdrawn, as it has to be."""
        texts = [msgspec.json.encode(value).decode() for value in (recall, withdrawn)]
        async with transaction(self._pool) as connection:
            await connection.execute(
                _KEEP,
                new_id("recall"),
                seller.liquidator_id,
                *texts,
                reason,
                self._now_us(),
                seller.actor_id,
            )

    async def _withdrawn(
        self, seller: Seller, sale_id: SaleId, lot_id: LotId, reason: Reason
    ) -> Withdrawn:
        command = WithdrawLot(
            sale_id=sale_id,
            lot_id=lot_id,
            cause=WithdrawalCause.RECALL,
            reason=reason,
            actor_id=seller.actor_id,
        )
        try:
            verdict = await self._engine.submit(command)
        except OutcomeUnknown:  # the others are not to wait for it; it is listed as not withdrawn
            away = Rejection.UNAVAILABLE
            return Withdrawn(
                sale_id=sale_id, lot_id=lot_id, code=away.value, message=MEANINGS[away]
            )
        return Withdrawn(
            sale_id=sale_id, lot_id=lot_id, code=verdict.code.value, message=verdict.message
        )


def _wanted(recall: Recall) -> tuple[list[str], list[str], list[str]]:
    if not (recall.gtins or recall.lpns or recall.brands):
        raise Refused(Refusal.NOTHING_NAMED)
    for gtin in recall.gtins:
        # Leading zeros may be lost; with them it has 8, 12, 13 or 14 digits.
        if not any(is_gtin(gtin.zfill(length)) for length in (8, 12, 13, 14)):
            raise Refused(Refusal.BAD_GTIN, field="gtins", detail=f"{gtin} is no GTIN.")
    return (
        [gtin.lstrip("0") for gtin in recall.gtins],
        list(recall.lpns),
        [brand.strip().lower() for brand in recall.brands],
    )


def _published(row: asyncpg.Record) -> RecalledLot:
    return RecalledLot(
        draft_id=None,
        sale_id=row["sale_id"],
        lot_id=row["lot_id"],
        title=row["title"],
        status=LotStatus(row["status"]),
        lines=tuple(row["lines"]),
        units=row["units"],
        buyers=tuple(row["buyers"]),
    )


def _drafted(row: asyncpg.Record) -> RecalledLot:
    return RecalledLot(
        draft_id=row["draft_id"],
        sale_id=row["sale_id"],
        lot_id=row["number"],
        title=row["title"] or "",
        status=None,
        lines=tuple(row["lines"]),
        units=row["units"],
        buyers=(),
    )


def _past(row: asyncpg.Record) -> PastRecall:
    return PastRecall(
        recall_id=row["recall_id"],
        named=msgspec.json.decode(row["named"], type=Recall),
        withdrawn=msgspec.json.decode(row["withdrawn"], type=tuple[Withdrawn, ...]),
        reason=row["reason"],
        made_at_us=row["made_at_us"],
    )
