"""What weighs on a buyer's limit no more: "fund" for what is paid, "free" for what need not be.

The engine is told of what is paid. The command says how things are: told twice, the engine refuses
the second with a code that is taken for done. It has no event for what was taken back or is void;
that is written down for those who share out limits over sales. Of a runner-up's award neither
knows, and neither is told.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from auction.commands import RecordFunding
from auction.ids import ActorId, BidderId, LotId, SaleId
from auction.ports import Engine
from auction.rejections import Rejection
from foundation.database import AnyConnection, Pool, acquire
from settlement.ids import AwardId
from settlement.operations import Deadline, Operation, Refused, Unknown
from settlement.pickups.deadlines import want_deadlines
from settlement.rows import read_award
from settlement.story import HOUSE_ITSELF, Told, tell

_SEND_AGAIN = frozenset({Rejection.BUSY, Rejection.UNAVAILABLE})


# Notes that a buyer need not pay a lot that it has won, in the caller's transaction.
OwesNoMore: TypeAlias = Callable[[AnyConnection, BidderId, SaleId, LotId, int], Awaitable[None]]


class FreeHandler(Deadline):
    """Has it noted that a lot need not be paid."""

    def __init__(self, owes_no_more: OwesNoMore) -> None:
        self._owes_no_more = owes_no_more

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`."""
        award_id = AwardId(op.subject)
        row = (await read_award(connection, award_id)).awards[award_id]
        if row.generation == 1:
            await self._owes_no_more(connection, row.buyer_id, row.sale_id, row.lot_id, now_us)


class FundHandler:
    """Tells the engine."""

    def __init__(self, pool: Pool, engine: Engine) -> None:
        self._pool, self._engine = pool, engine

    async def call(self, op: Operation) -> None:
        """Have it recorded. Raises `Unknown`, and `Refused` for what the engine denies."""
        award_id = AwardId(op.subject)
        async with acquire(self._pool) as connection:
            row = (await read_award(connection, award_id)).awards[award_id]
        if row.generation > 1:
            return
        verdict = await self._engine.submit(
            RecordFunding(
                sale_id=row.sale_id,
                lot_id=row.lot_id,
                bidder_id=row.buyer_id,
                actor_id=ActorId(HOUSE_ITSELF),
            )
        )
        if verdict.code in _SEND_AGAIN:
            raise Unknown(f"the engine: {verdict.code}")
        if not verdict.accepted and verdict.code is not Rejection.NO_UNPAID_AWARD:
            raise Refused(verdict.code, verdict.message)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`. What the engine denies changes nothing here: the lot is paid."""
        await want_deadlines(connection, AwardId(op.subject), now_us)
        if isinstance(answer, Refused):
            facts = {"code": answer.code, "message": answer.message}
            told = Told(kind="engine_refused", award_id=AwardId(op.subject), facts=facts)
            await tell(connection, [told], now_us)
