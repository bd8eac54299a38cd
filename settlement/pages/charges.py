"""What a buyer owes beside its invoices, at the dock or for lots not paid, and how it pays it."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from accounts.http.common import actor_of
from accounts.http.guard import require
from accounts.ids import OrganisationId
from accounts.permissions import Action
from auction.ids import BidderId
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import PAY, own_organisation
from settlement.ids import AwardId
from settlement.pages.doing import done
from settlement.pages.pickups import MAX_LOTS, PICKUPS
from settlement.pages.room import PURCHASES as HOME
from settlement.room import Settlement

CHARGES: Final = "/purchases/dock/charges"

_Id = Annotated[str, Meta(max_length=240, pattern=r"\A[A-Za-z0-9_.:~\-]*\Z")]


class Paying(Input):
    """What is asked for: to pay a charge, or to count what the storage of lots has come to."""

    what: Annotated[str, Meta(pattern=r"\A(card|credit|count)\Z")]
    back: Annotated[str, Meta(pattern=r"\A(pickups|purchases)\Z")] = "pickups"
    charge_id: _Id = ""
    award_id: Annotated[list[_Id], Meta(max_length=MAX_LOTS)] = []  # noqa: RUF012 - a Struct's


class ChargePages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [Route("POST", CHARGES, self.pay, "Pay a charge of the dock", PAY)]

    async def pay(self, request: web.Request) -> web.StreamResponse:
        """POST /purchases/dock/charges."""
        form = await form_of(request, Paying)
        if form.valid is None:
            raise INVALID("Choose a charge.")
        given, by, charges = form.valid, actor_of(request), self._room.charges
        buyer_id = BidderId(own_organisation(request))
        require(request, Action.PAY_PURCHASES, OrganisationId(buyer_id))
        back = PICKUPS if given.back == "pickups" else HOME
        match given.what:
            case "card":
                work = charges.pay_by_card(given.charge_id, by, buyer_id)
                return await done(work, back, "Your card is asked. Look again in a moment.")
            case "credit":
                paid = charges.pay_from_credit(given.charge_id, by, buyer_id)
                return await done(paid, back, "It is taken from your credit.")
            case _:
                if not given.award_id:
                    return see_other(PICKUPS, "Choose a lot.", FlashKind.WARNING)
                for award_id in given.award_id[:-1]:
                    await done(charges.count_up(AwardId(award_id), by, buyer_id), PICKUPS, "")
                counted = charges.count_up(AwardId(given.award_id[-1]), by, buyer_id)
                said = "The storage until now is charged. Pay it before you come."
                return await done(counted, PICKUPS, said)
