"""/desk/sales/{sale_id}/live: the board of a sale that goes on, and what may be done about a lot.

The board is asked for each second and has a strong ETag: nothing new is 304 without a body.
"""

from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta

from accounts.http.common import word_of
from accounts.http.guard import require
from accounts.ids import OrganisationId
from accounts.permissions import Action
from auction.amounts import NotMoney, parse_typed, plain
from auction.commands import WithdrawalCause
from auction.desk.access import RUN, VIEW, may_run, seller_of
from auction.desk.api_common import REFUSALS
from auction.desk.live_board import LiveSale
from auction.desk.pages.commanding import (
    CAUSES,
    NO_VERDICT,
    PAUSED,
    RESUMED,
    Fault,
    reason_of,
    sentence,
)
from auction.desk.pages.room import SALES, DeskPagesRoom, sale_path, show, status_of
from auction.desk.refusals import Refused
from auction.desk.running import EngineAway, EngineRefused
from auction.desk.seller import Seller
from auction.ids import LiquidatorId, LotId, SaleId
from auction.terms import STORABLE
from foundation.http.answers import answer
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import NOT_FOUND, UNAVAILABLE
from foundation.http.reading import Input
from foundation.http.routes import Route

_SAID = {
    "reserve": "The reserve is changed.",
    "accept": "The bid is accepted; the lot is sold.",
    "decline": "The bid is declined; the lot passes.",
    "counter": "The bidder is asked for more.",
    "withdraw": "The lot is withdrawn.",
    "pause": PAUSED,
    "resume": RESUMED,
    "say": "Everybody who watches is told.",
}


class Doing(Input):
    """What is done about a lot, or said to everybody."""

    what: Annotated[
        str, Meta(pattern=r"\A(reserve|accept|decline|counter|withdraw|pause|resume|say)\Z")
    ]
    lot: Annotated[str, Meta(max_length=64)] = ""
    amount: Annotated[str, Meta(max_length=40)] = ""
    cause: WithdrawalCause = WithdrawalCause.SELLER
    text: Annotated[str, Meta(max_length=500, pattern=STORABLE)] = ""


class LivePages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        live, told = f"{SALES}/{{sale_id}}/live", REFUSALS.told
        return [
            Route("GET", live, told(self.show), "A sale that goes on", VIEW),
            Route("GET", f"{live}/board", told(self.board), "Its board, for the page", VIEW),
            Route("POST", live, told(self.act), "Do something about a lot", RUN),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET .../live; ``lot``: which one something is to be done about."""
        owner, board = await self._board(request)
        return await self._page(request, owner, board, blank(lot=request.query.get("lot", "")))

    async def board(self, request: web.Request) -> web.StreamResponse:
        """GET .../live/board."""
        _, board = await self._board(request)
        return answer(request, board)

    async def act(self, request: web.Request) -> web.StreamResponse:
        """POST .../live."""
        form = await form_of(request, Doing)
        owner, board = await self._board(request)
        seller, path = seller_of(request, owner), sale_path(board.sale_id, "live")
        if form.valid is None:
            return await self._page(request, owner, board, form, 422)
        given = form.valid
        try:
            await self._done(seller, board, given)
        except Fault as fault:
            form = form.refused(fault.field, fault.message)
            return await self._page(request, owner, board, form, 422)
        except EngineRefused as refused:
            form = form.refused(_field(given.what), sentence(refused.message))
            return await self._page(request, owner, board, form, 409)
        except Refused as refused:
            status = status_of(refused)
            form = form.refused(_field(given.what), refused.message)
            return await self._page(request, owner, board, form, status)
        except (EngineAway, ConnectionError):
            return see_other(path, NO_VERDICT, FlashKind.WARNING)
        return see_other(path, _SAID[given.what])

    async def _page(
        self,
        request: web.Request,
        owner: LiquidatorId,
        board: LiveSale,
        form: Form[Any],
        status: int = 200,
    ) -> web.Response:
        chosen = next((lot for lot in board.lots if lot.lot_id == form.value("lot")), None)
        return show(
            request,
            "live.html",
            status=status,
            board=board,
            chosen=chosen,
            runs=may_run(request, owner),
            title=await self._room.boards.title_of(board.sale_id),
            asked=await self._room.questions.waiting(owner, board.sale_id),
            causes=CAUSES,
            form=form,
            reserve="" if chosen is None else _plain(chosen.reserve_minor, board),
            counter="" if chosen is None else _plain(chosen.reserve_minor or 0, board),
        )

    async def _done(self, seller: Seller, board: LiveSale, given: Doing) -> None:
        running, sale_id, lot_id = self._room.running, board.sale_id, LotId(given.lot)
        match given.what:
            case "reserve":
                reserve = _amount(given, board) if given.amount else None
                await running.set_reserve(seller, sale_id, lot_id, reserve)
            case "accept":
                await running.accept_if_bid(seller, sale_id, lot_id)
            case "decline":
                await running.decline_if_bid(seller, sale_id, lot_id)
            case "counter":
                await running.counter_if_bid(seller, sale_id, lot_id, _amount(given, board))
            case "withdraw":
                reason = reason_of(given.text, given.what)
                await running.withdraw(seller, sale_id, lot_id, given.cause, reason)
            case "pause":
                await running.pause(seller, sale_id, reason_of(given.text, given.what))
            case "resume":
                await running.resume(seller, sale_id)
            case _:
                if not given.text:
                    raise Fault(given.what, "Write what is to be said.")
                await running.say(seller, sale_id, given.text)

    async def _board(self, request: web.Request) -> tuple[LiquidatorId, LiveSale]:
        sale_id = SaleId(word_of(request, "sale_id"))
        try:
            owner = await self._room.boards.owner_of(sale_id)
            if owner is None:
                raise NOT_FOUND()
            require(request, Action.VIEW_DESK, OrganisationId(owner))
            board = await self._room.boards.look(sale_id)
        except ConnectionError:
            raise UNAVAILABLE() from None
        if board is None:
            raise NOT_FOUND()
        return owner, board


def _field(what: str) -> str:
    """Where a refusal is shown: at the field of what was asked for, if it has one."""
    return what if what in ("reserve", "counter", "withdraw", "pause", "say") else ""


def _amount(given: Doing, board: LiveSale) -> int:
    try:
        return parse_typed(given.amount, board.currency)
    except NotMoney as fault:
        raise Fault(given.what, str(fault)) from None


def _plain(minor: int | None, board: LiveSale) -> str:
    return "" if minor is None else plain(minor, board.currency)
