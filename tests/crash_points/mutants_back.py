"""Planted bugs of money that comes back: given twice, taken twice, borne by the wrong one. Beside
those of ``mutants``."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from msgspec import structs

import settlement.payments.decisions_loss
from settlement.ids import StripeId
from settlement.operations import Operation
from settlement.payments.dispute_words import Fault
from settlement.payments.handlers_refund import RefundCharge
from settlement.payouts.returns import Returns
from settlement.payouts.reversals import Reversing


def a_lost_refund_is_made_anew() -> AbstractContextManager[object]:
    """A refund whose answer was lost is asked for again under another key."""

    async def anew(self: RefundCharge, op: Operation) -> object:
        return await self._provider.refund(
            f"{op.idempotency_key}:{op.claims}",
            charge_id=StripeId(op.arguments["charge_id"]),
            amount_minor=op.arguments["amount_minor"],
            currency=op.arguments["currency"],
            about={"invoice_id": op.arguments["invoice_id"]},
        )

    return patch.object(RefundCharge, "call", anew)


def a_lost_reversal_is_made_anew() -> AbstractContextManager[object]:
    """A seller's money is taken back twice, since nobody heard that it was taken."""

    async def anew(self: Reversing, op: Operation) -> object:
        return await self._provider.reverse(
            f"{op.idempotency_key}:{op.claims}",
            StripeId(op.arguments["transfer_id"]),
            amount_minor=op.arguments["amount_minor"],
            about={"award": op.arguments["award_id"]},
        )

    return patch.object(Reversing, "_reverse", anew)


def what_came_back_stays_sent() -> AbstractContextManager[object]:
    """Staff type in what the bank sent back of a file, and nothing follows from it."""

    async def nothing(*_: Any) -> None:
        pass

    return patch.object(Returns, "book", nothing)


def a_seller_bears_what_nobody_said() -> AbstractContextManager[object]:
    """A dispute that is lost is its seller's, whether or not staff said so."""
    loss = settlement.payments.decisions_loss
    borne = loss._borne

    def by_seller(held: Any, facts: Any, given: Any, row: Any, *more: Any) -> Any:
        return borne(held, facts, given, structs.replace(row, fault=Fault.SELLER), *more)

    return patch.object(loss, "_borne", by_seller)


def a_lost_dispute_leaves_its_lots_paid() -> AbstractContextManager[object]:
    """What a bank keeps for good of lots that are still here is released as if it were there."""
    return patch.object(settlement.payments.decisions_loss, "_is_whole", lambda *_: False)
