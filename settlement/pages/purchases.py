"""A buyer's invoices, and the page of each: what it is for, how it is paid, what comes next."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.guard import signed_in
from auction.ids import BidderId
from foundation.http.answers import answer
from foundation.http.cursors import Listing, Paging
from foundation.http.forms import form_of
from foundation.http.pages import FlashKind, see_other
from foundation.http.problems import INVALID, NOT_FOUND, Problem
from foundation.http.reading import Input
from foundation.http.routes import Route
from settlement.access import (
    PAY,
    PURCHASES,
    invoice_of,
    may_pay,
    own_organisation,
    payable,
    visible_purchase,
)
from settlement.ids import AwardId, InvoiceId, StripeId
from settlement.invoice_lists import ListedInvoice, sums_to_pay
from settlement.lives import AwardState, PaymentState
from settlement.operations import Unknown
from settlement.pages.doing import PROVIDER_AWAY, done, told
from settlement.pages.room import PURCHASES as HOME
from settlement.pages.room import purchase_path, show
from settlement.payments.words import Way
from settlement.purchases import Deadlines, Purchase, is_waiting, way_words
from settlement.room import Settlement
from settlement.rows import AwardRow

_ID: Final = f"{HOME}/{{invoice_id}}"
# What a buyer can still choose a way to pay in.
CHOOSING: Final = frozenset({PaymentState.DUE, PaymentState.AWAITING_FUNDS})


class Paying(Input):
    """How a buyer pays."""

    way: Way
    method_id: Annotated[str, Meta(max_length=255, pattern=r"\A[A-Za-z0-9_]*\Z")] = ""


class Naming(Input):
    """Which lots come first."""

    award_id: list[Annotated[str, Meta(max_length=200)]]


class Stamp(Struct, frozen=True):
    """What changes when the page would."""

    stamp: str


def _list_stamp(listed: Sequence[ListedInvoice]) -> str:
    """What changes when an invoice comes, is paid in part or gets another state."""
    states = [(one.invoice_id, one.payment, one.open_minor, one.due_at_us) for one in listed]
    return sha256(repr(states).encode()).hexdigest()[:16]


class Lot(Struct, frozen=True):
    """An award on its buyer's page."""

    award: AwardRow
    line: Any
    deadlines: Deadlines
    steps: Sequence[tuple[str, bool]]


class PurchasePages:
    """Handlers."""

    def __init__(self, room: Settlement) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            Route("GET", HOME, self.list, "Your invoices", PURCHASES),
            Route("GET", f"{HOME}/stamp", self.list_stamp, "Whether it is current", PURCHASES),
            Route("GET", _ID, told(self.show), "An invoice, and how it is paid", PURCHASES),
            Route("GET", f"{_ID}/stamp", self.stamp, "Whether its page is current", PURCHASES),
            Route("POST", f"{_ID}/pay", self.pay, "Pay it this way", PAY),
            Route("POST", f"{_ID}/first", self.first, "Which lots come first", PAY),
            Route("GET", f"{_ID}/confirm", told(self.confirm), "Confirm with your bank", PAY),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases."""
        buyer_id = BidderId(own_organisation(request))
        paging, found = await self._listed(request)
        return show(
            request,
            "purchases.html",
            found=found.items,
            charges=await self._room.charges.of_buyer(buyer_id, only_open=True),
            pays=may_pay(request, buyer_id),
            stamp=_list_stamp(found.items),
            stamp_href=f"{HOME}/stamp" + (f"?cursor={paging.cursor}" if paging.cursor else ""),
            sums=sums_to_pay(found.items),
            now_us=self._room.now_us(),
            next_href=f"{HOME}?cursor={found.next_cursor}" if found.next_cursor else "",
            first_href=HOME if paging.cursor else "",
        )

    async def list_stamp(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/stamp: an invoice may have come, or have been paid."""
        _, found = await self._listed(request)
        return answer(request, Stamp(_list_stamp(found.items)))

    async def _listed(self, request: web.Request) -> tuple[Paging, Listing[ListedInvoice]]:
        buyer_id = own_organisation(request)
        paging = Paging(limit=50, cursor=request.query.get("cursor"))
        try:
            found = await self._room.lists.of_buyer(buyer_id, paging)
        except Problem:
            paging.cursor = None
            found = await self._room.lists.of_buyer(buyer_id, paging)
        return paging, found

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /purchases/{invoice_id}; with ``payment_intent``: back from the bank, and what it
        said is read from the provider, not from the address."""
        invoice_id = await self._visible(request)
        if "payment_intent" in request.query:
            await self._room.purchases.looked_at(invoice_id)
            said = "We are asking what your bank said. This page shows it in a moment."
            return see_other(purchase_path(invoice_id), said, FlashKind.INFO)
        purchase = await self._room.purchases.read(invoice_id)
        lines = {line.award_id: line for line in purchase.invoice.invoice.lines}
        deadlines = await self._room.purchases.deadlines(purchase)
        lots = [
            Lot(
                award,
                lines[award.award_id],
                deadlines[award.award_id],
                steps_of(award),
            )
            for award in purchase.awards
            if award.award_id in lines
        ]
        return show(
            request,
            "purchase.html",
            purchase=purchase,
            invoice=purchase.invoice,
            lots=lots,
            pays=may_pay(request, purchase.invoice.invoice.buyer_id),
            choosing=purchase.invoice.payment in CHOOSING and not _under_way(purchase),
            waiting=is_waiting(purchase.invoice.payment),
            way_words=way_words,
            now_us=self._room.now_us(),
            papers=await self._room.papers.of_invoice(invoice_id),
        )

    async def stamp(self, request: web.Request) -> web.StreamResponse:
        """GET .../stamp: asked while something goes on by itself."""
        stamp = await self._room.purchases.stamp(await self._visible(request))
        if stamp is None:
            raise NOT_FOUND()
        return answer(request, Stamp(stamp))

    async def pay(self, request: web.Request) -> web.StreamResponse:
        """POST .../pay."""
        form = await form_of(request, Paying)
        invoice_id = await self._payable(request)
        if form.valid is None:
            raise INVALID("Choose how to pay.")
        given = form.valid
        method_id = StripeId(given.method_id) if given.method_id else None
        work = self._room.purchases.pay(invoice_id, given.way, method_id)
        return await done(work, purchase_path(invoice_id), _SAID[given.way])

    async def first(self, request: web.Request) -> web.StreamResponse:
        """POST .../first."""
        form = await form_of(request, Naming)
        invoice_id = await self._payable(request)
        if form.valid is None:
            return see_other(
                purchase_path(invoice_id), "Choose at least one lot.", FlashKind.WARNING
            )
        chosen = [AwardId(award_id) for award_id in form.valid.award_id]
        by = signed_in(request).person_id
        work = self._room.purchases.name_lots(invoice_id, chosen, by)
        said = "What you send next pays these lots first."
        return await done(work, purchase_path(invoice_id), said)

    async def confirm(self, request: web.Request) -> web.StreamResponse:
        """GET .../confirm: on to the bank's own page, if it wants the buyer there."""
        invoice_id = await self._payable(request)
        purchase = await self._room.purchases.read(invoice_id)
        try:
            url = await self._room.purchases.action_url(purchase)
        except Unknown:
            return see_other(purchase_path(invoice_id), PROVIDER_AWAY, FlashKind.WARNING)
        if url is None:
            said = "There is nothing to confirm any more."
            return see_other(purchase_path(invoice_id), said, FlashKind.INFO)
        raise web.HTTPSeeOther(url)

    async def _visible(self, request: web.Request) -> InvoiceId:
        invoice_id = invoice_of(request)
        visible_purchase(request, await self._room.purchases.buyer_of(invoice_id))
        return invoice_id

    async def _payable(self, request: web.Request) -> InvoiceId:
        invoice_id = invoice_of(request)
        payable(request, await self._room.purchases.buyer_of(invoice_id))
        return invoice_id


_SAID: Final = {
    Way.CARD: "Your card is being asked. This page shows what it says.",
    Way.DEBIT: "Your bank is being asked. A debit takes some business days.",
    Way.TRANSFER: "Send the money to the account below. What arrives is shown here.",
}


def _under_way(purchase: Purchase) -> bool:
    return purchase.invoice.payment is PaymentState.AWAITING_FUNDS and any(
        tried.way is Way.DEBIT and tried.state == "PENDING" for tried in purchase.tries
    )


def steps_of(award: AwardRow) -> list[tuple[str, bool]]:
    """What an award still has before it, for its buyer: words, and whether it is done."""
    if award.state in (AwardState.VOID, AwardState.CANCELLED):
        return []
    paid = award.funded_at_us is not None
    handed = award.handed_over_at_us is not None
    accepted = award.accepted_at_us is not None
    fetched = "Picked up" if award.award.ships_to is None else "Delivered"
    return [("Won", True), ("Paid", paid), (fetched, handed), ("Accepted", accepted)]
