"""The API of a buyer's deposit for a sale: how it stands, and having it held on a saved card."""

from collections.abc import Callable
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.guard import signed_in
from auction.ids import BidderId, SaleId
from foundation.http.answers import answer
from foundation.http.problems import INVALID, NOT_FOUND, ProblemKind
from foundation.http.reading import Input, body_of
from foundation.http.routes import Route
from settlement.access import PAY, PURCHASES, joined_of
from settlement.api_common import PROVIDER_REFUSED, row
from settlement.buyers import NoSuchMethod
from settlement.deposit_life import Deposit, DepositState
from settlement.deposit_rules import AskFor
from settlement.deposits import Deposits, Registering
from settlement.ids import StripeId
from settlement.payment_objects import MAX_AMOUNT_MINOR, asked_minor

NOTHING_TO_HOLD = ProblemKind("NOTHING_TO_HOLD", 409, "Nothing is to be held on a card")


class HeldOn(Input):
    """The saved card that it is held on."""

    method_id: Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\A[A-Za-z0-9_]+\Z")]


class DepositSeen(Struct, frozen=True, kw_only=True):
    """A deposit as its buyer sees it. ``state`` null: none was held yet. ``lacking_minor``: what
    the registration still asks for; null where the sale is over."""

    sale_id: SaleId
    currency: str
    state: DepositState | None
    amount_minor: int
    lacking_minor: int | None
    declined: str | None
    version: int


class DepositsApi:
    """Handlers. ``return_url``: where a sale's buyer comes back to from its bank."""

    def __init__(
        self, deposits: Deposits, registering: Registering, return_url: Callable[[SaleId], str]
    ) -> None:
        self._deposits, self._registering = deposits, registering
        self._return_url = return_url

    def routes(self) -> list[Route]:
        """Their rows."""
        one = "/purchases/deposits/{sale_id}"
        return [
            row("GET", one, self.deposit, "Your deposit for a sale", PURCHASES,
                answer=DepositSeen),
            row("POST", one, self.hold, "Have it held on a saved card", PAY,
                NOTHING_TO_HOLD, PROVIDER_REFUSED, body=HeldOn, answer=DepositSeen),
        ]  # fmt: skip

    async def deposit(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/deposits/{sale_id}."""
        sale_id, buyer_id = _of(request)
        return answer(request, await self._seen(sale_id, buyer_id))

    async def hold(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/deposits/{sale_id}: what stands already stays as it is."""
        given = await body_of(request, HeldOn)
        sale_id, buyer_id = _of(request)
        needed = await self._registering.needed(sale_id, buyer_id)
        if needed is None:
            raise NOT_FOUND()
        if not 0 < needed.lacking_minor <= MAX_AMOUNT_MINOR:
            raise NOTHING_TO_HOLD()
        wanted = AskFor(
            sale_id=sale_id,
            buyer_id=buyer_id,
            amount_minor=asked_minor(needed.lacking_minor, needed.currency),
            currency=needed.currency,
            method_id=StripeId(given.method_id),
            return_url=self._return_url(sale_id),
        )
        try:
            await self._deposits.ask(wanted)
        except NoSuchMethod:
            raise INVALID("You have not saved this card.", place="/method_id") from None
        return answer(request, await self._seen(sale_id, buyer_id))

    async def _seen(self, sale_id: SaleId, buyer_id: BidderId) -> DepositSeen:
        needed = await self._registering.needed(sale_id, buyer_id)
        deposit = await self._deposits.of(sale_id, buyer_id)
        if deposit is None:
            if needed is None:
                raise NOT_FOUND()
            return DepositSeen(
                sale_id=sale_id,
                currency=needed.currency,
                state=None,
                amount_minor=0,
                lacking_minor=needed.lacking_minor,
                declined=None,
                version=0,
            )
        return _seen(deposit, None if needed is None else needed.lacking_minor)


def _seen(deposit: Deposit, lacking_minor: int | None) -> DepositSeen:
    return DepositSeen(
        sale_id=deposit.sale_id,
        currency=deposit.currency,
        state=deposit.state,
        amount_minor=deposit.amount_minor,
        lacking_minor=lacking_minor,
        declined=deposit.declined,
        version=deposit.version,
    )


def _of(request: web.Request) -> tuple[SaleId, BidderId]:
    sale_id = SaleId(joined_of(request, "sale_id"))
    if "~" in sale_id:
        raise NOT_FOUND()
    return sale_id, BidderId(signed_in(request).organisation_id)
