"""The tables of what follows a default. Whoever changes a lot's search holds its row first."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import asyncpg

from auction.ids import BidderId
from auction.pricing import ReserveStatus
from foundation.database import AnyConnection
from settlement.after_default.affiliates import same_business
from settlement.after_default.words import Consent, MadeOffer, Unsold, UnsoldState
from settlement.ids import AwardId
from settlement.rows import AwardRow

_UNSOLD: Final = "select * from unsold_again where award_id = $1"
_HOLD: Final = f"{_UNSOLD} for update"
_BEGIN: Final = """
insert into unsold_again
    (award_id, sale_id, lot_id, liquidator_id, currency, state, began_at_us, changed_at_us)
values ($1, $2, $3, $4, $5, 'LOOKING', $6, $6) on conflict (award_id) do nothing
"""
_CHANGE: Final = """
update unsold_again set state = $2, award_to = $3, draft_id = $4, ended_at_us = $5,
    changed_at_us = $6, version = version + 1
where award_id = $1
"""
_CONSENTS: Final = "select * from seller_consent where award_id = $1 order by turn"
_OFFERS: Final = "select * from runner_up_offer where award_id = $1 order by turn"
_ASK: Final = """
insert into seller_consent
    (award_id, turn, bidder_id, paddle, price_minor, reserve, asked_at_us, until_us)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_OFFER: Final = """
insert into runner_up_offer (award_id, turn, bidder_id, price_minor, made_at_us, until_us)
values ($1, $2, $3, $4, $5, $6)
"""
_ANSWER_CONSENT: Final = """
update seller_consent set consents = $3, answered_at_us = $4, answered_by = $5
where award_id = $1 and turn = $2 and consents is null
"""
_ANSWER_OFFER: Final = """
update runner_up_offer set accepted = $3, answered_at_us = $4, answered_by = $5
where award_id = $1 and turn = $2 and accepted is null
"""

# Who had the lot and did not pay, or was offered it in an earlier search and did not take it.
_PASSED_OVER: Final = """
select buyer_id from award where sale_id = $1 and lot_id = $2
union
select bidder_id from runner_up_offer join unsold_again using (award_id)
where sale_id = $1 and lot_id = $2 and award_id <> $3
"""
_WINNERS: Final = "select distinct buyer_id from award where sale_id = $1 and lot_id = $2"
_APPROVED: Final = """
select organisation_id from approval where organisation_id = any($1) and state = 'APPROVED'
"""


async def begin(connection: AnyConnection, row: AwardRow, now_us: int) -> bool:
    """The search for another buyer begins; ``False``: it had begun."""
    values = (row.award_id, row.sale_id, row.lot_id, row.liquidator_id, row.currency, now_us)
    return bool(await connection.execute(_BEGIN, *values) != "INSERT 0 0")


async def read_unsold(connection: AnyConnection, award_id: AwardId) -> Unsold | None:
    """A lot whose award is void, as it stands."""
    return _unsold(await connection.fetchrow(_UNSOLD, award_id))


async def hold_unsold(connection: AnyConnection, award_id: AwardId) -> Unsold | None:
    """The same, held until the caller's transaction ends."""
    return _unsold(await connection.fetchrow(_HOLD, award_id))


async def change(
    connection: AnyConnection,
    unsold: Unsold,
    state: UnsoldState,
    now_us: int,
    *,
    award_to: AwardId | None = None,
    draft_id: str | None = None,
    ended: bool = False,
) -> None:
    """Where a held one stands from now on."""
    ended_at_us = now_us if ended else unsold.ended_at_us
    values = (state, award_to or unsold.award_to, draft_id or unsold.draft_id, ended_at_us, now_us)
    await connection.execute(_CHANGE, unsold.award_id, *values)


async def consents_of(connection: AnyConnection, award_id: AwardId) -> list[Consent]:
    """What the seller was asked, in turn."""
    return [consent_of(row) for row in await connection.fetch(_CONSENTS, award_id)]


async def offers_of(connection: AnyConnection, award_id: AwardId) -> list[MadeOffer]:
    """To whom it was offered, in turn."""
    return [offer_of(row) for row in await connection.fetch(_OFFERS, award_id)]


async def ask(connection: AnyConnection, consent: Consent) -> None:
    """Ask the seller."""
    await connection.execute(
        _ASK,
        consent.award_id,
        consent.turn,
        consent.bidder_id,
        consent.paddle,
        consent.price_minor,
        consent.reserve,
        consent.asked_at_us,
        consent.until_us,
    )


async def offer(connection: AnyConnection, made: MadeOffer) -> None:
    """Offer it to the runner-up."""
    values = (made.bidder_id, made.price_minor, made.made_at_us, made.until_us)
    await connection.execute(_OFFER, made.award_id, made.turn, *values)


async def answer_consent(
    connection: AnyConnection,
    asked: Consent,
    now_us: int,
    *,
    consents: bool,
    by: str | None = None,
) -> None:
    """The seller's answer; ``by`` None: the time ran out."""
    values = (asked.award_id, asked.turn, consents, now_us, by)
    await connection.execute(_ANSWER_CONSENT, *values)


async def answer_offer(
    connection: AnyConnection,
    made: MadeOffer,
    now_us: int,
    *,
    accepted: bool,
    by: str | None = None,
) -> None:
    """The runner-up's answer; ``by`` None: the time ran out."""
    values = (made.award_id, made.turn, accepted, now_us, by)
    await connection.execute(_ANSWER_OFFER, *values)


async def without(
    connection: AnyConnection, unsold: Unsold, bidders: Collection[BidderId]
) -> set[BidderId]:
    """Whom the lot is not offered: who did not pay for it or is one business with them, passed on
    it in an earlier search, or is not approved now. The offers of this search are not among them.
    """
    rows = await connection.fetch(_PASSED_OVER, unsold.sale_id, unsold.lot_id, unsold.award_id)
    approved = {row[0] for row in await connection.fetch(_APPROVED, list(bidders))}
    winners = [row[0] for row in await connection.fetch(_WINNERS, unsold.sale_id, unsold.lot_id)]
    affiliates = await same_business(connection, winners, bidders)
    return {BidderId(row[0]) for row in rows} | (set(bidders) - approved) | affiliates


def consent_of(row: asyncpg.Record) -> Consent:
    """The struct of a row of ``seller_consent``."""
    return Consent(**_fields(row, Consent.__struct_fields__, reserve=ReserveStatus(row["reserve"])))


def offer_of(row: asyncpg.Record) -> MadeOffer:
    """The struct of a row of ``runner_up_offer``."""
    return MadeOffer(**_fields(row, MadeOffer.__struct_fields__))


def _unsold(row: asyncpg.Record | None) -> Unsold | None:
    if row is None:
        return None
    return Unsold(**_fields(row, Unsold.__struct_fields__, state=UnsoldState(row["state"])))


def _fields(row: asyncpg.Record, names: Sequence[str], **changes: Any) -> dict[str, Any]:
    return {name: row[name] for name in names} | changes
