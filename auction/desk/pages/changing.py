"""/desk/sales/{sale_id}/change: what may still be changed of a published sale.

What is said and sold stays: this page is for when a sale ends, who may enter it, and whether it
goes on at all. Each of it is a command that the engine judges; its words are shown as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Meta

from auction.catalog.words import count_words
from auction.commands import MAX_LOTS_PER_COMMAND, WithdrawalCause
from auction.desk.access import RUN, seller_of
from auction.desk.api_common import REFUSALS
from auction.desk.api_groups import MAX_GROUP_BODY
from auction.desk.live_board import LiveLot, LiveSale
from auction.desk.pages.commanding import (
    CAUSES,
    NO_VERDICT,
    PAUSED,
    RESUMED,
    Fault,
    reason_of,
    sentence,
)
from auction.desk.pages.room import SALES, DeskPagesRoom, owner_of_sale, sale_path, show
from auction.desk.pages.times import in_zone
from auction.desk.refusals import Refusal, Refused
from auction.desk.running import EngineAway, EngineRefused
from auction.desk.sale_drafts import DraftedSale, DraftState
from auction.desk.schedule import NoSuchTime, TimeComesTwice, instant_us, wall_time
from auction.desk.seller import Seller
from auction.ids import ABidderId, BidderId, LotId, SaleId
from auction.sale import LotStatus
from auction.terms import STORABLE, SaleAudience
from foundation.http.forms import Form, blank, form_of
from foundation.http.pages import see_other
from foundation.http.problems import UNAVAILABLE
from foundation.http.reading import Input
from foundation.http.routes import Route

# Names that fill a screen and its scroll; the rest are counted.
ADMITTED_SHOWN: Final = 500
SECOND_OPTIONS: Final = (("no", "The first time", ""), ("yes", "The second time", ""))
_SAID: Final = {
    "pause": PAUSED,
    "resume": RESUMED,
    "cancel": "The sale is cancelled.",
    "ends": "The ends are moved. Who watches these lots is told.",
    "dismiss": "It may not enter any more. Bids that stand, stand.",
}


class Changing(Input):
    """What is to be changed."""

    what: Annotated[str, Meta(pattern=r"\A(ends|pause|resume|cancel|admit|dismiss)\Z")]
    lot: Annotated[str, Meta(max_length=64)] = ""
    end: Annotated[str, Meta(max_length=40)] = ""
    second: Annotated[str, Meta(pattern=r"\A(yes|no)\Z")] | None = None
    cause: WithdrawalCause = WithdrawalCause.SELLER
    pause_reason: Annotated[str, Meta(max_length=500, pattern=STORABLE)] = ""
    cancel_reason: Annotated[str, Meta(max_length=500, pattern=STORABLE)] = ""
    members: str = ""
    group: Annotated[str, Meta(max_length=64)] = ""
    bidder: ABidderId | None = None


class ChangingPages:
    """Handlers."""

    def __init__(self, room: DeskPagesRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        path, told, size = f"{SALES}/{{sale_id}}/change", REFUSALS.told, MAX_GROUP_BODY
        return [
            Route("GET", path, told(self.show), "Change a published sale", RUN),
            Route("POST", path, told(self.change), "Change it", RUN, max_body=size),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET .../change; ``out``: who was just dismissed."""
        _, sale, board = await self._sale(request)
        if board is None:
            return see_other(sale_path(sale.sale_id))
        return await self._page(request, sale, board, blank(cause=str(WithdrawalCause.SELLER)))

    async def change(self, request: web.Request) -> web.StreamResponse:
        """POST .../change."""
        form = await form_of(request, Changing)
        seller, sale, board = await self._sale(request)
        if board is None:
            return see_other(sale_path(sale.sale_id))
        if form.valid is None:
            return await self._page(request, sale, board, form, 422)
        given = form.valid
        try:
            said = await self._done(seller, sale, board, given)
        except Fault as fault:
            form = form.refused(fault.field, fault.message)
            return await self._page(request, sale, board, form, 422)
        except EngineRefused as refused:
            form = form.refused(_FIELD.get(given.what, ""), sentence(refused.message))
            return await self._page(request, sale, board, form, 409)
        except Refused as refused:
            problem = REFUSALS.problem_of(refused)
            if refused.refusal is Refusal.NOT_FOUND:
                raise problem from None
            form = form.refused(_FIELD.get(given.what, ""), refused.message)
            return await self._page(request, sale, board, form, problem.kind.status)
        except (EngineAway, ConnectionError):
            raise UNAVAILABLE(NO_VERDICT) from None
        gone = f"?out={given.bidder}" if given.what == "dismiss" else ""
        return see_other(f"{sale_path(sale.sale_id, 'change')}{gone}", said)

    async def _done(
        self, seller: Seller, sale: DraftedSale, board: LiveSale, given: Changing
    ) -> str:
        running, sale_id = self._room.running, sale.sale_id
        match given.what:
            case "ends":
                await self._move(seller, sale_id, _new_ends(sale, board, given))
            case "pause":
                reason = reason_of(given.pause_reason, "pause_reason")
                await running.pause(seller, sale_id, reason)
            case "resume":
                await running.resume(seller, sale_id)
            case "cancel":
                reason = reason_of(given.cancel_reason, "cancel_reason")
                await running.cancel(seller, sale_id, given.cause, reason)
            case "dismiss":
                if given.bidder is None:
                    raise Fault("", "Say who.")
                await running.dismiss(seller, sale_id, [given.bidder])
            case _:
                return await self._admit(seller, sale_id, given)
        return _SAID[given.what]

    async def _admit(self, seller: Seller, sale_id: SaleId, given: Changing) -> str:
        """Who is named, or was found, or is in a group now."""
        before = (await self._room.running.admissions(seller.liquidator_id, sale_id)).bidder_ids
        meant = await self._room.guests.meant(given.members, before)
        if meant.faults:
            raise Fault("members", " ".join(meant.faults[:5]))
        new = [*meant.bidder_ids, *([given.bidder] if given.bidder else [])]
        if given.group:
            new += (await self._room.groups.read(seller.liquidator_id, given.group)).members
        wanted = [one for one in dict.fromkeys(new) if one not in set(before)]
        if not new:
            raise Fault("members", "Name at least one reseller, or choose a group.")
        await self._room.running.admit(seller, sale_id, wanted)
        return f"{count_words(len(wanted), 'reseller')} more may enter."

    async def _move(self, seller: Seller, sale_id: SaleId, ends: Mapping[LotId, int]) -> None:
        """In the order in which they end, the last ones first: no lot passes one behind it."""
        lots = list(ends)
        for first in range(0, len(lots), MAX_LOTS_PER_COMMAND):
            some = {lot: ends[lot] for lot in lots[first : first + MAX_LOTS_PER_COMMAND]}
            await self._room.running.move_ends(seller, sale_id, some)

    async def _sale(self, request: web.Request) -> tuple[Seller, DraftedSale, LiveSale | None]:
        """``None``: it is not published yet."""
        owner, sale_id = await owner_of_sale(self._room, request)
        seller = seller_of(request, owner)
        sale = await self._room.sales.read(owner, sale_id)
        if sale.state is not DraftState.PUBLISHED:
            return seller, sale, None
        try:
            return seller, sale, await self._room.boards.look(sale_id)
        except ConnectionError:
            raise UNAVAILABLE() from None

    async def _page(
        self,
        request: web.Request,
        sale: DraftedSale,
        board: LiveSale,
        form: Form[Any],
        status: int = 200,
    ) -> web.Response:
        movable = _movable(board, self._room.now_us())
        zone = _zone(sale)
        if movable and not form.value("end"):
            first = wall_time(movable[0].closes_at_us, zone)[:16]
            form = Form({**form.values, "end": first}, form.errors)
        admitted = await self._room.running.admissions(sale.liquidator_id, sale.sale_id)
        out = request.query.get("out", "")
        gone = [BidderId(out)] if out and out not in admitted.bidder_ids else []
        guests, restricted = self._room.guests, admitted.audience is not SaleAudience.PUBLIC
        return show(
            request,
            "changing.html",
            status=status,
            sale=sale,
            board=board,
            form=form,
            movable=movable,
            ends={lot.lot_id: in_zone(lot.closes_at_us, zone) for lot in movable},
            zone=zone.key,
            second=_comes_twice(form, zone),
            second_options=SECOND_OPTIONS,
            causes=CAUSES,
            audience=admitted.audience,
            admitted=await guests.known(admitted.bidder_ids[:ADMITTED_SHOWN]),
            unlisted=max(0, len(admitted.bidder_ids) - ADMITTED_SHOWN),
            groups=await self._room.groups.list(sale.liquidator_id) if restricted else [],
            gone=await guests.known(gone if restricted else ()),
        )


# Where a refusal of the engine is shown.
_FIELD: Final = {
    "ends": "end",
    "pause": "pause_reason",
    "cancel": "cancel_reason",
    "admit": "members",
}


def _movable(board: LiveSale, now_us: int) -> Sequence[LiveLot]:
    """Lots on which bidding has not begun, in the order in which they end."""
    lots = (lot for lot in board.lots if lot.status is LotStatus.LIVE and lot.opens_at_us > now_us)
    return sorted(lots, key=lambda lot: (lot.closes_at_us, lot.place))


def _new_ends(sale: DraftedSale, board: LiveSale, given: Changing) -> Mapping[LotId, int]:
    """When the lots end that were chosen: one, or all at their distances from the first."""
    second = {"yes": True, "no": False}.get(given.second or "")
    try:
        end_us = instant_us(given.end, _zone(sale), second=second)
    except NoSuchTime as fault:
        raise Fault("end", sentence(str(fault))) from None
    lots = [lot for lot in board.lots if lot.status is LotStatus.LIVE]
    chosen = [lot for lot in lots if lot.lot_id == given.lot] if given.lot else lots
    # The engine says which of them have opened meanwhile.
    chosen.sort(key=lambda lot: (lot.closes_at_us, lot.place), reverse=True)
    if not chosen:
        raise Fault("lot", "There is no such lot that is still to close.")
    later_us = end_us - chosen[-1].closes_at_us
    if later_us <= 0:
        raise Fault("end", "Say a later time: an end only ever moves later.")
    return {lot.lot_id: lot.closes_at_us + later_us for lot in chosen}


def _comes_twice(form: Form[Any], zone: ZoneInfo) -> bool:
    try:
        instant_us(form.value("end"), zone)
    except TimeComesTwice:
        return True
    except NoSuchTime:
        return False
    return False


def _zone(sale: DraftedSale) -> ZoneInfo:
    schedule = sale.draft.schedule
    return ZoneInfo("UTC" if schedule is None else schedule.time_zone)
