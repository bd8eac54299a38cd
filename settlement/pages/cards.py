"""A buyer's saved cards and bank accounts: add one, choose the one that is asked, remove one.

A card's number never comes here. With Stripe its own form takes it, in a frame of Stripe's; where
payments are simulated, one of the simulator's test cards is chosen.
"""

from typing import Annotated, Final
from urllib.parse import quote

from aiohttp import web
from msgspec import Meta

from accounts.http.guard import signed_in
from auction.ids import BidderId
from foundation.http.client_address import client_address
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import PAY, PURCHASES
from settlement.buyers import NoSuchMethod, TooManyTries
from settlement.ids import StripeId
from settlement.operations import Refused, Unknown
from settlement.pages.doing import PROVIDER_AWAY, sentence
from settlement.pages.room import show
from settlement.payment_objects import IntentStatus, MethodKind, Setup
from settlement.room import Settlement

CARDS: Final = "/purchases/cards"

# What the simulator's cards do, in words; docs.stripe.com/testing has the same.
TEST_CARDS: Final = (
    ("pm_card_visa", "Visa 4242, pays"),
    ("pm_card_mastercard", "Mastercard 4444, pays"),
    ("pm_card_authenticationRequired", "Visa 3184, asks you to confirm each payment"),
    ("pm_card_chargeCustomerFail", "Visa 0341, can be saved and is declined"),
    ("pm_card_createDispute", "Visa 0259, pays and is disputed"),
)

_METHOD = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\A[A-Za-z0-9_]+\Z")]


class PickedCard(Input):
    """Which of the simulator's cards is saved."""

    card: _METHOD


class Chosen(Input):
    """What is done with a saved card."""

    method_id: _METHOD
    what: Annotated[str, Meta(pattern=r"\A(choose|remove)\Z")]


class CardPages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", CARDS, self.show, "Your cards and bank accounts", PURCHASES),
            Route("POST", CARDS, self.change, "Choose or remove one", PAY),
            Route("GET", f"{CARDS}/new", self.new, "Add a card", PAY),
            Route("POST", f"{CARDS}/new", self.save_test_card, "Save a test card", PAY),
            Route("GET", f"{CARDS}/saved", self.back, "Back from saving a card", PAY),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/cards."""
        saved = await self._room.buyers.saved(_buyer(request))
        return show(request, "cards.html", saved=saved, to=_next(request))

    async def change(self, request: web.Request) -> web.StreamResponse:
        """POST /purchases/cards."""
        form = await form_of(request, Chosen)
        if form.valid is None:
            raise INVALID("Name the card.")
        buyers, method_id = self._room.buyers, StripeId(form.valid.method_id)
        try:
            if form.valid.what == "remove":
                await buyers.remove(_buyer(request), method_id)
                return see_other(CARDS, "It is removed and will not be asked any more.")
            await buyers.choose(_buyer(request), method_id)
        except NoSuchMethod:
            return see_other(CARDS, "It was removed already.", FlashKind.INFO)
        return see_other(CARDS, "From now on this one is asked first.")

    async def new(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/cards/new; ``to``: the invoice that is paid with it."""
        shown = self._room.shown
        setup: Setup | None = None
        if shown.publishable_key:
            try:
                setup = await self._room.buyers.begin(_buyer(request), MethodKind.CARD)
            except TooManyTries:
                return see_other(CARDS, _TOO_MANY, FlashKind.ERROR)
            except Unknown:
                return see_other(CARDS, PROVIDER_AWAY, FlashKind.WARNING)
        headers = {"Content-Security-Policy": STRIPE_POLICY} if setup is not None else None
        return show(
            request,
            "card_new.html",
            headers=headers,
            shown=shown,
            secret=None if setup is None else str(setup.client_secret),
            test_cards=TEST_CARDS if shown.simulated else (),
            to=_next(request),
            return_url=self._return_url(request),
        )

    async def save_test_card(self, request: web.Request) -> web.StreamResponse:
        """POST /purchases/cards/new, where payments are simulated."""
        form = await form_of(request, PickedCard)
        if form.valid is None or not self._room.shown.simulated:
            raise INVALID("Choose one of the test cards.")
        if form.valid.card not in {card for card, _ in TEST_CARDS}:
            raise INVALID("This is no test card.")
        buyers, buyer_id = self._room.buyers, _buyer(request)
        try:
            setup = await buyers.begin(buyer_id, MethodKind.CARD)
            made = await buyers.confirm(
                buyer_id,
                setup.setup_id,
                StripeId(form.valid.card),
                return_url=self._return_url(request),
                address=client_address(request),
                user_agent=request.headers.get("User-Agent", "")[:500],
            )
        except TooManyTries:
            return see_other(CARDS, _TOO_MANY, FlashKind.ERROR)
        except Unknown:
            return see_other(CARDS, PROVIDER_AWAY, FlashKind.WARNING)
        except Refused as refused:
            said = sentence(refused.message or "the bank declined the card")
            return see_other(f"{CARDS}/new", said, FlashKind.ERROR)
        if made.action is not None and made.action.url is not None:
            # A form of ours may not lead to another site (CSP): a link does.
            why = "It wants to know that it is you who saves the card. Then you are back here."
            return show(request, "onward.html", url=made.action.url, to="your bank", why=why)
        return await self._saved(request, made)

    async def back(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/cards/saved?setup_intent=...: what came of it is read, not believed."""
        setup_id = request.query.get("setup_intent", "")
        try:
            made = await self._room.buyers.finish(_buyer(request), StripeId(setup_id[:255]))
        except NoSuchMethod:
            return see_other(CARDS, "Nothing was saved.", FlashKind.INFO)
        except Unknown:
            return see_other(CARDS, PROVIDER_AWAY, FlashKind.WARNING)
        return await self._saved(request, made)

    def _return_url(self, request: web.Request) -> str:
        """To which the buyer comes back, with the invoice that is paid then."""
        to = _next(request)
        more = f"?to={quote(to, safe='')}" if to else ""
        return f"{self._room.shown.public_url}{CARDS}/saved{more}"

    async def _saved(self, request: web.Request, made: Setup) -> web.StreamResponse:
        if made.status is not IntentStatus.SUCCEEDED:
            said = "The card was not saved: the bank did not confirm it. Try another one."
            return see_other(f"{CARDS}/new", said, FlashKind.ERROR)
        await self._room.purchases.collect_all(_buyer(request))
        return see_other(_next(request) or CARDS, "The card is saved. Open invoices ask it now.")


_TOO_MANY: Final = "That was often enough for today. Pay by bank transfer, or call us."

# Stripe's form is a frame of Stripe's, and its script comes from there: docs.stripe.com/security.
STRIPE_POLICY: Final = (
    "default-src 'none'; script-src 'self' https://js.stripe.com; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self' https://api.stripe.com; "
    "frame-src https://js.stripe.com https://hooks.stripe.com; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def _buyer(request: web.Request) -> BidderId:
    return BidderId(signed_in(request).organisation_id)


def _next(request: web.Request) -> str:
    """The page to go on to, if it is one of invoices."""
    asked = request.query.get("to", "")
    return asked if asked.startswith("/purchases/") and asked.isprintable() else ""
