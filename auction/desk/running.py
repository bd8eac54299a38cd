"""What a seller does while its sale goes on. Each of it is a command that the engine judges.

The engine takes commands from whoever the desk lets through: that the sale is this seller's is
asked here, of the log. What the engine refuses keeps the engine's code.
"""

from collections.abc import Callable, Sequence

from auction.commands import (
    AcceptIfBid,
    CancelSale,
    ChangeReserve,
    Command,
    CounterIfBid,
    DeclineIfBid,
    WithdrawalCause,
    WithdrawLot,
)
from auction.desk.live_board import Folds
from auction.desk.messages import SaleMessage, messages_of, say
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.ids import LiquidatorId, LotId, SaleId
from auction.ports import Engine, OutcomeUnknown
from auction.rejections import Rejection
from auction.verdicts import Acceptance, Verdict
from foundation.database import Pool, acquire, transaction


class EngineRefused(Exception):
    """The engine has judged, and refuses."""

    def __init__(self, rejection: Rejection, message: str) -> None:
        super().__init__(rejection.value)
        self.rejection, self.message = rejection, message


class EngineAway(Exception):
    """No verdict: it may have been done, or not. Look before it is asked again."""


class Running:
    """Sales that go on. ``now_us`` is the wall clock."""

    def __init__(self, pool: Pool, engine: Engine, folds: Folds, now_us: Callable[[], int]) -> None:
        self._pool, self._engine, self._folds, self._now_us = pool, engine, folds, now_us

    # Each raises `Refused` NOT_FOUND, `EngineRefused`, `EngineAway`, and ConnectionError when the
    # log does not answer.

    async def set_reserve(
        self, seller: Seller, sale_id: SaleId, lot_id: LotId, reserve_minor: int | None
    ) -> Verdict:
        """Another reserve, or none; after the first bid only a lower one."""
        command = ChangeReserve(
            sale_id=sale_id, lot_id=lot_id, reserve_minor=reserve_minor, actor_id=seller.actor_id
        )
        return await self._asked(seller, sale_id, command)

    async def accept_if_bid(self, seller: Seller, sale_id: SaleId, lot_id: LotId) -> Verdict:
        """Sell to the bound top bidder, though the reserve was not met."""
        command = AcceptIfBid(sale_id=sale_id, lot_id=lot_id, actor_id=seller.actor_id)
        return await self._asked(seller, sale_id, command)

    async def decline_if_bid(self, seller: Seller, sale_id: SaleId, lot_id: LotId) -> Verdict:
        """Let the lot pass."""
        command = DeclineIfBid(sale_id=sale_id, lot_id=lot_id, actor_id=seller.actor_id)
        return await self._asked(seller, sale_id, command)

    async def counter_if_bid(
        self, seller: Seller, sale_id: SaleId, lot_id: LotId, amount_minor: int
    ) -> Verdict:
        """Ask the bound top bidder for more."""
        command = CounterIfBid(
            sale_id=sale_id, lot_id=lot_id, amount_minor=amount_minor, actor_id=seller.actor_id
        )
        return await self._asked(seller, sale_id, command)

    async def withdraw(
        self, seller: Seller, sale_id: SaleId, lot_id: LotId, cause: WithdrawalCause, reason: str
    ) -> Verdict:
        """Take a lot out before it closes."""
        command = WithdrawLot(
            sale_id=sale_id, lot_id=lot_id, cause=cause, reason=reason, actor_id=seller.actor_id
        )
        return await self._asked(seller, sale_id, command)

    async def cancel(
        self, seller: Seller, sale_id: SaleId, cause: WithdrawalCause, reason: str
    ) -> Verdict:
        """Take out every lot that is still to close."""
        command = CancelSale(sale_id=sale_id, cause=cause, reason=reason, actor_id=seller.actor_id)
        return await self._asked(seller, sale_id, command)

    async def say(self, seller: Seller, sale_id: SaleId, message: str) -> SaleMessage:
        """To everybody who watches. Raises `Refused` NOT_FOUND, TOO_MANY, and ConnectionError."""
        await self._must_sell(seller, sale_id)
        async with transaction(self._pool) as connection:
            return await say(connection, sale_id, message, seller.actor_id, self._now_us())

    async def said(self, liquidator_id: LiquidatorId, sale_id: SaleId) -> Sequence[SaleMessage]:
        """What was said, the latest first. Raises `Refused` NOT_FOUND, and ConnectionError."""
        sale = await self._folds.sale(sale_id)
        if sale is None or sale.liquidator_id != liquidator_id:
            raise Refused(Refusal.NOT_FOUND)
        async with acquire(self._pool) as connection:
            return await messages_of(connection, sale_id)

    async def _asked(self, seller: Seller, sale_id: SaleId, command: Command) -> Verdict:
        await self._must_sell(seller, sale_id)
        try:
            verdict = await self._engine.submit(command)
        except OutcomeUnknown as error:
            raise EngineAway from error
        match verdict.code:
            case Acceptance():
                return verdict
            case Rejection.NOT_FOUND:
                raise Refused(Refusal.NOT_FOUND)
            case Rejection.BUSY | Rejection.UNAVAILABLE:
                raise EngineAway
            case rejection:
                raise EngineRefused(rejection, verdict.message)

    async def _must_sell(self, seller: Seller, sale_id: SaleId) -> None:
        sale = await self._folds.sale(sale_id)
        if sale is None or sale.liquidator_id != seller.liquidator_id:
            raise Refused(Refusal.NOT_FOUND)
