"""/desk/sales/{sale_id}/live: the board of a sale that goes on, and what may be done about a lot.

The board is asked for each second and has a strong ETag: nothing new is 304 without a body.
"""

from typing import Annotated

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
from auction.desk.pages.room import SALES, DeskPagesRoom, sale_path, show
from auction.desk.refusals import Refusal, Refused
from auction.desk.running import EngineAway, EngineRefused
from auction.desk.seller import Seller
from auction.ids import LiquidatorId, LotId, SaleId
from auction.terms import STORABLE
from foundation.http.answers import answer
from foundation.http.forms import blank, form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import NOT_FOUND, UNAVAILABLE
from foundation.http.reading import Input
from foundation.http.routes import Route

CAUSES = (
    (str(WithdrawalCause.SELLER), "We take it back"),
    (str(WithdrawalCause.RECALL), "A recall"),
    (str(WithdrawalCause.LAW), "The law asks for it"),
    (str(WithdrawalCause.SAFETY), "It is not safe"),
)
_SAID = {
    "reserve": "The reserve is changed.",
    "accept": "The bid is accepted; the lot is sold.",
    "decline": "The bid is declined; the lot passes.",
    "counter": "The bidder is asked for more.",
    "withdraw": "The lot is withdrawn.",
    "pause": "The sale is paused: no bids are taken and no lot ends.",
    "resume": "The sale goes on.",
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
        chosen = next((lot for lot in board.lots if lot.lot_id == request.query.get("lot")), None)
        counter = "" if chosen is None else plain(chosen.reserve_minor or 0, board.currency)
        return show(
            request,
            "live.html",
            board=board,
            chosen=chosen,
            runs=may_run(request, owner),
            title=await self._room.boards.title_of(board.sale_id),
            asked=await self._room.questions.waiting(owner, board.sale_id),
            causes=CAUSES,
            form=blank(counter=counter, cause=str(WithdrawalCause.SELLER)),
        )

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
            return see_other(path, "Say what is to be done.", FlashKind.WARNING)
        given = form.valid
        try:
            await self._done(seller, board, given)
        except (NotMoney, ValueError) as fault:
            return see_other(path, str(fault), FlashKind.ERROR)
        except EngineRefused as refused:
            return see_other(path, _sentence(refused.message), FlashKind.ERROR)
        except Refused as refused:
            if refused.refusal is Refusal.NOT_FOUND:
                raise
            return see_other(path, refused.message, FlashKind.ERROR)
        except (EngineAway, ConnectionError):
            said = "It may have been done, or not: look at the board first."
            return see_other(path, said, FlashKind.WARNING)
        return see_other(path, _SAID[given.what])

    async def _done(self, seller: Seller, board: LiveSale, given: Doing) -> None:
        running, sale_id, lot_id = self._room.running, board.sale_id, LotId(given.lot)
        match given.what:
            case "reserve":
                reserve = parse_typed(given.amount, board.currency) if given.amount else None
                await running.set_reserve(seller, sale_id, lot_id, reserve)
            case "accept":
                await running.accept_if_bid(seller, sale_id, lot_id)
            case "decline":
                await running.decline_if_bid(seller, sale_id, lot_id)
            case "counter":
                asked = parse_typed(given.amount, board.currency)
                await running.counter_if_bid(seller, sale_id, lot_id, asked)
            case "withdraw":
                if not given.text:
                    raise ValueError("Give the reason: bidders read it.")
                await running.withdraw(seller, sale_id, lot_id, given.cause, given.text)
            case "pause":
                if not given.text:
                    raise ValueError("Give the reason: bidders read it.")
                await running.pause(seller, sale_id, given.text)
            case "resume":
                await running.resume(seller, sale_id)
            case _:
                if not given.text:
                    raise ValueError("Write what is to be said.")
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


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
