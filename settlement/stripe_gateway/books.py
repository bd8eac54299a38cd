"""Stripe's own books, disputes and events: `settlement.ports.Books` at Stripe."""

from collections.abc import Mapping, Sequence
from typing import Any

import stripe

from settlement.ids import StripeId
from settlement.payment_objects import Balance, BalanceTransaction, Dispute, Event, Page
from settlement.stripe_gateway import reading
from settlement.stripe_gateway.connection import Connection, answer, on_behalf, once
from settlement.stripe_gateway.looking import page_of, paged, since


class StripeBooks(Connection):
    """See the protocol."""

    async def balance(self, account_id: StripeId | None = None) -> Balance:
        asked = self.v1.balance.retrieve_async({}, on_behalf(account_id))
        return reading.balance(await answer(asked))

    async def balance_transactions(
        self,
        *,
        since_us: int,
        before_us: int,
        currency: str | None = None,
        after: StripeId | None = None,
        limit: int = 100,
    ) -> Page[BalanceTransaction]:
        window: Any = since(since_us, before_us)
        params: stripe.params.BalanceTransactionListParams = {"created": window}
        if currency is not None:
            params["currency"] = currency.lower()
        row = await answer(self.v1.balance_transactions.list_async(page_of(params, after, limit)))
        return paged(row, reading.balance_transaction)

    async def balance_transaction(self, transaction_id: StripeId) -> BalanceTransaction:
        asked = self.v1.balance_transactions.retrieve_async(transaction_id)
        return reading.balance_transaction(await answer(asked))

    async def dispute(self, dispute_id: StripeId) -> Dispute:
        return reading.dispute(await answer(self.v1.disputes.retrieve_async(dispute_id)))

    async def disputes(
        self,
        *,
        payment_id: StripeId | None = None,
        since_us: int = 0,
        after: StripeId | None = None,
        limit: int = 100,
    ) -> Page[Dispute]:
        params: stripe.params.DisputeListParams = {"created": {"gte": since(since_us)["gte"]}}
        if payment_id is not None:
            params["payment_intent"] = payment_id
        row = await answer(self.v1.disputes.list_async(page_of(params, after, limit)))
        return paged(row, reading.dispute)

    async def answer_dispute(
        self, key: str, dispute_id: StripeId, evidence: Mapping[str, str], *, submit: bool
    ) -> Dispute:
        given: Any = dict(evidence)
        asked = self.v1.disputes.update_async(
            dispute_id, {"evidence": given, "submit": submit}, once(key)
        )
        return reading.dispute(await answer(asked))

    async def accept_dispute(self, key: str, dispute_id: StripeId) -> Dispute:
        asked = self.v1.disputes.close_async(dispute_id, {}, once(key))
        return reading.dispute(await answer(asked))

    async def event(self, event_id: StripeId) -> Event:
        return reading.event(await answer(self.v1.events.retrieve_async(event_id)))

    async def events(
        self,
        *,
        since_us: int = 0,
        before_us: int | None = None,
        types: Sequence[str] = (),
        after: StripeId | None = None,
        limit: int = 100,
    ) -> Page[Event]:
        window: Any = since(since_us, before_us)
        params: stripe.params.EventListParams = {"created": window}
        if types:
            params["types"] = list(types)
        row = await answer(self.v1.events.list_async(page_of(params, after, limit)))
        return paged(row, reading.event)
