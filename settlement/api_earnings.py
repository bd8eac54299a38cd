"""The API of what sellers and consignors get: what they sold, what is owed, and what was paid."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

from accounts.http.guard import signed_in
from accounts.identity import Identity, OrganisationKind
from foundation.database import Pool, acquire
from foundation.http.answers import answer
from foundation.http.cursors import Listing, Paging
from foundation.http.problems import NOT_FOUND
from foundation.http.reading import query_of
from foundation.http.routes import Route
from settlement.access import EARNINGS
from settlement.api_common import row
from settlement.invoice_lists import InvoiceLists, ListedAward
from settlement.papers.listing import (
    Offered,
    advices_of,
    statements_of_consignor,
    statements_of_liquidator,
)
from settlement.payouts.payments_made import Made, Owed
from settlement.payouts.room import PayoutRoom


class SoldQuery(Paging):
    """As which consignor, of those that one consigns as; without it, the first of them."""

    payee_id: str | None = None


class EarningPapers(Struct, frozen=True):
    """Statements of sales and advices of payouts, as documents."""

    items: Sequence[Offered]


class EarningsApi:
    """Handlers."""

    def __init__(self, pool: Pool, lists: InvoiceLists, payouts: PayoutRoom) -> None:
        self._pool, self._lists, self._payouts = pool, lists, payouts

    def routes(self) -> list[Route]:
        """Their rows."""
        return [
            row("GET", "/earnings/sold", self.sold, "What you sold, and how far it is",
                EARNINGS, NOT_FOUND, query=SoldQuery, answer=Listing[ListedAward]),
            row("GET", "/earnings/owed", self.owed, "What you are still to get", EARNINGS,
                query=Paging, answer=Listing[Owed]),
            row("GET", "/earnings/paid", self.paid, "What you were sent", EARNINGS,
                query=Paging, answer=Listing[Made]),
            row("GET", "/earnings/papers", self.papers, "Your statements and advices",
                EARNINGS, answer=EarningPapers),
        ]  # fmt: skip

    async def sold(self, request: web.Request) -> web.StreamResponse:
        """GET .../earnings/sold: a liquidator's lots, or a consignor's."""
        asked, identity = query_of(request, SoldQuery), signed_in(request)
        own = await self._payees(request)
        payee_id = asked.payee_id or (own[0] if own else identity.organisation_id)
        if asked.payee_id is not None and asked.payee_id not in own:
            raise NOT_FOUND()
        sells = _sells(identity) and payee_id == identity.organisation_id
        party = "liquidator_id" if sells else "consignor_id"
        return answer(request, await self._lists.awards_of(party, payee_id, asked))

    async def owed(self, request: web.Request) -> web.StreamResponse:
        """GET .../earnings/owed."""
        paging, payees = query_of(request, Paging), await self._payees(request)
        return answer(request, await self._payouts.payments.page_owed(paging, payees))

    async def paid(self, request: web.Request) -> web.StreamResponse:
        """GET .../earnings/paid."""
        paging, payees = query_of(request, Paging), await self._payees(request)
        return answer(request, await self._payouts.payments.page_made(paging, payees))

    async def papers(self, request: web.Request) -> web.StreamResponse:
        """GET .../earnings/papers."""
        identity = signed_in(request)
        payees = await self._payees(request)
        offered: list[Offered] = []
        async with acquire(self._pool) as connection:
            if _sells(identity):
                offered += await statements_of_liquidator(connection, identity.organisation_id)
            for payee_id in payees:
                if payee_id != identity.organisation_id:
                    offered += await statements_of_consignor(connection, payee_id)
                offered += await advices_of(connection, payee_id)
        return answer(request, EarningPapers(offered))

    async def _payees(self, request: web.Request) -> list[str]:
        return await self._payouts.payees.of_organisation(signed_in(request).organisation_id)


def _sells(identity: Identity) -> bool:
    return identity.organisation_kind is OrganisationKind.LIQUIDATOR
