"""Goods that were paid and nobody fetched: what becomes of them, a person decides.

The buyer was told by mail when the policy's days were over (`deadlines`). From then on the lot is
in the queue, until the buyer comes or somebody says what was done. Its money has gone on meanwhile,
as goods that are not collected count as accepted; what storage has cost stays charged.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.ids import BidderId
from auction.terms import STORABLE
from foundation.database import Pool, acquire, transaction
from settlement.ids import AwardId
from settlement.names import organisation_names
from settlement.operations import HOUR_US
from settlement.pickups.pickup_table import hold_awards
from settlement.pickups.telling import actor_of
from settlement.pickups.words import PickupRefusal, Refused
from settlement.queue import QueueItem, Source, Waiting
from settlement.story import Told, tell

DAY_US: Final = 24 * HOUR_US
MAX_SHOWN: Final = 500
# After the notice: the buyer may still come.
DECIDED_WITHIN_US: Final = 7 * DAY_US
# So much more time a buyer gets that asks for it, before staff are asked again.
WAITS_US: Final = 7 * DAY_US

Why = Annotated[str, Meta(min_length=3, max_length=500, pattern=STORABLE)]


class GoodsFate(StrEnum):
    """What was done with goods that nobody fetched."""

    WAITS = "WAITS"  # the buyer has asked for some more days
    RESOLD = "RESOLD"
    DISPOSED = "DISPOSED"


class Abandoned(Struct, frozen=True, kw_only=True):
    """A lot that nobody fetched, as of its notice. ``why``: of the last decision, if there was
    one."""

    award_id: AwardId
    buyer_id: BidderId
    buyer: str
    lot: str
    title: str
    currency: str
    pallets: int
    storage_minor: int
    noticed_at_us: int
    fate: GoodsFate | None
    why: str


_FROM: Final = """
from abandonment join award using (award_id)
where handed_over_at_us is null and award.state not in ('CANCELLED', 'VOID')
and (fate is null or fate = 'WAITS' and look_at_us <= $1::bigint)
"""
_LIST: Final = f"""
select award_id, buyer_id, goods ->> 'number' as lot, goods ->> 'title' as title, currency,
    abandonment.pallets, storage_minor, noticed_at_us, fate, why
{_FROM} order by noticed_at_us, award_id limit $2
"""
_HOLD: Final = """
select fate, look_at_us, handed_over_at_us from abandonment join award using (award_id)
where award_id = $1 for update of abandonment
"""
_DECIDE: Final = """
update abandonment set fate = $2, why = $3, decided_at_us = $4, decided_by = $5, look_at_us = $6
where award_id = $1
"""


class AbandonedGoods:
    """What staff do about goods that nobody fetched."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def waiting(self) -> list[Abandoned]:
        """What somebody has to decide, the longest told first."""
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_LIST, self._now_us(), MAX_SHOWN)
            names = await organisation_names(connection, [row["buyer_id"] for row in rows])
        return [
            Abandoned(
                **{
                    **dict(row),
                    "fate": None if row["fate"] is None else GoodsFate(row["fate"]),
                    "buyer": names.get(row["buyer_id"], row["buyer_id"]),
                }
            )
            for row in rows
        ]

    async def decide(self, staff: Actor, award_id: AwardId, fate: GoodsFate, why: Why) -> None:
        """Say what was done. Raises `Refused`: NOT_FOUND, WHY_NEEDED, NOT_NOW where the goods have
        left, or something was done with them already."""
        said, now_us, by = why.strip(), self._now_us(), actor_of(staff)
        if len(said) < 3:
            raise Refused(PickupRefusal.WHY_NEEDED, field="why")
        async with transaction(self._pool) as connection:
            awards = await hold_awards(connection, [award_id])
            row = await connection.fetchrow(_HOLD, award_id)
            if row is None:
                raise Refused(PickupRefusal.NOT_FOUND)
            over = row["fate"] in (GoodsFate.RESOLD, GoodsFate.DISPOSED)
            if over or row["handed_over_at_us"] is not None:
                raise Refused(PickupRefusal.NOT_NOW)
            look_at_us = now_us + WAITS_US if fate is GoodsFate.WAITS else None
            await connection.execute(_DECIDE, award_id, fate, said, now_us, by, look_at_us)
            await record(
                connection,
                Act.ABANDONED_GOODS_DECIDED,
                staff,
                now_us,
                organisation_id=OrganisationId(awards[award_id].buyer_id),
                object_id=award_id,
                fate=fate,
                reason=said,
            )
            facts = {"fate": fate, "why": said}
            told = Told(kind="abandoned_decided", award_id=award_id, actor=by, facts=facts)
            await tell(connection, [told], now_us)


def _item(row: Any) -> QueueItem:
    return QueueItem(
        kind=Waiting.ABANDONED,
        subject=row["award_id"],
        title=f"Lot {row['lot']} was not fetched",
        words=f"{row['pallets']} pallets stand on the dock, and the buyer was told.",
        deadline_at_us=row["noticed_at_us"] + DECIDED_WITHIN_US,
        party=row["buyer_id"],
        amount_minor=row["storage_minor"],
        currency=row["currency"],
        href="/settlement/abandoned",
    )


ABANDONED: Final[Sequence[Source]] = (
    Source(
        kind=Waiting.ABANDONED,
        items=_LIST,
        count=f"select count(*) {_FROM}",
        item_of=_item,
    ),
)
