"""Freight for a lot to a reseller's address: quoted before bidding, and kept for the bid."""

from collections.abc import Callable, Sequence
from typing import Annotated

import structlog
from msgspec import Meta, Struct

from accounts.directory import standing_of
from accounts.identity import Identity
from auction.catalog.freight import Destination, FreightQuotes, NoQuote, QuoteLine, Service
from auction.catalog.goods import FreightTerms
from auction.catalog.quotes import KeptQuote, keep_quote, read_quote, shipment_of
from auction.ids import BidderId, LotId, SaleId
from bidder_gateway.lots import lot_in_sight
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.sight import onlooker_of
from foundation.database import Pool, acquire, transaction
from foundation.http.problems import UNAVAILABLE
from foundation.http.reading import Input

_logger = structlog.get_logger(__name__)


class FreightAsked(Input):
    """Where the goods go, and what it takes to unload them there.

    Without ``postal_code``: to the reseller's own address.
    """

    postal_code: Annotated[str, Meta(pattern=r"\A[0-9]{5}\Z")] | None = None
    liftgate: bool = False
    residential: bool = False
    limited_access: bool = False
    appointment: bool = False


class FreightOffer(Struct, frozen=True, kw_only=True):
    """What freight comes to until ``expires_at_us``. A bid names it by ``quote_id``.

    ``service`` BUYER: the buyer sends a truck, and pays us nothing for it.
    """

    quote_id: str
    sale_id: SaleId
    lot_id: LotId
    destination: Destination
    amount_minor: int
    currency: str
    terms: FreightTerms
    service: Service
    lines: Sequence[QuoteLine]
    miles: int | None
    basis: str
    expires_at_us: int


class FreightOffers:
    """Asks for quotes and keeps them; `bidder_gateway.ports.BidFreight` over what was kept."""

    def __init__(self, pool: Pool, quotes: FreightQuotes, now_us: Callable[[], int]) -> None:
        self._pool, self._quotes, self._now_us = pool, quotes, now_us

    async def offer(
        self, identity: Identity, sale_id: SaleId, lot_id: LotId, asked: FreightAsked
    ) -> FreightOffer:
        """A quote for this lot. Raises `Refused`: NOT_FOUND, NO_ADDRESS, NO_FREIGHT."""
        async with acquire(self._pool) as connection:
            lot = await lot_in_sight(connection, sale_id, lot_id, onlooker_of(identity))
        if lot is None:
            raise Refused(Refusal.NOT_FOUND)
        destination = await self._destination(identity, asked)
        try:
            quote = await self._quotes.quote(shipment_of(lot), destination, self._now_us())
        except (OSError, TimeoutError) as error:  # the carrier's, not ours
            _logger.warning("no_freight_quote", sale_id=sale_id, lot_id=lot_id, error=repr(error))
            raise UNAVAILABLE("There is no price for freight yet; ask again in a moment.") from None
        if isinstance(quote, NoQuote):
            raise Refused(Refusal.NO_FREIGHT, detail=quote.message)
        bidder_id = BidderId(identity.organisation_id)
        async with transaction(self._pool) as connection:
            kept = await keep_quote(connection, bidder_id, lot, destination, quote)
        return _offer(sale_id, lot_id, kept)

    async def _destination(self, identity: Identity, asked: FreightAsked) -> Destination:
        postal_code, country = asked.postal_code, "US"
        if postal_code is None:
            standing = await standing_of(self._pool, identity.organisation_id)
            if standing is None or not _is_zip(standing.place.postal_code):
                raise Refused(Refusal.NO_ADDRESS, field="postal_code")
            postal_code, country = standing.place.postal_code[:5], standing.place.country
        return Destination(
            postal_code=postal_code,
            country=country,
            liftgate=asked.liftgate,
            residential=asked.residential,
            limited_access=asked.limited_access,
            appointment=asked.appointment,
        )

    async def of_bidder(
        self, bidder_id: BidderId, sale_id: SaleId, lot_id: LotId, quote_id: str
    ) -> KeptQuote | None:
        """A quote of this bidder for this lot that has not expired."""
        async with acquire(self._pool) as connection:
            return await read_quote(
                connection, quote_id, bidder_id, sale_id, lot_id, self._now_us()
            )

    async def of_quote(
        self, bidder_id: BidderId, sale_id: SaleId, lot_id: LotId, quote_id: str
    ) -> int | None:
        """See ``BidFreight``."""
        kept = await self.of_bidder(bidder_id, sale_id, lot_id, quote_id)
        return None if kept is None else kept.quote.amount_minor


def _is_zip(text: str) -> bool:
    return len(text) >= 5 and text[:5].isascii() and text[:5].isdigit()


def _offer(sale_id: SaleId, lot_id: LotId, kept: KeptQuote) -> FreightOffer:
    quote = kept.quote
    return FreightOffer(
        quote_id=kept.quote_id,
        sale_id=sale_id,
        lot_id=lot_id,
        destination=kept.destination,
        amount_minor=quote.amount_minor,
        currency=quote.currency,
        terms=quote.terms,
        service=quote.service,
        lines=quote.lines,
        miles=quote.miles,
        basis=quote.basis,
        expires_at_us=quote.expires_at_us,
    )
