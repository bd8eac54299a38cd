"""What sellers and runner-ups are asked, and their answers.

An answer stands: the same again changes nothing, another one is refused. Who may answer, the route
asks; whose question it is, is asked here, and another's is answered like one that does not exist.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import asyncpg
from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.after_default import tables
from settlement.after_default.looking import again
from settlement.after_default.words import (
    AfterRefusal,
    Consent,
    MadeOffer,
    Refused,
    Unsold,
    UnsoldState,
)
from settlement.ids import AwardId
from settlement.rows import Held
from settlement.steps import Step, write
from settlement.story import HOUSE_ITSELF, Told

T = TypeVar("T", Consent, MadeOffer)


class ConsentPage(Struct, frozen=True, kw_only=True):
    """A question to a seller. The bidder is a paddle; ``consents`` null: no answer yet."""

    award_id: AwardId
    turn: int
    sale_id: SaleId
    lot_id: LotId
    title: str
    currency: str
    paddle: int
    price_minor: int
    hammer_minor: int
    reserve: str
    asked_at_us: int
    until_us: int
    consents: bool | None
    answered_at_us: int | None


class OfferPage(Struct, frozen=True, kw_only=True):
    """A lot that is offered to a buyer; ``accepted`` null: no answer yet."""

    award_id: AwardId
    turn: int
    sale_id: SaleId
    lot_id: LotId
    title: str
    currency: str
    price_minor: int
    made_at_us: int
    until_us: int
    accepted: bool | None
    answered_at_us: int | None
    award_to: AwardId | None


class AskedKey(Struct, frozen=True):
    """The place of a question or an offer in a list: the latest first."""

    at_us: int
    award_id: str


_CONSENTS: Final = """
select award_id, turn, sale_id, lot_id, goods ->> 'title' as title, award.currency, paddle,
    price_minor, hammer_minor, reserve, asked_at_us, until_us, consents, answered_at_us
from seller_consent join award using (award_id)
where award.liquidator_id = $1 and (asked_at_us, award_id) < ($2::bigint, $3::text)
and ($4::boolean is null or (consents is null) = $4)
order by asked_at_us desc, award_id desc limit $5
"""

_OFFERS: Final = """
select award_id, turn, award.sale_id, award.lot_id, goods ->> 'title' as title, award.currency,
    price_minor, made_at_us, until_us, accepted, answered_at_us,
    case when accepted then award_to end as award_to
from runner_up_offer join award using (award_id) join unsold_again using (award_id)
where bidder_id = $1 and (made_at_us, award_id) < ($2::bigint, $3::text)
and ($4::boolean is null or (accepted is null) = $4)
order by made_at_us desc, award_id desc limit $5
"""

_LAST: Final = AskedKey(2**62, "")


class Answering:
    """Lists of what is asked, and answers to it. ``ring``: the worker has something to do."""

    def __init__(
        self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None] = lambda: None
    ) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def consents(
        self, liquidator_id: LiquidatorId, paging: Paging, waiting: bool | None = None
    ) -> Listing[ConsentPage]:
        """What a seller was asked, the latest first; ``waiting``: with or without an answer."""
        rows = await self._page(_CONSENTS, liquidator_id, paging, waiting)
        return listing(
            rows,
            paging.limit,
            lambda row: ConsentPage(**row),
            lambda row: AskedKey(row["asked_at_us"], row["award_id"]),
        )

    async def offers(
        self, buyer_id: BidderId, paging: Paging, waiting: bool | None = None
    ) -> Listing[OfferPage]:
        """What a buyer was offered, the latest first; ``waiting``: with or without an answer."""
        rows = await self._page(_OFFERS, buyer_id, paging, waiting)
        return listing(
            rows,
            paging.limit,
            lambda row: OfferPage(**row),
            lambda row: AskedKey(row["made_at_us"], row["award_id"]),
        )

    async def answer_consent(
        self,
        liquidator_id: LiquidatorId,
        award_id: AwardId,
        turn: int,
        *,
        consents: bool,
        actor: Actor,
    ) -> Consent:
        """The seller's answer. Raises `Refused`: NOT_FOUND, ANSWERED_OTHERWISE, TOO_LATE."""
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            unsold = await _held(connection, award_id)
            if unsold.liquidator_id != liquidator_id:
                raise Refused(AfterRefusal.NOT_FOUND)
            asked = _of_turn(await tables.consents_of(connection, award_id), turn)
            if _stands(asked.consents, asked.until_us, now_us, answer=consents):
                return asked
            by = actor.person_id or HOUSE_ITSELF
            await tables.answer_consent(connection, asked, now_us, consents=consents, by=by)
            kind = "seller_consented" if consents else "seller_did_not_consent"
            await _goes_on(connection, unsold, kind, by, now_us)
            await record(
                connection,
                Act.RUNNER_UP_CONSENT,
                actor,
                now_us,
                organisation_id=OrganisationId(liquidator_id),
                object_id=award_id,
                consents=consents,
                turn=turn,
            )
            answered = _of_turn(await tables.consents_of(connection, award_id), turn)
        self._ring()
        return answered

    async def answer_offer(
        self, buyer_id: BidderId, award_id: AwardId, turn: int, *, accepted: bool, actor: Actor
    ) -> MadeOffer:
        """The runner-up's answer. Raises `Refused`: NOT_FOUND, ANSWERED_OTHERWISE, TOO_LATE."""
        now_us = self._now_us()
        async with transaction(self._pool) as connection:
            unsold = await _held(connection, award_id)
            made = _of_turn(await tables.offers_of(connection, award_id), turn)
            if made.bidder_id != buyer_id:
                raise Refused(AfterRefusal.NOT_FOUND)
            if _stands(made.accepted, made.until_us, now_us, answer=accepted):
                return made
            by = actor.person_id or HOUSE_ITSELF
            await tables.answer_offer(connection, made, now_us, accepted=accepted, by=by)
            kind = "offer_accepted" if accepted else "offer_declined"
            await _goes_on(connection, unsold, kind, by, now_us)
            await record(
                connection,
                Act.RUNNER_UP_OFFER_ANSWERED,
                actor,
                now_us,
                organisation_id=OrganisationId(buyer_id),
                object_id=award_id,
                accepted=accepted,
                turn=turn,
            )
            answered = _of_turn(await tables.offers_of(connection, award_id), turn)
        self._ring()
        return answered

    async def _page(
        self, statement: str, whose: str, paging: Paging, waiting: bool | None
    ) -> list[asyncpg.Record]:
        after = key_of_cursor(paging.cursor, AskedKey) or _LAST
        async with acquire(self._pool) as connection:
            values = (whose, after.at_us, after.award_id, waiting, paging.limit + 1)
            return list(await connection.fetch(statement, *values))


def _stands(given: bool | None, until_us: int, now_us: int, *, answer: bool) -> bool:
    """Whether this answer was given before. Raises `Refused` if another was, or it is too late."""
    if given is not None and given is not answer:
        raise Refused(AfterRefusal.ANSWERED_OTHERWISE)
    if given is None and now_us >= until_us:
        raise Refused(AfterRefusal.TOO_LATE)
    return given is not None


async def _held(connection: AnyConnection, award_id: AwardId) -> Unsold:
    unsold = await tables.hold_unsold(connection, award_id)
    if unsold is None:
        raise Refused(AfterRefusal.NOT_FOUND)
    return unsold


def _of_turn(asked: list[T], turn: int) -> T:
    if not 1 <= turn <= len(asked):
        raise Refused(AfterRefusal.NOT_FOUND)
    return asked[turn - 1]


async def _goes_on(
    connection: AnyConnection, unsold: Unsold, kind: str, by: str, now_us: int
) -> None:
    await tables.change(connection, unsold, UnsoldState.LOOKING, now_us)
    told = Told(kind=kind, award_id=unsold.award_id, actor=by)
    step = Step(operations=[again(unsold)], story=[told])
    await write(connection, Held(None, {}), step, now_us)
