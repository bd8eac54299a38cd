"""Customers and what they saved: `settlement.ports.Buyers` at Stripe."""

from typing import Final, Literal

import stripe

from settlement.ids import StripeId
from settlement.payment_objects import Customer, MethodKind, SavedMethod, Setup
from settlement.ports import NOTHING, About
from settlement.stripe_gateway import reading
from settlement.stripe_gateway.connection import Connection, answer, metadata, once
from settlement.stripe_gateway.connection import found as rows_of
from settlement.stripe_gateway.looking import by_op_id, in_search, page_of

_Savable = Literal["card", "us_bank_account"]
_SAVABLE: Final[dict[MethodKind, _Savable]] = {
    MethodKind.CARD: "card",
    MethodKind.BANK_DEBIT: "us_bank_account",
}


class StripeBuyers(Connection):
    """See the protocol."""

    async def create_customer(
        self, key: str, *, email: str, name: str, about: About = NOTHING
    ) -> Customer:
        row = await answer(
            self.v1.customers.create_async(
                {"email": email, "name": name[:256], "metadata": metadata(key, about)}, once(key)
            )
        )
        return reading.customer(row)

    async def customer(self, customer_id: StripeId) -> Customer:
        return reading.customer(await answer(self.v1.customers.retrieve_async(customer_id)))

    async def find_customer(self, key: str) -> Customer | None:
        row = await in_search(self.v1.customers.search_async, key)
        return None if row is None else reading.customer(row)

    async def start_setup(
        self, key: str, *, customer_id: StripeId, kind: MethodKind, about: About = NOTHING
    ) -> Setup:
        row = await answer(
            self.v1.setup_intents.create_async(
                {
                    "customer": customer_id,
                    "allowed_payment_method_types": [_SAVABLE[kind]],
                    "usage": "off_session",
                    "metadata": metadata(key, about),
                },
                once(key),
            )
        )
        return reading.setup(row)

    async def confirm_setup(
        self,
        key: str,
        setup_id: StripeId,
        *,
        method_id: StripeId,
        return_url: str | None = None,
        address: str | None = None,
        user_agent: str | None = None,
    ) -> Setup:
        params: stripe.params.SetupIntentConfirmParams = {
            "payment_method": method_id,
            "expand": ["payment_method"],
        }
        if return_url is not None:
            params["return_url"] = return_url
        if address is not None:
            params["mandate_data"] = {
                "customer_acceptance": {
                    "type": "online",
                    "online": {"ip_address": address, "user_agent": user_agent or "unknown"},
                }
            }
        asked = self.v1.setup_intents.confirm_async(setup_id, params, once(key))
        return reading.setup(await answer(asked))

    async def setup(self, setup_id: StripeId) -> Setup:
        asked = self.v1.setup_intents.retrieve_async(setup_id, {"expand": ["payment_method"]})
        return reading.setup(await answer(asked))

    async def find_setup(self, key: str, customer_id: StripeId) -> Setup | None:
        async def page(after: str | None) -> stripe.ListObject[stripe.SetupIntent]:
            params: stripe.params.SetupIntentListParams = {"customer": customer_id}
            return await self.v1.setup_intents.list_async(page_of(params, after))

        row = await by_op_id(page, key)
        return None if row is None else reading.setup(row)

    async def cancel_setup(self, key: str, setup_id: StripeId) -> Setup:
        asked = self.v1.setup_intents.cancel_async(setup_id, {}, once(key))
        return reading.setup(await answer(asked))

    async def methods(
        self, customer_id: StripeId, kind: MethodKind, *, limit: int = 100
    ) -> tuple[SavedMethod, ...]:
        rows = await rows_of(
            self.v1.customers.payment_methods.list_async(
                customer_id, {"type": _SAVABLE[kind], "limit": limit}
            )
        )
        return tuple(map(reading.saved_method, rows))

    async def method(self, method_id: StripeId) -> SavedMethod:
        row = await answer(self.v1.payment_methods.retrieve_async(method_id))
        return reading.saved_method(row)

    async def set_default_method(
        self, key: str, customer_id: StripeId, method_id: StripeId
    ) -> Customer:
        row = await answer(
            self.v1.customers.update_async(
                customer_id,
                {"invoice_settings": {"default_payment_method": method_id}},
                once(key),
            )
        )
        return reading.customer(row)

    async def detach_method(self, key: str, method_id: StripeId) -> SavedMethod:
        row = await answer(self.v1.payment_methods.detach_async(method_id, {}, once(key)))
        return reading.saved_method(row)
