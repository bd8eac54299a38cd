"""A sale that goes on, over HTTP: its board with its seller's eyes, and what the seller may do."""

from collections.abc import Sequence
from functools import wraps
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import word_of
from auction.commands import MAX_LOTS_PER_COMMAND, Reason, WithdrawalCause
from auction.desk.access import RUN, VIEW, sale_of, seller_of, visible
from auction.desk.api_common import row
from auction.desk.live_board import LiveBoards, LiveSale
from auction.desk.messages import MessageText, SaleMessage
from auction.desk.refusals import Refusal
from auction.desk.running import EngineAway, EngineRefused, Running
from auction.desk.seller import Seller
from auction.ids import ALotId, LiquidatorId, LotId, SaleId
from auction.money import PositiveMinor
from auction.pricing import ReserveStatus
from auction.rejections import MEANINGS, Rejection
from auction.sale import LotStatus
from auction.terms import Instant
from auction.verdicts import Verdict
from foundation.http.answers import answer
from foundation.http.problems import INVALID, NOT_FOUND, UNAVAILABLE, ProblemKind
from foundation.http.reading import Input, body_of
from foundation.http.routes import Handler, Route

# The kit wants one title for a code in the whole house; resellers are told of a closed sale too.
_SALE_CLOSED: Final = "Every lot of this sale has ended."
KINDS: Final = {
    rejection: INVALID
    if rejection is Rejection.INVALID
    else ProblemKind(
        rejection.value,
        409,
        _SALE_CLOSED if rejection is Rejection.SALE_CLOSED else MEANINGS[rejection],
    )
    for rejection in (
        Rejection.INVALID,
        Rejection.SALE_PAUSED,
        Rejection.SALE_NOT_PAUSED,
        Rejection.BIDDING_BEGUN,
        Rejection.LOT_CLOSED,
        Rejection.LOT_WITHDRAWN,
        Rejection.SALE_CLOSED,
        Rejection.SALE_CANCELLED,
        Rejection.RESERVE_NOT_LOWERED,
        Rejection.WITHDRAWAL_NOT_ALLOWED,
        Rejection.NO_IF_BID,
        Rejection.COUNTER_NOT_ABOVE_BID,
    )
}


class NewReserve(Input):
    """The reserve of a lot from now on; null: none."""

    reserve_minor: PositiveMinor | None


class Counter(Input):
    """What the bound top bidder is asked for."""

    amount_minor: PositiveMinor


class Withdrawal(Input):
    """Why goods are taken out; all but SELLER also without reserve and after bids."""

    cause: WithdrawalCause
    reason: Reason


class Pause(Input):
    """Why, as bidders are told."""

    reason: Reason


class NewEnd(Input):
    """When a lot ends from now on, instead of earlier."""

    lot_id: ALotId
    closes_at_us: Instant


class NewEnds(Input):
    """Lots that have not opened, each once."""

    ends: Annotated[list[NewEnd], Meta(min_length=1, max_length=MAX_LOTS_PER_COMMAND)]


class Message(Input):
    """What everybody who watches is told."""

    message: MessageText


class LotNow(Struct, frozen=True, kw_only=True):
    """A lot after what was done, as the public sees it."""

    lot_id: LotId
    status: LotStatus
    price_minor: int | None
    reserve: ReserveStatus
    closes_at_us: int


class Done(Struct, frozen=True):
    """What was done is durable. ``lot``: null where it is about the whole sale."""

    sale_id: SaleId
    lot: LotNow | None


class Messages(Struct, frozen=True):
    """What was said to everybody who watches, the latest first."""

    items: Sequence[SaleMessage]


class RunningApi:
    """Handlers."""

    def __init__(self, running: Running, boards: LiveBoards) -> None:
        self._running, self._boards = running, boards

    def routes(self) -> list[Route]:
        """Their rows."""
        sale, lot = "/sales/{sale_id}", "/sales/{sale_id}/lots/{lot_id}"
        not_open = (Rejection.LOT_CLOSED, Rejection.LOT_WITHDRAWN)
        if_bid = (Rejection.NO_IF_BID,)
        return [
            row(
                "GET",
                f"{sale}/live",
                told(self.live_board),
                "A sale as its seller sees it now; lots that lack little to their reserve first",
                VIEW,
                answer=LiveSale,
            ),
            engine_row(
                "PUT",
                f"{lot}/reserve",
                self.set_reserve,
                "Lower or remove the reserve of a lot",
                *not_open,
                Rejection.RESERVE_NOT_LOWERED,
                Rejection.SALE_CANCELLED,
                body=NewReserve,
            ),
            engine_row(
                "POST",
                f"{lot}/if-bid/acceptance",
                self.accept_if_bid,
                "Sell to the bound top bidder, though the reserve was not met",
                *if_bid,
            ),
            engine_row(
                "POST",
                f"{lot}/if-bid/refusal",
                self.decline_if_bid,
                "Let a lot pass whose top bidder is bound",
                *if_bid,
            ),
            engine_row(
                "POST",
                f"{lot}/if-bid/counter",
                self.counter_if_bid,
                "Ask the bound top bidder for more",
                *if_bid,
                Rejection.COUNTER_NOT_ABOVE_BID,
                body=Counter,
            ),
            engine_row(
                "POST",
                f"{lot}/withdrawal",
                self.withdraw_lot,
                "Take a lot out of its sale",
                *not_open,
                Rejection.WITHDRAWAL_NOT_ALLOWED,
                Rejection.SALE_CANCELLED,
                body=Withdrawal,
            ),
            engine_row(
                "POST",
                f"{sale}/cancellation",
                self.cancel_sale,
                "Take out every lot that is still to close",
                Rejection.SALE_CLOSED,
                Rejection.SALE_CANCELLED,
                Rejection.WITHDRAWAL_NOT_ALLOWED,
                body=Withdrawal,
            ),
            *self._of_its_time(sale),
            row(
                "GET",
                f"{sale}/messages",
                told(self.messages),
                "What was said to everybody who watches, the latest first",
                VIEW,
                answer=Messages,
            ),
            row(
                "POST",
                f"{sale}/messages",
                told(self.say),
                "Say something to everybody who watches",
                RUN,
                Refusal.TOO_MANY,
                body=Message,
                answer=SaleMessage,
                status=201,
            ),
        ]

    def _of_its_time(self, sale: str) -> list[Route]:
        over = (Rejection.SALE_CLOSED,)
        return [
            engine_row(
                "POST",
                f"{sale}/pause",
                self.pause_sale,
                "Take no bids and end no lot until the sale is resumed",
                *over,
                Rejection.SALE_PAUSED,
                body=Pause,
            ),
            engine_row(
                "POST",
                f"{sale}/resumption",
                self.resume_sale,
                "Go on after a pause; ends move, so that nobody loses time to bid",
                *over,
                Rejection.SALE_NOT_PAUSED,
            ),
            engine_row(
                "PUT",
                f"{sale}/ends",
                self.move_ends,
                "Later ends for lots that have not opened, all or none",
                *over,
                Rejection.SALE_CANCELLED,
                Rejection.LOT_WITHDRAWN,
                Rejection.BIDDING_BEGUN,
                refusals=(Refusal.BAD_TIME,),
                body=NewEnds,
            ),
        ]

    async def live_board(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/live."""
        await self._visible(request)
        board = await self._boards.look(sale_of(request))
        if board is None:
            raise NOT_FOUND()
        return answer(request, board)

    async def set_reserve(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/sales/{sale_id}/lots/{lot_id}/reserve."""
        asked, place = await body_of(request, NewReserve), await self._place(request)
        return _done(request, await self._running.set_reserve(*place, asked.reserve_minor))

    async def accept_if_bid(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/lots/{lot_id}/if-bid/acceptance."""
        return _done(request, await self._running.accept_if_bid(*await self._place(request)))

    async def decline_if_bid(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/lots/{lot_id}/if-bid/refusal."""
        return _done(request, await self._running.decline_if_bid(*await self._place(request)))

    async def counter_if_bid(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/lots/{lot_id}/if-bid/counter."""
        asked, place = await body_of(request, Counter), await self._place(request)
        return _done(request, await self._running.counter_if_bid(*place, asked.amount_minor))

    async def withdraw_lot(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/lots/{lot_id}/withdrawal."""
        asked, place = await body_of(request, Withdrawal), await self._place(request)
        return _done(request, await self._running.withdraw(*place, asked.cause, asked.reason))

    async def cancel_sale(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/cancellation."""
        asked, by = await body_of(request, Withdrawal), await self._seller(request)
        sale_id = sale_of(request)
        return _done(request, await self._running.cancel(by, sale_id, asked.cause, asked.reason))

    async def pause_sale(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/pause."""
        asked, by = await body_of(request, Pause), await self._seller(request)
        return _done(request, await self._running.pause(by, sale_of(request), asked.reason))

    async def resume_sale(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/resumption."""
        by = await self._seller(request)
        return _done(request, await self._running.resume(by, sale_of(request)))

    async def move_ends(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/v1/desk/sales/{sale_id}/ends."""
        asked, by = await body_of(request, NewEnds), await self._seller(request)
        ends = {one.lot_id: one.closes_at_us for one in asked.ends}
        if len(ends) != len(asked.ends):
            raise INVALID("A lot is named twice.", place="/ends")
        return _done(request, await self._running.move_ends(by, sale_of(request), ends))

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/desk/sales/{sale_id}/messages."""
        owner = await self._visible(request)
        return answer(request, Messages(await self._running.said(owner, sale_of(request))))

    async def say(self, request: web.Request) -> web.StreamResponse:
        """POST /api/v1/desk/sales/{sale_id}/messages."""
        asked, by = await body_of(request, Message), await self._seller(request)
        said = await self._running.say(by, sale_of(request), asked.message)
        return answer(request, said, status=201)

    async def _visible(self, request: web.Request) -> LiquidatorId:
        return visible(request, await self._boards.owner_of(sale_of(request)))

    async def _seller(self, request: web.Request) -> Seller:
        return seller_of(request, await self._boards.owner_of(sale_of(request)))

    async def _place(self, request: web.Request) -> tuple[Seller, SaleId, LotId]:
        lot_id = LotId(word_of(request, "lot_id"))
        return await self._seller(request), sale_of(request), lot_id


def engine_row(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    *rejections: Rejection,
    refusals: Sequence[Refusal] = (),
    **more: Any,
) -> Route:
    """A row of something that the engine is asked for."""
    kinds = tuple(KINDS[one] for one in (*rejections, Rejection.INVALID))
    more = {"answer": Done, **more}
    return row(method, path, told(handler), summary, RUN, *refusals, problems=kinds, **more)


def told(handler: Handler) -> Handler:
    """The handler, what the engine says told in its own codes."""

    @wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except EngineRefused as refused:
            kind = KINDS.get(refused.rejection)
            assert kind is not None, f"{refused.rejection} is not in the table"
            raise kind(refused.message) from None
        except EngineAway:
            raise UNAVAILABLE("It may have been done, or not: look first.") from None
        except ConnectionError:
            raise UNAVAILABLE() from None

    return handle


def _done(request: web.Request, verdict: Verdict) -> web.StreamResponse:
    lot = None
    if verdict.lot is not None:
        names = LotNow.__struct_fields__
        lot = LotNow(**{name: getattr(verdict.lot, name) for name in names})
    return answer(request, Done(sale_of(request), lot))
