"""Money in: `settlement.ports.Payments` at Stripe, but for what goes back."""

from typing import Any, Final

import stripe

from settlement.ids import StripeId
from settlement.payment_objects import OP_ID, Charge, MethodKind, Payment
from settlement.ports import NOTHING, About
from settlement.stripe_gateway import reading
from settlement.stripe_gateway.connection import Connection, answer, metadata, once, sendable
from settlement.stripe_gateway.connection import found as rows_of
from settlement.stripe_gateway.looking import by_op_id, in_search, page_of

# The charge behind a payment, with what it cost.
_CHARGE: Final = ["latest_charge.balance_transaction"]

_TRANSFER_TYPES = {"USD": "us_bank_transfer", "GBP": "gb_bank_transfer"}


class StripePayments(Connection):
    """See the protocol."""

    async def create_payment(
        self,
        key: str,
        *,
        amount_minor: int,
        currency: str,
        customer_id: StripeId,
        kind: MethodKind,
        group: str | None = None,
        about: About = NOTHING,
    ) -> Payment:
        params: stripe.params.PaymentIntentCreateParams = {
            "amount": sendable(amount_minor),
            "currency": currency.lower(),
            "customer": customer_id,
            "allowed_payment_method_types": [kind.value],
            "metadata": metadata(key, about),
        }
        if group is not None:
            params["transfer_group"] = group
        if kind is MethodKind.CARD:
            params["capture_method"] = "manual"
        elif kind is MethodKind.BANK_TRANSFER:
            params |= _by_transfer(currency)
        return reading.payment(
            await answer(self.v1.payment_intents.create_async(params, once(key)))
        )

    async def confirm_payment(
        self,
        key: str,
        payment_id: StripeId,
        *,
        method_id: StripeId,
        off_session: bool = True,
        return_url: str | None = None,
    ) -> Payment:
        params: stripe.params.PaymentIntentConfirmParams = {
            "payment_method": method_id,
            "expand": _CHARGE,
        }
        if off_session:
            params["off_session"] = True
        if return_url is not None:
            params["return_url"] = return_url
        asked = self.v1.payment_intents.confirm_async(payment_id, params, once(key))
        return reading.payment(await answer(asked))

    async def capture_payment(
        self, key: str, payment_id: StripeId, *, amount_minor: int | None = None
    ) -> Payment:
        # Not `op_id`, by which its creation is found.
        params: stripe.params.PaymentIntentCaptureParams = {
            "metadata": {f"capture_{OP_ID}": key},
            "expand": _CHARGE,
        }
        if amount_minor is not None:
            params["amount_to_capture"] = sendable(amount_minor)
        asked = self.v1.payment_intents.capture_async(payment_id, params, once(key))
        return reading.payment(await answer(asked))

    async def cancel_payment(self, key: str, payment_id: StripeId) -> Payment:
        asked = self.v1.payment_intents.cancel_async(payment_id, {"expand": _CHARGE}, once(key))
        return reading.payment(await answer(asked))

    async def change_amount(self, key: str, payment_id: StripeId, *, amount_minor: int) -> Payment:
        asked = self.v1.payment_intents.update_async(
            payment_id, {"amount": sendable(amount_minor)}, once(key)
        )
        return reading.payment(await answer(asked))

    async def payment(self, payment_id: StripeId) -> Payment:
        asked = self.v1.payment_intents.retrieve_async(payment_id, {"expand": _CHARGE})
        return reading.payment(await answer(asked))

    async def find_payment(self, key: str, customer_id: StripeId | None = None) -> Payment | None:
        async def page(after: str | None) -> stripe.ListObject[stripe.PaymentIntent]:
            params: stripe.params.PaymentIntentListParams = {"customer": customer_id or ""}
            return await self.v1.payment_intents.list_async(page_of(params, after))

        if customer_id is None:
            row = await in_search(self.v1.payment_intents.search_async, key)
        else:
            row = await by_op_id(page, key)
        return None if row is None else reading.payment(row)

    async def charge(self, charge_id: StripeId) -> Charge:
        asked = self.v1.charges.retrieve_async(charge_id, {"expand": ["balance_transaction"]})
        return reading.charge(await answer(asked))

    async def charges(self, payment_id: StripeId, *, limit: int = 100) -> tuple[Charge, ...]:
        rows = await rows_of(
            self.v1.charges.list_async(
                {
                    "payment_intent": payment_id,
                    "limit": limit,
                    "expand": ["data.balance_transaction"],
                }
            )
        )
        return tuple(map(reading.charge, rows))


def _by_transfer(currency: str) -> Any:
    """It waits for the buyer's money from the start, at an account of the buyer's own."""
    transfer: Any = {"type": _TRANSFER_TYPES.get(currency, "eu_bank_transfer")}
    if transfer["type"] == "eu_bank_transfer":
        transfer["eu_bank_transfer"] = {"country": "NL"}
    return {
        "payment_method_data": {"type": "customer_balance"},
        "payment_method_options": {
            "customer_balance": {"funding_type": "bank_transfer", "bank_transfer": transfer}
        },
        "confirm": True,
    }
