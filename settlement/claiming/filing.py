"""Filing a claim, and taking it back.

A claim is filed by the buyer within the window, or taken by staff later: before the release the
award is claimed again, after it the award stays as it is and the seller will owe. Photos are taken
in before anything is locked; whether anything can be claimed at all is asked before that.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.catalog.goods import ManifestLine
from auction.catalog.manifests import read_manifest
from auction.catalog.photos import PhotoWorker
from auction.ids import BidderId
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.claiming.claim_table import (
    Claim,
    add_claim,
    claim_id_of,
    claims_of_award,
    claims_of_buyer,
    read_claim,
    write_state,
)
from settlement.claiming.holding import held_claim, owned, unchanged
from settlement.claiming.refunding import over
from settlement.claiming.talking import keep_photos, resized_for_claim
from settlement.claiming.words import (
    UNDER_WAY,
    ClaimState,
    DeskRefusal,
    Filing,
    Refused,
    by_rule,
)
from settlement.claims import refusal_of, untimely
from settlement.client_requests import Asked, note_made
from settlement.due import claims_until_us
from settlement.ids import AwardId
from settlement.lives import AwardState
from settlement.pickups.telling import actor_of
from settlement.rows import AwardRow, Held, NotFound, calendar_of, hold_award, policy_of, read_award
from settlement.steps import Step, write
from settlement.story import Told

MAX_CLAIMS: Final = 500
# Of one award: who has claimed so often has a dispute, not another claim.
MAX_OF_AWARD: Final = 50

_RELEASED: Final = frozenset({AwardState.RELEASED, AwardState.PAID_OUT, AwardState.CLOSED})
# Where staff may take a claim that comes late.
_LATE: Final = _RELEASED | {AwardState.HANDED_OVER, AwardState.ACCEPTED}


class OwnClaimKey(Struct, frozen=True):
    """The place of a claim in its buyer's list."""

    filed_at_us: int
    claim_id: str


class Claims:
    """What buyers do. ``now_us``: the house's clock; ``ring``: wakes the
    worker. Where a method takes ``buyer_id``, None is staff; another buyer's claims are answered
    like missing ones."""

    def __init__(
        self,
        pool: Pool,
        now_us: Callable[[], int],
        photos: PhotoWorker,
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool, self._now_us, self._photos, self._ring = pool, now_us, photos, ring

    # Reading.

    async def claim(self, claim_id: str, buyer_id: BidderId | None = None) -> Claim:
        """A claim as it stands. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            return owned(await read_claim(connection, claim_id), buyer_id)

    async def of_buyer(self, buyer_id: BidderId) -> Sequence[Claim]:
        """A buyer's claims, the latest first."""
        async with acquire(self._pool) as connection:
            return await claims_of_buyer(connection, buyer_id, MAX_CLAIMS)

    async def page_of_buyer(self, buyer_id: BidderId, paging: Paging) -> Listing[Claim]:
        """The same, page by page. Raises `Problem` 422 for a foreign cursor."""
        key = key_of_cursor(paging.cursor, OwnClaimKey) or OwnClaimKey(2**62, "")
        before = (key.filed_at_us, key.claim_id)
        async with acquire(self._pool) as connection:
            found = await claims_of_buyer(connection, buyer_id, paging.limit + 1, before)
        return listing(
            found,
            paging.limit,
            lambda claim: claim,
            lambda claim: OwnClaimKey(claim.filed_at_us, claim.claim_id),
        )

    async def claimable(
        self, award_id: AwardId, buyer_id: BidderId
    ) -> tuple[int, Sequence[ManifestLine]]:
        """Until when the buyer may claim, and of what: the whole manifest, which it has paid for.

        Raises `Refused` NOT_FOUND, NOT_HANDED_OVER, ALREADY_CLAIMED, CLAIMS_WINDOW_OVER.
        """
        async with acquire(self._pool) as connection:
            held = await _read_award(connection, award_id)
            row = _own_award(held, award_id, buyer_id)
            until_us = await _in_time(connection, held, row, self._now_us())
            return until_us, await read_manifest(connection, row.sale_id, row.lot_id)

    # Filing.

    async def file(
        self,
        award_id: AwardId,
        filing: Filing,
        actor: Actor,
        *,
        buyer_id: BidderId | None = None,
        uploads: Sequence[bytes] = (),
        request: Asked | None = None,
    ) -> Claim:
        """The buyer claims within the window; staff (``buyer_id`` None) take one that is late.

        Raises `Refused`: NOT_FOUND, what `claims.ClaimRefusal` names, with the line, DISPUTED,
        TOO_MANY, BAD_PHOTO, BUSY.
        """
        async with acquire(self._pool) as connection:  # before a core is busy for nothing
            await self._may_file(
                connection, await _read_award(connection, award_id), award_id, buyer_id
            )
        pictures = await resized_for_claim(self._photos, uploads)
        async with transaction(self._pool) as connection:
            held = await _hold_award(connection, award_id)
            row = await self._may_file(connection, held, award_id, buyer_id)
            earlier = await claims_of_award(connection, award_id)
            await _must_fit(connection, row, filing, earlier)
            now_us, by = self._now_us(), actor_of(actor)
            claim = _new(row, filing, earlier, by, now_us, late=buyer_id is None)
            await add_claim(connection, claim)
            await note_made(connection, request, claim.claim_id, now_us)
            await keep_photos(connection, claim, pictures, by, now_us)
            await _record(connection, Act.CLAIM_FILED, claim, actor, now_us)
            await write(connection, held, _filed(row, claim, by), now_us)
            return claim

    async def withdraw(
        self, claim_id: str, version: int, actor: Actor, *, buyer_id: BidderId | None = None
    ) -> Claim:
        """The buyer takes it back before it is decided; the goods are accepted by that.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_NOW.
        """
        async with transaction(self._pool) as connection:
            held, claim = await held_claim(connection, claim_id, buyer_id)
            unchanged(claim, version)
            if claim.state not in (ClaimState.FILED, ClaimState.PROPOSED):
                raise Refused(DeskRefusal.NOT_NOW)
            now_us, by = self._now_us(), actor_of(actor)
            if claim.state is ClaimState.PROPOSED:
                await connection.execute(_FORGET_PROPOSAL, claim_id)
            await write_state(connection, claim_id, ClaimState.WITHDRAWN, now_us)
            await _record(connection, Act.CLAIM_WITHDRAWN, claim, actor, now_us)
            told = claim_line(claim, "claim_withdrawn", by)
            step = Step(story=(told,)) + over(held, claim, "the claim was taken back", by)
            await write(connection, held, step, now_us)
            claim = await read_claim(connection, claim_id)
        self._ring()
        return claim

    async def _may_file(
        self, connection: AnyConnection, held: Held, award_id: AwardId, buyer_id: BidderId | None
    ) -> AwardRow:
        """The guards that need no manifest. Raises `Refused`."""
        row = _own_award(held, award_id, buyer_id)
        if buyer_id is not None:
            await _in_time(connection, held, row, self._now_us())
        elif row.state not in _LATE:
            refused = untimely(row.state, 0, self._now_us())
            assert refused is not None, "the window is over"
            raise by_rule(refused, "award_id")
        return row


_FORGET_PROPOSAL: Final = """
update claim set granted = null, formula = null, credit = null, why = '', decided_by = null,
    decided_at_us = null, state = 'FILED'
where claim_id = $1
"""


def claim_line(claim: Claim, kind: str, by: str, **facts: object) -> Told:
    """A line of its award's story."""
    return Told(
        kind=kind,
        award_id=claim.award_id,
        invoice_id=claim.invoice_id,
        actor=by,
        facts={"claim_id": claim.claim_id, "number": claim.number, **facts},
    )


def _filed(row: AwardRow, claim: Claim, by: str) -> Step:
    facts = {"lines": len(claim.lines), "late": claim.late, "words": claim.words[:200]}
    told = claim_line(claim, "claimed", by, **facts)
    if claim.after_release:
        return Step(story=(told,))
    return Step(awards={row.award_id: AwardState.CLAIMED}, story=(told,))


async def _in_time(connection: AnyConnection, held: Held, row: AwardRow, now_us: int) -> int:
    """Until when the buyer may claim. Raises `Refused` when it may not."""
    until_us = 0
    if row.handed_over_at_us is not None:
        policy = await policy_of(connection, held.invoiced)
        calendar = await calendar_of(connection, held.invoiced)
        until_us = claims_until_us(policy, calendar, row.handed_over_at_us)
    refused = untimely(row.state, until_us, now_us)
    if refused is not None:
        raise by_rule(refused, "award_id")
    return until_us


async def _must_fit(
    connection: AnyConnection, row: AwardRow, filing: Filing, earlier: Sequence[Claim]
) -> None:
    """The lines against the manifest and what was granted before. Raises `Refused`."""
    if any(claim.state in UNDER_WAY for claim in earlier):
        raise Refused(DeskRefusal.ALREADY_CLAIMED)
    if len(earlier) >= MAX_OF_AWARD:
        raise Refused(DeskRefusal.TOO_MANY)
    manifest = {
        line.line: line for line in await read_manifest(connection, row.sale_id, row.lot_id)
    }
    granted = [
        line
        for claim in earlier
        if claim.state is ClaimState.GRANTED
        for line in claim.granted or ()
    ]
    refused = refusal_of(manifest, row.goods.freight_terms, filing.lines, granted)
    if refused is not None:
        raise by_rule(refused)


def _new(
    row: AwardRow, filing: Filing, earlier: Sequence[Claim], by: str, now_us: int, *, late: bool
) -> Claim:
    assert row.invoice_id is not None, "what was handed over was invoiced"
    number = len(earlier) + 1
    return Claim(
        claim_id=claim_id_of(row.award_id, number),
        award_id=row.award_id,
        number=number,
        invoice_id=row.invoice_id,
        buyer_id=row.buyer_id,
        liquidator_id=row.liquidator_id,
        currency=row.currency,
        state=ClaimState.FILED,
        late=late,
        after_release=row.state in _RELEASED,
        words=filing.words,
        filed_at_us=now_us,
        filed_by=by,
        lines=filing.lines,
        granted=None,
        formula=None,
        credit=None,
        commission_minor=0,
        why="",
        decided_at_us=None,
        decided_by=None,
        agreed_by=None,
        refund_id=None,
        credited_at_us=None,
        changed_at_us=now_us,
        version=1,
    )


def _own_award(held: Held, award_id: AwardId, buyer_id: BidderId | None) -> AwardRow:
    row = held.awards[award_id]
    if buyer_id is not None and row.buyer_id != buyer_id:
        raise Refused(DeskRefusal.NOT_FOUND)
    return row


async def _read_award(connection: AnyConnection, award_id: AwardId) -> Held:
    try:
        return await read_award(connection, award_id)
    except NotFound:
        raise Refused(DeskRefusal.NOT_FOUND) from None


async def _hold_award(connection: AnyConnection, award_id: AwardId) -> Held:
    try:
        return await hold_award(connection, award_id)
    except NotFound:
        raise Refused(DeskRefusal.NOT_FOUND) from None


async def _record(
    connection: AnyConnection, act: Act, claim: Claim, actor: Actor, now_us: int
) -> None:
    await record(
        connection,
        act,
        actor,
        now_us,
        organisation_id=OrganisationId(claim.buyer_id),
        object_id=claim.claim_id,
    )
