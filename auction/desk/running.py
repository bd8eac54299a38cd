"""What a seller does while its sale goes on. Each of it is a command that the engine judges.

The engine takes commands from whoever the desk lets through: that the sale is this seller's is
asked here, of the log. What the engine refuses keeps the engine's code.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from auction.commands import (
    MAX_BIDDERS_PER_COMMAND,
    AcceptIfBid,
    AdmitBidders,
    CancelSale,
    ChangeReserve,
    Command,
    CounterIfBid,
    DeclineIfBid,
    DismissBidders,
    LotTimes,
    MoveLots,
    PauseSale,
    ResumeSale,
    WithdrawalCause,
    WithdrawLot,
)
from auction.desk.live_board import Folds
from auction.desk.messages import SaleMessage, messages_of, say
from auction.desk.refusals import Refusal, Refused
from auction.desk.seller import Seller
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from auction.ports import Engine, OutcomeUnknown
from auction.rejections import Rejection
from auction.sale import Sale
from auction.terms import SaleAudience
from auction.verdicts import Acceptance, Verdict
from foundation.database import Pool, acquire, transaction


class Admissions(Struct, frozen=True, kw_only=True):
    """Who may enter a sale: everybody where it is PUBLIC, else these, by id."""

    audience: SaleAudience
    bidder_ids: tuple[BidderId, ...]


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

    async def pause(self, seller: Seller, sale_id: SaleId, reason: str) -> Verdict:
        """No bids and no ends until it is resumed."""
        command = PauseSale(sale_id=sale_id, reason=reason, actor_id=seller.actor_id)
        return await self._asked(seller, sale_id, command)

    async def resume(self, seller: Seller, sale_id: SaleId) -> Verdict:
        """Go on; ends move, so that nobody loses time to bid."""
        return await self._asked(
            seller, sale_id, ResumeSale(sale_id=sale_id, actor_id=seller.actor_id)
        )

    async def move_ends(
        self, seller: Seller, sale_id: SaleId, ends_us: Mapping[LotId, int]
    ) -> Verdict:
        """Later ends for lots that have not opened, all or none; at most
        ``MAX_LOTS_PER_COMMAND``. Also raises `Refused` BAD_TIME for an earlier one."""
        sale = await self._must_sell(seller, sale_id)
        times: list[LotTimes] = []
        for lot_id, end_us in ends_us.items():
            lot = sale.lots.get(lot_id)
            if lot is None:
                raise Refused(Refusal.NOT_FOUND)
            if end_us < lot.closes_at_us:
                detail = f"Lot {lot_id} would end earlier than bidders were told."
                raise Refused(Refusal.BAD_TIME, detail=detail)
            times.append(LotTimes(lot_id, lot.opens_at_us, end_us))
        command = MoveLots(sale_id=sale_id, times=tuple(times), actor_id=seller.actor_id)
        return await self._asked(seller, sale_id, command)

    async def admissions(self, liquidator_id: LiquidatorId, sale_id: SaleId) -> Admissions:
        """Who may enter now. Raises `Refused` NOT_FOUND, and ConnectionError."""
        sale = await self._folds.sale(sale_id)
        if sale is None or sale.liquidator_id != liquidator_id:
            raise Refused(Refusal.NOT_FOUND)
        return Admissions(audience=sale.audience, bidder_ids=tuple(sorted(sale.admitted)))

    async def admit(self, seller: Seller, sale_id: SaleId, bidder_ids: Sequence[BidderId]) -> None:
        """Let them in at once; who is in already stays in."""
        for some in _chunks(bidder_ids):
            command = AdmitBidders(sale_id=sale_id, bidder_ids=some, actor_id=seller.actor_id)
            await self._asked(seller, sale_id, command)

    async def dismiss(
        self, seller: Seller, sale_id: SaleId, bidder_ids: Sequence[BidderId]
    ) -> None:
        """They may not enter any more. Their bids that stand, stand."""
        for some in _chunks(bidder_ids):
            command = DismissBidders(sale_id=sale_id, bidder_ids=some, actor_id=seller.actor_id)
            await self._asked(seller, sale_id, command)

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

    async def _must_sell(self, seller: Seller, sale_id: SaleId) -> Sale:
        sale = await self._folds.sale(sale_id)
        if sale is None or sale.liquidator_id != seller.liquidator_id:
            raise Refused(Refusal.NOT_FOUND)
        return sale


def _chunks(bidder_ids: Sequence[BidderId]) -> Iterator[tuple[BidderId, ...]]:
    for first in range(0, len(bidder_ids), MAX_BIDDERS_PER_COMMAND):
        yield tuple(bidder_ids[first : first + MAX_BIDDERS_PER_COMMAND])
