"""Refunds, and the buyers' own money at Stripe: the rest of `settlement.ports.Payments`."""

import stripe

from settlement.ids import StripeId
from settlement.payment_objects import BankAddress, CashBalance, CashMovement, Page, Payment, Refund
from settlement.ports import NOTHING, About
from settlement.stripe_gateway import reading
from settlement.stripe_gateway.connection import Connection, answer, metadata, once, sendable
from settlement.stripe_gateway.looking import by_op_id, page_of, paged, since


class StripeMoneyBack(Connection):
    """See the protocol."""

    async def refund(
        self,
        key: str,
        *,
        charge_id: StripeId,
        amount_minor: int,
        currency: str,
        about: About = NOTHING,
    ) -> Refund:
        # The charge's currency is the refund's; ours is named so that nobody mixes the two up.
        row = await answer(
            self.v1.refunds.create_async(
                {
                    "charge": charge_id,
                    "amount": sendable(amount_minor),
                    "metadata": {**metadata(key, about), "currency": currency},
                },
                once(key),
            )
        )
        return reading.refund(row)

    async def refund_cash(
        self,
        key: str,
        *,
        customer_id: StripeId,
        amount_minor: int,
        currency: str,
        email: str,
        about: About = NOTHING,
    ) -> Refund:
        row = await answer(
            self.v1.refunds.create_async(
                {
                    "amount": sendable(amount_minor),
                    "currency": currency.lower(),
                    "customer": customer_id,
                    "origin": "customer_balance",
                    "instructions_email": email,
                    "metadata": metadata(key, about),
                },
                once(key),
            )
        )
        return reading.refund(row)

    async def refund_of(self, refund_id: StripeId) -> Refund:
        return reading.refund(await answer(self.v1.refunds.retrieve_async(refund_id)))

    async def find_refund(
        self, key: str, *, charge_id: StripeId | None = None, since_us: int = 0
    ) -> Refund | None:
        async def page(after: str | None) -> stripe.ListObject[stripe.Refund]:
            params: stripe.params.RefundListParams = {}
            if charge_id is not None:
                params["charge"] = charge_id
            if since_us:
                params["created"] = {"gte": since(since_us)["gte"]}
            return await self.v1.refunds.list_async(page_of(params, after))

        row = await by_op_id(page, key)
        return None if row is None else reading.refund(row)

    async def reconcile_by_hand(self, key: str, customer_id: StripeId) -> CashBalance:
        row = await answer(
            self.v1.customers.cash_balance.update_async(
                customer_id, {"settings": {"reconciliation_mode": "manual"}}, once(key)
            )
        )
        return reading.cash_balance(row)

    async def apply_cash(self, key: str, payment_id: StripeId, *, amount_minor: int) -> Payment:
        asked = self.v1.payment_intents.apply_customer_balance_async(
            payment_id,
            {"amount": sendable(amount_minor), "expand": ["latest_charge.balance_transaction"]},
            once(key),
        )
        return reading.payment(await answer(asked))

    async def cash(self, customer_id: StripeId) -> CashBalance:
        asked = self.v1.customers.cash_balance.retrieve_async(customer_id)
        return reading.cash_balance(await answer(asked))

    async def cash_movements(
        self, customer_id: StripeId, *, after: StripeId | None = None, limit: int = 100
    ) -> Page[CashMovement]:
        params: stripe.params.CustomerCashBalanceTransactionListParams = {}
        row = await answer(
            self.v1.customers.cash_balance_transactions.list_async(
                customer_id, page_of(params, after, limit)
            )
        )
        return paged(row, reading.cash_movement)

    async def bank_addresses(
        self, key: str, customer_id: StripeId, currency: str
    ) -> tuple[BankAddress, ...]:
        row = await answer(
            self.v1.customers.funding_instructions.create_async(
                customer_id,
                {
                    "currency": currency.lower(),
                    "funding_type": "bank_transfer",
                    "bank_transfer": {"type": "us_bank_transfer"},
                },
                once(key),
            )
        )
        return reading.bank_addresses(row["bank_transfer"]["financial_addresses"])
