"""From which loss on a claim is credited: lots that state a threshold of their own."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from auction.ids import LotId, SaleId
from auction.terms import STORABLE
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import ACT, STAFF
from settlement.claiming.words import Refused
from settlement.claims import Threshold
from settlement.pages.doing import sentence
from settlement.pages.room import HOME, show
from settlement.policy import ThresholdPays
from settlement.room import Settlement

THRESHOLDS: Final = f"{HOME}/thresholds"

_Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=STORABLE)]


class Stating(Input):
    """A lot's own threshold, as it is typed: ``share`` in per cent."""

    sale_id: _Id
    lot_id: _Id
    share: Annotated[str, Meta(max_length=10)]
    pays: ThresholdPays


class ThresholdPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", THRESHOLDS, self.show, "Thresholds that lots state", STAFF),
            Route("POST", THRESHOLDS, self.state, "State a lot's own threshold", ACT),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /settlement/thresholds."""
        return show(request, "thresholds.html", stated=await self._room.thresholds.latest())

    async def state(self, request: web.Request) -> web.StreamResponse:
        """POST /settlement/thresholds."""
        form = await form_of(request, Stating)
        if form.valid is None:
            said = next((f"{name}: {what}" for name, what in form.errors.items()), "Try again.")
            return see_other(THRESHOLDS, said[:400], FlashKind.ERROR)
        given, share_bps = form.valid, basis_points(form.valid.share)
        if share_bps is None:
            said = "Say the share in per cent, from 0 to 100, with two decimals at most."
            return see_other(THRESHOLDS, said, FlashKind.ERROR)
        threshold = Threshold(share_bps, given.pays)
        lot = (SaleId(given.sale_id.strip()), LotId(given.lot_id.strip()))
        try:
            await self._room.thresholds.state(*lot, threshold, actor_of(request))
        except Refused as refused:
            return see_other(THRESHOLDS, sentence(refused.message), FlashKind.ERROR)
        return see_other(THRESHOLDS, f"Lot {lot[1]} of {lot[0]} has a threshold of its own.")


def basis_points(text: str) -> int | None:
    """``2.5`` per cent as 250; None for what is no share."""
    try:
        share = Decimal(text.strip().removesuffix("%").strip()) * 100
    except InvalidOperation:
        return None
    if not share.is_finite() or share != share.to_integral_value() or not 0 <= share <= 10_000:
        return None
    return int(share)
