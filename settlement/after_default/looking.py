"""The operation "next_buyer": one step of the search for a buyer of a lot that is unsold again.

It is asked whenever something was answered, or a time to answer ran out, and does what
`settlement.defaults.next_step` says: ask the seller, offer the lot, award it, or give it back. The
lot's row is held, and while a question or an offer is open nothing is done, so that nobody is asked
twice, nor two at once.
"""

from collections.abc import Sequence
from typing import Any, assert_never

from msgspec import Struct

from auction.codec import decode_body
from auction.events import BidPlaced, MaximumRaised
from auction.ids import BidderId, shard_of
from auction.ports import EventLog
from auction.sale import Lot, Sale
from foundation.database import AnyConnection, Pool, acquire
from settlement.after_default import tables
from settlement.after_default.standings import Standings
from settlement.after_default.words import ENDED, Consent, MadeOffer, Unsold, UnsoldState
from settlement.award_facts import Bid, freight_of, lot_facts, read_sale
from settlement.awarding import NewAward, add_award
from settlement.defaults import (
    AskSeller,
    AwardTo,
    MakeOffer,
    Next,
    Relist,
    RunnerUp,
    Wait,
    next_step,
)
from settlement.following import invoicing
from settlement.ids import AwardId, award_id_of
from settlement.invoices import Award
from settlement.operations import SECOND_US, Again, Deadline, Operation
from settlement.policy import Policy
from settlement.rows import AwardRow, Held, policy_of, read_award
from settlement.steps import Step, Wanted, write
from settlement.story import Told
from settlement.telling import Kind, mail_to


class Found(Struct, frozen=True, kw_only=True):
    """What was read before anything is held. ``new``: the award of an offer that was accepted."""

    sale: Sale
    new: NewAward | None


class NextBuyerHandler:
    """Takes the next step for a lot."""

    def __init__(self, pool: Pool, log: EventLog) -> None:
        self._pool, self._log = pool, log
        self._standings = Standings(log)

    async def call(self, op: Operation) -> Found | None:
        """The bids as they stood, and the facts of the award that is to be made, if one is."""
        async with acquire(self._pool) as connection:
            unsold = await tables.read_unsold(connection, AwardId(op.subject))
            assert unsold is not None, "it was written with what wants this"
            offers = await tables.offers_of(connection, unsold.award_id)
        if unsold.state in ENDED:
            return None
        sale = await self._standings.of_sale(unsold.sale_id)
        taken = next((made for made in offers if made.accepted), None)
        new = None if taken is None else await self._award(unsold, taken, sale)
        return Found(sale=sale, new=new)

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> Again | None:
        """See `Handler`."""
        unsold = await tables.hold_unsold(connection, AwardId(op.subject))
        assert unsold is not None, "it was written with what wants this"
        if unsold.state in ENDED:
            return None
        assert isinstance(answer, Found), "it has not ended"
        seen = await read_award(connection, unsold.award_id)
        search = await _search(connection, unsold, seen, answer.sale)
        if search.is_open:
            return None  # whoever answers, or the end of the time to, asks again
        following = search.next(now_us)
        if isinstance(following, AwardTo) and answer.new is None:
            return Again(now_us + SECOND_US)  # it was accepted after we had looked
        step = await _carry_out(connection, search, following, answer.new, now_us)
        await write(connection, Held(None, {}), step, now_us)
        return None

    async def _award(self, unsold: Unsold, taken: MadeOffer, sale: Sale) -> NewAward:
        """The runner-up's award: its own freight, by the quote with which it had bid."""
        standing = sale.lots[unsold.lot_id].standings[taken.bidder_id]
        (logged,) = await self._log.read(shard_of(unsold.sale_id), standing.order - 1, 1)
        placed = decode_body(logged.position, logged.body)
        assert isinstance(placed.event, BidPlaced | MaximumRaised), "a bid stands by a bid"
        bid = Bid(standing.maximum_minor, standing.freight_minor, placed.at_us)
        async with acquire(self._pool) as connection:
            kept = await read_sale(connection, unsold.sale_id)
            assert kept is not None, "it was kept with its first award"
            lot = await lot_facts(connection, unsold.sale_id, unsold.lot_id)
            place = (unsold.sale_id, unsold.lot_id, taken.bidder_id)
            freight = await freight_of(connection, *place, lot.goods.freight_terms, bid)
            generation = 1 + await connection.fetchval(
                "select max(generation) from award where sale_id = $1 and lot_id = $2",
                unsold.sale_id,
                unsold.lot_id,
            )
        assert taken.answered_at_us is not None, "it was accepted"
        award = Award(
            award_id=award_id_of(unsold.sale_id, unsold.lot_id, generation),
            lot_id=unsold.lot_id,
            buyer_id=taken.bidder_id,
            ship_from=lot.ship_from,
            closed_at_us=taken.answered_at_us,
            hammer_minor=taken.price_minor,
            freight_minor=0 if freight is None else freight.amount_minor,
            ships_to=None if freight is None else freight.place,
        )
        return NewAward(award=award, generation=generation, sale=kept, lot=lot, freight=freight)


class Search(Struct, frozen=True, kw_only=True):
    """A held lot with all that the next step depends on."""

    unsold: Unsold
    void: AwardRow
    sale: Sale
    policy: Policy
    zone: str
    without: frozenset[BidderId]
    offers: Sequence[MadeOffer]
    consents: Sequence[Consent]

    @property
    def lot(self) -> Lot:
        return self.sale.lots[self.unsold.lot_id]

    @property
    def is_open(self) -> bool:
        """Whether somebody is being asked."""
        asked = [asked.consents for asked in self.consents]
        return None in (asked + [made.accepted for made in self.offers])

    def next(self, now_us: int) -> Next:
        """What becomes of it."""
        if any(asked.consents is False for asked in self.consents):
            return Relist()
        answered = {c.bidder_id: c.consents for c in self.consents if c.consents is not None}
        return next_step(
            self.lot,
            self.sale.terms,
            self.policy,
            now_us=now_us,
            without=self.without,
            offers=[made.offer for made in self.offers],
            consents=answered,
        )

    def facts(self, **more: Any) -> dict[str, Any]:
        """What mails say of the lot."""
        goods = self.void.goods
        lot = {"lot": self.unsold.lot_id, "title": goods.title, "zone": self.zone}
        return {**lot, "currency": self.unsold.currency, **more}


async def _search(connection: AnyConnection, unsold: Unsold, seen: Held, sale: Sale) -> Search:
    standings = sale.lots[unsold.lot_id].standings
    return Search(
        unsold=unsold,
        void=seen.awards[unsold.award_id],
        sale=sale,
        policy=await policy_of(connection, seen.invoiced),
        zone=seen.invoiced.zone,
        without=frozenset(await tables.without(connection, unsold, list(standings))),
        offers=await tables.offers_of(connection, unsold.award_id),
        consents=await tables.consents_of(connection, unsold.award_id),
    )


async def _carry_out(
    connection: AnyConnection, search: Search, following: Next, new: NewAward | None, now_us: int
) -> Step:
    """Write what becomes of the lot in its own tables; what is wanted and told besides."""
    unsold = search.unsold
    match following:
        case Wait():
            raise AssertionError("nothing is open")
        case AskSeller(runner_up):
            asked = _question(search, runner_up, now_us)
            await tables.ask(connection, asked)
            await tables.change(connection, unsold, UnsoldState.ASKED, now_us)
            return _asks(search, asked)
        case MakeOffer(offer):
            made = MadeOffer(
                award_id=unsold.award_id,
                turn=len(search.offers) + 1,
                bidder_id=offer.bidder_id,
                price_minor=offer.price_minor,
                made_at_us=now_us,
                until_us=offer.until_us,
            )
            await tables.offer(connection, made)
            await tables.change(connection, unsold, UnsoldState.OFFERED, now_us)
            return _offers(search, made)
        case AwardTo():
            assert new is not None and new.award.buyer_id == following.bidder_id, "who took it"
            await add_award(connection, new, now_us)
            to, award_id = UnsoldState.AWARDED, new.award.award_id
            await tables.change(connection, unsold, to, now_us, award_to=award_id, ended=True)
            return _awards(search, new.award)
        case Relist():
            await tables.change(connection, unsold, UnsoldState.RELISTING, now_us)
            told = Told(kind="nobody_takes_it", award_id=unsold.award_id)
            return Step(
                operations=[Wanted(operation="relist", subject=unsold.award_id)], story=[told]
            )
    assert_never(following)


def again(unsold: Unsold) -> Wanted:
    """The next step is to be taken, by what of a held lot is written now."""
    return Wanted(operation="next_buyer", subject=unsold.award_id, generation=unsold.version + 1)


def _question(search: Search, runner_up: RunnerUp, now_us: int) -> Consent:
    return Consent(
        award_id=search.unsold.award_id,
        turn=len(search.consents) + 1,
        bidder_id=runner_up.bidder_id,
        paddle=search.sale.paddle_of(runner_up.bidder_id),
        price_minor=runner_up.price_minor,
        reserve=runner_up.reserve,
        asked_at_us=now_us,
        until_us=now_us + search.policy.confirmation_us,
    )


def _asks(search: Search, asked: Consent) -> Step:
    facts = {"price_minor": asked.price_minor, "until_us": asked.until_us}
    award_id = asked.award_id
    mail = mail_to(
        Kind.CONSENT_ASKED,
        award_id,
        search.unsold.liquidator_id,
        turn=asked.turn,
        **search.facts(**facts, reserve=asked.reserve),
    )
    over = Wanted(
        operation="consent_over",
        subject=award_id,
        generation=asked.turn,
        due_at_us=asked.until_us,
    )
    told = Told(kind="seller_asked", award_id=award_id, facts=facts | {"paddle": asked.paddle})
    return Step(operations=[mail, over], story=[told])


def _offers(search: Search, made: MadeOffer) -> Step:
    facts = {"price_minor": made.price_minor, "until_us": made.until_us}
    mail = mail_to(
        Kind.OFFERED, made.award_id, made.bidder_id, turn=made.turn, **search.facts(**facts)
    )
    over = Wanted(
        operation="offer_over",
        subject=made.award_id,
        generation=made.turn,
        due_at_us=made.until_us,
    )
    told = Told(kind="offered", award_id=made.award_id, facts=facts | {"bidder_id": made.bidder_id})
    return Step(operations=[mail, over], story=[told])


def _awards(search: Search, award: Award) -> Step:
    sale_id = search.unsold.sale_id
    told = Told(
        kind="awarded_to_runner_up",
        award_id=search.unsold.award_id,
        facts={"award_id": award.award_id, "price_minor": award.hammer_minor},
    )
    return Step(operations=[invoicing(award.award_id, sale_id, award.closed_at_us)], story=[told])


class ConsentOverHandler(Deadline):
    """ "consent_over": a seller that did not answer in time does not consent."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`."""
        unsold = await tables.hold_unsold(connection, AwardId(op.subject))
        assert unsold is not None, "it was written with what wants this"
        asked = (await tables.consents_of(connection, unsold.award_id))[op.generation - 1]
        if asked.consents is None:
            await tables.answer_consent(connection, asked, now_us, consents=False)
            await tables.change(connection, unsold, UnsoldState.LOOKING, now_us)
            told = Told(kind="seller_did_not_answer", award_id=unsold.award_id)
            step = Step(operations=[again(unsold)], story=[told])
            await write(connection, Held(None, {}), step, now_us)


class OfferOverHandler(Deadline):
    """ "offer_over": a runner-up that did not answer in time is passed over."""

    async def settle(
        self, connection: AnyConnection, op: Operation, answer: object, now_us: int
    ) -> None:
        """See `Handler`."""
        unsold = await tables.hold_unsold(connection, AwardId(op.subject))
        assert unsold is not None, "it was written with what wants this"
        made = (await tables.offers_of(connection, unsold.award_id))[op.generation - 1]
        if made.accepted is None:
            await tables.answer_offer(connection, made, now_us, accepted=False)
            await tables.change(connection, unsold, UnsoldState.LOOKING, now_us)
            facts = {"bidder_id": made.bidder_id}
            told = Told(kind="offer_ran_out", award_id=unsold.award_id, facts=facts)
            step = Step(operations=[again(unsold)], story=[told])
            await write(connection, Held(None, {}), step, now_us)
