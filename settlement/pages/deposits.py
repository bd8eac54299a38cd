"""A buyer's deposit for a sale: held on one of its cards, shown as it stands.

It is asked for here, where the buyer is and can answer its bank; who did not register in the sale
is told that there is no such page.
"""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.guard import signed_in
from auction.ids import BidderId, SaleId
from foundation.http.answers import answer
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID, NOT_FOUND
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import PAY, PURCHASES, joined_of, may_pay
from settlement.buyers import NoSuchMethod
from settlement.deposit_life import DepositState
from settlement.deposit_rules import AskFor
from settlement.deposits import Needed, NoDeposit
from settlement.ids import StripeId
from settlement.operations import Unknown
from settlement.pages.doing import PROVIDER_AWAY
from settlement.pages.purchases import Stamp
from settlement.pages.room import show
from settlement.payment_objects import MAX_AMOUNT_MINOR, MethodKind, asked_minor
from settlement.room import Settlement

DEPOSITS: Final = "/purchases/deposits"

# What each state is to its buyer: a badge, and a sentence.
WORDS: Final = {
    DepositState.ASKED: ("Your bank is asked", "", "It takes a moment."),
    DepositState.ACTION_REQUIRED: ("Confirm it", "warn", "Your bank wants you to confirm it."),
    DepositState.DECLINED: ("Declined", "warn", "Your bank said no. Try another card."),
    DepositState.HELD: ("Held", "good", "It is held on your card; no money has moved."),
    DepositState.RENEWING: ("Held", "good", "It is held on your card, and being renewed."),
    DepositState.TAKING: ("Being charged", "", "It is being charged to your card."),
    DepositState.TAKEN: (
        "Charged",
        "good",
        "Your bank would not hold it for longer, so it was charged. You get it back like any "
        "deposit.",
    ),
    DepositState.RETURNING: ("On its way back", "", "It is on its way back to your card."),
    DepositState.RELEASING: ("Being given back", "", "It is being given up."),
    DepositState.RELEASED: ("Given back", "", "Nothing is held any more."),
    DepositState.FORFEITED: ("Kept", "warn", "It was kept: what you won was not paid."),
    DepositState.LOST: ("Ended", "warn", "Your bank has ended it. Have it held again."),
}
_AGAIN: Final = (DepositState.DECLINED, DepositState.LOST, DepositState.RELEASED)
_MOVING: Final = (DepositState.ASKED, DepositState.TAKING, DepositState.RELEASING)


class HeldOn(Input):
    """The card that it is held on."""

    method_id: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\A[A-Za-z0-9_]+\Z")]


class DepositPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        one = f"{DEPOSITS}/{{sale_id}}"
        return [
            Route("GET", one, self.show, "Your deposit for a sale", PURCHASES),
            Route("POST", one, self.hold, "Have it held on a card", PAY),
            Route("GET", f"{one}/stamp", self.stamp, "Whether it is current", PURCHASES),
            Route("GET", f"{one}/confirm", self.confirm, "To your bank", PAY),
            Route("GET", f"{one}/back", self.back, "Back from your bank", PAY),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/deposits/{sale_id}."""
        sale_id, buyer_id = _of(request)
        needed = await self._room.registering.needed(sale_id, buyer_id)
        deposit = await self._room.deposits.of(sale_id, buyer_id)
        if needed is None and deposit is None:
            raise NOT_FOUND()
        cards = [
            one for one in await self._room.buyers.saved(buyer_id) if one.kind is MethodKind.CARD
        ]
        return show(
            request,
            "deposit.html",
            sale_id=sale_id,
            needed=needed,
            deposit=deposit,
            words=None if deposit is None else WORDS[deposit.state],
            waiting=deposit is not None and deposit.state in _MOVING,
            cards=cards,
            can_hold=_can_hold(needed) and (deposit is None or deposit.state in _AGAIN),
            pays=may_pay(request, buyer_id),
            here=_page(sale_id),
        )

    async def stamp(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/deposits/{sale_id}/stamp: asked while something goes on by itself."""
        deposit = await self._room.deposits.of(*_of(request))
        return answer(request, Stamp("" if deposit is None else str(deposit.version)))

    async def hold(self, request: web.Request) -> web.StreamResponse:
        """POST /purchases/deposits/{sale_id}."""
        sale_id, buyer_id = _of(request)
        form = await form_of(request, HeldOn)
        needed = await self._room.registering.needed(sale_id, buyer_id)
        if needed is None:
            raise NOT_FOUND()
        if form.valid is None:
            raise INVALID("Choose a card.")
        if not _can_hold(needed):
            return see_other(_page(sale_id), "Nothing is to be held.", FlashKind.INFO)
        wanted = AskFor(
            sale_id=sale_id,
            buyer_id=buyer_id,
            amount_minor=asked_minor(needed.lacking_minor, needed.currency),
            currency=needed.currency,
            method_id=StripeId(form.valid.method_id),
            return_url=f"{self._room.shown.public_url}{_page(sale_id)}/back",
        )
        try:
            await self._room.deposits.ask(wanted)
        except NoSuchMethod:
            said = "The card was removed. Choose another one."
            return see_other(_page(sale_id), said, FlashKind.ERROR)
        return see_other(_page(sale_id), "Your bank is being asked.")

    async def confirm(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/deposits/{sale_id}/confirm: on to the bank's question."""
        return await self._asked(request, onward=True)

    async def back(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/deposits/{sale_id}/back: what came of it is read, not believed."""
        return await self._asked(request, onward=False)

    async def _asked(self, request: web.Request, *, onward: bool) -> web.StreamResponse:
        sale_id, buyer_id = _of(request)
        try:
            payment = await self._room.deposits.question(sale_id, buyer_id)
        except NoDeposit:
            raise NOT_FOUND() from None
        except Unknown:
            return see_other(_page(sale_id), PROVIDER_AWAY, FlashKind.WARNING)
        if onward and payment.action is not None and payment.action.url is not None:
            raise web.HTTPSeeOther(payment.action.url)
        return web.HTTPSeeOther(_page(sale_id))


def _of(request: web.Request) -> tuple[SaleId, BidderId]:
    sale_id = SaleId(joined_of(request, "sale_id"))
    if "~" in sale_id:
        raise NOT_FOUND()
    return sale_id, BidderId(signed_in(request).organisation_id)


def _page(sale_id: SaleId) -> str:
    return f"{DEPOSITS}/{sale_id}"


def _can_hold(needed: Needed | None) -> bool:
    return needed is not None and 0 < needed.lacking_minor <= MAX_AMOUNT_MINOR
