"""The operation "fund": the engine is told that a lot is paid, so that it weighs on no limit.

The command says how things are: told twice, the engine refuses the second with a code that is taken
for done. Of a runner-up's award the engine knows nothing, and is told nothing.
"""

from auction.commands import RecordFunding
from auction.ids import ActorId
from auction.ports import Engine
from auction.rejections import Rejection
from foundation.database import AnyConnection, Pool, acquire
from settlement.ids import AwardId
from settlement.operations import Operation, Refused, Unknown
from settlement.pickups.deadlines import want_deadlines
from settlement.rows import read_award
from settlement.story import HOUSE_ITSELF, Told, tell

_SEND_AGAIN = frozenset({Rejection.BUSY, Rejection.UNAVAILABLE})


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
