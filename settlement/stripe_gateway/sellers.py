"""Money out: `settlement.ports.Sellers` at Stripe."""

import stripe

from settlement.ids import StripeId
from settlement.payment_objects import (
    AccountLink,
    ConnectedAccount,
    Page,
    Payout,
    Reversal,
    Transfer,
)
from settlement.ports import NOTHING, About
from settlement.stripe_gateway import reading
from settlement.stripe_gateway.connection import (
    Answered,
    Connection,
    answer,
    metadata,
    on_behalf,
    once,
    sendable,
)
from settlement.stripe_gateway.looking import SECOND_US, by_op_id, page_of, paged, since


class StripeSellers(Connection):
    """See the protocol."""

    async def create_account(
        self, key: str, *, email: str, country: str = "US", about: About = NOTHING
    ) -> ConnectedAccount:
        row = await answer(
            self.v1.accounts.create_async(
                {
                    "type": "express",
                    "country": country,
                    "email": email,
                    "capabilities": {"transfers": {"requested": True}},
                    "metadata": metadata(key, about),
                },
                once(key),
            )
        )
        return reading.account(row)

    async def account(self, account_id: StripeId) -> ConnectedAccount:
        return reading.account(await answer(self.v1.accounts.retrieve_async(account_id)))

    async def find_account(self, key: str, *, since_us: int) -> ConnectedAccount | None:
        async def page(after: str | None) -> stripe.ListObject[stripe.Account]:
            params: stripe.params.AccountListParams = {"created": {"gte": since(since_us)["gte"]}}
            return await self.v1.accounts.list_async(page_of(params, after))

        row = await by_op_id(page, key)
        return None if row is None else reading.account(row)

    async def onboarding_link(
        self, account_id: StripeId, *, return_url: str, refresh_url: str
    ) -> AccountLink:
        row = await answer(
            self.v1.account_links.create_async(
                {
                    "account": account_id,
                    "type": "account_onboarding",
                    "return_url": return_url,
                    "refresh_url": refresh_url,
                }
            )
        )
        return AccountLink(row["url"], row["expires_at"] * SECOND_US)

    async def transfer(
        self,
        key: str,
        *,
        account_id: StripeId,
        amount_minor: int,
        currency: str,
        source_charge_id: StripeId | None,
        group: str | None = None,
        about: About = NOTHING,
    ) -> Transfer:
        params: stripe.params.TransferCreateParams = {
            "amount": sendable(amount_minor),
            "currency": currency.lower(),
            "destination": account_id,
            "metadata": metadata(key, about),
        }
        if source_charge_id is not None:
            params["source_transaction"] = source_charge_id
        if group is not None:
            params["transfer_group"] = group
        return reading.transfer(await answer(self.v1.transfers.create_async(params, once(key))))

    async def transfer_of(self, transfer_id: StripeId) -> Transfer:
        return reading.transfer(await answer(self.v1.transfers.retrieve_async(transfer_id)))

    async def find_transfer(self, key: str, group: str) -> Transfer | None:
        async def page(after: str | None) -> stripe.ListObject[stripe.Transfer]:
            params: stripe.params.TransferListParams = {"transfer_group": group}
            return await self.v1.transfers.list_async(page_of(params, after))

        row = await by_op_id(page, key)
        return None if row is None else reading.transfer(row)

    async def reverse(
        self, key: str, transfer_id: StripeId, *, amount_minor: int, about: About = NOTHING
    ) -> Reversal:
        row = await answer(
            self.v1.transfers.reversals.create_async(
                transfer_id,
                {"amount": sendable(amount_minor), "metadata": metadata(key, about)},
                once(key),
            )
        )
        return reading.reversal(row)

    async def reversals(self, transfer_id: StripeId) -> tuple[Reversal, ...]:
        asked = self.v1.transfers.reversals.list_async(transfer_id, {"limit": 100})
        return tuple(map(reading.reversal, (await answer(asked))["data"]))

    async def find_reversal(self, key: str, transfer_id: StripeId) -> Reversal | None:
        async def page(after: str | None) -> Answered:
            params: stripe.params.TransferReversalListParams = {}
            return await self.v1.transfers.reversals.list_async(transfer_id, page_of(params, after))

        row = await by_op_id(page, key)
        return None if row is None else reading.reversal(row)

    async def pay_out(
        self, key: str, *, amount_minor: int, currency: str, about: About = NOTHING
    ) -> Payout:
        row = await answer(
            self.v1.payouts.create_async(
                {
                    "amount": sendable(amount_minor),
                    "currency": currency.lower(),
                    "metadata": metadata(key, about),
                },
                once(key),
            )
        )
        return reading.payout(row)

    async def payout(self, payout_id: StripeId, *, account_id: StripeId | None = None) -> Payout:
        asked = self.v1.payouts.retrieve_async(payout_id, {}, on_behalf(account_id))
        return reading.payout(await answer(asked))

    async def payouts(
        self,
        *,
        account_id: StripeId | None = None,
        since_us: int = 0,
        after: StripeId | None = None,
        limit: int = 100,
    ) -> Page[Payout]:
        params: stripe.params.PayoutListParams = {"created": {"gte": since(since_us)["gte"]}}
        asked = self.v1.payouts.list_async(page_of(params, after, limit), on_behalf(account_id))
        return paged(await answer(asked), reading.payout)

    async def find_payout(self, key: str, *, since_us: int) -> Payout | None:
        async def page(after: str | None) -> stripe.ListObject[stripe.Payout]:
            params: stripe.params.PayoutListParams = {"created": {"gte": since(since_us)["gte"]}}
            return await self.v1.payouts.list_async(page_of(params, after))

        row = await by_op_id(page, key)
        return None if row is None else reading.payout(row)

    async def payout_interval(self) -> str:
        return reading.interval_of(await answer(self.v1.accounts.retrieve_current_async()))

    async def pay_out_by_hand(self, key: str) -> str:
        row = await answer(
            self.v1.balance_settings.update_async(
                {"payments": {"payouts": {"schedule": {"interval": "manual"}}}}, once(key)
            )
        )
        payouts = (row.get("payments") or {}).get("payouts") or {}
        return str((payouts.get("schedule") or {}).get("interval") or "")
