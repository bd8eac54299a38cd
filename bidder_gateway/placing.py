"""A bid over HTTP, for programs: through the same door as the live connection's (`bidding`)."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from accounts.directory import approved_among
from accounts.identity import Identity
from auction.commands import AnswerCounter
from auction.ids import BidderId, BidId, LotId, PersonId, SaleId
from auction.money import PositiveMinor
from auction.ports import Engine
from auction.rejections import Rejection
from auction.terms import STORABLE
from auction.verdicts import Acceptance, LotState, Verdict
from bidder_gateway.bidding import Bidding
from bidder_gateway.ports import Participant
from bidder_gateway.protocol import Bid, MaximumOffer, VerdictCode
from bidder_gateway.refusals import Refusal, Refused
from bidder_gateway.sight import is_known
from foundation.database import Pool, acquire
from foundation.http.reading import Input


class BidAsked(Input):
    """A bid: the most that the reseller will pay for the lot.

    ``quote_id``: the freight quote that it means to use; without it the goods are collected.
    """

    amount_minor: PositiveMinor
    currency: Annotated[str, Meta(min_length=3, max_length=3, pattern=STORABLE)]
    quote_id: Annotated[str, Meta(min_length=1, max_length=200, pattern=STORABLE)] | None = None


class CounterAnswer(Input):
    """Whether the reseller takes what the seller asks for on its bid below the reserve."""

    accepted: bool


class BidVerdict(Struct, frozen=True, kw_only=True):
    """The verdict, once it is durable. ``code``: LEADING, OUTBID, or why the bid was refused.

    ``sequence``: of the bid's event, null if rivals do not see it; ``receipt``: what proves the bid
    later, in hexadecimal; ``lot``: the lot as it stood; ``minimum_minor``: the least that would do.
    """

    bid_id: BidId
    accepted: bool
    code: VerdictCode
    message: str
    sequence: int | None
    receipt: str | None
    lot: LotState | None
    minimum_minor: int | None


# Nothing was judged, or the answer is not known: the same bid may be sent again.
SEND_AGAIN: Final = frozenset({Rejection.BUSY, Rejection.UNAVAILABLE})


class Placing:
    """Hands in bids, and answers to counter-offers."""

    def __init__(self, pool: Pool, engine: Engine, bidding: Bidding) -> None:
        self._pool, self._engine, self._bidding = pool, engine, bidding

    async def place(
        self, identity: Identity, sale_id: SaleId, lot_id: LotId, bid_id: BidId, asked: BidAsked
    ) -> BidVerdict | None:
        """The verdict; ``None``: no such sale. That the person may bid was asked at the door.

        Raises `Refused` NOT_APPROVED.
        """
        if not await self._is_known(identity, sale_id):
            return None
        organisation_id = identity.organisation_id
        if not await approved_among(self._pool, [organisation_id]):
            raise Refused(Refusal.NOT_APPROVED)
        participant = Participant(
            bidder_id=BidderId(organisation_id),
            person_id=PersonId(identity.person_id),
            name=identity.name,
            login=identity.session_id or identity.token_id or "",
            may_bid=True,
        )
        bid = Bid(
            request=0,
            sale_id=sale_id,
            lot_id=lot_id,
            bid_id=bid_id,
            offer=MaximumOffer(amount_minor=asked.amount_minor, currency=asked.currency),
            quote_id=asked.quote_id,
        )
        verdict = await self._bidding.verdict(bid, participant)
        return BidVerdict(
            bid_id=bid_id,
            accepted=verdict.code in set(Acceptance),
            code=verdict.code,
            message=verdict.message,
            sequence=verdict.sequence,
            receipt=None if verdict.receipt is None else verdict.receipt.hex(),
            lot=verdict.lot,
            minimum_minor=verdict.minimum_minor,
        )

    async def answer_counter(
        self, identity: Identity, sale_id: SaleId, lot_id: LotId, answer: CounterAnswer
    ) -> Verdict | None:
        """The engine's verdict on the answer to a counter-offer; ``None``: no such sale."""
        if not await self._is_known(identity, sale_id):
            return None
        command = AnswerCounter(
            sale_id=sale_id,
            lot_id=lot_id,
            bidder_id=BidderId(identity.organisation_id),
            accepted=answer.accepted,
        )
        return await self._engine.submit(command)

    async def _is_known(self, identity: Identity, sale_id: SaleId) -> bool:
        async with acquire(self._pool) as connection:
            return await is_known(connection, sale_id, BidderId(identity.organisation_id))
