"""What staff do with claims: look, compute, credit, refuse.

The credit is the formula's, of the lines that staff let count; they may credit less with a reason,
never more. From a bound of the policy on, a second person agrees before anything moves. Which
credits are due is decided here, in one transaction with the operation that pays them; that they are
paid, and booked, is the operation's.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from accounts.audit import Act, Actor, record
from accounts.ids import OrganisationId
from auction.catalog.goods import ManifestLine
from auction.catalog.manifests import read_manifest
from auction.ids import LotId, SaleId
from foundation.database import AnyConnection, Pool, acquire, transaction
from foundation.http.cursors import Listing, Paging, key_of_cursor, listing
from settlement.claiming.claim_table import (
    Claim,
    Credit,
    Said,
    before_of,
    claims_of_award,
    claims_under_way,
    credit_row,
    messages_of,
    read_claim,
    second_person_minor,
    threshold_of,
    write_agreed,
    write_commission,
    write_credited,
    write_decision,
    write_undecided,
)
from settlement.claiming.figures import (
    Before,
    as_claimed,
    commission_back_minor,
    formula_of,
    granted_lines,
    less,
)
from settlement.claiming.filing import claim_line
from settlement.claiming.holding import held_claim, unchanged
from settlement.claiming.mails import BELOW, refused
from settlement.claiming.refunding import over, refund_wanted
from settlement.claiming.words import ClaimState, DeskRefusal, GrantedLine, Refused, Why
from settlement.claims import ClaimedLine, Threshold, lost_share
from settlement.invoices import Line, left_of
from settlement.lives import PaymentState
from settlement.pickups.evidence import Photo, Shows, photos_of
from settlement.pickups.telling import actor_of
from settlement.policy_table import commission_at
from settlement.rows import AwardRow, Held, policy_of, read_award
from settlement.steps import Step, write

MAX_QUEUE: Final = 500

_STATE_THRESHOLD: Final = """
insert into lot_claim_threshold (sale_id, lot_id, share_bps, pays, stated_at_us, stated_by)
values ($1, $2, $3, $4, $5, $6)
on conflict (sale_id, lot_id) do update set share_bps = $3, pays = $4, stated_at_us = $5,
    stated_by = $6
"""


class ClaimView(Struct, frozen=True, kw_only=True):
    """A claim as staff look at it: with the manifest's lines, and what the formula says.

    ``lost_ppm``: millionths of the MSRP that are lost, with what was granted before. ``formula``:
    of all claimed lines, or of those that count once it is decided.
    """

    claim: Claim
    award: AwardRow
    manifest: Sequence[ManifestLine]
    threshold: Threshold
    lost_ppm: int
    formula: Credit
    second_person_minor: int
    earlier: Sequence[Claim]
    messages: Sequence[Said]
    photos: Sequence[Photo]


class _Case(Struct, frozen=True, kw_only=True):
    """What a decision is computed by."""

    line: Line
    manifest: Sequence[ManifestLine]
    threshold: Threshold
    before: Before
    bound_minor: int
    commission_minor: Callable[[int], int]


class OpenClaimKey(Struct, frozen=True):
    """The place of a claim among those that are to be decided."""

    filed_at_us: int
    claim_id: str


class ClaimsDesk:
    """Staff's side. ``now_us``: the house's clock; ``ring`` wakes the worker."""

    def __init__(
        self, pool: Pool, now_us: Callable[[], int], ring: Callable[[], None] = lambda: None
    ) -> None:
        self._pool, self._now_us, self._ring = pool, now_us, ring

    async def queue(self) -> Sequence[Claim]:
        """What is to be decided, or on its way back, the earliest filed first."""
        async with acquire(self._pool) as connection:
            return await claims_under_way(connection, MAX_QUEUE)

    async def page(self, paging: Paging) -> Listing[Claim]:
        """The same, page by page. Raises `Problem` 422 for a foreign cursor."""
        key = key_of_cursor(paging.cursor, OpenClaimKey) or OpenClaimKey(0, "")
        after = (key.filed_at_us, key.claim_id)
        async with acquire(self._pool) as connection:
            found = await claims_under_way(connection, paging.limit + 1, after)
        return listing(
            found,
            paging.limit,
            lambda claim: claim,
            lambda claim: OpenClaimKey(claim.filed_at_us, claim.claim_id),
        )

    async def view(self, claim_id: str) -> ClaimView:
        """All that a decision needs to see. Raises `Refused` NOT_FOUND."""
        async with acquire(self._pool) as connection:
            claim = await read_claim(connection, claim_id)
            held = await read_award(connection, claim.award_id)
            case = await _case(connection, held, claim)
            counted = claim.granted if claim.granted is not None else _claimed(claim)
            formula = _formula(case, claim, counted)
            lost = lost_share(case.manifest, (*case.before.granted, *counted))
            named = {line.line for line in claim.lines}
            every = await claims_of_award(connection, claim.award_id)
            return ClaimView(
                claim=claim,
                award=held.awards[claim.award_id],
                manifest=[line for line in case.manifest if line.line in named],
                threshold=case.threshold,
                lost_ppm=int(lost * 1_000_000),
                formula=claim.formula or formula,
                second_person_minor=case.bound_minor,
                earlier=[other for other in every if other.number < claim.number],
                messages=await messages_of(connection, claim_id),
                photos=(await photos_of(connection, Shows.CLAIM, [claim_id]))[claim_id],
            )

    async def figure(self, claim_id: str, granted: Sequence[GrantedLine]) -> Credit:
        """What the formula would say if only this counted. Raises `Refused` as `grant` does."""
        async with acquire(self._pool) as connection:
            claim = await read_claim(connection, claim_id)
            held = await read_award(connection, claim.award_id)
            case = await _case(connection, held, claim)
            return _formula(case, claim, granted_lines(claim.lines, granted))

    async def grant(
        self,
        claim_id: str,
        version: int,
        actor: Actor,
        *,
        granted: Sequence[GrantedLine] | None = None,
        credit_minor: int | None = None,
        why: Why = "",
    ) -> Claim:
        """Credit it: by the formula, of all its lines or of those ``granted``, or less.

        Whoever departs from what was claimed says why. From the policy's bound on it is PROPOSED.
        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_NOW, DISPUTED, UNKNOWN_LINE,
        MORE_THAN_CLAIMED, MORE_THAN_FORMULA, WHY_NEEDED.
        """
        async with transaction(self._pool) as connection:
            held, claim = await self._to_decide(connection, claim_id, version, ClaimState.FILED)
            case = await _case(connection, held, claim)
            lines = _claimed(claim) if granted is None else granted_lines(claim.lines, granted)
            formula = _formula(case, claim, lines)
            money = formula.money(claim.award_id)
            if credit_minor is not None:
                money = less(money, credit_minor)
            credit = credit_row(money, formula.tax_place)
            if (lines != _claimed(claim) or credit != formula) and not why.strip():
                raise Refused(DeskRefusal.WHY_NEEDED, field="why")
            alone = credit.total_minor < case.bound_minor or not credit.total_minor
            state = ClaimState.CREDITING if alone else ClaimState.PROPOSED
            now_us, by = self._now_us(), actor_of(actor)
            await write_decision(
                connection, claim_id, state, lines, formula, credit, why, by, now_us
            )
            claim = await read_claim(connection, claim_id)
            facts = {"amount_minor": credit.total_minor, "formula_minor": formula.total_minor}
            kind = "claim_granted" if alone else "claim_proposed"
            step = Step(story=(claim_line(claim, kind, by, why=why, **facts),))
            if alone:
                step += await self._pay(connection, held, claim, case, now_us)
            await _record(connection, claim, actor, now_us, kind, **facts)
            await write(connection, held, step, now_us)
            claim = await read_claim(connection, claim_id)
        self._ring()
        return claim

    async def agree(self, claim_id: str, version: int, actor: Actor) -> Claim:
        """The second person credits what the first has proposed.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_NOW, DISPUTED, SAME_PERSON.
        """
        async with transaction(self._pool) as connection:
            held, claim = await self._to_decide(connection, claim_id, version, ClaimState.PROPOSED)
            now_us, by = self._now_us(), actor_of(actor)
            _another(claim, by)
            case = await _case(connection, held, claim)
            if _formula(case, claim, claim.granted or ()) != claim.formula:
                # Tax that a certificate brought back, or what a bank took, cannot go back twice.
                said = "Something of this lot was credited meanwhile: send it back and decide anew."
                raise Refused(DeskRefusal.NOT_NOW, detail=said)
            await write_agreed(connection, claim_id, ClaimState.CREDITING, by, now_us)
            claim = await read_claim(connection, claim_id)
            step = Step(story=(claim_line(claim, "claim_granted", by),))
            step += await self._pay(connection, held, claim, case, now_us)
            await _record(connection, claim, actor, now_us, "claim_agreed")
            await write(connection, held, step, now_us)
            claim = await read_claim(connection, claim_id)
        self._ring()
        return claim

    async def send_back(self, claim_id: str, version: int, why: Why, actor: Actor) -> Claim:
        """The second person does not agree: it is to be decided again. Also the first may do it.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_NOW, WHY_NEEDED.
        """
        if not why.strip():
            raise Refused(DeskRefusal.WHY_NEEDED, field="why")
        async with transaction(self._pool) as connection:
            held, claim = await self._to_decide(
                connection, claim_id, version, ClaimState.PROPOSED, also_disputed=True
            )
            now_us, by = self._now_us(), actor_of(actor)
            await write_undecided(connection, claim_id, now_us)
            await _record(connection, claim, actor, now_us, "claim_sent_back")
            step = Step(story=(claim_line(claim, "claim_sent_back", by, why=why),))
            await write(connection, held, step, now_us)
            return await read_claim(connection, claim_id)

    async def refuse(self, claim_id: str, version: int, why: Why, actor: Actor) -> Claim:
        """Nothing is credited, and the buyer reads why; the goods are accepted by that.

        Raises `Refused` NOT_FOUND, CHANGED_MEANWHILE, NOT_NOW, WHY_NEEDED.
        """
        if not why.strip():
            raise Refused(DeskRefusal.WHY_NEEDED, field="why")
        async with transaction(self._pool) as connection:
            held, claim = await self._to_decide(
                connection, claim_id, version, ClaimState.FILED, also_disputed=True
            )
            now_us, by = self._now_us(), actor_of(actor)
            await write_decision(
                connection, claim_id, ClaimState.REFUSED, None, None, None, why, by, now_us
            )
            await _record(connection, claim, actor, now_us, "claim_refused")
            told = claim_line(claim, "claim_refused", by, why=why)
            mail = refused(claim, held.awards[claim.award_id], why)
            step = Step(story=(told,), operations=(mail,)) + over(held, claim, why, by)
            await write(connection, held, step, now_us)
            claim = await read_claim(connection, claim_id)
        self._ring()
        return claim

    async def state_threshold(
        self, sale_id: SaleId, lot_id: LotId, threshold: Threshold, actor: Actor
    ) -> None:
        """A lot has a threshold of its own. Raises `Refused` SOLD_ALREADY once it is awarded."""
        async with transaction(self._pool) as connection:
            sold = await connection.fetchval(
                "select true from award where sale_id = $1 and lot_id = $2 limit 1", sale_id, lot_id
            )
            if sold:
                raise Refused(DeskRefusal.SOLD_ALREADY)
            now_us, by = self._now_us(), actor_of(actor)
            said = (threshold.share_bps, threshold.pays)
            await connection.execute(_STATE_THRESHOLD, sale_id, lot_id, *said, now_us, by)
            await record(
                *(connection, Act.CLAIM_THRESHOLD_STATED, actor, now_us),
                object_id=f"{sale_id}~{lot_id}",
            )

    async def _to_decide(
        self,
        connection: AnyConnection,
        claim_id: str,
        version: int,
        state: ClaimState,
        *,
        also_disputed: bool = False,
    ) -> tuple[Held, Claim]:
        held, claim = await held_claim(connection, claim_id, None)
        unchanged(claim, version)
        if claim.state is not state:
            raise Refused(DeskRefusal.NOT_NOW)
        if held.invoiced.standing is PaymentState.DISPUTED and not also_disputed:
            raise Refused(DeskRefusal.DISPUTED)
        return held, claim

    async def _pay(
        self, connection: AnyConnection, held: Held, claim: Claim, case: _Case, now_us: int
    ) -> Step:
        """The operation that pays a decided claim; one that comes to nothing is over at once."""
        assert claim.credit is not None, "it is granted"
        if not claim.credit.total_minor:
            await write_credited(connection, claim.claim_id, None, now_us)
            mail = refused(claim, held.awards[claim.award_id], BELOW)
            return Step(operations=(mail,)) + over(held, claim, BELOW)
        commission = case.commission_minor(claim.credit.hammer_minor) if claim.after_release else 0
        await write_commission(connection, claim.claim_id, commission)
        return Step(operations=(refund_wanted(claim, commission),))


def _claimed(claim: Claim) -> tuple[ClaimedLine, ...]:
    return tuple(as_claimed(line, line.quantity, line.loss_bps) for line in claim.lines)


def _another(claim: Claim, by: str) -> None:
    if claim.decided_by == by:
        raise Refused(DeskRefusal.SAME_PERSON)


def _formula(case: _Case, claim: Claim, lines: Sequence[ClaimedLine]) -> Credit:
    money = formula_of(
        *(case.line, case.manifest, lines, case.threshold, case.before),
        after_release=claim.after_release,
    )
    return credit_row(money, case.line.tax.tax_place)


async def _case(connection: AnyConnection, held: Held, claim: Claim) -> _Case:
    row = held.awards[claim.award_id]
    policy = await policy_of(connection, held.invoiced)
    lines = held.invoiced.invoice.lines
    line = next(each for each in lines if each.award_id == claim.award_id)
    before = await before_of(connection, claim.award_id, line.tax.tax_place, claim.number)
    commission = await commission_at(connection, row.liquidator_id, policy, row.awarded_at_us)
    kept_minor = left_of(line, before.credited).hammer_minor
    return _Case(
        line=line,
        manifest=await read_manifest(connection, row.sale_id, row.lot_id),
        threshold=await threshold_of(connection, row.sale_id, row.lot_id, policy),
        before=before,
        bound_minor=await second_person_minor(connection, claim.currency, claim.filed_at_us),
        commission_minor=lambda back: commission_back_minor(commission, kept_minor, back),
    )


async def _record(
    connection: AnyConnection, claim: Claim, actor: Actor, now_us: int, what: str, **facts: object
) -> None:
    await record(
        connection,
        Act.CLAIM_DECIDED,
        actor,
        now_us,
        organisation_id=OrganisationId(claim.buyer_id),
        object_id=claim.claim_id,
        what=what,
        facts=facts,
    )
