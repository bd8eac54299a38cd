"""The API of buyers: invoices and paying them, cards, pickups."""

from collections.abc import Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from accounts.http.guard import signed_in
from auction.ids import BidderId
from foundation.http.answers import answer, created, no_content
from foundation.http.cursors import Listing, Paging
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import Input, body_of, query_of
from foundation.http.routes import Route
from settlement.accepting import Acceptances
from settlement.access import (
    PAY,
    PURCHASES,
    award_of,
    invoice_of,
    joined_of,
    payable,
    visible_purchase,
)
from settlement.api_common import PROVIDER_REFUSED, SETTLEMENT, row
from settlement.api_dock import CHANGING, TO_BOOK
from settlement.api_refusals import BOOKING
from settlement.api_requests import Requests
from settlement.buyers import Buyers, NoSuchMethod
from settlement.client_requests import Asked
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.invoice_lists import InvoiceLists, ListedInvoice
from settlement.lives import AwardState, PaymentState
from settlement.payment_objects import BankAddress
from settlement.payments.asking import PayRefusal
from settlement.payments.words import Way
from settlement.payouts.words import PayoutRefusal
from settlement.pickups.bookings import Bookings
from settlement.pickups.pickup_table import Pickup
from settlement.pickups.ready import Ready
from settlement.pickups.words import PickupRefusal
from settlement.purchases import Purchase, Purchases
from settlement.saved_methods import Saved

_Version = Annotated[int, Meta(ge=1, le=2**31)]

PAYING: Final = (
    PayRefusal.UNDER_WAY, PayRefusal.NOT_OPEN, PayRefusal.NOT_SAVED, PayRefusal.ABOVE_CARD_CAP,
    PayRefusal.TOO_LARGE, PayRefusal.TOO_SMALL, *BOOKING,
)  # fmt: skip


class PurchasedLot(Struct, frozen=True, kw_only=True):
    """An award on its buyer's invoice."""

    award_id: AwardId
    lot_id: str
    title: str
    state: AwardState
    hammer_minor: int
    premium_minor: int
    freight_minor: int
    tax_minor: int
    total_minor: int
    funded_at_us: int | None
    handed_over_at_us: int | None
    accepted_at_us: int | None


class PurchaseSeen(Struct, frozen=True, kw_only=True):
    """An invoice as its buyer sees it."""

    invoice_id: InvoiceId
    number: int
    payment: PaymentState
    currency: str
    total_minor: int
    paid_minor: int
    credited_minor: int
    open_minor: int
    kept_minor: int
    asked_until_us: int | None
    takes_card: bool
    issued_at_us: int
    due_at_us: int
    paid_at_us: int | None
    zone: str
    addresses: Sequence[BankAddress]
    lots: Sequence[PurchasedLot]


class PayingBy(Input):
    """How an invoice is paid; by the saved card that is asked first, or by another one."""

    way: Way
    method_id: Annotated[str, Meta(max_length=255, pattern=r"\A[A-Za-z0-9_]+\Z")] | None = None


class NamedLots(Input):
    """Which lots the next part payment is for, in their order."""

    award_ids: Annotated[
        list[Annotated[str, Meta(max_length=200)]], Meta(min_length=1, max_length=1_000)
    ]


class BookingPickup(Input):
    """Which lots are fetched, and in which slot."""

    award_ids: Annotated[
        list[Annotated[str, Meta(max_length=200)]], Meta(min_length=1, max_length=60)
    ]
    slot_at_us: Annotated[int, Meta(ge=1, le=2**53)]


class SeenVersion(Input):
    """The version that was seen."""

    version: _Version


class SavedMethods(Struct, frozen=True):
    """What a buyer can pay with, what is asked first before."""

    items: Sequence[Saved]


class BankQuestion(Struct, frozen=True):
    """The address at which the buyer's bank asks it to confirm; null: there is nothing to."""

    url: str | None


class Pickups(Struct, frozen=True):
    """What can be fetched, and what is booked."""

    ready: Sequence[Ready]
    items: Sequence[Pickup]


class PurchasesApi:
    """Handlers of buyers."""

    def __init__(
        self,
        purchases: Purchases,
        lists: InvoiceLists,
        buyers: Buyers,
        bookings: Bookings,
        acceptances: Acceptances,
        requests: Requests,
    ) -> None:
        self._purchases, self._lists, self._buyers = purchases, lists, buyers
        self._bookings, self._acceptances = bookings, acceptances
        self._requests = requests

    def routes(self) -> list[Route]:
        """Their rows."""
        one = "/purchases/{invoice_id}"
        return [
            row("GET", "/purchases", self.purchases, "Your invoices", PURCHASES,
                query=Paging, answer=Listing[ListedInvoice]),
            row("GET", one, self.purchase, "An invoice of yours", PURCHASES, answer=PurchaseSeen),
            row("POST", f"{one}/payment", self.pay, "Pay it this way", PAY, *PAYING,
                once=True, body=PayingBy, status=204),
            row("POST", f"{one}/first", self.name_first, "Which lots come first", PAY,
                PayRefusal.UNKNOWN_LOT, body=NamedLots, status=204),
            row("GET", "/purchases/methods", self.methods, "What you can pay with", PURCHASES,
                answer=SavedMethods),
            row("DELETE", "/purchases/methods/{method_id}", self.remove_method, "Remove it", PAY,
                PROVIDER_REFUSED, status=204),
            row("POST", "/purchases/methods/{method_id}/first", self.ask_method_first,
                "Ask it before the others", PAY, status=204),
            row("GET", f"{one}/question", self.question, "Where your bank asks you", PAY,
                PROVIDER_REFUSED, answer=BankQuestion),
            row("POST", f"{one}/reading", self.read_again,
                "You were at your bank: read what came of it", PAY, status=204),
            row("GET", "/purchases/pickups", self.pickups, "Pickups", PURCHASES, answer=Pickups),
            row("POST", "/purchases/pickups", self.book_pickup, "Book a slot", PAY, *TO_BOOK,
                once=True, body=BookingPickup, answer=Pickup, status=201),
            row("GET", "/purchases/pickups/{pickup_id}", self.pickup, "A pickup of yours",
                PURCHASES, answer=Pickup),
            row("POST", "/purchases/pickups/{pickup_id}/cancellation", self.cancel_pickup,
                "Nobody comes", PAY, *CHANGING, PickupRefusal.TOO_LATE, body=SeenVersion,
                answer=Pickup),
            row("POST", "/purchases/awards/{award_id}/acceptance", self.accept,
                "Accept the goods", PAY, PayoutRefusal.CLAIMED, PayoutRefusal.NOT_ACCEPTABLE,
                PayoutRefusal.NOT_HANDED_OVER, *BOOKING, status=204),
        ]  # fmt: skip

    async def purchases(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases."""
        paging = query_of(request, Paging)
        return answer(request, await self._lists.of_buyer(_buyer(request), paging))

    async def purchase(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/{invoice_id}."""
        invoice_id = invoice_of(request)
        visible_purchase(request, await self._purchases.buyer_of(invoice_id))
        return answer(request, seen_of(await self._purchases.read(invoice_id)))

    async def pay(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/{invoice_id}/payment."""
        given, invoice_id = await body_of(request, PayingBy), await self._payable(request)
        method_id = None if given.method_id is None else StripeId(given.method_id)

        async def make(asked: Asked) -> InvoiceId:
            await self._purchases.pay(invoice_id, given.way, method_id, request=asked)
            return invoice_id

        await self._requests.once(request, given, make)
        return no_content()

    async def name_first(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/{invoice_id}/first."""
        given, invoice_id = await body_of(request, NamedLots), await self._payable(request)
        wanted = [AwardId(award_id) for award_id in given.award_ids]
        await self._purchases.name_lots(invoice_id, wanted, signed_in(request).person_id)
        return no_content()

    async def methods(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/methods."""
        return answer(request, SavedMethods(await self._buyers.saved(_buyer(request))))

    async def remove_method(self, request: web.Request) -> web.StreamResponse:
        """DELETE .../purchases/methods/{method_id}."""
        try:
            method_id = StripeId(joined_of(request, "method_id"))
            await self._buyers.remove(_buyer(request), method_id)
        except NoSuchMethod:
            raise NOT_FOUND() from None
        return no_content()

    async def ask_method_first(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/methods/{method_id}/first."""
        try:
            method_id = StripeId(joined_of(request, "method_id"))
            await self._buyers.choose(_buyer(request), method_id)
        except NoSuchMethod:
            raise NOT_FOUND() from None
        return no_content()

    async def question(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/{invoice_id}/question."""
        purchase = await self._purchases.read(await self._payable(request))
        return answer(request, BankQuestion(await self._purchases.action_url(purchase)))

    async def read_again(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/{invoice_id}/reading: once in a while, however often it is asked."""
        await self._purchases.looked_at(await self._payable(request))
        return no_content()

    async def pickups(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/pickups."""
        buyer_id = _buyer(request)
        ready = await self._bookings.ready(buyer_id)
        return answer(request, Pickups(ready, await self._bookings.pickups_of_buyer(buyer_id)))

    async def pickup(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/pickups/{pickup_id}."""
        pickup_id = joined_of(request, "pickup_id")
        return answer(request, await self._bookings.pickup(pickup_id, _buyer(request)))

    async def book_pickup(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/pickups: a lot is booked once."""
        given, buyer_id = await body_of(request, BookingPickup), _buyer(request)
        wanted = [AwardId(award_id) for award_id in given.award_ids]
        at_us, by = given.slot_at_us, actor_of(request)

        async def make(asked: Asked) -> str:
            made = await self._bookings.book(wanted, at_us, by, buyer_id=buyer_id, request=asked)
            return made.pickup_id

        pickup_id = await self._requests.once(request, given, make)
        pickup = await self._bookings.pickup(pickup_id, buyer_id)
        return created(request, pickup, f"{SETTLEMENT}/purchases/pickups/{pickup_id}")

    async def cancel_pickup(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/pickups/{pickup_id}/cancellation."""
        seen, pickup_id = await body_of(request, SeenVersion), joined_of(request, "pickup_id")
        by, buyer_id = actor_of(request), _buyer(request)
        gone = await self._bookings.cancel(pickup_id, seen.version, by, buyer_id=buyer_id)
        return answer(request, gone)

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/awards/{award_id}/acceptance."""
        await self._acceptances.accept(_buyer(request), actor_of(request), award_of(request))
        return no_content()

    async def _payable(self, request: web.Request) -> InvoiceId:
        invoice_id = invoice_of(request)
        payable(request, await self._purchases.buyer_of(invoice_id))
        return invoice_id


def seen_of(purchase: Purchase) -> PurchaseSeen:
    """An invoice as the API tells it to its buyer."""
    row_ = purchase.invoice
    lines = {line.award_id: line for line in row_.invoice.lines}
    return PurchaseSeen(
        invoice_id=row_.invoice_id,
        number=row_.number,
        payment=row_.payment,
        currency=row_.invoice.currency,
        total_minor=row_.invoice.total_minor,
        paid_minor=row_.paid_minor,
        credited_minor=row_.credited_minor,
        open_minor=row_.open_minor,
        kept_minor=purchase.kept_minor,
        asked_until_us=purchase.asked_until_us,
        takes_card=purchase.takes_card,
        issued_at_us=row_.issued_at_us,
        due_at_us=row_.invoice.due_at_us,
        paid_at_us=row_.paid_at_us,
        zone=row_.zone,
        addresses=purchase.addresses,
        lots=[
            PurchasedLot(
                award_id=award.award_id,
                lot_id=award.lot_id,
                title=award.goods.title,
                state=award.state,
                hammer_minor=lines[award.award_id].hammer_minor,
                premium_minor=lines[award.award_id].premium_minor,
                freight_minor=lines[award.award_id].freight_minor,
                tax_minor=lines[award.award_id].tax_minor,
                total_minor=lines[award.award_id].total_minor,
                funded_at_us=award.funded_at_us,
                handed_over_at_us=award.handed_over_at_us,
                accepted_at_us=award.accepted_at_us,
            )
            for award in purchase.awards
            if award.award_id in lines
        ],
    )


def _buyer(request: web.Request) -> BidderId:
    return BidderId(signed_in(request).organisation_id)
