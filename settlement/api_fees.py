"""The API of charges as buyers pay them, and of fees for lots that were not paid, as staff see to
them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from accounts.http.common import actor_of
from accounts.http.guard import require
from accounts.ids import OrganisationId
from accounts.permissions import Action
from auction.ids import BidderId, SaleId
from foundation.http.answers import answer
from foundation.http.reading import Input, body_of
from foundation.http.routes import Handler, Route
from settlement.access import ACT, PAY, PURCHASES, STAFF, joined_of, own_organisation
from settlement.after_default.fee_desk import FeeDesk, OwedFee, Why
from settlement.after_default.hand_deposits import Fate, HandDeposit, HandDeposits
from settlement.after_default.words import AfterRefusal as A
from settlement.api_common import row
from settlement.api_refusals import BOOKING
from settlement.pickups.charge_table import Charge
from settlement.pickups.charges import Charges
from settlement.pickups.words import PickupRefusal as R

_OPEN: Final = (R.NOT_OPEN, R.CARD_IS_ASKED)
_BY_CARD: Final = (*_OPEN, R.NO_CARD, R.BELOW_LEAST, R.TOO_MANY)


class AskedFeeWriteOff(Input):
    """Why a fee need not be paid."""

    version: Annotated[int, Meta(ge=1, le=2**31)]
    why: Why


class DecidedDeposit(Input):
    """What becomes of a deposit that staff had recorded by hand."""

    fate: Fate
    why: Why


class HandDepositsSeen(Struct, frozen=True):
    """Deposits that nobody has decided about, the oldest first."""

    items: Sequence[HandDeposit]


class OpenCharges(Struct, frozen=True):
    """What a buyer is to pay beside its invoices, the latest first."""

    items: Sequence[Charge]


class OwedFees(Struct, frozen=True):
    """Fees that are open, the oldest first."""

    items: Sequence[OwedFee]


class FeesApi:
    """Handlers."""

    def __init__(self, charges: Charges, desk: FeeDesk, deposits: HandDeposits) -> None:
        self._charges, self._desk, self._deposits = charges, desk, deposits

    def routes(self) -> list[Route]:
        """Their rows."""
        own, fee = "/purchases/charges/{charge_id}", "/fees/{charge_id}"
        return [
            row("GET", "/purchases/charges", self.own_charges, "Your open charges", PURCHASES,
                answer=OpenCharges),
            row("POST", f"{own}/card-payment", self.pay_charge_by_card, "Your card pays it", PAY,
                *_BY_CARD, answer=Charge),
            row("POST", f"{own}/credit-payment", self.pay_charge_from_credit, "Your credit pays it",
                PAY, *_OPEN, R.BAD_AMOUNT, *BOOKING, answer=Charge),
            row("GET", "/fees", self.fees, "Fees for lots that were not paid", STAFF,
                answer=OwedFees),
            _act(f"{fee}/card-payment", self.ask_card_for_fee, "Ask the buyer's card", *_BY_CARD),
            _act(f"{fee}/write-off", self.ask_fee_write_off, "Ask to give it up", R.NOT_OPEN,
                 R.CHANGED_MEANWHILE, R.WHY_NEEDED, R.WRITE_OFF_IS_ASKED, body=AskedFeeWriteOff),
            _act(f"{fee}/write-off/agreement", self.agree_fee_write_off, "Agree, as another person",
                 *_OPEN, R.NO_WRITE_OFF_ASKED, R.SAME_PERSON),
            _act(f"{fee}/write-off/refusal", self.refuse_fee_write_off, "It stays to be paid",
                 R.NOT_OPEN, R.NO_WRITE_OFF_ASKED),
            row("GET", "/hand-deposits", self.hand_deposits, "Deposits of who did not pay",
                STAFF, answer=HandDepositsSeen),
            row("POST", "/hand-deposits/{sale_id}/{buyer_id}/decision", self.decide_hand_deposit,
                "Say what becomes of one", ACT, A.ANSWERED_OTHERWISE, A.REASON_NEEDED,
                A.TOO_LITTLE_CREDIT, *BOOKING, body=DecidedDeposit, answer=HandDeposit),
        ]  # fmt: skip

    async def hand_deposits(self, request: web.Request) -> web.StreamResponse:
        """GET .../hand-deposits."""
        return answer(request, HandDepositsSeen(await self._deposits.waiting()))

    async def decide_hand_deposit(self, request: web.Request) -> web.StreamResponse:
        """POST .../hand-deposits/{sale_id}/{buyer_id}/decision."""
        given = await body_of(request, DecidedDeposit)
        sale_id = SaleId(joined_of(request, "sale_id"))
        buyer_id = BidderId(joined_of(request, "buyer_id"))
        by = actor_of(request)
        decided = await self._deposits.decide(by, sale_id, buyer_id, given.fate, given.why)
        return answer(request, decided)

    async def own_charges(self, request: web.Request) -> web.StreamResponse:
        """GET .../purchases/charges."""
        buyer_id = BidderId(own_organisation(request))
        return answer(request, OpenCharges(await self._charges.of_buyer(buyer_id, only_open=True)))

    async def pay_charge_by_card(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/charges/{charge_id}/card-payment: whether it pays is known later."""
        charge_id, buyer_id = joined_of(request, "charge_id"), _payer(request)
        paid = await self._charges.pay_by_card(charge_id, actor_of(request), buyer_id)
        return answer(request, paid)

    async def pay_charge_from_credit(self, request: web.Request) -> web.StreamResponse:
        """POST .../purchases/charges/{charge_id}/credit-payment: as far as it goes."""
        charge_id, buyer_id = joined_of(request, "charge_id"), _payer(request)
        paid = await self._charges.pay_from_credit(charge_id, actor_of(request), buyer_id)
        return answer(request, paid)

    async def fees(self, request: web.Request) -> web.StreamResponse:
        """GET .../fees."""
        return answer(request, OwedFees(await self._desk.owed()))

    async def ask_card_for_fee(self, request: web.Request) -> web.StreamResponse:
        """POST .../fees/{charge_id}/card-payment."""
        charge_id = joined_of(request, "charge_id")
        return answer(request, await self._charges.pay_by_card(charge_id, actor_of(request)))

    async def ask_fee_write_off(self, request: web.Request) -> web.StreamResponse:
        """POST .../fees/{charge_id}/write-off."""
        given, charge_id = await body_of(request, AskedFeeWriteOff), joined_of(request, "charge_id")
        by = actor_of(request)
        asked = await self._desk.ask_write_off(by, charge_id, given.version, given.why)
        return answer(request, asked)

    async def agree_fee_write_off(self, request: web.Request) -> web.StreamResponse:
        """POST .../fees/{charge_id}/write-off/agreement: by another person than who asked."""
        charge_id = joined_of(request, "charge_id")
        return answer(request, await self._desk.decide(actor_of(request), charge_id, agrees=True))

    async def refuse_fee_write_off(self, request: web.Request) -> web.StreamResponse:
        """POST .../fees/{charge_id}/write-off/refusal."""
        charge_id = joined_of(request, "charge_id")
        return answer(request, await self._desk.decide(actor_of(request), charge_id, agrees=False))


def _payer(request: web.Request) -> BidderId:
    buyer_id = own_organisation(request)
    require(request, Action.PAY_PURCHASES, OrganisationId(buyer_id))
    return BidderId(buyer_id)


def _act(path: str, handler: Handler, summary: str, *refusals: Any, **more: Any) -> Route:
    return row("POST", path, handler, summary, ACT, *refusals, answer=Charge, **more)
